import asyncio
import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.audio.format import seconds
from ivr.ports import VoiceError
from ivr.voices.cache import CachedVoice, warm
from ivr.voices.silent import FailingVoice, HangingVoice, SilentVoice
from ivr.voices.store import DiskStore

KEY = "ab" * 32


class FullStore:
    """A store whose disk is full, until there is room."""

    def __init__(self) -> None:
        self.writes = 0

    def read(self, key: str) -> bytes | None:
        return None

    def write(self, key: str, pcm: bytes) -> None:
        self.writes += 1
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def say(voice: CachedVoice, text: str, *, keep: bool = True) -> bytes:
    return asyncio.run(voice.speak(text, keep=keep))


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def test_the_second_time_is_remembered_also_by_another_process(tmp_path: Path) -> None:
    first, second = SilentVoice(), SilentVoice()
    voice = CachedVoice(first, DiskStore(tmp_path / "new" / "folder"))
    assert say(voice, "hello") == say(voice, "hello")
    assert first.spoken == 1
    assert say(CachedVoice(second, DiskStore(tmp_path / "new" / "folder")), "hello") == say(voice, "hello")
    assert second.spoken == 0


def test_a_callers_words_stay_nowhere(tmp_path: Path) -> None:
    inner = SilentVoice()
    voice = CachedVoice(inner, DiskStore(tmp_path))
    said = say(voice, "you entered 4, 7, 1, 1", keep=False)
    assert say(voice, "you entered 4, 7, 1, 1", keep=False) == said
    assert inner.spoken == 2
    assert voice.kept("you entered 4, 7, 1, 1") is None
    assert files(tmp_path) == []


def test_file_names_do_not_show_the_text(tmp_path: Path) -> None:
    say(CachedVoice(SilentVoice(), DiskStore(tmp_path)), "hello")
    (file,) = files(tmp_path)
    assert len(file.name) == 68
    assert "hello" not in file.name


def test_another_voice_has_its_own_prompts(tmp_path: Path) -> None:
    store, other = DiskStore(tmp_path), SilentVoice("other")
    say(CachedVoice(SilentVoice(), store), "hello")
    say(CachedVoice(other, store), "hello")
    assert other.spoken == 1
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("damage", [b"", b"TLPCM1\n", b"x" * 5000])
def test_a_damaged_file_is_rewritten(tmp_path: Path, damage: bytes) -> None:
    good = say(CachedVoice(SilentVoice(), DiskStore(tmp_path)), "hello")
    (file,) = files(tmp_path)
    whole = file.read_bytes()
    for broken in (damage, whole[:-2], whole[:-1] + bytes([whole[-1] ^ 1])):
        file.write_bytes(broken)
        inner = SilentVoice()
        assert say(CachedVoice(inner, DiskStore(tmp_path)), "hello") == good
        assert inner.spoken == 1
        assert file.read_bytes() == whole


def test_a_full_disk_leaves_the_memory(caplog: pytest.LogCaptureFixture) -> None:
    inner, store = SilentVoice(), FullStore()
    voice = CachedVoice(inner, store)
    for text in ("one", "two", "one", "two"):
        assert say(voice, text)
    assert (inner.spoken, store.writes) == (2, 2)
    assert len(caplog.messages) == 1
    assert "No space left" in caplog.messages[0]


def test_a_folder_that_cannot_be_made_leaves_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    inner = SilentVoice()
    voice = CachedVoice(inner, DiskStore(tmp_path / "file"))
    assert say(voice, "one") == say(voice, "one")
    assert inner.spoken == 1


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    inner = SilentVoice()
    one = len(say(CachedVoice(SilentVoice()), "text 1"))
    voice = CachedVoice(inner, max_memory_bytes=2 * one)
    for text in ("text 1", "text 2", "text 1", "text 3", "text 1", "text 2"):
        say(voice, text)
    assert inner.spoken == 4


def test_the_disk_is_bounded_and_forgets_the_oldest(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, max_bytes=350)
    keys = [f"{number:064x}" for number in range(4)]
    for age, key in enumerate(keys[:3]):
        store.write(key, b"x" * 60)
        os.utime(tmp_path / f"{key}.pcm", (age, age))
    assert store.read(keys[0])
    store.write(keys[3], b"x" * 60)
    assert [store.read(key) is not None for key in keys] == [True, False, True, True]


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x" * 1000)
    DiskStore(tmp_path, max_bytes=1).write(KEY, b"abc")
    assert [file.name for file in files(tmp_path)] == ["notes.txt"]


@given(st.text(max_size=80))
def test_a_key_cannot_leave_the_folder(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        DiskStore(Path("/nowhere")).read(key)


def test_two_calls_share_one_rendering() -> None:
    inner = SilentVoice()
    voice = CachedVoice(inner)

    async def both() -> None:
        await asyncio.gather(*(voice.speak("hello", keep=True) for _ in range(5)))

    asyncio.run(both())
    assert inner.spoken == 1


def test_a_cancelled_call_does_not_block_the_next() -> None:
    async def scene() -> None:
        hanging = HangingVoice()
        voice = CachedVoice(hanging)
        tasks = [asyncio.create_task(voice.speak("hello", keep=True)) for _ in range(2)]
        for task in tasks:
            await asyncio.sleep(0)
            task.cancel()
        assert all(
            isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*tasks, return_exceptions=True)
        )
        assert hanging.cancelled == 1

    asyncio.run(scene())


def test_a_failure_is_not_remembered() -> None:
    inner = FailingVoice()
    voice = CachedVoice(inner)
    with pytest.raises(VoiceError):
        say(voice, "hello")
    inner.repaired = True
    assert seconds(say(voice, "hello")) > 0


def test_warming_shows_progress_and_counts_failures(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shown: list[tuple[int, int]] = []
    voice = CachedVoice(FailingVoice(good=2), DiskStore(tmp_path))
    texts = ("one", "two", "secret words")
    assert asyncio.run(voice.warm(texts, lambda done, total: shown.append((done, total)))) == 1
    assert shown == [(1, 3), (2, 3), (3, 3)]
    assert len(files(tmp_path)) == 2
    assert "secret" not in caplog.text
    assert asyncio.run(warm(SilentVoice(), texts)) == 0
