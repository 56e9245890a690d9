# Size: one self-contained attacker; its mutations, its good caller and its figures belong together.
"""Mutated SIP messages against a running hotline: `python -m scripts.bench.attack --target 127.0.0.1:5060`.

Loopback only, bounded in number. The mutations are our own (bytes, lines, fields, lengths), from our own seeds and a
seeded generator, so a run can be repeated. While they are sent, good requests are sent from 127.0.0.1 and timed.

--worker attacks a worker's own port instead of the edge's; --sipvicious adds the scanners svmap and svwar.
"""

import argparse
import contextlib
import ipaddress
import os
import random
import re
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0 8 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)
METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "INFO", "UPDATE", "MESSAGE", "SUBSCRIBE", "NOTIFY",
           "REFER", "PRACK", "PUBLISH", "FOO")  # fmt: skip
ODD = (b"\x00", b"\xff\xfe", b"%s%n%x", b"-1", b"0", b"4294967296", b"99999999999999999999", b"\r\n", b"\r\n\r\n",
       b"\n ", b"<", b">", b'"', b";", b",", b"=", b"@", b":", b"//", b"\\", b"\t", b"A" * 300, b"[::1]", b"sip:" * 40,
       "ü".encode(), b"' OR 1=1", b"\x1b[31m", b"$(id)", b"{s.md5}", b"$var(x)")  # fmt: skip
PROOF = (
    'Authorization: Digest username="nurse-1", realm="triageline", nonce="1.2.3", uri="sip:x", response="00", '
    'algorithm=MD5, cnonce="1", qop=auth, nc=00000001\r\nExpires: 60\r\n'
)
GOOD_EVERY = 250
ANSWER_SECONDS = 3.0


@dataclass(slots=True)
class Times:
    """How long good requests took."""

    options: list[float] = field(default_factory=list)
    """Seconds from OPTIONS to its answer."""
    invite: list[float] = field(default_factory=list)
    """Seconds from INVITE to its final answer."""
    lost: int = 0
    """Good requests without an answer in time."""


def message(method: str, target: str, port: int, body: str = "", more: str = "") -> str:
    """A sound request."""
    unique = secrets.token_hex(6)
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"{method} sip:hotline@{target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{unique};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: \"somebody\" <sip:+12025550142@127.0.0.1>;tag={unique}\r\n"
        f"To: <sip:hotline@{target}>\r\nCall-ID: {unique}\r\nCSeq: 1 {method}\r\n"
        f"Contact: <sip:caller@127.0.0.1:{port}>\r\n{more}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
    )


def seeds(target: str, port: int) -> list[bytes]:
    """What is mutated: one request of each method, and some with more in them."""
    found = [message(method, target, port, SDP if method in ("INVITE", "UPDATE") else "") for method in METHODS]
    found += [
        message("INVITE", target, port),
        message("INVITE", target, port, SDP, "Record-Route: <sip:127.0.0.1;lr>\r\nRoute: <sip:127.0.0.1;lr>\r\n"),
        message("INVITE", target, port, SDP, "Session-Expires: 90;refresher=uac\r\nSupported: timer,100rel\r\n"),
        message("INVITE", target, port, SDP, "Replaces: a;to-tag=b;from-tag=c\r\nRequire: replaces\r\n"),
        message("REGISTER", target, port, "", PROOF),
        message("INVITE", target, port, SDP).replace("Content-Length", "l").replace("Call-ID", "i"),
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:x@127.0.0.1>\r\n"
        "Content-Length: 0\r\n\r\n",
    ]  # fmt: skip
    return [one.encode() for one in found]


def mutated(seed: bytes, rng: random.Random) -> bytes:
    """One to four changes; unique where the dialog's names stand, so that no transaction swallows it."""
    data = seed.replace(b"z9hG4bK", b"z9hG4bK%08x" % rng.getrandbits(32), 1)
    data = re.sub(rb"(?m)^(Call-ID|i): \w+", rb"\1: %012x" % rng.getrandbits(48), data, count=1)
    for _ in range(rng.randint(1, 4)):
        data = rng.choice(CHANGES)(data, rng)
    return data[:60_000]


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[min(len(data), start + rng.randint(1, 80)) :]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(ODD) * rng.choice((1, 1, 1, 2, 30)) + data[at:]


