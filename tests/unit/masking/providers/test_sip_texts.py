"""Texts as SIP messages: read strictly, answered once, repeated until answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.port import MaskingRefused, MaskingUnavailable, MaskingUnsure, PhoneNumber, TextIn, TextOut
from masking.providers.sip_message import NotSip, message, parse, user, words
from masking.providers.sip_texts import LONGEST, SipTexts

TEXT = TextOut(id="text-abc", party="party-x", shown="+12025550150", body="10 mg x2 – 天\r\n\r\nnew line")
TO = PhoneNumber("+447700900123")
REQUEST = (
    b"MESSAGE sip:+12025550150@198.51.100.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5;branch=z9hG4bKa\r\n"
    b"v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb\r\nf: \"A\" <sip:+12025550123@192.0.2.1>;tag=1\r\n"
    b"To: <sip:+12025550150@192.0.2.9>\r\nCall-ID: abc\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\n"
    b"c: text/plain\r\nl: 8\r\n\r\n10 mg x2"
)


class Heard:
    """A relay that keeps what it is told, or cannot."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.texts: list[TextIn] = []
        self.trouble = trouble

    async def received(self, text: TextIn) -> None:
        self.texts.append(text)
        if self.trouble is not None:
            raise self.trouble

    async def receipt(self, id: str, *, arrived: bool | None, reference: str, code: str = "") -> None:
        raise NotImplementedError


