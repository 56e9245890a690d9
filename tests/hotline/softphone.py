"""A telephone made of plain sockets: it calls or is called, talks G.711, and keeps every byte that reached it.

No SIP library has a hand in it, so what the hotline sends is seen as it is.
"""

import contextlib
import re
import secrets
import select
import socket
import threading
import time
from typing import Self

from tests.hotline.sip_text import Dialog, answer, cseq, header, new_branch
from tests.hotline.softphone_media import FRAME_S, Handset


class Softphone(Handset):
    """One call at a time. `policy` says what happens to calls that come in: "busy", "ring", "answer", "moved",
    "silent"."""

    def __init__(self, *, port: int = 0, policy: str = "busy") -> None:
        super().__init__()
        self.policy = policy
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind(("127.0.0.1", port))
        self.port = int(self.sip.getsockname()[1])
        self.received: list[bytes] = []
        self.sent: list[bytes] = []
        self.messages: list[tuple[float, str]] = []
        self.moved_to = ""
        self.dialog: Dialog | None = None
        self._asked: Dialog | None = None
        self._invite = ""
        self._source = ("127.0.0.1", 0)
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up and be gone."""
        with contextlib.suppress(AssertionError):
            self.hang_up()
        self._stop.set()
        self._thread.join(timeout=3)
        self.sip.close()
        self.rtp.close()

    # Calling ------------------------------------------------------------------------------------------------------

    def dial(
        self, port: int, *, user: str = "+12025550142", name: str = "", headers: str = "", sdp: str = "",
        to: str = "hotline",
    ) -> None:  # fmt: skip
        """Send an INVITE; `status` tells what became of it."""
        display = f'"{name}" ' if name else ""
        self.dialog = Dialog(
            call_id=secrets.token_hex(8),
            local=f"{display}<sip:{user}@127.0.0.1>;tag={secrets.token_hex(4)}",
            remote=f"<sip:{to}@127.0.0.1>",
            peer=("127.0.0.1", port),
            called=to,
        )
        self.heard.clear()
        self.request("INVITE", sdp or self.sdp(), headers=headers, user=user)

    def call(self, port: int, **arguments: str) -> None:
        """Dial, and be answered."""
        self.dial(port, **arguments)
        assert self.status("INVITE") == 200

    def request(
        self, method: str, body: str = "", *, headers: str = "", kind: str = "application/sdp", user: str = "caller"
    ) -> None:
        """One request of the call."""
        dialog = self._asked = self._dialog()
        dialog.renumber(method)
        kind_line = f"Content-Type: {kind}\r\n" if body else ""
        text = dialog.request(method, body, port=self.port, user=user, headers=headers + kind_line)
        self._send(text, dialog.peer)

    def status(self, method: str, timeout: float = 6.0) -> int:
        """The final status of the newest request of this method, even where the other end hung up right after it."""
        dialog = self.dialog or self._asked
        assert dialog is not None, "nothing was asked"
        wanted = re.compile(rf"^CSeq:\s*{dialog.cseq} {method}\s*$", re.MULTILINE)

        def final(text: str) -> bool:
            ours = dialog.call_id in text
            return ours and text.startswith("SIP/2.0 ") and text[8] >= "2" and bool(wanted.search(text))

        return int(self.await_message(final, f"answer to {method}", timeout)[1][8:11])

    def answer_text(self, method: str) -> str:
        """The newest answer to a method."""
        return next(
            text for _, text in reversed(self.messages) if text.startswith("SIP/2.0") and f" {method}" in cseq(text)
        )

    def hang_up(self) -> None:
        """BYE, where there is a call; its answer is waited for."""
        if self.dialog is not None and self.remote_rtp:
            self.request("BYE")
            self.remote_rtp = 0
            assert self.status("BYE", 3) in (200, 481)
        self.dialog = None

    def cancel(self) -> None:
        """Give up a call that was not answered."""
        self.request("CANCEL")

    def forsake(self) -> None:
        """Forget a call whose other end died."""
        self.dialog, self.remote_rtp = None, 0

    def answered_within(self, seconds: float) -> bool:
        """Whether the call is answered, with the INVITE repeated meanwhile as telephones do (RFC 3261, 17.1.1.2)."""
        invite, until = self.sent[-1], time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(AssertionError):
                return self.status("INVITE", 0.5) == 200
            self.sip.sendto(invite, self._dialog().peer)
        return False

    # Being called -------------------------------------------------------------------------------------------------

    def pick_up(self) -> None:
        """Answer the call that rings."""
        self._answer(self._invite, 200, self.sdp())

    def await_request(self, method: str, timeout: float = 6.0, since: float = 0.0) -> float:
        """Wait until a request of this method came, `since` a time; when it came."""
        return self.await_message(lambda text: text.startswith(method + " "), method, timeout, since)[0]

    def await_message(self, wanted: object, what: str, timeout: float, since: float = 0.0) -> tuple[float, str]:
        """Wait for a message."""
        assert callable(wanted)
        until = time.monotonic() + timeout
        with self._changed:
            while True:
                found = [one for one in self.messages if one[0] >= since and wanted(one[1])]
                if found:
                    return found[-1]
                left = until - time.monotonic()
                came = [text.partition("\r\n")[0] for _, text in self.messages]
                assert left > 0, f"no {what} in {timeout} s; came: {came}"
                self._changed.wait(left)

    def count(self, method: str) -> int:
        """Requests of this method so far, each once however often it was repeated."""
        found = [text for _, text in self.messages if text.startswith(method + " ")]
        return len({(header(text, "Call-ID"), cseq(text)) for text in found})

    def forget(self) -> None:
        """Hang up, and forget what came."""
        self.hang_up()
        self.hush()
        for kept in (self.received, self.sent, self.messages, self.heard):
            kept.clear()

    # Sockets ------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        tick = time.monotonic()
        while not self._stop.is_set():
            ready, _, _ = select.select([self.sip, self.rtp], [], [], max(0.0, tick - time.monotonic()))
            for one in ready:
                with contextlib.suppress(ConnectionError):
                    self._take(one, *one.recvfrom(65535))
            if time.monotonic() >= tick:
                tick += FRAME_S
                self.tick()

    def _take(self, one: socket.socket, data: bytes, source: tuple[str, int]) -> None:
        self.received.append(data)
        now = time.monotonic()
        if one is self.rtp:
            self.hear(data, now)
            return
        text = data.decode(errors="replace")
        if text.startswith("SIP/2.0"):
            self._answered(text)
        elif text.strip():
            self._requested(text, source)
        with self._changed:
            self.messages.append((now, text))
            self._changed.notify_all()

    def _answered(self, text: str) -> None:
        if self.dialog is None or self.dialog.call_id not in text or " INVITE" not in cseq(text) or text[8] < "2":
            return
        number = int(cseq(text).split()[0])
        if number in self.dialog.sent:
            self._send(self.dialog.sent[number], self.dialog.peer)
            return
        if text.startswith("SIP/2.0 200"):
            self.connect(text)
            self.dialog.learn(text, caller=True)
        self.dialog.remote = header(text, "To")
        # The ACK of a refusal belongs to the transaction of the INVITE (RFC 3261, section 17.1.1.3).
        branch = self.dialog.branch if text[8] != "2" else new_branch()
        self.dialog.sent[number] = self.dialog.ack(number, branch, port=self.port)
        self._send(self.dialog.sent[number], self.dialog.peer)

    def _requested(self, text: str, source: tuple[str, int]) -> None:
        method = text.split(" ", 1)[0]
        self._source = source
        if method == "INVITE":
            self._invited(text)
        elif method == "CANCEL":
            self._answer(text, 200)
            self._answer(self._invite, 487)
        elif method == "BYE":
            self.remote_rtp = 0
            self.dialog = None
            self._answer(text, 200)
        elif method != "ACK":
            self._answer(text, 200)

    def _invited(self, text: str) -> None:
        self._invite = text
        if ";tag=" in header(text, "To"):
            self._answer(text, 200, self.sdp())
        elif self.policy == "moved":
            self._answer(text, 302, headers=f"Contact: <{self.moved_to}>\r\n")
        elif self.policy in ("ring", "answer"):
            self._answer(text, 180)
            if self.policy == "answer":
                self.pick_up()
        elif self.policy == "busy":
            self._answer(text, 486)

    def _answer(self, request: str, code: int, body: str = "", *, headers: str = "") -> None:
        if code == 200 and " INVITE" in cseq(request):
            self.hush()
            self.connect(request)
            self.dialog = Dialog(
                call_id=header(request, "Call-ID"),
                local=header(request, "To").split(";tag=")[0] + ";tag=desk",
                remote=header(request, "From"),
                peer=self._source,
            )
            self.dialog.learn(request, caller=False)
        self._send(answer(request, code, body, port=self.port, headers=headers), self._source)

    def _send(self, text: str, to: tuple[str, int]) -> None:
        self.sent.append(text.encode())
        self.sip.sendto(text.encode(), to)

    def _dialog(self) -> Dialog:
        assert self.dialog is not None, "there is no call"
        return self.dialog
