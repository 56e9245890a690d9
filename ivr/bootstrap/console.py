"""The web API as a part of the hotline: its process, and what that says of itself."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from ivr.bootstrap.places import Places
from ivr.supervise import Part

POLL_SECONDS = 0.3
STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSign:
    """What the console says of itself."""

    pid: int
    """Its process id."""
    address: str
    """Where the API is, for example "http://127.0.0.1:8080"; empty where it is not served."""
    problem: str
    """Why it is not, in one sentence; empty where it is."""


def console_part(where: Places) -> Part:
    """The process."""
    return Part(
        name="console",
        argv=(sys.executable, "-m", "console"),
        order=8,
        stop_seconds=STOP_SECONDS,
        folder=str(where.root),
    )


def sign_of(where: Places) -> ConsoleSign | None:
    """What a living console says; None where there is none."""
    try:
        said = json.loads((where.run / "console.json").read_text(encoding="utf-8"))
        scheme, host = ("https" if said.get("tls") else "http"), str(said.get("host", ""))
        found = ConsoleSign(
            pid=int(said["pid"]),
            address=f"{scheme}://{f'[{host}]' if ':' in host else host}:{int(said['port'])}" if host else "",
            problem=str(said.get("problem", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if Path(f"/proc/{found.pid}").exists() else None


async def tell_console(settings: Settings, where: Places, tell: Callable[[str], None]) -> None:
    """Tell where the API is, or why not, and every change of that, until cancelled."""
    told = ""
    while settings.console.enabled:
        sign = await asyncio.to_thread(sign_of, where)
        now = "" if sign is None else sign.problem or f"the API is served on {sign.address}"
        if now and now != told:
            tell(now)
            told = now
        await asyncio.sleep(POLL_SECONDS)
