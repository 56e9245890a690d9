"""Texts by SIP MESSAGE through a real edge: from trunks that may bring them, to trunks, and for nobody else."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from ivr.edge.trunks import Trunk
from masking.leaks import LeakOracle
from masking.port import MaskingRefused, MaskingUnsure, PhoneNumber, TextIn, TextOut
from masking.providers.sip_texts import SipTexts
from masking.sms.post import TextPost
from masking.sms.relay import TextRelay
from masking.sms.words import sentences
from tests.edge.rig import Rig, free_port
from tests.edge.wire import Caller, header, names, status
from tests.unit.masking.providers.twilio_rigs import DOCTOR
from tests.unit.masking.providers.twilio_rigs import Rig as Masked

pytestmark = pytest.mark.sip

WITH, WITHOUT, PEER = "127.0.0.8", "127.0.0.7", "127.0.0.1"
PATIENT, VIRTUAL = "+12025550123", "+12025550150"
TEXT = TextOut(id="text-abc", party="party-x", shown=VIRTUAL, body="10 mg x2 – 天")
PLAIN = "Content-Type: text/plain\r\nX-Number: +12025550123\r\n"


@pytest.fixture(scope="module")
def edge() -> Iterator[Rig]:
    """Two trunks, one of which may bring texts."""
    trunks = (
        Trunk(id="texts", networks=(f"{WITH}/32",), host=WITH, port=free_port(WITH), texts=True),
        Trunk(id="calls", networks=(f"{WITHOUT}/32",), host=WITHOUT, port=free_port(WITHOUT)),
    )
    with Rig(trunks=trunks, texts=free_port()) as rig:
        yield rig


class Heard:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[TextIn] = []

    async def received(self, text: TextIn) -> None:
        self.texts.append(text)

    async def receipt(self, id: str, *, arrived: bool | None, reference: str, code: str = "") -> None:
        raise NotImplementedError


@asynccontextmanager
async def listening(edge: Rig, port: int = 5060) -> AsyncIterator[tuple[SipTexts, Heard]]:
    """The endpoint behind the edge; it sends to `port` of the trunk."""
    heard = Heard()
    made = SipTexts(("127.0.0.1", edge.edge.inner), f"sip:{{number}}@{WITH}:{port}", pace=0.2, patience=3)
    await made.open(edge.edge.texts, heard)
    try:
        yield made, heard
    finally:
        await made.close()


def brought(edge: Rig, source: str, more: str = PLAIN, times: int = 1) -> tuple[str, list[TextIn]]:
    """A text from somewhere: the answer, and what was heard."""
    body = "10 mg x2"

    def ask(caller: Caller) -> str:
        text = caller.text("MESSAGE", more, "", to=VIRTUAL, length=f"Content-Length: {len(body.encode())}") + body
        for _ in range(times):
            caller.send(text)
            answer = caller.final("MESSAGE")
        return answer

    async def run() -> tuple[str, list[TextIn]]:
        async with listening(edge) as (_, heard):
            with edge.caller(source) as caller:
                caller.user = PATIENT
                return await asyncio.to_thread(ask, caller), heard.texts

    return asyncio.run(run())


def test_a_trunk_brings_a_text_once_however_often_it_repeats_it(edge: Rig) -> None:
    answer, texts = brought(edge, WITH, times=3)
    assert (status(answer), [one.body for one in texts]) == (200, ["10 mg x2"])
    (text,) = texts
    assert (text.provider, text.number, text.sender) == ("sip", VIRTUAL, PhoneNumber(PATIENT))
    assert text.id.endswith("1 MESSAGE")
    assert not names(answer) & {"server", "user-agent", "warning", "contact"}


@pytest.mark.parametrize("source", [WITHOUT, PEER])
def test_nobody_else_brings_any(edge: Rig, source: str) -> None:
    answer, texts = brought(edge, source)
    assert (status(answer), texts) == (405, [])


def test_strangers_are_refused(edge: Rig) -> None:
    answer, texts = brought(edge, "127.0.0.66")
    assert (status(answer), texts) == (403, [])


@pytest.mark.parametrize("kind", ["message/cpim", "application/vnd.3gpp.sms", "text/x-vcard", "text/plain;charset=x"])
def test_anything_but_plain_text_is_415(edge: Rig, kind: str) -> None:
    answer, texts = brought(edge, WITH, f"Content-Type: {kind}\r\n")
    assert (status(answer), header(answer, "Accept"), texts) == (415, "text/plain", [])


def sent(edge: Rig, *answers: int) -> tuple[str, list[str]]:
    """A text out, answered so: what came of it, and the requests that the trunk saw."""
    requests: list[str] = []

    def trunk(caller: Caller) -> None:
        for code in answers:
            text = caller.receive(5)
            requests.append(text)
            if code:
                caller.send(reply(text, code))
        while text := caller.receive(0.3):
            requests.append(text)

    async def run() -> str:
        port = next(one.port for one in edge._known.trunks if one.host == WITH)
        with Caller(edge=edge.address, source=WITH, at=port) as caller:
            async with listening(edge, port) as (texts, _):
                answering = asyncio.create_task(asyncio.to_thread(trunk, caller))
                try:
                    return await texts.send(replace(TEXT, id=f"text-{answers[0]}"), PhoneNumber(PATIENT))
                finally:
                    await answering

    return asyncio.run(run()), requests


def reply(request: str, code: int) -> str:
    """An answer of the trunk's, with a number in it that nobody needs."""
    kept = [line for line in request.split("\r\n") if re.match(r"(?i)(via|from|call-id|cseq):", line)]
    to = f"To: {header(request, 'To')};tag=trunk"
    return "\r\n".join([f"SIP/2.0 {code} Some Reason", *kept, to, "P-Asserted-Identity: <tel:+12025550123>",
                        "Content-Length: 0", "", ""])  # fmt: skip


