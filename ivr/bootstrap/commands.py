"""What each command of `triageline` does."""

import argparse
import asyncio
import getpass
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from asr_models import commands as model_commands
from asr_models.errors import ModelError
from config.settings import Settings, SettingsError, load
from dialogs.menu_tree import MenuError
from dialogs.prompts import PromptsError
from dialogs.red_flags import RulesError
from ivr.bootstrap import checks, looking, masking, replay, tasks, tokens, up, workers
from ivr.bootstrap.doors import configured_model, make_prompts, make_voice, open_masking
from ivr.bootstrap.passwords import change_password
from ivr.bootstrap.places import Places, places, prepare
from ivr.bootstrap.said import said
from ivr.bootstrap.work import work
from ivr.edge.rpc import EdgeError
from ivr.ports import LineError, VoiceError
from ivr.supervise import SuperviseError
from ivr.voices.cache import warm
from masking.port import MaskingUnavailable
from records import database as records_database
from records import show
from records.callbacks_sql import SqlCallbacks
from records.journal_sql import SqlJournal
from records.keys import KeyRefused, keys_from_folder
from records.port import JournalUnavailable
from records.store import Store
from routing.agents import AgentsRefused, load_agents
from routing.port import Presence, PresenceUnavailable
from routing.processes import RedisMissing, redis_command
from routing.service import RedisBook
from routing.store import AgentStore

T = TypeVar("T")


class Refused(Exception):
    """The command cannot be done; one sentence for the operator."""


ONE_SENTENCE = (
    SettingsError, AgentsRefused, KeyRefused, RedisMissing, LineError, VoiceError, SuperviseError, JournalUnavailable,
    EdgeError,
    MaskingUnavailable, PresenceUnavailable, PromptsError, RulesError, MenuError, ModelError,
    looking.NothingRuns,
)  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Carry out a parsed command line; the exit code. Raises Refused."""
    logging.getLogger().addHandler(logging.NullHandler())  # a command says one sentence; only the worker logs
    try:
        settings = load(args.config)
        return COMMANDS[args.command](settings, args)
    except ONE_SENTENCE as error:
        raise Refused(str(error)) from error
    except OSError as error:
        raise Refused(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")) from error


def _worker(settings: Settings, args: argparse.Namespace) -> int:
    return asyncio.run(work(settings, args.rasa_port, args.redis, args.name))


def _up(settings: Settings, args: argparse.Namespace) -> int:
    if args.workers:
        hotline = settings.hotline.model_copy(update={"workers": args.workers})
        settings = settings.model_copy(update={"hotline": hotline})
    return up.run(settings, partial(print, flush=True))


def _workers(settings: Settings, args: argparse.Namespace) -> int:
    where, say = places(settings), partial(print, flush=True)
    if args.what == "list":
        say(workers.listing(where))
        return 0
    return workers.restart(where, args.name, say, seconds=settings.hotline.restart_seconds)


def _warm(settings: Settings, args: argparse.Namespace) -> int:
    where = places(settings)
    prepare(where)
    sentences = make_prompts(settings, where.root).fixed(settings.hotline.language)
    failed = asyncio.run(warm(make_voice(settings, where).unhurried(), sentences))
    print(f"{len(sentences) - failed} of {len(sentences)} sentences are ready")
    return 1 if failed else 0


def _check(settings: Settings, args: argparse.Namespace) -> int:
    return checks.run(settings, print)


def _models(settings: Settings, args: argparse.Namespace) -> int:
    return model_commands.run(
        args.rest,
        root=places(settings).models,
        mirror=settings.speech.mirror or None,
        configured=configured_model(settings),
        language=settings.hotline.language,
        texts=lambda language: said(places(settings).root, language),
    )


def _with_store(settings: Settings, use: Callable[[Places, Store], Coroutine[Any, Any, T]]) -> T:
    """Open the database for one command."""
    where = places(settings)
    prepare(where)
    store = Store(records_database.prepare(where.database))
    try:
        return asyncio.run(use(where, store))
    finally:
        store.close()


def _calls(settings: Settings, args: argparse.Namespace) -> int:
    if args.what in CALLS_ON_TAPE:
        try:
            return CALLS_ON_TAPE[args.what](settings, args)
        except replay.ReplayRefused as error:
            raise Refused(str(error)) from error

    async def use(where: Places, store: Store) -> str:
        journal = SqlJournal(store, keys_from_folder(where.keys))
        if args.what == "list":
            return show.render_list(await journal.list(max(1, args.limit)))
        try:
            return show.render_call(await journal.read(args.call))
        except KeyError:
            raise Refused('there is no call with this id; "triageline calls list" shows the ids') from None

    print(_with_store(settings, use).rstrip("\n"))
    return 0


def _callbacks(settings: Settings, args: argparse.Namespace) -> int:
    async def use(where: Places, store: Store) -> str:
        callbacks = SqlCallbacks(store)
        if args.what == "list":
            return show.render_callbacks(await callbacks.open())
        found = [one for one in await callbacks.open() if one.id == args.id]
        if not found:
            raise Refused('there is no open callback with this id; "triageline callbacks list" shows the ids')
        if args.what == "done":
            await callbacks.done(args.id)
            return "done"
        return await _number(settings, where, found[0].party, args.reason)

    print(_with_store(settings, use).rstrip("\n"))
    return 0


async def _number(settings: Settings, where: Places, party: str, reason: str) -> str:
    """The number behind a callback: the one place where the command line shows one, audited before it is shown."""
    desk = open_masking(settings, where, keys_from_folder(where.keys))
    try:
        return (await desk.vault.reveal(party, reason=reason, actor=getpass.getuser())).reveal()
    except (KeyError, ValueError):
        raise Refused("the vault holds no number for this callback, or the reason is empty") from None
    finally:
        desk.close()


def _agents(settings: Settings, args: argparse.Namespace) -> int:
    if args.what == "password":
        print(change_password(settings, args.agent, from_stdin=args.stdin, remove=args.remove))
        return 0

    async def use() -> str:
        where = places(settings)
        roster = load_agents(where.agents)
        store = AgentStore(redis_command(where.run / "redis", where.run).url)
        book = RedisBook(roster, store)
        try:
            if args.what == "list":
                found = await book.list()
                return "\n".join(f"{agent.id:<16} {said:<10} {call}".rstrip() for agent, said, call in found)
            await book.set(args.agent, Presence(args.presence))
        except KeyError:
            raise Refused(f"there is no agent {args.agent} in {where.agents}") from None
        except PresenceUnavailable:
            raise Refused("presence can be changed only while the hotline runs; start it with scripts/run") from None
        finally:
            await store.close()
        return f"{args.agent} is {args.presence}"

    print(asyncio.run(use()))
    return 0


def _top(settings: Settings, args: argparse.Namespace) -> int:
    return looking.top(settings, once=args.once, as_json=args.json)


def _logs(settings: Settings, args: argparse.Namespace) -> int:
    return looking.logs(settings, call=args.call, follow=args.follow, out=partial(print, flush=True))


CALLS_ON_TAPE: dict[str, Callable[[Settings, argparse.Namespace], int]] = {
    "tapes": replay.tapes,
    "replay": replay.run,
}
COMMANDS: dict[str, Callable[[Settings, argparse.Namespace], int]] = {
    "worker": _worker,
    "up": _up,
    "warm": _warm,
    "check": _check,
    "models": _models,
    "calls": _calls,
    "callbacks": _callbacks,
    "agents": _agents,
    "workers": _workers,
    "top": _top,
    "logs": _logs,
    "masking": masking.run,
    "tasks": tasks.run,
    "tokens": tokens.run,
}
