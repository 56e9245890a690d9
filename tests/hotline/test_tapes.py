"""A hotline that records calls for test: the caller is told, and neither a voice nor a word nor a number lies anywhere
in clear."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.audio.convert import mulaw_decode, mulaw_encode
from ivr.audio.format import FRAME_BYTES
from ivr.replay.story import story
from ivr.replay.tape import Tape, decode
from masking.leaks import LeakOracle
from records.keys import keys_from_folder
from records.tapes import FileTapes
from tests.hotline.conftest import Desks, Speak
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone

pytestmark = pytest.mark.sip

NUMBER = "+12025550179"
WORDS = "my knee hurts and it is very swollen today"


@pytest.fixture
def taped(desks: Desks) -> Iterator[Hotline]:
    """A hotline with tapes on."""
    with Hotline(desks.ports, more={"RECORDS__TAPES": "true"}) as hotline:
        yield hotline.await_calls()
        assert hotline.stop() == 0


def test_a_recorded_call_leaks_nothing(taped: Hotline, desks: Desks, speak: Speak) -> None:
    voice = speak(WORDS)
    desks.first.policy = "answer"
    with Softphone() as caller:
        caller.call(taped.port, user=NUMBER, name=f"{NUMBER} calls")
        caller.await_sound()
        caller.say(voice)
        while caller.talking:
            time.sleep(0.05)
        caller.press("0")
        desks.first.await_sound()
        desks.first.press("1")
        taped.await_entry("Bridged")
        caller.hang_up()
    taped.assert_idle()

    (line,) = taped.calls(1)
    tape = of(taped.var, line.call)
    assert story(tape.marks).outcome == "bridged"
    assert "recorded to improve this line" in next(str(one.data["text"]) for one in tape.marks if one.kind == "Said")
    heard = mulaw_decode(mulaw_encode(voice))
    pieces = needles(heard)
    assert sum(piece in tape.pcm for piece in pieces) > len(pieces) // 2, "the voice is not on the tape: a blind test"

    coded = needles(mulaw_encode(heard), FRAME_BYTES // 2)
    for file in sorted(path for path in taped.var.rglob("*") if path.is_file()):
        content = file.read_bytes()
        assert not any(piece in content for piece in (*pieces, *coded)), file.name
        assert b"swollen" not in content, file.name
    assert LeakOracle([NUMBER]).scan_folder(taped.var) == ()
    assert LeakOracle([NUMBER]).scan(repr(tape).encode()) == ()

    assert line.call in taped.command_line("calls", "tapes", "list")
    assert taped.command_line("calls", "tapes", "remove", line.call) == "removed\n"
    assert "0 recordings" in taped.command_line("calls", "tapes", "list")


def of(var: Path, call: str) -> Tape:
    """The recording of a call, once its end is written."""
    kept = FileTapes(var / "tapes", keys_from_folder(var / "keys"), days=14)
    until = time.monotonic() + 6
    while not any(line.call == call and line.whole for line in kept.list()):
        assert time.monotonic() < until, kept.list()
        time.sleep(0.1)
    return decode(kept.read(call))


def needles(data: bytes, size: int = FRAME_BYTES) -> list[bytes]:
    """Pieces of a voice that are unlike anything else: short runs from the middle of loud packets."""
    packets = [data[at : at + size] for at in range(0, len(data) - size, size)]
    return [packet[:48] for packet in packets if len(set(packet[:48])) > 20]
