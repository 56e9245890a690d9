# Size: eleven small commands and their arguments, side by side.
"""`triageline masking …`: bindings and virtual numbers on the command line."""

import argparse
import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from config.settings import Settings
from ivr.bootstrap import hooks, numbers_kept
from ivr.bootstrap.asked import Command, Told, ask, opened
from masking.desk import Desk
from masking.parties import hidden_key
from masking.pools import need
from masking.port import (
    Binding,
    Dialled,
    Kind,
    LegEnd,
    MaskingRefused,
    NumberState,
    Wanted,
    Wish,
    Wishes,
    WishState,
    Wrong,
)

LARGEST_FILE = 16 * 1024 * 1024
POLL_SECONDS = 0.3
OVER = frozenset({WishState.DONE, WishState.FAILED})


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Carry out one command; 2 with one sentence, a stable code and the field where it was refused."""

    async def work() -> Told:
        if args.what == "plan":
            return _plan(args)
        async with opened(settings) as desk:
            return await (COMMANDS | hooks.commands(settings) | numbers_kept.commands(settings))[args.what](desk, args)

    return ask(args, work)


async def _bind(desk: Desk, args: argparse.Namespace) -> Told:
    wanted = Wanted(
        owner=args.owner,
        kind=Kind(args.kind),
        doctor=args.doctor,
        patient=args.patient,
        members=tuple(args.member),
        phones=tuple(args.phone),
        life=None if args.life == 0 else args.life,
        quarantine=args.quarantine,
        longest_call=args.longest_call,
        one_way=args.one_way,
        with_code=args.code,
        country=args.country,
        area=args.area,
        patient_number=args.patient_number,
        doctor_number=args.doctor_number,
        key=hidden_key(args.owner, args.key),
    )
    return _binding(await desk.bindings.create(await desk.settle(wanted)))


async def _renew(desk: Desk, args: argparse.Namespace) -> Told:
    return _binding(await desk.bindings.renew(args.id, args.owner, None if args.life == 0 else args.life))


async def _release(desk: Desk, args: argparse.Namespace) -> Told:
    return _binding(await desk.bindings.close(args.id, args.owner, kill=args.kill))


async def _list(desk: Desk, args: argparse.Namespace) -> Told:
    found = await desk.bindings.list(args.owner, party=args.party, limit=args.limit)
    lines = "\n".join(_line(one) for one in found)
    return Told([asdict(one) for one in found], lines or "there is no binding")


async def _resolve(desk: Desk, args: argparse.Namespace) -> Told:
    caller = await desk.party(args.caller, "caller")
    verdict = await desk.exchange.resolve(Dialled(number=args.number, caller=caller, code=args.code))
    callee = f": calls {verdict.callee}, who sees {verdict.shown}" if verdict.callee else ""
    return Told(asdict(verdict), f"{verdict.outcome}{callee}")


async def _call(desk: Desk, args: argparse.Namespace) -> Told:
    if args.show:
        plan = await desk.exchange.click(args.id, args.owner)
        steps = ((plan.first, plan.first_sees), (plan.second, plan.second_sees))
        return Told(asdict(plan), "\n".join(f"ring {party}, who sees {shown}" for party, shown in steps))
    wishes = wishes_of(desk)
    wish = await wishes.ask(args.id, args.owner, key=hidden_key(args.owner, args.key))
    return await told_of(wishes, wish, args)


def wishes_of(desk: Desk) -> Wishes:
    """Click-to-calls. Raises MaskingRefused where there are none."""
    if desk.wishes is None:
        raise MaskingRefused(Wrong.FIELD, "id", "this installation takes no click-to-calls")
    return desk.wishes


async def told_of(wishes: Wishes, wish: Wish, args: argparse.Namespace) -> Told:
    """A click-to-call; with `wait`, every state on its way until it is over."""
    while args.wait and wish.state not in OVER:
        if not args.json:
            print(wish.state, flush=True)
        before = wish.state
        while wish.state == before:
            await asyncio.sleep(POLL_SECONDS)
            wish = await wishes.get(wish.id, args.owner)
    end = f" ({wish.end})" if wish.end not in {None, LegEnd.COMPLETED} else ""
    return Told(asdict(wish), f"{wish.state}{end}" if args.wait else f"{wish.id} {wish.state}")


async def _import(desk: Desk, args: argparse.Namespace) -> Told:
    count = await desk.numbers.add(desk.read(_text(Path(args.file))))
    return Told({"added": count}, f"{count} numbers are new")


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST_FILE:
        raise MaskingRefused(Wrong.FIELD, "file", "the file is larger than 16 MiB")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise MaskingRefused(Wrong.FIELD, "file", "the file is not UTF-8 text") from None


async def _numbers(desk: Desk, args: argparse.Namespace) -> Told:
    number = desk.virtual(args.number, "number")
    if args.set:
        await desk.numbers.change(number, NumberState(args.set))
    elif args.remove:
        await desk.numbers.remove(number)
    found = [one for one in await desk.numbers.list() if number in {"", one.number}]
    if number and not found and not args.remove:
        raise MaskingRefused(Wrong.NUMBER_UNKNOWN, "number", "this is no virtual number of ours")
    lines = [f"{one.number:<20} {one.side:<8} {one.country} {one.area:<6} {one.state}".rstrip() for one in found]
    return Told([asdict(one) for one in found], "\n".join(lines) or "there is no number")


async def _pools(desk: Desk, args: argparse.Namespace) -> Told:
    found = await desk.numbers.report()
    lines = [
        f"{one.side:<8} {one.country}  {one.numbers} numbers, {one.active} active; {one.busiest} with one caller; "
        + ("no end in sight" if one.runs_out is None else f"runs out in {one.runs_out / 86400:.1f} days")
        for one in found
    ]
    return Told([asdict(one) for one in found], "\n".join(lines) or "there is no number")


def _plan(args: argparse.Namespace) -> Told:
    found = need(per_day=args.per_day, life_days=args.life, quarantine_days=args.quarantine, odds=args.odds)
    text = f"{found.numbers} numbers ({found.mean:.0f} in use on average)"
    return Told(asdict(found), text)


def _binding(made: Binding) -> Told:
    return Told(asdict(made), _line(made))


def _line(made: Binding) -> str:
    ends = "no end" if made.ends is None else datetime.fromtimestamp(made.ends, UTC).strftime("until %Y-%m-%d %H:%M")
    code = f" code {made.code}" if made.code else ""
    state = "closed" if made.closed else ends
    return f"{made.id}  {made.kind}  {made.patient_number} {made.doctor_number}{code}  {state}"


COMMANDS: dict[str, Command] = {
    "bind": _bind,
    "renew": _renew,
    "release": _release,
    "list": _list,
    "resolve": _resolve,
    "call": _call,
    "import": _import,
    "numbers": _numbers,
    "pools": _pools,
}


def arguments(sub: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command line of all that."""
    about = "virtual numbers between patients and doctors"
    masking = sub.add_parser("masking", help=about).add_subparsers(dest="what", required=True, metavar="WHAT")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="for machines")
    owned = argparse.ArgumentParser(add_help=False, parents=[common])
    owned.add_argument("--owner", default="hotline", help="whose bindings (default: hotline)")
    bind = masking.add_parser("bind", parents=[owned], help="let two sides call each other through numbers of ours")
    _bind_arguments(bind)
    renew = masking.add_parser("renew", parents=[owned], help="move the end of a live binding")
    renew.add_argument("id", metavar="ID")
    renew.add_argument("--life", type=float, required=True, metavar="SECONDS", help="from now; 0: until it is released")
    release = masking.add_parser("release", parents=[owned], help="end a binding; calls in progress go on")
    release.add_argument("id", metavar="ID")
    release.add_argument("--kill", action="store_true", help="cut calls in progress as well")
    listing = masking.add_parser("list", parents=[owned], help="the newest bindings")
    listing.add_argument("--party", default="", metavar="PARTY", help="only of this patient or doctor")
    listing.add_argument("--limit", type=int, default=20, metavar="N")
    resolve = masking.add_parser("resolve", parents=[common], help="what a call would lead to")
    resolve.add_argument("number", metavar="NUMBER", help="virtual number that is dialled")
    resolve.add_argument("--caller", default="", metavar="PARTY", help="party id or number; withheld without")
    resolve.add_argument("--code", default="", metavar="DIGITS", help="code that the caller keys in")
    call = masking.add_parser("call", parents=[owned], help="click-to-call: ring the doctor, then the patient")
    call.add_argument("id", metavar="ID")
    call.add_argument("--wait", action="store_true", help="tell every state until the call is over")
    call.add_argument("--show", action="store_true", help="only show the two calls, make none")
    call.add_argument("--key", default="", metavar="KEY", help="the same key again gives the same call")
    _number_arguments(masking, common)
    hooks.arguments(masking, common, owned)
    numbers_kept.arguments(masking, common)


