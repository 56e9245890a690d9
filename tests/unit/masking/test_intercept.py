"""An owner's hook before a call: whatever goes wrong, a human takes the caller and never the other party."""

import asyncio
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from masking.hooks_sql import Target
from masking.intercept import FAILURES, REST, HookIntercept
from masking.memory_diary import MemoryDiary
from masking.port import Decision, Event, Happened, MaskingUnavailable, PreCall
from masking.poster import Poster
from masking.signing import Verifier, new_secret
from tests.contract.desk_rigs import Clock
from tests.unit.masking.hook_rig import HERE, PLAIN
from tests.unit.masking.receiver import Got, Receiver, receiver

KEY = new_secret()
CALL = PreCall(
    call="call-x", binding="binding-a", owner="hotline", caller="party-a", callee="party-b", by_code=False
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Book:
    """Hooks by owner."""

    url: str
    broken: bool = False

    async def intercept(self, owner: str) -> Target | None:
        if self.broken:
            raise MaskingUnavailable("no database")
        return Target(hook="hook-a", url=self.url, keys=(KEY,)) if owner == "hotline" else None


@dataclass(slots=True, kw_only=True)
class Full:
    """A diary that takes nothing."""

    asked: int = 0

    async def tell(self, event: Event) -> None:
        self.asked += 1
        raise MaskingUnavailable("full")


@dataclass(slots=True, kw_only=True)
class Desk:
    """One process's intercept."""

    book: Book
    diary: MemoryDiary = field(default_factory=MemoryDiary)
    clock: Clock = field(default_factory=Clock)
    seconds: float = 5.0

    def ask(self, count: int = 1, call: PreCall = CALL, between: Callable[[], None] = lambda: None) -> list[Decision]:
        async def run() -> list[Decision]:
            poster = Poster(networks=HERE, context=PLAIN)
            hook = HookIntercept(self.book, poster, self.diary, clock=self.clock, now=self.clock, seconds=self.seconds)
            said = []
            for _ in range(count):
                said.append(await hook.ask(call))
                between()
            await hook.close()
            await poster.close()
            return said

        return asyncio.run(run())

    def why(self) -> list[object]:
        return [one.event.data["why"] for one in self.diary.written]


def answers(status: int, body: bytes) -> Callable[[Got], tuple[int, bytes]]:
    return lambda got: (status, body)


def desk(server: Receiver) -> Desk:
    return Desk(book=Book(url=server.url))


@pytest.mark.parametrize("decision", list(Decision))
def test_the_hook_decides_and_is_asked_with_a_signature(decision: Decision) -> None:
    with receiver() as server:
        server.answer = answers(200, json.dumps({"decision": decision}).encode())
        asked = desk(server)
        assert asked.ask(2) == [decision, decision]
        verifier = Verifier((KEY,), asked.clock)
        for got in server.got:
            verifier.check(got.headers["triageline-signature"], got.body)
        said = json.loads(server.got[0].body)
        assert {name: said[name] for name in ("kind", "call", "binding", "caller", "callee", "by_code")} == {
            "kind": "call.intercept", "call": "call-x", "binding": "binding-a", "caller": "party-a",
            "callee": "party-b", "by_code": False,
        }  # fmt: skip
        assert asked.diary.written == []


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, b"", "bad_answer"),
        (200, b"connect", "bad_answer"),
        (200, b'"connect"', "bad_answer"),
        (200, b"[]", "bad_answer"),
        (200, b"{}", "bad_answer"),
        (200, b'{"decision": null}', "bad_answer"),
        (200, b'{"decision": ["connect"]}', "bad_answer"),
        (200, b'{"decision": "CONNECT"}', "bad_answer"),
        (200, b"[" * 3000, "bad_answer"),
        (200, b"\xff\xfe", "bad_answer"),
        (200, b'{"decision": "connect"}' + b" " * 5000, "too_long"),
        (201, b'{"decision": "connect"}', "201"),
        (302, b'{"decision": "connect"}', "302"),
        (403, b'{"decision": "connect"}', "403"),
        (500, b'{"decision": "connect"}', "500"),
    ],
)
def test_what_is_no_clear_answer_leads_to_a_human_and_is_told(status: int, body: bytes, why: str) -> None:
    with receiver() as server:
        server.answer = answers(status, body)
        asked = desk(server)
        assert asked.ask() == [Decision.OPERATOR]
        (told,) = asked.diary.written
        assert (told.event.kind, told.event.owner) == (Happened.INTERCEPT_FAILED, "hotline")
        assert told.event.data == {"call": "call-x", "hook": "hook-a", "why": why}


def test_a_hook_that_hangs_or_is_gone_leads_to_a_human() -> None:
    with receiver() as server:
        server.hang.clear()
        asked = desk(server)
        asked.seconds = 0.2
        assert asked.ask() == [Decision.OPERATOR]
        assert asked.why() == ["timeout"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = Desk(book=Book(url=f"http://127.0.0.1:{free.getsockname()[1]}/"))
        assert gone.ask() == [Decision.OPERATOR]
        assert gone.why() == ["connection"]


def test_a_hook_that_keeps_failing_is_left_alone_and_its_calls_go_to_a_human_at_once() -> None:
    with receiver() as server:
        server.answer = answers(500, b"")
        asked = desk(server)
        assert asked.ask(FAILURES + 4) == [Decision.OPERATOR] * (FAILURES + 4)
        assert len(server.got) == FAILURES == len(asked.diary.written)
        server.answer = answers(200, b'{"decision": "connect"}')
        fresh = desk(server)

        def later() -> None:
            fresh.clock.now += REST / 2

        server.answer = lambda got: (500, b"") if len(server.got) <= 2 * FAILURES else (200, b'{"decision":"connect"}')
        said = fresh.ask(FAILURES + 3, between=later)
        assert said[:FAILURES] == [Decision.OPERATOR] * FAILURES
        assert said[FAILURES] == Decision.OPERATOR  # resting, and not asked
        assert said[-1] == Decision.CONNECT


def test_without_a_hook_calls_are_connected_and_without_a_database_they_go_to_a_human() -> None:
    other = PreCall(call="c", binding="b", owner="another", caller="", callee="party-b", by_code=True)
    asked = Desk(book=Book(url="http://127.0.0.1:9/"))
    assert asked.ask(call=other) == [Decision.CONNECT]
    asked.book.broken = True
    assert asked.ask(call=other) == [Decision.OPERATOR]


def test_a_diary_that_takes_nothing_changes_no_decision() -> None:
    async def run() -> Decision:
        poster, diary = Poster(networks=HERE, context=PLAIN), Full()
        hook = HookIntercept(Book(url="http://127.0.0.1:9/"), poster, diary, clock=Clock(), now=Clock())
        said = await hook.ask(CALL)
        await hook.close()
        await poster.close()
        assert diary.asked == 1
        return said

    assert asyncio.run(run()) == Decision.OPERATOR
