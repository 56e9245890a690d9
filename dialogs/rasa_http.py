"""Rasa over HTTP as a `Dialogue`: bounded time, and DialogueUnavailable for anything odd.

The caller's words leave only in the body of a request to loopback; they are in no exception and no log line.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx

from dialogs.hints import hints
from dialogs.port import DialogueUnavailable, Expect, Heard, Question, Turn
from dialogs.wire import turn_from_json
from dialogs.words import Words, load_languages

ROOM_WORDS: Final = Path(__file__).parent / "words"
BEGIN: Final = "/start"
"""Rasa's way to name an intent without words."""
LONGEST_TEXT: Final = 1000
SILENCE: Final = "[unk]"
"""Sent where nothing usable was heard: Rasa refuses an empty message, and the engine hears nothing in it."""
_YES_NO: Final = {"1": "yes", "2": "no"}


@dataclass(slots=True, kw_only=True)
class _Call:
    """What is remembered of a call between two turns."""

    language: str
    """Language of the call."""
    question: Question | None = None
    """The question that stands."""
    digits: str = ""
    """Keys of an age pressed so far."""


class RasaDialogue:
    """Conversations with Rasa. Keeps the standing question of each call until `end`; safe for many calls at once."""

    def __init__(
        self, base_url: str, token: str, *, seconds: float = 2.0, words: Mapping[str, Words] | None = None
    ) -> None:
        """`seconds` bounds a whole turn, connection included. `words` are the vocabularies by language from which
        the hints of a question come; without them those of the room are read. Raises DataError."""
        self._words = words if words is not None else load_languages(ROOM_WORDS)
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(seconds),
            trust_env=False,
        )
        self._seconds = seconds
        self._calls: dict[str, _Call] = {}

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def start(self, call: str, language: str) -> Turn:
        """First turn: the question for the complaint. Raises DialogueUnavailable."""
        self._calls[call] = _Call(language=language)
        return await self._turn(call, BEGIN, {"language": language})

    async def hear(self, call: str, heard: Heard) -> Turn:
        """Send a final utterance. Raises DialogueUnavailable."""
        self._state(call).digits = ""
        # a leading slash would be read as an intent by Rasa
        text = heard.text.strip().lstrip("/").strip()[:LONGEST_TEXT] or SILENCE
        confidence = heard.confidence if math.isfinite(heard.confidence) else 0.0
        return await self._turn(call, text, {"confidence": confidence})

    async def press(self, call: str, digit: str) -> Turn:
        """Keys where the question takes them: 1 and 2 for yes and no, 1 to 9 for severity, two digits (or one and #)
        for an age in years. Raises DialogueUnavailable."""
        state = self._state(call)
        question = state.question
        if question is not None and question.expect is Expect.YES_NO and digit in _YES_NO:
            return await self._turn(call, _YES_NO[digit], {})
        if question is not None and question.expect is Expect.SEVERITY and digit.isdecimal() and digit != "0":
            return await self._turn(call, digit, {})
        if question is not None and question.expect is Expect.NUMBER and (digit.isdecimal() or digit == "#"):
            return await self._age_key(call, state, digit)
        return Turn(question=question, understood=False)

    async def end(self, call: str) -> None:
        """Forget the conversation here and in Rasa's store; never raises. Without Rasa, the store forgets by itself."""
        self._calls.pop(call, None)
        try:
            await self._client.delete(f"/webhooks/triage/talks/{call}")
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError):
            return

    async def _age_key(self, call: str, state: _Call, digit: str) -> Turn:
        if digit != "#":
            state.digits += digit
        if not state.digits:
            return Turn(question=state.question, understood=False)
        if digit != "#" and len(state.digits) < 2:
            return Turn(question=state.question)
        digits, state.digits = state.digits, ""
        return await self._turn(call, digits, {})

    def _state(self, call: str) -> _Call:
        if call not in self._calls:
            raise DialogueUnavailable("the conversation was not started")
        return self._calls[call]

    async def _turn(self, call: str, text: str, metadata: dict[str, Any]) -> Turn:
        messages = await self._post(call, text, metadata)
        turns = [self._read(message) for message in messages]
        turn, state = merge(turns), self._state(call)
        state.question = self._with_hints(turn.question, state.language)
        return replace(turn, question=state.question)

    def _with_hints(self, question: Question | None, language: str) -> Question | None:
        """Hints do not travel: Rasa would keep them with every turn of the conversation."""
        if question is None or question.hints or language not in self._words:
            return question
        return replace(question, hints=hints(question.expect, self._words[language]))

    async def _post(self, call: str, text: str, metadata: dict[str, Any]) -> list[Any]:
        body = {"sender": call, "message": text, "metadata": metadata}
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._client.post("/webhooks/triage/webhook", json=body)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise DialogueUnavailable("no answer in time") from _bare(error)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DialogueUnavailable("no connection") from _bare(error)
        if answer.status_code != 200:
            raise DialogueUnavailable(f"status {answer.status_code}")
        try:
            messages = answer.json()
        except ValueError as error:
            raise DialogueUnavailable("the answer is not JSON") from _bare(error)
        if not isinstance(messages, list) or not messages:
            raise DialogueUnavailable("the answer holds no turn")
        return messages

    @staticmethod
    def _read(message: object) -> Turn:
        custom = message.get("custom") if isinstance(message, dict) else None
        if not isinstance(custom, dict):
            raise DialogueUnavailable("the answer holds something else than turns")
        try:
            return turn_from_json(custom)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DialogueUnavailable("a turn in the answer is malformed") from _bare(error)


def merge(turns: Sequence[Turn]) -> Turn:
    """Several messages as one turn: sentences in order, the last question, handover and result."""
    return Turn(
        say=tuple(prompt for turn in turns for prompt in turn.say),
        question=turns[-1].question,
        handover=next((turn.handover for turn in reversed(turns) if turn.handover), None),
        result=next((turn.result for turn in reversed(turns) if turn.result), None),
        understood=all(turn.understood for turn in turns),
    )


def _bare(error: BaseException) -> Exception:
    """The kind of an error without its text, which may quote a body."""
    return RuntimeError(type(error).__name__)
