"""RasaDialogue against a server that answers well, late, wrongly or not at all."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dialogs.port import DialogueUnavailable, Expect, Heard, Prompt, Question, Turn
from dialogs.rasa_http import RasaDialogue
from dialogs.wire import turn_to_json

SECRET_WORDS = "my secret rash"
Answer = Callable[[str, dict[str, Any]], Awaitable[tuple[int, bytes]]]


def question(expect: Expect = Expect.YES_NO) -> Turn:
    return Turn(say=(Prompt(key="ask.age"),), question=Question(id="q", expect=expect, danger="breathing"))


def body(*turns: Turn) -> bytes:
    return json.dumps([{"recipient_id": "c", "custom": turn_to_json(turn)} for turn in turns]).encode()


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """An HTTP server on loopback; what it was asked is kept."""
    seen: list[dict[str, Any]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            sizes = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length")]
            content = await reader.readexactly(int(sizes[0])) if sizes else b""
            seen.append({"head": head, "body": json.loads(content) if content else None})
            status, out = await answer(head, seen[-1]["body"] or {})
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Length: {len(out)}\r\nConnection: close\r\n\r\n".encode() + out
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", seen
    finally:
        listener.close()


def always(status: int, out: bytes) -> Answer:
    async def answer(head: str, asked: dict[str, Any]) -> tuple[int, bytes]:
        return status, out

    return answer


def test_a_turn_comes_with_the_hints_of_its_question() -> None:
    async def go() -> None:
        async with server(always(200, body(question()))) as (url, seen):
            dialogue = RasaDialogue(url, "t" * 16)
            turn = await dialogue.start("c1", "en")
            assert turn.question is not None
            assert {"yes", "no", "i don't know"} <= set(turn.question.hints)
            assert turn.question.danger == "breathing"
            assert seen[0]["body"] == {"sender": "c1", "message": "/start", "metadata": {"language": "en"}}
            assert "Bearer " + "t" * 16 in seen[0]["head"]
            await dialogue.hear("c1", Heard(text="//start now", confidence=0.7))
            assert seen[1]["body"]["message"] == "start now"
            assert seen[1]["body"]["metadata"] == {"confidence": 0.7}
            await dialogue.hear("c1", Heard(text=" "))
            assert seen[2]["body"]["message"] == "[unk]"
            await dialogue.end("c1")
            assert seen[3]["head"].startswith("DELETE /webhooks/triage/talks/c1 ")
            await dialogue.close()

    asyncio.run(go())


def test_several_messages_are_one_turn() -> None:
    async def go() -> None:
        async with server(always(200, body(Turn(say=(Prompt(key="ask.noted"),)), question()))) as (url, _):
            dialogue = RasaDialogue(url, "t" * 16)
            turn = await dialogue.start("c1", "en")
            assert [prompt.key for prompt in turn.say] == ["ask.noted", "ask.age"]
            assert turn.question is not None
            await dialogue.close()

    asyncio.run(go())


@pytest.mark.parametrize(
    ("status", "out"),
    [
        (500, b"[]"),
        (401, b"{}"),
        (302, b""),
        (200, b""),
        (200, b"[]"),
        (200, b"garbage"),
        (200, b'{"custom": 1}'),
        (200, b"[1]"),
        (200, b'[{"text": "a sentence"}]'),
        (200, b'[{"custom": {}}]'),
        (200, body(question()).replace(b'"yes_no"', b'"poem"')),
        (200, body(question()).replace(b'"understood": true', b'"understood": "my secret rash"')),
        (200, b"\xff\xfe"),
    ],
)
def test_anything_odd_is_unavailable_and_quotes_nobody(status: int, out: bytes) -> None:
    async def go() -> None:
        async with server(always(status, out)) as (url, _):
            dialogue = RasaDialogue(url, "t" * 16)
            with pytest.raises(DialogueUnavailable) as caught:
                await dialogue.start("c1", "en")
            with pytest.raises(DialogueUnavailable):
                await dialogue.hear("c1", Heard(text=SECRET_WORDS))
            assert SECRET_WORDS not in repr(caught.value) + repr(caught.value.__cause__)
            await dialogue.end("c1")
            await dialogue.close()

    asyncio.run(go())


def test_a_slow_answer_is_given_up_in_time() -> None:
    async def slow(head: str, asked: dict[str, Any]) -> tuple[int, bytes]:
        await asyncio.sleep(30)
        return 200, body(question())

    async def go() -> None:
        async with server(slow) as (url, _):
            dialogue = RasaDialogue(url, "t" * 16, seconds=0.1)
            with pytest.raises(DialogueUnavailable, match="in time"):
                await dialogue.start("c1", "en")
            await dialogue.end("c1")
            await dialogue.close()

    asyncio.run(asyncio.wait_for(go(), 5))


def test_nobody_there_is_unavailable_and_ending_never_raises() -> None:
    async def go() -> None:
        dialogue = RasaDialogue("http://127.0.0.1:9", "t" * 16)
        with pytest.raises(DialogueUnavailable, match="connection"):
            await dialogue.start("c1", "en")
        await dialogue.end("c1")
        await dialogue.end("never started")
        with pytest.raises(DialogueUnavailable, match="not started"):
            await dialogue.hear("c1", Heard(text="hello"))
        await dialogue.close()

    asyncio.run(go())


@pytest.mark.parametrize(
    ("expect", "pressed", "message"),
    [
        (Expect.YES_NO, "1", "yes"),
        (Expect.YES_NO, "2", "no"),
        (Expect.SEVERITY, "7", "7"),
        (Expect.NUMBER, "42", "42"),
        (Expect.NUMBER, "7#", "7"),
    ],
)
def test_keys_answer_where_the_question_takes_them(expect: Expect, pressed: str, message: str) -> None:
    async def go() -> None:
        async with server(always(200, body(question(expect)))) as (url, seen):
            dialogue = RasaDialogue(url, "t" * 16)
            await dialogue.start("c1", "en")
            for digit in pressed:
                turn = await dialogue.press("c1", digit)
                assert turn.understood
            assert [item["body"]["message"] for item in seen] == ["/start", message]
            await dialogue.close()

    asyncio.run(go())


@pytest.mark.parametrize(
    ("expect", "digit"),
    [(Expect.OPEN, "1"), (Expect.YES_NO, "7"), (Expect.SEVERITY, "0"), (Expect.NUMBER, "*"), (Expect.NUMBER, "#")],
)
def test_other_keys_are_a_no_match_and_the_question_stands(expect: Expect, digit: str) -> None:
    async def go() -> None:
        async with server(always(200, body(question(expect)))) as (url, seen):
            dialogue = RasaDialogue(url, "t" * 16)
            await dialogue.start("c1", "en")
            turn = await dialogue.press("c1", digit)
            assert not turn.understood
            assert turn.question is not None
            assert turn.question.id == "q"
            assert len(seen) == 1
            await dialogue.close()

    asyncio.run(go())