def test_a_text_goes_to_the_trunk_from_our_number_with_nothing_else_in_it(edge: Rig) -> None:
    reference, (request,) = sent(edge, 202)
    assert reference == "text-202"
    head, _, body = request.partition("\r\n\r\n")
    assert body == TEXT.body
    assert head.startswith(f"MESSAGE sip:{PATIENT}@{WITH}:")
    assert f"<sip:{VIRTUAL}@{WITH}>" in header(head, "From")
    assert names(request) == {
        "via", "max-forwards", "from", "to", "call-id", "cseq", "content-type", "content-length",
    }  # fmt: skip


def test_a_text_is_relayed_from_trunk_to_trunk_without_a_number_of_its_sender(edge: Rig) -> None:
    masked = Masked()
    pair = masked.bound()
    said = sentences("en", emergency="911")

    def trunk(caller: Caller) -> str:
        caller.user = PATIENT
        body = "call 202-555-0123, 10 mg x2"
        length = f"Content-Length: {len(body)}"
        caller.send(caller.text("MESSAGE", PLAIN, "", to=pair.patient_number, length=length) + body)
        assert status(caller.final("MESSAGE")) == 200
        text = caller.receive(5)
        caller.send(reply(text, 200))
        return text

    async def run() -> str:
        port = next(one.port for one in edge._known.trunks if one.host == WITH)
        carrier = SipTexts(("127.0.0.1", edge.edge.inner), f"sip:{{number}}@{WITH}:{port}", pace=0.2, patience=5)
        post = TextPost(masked.texts, carrier, masked.dial, sentences=said)
        relay = TextRelay(masked.texts, masked.masking, masked.exchange, sentences=said, wake=post.wake)
        await carrier.open(edge.edge.texts, relay)
        running = asyncio.create_task(post.run())
        with Caller(edge=edge.address, source=WITH, at=port) as caller:
            text = await asyncio.to_thread(trunk, caller)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await carrier.close()
        return text

    text = asyncio.run(run())
    assert text.startswith(f"MESSAGE sip:{DOCTOR}@{WITH}:")
    assert f"<sip:{pair.doctor_number}@{WITH}>" in header(text, "From")
    assert text.endswith("call [number hidden], 10 mg x2")
    assert LeakOracle([PATIENT]).scan(text.encode()) == ()


def test_a_refusal_and_a_silence_are_told_apart(edge: Rig) -> None:
    with pytest.raises(MaskingRefused):
        sent(edge, 404)
    with pytest.raises(MaskingUnsure):
        sent(edge, 0)


def test_the_endpoint_may_send_texts_to_trunks_and_do_nothing_else(edge: Rig) -> None:
    async def run() -> None:
        for outbound in ("sip:{number}@127.0.0.66:5060", "sip:{number}@127.0.0.1:5060"):
            made = SipTexts(("127.0.0.1", edge.edge.inner), outbound, pace=0.2, patience=2)
            await made.open(edge.edge.texts, None)
            with pytest.raises(MaskingRefused):
                await made.send(TEXT, PhoneNumber(PATIENT))
            await made.close()

    asyncio.run(run())
