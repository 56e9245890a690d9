"""What every voice promises, asked of all of them, the real engines included."""

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

from ivr.audio.format import FRAME_BYTES, seconds
from ivr.ports import Voice, VoiceError
from ivr.voices.cache import CachedVoice
from ivr.voices.choose import choose
from ivr.voices.fallback import FallbackVoice
from ivr.voices.silent import FailingVoice, SilentVoice
from ivr.voices.store import DiskStore

NAMES = (
    "silent", "espeak", "espeak:en-us+f3", "flite:slt", "flite:rms", "flite:awb", "flite:kal16", "pyttsx3", "piper",
    "cached", "fallback",
)  # fmt: skip
PROGRAMS = ("espeak", "flite:slt", "pyttsx3")
SENTENCE = "Please tell me in a few words what is troubling you today."
ROOT = Path(__file__).resolve().parents[2]
MARK = "marzipan"


def make(name: str, folder: Path) -> Voice:
    if name == "cached":
        return CachedVoice(SilentVoice(), DiskStore(folder))
    if name == "fallback":
        return FallbackVoice([FailingVoice(), SilentVoice()])
    return choose(name)


@pytest.fixture(params=NAMES)
def voice(request: pytest.FixtureRequest, tmp_path: Path) -> Voice:
    return make(request.param, tmp_path)


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Voice:
    return make(request.param, tmp_path)


def say(voice: Voice, text: str, *, keep: bool = False) -> bytes:
    return asyncio.run(voice.speak(text, keep=keep))


def powers(pcm: bytes) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Mean square of every 20 ms."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64) / 32768
    return np.asarray((samples.reshape(-1, FRAME_BYTES // 2) ** 2).mean(axis=1))


def test_it_is_audible_in_the_right_format_and_at_the_right_level(voice: Voice) -> None:
    pcm = say(voice, SENTENCE)
    assert len(pcm) % FRAME_BYTES == 0
    assert 2 < seconds(pcm) < 7
    loud = powers(pcm)[powers(pcm) > 1e-4]
    assert 10 * np.log10(loud.mean()) == pytest.approx(-20, abs=4)
    assert np.abs(np.frombuffer(pcm, dtype="<i2").astype(int)).max() < 32000


def test_no_time_is_lost_at_the_ends(voice: Voice) -> None:
    found = powers(say(voice, SENTENCE))
    audible = np.flatnonzero(found > 2e-6)
    assert audible[0] <= 4
    assert len(found) - audible[-1] <= 6


def test_longer_text_lasts_longer_and_nothing_is_nothing(voice: Voice) -> None:
    assert len(say(voice, SENTENCE + " " + SENTENCE)) > 1.5 * len(say(voice, SENTENCE))
    assert say(voice, " ... ") == b""


def test_odd_text_is_spoken_not_obeyed(voice: Voice) -> None:
    for text in ("-o /dev/null; $(true) `true`", "one\ntwo\x00three", "[[h@l'oU]] caf\u00e9 50%", "--help"):
        assert seconds(say(voice, text)) > 0.2


def test_two_calls_at_once_get_their_own_words(voice: Voice) -> None:
    async def both() -> list[bytes]:
        return list(await asyncio.gather(*(voice.speak(text, keep=False) for text in ("yes", SENTENCE, "yes"))))

    one, long, other = asyncio.run(both())
    assert len(long) > 2 * len(one)
    assert abs(len(one) - len(other)) <= 0.3 * len(one)


def test_too_much_text_is_refused_and_not_repeated(voice: Voice) -> None:
    with pytest.raises(VoiceError) as caught:
        say(voice, f"{MARK} " * 1000)
    assert MARK not in str(caught.value)


def test_the_name_is_stable(voice: Voice) -> None:
    assert voice.name == voice.name != ""


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def open_files(process: psutil.Process) -> list[str]:
    return [os.readlink(link) for link in Path(f"/proc/{process.pid}/fd").iterdir()]


async def until_started(task: asyncio.Task[bytes], before: list[psutil.Process]) -> list[psutil.Process]:
    for _ in range(5000):
        if new := [child for child in children() if child not in before]:
            return new
        assert not task.done(), "no process was seen"
        await asyncio.sleep(0)
    raise AssertionError("no process came")


async def watched(voice: Voice, then: Callable[[asyncio.Task[bytes], list[psutil.Process]], Awaitable[None]]) -> None:
    before = children()
    task = asyncio.create_task(voice.speak(f"{MARK} is sweet and so are you. " * 50, keep=False))
    await then(task, await until_started(task, before))


async def cancel(task: asyncio.Task[bytes], started: list[psutil.Process]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any(process.is_running() for process in started)


def kept_on_disk(path: str) -> bool:
    """A sound or a temporary file; what the program itself consists of may lie anywhere, this checkout included."""
    return path.endswith(".wav") or (path.startswith(tempfile.gettempdir()) and not path.startswith(str(ROOT)))


async def read_process_list(task: asyncio.Task[bytes], started: list[psutil.Process]) -> None:
    seen = 0
    while not task.done():
        for process in started:
            try:
                shown = " ".join([*process.cmdline(), *process.environ().values()])
                opened = open_files(process)
            except (psutil.Error, OSError):
                continue
            seen += bool(shown)
            assert MARK not in shown
            assert not any(kept_on_disk(path) for path in opened)
        await asyncio.sleep(0.002)
    assert seen
    assert await task


def test_a_cancelled_voice_leaves_no_process(program: Voice) -> None:
    asyncio.run(watched(program, cancel))


def test_spoken_text_is_in_no_process_list_and_no_file(program: Voice) -> None:
    asyncio.run(watched(program, read_process_list))


async def kill(fallback: Voice, task: asyncio.Task[bytes], started: list[psutil.Process]) -> None:
    for process in started:
        process.kill()
    assert seconds(await task) > 5
    assert "silent" in getattr(fallback, "answering", "")


def test_a_killed_voice_falls_through_to_the_next(program: Voice) -> None:
    fallback = FallbackVoice([program, SilentVoice()])
    asyncio.run(watched(fallback, partial(kill, fallback)))
