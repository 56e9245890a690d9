"""Trunks, passwords, phones and connections: what is read, what is refused, and how it is said."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from ivr.edge import connections, phones
from ivr.edge.connections import Connection, Doorman
from ivr.edge.digest import PasswordRefused, new_password, phone_key
from ivr.edge.trunks import Trunk, TrunksRefused, load_trunks, read_trunks

PBX = {"id": "pbx", "networks": ["192.0.2.10"], "address": "pbx.example"}


def test_trunks() -> None:
    found = read_trunks({"trunk": [PBX, {"id": "two", "networks": ["198.51.100.0/24"], "tls": True, "calls": 3}]}, "t")
    assert found == (
        Trunk(id="pbx", networks=("192.0.2.10/32",), host="pbx.example", port=5060),
        Trunk(id="two", networks=("198.51.100.0/24",), port=5061, tls=True, calls=3),
    )


def test_no_file_is_no_trunk(tmp_path: Path) -> None:
    assert load_trunks(tmp_path / "none.toml") == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "PBX"}, "id: must be small letters"),
        ({"networks": []}, "networks: must be a list"),
        ({"networks": ["all"]}, "networks: holds something"),
        ({"networks": ["0.0.0.0/0"]}, "networks: must not be the whole internet"),
        ({"address": "sip:pbx"}, "address: must be a host"),
        ({"address": "pbx:99999"}, "address: must be a host"),
        ({"calls": 0}, "calls: must be a number"),
        ({"calls": True}, "calls: must be a number"),
        ({"tls": "yes"}, "tls: must be true or false"),
        ({"trust_identity": 1}, "trust_identity: must be true or false"),
        ({"color": "red"}, "color: is not a known field"),
        ({"user": "us"}, "password: must say where it is"),
        ({"user": "us", "password": "letmein"}, "password: must say where it is"),
        ({"user": "us", "password": "env:PBX", "address": ""}, "address: is needed"),
    ],
)
def test_mistakes_in_trunks(change: dict[str, Any], said: str) -> None:
    with pytest.raises(TrunksRefused) as refused:
        read_trunks({"trunk": [{**PBX, **change}]}, "trunks.toml")
    assert said in str(refused.value)
    assert str(refused.value).startswith("trunks.toml: trunk 1")
    assert "letmein" not in str(refused.value)


def test_two_trunks_with_one_name() -> None:
    with pytest.raises(TrunksRefused, match='trunk 2 "pbx": id: is used'):
        read_trunks({"trunk": [PBX, PBX]}, "t")


def test_passwords_are_long_and_differ() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 24 for one in made)
    with pytest.raises(PasswordRefused, match="at least 12"):
        phone_key("nurse-1", "short")


def test_ha1_as_in_the_standard() -> None:
    """RFC 7616 section 3.1: H(user ":" realm ":" password)."""
    clear = b"nurse-1:triageline:a-very-long-password"
    key = phone_key("nurse-1", "a-very-long-password")
    assert key.sha256 == hashlib.sha256(clear).hexdigest()
    assert key.md5 == hashlib.md5(clear).hexdigest()


LISTED = {
    "AoR": "nurse-1",
    "Contacts": [
        {"Contact": {"Address": "sip:n@10.0.0.5:5060", "Expires": 90, "Received": "sip:192.0.2.7:4444",
                     "Socket": "udp:192.0.2.1:5060", "Methods": 5951, "CFlags": 64}},
        {"Contact": {"Address": "sip:n@10.0.0.6", "Expires": 90, "Received": "sip:192.0.2.8:4;transport=TLS",
                     "Socket": "tls:192.0.2.1:5061", "Methods": 1}},
        {"Contact": {"Address": "sip:n@10.0.0.7", "Expires": "expired"}},
    ],
}  # fmt: skip


def test_registered_phones_are_told_again() -> None:
    found = phones.read("nurse-1", LISTED, 100.0)
    assert [one.flow for one in found] == ["udp:192.0.2.7:4444", "tls:192.0.2.8:4"]
    again = phones.restore(found, 130.0)
    assert again[0][0] == "ul.add"
    assert again[0][1][:4] == ("location", "nurse-1", "sip:n@10.0.0.5:5060", 60)
    assert ("htable.sets", ("phones", "udp:192.0.2.7:4444", "nurse-1")) in again
    assert ("htable.seti", ("nats", "udp:192.0.2.7:4444", 1)) in again
    assert len([one for one in again if one[0] == "ul.add"]) == 1  # a connection died with the proxy
    assert phones.restore(found, 189.0) == ()
    assert phones.read("nurse-1", "nonsense", 0) == ()


def test_connections_are_closed_when_their_time_is_over_or_they_are_too_many() -> None:
    doorman = Doorman()
    own = [Connection(id=number, source="192.0.2.9") for number in range(25)]
    other = Connection(id=99, source="192.0.2.10")
    assert doorman.to_close([*own, other], frozenset({0}), 0.0) == (1, 2, 3, 4)
    assert doorman.to_close([*own[10:], other], frozenset(), 7.9) == ()
    assert doorman.to_close([own[10], other], frozenset({99}), 8.0) == (10,)


def test_connections_that_we_made_are_ours() -> None:
    rows = [{"id": 1, "src_ip": "192.0.2.9", "dst_port": 5060}, {"id": 2, "src_ip": "192.0.2.9", "dst_port": 40000}]
    assert connections.read(rows, frozenset({5060})) == (Connection(id=1, source="192.0.2.9"),)
    assert connections.read(None, frozenset({5060})) == ()