class Proxy(asyncio.DatagramProtocol):
    """What the endpoint says to it."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()
        self.answers: list[int] = []
        self.transport: asyncio.DatagramTransport | None = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came.put_nowait(data)
        code = self.answers.pop(0) if self.answers and data.startswith(b"MESSAGE") else 0
        if code and self.transport:
            head = data.split(b"\r\n\r\n")[0].split(b"\r\n")
            kept = [line for line in head[1:] if line.split(b":")[0] in {b"Via", b"From", b"To", b"Call-ID", b"CSeq"}]
            self.transport.sendto(b"\r\n".join([b"SIP/2.0 %d X" % code, *kept, b"", b""]), addr)


@asynccontextmanager
async def pair(relay: Heard | None, *answers: int, patience: float = 2.0) -> AsyncIterator[tuple[Proxy, SipTexts]]:
    """A proxy and the endpoint."""
    proxy = Proxy()
    proxy.answers = list(answers)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: proxy, local_addr=("127.0.0.1", 0))
    proxy.transport = transport
    texts = SipTexts(transport.get_extra_info("sockname")[:2], "sip:{digits}@t.example", pace=0.02, patience=patience)
    await texts.open(0, relay)
    try:
        yield proxy, texts
    finally:
        await texts.close()
        transport.close()


def told(relay: Heard | None, *requests: bytes) -> list[int]:
    """Statuses of the answers, one after the other."""

    async def run() -> list[int]:
        async with pair(relay) as (proxy, texts):
            found = []
            for request in requests:
                assert proxy.transport is not None
                proxy.transport.sendto(request, ("127.0.0.1", texts.port))
                async with asyncio.timeout(10):
                    found.append(parse(await proxy.came.get()).status)
            return found

    return asyncio.run(run())


def test_a_text_is_taken_once_and_its_repetition_answered() -> None:
    relay = Heard()
    assert told(relay, REQUEST, REQUEST) == [200, 200]
    (text,) = relay.texts
    assert (text.id, text.number, text.sender, text.body) == (
        "abc 1 MESSAGE", "+12025550150", PhoneNumber("+12025550123"), "10 mg x2",
    )  # fmt: skip


def test_a_relay_that_cannot_take_it_is_asked_again() -> None:
    for trouble in (MaskingUnavailable("down"), ValueError("a fault")):
        relay = Heard(trouble)
        assert told(relay, REQUEST, REQUEST) == [503, 503]
        assert len(relay.texts) == 2
    assert told(None, REQUEST) == [503]


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"c: text/plain", b"c: text/x-vcard", 415),
        (b"c: text/plain", b"c: text/plain;charset=utf-16", 415),
        (b"c: text/plain", b"X: y", 415),
        (b"c: text/plain", b"c: text/plain\r\ne: gzip", 415),
        (b"10 mg x2", b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", 415),
        (b"l: 8\r\n\r\n10 mg x2", b"\r\n" + b"x" * (LONGEST + 1), 413),
        (b"MESSAGE", b"OPTIONS", 405),
    ],
)
def test_what_is_no_plain_text_is_refused(old: bytes, new: bytes, status: int) -> None:
    relay = Heard()
    assert told(relay, REQUEST.replace(old, new)) == [status]
    assert relay.texts == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"l: 8", b"l: 9"), (b"l: 8", b"l: -1"), (b"Call-ID: abc\r\n", b""), (b"Call-ID", b"Call-ID: x\r\nCall-ID"),
        (b"CSeq: 1 MESSAGE", b"CSeq: 1 INVITE"), (b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"), (b"\r\n\r\n", b"\r\n"),
        (b"Max-Forwards: 70", b"Max Forwards"), (b"abc", b"\xff"), (b"10 mg x2", b"x" * 20_000),
    ],
)  # fmt: skip
def test_what_is_not_sound_is_not_read(old: bytes, new: bytes) -> None:
    with pytest.raises(NotSip):
        parse(REQUEST.replace(old, new))


def test_a_message_reads_back_as_it_was_made() -> None:
    made = parse(message(target="sip:4@t.example", shown="+1", host="t.example", own="h:1", id="i", text=TEXT.body))
    assert (words(made), made.target, user(made.headers["from"]), made.branch) == (
        TEXT.body, "sip:4@t.example", "+1", "z9hG4bKi",
    )  # fmt: skip
    assert [user(one) for one in ("sip:a@b", '"x:sip:c@d" <sips:e@f;x=y>;tag=1', "tel:+1", "<sip:h>", "")] == [
        "a", "e", "", "", "",
    ]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(REQUEST)))
def test_hostile_bytes_are_refused_or_read_but_never_more(noise: bytes, at: int) -> None:
    for datagram in (noise, REQUEST[:at] + noise + REQUEST[at:], REQUEST[:at] + noise):
        try:
            found = parse(datagram)
        except NotSip:
            continue
        words(found), user(found.target), found.branch


def sent(*answers: int, patience: float = 2.0) -> tuple[str, int]:
    """What came of a text, and how often it was sent."""

    async def run() -> tuple[str, int]:
        async with pair(None, *answers, patience=patience) as (proxy, texts):
            return await texts.send(TEXT, TO), proxy.came.qsize()

    return asyncio.run(run())


def test_a_text_is_repeated_until_it_is_answered() -> None:
    assert sent(202) == ("text-abc", 1)
    assert sent(0, 0, 200) == ("text-abc", 3)



@pytest.mark.parametrize(
    ("status", "error"), [(503, MaskingUnavailable), (486, MaskingUnavailable), (404, MaskingRefused),
                          (408, MaskingUnsure), (0, MaskingUnsure)]
)  # fmt: skip
def test_answers_and_silence_are_told_apart(status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as told_error:
        sent(status, patience=0.3)
    assert type(told_error.value) is error


def test_nobody_can_say_what_became_of_an_attempt_and_addresses_are_checked() -> None:
    async def run() -> None:
        async with pair(None) as (_, texts):
            with pytest.raises(MaskingRefused):
                await texts.found(TEXT, TO, 0.0)
            with pytest.raises(MaskingRefused):
                await texts.send(TextOut(id="i", party="p", shown="+1", body="天" * LONGEST), TO)

    asyncio.run(run())
    for address in ("", "sip:{number}", "sip:x@t.example"):
        with pytest.raises(ValueError, match="host"):
            SipTexts(("127.0.0.1", 1), address)
