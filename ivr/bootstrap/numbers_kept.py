"""`triageline masking reveal`, `erase`, `rotate-key`, `alerts`: real numbers, their keys, what operators must do."""

import argparse
import getpass
import sys
from dataclasses import asdict

from config.settings import Settings
from ivr.bootstrap.asked import Command, Told
from ivr.bootstrap.places import places
from masking.desk import Desk
from masking.port import MaskingRefused, Wrong
from records.keys import add_key

ADVICE = {
    "no_capacity": "bindings were refused for lack of numbers: import more",
    "nearly_full": "somebody holds nine of ten numbers: import more (see masking pools)",
    "runs_out": "full within a week at this rate: import more (see masking pools)",
    "code_guessing": "wrong codes were tried until the number was locked for codes",
    "complaints": "people complain about calls from it",
    "drained": "nothing holds it any more: it may be removed, or made active",
}


async def _reveal(desk: Desk, args: argparse.Namespace) -> Told:
    if args.json or not sys.stdout.isatty():
        message = "a real number is shown on a terminal only: not into a file, not to another program, not as --json"
        raise MaskingRefused(Wrong.FIELD, "party", message)
    try:
        number = await desk.vault.reveal(args.party, reason=args.reason, actor=getpass.getuser())
    except (KeyError, ValueError):
        raise _nobody() from None
    return Told(None, number.reveal())


async def _erase(desk: Desk, args: argparse.Namespace) -> Told:
    try:
        await desk.vault.erase(args.party, reason=args.reason, actor=getpass.getuser())
    except (KeyError, ValueError):
        raise _nobody() from None
    return Told({"erased": args.party}, "erased")


def _nobody() -> MaskingRefused:
    message = "the vault holds no number for this party, or the reason is empty"
    return MaskingRefused(Wrong.NOT_FOUND, "party", message)


def _rotate(settings: Settings) -> Command:
    async def rotate(desk: Desk, args: argparse.Namespace) -> Told:
        unfinished = await desk.vault.turning()
        number = unfinished or add_key(places(settings).keys)
        count, bad = await desk.vault.turn(number, _progress)
        text = f"{count} numbers now hang on key {number}; the former key stays in the file, for what else it opens"
        if bad:
            text += f"\n{bad} numbers cannot be opened: they were changed, or sealed under keys that are not here"
        return Told({"key": number, "turned": count, "unreadable": bad, "went_on": bool(unfinished)}, text)

    return rotate


def _progress(count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{count} numbers", end="", file=sys.stderr, flush=True)


async def _alerts(desk: Desk, args: argparse.Namespace) -> Told:
    found = await desk.alerts.list()
    lines = [f"{one.code:<14} {one.what:<20} {ADVICE.get(one.code, '')}".rstrip() for one in found]
    return Told([asdict(one) for one in found], "\n".join(lines) or "there is nothing to be done about numbers")


def commands(settings: Settings) -> dict[str, Command]:
    """By name."""
    return {"reveal": _reveal, "erase": _erase, "rotate-key": _rotate(settings), "alerts": _alerts}


def arguments(masking: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """Their command line."""
    reveal = masking.add_parser("reveal", parents=[common], help="show a party's number on this terminal; audited")
    erase = masking.add_parser("erase", parents=[common], help="destroy the key of a party's number, for ever")
    for parser in (reveal, erase):
        parser.add_argument("party", metavar="PARTY")
        parser.add_argument("--reason", required=True, help="why; it is written to the audit")
    turn = "hang the hashes of all numbers on a new master key, while calls go on; run it again if it was broken off"
    masking.add_parser("rotate-key", parents=[common], help=turn)
    masking.add_parser("alerts", parents=[common], help="what must be done about numbers")
