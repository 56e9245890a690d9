"""`triageline calls tapes` and `triageline calls replay`: recordings for test, and what the present version makes of
them.

A replay has a dialogue of its own: one that runs may be older than the program, and its callers must not wait.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from asr_models.pool import DecodePool
from config.settings import Settings
from dialogs.fallback import FallbackDialogue
from dialogs.rasa_http import RasaDialogue
from dialogs.stack import RasaStack, StackFailed
from ivr.bootstrap.doors import DECODE_THREADS, make_menu, make_prompts, open_ears, open_tapes
from ivr.bootstrap.places import Places, places, prepare
from ivr.bootstrap.work import RASA_TOKEN
from ivr.replay import folder, show
from ivr.replay.compare import Verdict, as_data
from ivr.replay.run import Parts, replay
from ivr.replay.tape import Tape, TapeError, decode
from ivr.voices.silent import SilentVoice
from ivr.worker import new_call_id
from records.keys import keys_from_folder
from records.port import TapeLine, TapesUnavailable
from records.show import escape
from records.tapes import FileTapes
from routing.processes import find_redis

TURN_SECONDS = 8.0
"""Longest wait for a turn: longer than in a call, for a slow machine must not change what is said."""
NICENESS = 5
"""Calls in progress go first."""
PATIENCE = 300.0
"""Seconds until the dialogue must answer: beside a busy hotline it starts slowly."""
ALARM = 1
NO_SUCH = 'there is no recording with this id; "triageline calls tapes list" shows the ids'

Told = Callable[[str], None]


class Running(Protocol):
    """A dialogue that answers."""

    @property
    def url(self) -> str:
        """Its base address."""
        ...

    @property
    def token(self) -> str:
        """What it asks for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A dialogue that somebody else started."""

    url: str
    """Base address, on this machine."""
    token: str
    """Rasa's token."""


class ReplayRefused(Exception):
    """It cannot be done; one sentence for the operator."""


def tapes(settings: Settings, args: argparse.Namespace) -> int:
    """`calls tapes list | remove`. Raises ReplayRefused."""
    kept = _open(settings)
    if args.tapes == "list":
        print(_listing(kept.list(), on=settings.records.tapes))
        return 0
    try:
        kept.remove(args.call)
    except KeyError:
        raise ReplayRefused(NO_SUCH) from None
    print("removed")
    return 0


def run(settings: Settings, args: argparse.Namespace) -> int:
    """`calls replay`. 1 where a call has become less safe. Raises ReplayRefused and the rooms' errors."""
    if args.all == bool(args.call):
        raise ReplayRefused('name one call or folder, or say "--all"')
    if args.since and not args.all:
        raise ReplayRefused("--since goes with --all")
    if args.export:
        return _export(settings, args)
    wanted = _wanted(settings, args)
    if not wanted:
        print("there is no recording to replay")
        return 0
    if args.json and not args.json.parent.is_dir():
        raise ReplayRefused(f"there is no folder {args.json.parent} for {args.json.name}")
    verdicts = asyncio.run(_replay_all(settings, wanted, args.late, _elsewhere(args.dialogue), _tell))
    if args.json:
        args.json.write_text(as_json(verdicts), encoding="utf-8")
    _print(show.render_table(verdicts) if args.all else _one(*verdicts[0]))
    return exit_code(verdicts)


def as_json(verdicts: Sequence[tuple[str, Verdict | str]]) -> str:
    """Everything that was compared; the same verdicts give the same bytes."""
    return json.dumps({"calls": [_data(name, one) for name, one in verdicts]}, indent=1, sort_keys=True) + "\n"


def exit_code(verdicts: Sequence[tuple[str, Verdict | str]]) -> int:
    """1 where a call has become less safe, or could not be looked at."""
    return 0 if all(isinstance(one, Verdict) and one.safe for _, one in verdicts) else ALARM


def _open(settings: Settings) -> FileTapes:
    where = places(settings)
    prepare(where)
    return open_tapes(settings, where, keys_from_folder(where.keys))


def _listing(lines: Sequence[TapeLine], *, on: bool) -> str:
    state = "calls are being recorded for test" if on else "recording for test is off (records.tapes)"
    rows = [
        f"{datetime.fromtimestamp(one.started, UTC):%Y-%m-%d %H:%M:%S}  {one.size / 1000:>8.0f} kB  "
        f"{'whole' if one.whole else 'open ':<6} {escape(one.call)}"
        for one in lines
    ]
    return "\n".join([state, *rows, f"{len(lines)} recordings"])


Wanted = tuple[str, Callable[[], Tape]]


def _wanted(settings: Settings, args: argparse.Namespace) -> list[Wanted]:
    """Names and how to read them; a single one is read at once, so that a mistake is told before anything starts."""
    if args.all:
        kept = _open(settings)
        lines = [one for one in kept.list() if one.started >= args.since]
        return [(line.call, _reader(kept, line.call)) for line in reversed(lines)]
    tape = _named(settings, args.call)
    return [(Path(args.call).name, lambda: tape)]


