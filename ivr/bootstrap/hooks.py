"""`triageline masking webhooks`, `records`, `complain`, `complaints`: whom to tell, and what was told."""

import argparse
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial

from config.settings import Settings
from ivr.bootstrap.asked import Command, Told
from ivr.bootstrap.places import places
from ivr.bootstrap.reach import reach_of
from masking.desk import Desk
from masking.hooks_sql import SqlDeliveries
from masking.port import CallRecord, Happened, Hook, HookUse, MaskingRefused, Wrong
from records.keys import keys_from_folder

OPERATOR = "operator"
"""What people type for the owner "" of events that concern the operator only."""
FAULTS = {
    "refused_address": "the address lies in a private network; name it in masking.webhook_networks if that is meant",
    "no_address": "the name has no address",
    "timeout": "there was no answer within 5 seconds",
    "connection": "there was no connection, or its certificate is not trusted (masking.webhook_authorities)",
    "too_long": "the answer is too long",
}


async def _add(desk: Desk, args: argparse.Namespace) -> Told:
    use = HookUse.INTERCEPT if args.intercept else HookUse.EVENTS
    if args.intercept and (args.kind or _owner(args) == ""):
        raise MaskingRefused(Wrong.FIELD, "intercept", "an intercept hook belongs to an owner and takes no kinds")
    kinds = tuple(Happened(kind) for kind in args.kind)
    hook, secret = await desk.hooks.add(_owner(args), args.url, kinds=kinds, use=use)
    return Told(asdict(hook) | {"secret": secret}, f"{_line(hook)}\nsecret (shown this once): {secret}")


async def _list(desk: Desk, args: argparse.Namespace) -> Told:
    found = await desk.hooks.list(_owner(args))
    return Told([asdict(one) for one in found], "\n".join(map(_line, found)) or "there is no webhook")


async def _remove(desk: Desk, args: argparse.Namespace) -> Told:
    await desk.hooks.remove(args.id, _owner(args))
    return Told({"removed": args.id}, "removed")


async def _rotate(desk: Desk, args: argparse.Namespace) -> Told:
    secret = await desk.hooks.rotate(args.id, _owner(args))
    text = f"new secret (shown this once): {secret}\nfor a day requests are signed with the former one as well"
    return Told({"id": args.id, "secret": secret}, text)


async def _switch(desk: Desk, args: argparse.Namespace, *, active: bool) -> Told:
    hook = await desk.hooks.activate(args.id, _owner(args), active=active)
    return Told(asdict(hook), _line(hook))


async def _test(deliveries: SqlDeliveries, args: argparse.Namespace) -> Told:
    said = await deliveries.test(args.id, _owner(args))
    good = said.startswith("2")
    text = f"delivered: {said}" if good else f"not delivered: {FAULTS.get(said, f'the answer was {said}')}"
    return Told({"id": args.id, "delivered": good, "answer": said}, text, 0 if good else 1)


async def _deliveries(deliveries: SqlDeliveries, args: argparse.Namespace) -> Told:
    found = await deliveries.list(args.id, _owner(args), limit=args.limit)
    lines = [
        f"{one.event}  {one.kind:<18} {one.binding or '-'} #{one.order}  {one.state} after {one.tries}: {one.last}"
        for one in found
    ]
    return Told([asdict(one) for one in found], "\n".join(lines) or "nothing was to be told yet")


async def _retry(deliveries: SqlDeliveries, args: argparse.Namespace) -> Told:
    count = await deliveries.retry(args.id, _owner(args), args.event)
    return Told({"retried": count}, f"{count} events are tried again")


async def _records(desk: Desk, args: argparse.Namespace) -> Told:
    found = await desk.diary.calls(args.owner, binding=args.binding, limit=args.limit)
    lines = [
        f"{one.call} {one.leg}  {_day(one.started)}  {one.number:<16} {one.party or '-'}  {_seconds(one)} s  {one.end}"
        for one in found
    ]
    return Told([asdict(one) for one in found], "\n".join(lines) or "there is no call")


async def _complain(desk: Desk, args: argparse.Namespace) -> Told:
    number = desk.virtual(args.number, "number")
    count = await desk.complaints.add(number, args.reason)
    return Told({"number": number, "complaints": count}, f"{number}: {count} complaints in 30 days")


