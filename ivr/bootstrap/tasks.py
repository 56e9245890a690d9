"""`triageline tasks …`: whom doctors should call, and the call itself."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime

from config.settings import Settings
from ivr.bootstrap.asked import Told, ask, opened
from ivr.bootstrap.masking import told_of, wishes_of
from ivr.bootstrap.places import places
from masking.desk import Desk
from masking.parties import hidden_key
from masking.port import Task, TaskKind
from masking.tasks import DoctorTasks
from records import database as records_database
from records.callbacks_sql import SqlCallbacks
from records.store import Store

URGENCY = ("normal", "urgent", "emergency")


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Carry out one command."""

    async def work() -> Told:
        async with opened(settings) as desk, _tasks(settings, desk) as tasks:
            return await COMMANDS[args.what](desk, tasks, args)

    return ask(args, work)


@asynccontextmanager
async def _tasks(settings: Settings, desk: Desk) -> AsyncIterator[DoctorTasks]:
    store = Store(await asyncio.to_thread(records_database.prepare, places(settings).database))
    try:
        yield DoctorTasks(desk.bindings, desk.wishes, SqlCallbacks(store))
    finally:
        await asyncio.to_thread(store.close)


async def _list(desk: Desk, tasks: DoctorTasks, args: argparse.Namespace) -> Told:
    doctor = await desk.party(args.doctor, "doctor")
    found = await tasks.list(args.owner, doctor=doctor)
    return Told([asdict(one) for one in found], "\n".join(map(_line, found)) or "nobody is to be called")


async def _call(desk: Desk, tasks: DoctorTasks, args: argparse.Namespace) -> Told:
    wishes, doctor = wishes_of(desk), await desk.party(args.doctor, "doctor")
    wish = await tasks.call(args.id, args.owner, doctor=doctor, key=hidden_key(args.owner, args.key))
    return await told_of(wishes, wish, args)


async def _done(desk: Desk, tasks: DoctorTasks, args: argparse.Namespace) -> Told:
    await tasks.done(args.id, args.owner)
    return Told({"done": args.id}, "done")


def _line(task: Task) -> str:
    since = datetime.fromtimestamp(task.at, UTC).strftime("%Y-%m-%d %H:%M")
    how = URGENCY[min(task.urgency, 2)] if task.kind == TaskKind.CALLBACK else "may be called"
    return f"{task.id}  {how:<13} since {since}  {task.patient}  {task.doctor or 'no doctor yet'}"


COMMANDS = {"list": _list, "call": _call, "done": _done}


def arguments(sub: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Of all commands."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="for machines")
    common.add_argument("--owner", default="hotline", help="whose bindings; callbacks are the hotline's")
    tasks = sub.add_parser("tasks", help="whom doctors should call: list, call, done").add_subparsers(
        dest="what", required=True, metavar="WHAT"
    )
    listing = tasks.add_parser("list", parents=[common], help="callbacks owed and live bindings, most urgent first")
    listing.add_argument("--doctor", default="", metavar="PARTY", help="only of this doctor; party id or number")
    call = tasks.add_parser("call", parents=[common], help="ring the doctor, then the patient")
    call.add_argument("id", metavar="ID", help='from "tasks list"')
    call.add_argument("--doctor", default="", metavar="PARTY", help="who calls back; party id or number")
    call.add_argument("--wait", action="store_true", help="tell every state until the call is over")
    call.add_argument("--key", default="", metavar="KEY", help="the same key again gives the same call")
    done = tasks.add_parser("done", parents=[common], help="a callback was made; a binding is closed")
    done.add_argument("id", metavar="ID")
