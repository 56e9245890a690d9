"""The action server: Rasa asks, the one triage engine answers with keys of prompts, never with sentences.

Run with `python -m dialogs.actions --port N`; binds to 127.0.0.1 only and refuses calls without the token in
TRIAGELINE_ACTIONS_TOKEN. Nothing of a conversation is logged, and errors never echo a request.
"""

import argparse
import hmac
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher
from sanic import Request, Sanic, response
from sanic.response import HTTPResponse

from dialogs.conversation import Intent, Outcome, Said, Talk, Triage
from dialogs.knowledge_base import load
from dialogs.outcome import close
from dialogs.port import Handover, Level, Prompt, Turn
from dialogs.wire import turn_to_json
from dialogs.words import load_languages

ROOM: Final = Path(__file__).parent
SLOTS: Final = ("complaint", "for_whom", "age", "onset", "severity", "finding", "risk")
START: Final = "start"
"""Intent that begins a call: it carries no words of the caller."""
SURE: Final = 0.6
"""Confidence from which the classifier's intent is believed."""
TOKEN: Final = "TRIAGELINE_ACTIONS_TOKEN"
logger = logging.getLogger(__name__)


class Validate:
    """Takes an answer into the facts and names the next slot of the form, both by the engine."""

    def __init__(self, triages: Mapping[str, Triage]) -> None:
        self._triages = triages

    def name(self) -> str:
        """Rasa calls this after every answer while the form is active."""
        return "validate_triage_form"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: object) -> list[Any]:
        """Slots set by what was heard."""
        triage, message = _triage(self._triages, tracker), tracker.latest_message
        begun = (message.get("intent") or {}).get("name") == START
        talk = Talk() if begun else triage.hear(_talk(tracker), _said(message))
        asked = triage.pending(talk) if talk.outcome is Outcome.OPEN else None
        outcome = None if talk.outcome is Outcome.OPEN else talk.outcome
        return [
            SlotSet("talk", talk.to_json()),
            SlotSet("outcome", outcome),
            SlotSet("requested_slot", f"slot_{asked.slot}" if asked else None),
        ]


class AskSlot:
    """Puts the question that the engine wants answered next."""

    def __init__(self, triages: Mapping[str, Triage], slot: str) -> None:
        self._triages = triages
        self._slot = slot

    def name(self) -> str:
        """One action a slot, as Rasa's forms want it."""
        return f"action_ask_slot_{self._slot}"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: object) -> list[Any]:
        """A question in the form of keys; on the first turn the language is taken from the call."""
        triage = _triage(self._triages, tracker)
        dispatcher.utter_message(json_message=turn_to_json(triage.ask(_talk(tracker))))
        language = _metadata(tracker.latest_message).get("language")
        return [SlotSet("language", language)] if language in self._triages else []


class Close:
    """Says the result, or hands over."""

    def __init__(self, triages: Mapping[str, Triage], name: str) -> None:
        self._triages = triages
        self._name = name

    def name(self) -> str:
        """One of the closing actions of the rules."""
        return self._name

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: object) -> list[Any]:
        """The closing turn."""
        turn = close(_triage(self._triages, tracker), _talk(tracker))
        dispatcher.utter_message(json_message=turn_to_json(turn))
        return []


class Lost:
    """Rasa knows no rule for the situation: a human takes over."""

    def name(self) -> str:
        """The core fallback of config.yml."""
        return "action_lost"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: object) -> list[Any]:
        """A handover, urgent because nothing is known."""
        summary = (Prompt(key="agent.not_understood"),)
        turn = Turn(handover=Handover(level=Level.URGENT, reason="not_understood", summary=summary), understood=False)
        dispatcher.utter_message(json_message=turn_to_json(turn))
        return []


def _triage(triages: Mapping[str, Triage], tracker: Tracker) -> Triage:
    return triages.get(tracker.get_slot("language") or "en") or triages["en"]


def _talk(tracker: Tracker) -> Talk:
    data = tracker.get_slot("talk")
    return Talk.from_json(data) if data else Talk()


def _metadata(message: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = message.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _said(message: Mapping[str, Any]) -> Said:
    """The caller's words with what the classifier is sure of."""
    intent = message.get("intent") or {}
    sure = float(intent.get("confidence") or 0.0) >= SURE
    name = intent.get("name") if sure else None
    entity = next((item["value"] for item in message.get("entities") or () if item.get("entity") == "complaint"), None)
    return Said(
        text=message.get("text") or "",
        confidence=float(_metadata(message).get("confidence", 1.0)),
        intent=Intent(name) if name in frozenset(Intent) else Intent.OTHER,
        complaint=entity if isinstance(entity, str) else None,
    )


def load_triages(room: Path = ROOM) -> Mapping[str, Triage]:
    """One triage a language for which words are there. Raises DataError."""
    kb = load(room / "knowledge")
    vocabularies = load_languages(room / "words")
    return {name: Triage(kb=kb, words=words, language=name) for name, words in vocabularies.items()}


def create_app(triages: Mapping[str, Triage], token: str) -> Sanic:
    """The web application: GET /health and POST /webhook with "Authorization: Bearer <token>"."""
    executor = ActionExecutor()
    closing = ("action_triage_result", "action_administrative", "action_human")
    actions: tuple[Validate | AskSlot | Close | Lost, ...] = (
        *(Validate(triages), Lost()),
        *(AskSlot(triages, slot) for slot in SLOTS),
        *(Close(triages, name) for name in closing),
    )
    for action in actions:
        executor.register_function(action.name(), action.run)
    app = Sanic("triageline_actions", configure_logging=False)
    app.add_route(_health, "/health", methods=["GET"])
    app.add_route(_webhook(executor, token), "/webhook", methods=["POST"])
    return app


async def _health(_: Request) -> HTTPResponse:
    return response.json({"status": "ok"})


def _webhook(executor: ActionExecutor, token: str) -> Callable[[Request], Awaitable[HTTPResponse]]:
    async def webhook(request: Request) -> HTTPResponse:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return response.json({"error": "token"}, status=401)
        try:
            result = await executor.run(request.json)
        except Exception as error:  # noqa: BLE001  the body of an answer would carry the caller's words into Rasa's log
            logger.error("action failed: %s", type(error).__name__)
            return response.json({"error": "action failed"}, status=500)
        return response.json(result.model_dump() if result else {"events": [], "responses": []})

    return webhook


def main() -> None:
    """Serve until stopped. Exits with a sentence where the token is missing."""
    parser = argparse.ArgumentParser(description="Action server of the hotline's Rasa, on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True, help="TCP port")
    port = parser.parse_args().port
    token = os.environ.get(TOKEN, "")
    if len(token) < 16:
        parser.error(f"the environment variable {TOKEN} must hold a token of 16 characters or more")
    logging.basicConfig(level=logging.WARNING)
    app = create_app(load_triages(), token)
    app.run(host="127.0.0.1", port=port, single_process=True, motd=False, access_log=False)


if __name__ == "__main__":
    main()
