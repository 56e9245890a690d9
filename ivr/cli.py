"""`triageline`: argument parsing, and one clear sentence with exit code 2 for whatever is wrong."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ivr.bootstrap import commands

BAD_INPUT = 2


def parser() -> argparse.ArgumentParser:
    """All commands."""
    top = argparse.ArgumentParser(prog="triageline", description="A medical phone hotline on your own machines.")
    top.add_argument("--config", type=Path, metavar="FILE", help="settings file (default: config/triageline.toml)")
    sub = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    sub.add_parser("up", help="start the hotline and keep it running until Ctrl-C")
    sub.add_parser("check", help="look at every part and say what to do")
    models = sub.add_parser("models", help="recognition models: list, install, remove, test", add_help=False)
    models.add_argument("rest", nargs=argparse.REMAINDER)
    calls = sub.add_parser("calls", help="records of calls").add_subparsers(dest="what", required=True, metavar="WHAT")
    listing = calls.add_parser("list", help="the newest calls")
    listing.add_argument("--limit", type=int, default=20, metavar="N")
    show = calls.add_parser("show", help="one call, event by event")
    show.add_argument("call", metavar="ID", help='id from "calls list"')
    agents = sub.add_parser("agents", help="agents and their presence").add_subparsers(
        dest="what", required=True, metavar="WHAT"
    )
    agents.add_parser("list", help="every agent, presence and call")
    setting = agents.add_parser("set", help="change presence while the hotline runs")
    setting.add_argument("agent", metavar="AGENT")
    setting.add_argument("presence", choices=("available", "away"))
    callbacks = sub.add_parser("callbacks", help="callbacks owed to callers").add_subparsers(
        dest="what", required=True, metavar="WHAT"
    )
    callbacks.add_parser("list", help="those not done, most urgent first")
    done = callbacks.add_parser("done", help="mark one as called")
    done.add_argument("id", metavar="ID")
    reveal = callbacks.add_parser("number", help="show the number to call; needs a reason and is written to the audit")
    reveal.add_argument("id", metavar="ID")
    reveal.add_argument("--reason", required=True, help="why you need it")
    sub.add_parser("warm", help="speak every fixed sentence once and keep it, so that the first caller does not wait")
    worker = sub.add_parser("worker")  # started by `up`
    worker.add_argument("--rasa-port", type=int, required=True)
    worker.add_argument("--redis", required=True)
    return top


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
