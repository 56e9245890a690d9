import asyncio
import time
from pathlib import Path

import pytest

from ivr.audio.format import seconds
from ivr.ports import VoiceError
from ivr.voices.cache import CachedVoice
from ivr.voices.espeak import EspeakVoice
from ivr.voices.fallback import FallbackVoice
from ivr.voices.silent import FailingVoice, HangingVoice, SilentVoice


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def say(voice: FallbackVoice, text: str = "hello") -> bytes:
    return asyncio.run(voice.speak(text, keep=True))


def test_the_first_voice_speaks_while_it_can() -> None:
    one, two = SilentVoice("one"), SilentVoice("two")
    voice = FallbackVoice([one, two])
    assert say(voice)
    assert (one.spoken, two.spoken) == (1, 0)
    assert voice.name == "one or two"


def test_a_broken_voice_rests_and_is_tried_again() -> None:
    clock, one, two = Clock(), FailingVoice("one"), SilentVoice("two")
    voice = FallbackVoice([one, two], rest_seconds=30, clock=clock)
    assert seconds(say(voice)) > 0
    say(voice)
    assert (one.tried, two.spoken, voice.answering) == (1, 2, "two")
    clock.now += 31
    one.repaired = True
    assert voice.answering == "one"
    say(voice)
    say(voice)
    assert (one.tried, two.spoken) == (3, 2)


def test_a_slow_voice_is_given_up() -> None:
    one = HangingVoice()
    voice = FallbackVoice([one, SilentVoice()], timeout=0.01, timeout_per_character=0)
    assert say(voice)
    assert one.cancelled == 1


def test_broken_voices_are_tried_before_silence() -> None:
    one, two = FailingVoice("one"), FailingVoice("two")
    voice = FallbackVoice([one, two], clock=Clock())
    for _ in range(2):
        with pytest.raises(VoiceError, match="no voice"):
            say(voice)
    assert (one.tried, two.tried) == (2, 2)
    two.repaired = True
    assert say(voice)


def test_the_log_names_the_voice_and_not_the_words(caplog: pytest.LogCaptureFixture) -> None:
    say(FallbackVoice([FailingVoice("brittle"), SilentVoice()]), "chest pain")
    assert "brittle" in caplog.text
    assert "chest" not in caplog.text


def test_a_cancelled_call_breaks_no_voice() -> None:
    async def scene() -> None:
        voice = FallbackVoice([HangingVoice("one"), SilentVoice("two")])
        task = asyncio.create_task(voice.speak("hello", keep=False))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert voice.answering == "one"

    asyncio.run(scene())


def test_no_voices_are_refused() -> None:
    with pytest.raises(ValueError, match="one voice"):
        FallbackVoice([])


def test_a_sentence_of_a_voice_that_hangs_now_is_remembered() -> None:
    inner = FailingVoice("one", good=1)
    voice = FallbackVoice([CachedVoice(inner), SilentVoice("two")], clock=Clock())
    first = say(voice, "hello")
    assert voice.kept("hello") == first
    assert voice.kept("something new") is None
    say(voice, "something new")  # fails, and the first voice rests
    assert voice.answering == "two"
    assert say(voice, "hello") == first


def test_what_is_in_memory_is_not_waited_for() -> None:
    async def scene() -> None:
        inner = FailingVoice("one", good=1)
        voice = CachedVoice(inner)
        known = await voice.speak("hello", keep=True)
        async with asyncio.timeout(1):
            assert await voice.speak("hello", keep=True) == known

    asyncio.run(scene())


def test_nobody_waits_at_start() -> None:
    one = HangingVoice()
    voice = FallbackVoice([one, SilentVoice()], timeout=0.01)
    slow = voice.unhurried()

    async def scene() -> None:
        task = asyncio.create_task(slow.speak("hello", keep=True))
        await asyncio.sleep(0.05)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())


def test_callers_words_drive_no_fixed_sentence_out() -> None:
    async def scene() -> None:
        voice = CachedVoice(SilentVoice(), max_memory_bytes=40_000)
        await voice.speak("a fixed sentence", keep=True)
        for number in range(9):
            await voice.speak(f"words of caller {number}", keep=False)
        assert voice.kept("a fixed sentence") is not None
        assert voice.kept("words of caller 0") is None

    asyncio.run(scene())


def test_a_stopped_program_is_given_up_and_the_next_voice_speaks(tmp_path: Path) -> None:
    """A real process that stops in the middle."""
    program = tmp_path / "stopped"
    program.write_text("#!/bin/sh\nkill -STOP $$\n")
    program.chmod(0o700)
    voice = FallbackVoice([EspeakVoice(program=str(program)), SilentVoice()], timeout=0.3)
    began = time.monotonic()
    assert say(voice)
    assert time.monotonic() - began < 2.0
