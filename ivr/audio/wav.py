"""WAV bytes and files, in from any common kind, out as 8 kHz mono s16le.

RIFF/WAVE as in Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" with WAVE_FORMAT_EXTENSIBLE.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ivr.audio.convert import Samples, alaw_decode, mulaw_decode, resample, to_pcm, to_samples
from ivr.audio.format import BYTES_PER_SECOND, RATE

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_RATES = range(4000, 192_001)
_MAX_CHANNELS = 16


class WavError(Exception):
    """These bytes are not a WAV that we can read; the message says why in one sentence."""


def from_wav(data: bytes) -> bytes:
    """WAV bytes as 8 kHz mono s16le. Raises WavError."""
    samples, rate = samples_from_wav(data)
    return to_pcm(resample(samples, rate))


def to_wav(pcm: bytes) -> bytes:
    """8 kHz mono s16le as WAV bytes."""
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(pcm), b"WAVE", b"fmt ", 16, _PCM, 1, RATE,
                         BYTES_PER_SECOND, 2, 16, b"data", len(pcm))  # fmt: skip
    return header + pcm


def load(path: Path) -> bytes:
    """A WAV file as 8 kHz mono s16le. Raises WavError, also where the file cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WavError(f"The WAV file cannot be read: {error.strerror}.") from error
    return from_wav(data)


def save(path: Path, pcm: bytes) -> None:
    """Write a WAV file. Raises OSError."""
    path.write_bytes(to_wav(pcm))


def samples_from_wav(data: bytes) -> tuple[Samples, int]:
    """WAV bytes as mono samples at their own rate, with the rate. Raises WavError."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError("This is not a WAV file: it does not start with RIFF and WAVE.")
    format_, sound = b"", None
    for name, body in _chunks(data):
        if name == b"fmt ":
            format_ = body
        elif name == b"data" and sound is None:
            sound = body
    if len(format_) < 16 or sound is None:
        raise WavError("This WAV file is incomplete: its format or its sound is missing.")
    kind, channels, rate, _, block, bits = struct.unpack("<HHIIHH", format_[:16])
    if kind == _EXTENSIBLE and len(format_) >= 26:
        kind = struct.unpack("<H", format_[24:26])[0]
    if rate not in _RATES or not 1 <= channels <= _MAX_CHANNELS or block != channels * ((bits + 7) // 8):
        raise WavError("This WAV file has an impossible rate or number of channels.")
    mono = _decode(kind, bits, sound[: len(sound) // block * block]).reshape(-1, channels).mean(axis=1)
    if not mono.size:
        raise WavError("This WAV file holds no sound.")
    return mono, rate


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Chunks by name. A length beyond the end means "to the end": programs that write to a pipe leave it so."""
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack("<4sI", data[at : at + 8])
        if name == b"data" and size == 0:
            size = len(data)
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _decode(kind: int, bits: int, sound: bytes) -> Samples:
    match kind, bits:
        case 1, 8:
            return (np.frombuffer(sound, dtype=np.uint8).astype(np.float64) - 128) / 128
        case 1, 16:
            return to_samples(sound)
        case 1, 24:
            wide = np.zeros((len(sound) // 3, 4), dtype=np.uint8)
            wide[:, 1:] = np.frombuffer(sound, dtype=np.uint8).reshape(-1, 3)
            return wide.view("<i4").reshape(-1).astype(np.float64) / 2**31
        case 1, 32:
            return np.frombuffer(sound, dtype="<i4").astype(np.float64) / 2**31
        case 3, 32 | 64:
            return np.nan_to_num(np.clip(np.frombuffer(sound, dtype=f"<f{bits // 8}").astype(np.float64), -1, 1))
        case 6, 8:
            return to_samples(alaw_decode(sound))
        case 7, 8:
            return to_samples(mulaw_decode(sound))
    raise WavError(f"This WAV file holds sound of a kind we cannot read (format {kind}, {bits} bits).")
