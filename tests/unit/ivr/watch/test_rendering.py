"""Voices that are watched."""

import asyncio

import pytest

from ivr.ports import Voice, VoiceError
from ivr.voices.cache import CachedVoice
from ivr.voices.choose import assemble
from ivr.voices.fallback import FallbackVoice
from ivr.watch.rendering import WatchedEngine, WatchedVoice


class Plain:
    """A voice that works, or not."""

    name = "plain"

    def __init__(self, *, works: bool = True) -> None:
        self.works = works

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """As in the port."""
        await asyncio.sleep(0)
        if not self.works:
            raise VoiceError("no")
        return b"\1\0"


def test_a_sentence_is_rendered_once_and_remembered_after() -> None:
    measured: list[tuple[str, bool]] = []
    sources: list[str] = []
    broken = WatchedEngine(Plain(works=False), "piper", lambda seconds, engine, good: measured.append((engine, good)))
    works = WatchedEngine(Plain(), "espeak", lambda seconds, engine, good: measured.append((engine, good)))
    voice = WatchedVoice(FallbackVoice([CachedVoice(broken), CachedVoice(works)]), sources.append)

    async def speak() -> None:
        await asyncio.gather(*(voice.speak("hello", keep=True) for _ in range(3)))
        await voice.speak("hello", keep=True)

    asyncio.run(speak())
    assert len(sources) == 4
    assert sources[-1] == "cache"
    assert "engine" in sources
    assert measured.count(("espeak", True)) == 1
    assert ("piper", False) in measured
    assert voice.name == "plain or plain"


def test_what_cannot_be_spoken_is_not_counted_as_spoken() -> None:
    sources: list[str] = []
    voice = WatchedVoice(Plain(works=False), sources.append)
    with pytest.raises(VoiceError):
        asyncio.run(voice.speak("hello", keep=True))
    assert sources == []


def test_engines_are_wrapped_by_their_names() -> None:
    wrapped: list[str] = []

    def around(name: str, voice: Voice) -> Voice:
        wrapped.append(name)
        return voice

    assemble(["silent"], None, around)
    assert wrapped == ["silent"]
