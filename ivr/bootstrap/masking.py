# Size: eleven small commands and their arguments, side by side.
"""`triageline masking …`: bindings and virtual numbers on the command line."""

import argparse
import asyncio
import getpass
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.settings import Settings
from ivr.bootstrap.doors import open_vault
from ivr.bootstrap.places import places, prepare
from masking import database as masking_database
from masking.bindings_sql import SqlBindings
from masking.codes import Codes
from masking.exchange_sql import SqlExchange
from masking.ledger import Ledger
from masking.numbers import virtual_number
from masking.numbers_sql import SqlNumbers
from masking.policy import Policy, RefusedByPolicy
from masking.pools import need, read_csv
from masking.port import (
    Binding,
    Bindings,
    Dialled,
    Exchange,
    Kind,
    MaskingRefused,
    Numbers,
    NumberState,
    Wanted,
    Wrong,
)
from masking.screened import ScreenedBindings
from masking.vault_sql import SqlVault
from records import database as records_database
from records.keys import keys_from_folder

BAD_INPUT = 2
LARGEST_FILE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The room of masking, open."""

    vault: SqlVault
    """Real numbers."""
    policy: Policy
    """What may be bound."""
    bindings: Bindings
    """Screened."""
    numbers: Numbers
    """Virtual numbers."""
    exchange: Exchange
    """What calls lead to."""
    region: str
    """Country of numbers without country code."""

    def virtual(self, text: str, field: str) -> str:
        """A number of ours in the form that is stored; "" stays. Raises MaskingRefused."""
        number = virtual_number(text, self.region) if text else ""
        if number is None:
            raise MaskingRefused(Wrong.FIELD, field, "this is no telephone number")
        return number


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Carry out one command; 2 with one sentence, a stable code and the field where it was refused."""
    try:
        told = asyncio.run(_told(settings, args))
    except MaskingRefused as refused:
        return _refused(args, refused.code, refused.field, str(refused))
    except RefusedByPolicy as refused:
        return _refused(args, refused.code, "number", str(refused))
    print(json.dumps(told.value, indent=2) if args.json else told.text)
    return 0


@dataclass(frozen=True, slots=True)
class Told:
    """An answer."""

    value: object
    """For machines."""
    text: str
    """For people."""


def _refused(args: argparse.Namespace, code: str, field: str, message: str) -> int:
    if args.json:
        print(json.dumps({"error": {"code": str(code), "field": field, "message": message}}))
    print(f"error: {message} ({code}, {field})", file=sys.stderr)
    return BAD_INPUT


async def _told(settings: Settings, args: argparse.Namespace) -> Told:
    if args.what == "plan":
        return _plan(args)
    async with _open(settings) as desk:
        return await COMMANDS[args.what](desk, args)


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Desk]:
    where, region = places(settings), settings.hotline.region
    prepare(where)
    keys = keys_from_folder(where.keys)
    vault = open_vault(settings, where, keys)
    ledger = Ledger(masking_database.prepare(records_database.connect(where.vault)))
    codes = Codes(keys.sealer("masking codes"))
    numbers = SqlNumbers(ledger, region)
    try:
        own = await numbers.own()
        policy = Policy(region=region, own=lambda: own)
        yield Desk(
            vault=vault,
            policy=policy,
            bindings=ScreenedBindings(SqlBindings(ledger, codes), lambda named: vault.screen(named, policy)),
            numbers=numbers,
            exchange=SqlExchange(ledger, codes, region=region),
            region=region,
        )
    finally:
        ledger.close()
        vault.close()


async def _party(desk: Desk, text: str, field: str) -> str:
    """A party id; numbers are admitted and go into the vault."""
    if text.startswith("party-") or not text:
        return text
    try:
        return (await desk.vault.party(desk.policy.admit(text))).id
    except RefusedByPolicy as refused:
        raise MaskingRefused(Wrong.NUMBER_REFUSED, field, f"{refused} [{refused.code}]") from None


async def _bind(desk: Desk, args: argparse.Namespace) -> Told:
    for field, several in (("phones", args.phone), ("members", args.member)):
        if len(several) > 1000:
            raise MaskingRefused(Wrong.FIELD, field, "these are too many")
    wanted = Wanted(
        owner=args.owner,
        kind=Kind(args.kind),
        doctor=await _party(desk, args.doctor, "doctor"),
        patient=await _party(desk, args.patient, "patient"),
        members=tuple([await _party(desk, one, "members") for one in args.member]),
        phones=tuple([await _party(desk, one, "phones") for one in args.phone]),
        life=None if args.life == 0 else args.life,
        quarantine=args.quarantine,
        longest_call=args.longest_call,
        one_way=args.one_way,
        with_code=args.code,
        country=args.country.upper(),
        area=args.area,
        patient_number=desk.virtual(args.patient_number, "patient_number"),
        doctor_number=desk.virtual(args.doctor_number, "doctor_number"),
        key=args.key,
    )
    return _binding(await desk.bindings.create(wanted))


async def _renew(desk: Desk, args: argparse.Namespace) -> Told:
    return _binding(await desk.bindings.renew(args.id, args.owner, None if args.life == 0 else args.life))


async def _release(desk: Desk, args: argparse.Namespace) -> Told:
    return _binding(await desk.bindings.close(args.id, args.owner, kill=args.kill))


async def _list(desk: Desk, args: argparse.Namespace) -> Told:
    found = await desk.bindings.list(args.owner, party=args.party, limit=args.limit)
    lines = "\n".join(_line(one) for one in found)
    return Told([asdict(one) for one in found], lines or "there is no binding")


async def _resolve(desk: Desk, args: argparse.Namespace) -> Told:
    caller = await _party(desk, args.caller, "caller")
    verdict = await desk.exchange.resolve(Dialled(number=args.number, caller=caller, code=args.code))
    callee = f": calls {verdict.callee}, who sees {verdict.shown}" if verdict.callee else ""
    return Told(asdict(verdict), f"{verdict.outcome}{callee}")


async def _call(desk: Desk, args: argparse.Namespace) -> Told:
    plan = await desk.exchange.click(args.id, args.owner)
    steps = ((plan.first, plan.first_sees), (plan.second, plan.second_sees))
    return Told(asdict(plan), "\n".join(f"ring {party}, who sees {shown}" for party, shown in steps))


async def _import(desk: Desk, args: argparse.Namespace) -> Told:
    count = await desk.numbers.add(read_csv(_text(Path(args.file)), desk.region))
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


async def _erase(desk: Desk, args: argparse.Namespace) -> Told:
    try:
        await desk.vault.erase(args.party, reason=args.reason, actor=getpass.getuser())
    except (KeyError, ValueError):
        message = "the vault holds no number for this party, or the reason is empty"
        raise MaskingRefused(Wrong.NOT_FOUND, "party", message) from None
    return Told({"erased": args.party}, "erased")


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


COMMANDS: dict[str, Callable[[Desk, argparse.Namespace], Awaitable[Told]]] = {
    "bind": _bind,
    "renew": _renew,
    "release": _release,
    "list": _list,
    "resolve": _resolve,
    "call": _call,
    "import": _import,
    "numbers": _numbers,
    "pools": _pools,
    "erase": _erase,
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
    call = masking.add_parser("call", parents=[owned], help="show the two calls of a click-to-call")
    call.add_argument("id", metavar="ID")
    _number_arguments(masking, common)


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
    erase = masking.add_parser("erase", parents=[common], help="destroy the key of a party's number, for ever")
    erase.add_argument("party", metavar="PARTY")
    erase.add_argument("--reason", required=True, help="why; it is written to the audit")
