"""A WAV file of any rate as telephone audio, for trying a model by hand."""

import io
import wave

import numpy as np
import numpy.typing as npt

from asr_models.errors import BadAudio
from asr_models.port import SAMPLE_RATE

TAPS = 64
"""Length of the low-pass filter, in samples of the slower of the two rates."""


def telephone(data: bytes, name: str) -> bytes:
    """The bytes of a WAV file (PCM of 8 or 16 bits, any rate and number of channels) as 8 kHz mono s16le. Raises
    BadAudio, whose text calls the file `name`."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise BadAudio(f"{name} is not a WAV file that can be read: {error}.") from error
    if width not in (1, 2) or not 4000 <= rate <= 192_000:
        raise BadAudio(f"{name} has samples of {8 * width} bits at {rate} Hz: PCM of 8 or 16 bits is wanted.")
    raw = raw[: len(raw) // (width * channels) * (width * channels)]
    flat = np.frombuffer(raw, "<i2").astype(float) if width == 2 else (np.frombuffer(raw, "u1") - 128.0) * 256.0
    mono = flat.reshape(-1, channels).mean(axis=1)
    return np.clip(np.rint(_resample(mono, rate)), -32768, 32767).astype("<i2").tobytes()


def _resample(samples: npt.NDArray[np.float64], rate: int) -> npt.NDArray[np.float64]:
    """Low-pass below the new Nyquist frequency (windowed sinc), then read off between the samples."""
    if rate == SAMPLE_RATE or not samples.size:
        return samples
    if rate > SAMPLE_RATE:
        ratio = 0.9 * SAMPLE_RATE / rate
        reach = np.arange(-int(TAPS / ratio / 2), int(TAPS / ratio / 2) + 1)
        kernel = np.sinc(reach * ratio) * np.hamming(reach.size)
        samples = np.convolve(samples, kernel / kernel.sum(), mode="same")
    count = int(samples.size * SAMPLE_RATE / rate)
    return np.interp(np.arange(count) * rate / SAMPLE_RATE, np.arange(samples.size), samples)
