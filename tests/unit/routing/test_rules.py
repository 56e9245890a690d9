"""The order in which phones ring."""

from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st

from routing.port import Agent, RingStep, RouteRequest, Urgency
from routing.rules import MOST_SINGLES, plan


def agent(id: str, *, languages: str = "en", skills: str = "", on_call: bool = False, address: str = "") -> Agent:
    return Agent(
        id=id,
        address=address or f"sip:{id}@127.0.0.1",
        languages=tuple(languages.split()),
        skills=tuple(skills.split()),
        on_call=on_call,
    )


A, B, C, CALL = agent("a"), agent("b"), agent("c"), agent("call", on_call=True)


def ask(urgency: Urgency = Urgency.NORMAL, department: str = "", language: str = "en") -> RouteRequest:
    return RouteRequest(call="x", urgency=urgency, department=department, language=language)


def shape(steps: tuple[RingStep, ...]) -> list[tuple[str, str]]:
    return [(step.name, " ".join(one.id for one in step.agents)) for step in steps]


def test_singles_then_group_then_on_call() -> None:
    steps = plan([A, B, CALL], ask(), away=(), held=())
    assert shape(steps) == [("agent", "a"), ("agent", "b"), ("group", "a b"), ("on_call", "call")]
    assert [step.seconds for step in steps[:2]] == [15.0, 15.0]


def test_an_emergency_waits_for_two_singles_at_most() -> None:
    many = [agent(f"n{number}") for number in range(6)]
    for urgency, singles in ((Urgency.EMERGENCY, 2), (Urgency.URGENT, 3), (Urgency.NORMAL, 4)):
        names = [name for name, _ in shape(plan([*many, CALL], ask(urgency), away=(), held=()))]
        assert names == ["agent"] * singles + ["group", "on_call"]


def test_language_counts_before_department_and_the_rest_comes_last() -> None:
    agents = [
        agent("rest", languages="de", skills="heart"),
        agent("speaks", skills="heart"),
        agent("both", skills="skin"),
        agent("any"),
    ]
    steps = plan(agents, ask(department="skin"), away=(), held=())
    assert [who for name, who in shape(steps) if name == "agent"] == ["both", "any", "speaks", "rest"]


def test_those_in_other_calls_are_left_out_but_on_call_phones_are_tried() -> None:
    assert shape(plan([A, B, CALL], ask(), away=(), held={"a", "call"})) == [("agent", "b"), ("on_call", "call")]


def test_away_agents_are_rung_only_for_an_emergency_and_last() -> None:
    assert shape(plan([A, B, CALL], ask(), away={"a"}, held=())) == [("agent", "b"), ("on_call", "call")]
    emergency = shape(plan([A, B, CALL], ask(Urgency.EMERGENCY), away={"a"}, held=()))
    assert emergency == [("agent", "b"), ("on_call", "call"), ("group", "a")]


def test_on_call_rings_whatever_the_presence() -> None:
    assert shape(plan([CALL], ask(), away={"call"}, held=())) == [("on_call", "call")]


def test_nobody_is_an_empty_plan() -> None:
    assert plan([], ask(Urgency.EMERGENCY), away=(), held=()) == ()
    assert plan([A], ask(), away={"a"}, held=()) == ()


def test_two_people_at_one_phone_ring_it_once() -> None:
    twin = agent("twin", address=A.address.upper())
    assert shape(plan([A, twin, B], ask(), away=(), held=())) == [("agent", "a"), ("agent", "b"), ("group", "a b")]


ids = st.sampled_from("abcdef")
agents_lists = st.lists(
    st.builds(agent, ids, languages=st.sampled_from(["en", "de", "en de"]), skills=st.sampled_from(["", "skin"]),
              on_call=st.booleans()),
    max_size=8, unique_by=lambda one: one.id,
)  # fmt: skip


@given(
    agents=agents_lists,
    urgency=st.sampled_from(Urgency),
    away=st.sets(ids),
    held=st.sets(ids),
    language=st.sampled_from(["en", "de"]),
)
def test_every_plan_keeps_the_promises(
    agents: list[Agent], urgency: Urgency, away: Collection[str], held: Collection[str], language: str
) -> None:
    steps = plan(agents, ask(urgency, "skin", language), away=away, held=held)
    rung = {one.id for step in steps for one in step.agents}
    for step in steps:
        assert step.agents
        assert len({one.address for one in step.agents}) == len(step.agents)
        assert step.seconds > 0
    free = {one.id for one in agents if not one.on_call and one.id not in held}
    due = {one.id for one in agents if one.on_call} | {id for id in free if id not in away}
    assert due <= rung
    assert rung == (due | free if urgency is Urgency.EMERGENCY else due)
    assert sum(step.name == "agent" for step in steps) <= MOST_SINGLES[urgency]
    absent = [
        number for number, step in enumerate(steps) if any(one.id in away and not one.on_call for one in step.agents)
    ]
    assert absent in ([], [len(steps) - 1])