def _named(settings: Settings, name: str) -> Tape:
    """A folder, or a recording by its id. Raises ReplayRefused."""
    try:
        if Path(name).is_dir():
            return folder.load(Path(name))
        return _reader(_open(settings), name)()
    except KeyError:
        raise ReplayRefused(NO_SUCH) from None
    except (TapeError, TapesUnavailable) as error:
        raise ReplayRefused(str(error)) from error


def _reader(kept: FileTapes, call: str) -> Callable[[], Tape]:
    return lambda: decode(kept.read(call))


def _export(settings: Settings, args: argparse.Namespace) -> int:
    if args.all or not args.synthetic:
        raise ReplayRefused(
            "--export writes a voice and its words in clear: it is for one call of a synthetic voice, "
            "which you must say with --i-know-this-is-synthetic"
        )
    try:
        folder.save(args.export, _named(settings, args.call))
    except FileExistsError:
        raise ReplayRefused(f"{args.export} already holds a call") from None
    print(f"written to {args.export}, in clear")
    return 0


def _elsewhere(url: str) -> Elsewhere | None:
    """The dialogue that is named; what callers said is sent to nobody outside this machine."""
    if not url:
        return None
    token = os.environ.get(RASA_TOKEN, "")
    if urlsplit(url).scheme != "http" or urlsplit(url).hostname not in ("127.0.0.1", "localhost") or not token:
        raise ReplayRefused(
            f"--dialogue takes http://127.0.0.1:PORT of a Rasa on this machine, and its token from {RASA_TOKEN}"
        )
    return Elsewhere(url=url, token=token)


async def _replay_all(
    settings: Settings, wanted: Sequence[Wanted], late: float, running: Running | None, tell: Told
) -> list[tuple[str, Verdict | str]]:
    where = places(settings)
    verdicts: list[tuple[str, Verdict | str]] = []
    opened = parts_with(settings, where, running, tell) if running else open_parts(settings, where, tell)
    async with opened as parts:
        for number, (name, read) in enumerate(wanted, 1):
            tell(f"{number} of {len(wanted)}: {name}")
            try:
                tape = await asyncio.to_thread(read)
                verdicts.append((name, await replay(tape, parts, new_call_id(), late=late)))
            except (TapeError, TapesUnavailable, KeyError) as error:
                verdicts.append((name, str(error)))
    return verdicts


@contextlib.asynccontextmanager
async def open_parts(settings: Settings, where: Places, tell: Told) -> AsyncIterator[Parts]:
    """The hotline of today without telephony, with a dialogue of its own. Raises ReplayRefused."""
    tell("a dialogue of the replay's own is starting; this takes about 20 seconds")
    stack = RasaStack(where.root, str(find_redis()), niceness=NICENESS, patience=PATIENCE, tell=tell)
    with _started(stack):
        await asyncio.to_thread(_start, stack)
        async with parts_with(settings, where, stack, tell) as parts:
            yield parts


@contextlib.asynccontextmanager
async def parts_with(settings: Settings, where: Places, stack: Running, tell: Told) -> AsyncIterator[Parts]:
    """The same over a dialogue that runs."""
    pool = DecodePool(threads=DECODE_THREADS)
    ears, recogniser = await open_ears(settings, where, pool)
    tell(f"recognition: {recogniser or 'none, callers are led by keys'}")
    rasa = RasaDialogue(stack.url, stack.token, seconds=TURN_SECONDS)
    menu = make_menu(where.root)
    try:
        yield Parts(
            ears=ears,
            voice=SilentVoice(),
            prompts=make_prompts(settings, where.root),
            talk=FallbackDialogue(rasa, menu, seconds=TURN_SECONDS + 0.5),
            keys=menu,
        )
    finally:
        await rasa.close()
        pool.close()


@contextlib.contextmanager
def _started(stack: RasaStack) -> Iterator[None]:
    """Ends the processes, whatever happened."""
    try:
        yield
    finally:
        stack.stop()


def _start(stack: RasaStack) -> None:
    try:
        stack.start()
    except StackFailed as error:
        raise ReplayRefused(
            f"the dialogue of the replay did not come up ({error.what}); run scripts/setup, or try again later"
        ) from error


def _one(name: str, verdict: Verdict | str) -> str:
    if isinstance(verdict, str):
        raise ReplayRefused(verdict)
    return show.render(name, verdict)


def _data(name: str, verdict: Verdict | str) -> dict[str, object]:
    return {"call": name, "not_replayed": verdict} if isinstance(verdict, str) else {"call": name, **as_data(verdict)}


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print(text: str) -> None:
    """Words of callers reach a terminal: nothing in them may move its cursor."""
    print("\n".join(escape(line) for line in text.rstrip("\n").split("\n")))
