"""`triageline top` and `triageline logs`: what goes on, for a person at a terminal or a script. Only reads."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from config.settings import Settings
from ivr.bootstrap.console import sign_of
from ivr.bootstrap.places import Places, places
from ivr.watch import live
from ivr.watch.logs import escape
from ivr.watch.table import AgentSeen, Seen, draw
from routing.agents import load_agents
from routing.port import PresenceUnavailable
from routing.processes import redis_command
from routing.store import AgentStore

REFRESH_SECONDS = 1.0
GONE_SECONDS = 60.0
"""How long a worker that died is shown."""
CALL_ID = re.compile(r"[a-z]{14}")
NOT_RUNNING = "the hotline is not running here; start it with scripts/run"
Out = Callable[[str], None]


class NothingRuns(Exception):
    """There is nothing to look at; one sentence says so."""


def top(settings: Settings, *, once: bool, as_json: bool) -> int:
    """The live table until Ctrl-C; one look where `once`, or where nobody looks at a terminal. Raises NothingRuns,
    AgentsRefused."""
    where, console = places(settings), Console()
    seen = asyncio.run(look(where, api=settings.console.enabled))
    if as_json:
        print(json.dumps(asdict(seen)))
    elif once or not console.is_terminal:
        console.print(draw(seen, console.width))
    else:
        _go_on(where, console, seen, api=settings.console.enabled)
    return 0


def _go_on(where: Places, console: Console, seen: Seen, *, api: bool) -> None:
    with (
        suppress(KeyboardInterrupt),
        Live(draw(seen, console.width), console=console, screen=True, auto_refresh=False) as screen,
    ):
        while True:
            time.sleep(REFRESH_SECONDS)
            try:
                drawn = draw(asyncio.run(look(where, api=api)), console.width)
            except NothingRuns as nothing:  # perhaps it starts again
                drawn = Text(str(nothing), style="bold red")
            screen.update(drawn, refresh=True)


async def look(where: Places, *, api: bool = False) -> Seen:
    """The hotline at this moment; `api`: whether the web API should be there. Raises NothingRuns, AgentsRefused."""
    now = time.time()
    workers = [one for one in live.read(where.run) if one["alive"] or now - one["at"] < GONE_SECONDS]
    if not any(one["alive"] for one in workers):
        raise NothingRuns(NOT_RUNNING)
    sign = await asyncio.to_thread(sign_of, where) if api else None
    said = (sign.problem or f"served on {sign.address}") if sign else "does not run"
    return Seen(
        workers=workers, agents=await _agents(where), now=now, api=said if api else "",
        api_good=sign is not None and not sign.problem,
    )  # fmt: skip


async def _agents(where: Places) -> tuple[AgentSeen, ...]:
    roster = load_agents(where.agents)
    store = AgentStore(redis_command(where.run / "redis", where.run).url)
    try:
        said, holders = await store.look([one.id for one in roster.agents])
    except PresenceUnavailable:
        return tuple(AgentSeen(id=one.id, presence="unknown", call="") for one in roster.agents)
    finally:
        await store.close()
    known = {**dict.fromkeys((one.id for one in roster.agents), "available"), **roster.presence, **said}
    return tuple(
        AgentSeen(id=one.id, presence=str(known[one.id]), call=holders.get(one.id, "").partition("@")[0])
        for one in roster.agents
    )


def logs(settings: Settings, *, call: str, follow: bool, out: Out) -> int:
    """The workers' log lines by time, of one call where `call` is not empty; with `follow` what is added as well, until
    Ctrl-C. Raises NothingRuns where there are no logs."""
    folder = places(settings).log
    files = sorted(folder.glob("worker*.log"))
    if not files:
        raise NothingRuns(f"there are no logs in {folder} yet; start the hotline with scripts/run")
    heads: dict[Path, int] = {file: file.stat().st_size for file in files}
    older = sorted(file for file in folder.glob("worker*.log.*") if file.suffix[1:].isdigit())
    records = [record for file in (*older, *files) for record in _records(file.read_text("utf-8", "replace"))]
    for record in sorted(records, key=_when):
        _show(record, call, out)
    with suppress(KeyboardInterrupt):
        while follow:
            time.sleep(REFRESH_SECONDS / 2)
            _show_new(folder, heads, call, out)
    return 0


def _show_new(folder: Path, heads: dict[Path, int], call: str, out: Out) -> None:
    for file in sorted(folder.glob("worker*.log")):
        size, begin = file.stat().st_size, heads.get(file, 0)
        if size < begin:
            begin = 0  # a new file took its place
        if size == begin:
            continue
        with file.open("rb") as opened:
            opened.seek(begin)
            added = opened.read(size - begin)
        whole = added[: added.rfind(b"\n") + 1]  # a line that is being written is shown when it is whole
        heads[file] = begin + len(whole)
        for record in _records(whole.decode("utf-8", "replace")):
            _show(record, call, out)


def _records(text: str) -> Iterator[str]:
    """Records with the traceback lines that belong to them."""
    record = ""
    for line in text.splitlines():
        if record and line.startswith(" "):
            record += "\n" + line
            continue
        if record:
            yield record
        record = line
    if record:
        yield record


def _when(record: str) -> str:
    """Time of a record; text and JSON begin with it, each in its own form."""
    found = re.search(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.]\d{3}", record[:60])
    return found[0].replace("T", " ").replace(".", ",") if found else ""


def _show(record: str, call: str, out: Out) -> None:
    if not call or re.search(rf"\b{re.escape(call)}\b", record):
        for line in record.split("\n"):
            out(escape(line))
