"""Linphone's console program, as a softphone."""

import os
import time
from pathlib import Path
from typing import Self

from tests.phones.softphones import PATIENCE, Program, free_port, pcm_of


class Linphone:
    """Linphone's console program."""

    _STATES = {
        "ringing": ("Receiving new incoming call",),
        "talking": ("Media streams established", "streams running"),
        "over": ("ended", "error."),
    }

    def __init__(
        self, folder: Path, *, says: Path, encryption: str = "none", opus: bool = False, more: str = ""
    ) -> None:
        """`encryption`: "none" or "srtp". `opus`: whether it speaks Opus too, which it then prefers. `more`: lines of
        the [sip] section."""
        (folder / ".local/share/linphone").mkdir(parents=True)
        self.port = free_port()
        self._record = folder / "heard.wav"
        self._rate = 48_000 if opus else 8_000
        self._seen = 0
        (folder / "linphonerc").write_text(
            f"[sip]\nsip_port={self.port}\nsip_tcp_port={self.port + 1}\nsip_tls_port=-1\nguess_hostname=0\n"
            f'contact="Caller" <sip:caller@127.0.0.1>\nmedia_encryption={encryption}\n{more}[net]\nmtu=0\n'
            f"[audio_codec_0]\nmime=opus\nrate=48000\nchannels=2\nenabled={int(opus)}\n"
            "[sound]\nechocancellation=0\n[video]\nautomatically_initiate=0\nautomatically_accept=0\n",
            encoding="utf-8",
        )
        env = {**os.environ, "HOME": str(folder)}
        self._process = Program(["linphonec", "-c", str(folder / "linphonerc")], env)
        # Its stack comes up about a second after its prompt, without telling.
        self._order("ipv6 disable")
        self._process.await_line("ipv6 use disabled")
        time.sleep(1.5)
        self._order("soundcard use files")
        self._order(f"play {says}")
        self._order(f"record {self._record}")

    def _order(self, words: str) -> None:
        assert self._process.process.stdin is not None
        self._process.process.stdin.write(words + "\n")
        self._process.process.stdin.flush()
        time.sleep(0.3)  # it takes one line at a time and drops what comes faster

    def register(self, identity: str, server: str, password: str) -> None:
        """Set up an account, and ask until the phone says that it is registered."""
        self._order(f"register {identity} {server} {password}")
        until = time.monotonic() + PATIENCE
        while not any("registered, identity" in line for line in self._process.lines):
            assert time.monotonic() < until, f"not registered: {self._process.lines[-5:]}"
            self._order("status register")

    def dial(self, address: str) -> None:
        """See Softphone."""
        self._order(f"call {address}")

    def accept(self) -> None:
        """See Softphone."""
        self._order("answer")

    def press(self, digit: str) -> None:
        """See Softphone."""
        self._order(digit)

    def hang_up(self) -> None:
        """See Softphone."""
        self._order("terminate")

    def await_state(self, state: str) -> None:
        """See Softphone."""
        self._seen = self._process.await_line(*self._STATES[state], start=self._seen)

    def heard(self) -> tuple[bytes, int]:
        """See Softphone; with the rate."""
        return pcm_of(self._record)[0], self._rate

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.end()