async def _complaints(desk: Desk, args: argparse.Namespace) -> Told:
    found = await desk.complaints.list()
    lines = [f"{one.number:<20} {one.count} complaints, the last on {_day(one.last)}" for one in found]
    return Told([asdict(one) for one in found], "\n".join(lines) or "there is no complaint")


HOOKS: dict[str, Command] = {
    "add": _add,
    "list": _list,
    "remove": _remove,
    "rotate": _rotate,
    "on": partial(_switch, active=True),
    "off": partial(_switch, active=False),
}
SENT: dict[str, Callable[[SqlDeliveries, argparse.Namespace], Awaitable[Told]]] = {
    "test": _test,
    "deliveries": _deliveries,
    "retry": _retry,
}


def commands(settings: Settings) -> dict[str, Command]:
    """By name."""

    async def webhooks(desk: Desk, args: argparse.Namespace) -> Told:
        if args.hooks in HOOKS:
            return await HOOKS[args.hooks](desk, args)
        reach = reach_of(settings, desk, keys_from_folder(places(settings).keys), taker="cli")
        try:
            return await SENT[args.hooks](reach.deliveries, args)
        finally:
            await reach.close()

    return {"webhooks": webhooks, "records": _records, "complain": _complain, "complaints": _complaints}


def arguments(
    masking: "argparse._SubParsersAction[argparse.ArgumentParser]",
    common: argparse.ArgumentParser,
    owned: argparse.ArgumentParser,
) -> None:
    """Their command line."""
    hooks = masking.add_parser("webhooks", help="web addresses that are told of events, or asked before calls")
    sub = hooks.add_subparsers(dest="hooks", required=True, metavar="WHAT")
    add = sub.add_parser("add", parents=[owned], help="tell an address of events; the secret is shown once")
    add.add_argument("url", metavar="URL", help="https://…; http:// inside masking.webhook_networks")
    add.add_argument("--kind", action="append", default=[], choices=[str(kind) for kind in Happened], metavar="KIND",
                     help="only events like call.ended; again for each")  # fmt: skip
    add.add_argument("--intercept", action="store_true", help="ask it before each call; one for an owner")
    sub.add_parser("list", parents=[owned], help="the owner's addresses")
    for name, what in (
        ("remove", "forget an address"),
        ("rotate", "a new secret; the former signs for a day more"),
        ("on", "switch an address on again"),
        ("off", "switch an address off; what it was still to be told is given up"),
        ("test", "send a signed test event now"),
    ):
        sub.add_parser(name, parents=[owned], help=what).add_argument("id", metavar="ID")
    told = sub.add_parser("deliveries", parents=[owned], help="what an address was told, and was not")
    told.add_argument("id", metavar="ID")
    told.add_argument("--limit", type=int, default=20, metavar="N")
    retry = sub.add_parser("retry", parents=[owned], help="try again what was given up")
    retry.add_argument("id", metavar="ID")
    retry.add_argument("--event", default="", metavar="EVENT", help="only this one")
    records = masking.add_parser("records", parents=[owned], help="the newest legs of masked calls, and why they ended")
    records.add_argument("--binding", default="", metavar="ID", help="only of this binding")
    records.add_argument("--limit", type=int, default=20, metavar="N")
    complain = masking.add_parser("complain", parents=[common], help="count a complaint about calls from a number")
    complain.add_argument("number", metavar="NUMBER")
    complain.add_argument("--reason", default="", help="what was said; numbers in it are hidden")
    masking.add_parser("complaints", parents=[common], help="numbers that people complained about in 30 days")


def _owner(args: argparse.Namespace) -> str:
    return "" if args.owner == OPERATOR else str(args.owner)


def _line(hook: Hook) -> str:
    kinds = " ".join(hook.kinds) or "all events"
    what = "asked before calls" if hook.use == HookUse.INTERCEPT else kinds
    state = "on" if hook.active else "off"
    return f"{hook.id}  {state:<3}  {hook.url}  {what}" + (f"  {hook.fails} failures" if hook.fails else "")


def _seconds(record: CallRecord) -> int:
    return 0 if record.answered is None else round(record.ended - record.answered)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