def _line(data: bytes, rng: random.Random) -> bytes:
    """Repeat, drop, swap or fold a line."""
    lines = data.split(b"\r\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            lines[one:one] = [lines[other]] * rng.choice((1, 2, 50))
        case 1:
            del lines[one]
        case 2:
            lines[one], lines[other] = lines[other], lines[one]
        case _:
            lines[one] = lines[one].replace(b" ", b"\r\n ", 1)
    return b"\r\n".join(lines)


def _field(data: bytes, rng: random.Random) -> bytes:
    """Another value for a header."""
    lines = data.split(b"\r\n")
    one = rng.randrange(len(lines))
    name, colon, value = lines[one].partition(b":")
    other = rng.choice((value, b" ", b" " + rng.choice(ODD), value * 20))
    lines[one] = name + rng.choice((colon, b" :", b"::", b"")) + other
    return b"\r\n".join(lines)


def _number(data: bytes, rng: random.Random) -> bytes:
    """Another number somewhere."""
    found = list(re.finditer(rb"\d+", data))
    if not found:
        return data
    one = rng.choice(found)
    number = rng.choice((b"0", b"-1", b"65536", b"2147483648", b"18446744073709551616", b"%d" % rng.getrandbits(16)))
    return data[: one.start()] + number + data[one.end() :]


CHANGES = (_flip, _cut, _insert, _line, _field, _field, _number)


class Good:
    """A phone that asks politely."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = int(self.sock.getsockname()[1])
        self.target = target
        self.times = Times()

    def ask(self, method: str) -> int:
        """Send and time one request; its status, 0 without an answer."""
        where = f"{self.target[0]}:{self.target[1]}"
        text = message(method, where, self.port, SDP if method == "INVITE" else "")
        call = re.search(r"Call-ID: (\w+)", text)
        assert call is not None
        began = time.monotonic()
        answer = self._final(text, call.group(1), began)
        if not answer:
            self.times.lost += 1
            return 0
        (self.times.invite if method == "INVITE" else self.times.options).append(time.monotonic() - began)
        if method == "INVITE":
            self._end(text, answer)
        return int(answer[8:11])

    def _final(self, text: str, call: str, began: float) -> str:
        """The final answer; repeated every half second, as phones do."""
        until = began + ANSWER_SECONDS
        while time.monotonic() < until:
            self.sock.sendto(text.encode(), self.target)
            self.sock.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                while True:
                    answer = self.sock.recv(65535).decode(errors="replace")
                    if call in answer and answer.startswith("SIP/2.0 ") and answer[8] >= "2":
                        return answer
        return ""

    def _end(self, invite: str, answer: str) -> None:
        """ACK, and BYE where there is a call."""
        to = re.search(r"^To: *(.*?)\r$", answer, re.MULTILINE)
        contact = re.search(r"^Contact: *<([^>]*)>", answer, re.MULTILINE)
        routes = "".join(f"Route: {one}\r\n" for one in reversed(re.findall(r"^Record-Route: *(.*?)\r$", answer, re.M)))
        call, head = answer[8] == "2" and contact is not None, invite.partition("\r\n")[2]
        head = head.partition("Contact:")[0]
        head = re.sub(r"^To: .*\r$", f"To: {to.group(1) if to else ''}\r", head, flags=re.MULTILINE)
        uri = contact.group(1) if call and contact else invite.split(" ", 2)[1]
        for number, method in ((1, "ACK"), (2, "BYE")):
            if method == "BYE" and not call:
                return
            text = head.replace("1 INVITE", f"{number} {method}")
            if call:
                text = text.replace("z9hG4bK", f"z9hG4bK{method}", 1)
            whole = f"{method} {uri} SIP/2.0\r\n{routes if call else ''}{text}Content-Length: 0\r\n\r\n"
            self.sock.sendto(whole.encode(), self.target)


def listeners(port: int) -> list[int]:
    """Processes whose memory is watched: those that hold the UDP port."""
    inodes = {
        line.split()[9]
        for line in Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]
        if int(line.split()[1].split(":")[1], 16) == port
    }
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            held = {os.readlink(one) for one in (folder / "fd").iterdir()}
            if any(f"socket:[{inode}]" in held for inode in inodes):
                found.append(int(folder.name))
    return sorted(found)


def memory(pids: list[int]) -> float:
    """Their resident memory, shared pages counted by share, MiB."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
                total += int(line.split()[1]) if line.startswith("Pss:") else 0
    return total / 1024


def attack(args: argparse.Namespace, target: tuple[str, int], good: Good) -> Iterator[int]:
    """Send everything; yields the number sent after each lot."""
    rng = random.Random(args.seed)
    where = f"{target[0]}:{target[1]}"
    socks = []
    for source in args.sources:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((source, 0))
        one.setblocking(False)
        socks.append((one, seeds(where, int(one.getsockname()[1]))))
    for number in range(args.count):
        sock, own = socks[number % len(socks)]
        with contextlib.suppress(OSError):
            sock.sendto(mutated(rng.choice(own), rng), target)
            while sock.recv(65535):
                continue
        if number % GOOD_EVERY == GOOD_EVERY - 1:
            good.ask("OPTIONS")
            if number % (GOOD_EVERY * 4) == GOOD_EVERY * 4 - 1:
                good.ask("INVITE")
            yield number + 1
        elif number % 50 == 49:
            time.sleep(50 / args.rate)


def figures(name: str, seconds: list[float]) -> str:
    """p50, p95, p99 in milliseconds."""
    if len(seconds) < 2:
        return f"{name}: too few answers"
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    p50, p95, p99 = (cuts[at] * 1000 for at in (49, 94, 98))
    return f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms ({len(seconds)})"


def scanners(target: tuple[str, int]) -> None:
    """sipvicious: find phones, guess extensions; bounded by time."""
    where = f"udp://{target[0]}:{target[1]}"
    for name, words in (("svmap", ["-p", str(target[1]), target[0]]), ("svwar", ["-e100-160", "-m", "INVITE", where])):
        program = Path(sys.executable).with_name(f"sipvicious_{name}")
        if not program.exists():
            print("sipvicious is not installed: it comes with scripts/setup --dev")
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run([program, *words], capture_output=True, text=True, timeout=25, check=False)
            lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            print(f"{name}: {lines[-1] if lines else 'found nothing'}")


def parser() -> argparse.ArgumentParser:
    """Command line."""
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    top.add_argument("--target", default="127.0.0.1:5060", help="the edge, host:port; loopback only")
    top.add_argument("--worker", metavar="HOST:PORT", help="attack this worker's own port instead")
    top.add_argument("--count", type=int, default=100_000, help="messages (default 100000)")
    top.add_argument("--rate", type=int, default=2000, help="messages a second at most (default 2000)")
    top.add_argument("--seed", type=int, default=1)
    top.add_argument("--sources", nargs="+", default=["127.0.0.1"], help="send from these (default 127.0.0.1: known)")
    top.add_argument("--sipvicious", action="store_true", help="run svmap and svwar afterwards")
    return top


def main() -> int:
    """0 where everything still works and memory is flat."""
    args = parser().parse_args()
    host, _, port = (args.worker or args.target).partition(":")
    if not port.isdigit() or not ipaddress.ip_address(host).is_loopback or args.count > 1_000_000:
        print("error: only loopback is attacked, at host:port, with at most a million messages", file=sys.stderr)
        return 2
    target = (host, int(port))
    pids = listeners(target[1])
    if not pids:
        print(f"error: nobody listens on {host}:{port}; start the hotline first", file=sys.stderr)
        return 2
    good = Good(target)
    before = memory(pids)
    for sent in attack(args, target, good):
        if sent % 10_000 == 0:
            print(f"  {sent} sent, {memory(pids):.1f} MiB, {good.times.lost} good requests lost", flush=True)
    if args.sipvicious:
        scanners(target)
    time.sleep(2)
    alive = listeners(target[1]) == pids
    last = good.ask("INVITE")
    after = memory(pids)
    print(f"alive, same processes: {'yes' if alive else 'NO'}")
    print(f"next good call: {last or 'no answer'}")
    print(f"memory: {before:.1f} MiB before, {after:.1f} MiB after")
    print(figures("OPTIONS", good.times.options))
    print(figures("INVITE", good.times.invite))
    print(f"good requests lost: {good.times.lost}")
    return 0 if alive and last in (200, 486, 503) else 1


if __name__ == "__main__":
    sys.exit(main())