def _bind_arguments(bind: argparse.ArgumentParser) -> None:
    bind.add_argument("--kind", choices=[str(kind) for kind in Kind], default="pair")
    bind.add_argument("--doctor", required=True, metavar="PARTY", help="party id or number")
    bind.add_argument("--patient", default="", metavar="PARTY", help="party id or number")
    bind.add_argument("--member", action="append", default=[], metavar="PARTY", help="of a group; again for each")
    bind.add_argument("--phone", action="append", default=[], metavar="PARTY", help="another phone of the doctor")
    bind.add_argument("--life", type=float, default=86400.0, metavar="SECONDS", help="0: until it is released")
    bind.add_argument("--quarantine", type=float, default=7 * 86400.0, metavar="SECONDS")
    bind.add_argument("--longest-call", type=float, default=3600.0, metavar="SECONDS")
    bind.add_argument("--one-way", action="store_true", help="only the patient may call")
    bind.add_argument("--code", action="store_true", help="a code lets both in from other phones")
    bind.add_argument("--country", default="", metavar="CC", help="only numbers of this country")
    bind.add_argument("--area", default="", metavar="CODE", help="rather numbers of this area")
    bind.add_argument("--patient-number", default="", metavar="NUMBER", help="this one and no other")
    bind.add_argument("--doctor-number", default="", metavar="NUMBER", help="this one and no other")
    bind.add_argument("--key", default="", metavar="KEY", help="the same key again gives the same binding")


def _number_arguments(
    masking: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    load = masking.add_parser("import", parents=[common], help="take in numbers: number,side[,country,area,state]")
    load.add_argument("file", metavar="FILE.csv")
    numbers = masking.add_parser("numbers", parents=[common], help="virtual numbers: list, set, remove")
    numbers.add_argument("number", nargs="?", default="", metavar="NUMBER")
    change = numbers.add_mutually_exclusive_group()
    change.add_argument("--set", choices=[str(state) for state in NumberState], help="new state")
    change.add_argument("--remove", action="store_true", help="give it up; refused while something holds it")
    masking.add_parser("pools", parents=[common], help="how full the pools are, and when they run out")
    plan = masking.add_parser("plan", parents=[common], help="how many numbers a load needs")
    plan.add_argument("--per-day", type=float, required=True, metavar="N", help="new partners of one person a day")
    plan.add_argument("--life", type=float, required=True, metavar="DAYS")
    plan.add_argument("--quarantine", type=float, default=7.0, metavar="DAYS")
    plan.add_argument("--odds", type=float, default=0.001, help="of having too few (default: 0.001)")
