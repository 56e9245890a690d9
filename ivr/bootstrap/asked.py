"""Commands on the open room of masking: an answer for people or machines, or a refusal with a code and a field."""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from config.settings import Settings
from ivr.bootstrap.doors import open_masking
from ivr.bootstrap.places import places, prepare
from masking.desk import Desk
from masking.port import MaskingRefused
from records.keys import keys_from_folder

BAD_INPUT = 2


@dataclass(frozen=True, slots=True)
class Told:
    """An answer."""

    value: object
    """For machines."""
    text: str
    """For people."""
    code: int = 0
    """Exit code; 1 where it was done and came out badly."""


Command = Callable[[Desk, argparse.Namespace], Awaitable[Told]]


def ask(args: argparse.Namespace, work: Callable[[], Awaitable[Told]]) -> int:
    """Carry out and print; 2 with one sentence, a stable code and the field where it was refused."""

    async def awaited() -> Told:
        return await work()

    try:
        told = asyncio.run(awaited())
    except MaskingRefused as refused:
        return _refused(args, refused.code, refused.field, str(refused))
    print(json.dumps(told.value, indent=2) if args.json else told.text)
    return told.code


def _refused(args: argparse.Namespace, code: str, field: str, message: str) -> int:
    if args.json:
        print(json.dumps({"error": {"code": str(code), "field": field, "message": message}}))
    print(f"error: {message} ({code}, {field})", file=sys.stderr)
    return BAD_INPUT


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Desk]:
    """The room of this installation, for one command. Raises the rooms' errors."""
    where = places(settings)
    prepare(where)
    desk = open_masking(settings, where, keys_from_folder(where.keys))
    try:
        yield desk
    finally:
        desk.close()
