"""Every part breaks in turn, and hangs where it can: the caller reaches a human, or is told the truth."""

import asyncio
from dataclasses import dataclass, field

import pytest

from asr_models.port import Transcript
from asr_models.scripted import ScriptedRecogniser
from dialogs.fallback import FallbackDialogue
from dialogs.port import Heard, Prompt, Turn
from dialogs.scripted import ScriptedDialogue, Trouble
from ivr.call.state import State
from ivr.lines.wav import WavLine
from ivr.ports import LegGone, LineError, Sink
from ivr.session import Session
from ivr.voices.silent import FailingVoice
from masking.memory import MemoryMasking
from masking.port import MaskingUnavailable, Party, PhoneNumber
from records.memory import MemoryJournal
from records.port import Entry
from routing.memory import StaticRouter
from routing.port import RingStep, RouteRequest
from tests.calls.support import (
    CALL,
    COMPLAINT,
    INTERVIEW,
    NEVER,
    TAKES,
    Act,
    BrokenJournal,
    SlowJournal,
    World,
    during,
    hangs_up,
    hold,
    menu,
    presses,
    roster,
    says,
)

ZERO, RASH = presses("0"), says("i have a rash")
LEAVES = hangs_up(during(State.BRIDGED, 1))


# Records and vault ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("journal", [BrokenJournal(), SlowJournal()])
def test_a_call_goes_on_without_its_journal(journal: SlowJournal) -> None:
    held = hold(World(journal=journal, acts=(ZERO, LEAVES)))
    assert held.over
    assert held.bridged


class Bug(RuntimeError):
    """A mistake that nobody foresaw."""


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


@dataclass(slots=True)
class Order:
    """What was journalled and what was done, in one list."""

    seen: list[str] = field(default_factory=list)


class NotingJournal(MemoryJournal):
    """Writes into the order, a little late, as a disk does."""

    def __init__(self, order: Order) -> None:
        super().__init__()
        self._order = order

    async def append(self, entry: Entry) -> None:
        """Noted when it is durable."""
        await asyncio.sleep(0)
        await super().append(entry)
        self._order.seen.append(entry.kind)


class NotingLine:
    """Writes into the order what the line is told."""

    def __init__(self, line: WavLine, order: Order) -> None:
        self._line = line
        self._order = order

    async def answer(self, leg: str, sink: Sink) -> None:
        """As inside."""
        self._order.seen.append("answer")
        await self._line.answer(leg, sink)

    async def refuse(self, leg: str, code: int) -> None:
        """As inside."""
        await self._line.refuse(leg, code)

    async def dial(self, address: str, shown: str, sink: Sink) -> str:
        """As inside."""
        self._order.seen.append("dial")
        return await self._line.dial(address, shown, sink)

    async def hang_up(self, leg: str) -> None:
        """As inside."""
        self._order.seen.append("hang_up")
        await self._line.hang_up(leg)

    async def bridge(self, one: str, other: str) -> None:
        """As inside."""
        self._order.seen.append("bridge")
        await self._line.bridge(one, other)


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


# Voice ---------------------------------------------------------------------------------------------------------


def test_without_any_voice_the_caller_hears_tones_and_reaches_a_human() -> None:
    held = hold(World(voice=FailingVoice(), acts=(hangs_up(during(State.BRIDGED, 1)),)))
    assert held.bridged
    assert any(frame.heard for frame in held.caller.frames)


def test_a_voice_that_breaks_in_mid_call_leads_to_a_human() -> None:
    held = hold(World(voice=FailingVoice(good=2), acts=(RASH, hangs_up(during(State.BRIDGED, 1)))))
    assert held.bridged


def test_somebody_who_waits_without_a_voice_does_not_hear_a_machine_gun() -> None:
    held = hold(World(voice=FailingVoice(), nurses={"n": (NEVER,)}, acts=(hangs_up(during(State.SEEKING, 10)),)))
    assert held.kinds.count("Said") <= 5


