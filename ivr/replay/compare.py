"""What is different between a call as it was and as it would be now, and what of it is an alarm. Pure."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from ivr.replay.story import Rank, Story

LATE_SECONDS = 1.0
"""How much later in the caller's words a red flag may come before it is an alarm."""
_NAMES = {
    "heard": "heard",
    "asked": "questions",
    "flags": "red flags",
    "rank": "urgency",
    "level": "level",
    "department": "department",
    "complaint": "complaint",
    "reasons": "reasons",
    "human": "human sought",
    "bridged": "human reached",
    "path": "path",
    "troubles": "troubles",
    "outcome": "outcome",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it was."""

    what: str
    """Field of the story, in words."""
    before: Any
    """Then."""
    after: Any
    """Now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One replayed call."""

    before: Story
    """As it was."""
    after: Story
    """As it is now."""
    differences: tuple[Difference, ...]
    """What is not as it was."""
    alarms: tuple[str, ...]
    """Differences that may hurt a caller, one sentence each."""
    unsaid: tuple[str, ...]
    """Sentences to which the caller had an answer, and which did not come now."""

    @property
    def safe(self) -> bool:
        """Whether there is no alarm."""
        return not self.alarms


def compare(
    before: Story, after: Story, *, unsaid: tuple[str, ...] = (), overlong: bool = False, late: float = LATE_SECONDS
) -> Verdict:
    """Then and now. `late`: seconds by which a red flag may come later."""
    found = tuple(
        Difference(what=_NAMES[one.name], before=_shown(one.name, before), after=_shown(one.name, after))
        for one in fields(Story)
        if _differs(one.name, before, after, late)
    )
    alarms = (*_less_urgent(before, after), *_flags(before, after, late))
    if overlong:
        alarms = (*alarms, "the call did not come to an end")
    return Verdict(before=before, after=after, differences=found, alarms=alarms, unsaid=unsaid)


def as_data(verdict: Verdict) -> dict[str, Any]:
    """For JSON; the same verdict gives the same bytes."""
    data = asdict(verdict)
    for name in ("before", "after"):
        data[name]["rank"] = getattr(verdict, name).rank.name.lower()
    return {"safe": verdict.safe, **data}


def _differs(name: str, before: Story, after: Story, late: float) -> bool:
    if name != "flags":
        return bool(getattr(before, name) != getattr(after, name))
    rules = [one.rule for one in before.flags] != [one.rule for one in after.flags]
    return rules or any(abs(gap) > late for _, gap in _gaps(before, after))


def _shown(name: str, told: Story) -> Any:
    value = getattr(told, name)
    if name == "flags":
        return tuple(f"{one.rule} at {one.at:.1f} s" for one in value)
    return value.name.lower() if isinstance(value, Rank) else value


def _less_urgent(before: Story, after: Story) -> tuple[str, ...]:
    found = []
    if before.rank >= Rank.URGENT and after.rank < before.rank:
        found.append(f"the call was taken for {before.rank.name.lower()} and is now taken for {_word(after.rank)}")
    if before.level in ("emergency", "urgent") and after.level not in ("emergency", before.level) and not after.flags:
        found.append(f"the triage said {before.level} and now says {after.level or 'nothing'}")
    if before.human and not after.human:
        found.append("a human was sought and is not sought now")
    return tuple(found)


def _word(rank: Rank) -> str:
    return {Rank.NOTHING: "not urgent", Rank.HUMAN: "not urgent, though a human is sought"}.get(
        rank, rank.name.lower()
    )


def _flags(before: Story, after: Story, late: float) -> tuple[str, ...]:
    rules = {one.rule for one in after.flags}
    missing = tuple(f"the red flag {one.rule} is missing" for one in before.flags if one.rule not in rules)
    behind = tuple(
        f"the red flag {rule} comes {gap:.1f} s later in the caller's words"
        for rule, gap in _gaps(before, after)
        if gap > late
    )
    return (*missing, *behind)


def _gaps(before: Story, after: Story) -> tuple[tuple[str, float], ...]:
    """How much later each red flag comes that is raised both times."""
    now = {one.rule: one.at for one in reversed(after.flags)}
    return tuple((one.rule, round(now[one.rule] - one.at, 2)) for one in before.flags if one.rule in now)
