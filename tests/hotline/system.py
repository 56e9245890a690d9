"""What the operating system shows of a hotline from outside: its processes and the ports that it holds."""

import os
import re
import secrets
import socket
from pathlib import Path


def free_port() -> int:
    """A port that is free for UDP and TCP, outside the ranges from which others take theirs."""
    for port in range(61_000 + os.getpid() % 4_000, 65_500):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            try:
                udp.bind(("127.0.0.1", port))
                tcp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


def own_loopback() -> str:
    """An address of this machine that nobody else has in use, so that every port of it is free."""
    return f"127.{secrets.randbelow(250) + 2}.{secrets.randbelow(254)}.{secrets.randbelow(250) + 2}"


def listens(port: int) -> bool:
    """Whether somebody takes TCP connections on this port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def udp_ports(pid: int) -> set[int]:
    """UDP ports that a process holds."""
    inodes = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(file))
        except FileNotFoundError:
            continue
        if found:
            inodes.add(found.group(1))
    lines = [line.split() for line in Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]]
    return {int(line[1].split(":")[1], 16) for line in lines if line[9] in inodes}


def command_line(pid: int) -> str:
    """A process's program and its arguments."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def marked_processes(marker: str) -> list[str]:
    """Command line of every process with this NAME=VALUE in its environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(command_line(int(folder.name)))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found
