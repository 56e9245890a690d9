"""The keypad menu: a Dialogue without network or model, the fallback when all else fails."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dialogs.menu_tree import End, MenuTree, MenuWords, Node
from dialogs.port import DialogueUnavailable, Expect, Handover, Heard, Level, Prompt, Question, TriageResult, Turn

HUMAN_KEY, REPEAT_KEY = "0", "*"
MOST_FAILURES = 2
"""Answers to one question that may fail before a human is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where one conversation stands."""

    language: str
    node: Node
    failures: int = 0
    closing: Turn | None = None
    """The last turn, once there is one; whatever comes later gets it again."""


class KeypadMenu:
    """Dialogue over a menu tree. Keys first; the spoken digit, yes and no do as well."""

    def __init__(self, tree: MenuTree, words: Mapping[str, MenuWords]) -> None:
        """`words` by language; a language without words is served by keys alone."""
        self._tree = tree
        self._words = dict(words)
        self._places: dict[str, _Place] = {}

    async def start(self, call: str, language: str) -> Turn:
        """The first question, at any moment of a call."""
        self._places[call] = _Place(language=language, node=self._tree.start)
        return self._ask(self._places[call])

    async def hear(self, call: str, heard: Heard) -> Turn:
        """A spoken digit, yes or no. Raises DialogueUnavailable for a call that was not started."""
        place = self._place(call)
        said = {} if place.language not in self._words else self._words[place.language].phrases(place.node)
        return self._answer(call, place, said.get(_bare(heard.text)))

    async def press(self, call: str, digit: str) -> Turn:
        """A key. Raises DialogueUnavailable for a call that was not started."""
        return self._answer(call, self._place(call), digit)

    async def end(self, call: str) -> None:
        """Forget the conversation."""
        self._places.pop(call, None)

    def _place(self, call: str) -> _Place:
        """Where the call stands."""
        if call not in self._places:
            raise DialogueUnavailable("the menu was not started for this call")
        return self._places[call]

    def _answer(self, call: str, place: _Place, digit: str | None) -> Turn:
        """The next turn after a key, or after words that are no key (None)."""
        if place.closing is not None:
            return place.closing
        if digit == REPEAT_KEY:
            return self._ask(place)
        if digit == HUMAN_KEY:
            return self._close(call, place, _human("asked", "agent.asked", Level.ROUTINE))
        target = place.node.keys.get(digit or "")
        if target is None:
            return self._failed(call, place)
        if target in self._tree.ends:
            return self._close(call, place, self._ended(self._tree.ends[target]))
        self._places[call] = replace(place, node=self._tree.nodes[target], failures=0)
        return self._ask(self._places[call])

    def _failed(self, call: str, place: _Place) -> Turn:
        """Ask again once, then call a human."""
        if place.failures + 1 >= MOST_FAILURES:
            turn = _human("not_understood", "agent.not_understood", place.node.unclear)
            return self._close(call, place, replace(turn, understood=False))
        self._places[call] = replace(place, failures=place.failures + 1)
        return replace(self._ask(place), understood=False)

    def _close(self, call: str, place: _Place, turn: Turn) -> Turn:
        """Keep the last turn."""
        self._places[call] = replace(place, closing=turn)
        return turn

    def _ask(self, place: _Place) -> Turn:
        """A node's question."""
        node = place.node
        words = self._words.get(place.language)
        hints = tuple(words.phrases(node)) if words else ()
        expect = Expect.YES_NO if node.yes_no else Expect.KEYS
        question = Question(id=f"menu.{node.name}", expect=expect, hints=hints)
        return Turn(say=(Prompt(key=node.ask),), question=question)

    def _ended(self, end: End) -> Turn:
        """What an end says and whom it calls."""
        urgent = end.level is Level.EMERGENCY
        say = tuple(Prompt(key=key, interruptible=not urgent) for key in end.say)
        handover = None
        if end.summary:
            summary = (Prompt(key=end.summary),)
            handover = Handover(level=end.level, reason=end.reason, summary=summary, department=end.department)
        return Turn(say=say, handover=handover, result=self._result(end))

    def _result(self, end: End) -> TriageResult | None:
        """What was triaged; nothing for appointments."""
        if not end.complaint:
            return None
        return TriageResult(
            level=end.level,
            department=end.department,
            complaint=end.complaint,
            reasons=(end.reason,),
            version=self._tree.version,
        )


def _human(reason: str, summary: str, level: Level) -> Turn:
    """A human without more questions; the call machine says that somebody is coming."""
    return Turn(handover=Handover(level=level, reason=reason, summary=(Prompt(key=summary),)))


def _bare(text: str) -> str:
    """Words without case, marks and unknown words."""
    words = "".join(sign if sign.isalnum() else " " for sign in text.lower().replace("[unk]", " ")).split()
    return " ".join(words)
