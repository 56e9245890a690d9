import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.audio.convert import level, mulaw_encode, to_samples
from ivr.audio.tones import tone
from ivr.audio.wav import WavError, from_wav, load, save, to_wav

PCM = tone((440,), 0.5, -20)


def wav(kind: int, channels: int, rate: int, bits: int, sound: bytes, *, size: int | None = None) -> bytes:
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", kind, channels, rate, rate * block, block, bits)
    size = len(sound) if size is None else size
    chunks = b"LIST" + struct.pack("<I", 3) + b"abc\0" + b"fmt " + struct.pack("<I", 16) + head
    return b"RIFF" + struct.pack("<I", 0) + b"WAVE" + chunks + b"data" + struct.pack("<I", size) + sound


def test_there_and_back(tmp_path: Path) -> None:
    save(tmp_path / "a.wav", PCM)
    assert load(tmp_path / "a.wav") == PCM


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_length_left_open_by_a_pipe_means_to_the_end(size: int) -> None:
    assert from_wav(wav(1, 1, 8000, 16, PCM, size=size)) == PCM


def test_common_kinds_sound_the_same() -> None:
    x = to_samples(PCM)
    wide = (x * 2**31).astype("<i4")
    kinds = [
        wav(1, 1, 8000, 8, (x * 127 + 128).round().astype(np.uint8).tobytes()),
        wav(1, 2, 8000, 16, np.repeat(np.frombuffer(PCM, "<i2"), 2).tobytes()),
        wav(1, 1, 8000, 24, wide.view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()),
        wav(1, 1, 8000, 32, wide.tobytes()),
        wav(3, 1, 8000, 32, x.astype("<f4").tobytes()),
        wav(3, 1, 8000, 64, x.astype("<f8").tobytes()),
        wav(7, 1, 8000, 8, mulaw_encode(PCM)),
    ]
    for data in kinds:
        assert level(to_samples(from_wav(data)) - x) < -50


def test_another_rate_becomes_eight_kilohertz() -> None:
    assert len(from_wav(wav(1, 1, 16000, 16, PCM))) == len(PCM) // 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"not a wav at all, only text",
        to_wav(b""),
        to_wav(PCM)[:30],
        wav(1, 1, 8000, 12, PCM),
        wav(1, 0, 8000, 16, PCM),
        wav(1, 1, 1, 16, PCM),
        wav(0x55, 1, 8000, 8, PCM),
    ],
)
def test_garbage_gets_one_sentence(data: bytes) -> None:
    with pytest.raises(WavError, match=r"^This .*\.$"):
        from_wav(data)


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=60))
def test_no_bytes_raise_anything_else(junk: bytes, at: int) -> None:
    data = to_wav(PCM[:400])
    for broken in (data[:at] + junk + data[at + len(junk) :], data[:at], b"RIFF0000WAVE" + junk):
        with suppress(WavError):
            from_wav(broken)


def test_a_missing_file_is_a_wav_error(tmp_path: Path) -> None:
    with pytest.raises(WavError, match="cannot be read"):
        load(tmp_path / "none.wav")
