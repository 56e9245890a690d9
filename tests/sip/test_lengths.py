"""Content-Length that lies: refused, and nothing hidden behind it is ever read as a request."""

import contextlib
import re
import secrets
import socket

import pytest

from tests.sip.raw_caller import RawCaller
from tests.sip.support import Phone, tuned_only

pytestmark = pytest.mark.sip

_SMUGGLED = "MESSAGE"


def _request(length: str, body: str, *, kind: str = "TCP", method: str = "OPTIONS") -> bytes:
    unique = secrets.token_hex(6)
    return (
        f"{method} sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{kind} 127.0.0.1:9;rport;branch=z9hG4bK{unique}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:x@127.0.0.1>;tag={unique}\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: {unique}\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:x@127.0.0.1:9>\r\n{length}\r\n{body}"
    ).encode()


def _answers(port: int, message: bytes, enough: int = 99) -> tuple[str, bool]:
    """All that comes back over TCP, or `enough` answers of it, and whether the connection was closed for us."""
    text = ""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as stream:
        stream.sendall(message)
        try:
            while piece := stream.recv(4000):
                text += piece.decode()
                if text.count("CSeq: ") >= enough:
                    return text, False
        except TimeoutError:
            return text, False
        except ConnectionResetError:
            pass
    return text, True


def _next_call_is_fine(hotline: Phone) -> None:
    with RawCaller(hotline.port) as caller:
        caller.call()
        hotline.wait_for("LegAnswered")
        caller.hang_up()
        hotline.wait_for("LegGone")


@tuned_only
@pytest.mark.parametrize(
    "length",
    [
        "Content-Length: 0\r\nContent-Length: {whole}\r\n",
        "Content-Length: {whole}\r\nContent-Length: 0\r\n",
        "l: 0\r\nContent-Length: {whole}\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: many\r\n",
        "X-Nothing: 1\r\n",
    ],
)
def test_a_stream_with_a_wrong_length_is_closed(hotline: Phone, length: str) -> None:
    hidden = _request("Content-Length: 0\r\n", "", method=_SMUGGLED).decode()
    text, closed = _answers(hotline.port, _request(length.format(whole=len(hidden)), hidden))
    assert closed
    assert f"CSeq: 1 {_SMUGGLED}" not in text
    assert set(re.findall(r"^SIP/2.0 (\d+)", text, re.MULTILINE)) <= {"400"}
    _next_call_is_fine(hotline)


def test_a_right_length_on_a_stream_is_fine_and_two_requests_are_two(hotline: Phone) -> None:
    one, other = (_request("Content-Length: 0\r\n", "") for _ in range(2))
    text, _ = _answers(hotline.port, one + other, enough=2)
    assert text.count("SIP/2.0 200 OK") == 2


@tuned_only
def test_a_stream_that_says_nothing_whole_is_closed_in_the_end(hotline: Phone) -> None:
    with contextlib.ExitStack() as ended:
        streams = [ended.enter_context(socket.create_connection(("127.0.0.1", hotline.port), 9)) for _ in range(20)]
        for stream in streams:
            stream.sendall(b"INVITE sip:x@127.0.0.1 SI")
        _next_call_is_fine(hotline)
        for stream in streams:
            with contextlib.suppress(ConnectionResetError):
                assert stream.recv(10) == b""


@tuned_only
@pytest.mark.parametrize(
    "length",
    [
        "Content-Length: 5000\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: -4\r\n",
        "l: 9999999\r\n",
    ],
)
def test_a_datagram_with_a_wrong_length_costs_nothing(hotline: Phone, length: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.settimeout(0.5)
        stranger.sendto(_request(length, "v=0\r\n", kind="UDP", method="INVITE"), ("127.0.0.1", hotline.port))
        try:
            assert stranger.recv(4000).startswith(b"SIP/2.0 400")
        except TimeoutError:
            assert "-" in length  # what cannot be parsed is dropped
    assert hotline.waiting("LegArrived") == []
    assert hotline.do("free_slots") == hotline.opened["capacity"]
    _next_call_is_fine(hotline)
