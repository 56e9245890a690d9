"""`triageline tokens …`: services that may use the API."""

import argparse
from dataclasses import asdict
from datetime import UTC, datetime

from config.settings import Settings
from ivr.bootstrap.asked import Command, Told, ask, opened
from masking.desk import Desk
from masking.port import Scope, Token


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Carry out one command."""

    async def work() -> Told:
        async with opened(settings) as desk:
            return await COMMANDS[args.what](desk, args)

    return ask(args, work)


async def _create(desk: Desk, args: argparse.Namespace) -> Told:
    scopes = [word.strip() for word in args.scopes.split(",") if word.strip()]
    token, secret = await desk.tokens.issue(args.name, args.owner, scopes, args.days or None)
    return Told(asdict(token) | {"secret": secret}, secret)


async def _list(desk: Desk, args: argparse.Namespace) -> Told:
    found = await desk.tokens.list()
    now = desk.ledger.clock()
    return Told([asdict(one) for one in found], "\n".join(_line(one, now) for one in found) or "there is no token")


async def _revoke(desk: Desk, args: argparse.Namespace) -> Told:
    token = await desk.tokens.revoke(args.id)
    return Told(asdict(token), "revoked")


async def _audit(desk: Desk, args: argparse.Namespace) -> Told:
    found = await desk.tokens.uses(args.limit)
    lines = [f"{_day(one.at)}  {one.token}  {one.outcome:<10} {one.action} {one.subject}".rstrip() for one in found]
    return Told([asdict(one) for one in found], "\n".join(lines) or "nothing was noted")


def _line(token: Token, now: float) -> str:
    over = token.ends is not None and now >= token.ends
    state = "revoked" if token.revoked else "over" if over else f"until {_day(token.ends)}" if token.ends else "no end"
    used = f"used {_day(token.used)}" if token.used else "never used"
    return f"{token.id}  {token.name}  for {token.owner}  {state}, {used}\n    {' '.join(token.scopes)}"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


COMMANDS: dict[str, Command] = {"create": _create, "list": _list, "revoke": _revoke, "audit": _audit}


def arguments(sub: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Of all commands."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="for machines")
    tokens = sub.add_parser("tokens", help="services that may use the web API").add_subparsers(
        dest="what", required=True, metavar="WHAT"
    )
    create = tokens.add_parser("create", parents=[common], help="make one; its secret is printed once")
    create.add_argument("--name", required=True, metavar="NAME", help="what you call the service")
    create.add_argument("--scopes", required=True, metavar="S,S", help="what it may do: " + ", ".join(Scope))
    create.add_argument("--owner", default="hotline", help="whose bindings it sees (default: hotline)")
    create.add_argument("--days", type=float, default=365.0, metavar="D", help="valid so long; 0: for ever")
    tokens.add_parser("list", parents=[common], help="all, newest first, with their last use")
    revoke = tokens.add_parser("revoke", parents=[common], help="it is valid no more, at once")
    revoke.add_argument("id", metavar="ID", help='from "tokens list"')
    audit = tokens.add_parser("audit", parents=[common], help="privileged use and what was refused, newest first")
    audit.add_argument("--limit", type=int, default=20, metavar="N")
