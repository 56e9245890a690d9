"""`triageline`: argument parsing, and one clear sentence with exit code 2 for whatever is wrong."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ivr.bootstrap import commands
from ivr.bootstrap.masking import arguments as masking_arguments
from ivr.bootstrap.tasks import arguments as tasks_arguments
from ivr.bootstrap.tokens import arguments as tokens_arguments

BAD_INPUT = 2


def parser() -> argparse.ArgumentParser:
    """All commands."""
    top = argparse.ArgumentParser(prog="triageline", description="A medical phone hotline on your own machines.")
    top.add_argument("--config", type=Path, metavar="FILE", help="settings file (default: config/triageline.toml)")
    sub = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = sub.add_parser("up", help="start the hotline and keep it running until Ctrl-C")
    start.add_argument("--workers", type=_count, metavar="N", help="processes that take calls (default: the setting)")
    sub.add_parser("check", help="look at every part and say what to do")
    models = sub.add_parser("models", help="recognition models: list, install, remove, test, adapt", add_help=False)
    models.add_argument("rest", nargs=argparse.REMAINDER)
    calls = sub.add_parser("calls", help="records of calls").add_subparsers(dest="what", required=True, metavar="WHAT")
    listing = calls.add_parser("list", help="the newest calls")
    listing.add_argument("--limit", type=int, default=20, metavar="N")
    show = calls.add_parser("show", help="one call, event by event")
    show.add_argument("call", metavar="ID", help='id from "calls list"')
    _tapes(calls)
    _agents(sub)
    _callbacks(sub)
    _workers(sub)
    _looking(sub)
    masking_arguments(sub)
    tasks_arguments(sub)
    tokens_arguments(sub)
    sub.add_parser("warm", help="speak every fixed sentence once and keep it, so that the first caller does not wait")
    worker = sub.add_parser("worker")  # started by `up`
    worker.add_argument("--name", default="worker-1")
    worker.add_argument("--rasa-port", type=int, required=True)
    worker.add_argument("--redis", required=True)
    return top


def _agents(sub: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Who takes calls."""
    agents = sub.add_parser("agents", help="agents and their presence").add_subparsers(
        dest="what", required=True, metavar="WHAT"
    )
    agents.add_parser("list", help="every agent, presence and call")
    setting = agents.add_parser("set", help="change presence while the hotline runs")
    setting.add_argument("agent", metavar="AGENT")
    setting.add_argument("presence", choices=("available", "away"))
    password = agents.add_parser("password", help="make the password with which an agent's phone registers; shown once")
    password.add_argument("agent", metavar="AGENT")
    password.add_argument("--stdin", action="store_true", help="take it from standard input, one line")
    password.add_argument("--remove", action="store_true", help="the phone may register no more")


def _callbacks(sub: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Who is owed a call."""
    callbacks = sub.add_parser("callbacks", help="callbacks owed to callers").add_subparsers(
        dest="what", required=True, metavar="WHAT"
    )
    callbacks.add_parser("list", help="those not done, most urgent first")
    done = callbacks.add_parser("done", help="mark one as called")
    done.add_argument("id", metavar="ID")
    reveal = callbacks.add_parser("number", help="show the number to call; needs a reason and is written to the audit")
    reveal.add_argument("id", metavar="ID")
    reveal.add_argument("--reason", required=True, help="why you need it")


def _workers(sub: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The processes that take calls."""
    workers = sub.add_parser("workers", help="processes that take calls: list, restart").add_subparsers(
        dest="what", required=True, metavar="WHAT"
    )
    workers.add_parser("list", help="each worker, its calls, and whether it takes more")
    again = workers.add_parser("restart", help="replace workers one by one; no call is cut")
    again.add_argument("name", nargs="?", metavar="NAME", help='from "workers list"; all without one')


def _looking(sub: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What goes on."""
    top = sub.add_parser("top", help="live table of workers, calls, answers and agents")
    top.add_argument("--once", action="store_true", help="one look, then end")
    top.add_argument("--json", action="store_true", help="one look, as JSON")
    logs = sub.add_parser("logs", help="log lines of the processes that take calls, by time")
    logs.add_argument("--call", default="", metavar="ID", help='only this call; id from "calls list" or "top"')
    logs.add_argument("--follow", action="store_true", help="go on with what is added, until Ctrl-C")


def _tapes(calls: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Calls recorded for test."""
    tapes = calls.add_parser("tapes", help="recordings for test: list, remove").add_subparsers(
        dest="tapes", required=True, metavar="WHAT"
    )
    tapes.add_parser("list", help="the recordings, newest first")
    remove = tapes.add_parser("remove", help="destroy one")
    remove.add_argument("call", metavar="ID")
    again = calls.add_parser("replay", help="run a recorded call through this version; 1 where it became less safe")
    again.add_argument("call", nargs="?", metavar="ID", help='id from "calls tapes list", or an exported folder')
    again.add_argument("--all", action="store_true", help="every recording")
    again.add_argument("--since", type=_day, default=0.0, metavar="DAY", help="with --all: from 2026-11-30 on, UTC")
    again.add_argument("--late", type=float, default=1.0, metavar="S", help="seconds that a red flag may be later")
    again.add_argument("--json", type=Path, metavar="FILE", help="write everything that was compared")
    again.add_argument(
        "--dialogue", default="", metavar="URL", help="use a Rasa that runs on this machine instead of starting one"
    )
    again.add_argument("--export", type=Path, metavar="FOLDER", help="write the call in clear, as a test")
    again.add_argument("--i-know-this-is-synthetic", dest="synthetic", action="store_true", help="needed by --export")


def _day(text: str) -> float:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise argparse.ArgumentTypeError("must be a day like 2026-11-30") from None


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= 64:
        raise argparse.ArgumentTypeError("must be a number from 1 to 64")
    return number


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        return commands.run(parser().parse_args(given))
    except commands.Refused as refused:
        print(f"error: {refused}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
