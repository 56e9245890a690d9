"""The one door of the Rasa server: a webhook with a token, which never writes what the caller said to a log."""

import asyncio
import hmac
import logging
import os
from typing import Any, Awaitable, Callable, Dict, Optional, Text

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

import triage_stores

logger = logging.getLogger(__name__)
LONGEST_TEXT = 2000
LONGEST_SENDER = 128


class TriageChannel(InputChannel):
    """POST /webhooks/triage/webhook {sender, message, metadata}; DELETE /webhooks/triage/talks/<sender>."""

    @classmethod
    def name(cls) -> Text:
        return "triage"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> InputChannel:
        return cls((credentials or {})["token"])

    def __init__(self, token: Text) -> None:
        if len(token) < 16:
            raise ValueError("the token of the Rasa channel must have 16 characters or more")
        self._token = token
        self._redis = None

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = Blueprint("triage_webhook")

        @routes.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @routes.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            if not self._allowed(request):
                return response.json({"error": "token"}, status=401)
            message = _message(request)
            if message is None:
                return response.json({"error": "message"}, status=400)
            return await _answer(on_new_message, message)

        @routes.route("/talks/<sender:str>", methods=["DELETE"])
        async def forget(request: Request, sender: Text) -> HTTPResponse:
            if not self._allowed(request):
                return response.json({"error": "token"}, status=401)
            await asyncio.get_running_loop().run_in_executor(None, _forget, sender)
            return response.empty()

        return routes

    def _allowed(self, request: Request) -> bool:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode())


async def _answer(on_new_message: Callable[[UserMessage], Awaitable[Any]], message: UserMessage) -> HTTPResponse:
    """Run the turn. Errors are logged by kind only: their messages may quote the caller."""
    try:
        await on_new_message(message)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        logger.error("turn failed: %s", type(error).__name__)
        return response.json({"error": "turn failed"}, status=500)
    return response.json(message.output_channel.messages)


def _message(request: Request) -> Optional[UserMessage]:
    try:
        body = request.json
    except Exception:  # what cannot be read as JSON is answered as a bad request; the server has several names for it
        return None
    if not isinstance(body, dict):
        return None
    sender, text, metadata = body.get("sender"), body.get("message"), body.get("metadata")
    if not isinstance(sender, str) or not 0 < len(sender) <= LONGEST_SENDER:
        return None
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TEXT:
        return None
    if metadata is not None and not isinstance(metadata, dict):
        return None
    return UserMessage(text, CollectingOutputChannel(), sender, input_channel="triage", metadata=metadata)


def _forget(sender: Text) -> None:
    client = triage_stores.connect(decode_responses=True)
    try:
        client.delete(f"triageline:tracker:{sender}", f"triageline:lock:{sender}")
    finally:
        client.close()
