"""Runs a speech program: text in by a pipe, WAV out by a file that exists in memory only.

Spoken text is health data: it must not show in the process list, in a file name or on a disk. The output goes to a
memory file (memfd_create) because flite and pyttsx3 seek in what they write, which a pipe cannot.
"""

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE

from ivr.audio.wav import WavError, samples_from_wav
from ivr.ports import VoiceError
from ivr.voices.rendering import sayable, telephone

OUTPUT = "{output}"
"""Stands in an argument for the path that the program writes its WAV to."""
_MAX_BYTES = 64_000_000  # 12 minutes at 44.1 kHz


async def render(arguments: tuple[str, ...], text: str, limit: float) -> bytes:
    """Speak by a program; 8 kHz s16le. Cancelling kills the program, as does
    running longer than `limit` seconds. Raises VoiceError."""
    line = sayable(text)
    if not line:
        return b""
    output = os.memfd_create("speech", os.MFD_CLOEXEC)
    try:
        await _run(arguments, line, output, limit)
        return await asyncio.to_thread(_read, output, arguments[0])
    finally:
        os.close(output)


async def _run(arguments: tuple[str, ...], line: str, output: int, limit: float) -> None:
    program = os.path.basename(arguments[0])
    filled = [argument.replace(OUTPUT, f"/dev/fd/{output}") for argument in arguments]
    try:
        process = await asyncio.create_subprocess_exec(
            *filled, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, pass_fds=(output,)
        )
    except OSError as error:
        raise VoiceError(f"{program} cannot be started: {error.strerror}") from error
    try:
        async with asyncio.timeout(limit):
            await process.communicate(line.encode() + b"\n")
    except TimeoutError:
        raise VoiceError(f"{program} took longer than {limit:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise VoiceError(f"{program} failed with code {process.returncode}")


def _read(output: int, program: str) -> bytes:
    size = os.fstat(output).st_size
    if size > _MAX_BYTES:
        raise VoiceError(f"{os.path.basename(program)} gave more sound than a prompt can have")
    try:
        return telephone(*samples_from_wav(os.pread(output, size, 0)))
    except WavError as error:
        raise VoiceError(f"{os.path.basename(program)} gave no sound: {error}") from error
