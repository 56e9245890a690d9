"""In which order phones ring. Pure."""

from collections.abc import Collection, Iterable, Sequence

from routing.port import Agent, RingStep, RouteRequest, Urgency

SINGLE_SECONDS = 15.0
"""How long one agent's phone rings alone: three or four rings."""
GROUP_SECONDS = 20.0
"""How long everybody's phones ring together."""
ON_CALL_SECONDS = 30.0
"""On-call people are woken up by it."""
MOST_SINGLES = {Urgency.EMERGENCY: 2, Urgency.URGENT: 3, Urgency.NORMAL: 4}
"""Phones rung one after the other before the whole group: the more urgent, the sooner everybody hears it."""


def plan(
    agents: Sequence[Agent], request: RouteRequest, *, away: Collection[str], held: Collection[str]
) -> tuple[RingStep, ...]:
    """Single agents, then the whole group together, then the on-call phones; for an emergency, those who are away last.

    Agents who speak the language and know the department come first, then those who only speak the language, then the
    rest: a nurse without the caller's language is better than nobody. `away` and `held` are agent ids; those `held` by
    other calls are left out, except on call, where the reservation is tried again when it is their turn. No phone is
    twice in one step.
    """
    group = [one for one in agents if not one.on_call and one.id not in held]
    present = _distinct(sorted((one for one in group if one.id not in away), key=lambda one: _rank(one, request)))
    steps = [_step((one,), SINGLE_SECONDS, "agent") for one in present[: MOST_SINGLES[request.urgency]]]
    if len(present) > 1:  # ringing the only one a second time would just delay the next step
        steps.append(_step(present, GROUP_SECONDS, "group"))
    on_call = _distinct(one for one in agents if one.on_call)
    if on_call:
        steps.append(_step(on_call, ON_CALL_SECONDS, "on_call"))
    absent = _distinct(one for one in group if one.id in away)
    if absent and request.urgency is Urgency.EMERGENCY:
        steps.append(_step(absent, ON_CALL_SECONDS, "group"))
    return tuple(steps)


def _rank(agent: Agent, request: RouteRequest) -> int:
    """0 fits best; sorting is stable, so the roster's order decides among equals."""
    speaks = request.language in agent.languages
    knows = not request.department or not agent.skills or request.department in agent.skills
    return (0 if speaks else 2) + (0 if knows else 1)


def _step(agents: tuple[Agent, ...], seconds: float, name: str) -> RingStep:
    return RingStep(agents=agents, seconds=seconds, name=name)


def _distinct(agents: Iterable[Agent]) -> tuple[Agent, ...]:
    """The first agent of every phone: two people may share one."""
    phones: dict[str, Agent] = {}
    for agent in agents:
        phones.setdefault(agent.address.lower(), agent)
    return tuple(phones.values())
