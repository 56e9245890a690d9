"""Vendors' softphones from Debian's packages, driven as a user drives them: here baresip, by its control socket. They
speak from WAV files and keep what they hear in WAV files.
"""

import contextlib
import json
import os
import random
import socket
import subprocess
import threading
import time
import wave
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

MODULES = Path("/usr/lib/baresip/modules")
_PARTS = ("g711", "opus", "aubridge", "aufile", "sndfile", "srtp")
PATIENCE = 12.0


class Softphone(Protocol):
    """What a person does with a phone."""

    def dial(self, address: str) -> None:
        """Call somebody."""
        ...

    def accept(self) -> None:
        """Pick up."""
        ...

    def press(self, digit: str) -> None:
        """Press a key."""
        ...

    def hang_up(self) -> None:
        """End the call."""
        ...

    def await_state(self, state: str) -> None:
        """Wait for "ringing" (this phone rings), "talking" or "over"."""
        ...

    def heard(self) -> tuple[bytes, int]:
        """Everything heard so far in the newest call, mono s16le, and its rate in Hz."""
        ...


def free_port() -> int:
    """A UDP and TCP port on loopback whose next one is free too: phones take it for TLS."""
    for _ in range(100):
        port = random.SystemRandom().randrange(20_000, 60_000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for number in (port, port + 1):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    probe = held.enter_context(socket.socket(socket.AF_INET, kind))
                    probe.bind(("127.0.0.1", number))
            return port
    raise AssertionError("no free ports")


def write_tone(file: Path, hz: int, seconds: float) -> None:
    """A tone to be spoken by a phone."""
    at = np.arange(int(8000 * seconds)) / 8000
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes((np.sin(2 * np.pi * hz * at) * 9000).astype("<i2").tobytes())


def pcm_of(file: Path) -> tuple[bytes, int]:
    """Samples and rate of a WAV that may still be growing: its header's lengths are not believed, and Linphone writes
    the whole header last."""
    found = file.read_bytes() if file.exists() else b""
    place = found.find(b"data")
    rate = int.from_bytes(found[24:28], "little") or 8000
    return found[place + 8 if place > 0 else 44 :], rate


def strongest(pcm: bytes, rate: int, seconds: float = 1.0) -> tuple[int, float]:
    """Strongest frequency in Hz, and RMS, of the end of what was heard."""
    tail = np.frombuffer(pcm[: len(pcm) // 2 * 2][-int(rate * seconds) * 2 :], dtype="<i2").astype(float)
    if len(tail) < rate // 10:
        return 0, 0.0
    strength = np.abs(np.fft.rfft(tail * np.hanning(len(tail))))
    return int(np.argmax(strength) * rate / len(tail)), float(np.sqrt(np.mean(tail**2)))


class Program:
    """A phone's process and its lines."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.lines: list[str] = []
        self.news = threading.Condition()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env,
            errors="replace",
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.tell(line.rstrip())

    def tell(self, line: str) -> None:
        """Something was said."""
        with self.news:
            self.lines.append(line)
            self.news.notify_all()

    def await_line(self, *parts: str, start: int = 0) -> int:
        """Wait for a line with one of these texts; the number of the line after it."""
        until = time.monotonic() + PATIENCE
        with self.news:
            while True:
                for number, line in enumerate(self.lines[start:], start):
                    if any(part in line for part in parts):
                        return number + 1
                left = until - time.monotonic()
                assert left > 0, f"no {parts} in {PATIENCE} s: {self.lines[-25:]}"
                self.news.wait(left)

    def end(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


class Baresip:
    """baresip, by its control socket."""

    _STATES = {
        "ringing": ("CALL_INCOMING",),
        "talking": ("CALL_ESTABLISHED",),
        "over": ("CALL_CLOSED",),
    }

    def __init__(self, folder: Path, account: str, *, says: Path, more: str = "") -> None:
        """`account`: a line of baresip's accounts file, with {port} for the phone's own port. `more`: lines of its
        configuration."""
        folder.mkdir(parents=True)
        self.port, control = free_port(), free_port()
        self._heard = folder / "heard"
        self._heard.mkdir()
        self._seen = 0
        (folder / "accounts").write_text(account.format(port=self.port) + "\n", encoding="utf-8")
        (folder / "contacts").write_text("", encoding="utf-8")
        (folder / "config").write_text(self._config(says, control) + more, encoding="utf-8")
        self._process = Program(["baresip", "-f", str(folder), "-v"], dict(os.environ))
        self._process.await_line("baresip is ready")
        self._control = socket.create_connection(("127.0.0.1", control))
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _config(self, says: Path, control: int) -> str:
        parts = "".join(f"module {part}.so\n" for part in _PARTS)
        return (
            f"sip_listen 127.0.0.1:{self.port}\naudio_source aufile,{says}\naudio_player aubridge,none\n"
            "audio_alert aubridge,none\nausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\n"
            f"module_path {MODULES}\n{parts}module_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n"
            f"ctrl_tcp_listen 127.0.0.1:{control}\nsnd_path {self._heard}\n"
        )

    def await_registration(self) -> None:
        """Ask until the phone says that it is registered: it may have told so before anybody listened."""
        until = time.monotonic() + PATIENCE
        while not any("OK" in line and "User Agents" in line for line in self._process.lines):
            assert time.monotonic() < until, f"not registered: {self._process.lines[-5:]}"
            self._order("reginfo")
            time.sleep(0.3)

    def _listen(self) -> None:
        """Netstrings of JSON, each an event or an answer."""
        waiting = b""
        with contextlib.suppress(OSError):
            while came := self._control.recv(65_536):
                waiting += came
                while b":" in waiting:
                    size, _, rest = waiting.partition(b":")
                    if len(rest) <= int(size):
                        break
                    said: dict[str, Any] = json.loads(rest[: int(size)])
                    waiting = rest[int(size) + 1 :]
                    what = said.get("data") or said.get("param", "")
                    self._process.tell(f"event {said.get('type', '')} {' '.join(str(what).split())}")

    def _order(self, command: str, words: str = "") -> None:
        order = json.dumps({"command": command, "params": words, "token": "1"})
        self._control.sendall(f"{len(order)}:{order},".encode())

    def dial(self, address: str) -> None:
        """See Softphone."""
        self._order("dial", address)

    def accept(self) -> None:
        """See Softphone."""
        self._order("accept")

    def press(self, digit: str) -> None:
        """See Softphone."""
        self._order("sndcode", digit)

    def hold(self) -> None:
        """Put the call on hold (re-INVITE with sendonly)."""
        self._order("hold")

    def resume(self) -> None:
        """Take it back."""
        self._order("resume")

    def hang_up(self) -> None:
        """See Softphone."""
        self._order("hangup")

    def await_state(self, state: str) -> None:
        """See Softphone."""
        self._seen = self._process.await_line(*(f"event {one}" for one in self._STATES[state]), start=self._seen)

    def heard(self) -> tuple[bytes, int]:
        """See Softphone; with the rate."""
        files = sorted(self._heard.glob("*-dec.wav"), key=lambda file: file.stat().st_mtime)
        return pcm_of(files[-1]) if files else (b"", 8000)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.shutdown(socket.SHUT_RDWR)
        self._listener.join(5)
        self._control.close()
        self._process.end()
