"""Records, vault, routing and line break in turn, and hang where they can: the caller reaches a human, or is told the
truth."""

import asyncio

import pytest

from ivr.call.state import State
from ivr.ports import LegGone, LineError, Sink
from ivr.session import Session
from masking.memory import MemoryMasking
from masking.port import MaskingUnavailable, Party, PhoneNumber
from records.memory import MemoryJournal
from records.port import Entry, JournalUnavailable
from routing.memory import StaticRouter
from routing.port import RingStep, RouteRequest
from tests.calls.broken import BrokenJournal, Bug, NotingJournal, NotingLine, Order, SlowJournal
from tests.calls.parts import roster
from tests.calls.people import NEVER, TAKES, during, hangs_up, presses
from tests.calls.runner import CALL, hold
from tests.calls.world import World

ZERO = presses("0")
LEAVES = hangs_up(during(State.BRIDGED, 1))


# Records and vault ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("journal", [BrokenJournal(), SlowJournal()])
def test_a_call_goes_on_without_its_journal(journal: SlowJournal) -> None:
    held = hold(World(journal=journal, acts=(ZERO, LEAVES)))
    assert held.over
    assert held.bridged


class BuggyJournal(MemoryJournal):
    """Fails in a way that its door does not know."""

    async def append(self, entry: Entry) -> None:
        """Raises."""
        raise Bug


class BuggyMasking(MemoryMasking):
    """The same for the vault."""

    async def party(self, caller: PhoneNumber | None) -> Party:
        """Raises."""
        raise Bug


class ClosedMasking(MemoryMasking):
    """A vault that cannot be read."""

    async def party(self, caller: PhoneNumber | None) -> Party:
        """Raises MaskingUnavailable."""
        raise MaskingUnavailable


def test_a_mistake_in_the_journal_costs_the_journal_only() -> None:
    assert hold(World(journal=BuggyJournal(), acts=(ZERO, LEAVES))).bridged


@pytest.mark.parametrize("vault", [BuggyMasking(), ClosedMasking()])
def test_without_the_vault_the_call_goes_on_and_no_callback_is_offered(vault: MemoryMasking) -> None:
    assert hold(World(masking=vault, acts=(ZERO, LEAVES))).bridged
    held = hold(World(masking=vault, nurses={"n": (NEVER,)}, acts=(ZERO,)))
    assert held.said[-1] == "call.callback_impossible"


def test_events_are_journalled_before_they_act() -> None:
    order = Order()
    held = hold(World(journal=NotingJournal(order), around=lambda line: NotingLine(line, order), acts=(ZERO, LEAVES)))
    assert held.bridged
    seen = order.seen
    for event, act in (
        ("CallArrived", "answer"),
        ("PlanReady", "dial"),
        ("AgentDigit", "bridge"),
        ("HungUp", "hang_up"),
    ):
        assert seen.index(event) < seen.index(act)


# Routing and the line ------------------------------------------------------------------------------------------


class LostRouter(StaticRouter):
    """A router that cannot plan."""

    async def plan(self, request: RouteRequest) -> tuple[RingStep, ...]:
        """Raises."""
        raise Bug


class StuckRouter(StaticRouter):
    """A router that never answers."""

    async def plan(self, request: RouteRequest) -> tuple[RingStep, ...]:
        """Hangs."""
        await asyncio.Event().wait()
        return ()


@pytest.mark.parametrize("router", [LostRouter(roster("n")), StuckRouter(roster("n"))])
def test_without_routing_the_caller_is_told_and_offered_a_callback(router: StaticRouter) -> None:
    held = hold(World(router=router, acts=(ZERO, presses("1", during(State.OFFERING, 1)))))
    assert "call.nobody" in held.said
    assert "call.callback_noted" in held.said
    assert held.outcome == "callback"


class NoSlots(NotingLine):
    """A line with no slot left for agents."""

    async def dial(self, address: str, shown: str, sink: Sink) -> str:
        """Raises LineError."""
        raise LineError("no free slot")


def test_a_line_that_cannot_dial_ends_in_a_callback() -> None:
    held = hold(World(around=lambda line: NoSlots(line, Order()), acts=(ZERO, presses("1", during(State.OFFERING, 1)))))
    assert held.outcome == "callback"


class FirstBridgeFails(NotingLine):
    """Joins at the second try."""

    failed = False

    async def bridge(self, one: str, other: str) -> None:
        """Raises LineError once."""
        if not self.failed:
            self.failed = True
            raise LineError("a leg is gone")
        await super().bridge(one, other)


def test_a_bridge_that_fails_is_tried_with_another_agent() -> None:
    held = hold(
        World(around=lambda line: FirstBridgeFails(line, Order()), acts=(ZERO, hangs_up(during(State.BRIDGED, 3))))
    )
    assert held.kinds.count("BridgeFailed") == 1
    assert held.bridged


class LateHangUps(NotingLine):
    """Says that a leg is gone a moment after it was hung up, as SIP does."""

    async def dial(self, address: str, shown: str, sink: Sink) -> str:
        """The end of the leg is told late."""

        def late(event: object) -> None:
            if isinstance(event, LegGone):
                asyncio.get_running_loop().call_later(0.005, sink, event)
            else:
                sink(event)  # type: ignore[arg-type]

        return await super().dial(address, shown, late)


def test_an_agent_who_is_rung_twice_stays_reserved_when_the_first_leg_ends_late() -> None:
    router = StaticRouter(roster("one", "two"))
    nurses = {"one": (NEVER,), "two": (NEVER, TAKES)}
    held_by: list[str] = []

    def note(session: Session) -> None:
        if session.call.state is State.BRIDGED:
            held_by.append(router._holders.get("two", "nobody"))

    world = World(
        nurses=nurses,
        router=router,
        around=lambda line: LateHangUps(line, Order()),
        meanwhile=note,
        patience=0.05,
        acts=(ZERO, hangs_up(during(State.BRIDGED, 2))),
    )
    held = hold(world)
    assert held.bridged
    assert held_by[:50] == [CALL] * 50, "another call could have rung the agent who is talking"
    assert router._holders == {}


class BuggyOnce(NotingLine):
    """Breaks in the middle of a step."""

    broken = False

    async def dial(self, address: str, shown: str, sink: Sink) -> str:
        """Raises once."""
        if not self.broken:
            self.broken = True
            raise Bug
        return await super().dial(address, shown, sink)


def test_a_mistake_while_ringing_ends_at_the_next_human() -> None:
    world = World(
        nurses={"one": (TAKES,), "two": (TAKES,)}, around=lambda line: BuggyOnce(line, Order()), acts=(ZERO, LEAVES)
    )
    assert hold(world).bridged


class LateJournal(MemoryJournal):
    """Locked by another process when the call ends."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0

    async def close_call(self, call: str, at: float, outcome: str) -> None:
        """Raises JournalUnavailable twice."""
        if self.refused < 2:
            self.refused += 1
            raise JournalUnavailable
        await super().close_call(call, at, outcome)


def test_the_end_of_a_call_is_noted_when_the_journal_is_back() -> None:
    journal = LateJournal()
    assert hold(World(journal=journal, acts=(ZERO, LEAVES))).bridged
    (kept,) = asyncio.run(journal.list())
    assert journal.refused == 2
    assert kept.ended is not None
