"""Where webhooks may go, over a real web server."""

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from masking.port import MaskingRefused, Wrong
from masking.poster import Address, Answer, Poster, PostFailed, allowed, check_url
from tests.edge.certificates import make
from tests.unit.masking.hook_rig import HERE, PLAIN
from tests.unit.masking.receiver import receiver


def post(url: str, *, seconds: float = 5, read: bool = False, **more: object) -> Answer:
    async def run() -> Answer:
        poster = Poster(**{"context": PLAIN} | more)  # type: ignore[arg-type]
        try:
            return await poster.post(url, b"{}", {"X-Test": "yes"}, seconds=seconds, read=read)
        finally:
            await poster.close()

    return asyncio.run(run())


def failure(url: str, **more: object) -> str:
    with pytest.raises(PostFailed) as told:
        post(url, **more)  # type: ignore[arg-type]
    return told.value.code


def resolver(*addresses: str) -> "Callable[[str, int], object]":
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "239.1.1.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "240.0.0.1", "::1", "::", "fe80::1",
        "fd00::1", "ff02::1", "ff0e::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "2002:7f00:1::", "2002:a00:1::", "2001:db8::1", "2001::1",
    ],
)  # fmt: skip
def test_addresses_behind_the_firewall_are_refused(address: str) -> None:
    assert not allowed(ipaddress.ip_address(address), ())
    assert failure("https://receiver.example/x", resolve=resolver(address)) == "refused_address"


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_allowed_with_encryption_only(address: str) -> None:
    found: Address = ipaddress.ip_address(address)
    assert allowed(found, ())
    assert not allowed(found, (), plain=True)


def test_one_bad_address_among_good_ones_is_a_trick() -> None:
    assert failure("https://receiver.example/", resolve=resolver("8.8.8.8", "127.0.0.1")) == "refused_address"
    assert failure("https://receiver.example/", resolve=resolver()) == "no_address"


def test_named_networks_may_be_reached_without_encryption() -> None:
    with receiver() as server:
        assert failure(server.url) == "refused_address"
        assert post(server.url + "?a=1", networks=HERE) == Answer(status=200, body=b"")
        assert failure(server.url, networks=("10.0.0.0/8",)) == "refused_address"
        (got,) = server.got
        assert (got.path, got.body, got.headers["x-test"]) == ("/hook?a=1", b"{}", "yes")


def test_the_connection_goes_to_the_address_that_was_checked_under_the_name_that_was_given() -> None:
    with receiver() as server:
        url = server.url.replace("127.0.0.1", "receiver.invalid")
        assert post(url, networks=HERE, resolve=resolver("127.0.0.1")).status == 200
        assert server.got[0].headers["host"] == url.split("/")[2]


def test_redirects_are_answers_and_not_followed() -> None:
    with receiver() as server:
        server.answer = lambda got: (302, b"")
        server.headers["Location"] = server.url + "/elsewhere"
        assert post(server.url, networks=HERE).status == 302
        assert len(server.got) == 1


def test_a_receiver_that_hangs_costs_the_patience_and_no_more() -> None:
    with receiver() as server:
        server.hang.clear()
        began = time.monotonic()
        assert failure(server.url, networks=HERE, seconds=0.2) == "timeout"
        assert time.monotonic() - began < 10


def test_a_name_server_that_hangs_costs_the_patience_and_no_more() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return ()

    assert failure("https://receiver.example/", resolve=resolve, seconds=0.05) == "timeout"


def test_answers_are_read_where_wanted_and_never_beyond_bounds() -> None:
    with receiver() as server:
        server.answer = lambda got: (200, b'{"decision": "connect"}')
        assert post(server.url, networks=HERE, read=True).body == b'{"decision": "connect"}'
        server.answer = lambda got: (200, b"x" * 5000)
        assert failure(server.url, networks=HERE, read=True) == "too_long"


def test_nobody_there_is_no_connection_and_no_cause_that_tells_the_address() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(PostFailed) as told:
            post(f"http://127.0.0.1:{free.getsockname()[1]}/secret-path", networks=HERE)
    assert told.value.code == "connection"
    assert told.value.__cause__ is None
    assert "secret-path" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "ftp://a.example/", "https://", "https:///x", "https://a.example:0/", "https://a.example:99999/",
        "https://user:word@a.example/", "https://a.example/#x", "https://a.example/ x", "https://ä.example/",
        "https://a.example/\n", "https://[::1", "https://a.example/" + "x" * 500,
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(MaskingRefused) as told:
        check_url(url)
    assert (told.value.code, told.value.field) == (Wrong.FIELD, "url")


def test_web_addresses_are_taken() -> None:
    for url in (
        "https://a.example",
        "https://a.example:8443/x?y=1",
        "http://10.0.0.1:8080/hook",
        "https://[2001:db8::1]/",
    ):
        check_url(url)


@pytest.mark.parametrize(
    ("host", "trusted", "answered"),
    [("receiver.test", True, True), ("other.test", True, False), ("receiver.test", False, False)],
)
def test_the_certificate_must_be_for_the_name_though_the_connection_goes_to_an_address(
    tmp_path: Path, host: str, trusted: bool, answered: bool
) -> None:
    authority = make(tmp_path, "authority.test", authority=True)
    pair = make(tmp_path, "receiver.test", by=authority)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(pair.certificate, pair.key)
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trusted:
        ours.load_verify_locations(authority.certificate)
    with receiver(theirs) as server:
        url = f"https://{host}:{server.port}/hook"
        if answered:
            assert post(url, networks=HERE, resolve=resolver("127.0.0.1"), context=ours).status == 200
            assert server.got[0].headers["host"] == f"{host}:{server.port}"
        else:
            assert failure(url, networks=HERE, resolve=resolver("127.0.0.1"), context=ours) == "connection"
            assert server.got == []