# Ears ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["stream", "feed", "finish"])
def test_a_recogniser_that_fails_leads_to_the_keys_and_by_them_to_a_human(where: str) -> None:
    failing = Act(words="i have a rash", fails=where)  # type: ignore[arg-type]
    acts = (failing, presses("1"), LEAVES)
    held = hold(World(acts=acts))
    assert held.said[2:4] == ["call.keys_instead", "menu.first"]
    assert "red_flag.dial" in held.said
    assert held.bridged


@pytest.mark.parametrize("where", ["stream", "feed", "finish"])
def test_a_recogniser_that_goes_on_failing_leaves_nobody_waiting(where: str) -> None:
    failing = tuple(Act(words="i have a rash", fails=where) for _ in range(6))  # type: ignore[arg-type]
    held = hold(World(acts=(*failing, hangs_up(during(State.BRIDGED, 1)))), seconds=300)
    assert held.over
    assert held.bridged


def test_without_ears_the_keys_lead() -> None:
    held = hold(World(deaf=True, acts=(presses("3"), presses("1"), presses("2"))))
    assert "menu.first" in held.said
    assert held.outcome == "advised"


class BuggyEars(ScriptedRecogniser):
    """A stream that fails in a way that its door does not know."""

    def stream(self, hints: tuple[str, ...] = ()) -> "BuggyStream":  # type: ignore[override]
        """One that breaks."""
        return BuggyStream()


class BuggyStream:
    """Breaks."""

    async def feed(self, pcm: bytes) -> Transcript | None:
        """Raises."""
        raise Bug

    async def finish(self) -> Transcript:
        """Raises."""
        raise Bug

    def close(self) -> None:
        """Nothing."""


def test_a_mistake_in_the_ears_costs_the_ears_only() -> None:
    held = hold(World(recogniser=BuggyEars(), acts=(RASH, presses("0"), LEAVES)))
    assert held.bridged


# Dialogue ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [Trouble.FAIL, Trouble.HANG])
@pytest.mark.parametrize("script", [0, 1, 2])
def test_a_dialogue_that_fails_or_hangs_gives_way_to_the_keypad_menu(trouble: Trouble, script: int) -> None:
    talk = FallbackDialogue(ScriptedDialogue((*INTERVIEW[:script], trouble)), menu(), seconds=0.02)
    held = hold(World(talk=talk, acts=(*(RASH, says("forty"))[:script], presses("1"), LEAVES)))
    assert held.said.index("call.keys_instead") + 1 == held.said.index("menu.first")
    assert "red_flag.dial" in held.said, "the first key of the menu is the emergency"
    assert held.bridged


@pytest.mark.parametrize("script", [0, 1, 2])
def test_when_both_dialogues_fail_a_human_takes_over(script: int) -> None:
    talk = FallbackDialogue(ScriptedDialogue((*INTERVIEW[:script], Trouble.FAIL)), ScriptedDialogue((Trouble.FAIL,)))
    held = hold(World(talk=talk, acts=(*(RASH, says("forty"))[:script], LEAVES)))
    assert "call.trouble" in held.said
    assert held.bridged


def test_a_dialogue_without_any_bound_ends_at_a_human() -> None:
    talk = ScriptedDialogue((COMPLAINT, Trouble.HANG))
    held = hold(World(talk=talk, acts=(RASH, LEAVES), patience=0.003))
    assert held.said[2:4] == ["call.filler", "call.trouble"]
    assert held.bridged


class BuggyDialogue(ScriptedDialogue):
    """Fails in a way that its door does not know."""

    async def hear(self, call: str, heard: Heard) -> Turn:
        """Raises."""
        raise Bug


def test_a_mistake_in_the_dialogue_ends_at_a_human() -> None:
    held = hold(World(talk=BuggyDialogue((COMPLAINT,)), acts=(RASH, LEAVES)))
    assert held.bridged


def test_a_sentence_that_does_not_exist_ends_at_a_human() -> None:
    lost = Turn(say=(Prompt(key="ask.no_such_sentence"),), question=COMPLAINT.question)
    held = hold(World(talk=ScriptedDialogue((lost,)), acts=(LEAVES,)))
    assert held.bridged


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
