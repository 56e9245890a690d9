"""Whole conversations through the real Rasa, its stores, its form and the action server."""

import asyncio
import secrets

import httpx
import pytest

from dialogs.port import Handover, Heard, Level, TriageResult, Turn
from dialogs.rasa_http import RasaDialogue
from tests.rasa_stack import RasaStack

pytestmark = pytest.mark.rasa


async def _talk(stack: RasaStack, lines: tuple[str, ...], then: str) -> tuple[Turn, list[Turn]]:
    dialogue = RasaDialogue(stack.url, stack.token, seconds=10)
    call, rest = secrets.token_hex(8), list(lines)
    turns: list[Turn] = []
    try:
        turn = await dialogue.start(call, "en")
        while turn.question is not None and len(turns) < 25:
            turns.append(turn)
            turn = await dialogue.hear(call, Heard(text=rest.pop(0) if rest else then))
    finally:
        await dialogue.end(call)
        await dialogue.close()
    return turn, turns


def talk(stack: RasaStack, *lines: str, then: str = "no") -> tuple[Turn, list[Turn]]:
    """The closing turn, and all turns with questions before it."""
    return asyncio.run(_talk(stack, lines, then))


def asked(turns: list[Turn]) -> list[str]:
    return [turn.question.id for turn in turns if turn.question]


def result(turn: Turn) -> TriageResult:
    assert turn.result is not None
    return turn.result


def handover(turn: Turn) -> Handover:
    assert turn.handover is not None
    return turn.handover


def test_an_itchy_rash_is_routine_for_dermatology(stack: RasaStack) -> None:
    turn, turns = talk(stack, "i have an itchy rash for three days", "no", "nope", "forty two", "three", "not really")
    assert [prompt.key for prompt in turns[0].say] == ["ask.complaint"]
    assert asked(turns) == [
        *("complaint", "rash.face_swelling", "rash.glass_rash", "age", "severity"),
        *("rash.blisters_painful", "rash.fever", "risk"),
    ]
    assert (result(turn).level, result(turn).department) == (Level.ROUTINE, "dermatology")
    assert turn.handover is None
    assert "safety_net.rash" in [prompt.key for prompt in turn.say]


@pytest.mark.parametrize("heard", ["each he rash for three days", "it she rash"])
def test_a_misheard_rash_goes_the_same_way(stack: RasaStack, heard: str) -> None:
    turn, _ = talk(stack, heard, "no", "no", then="no")
    assert turn.result is None or result(turn).complaint == "rash"


def test_a_headache_with_onset_and_severity_in_one_breath(stack: RasaStack) -> None:
    turn, turns = talk(stack, "my head hurts since this morning, seven", "no", "no", "no", "i'm thirty")
    assert result(turn).complaint == "headache"
    assert not {"onset", "severity", "for_whom"} & set(asked(turns))


def test_a_fever_of_an_infant_is_an_emergency_and_goes_to_a_human(stack: RasaStack) -> None:
    turn, turns = talk(stack, "my three month old has a fever")
    assert len(turns) == 1
    assert handover(turn).level is Level.EMERGENCY
    assert turn.say[0].key == "result.emergency"


def test_not_knowing_moves_up_to_urgent(stack: RasaStack) -> None:
    turn, _ = talk(stack, "my head hurts", "no", "i don't know", "no", "thirty")
    assert result(turn).level is Level.URGENT
    assert handover(turn).department == "neurology"


def test_a_yes_to_a_danger_is_an_emergency(stack: RasaStack) -> None:
    turn, turns = talk(stack, "i have a rash", "yeah i think so")
    assert len(turns) == 2
    assert result(turn).level is Level.EMERGENCY


@pytest.mark.parametrize(
    "line",
    ["i want to book an appointment", "is the nurse in today", "is there parking at the clinic", "can i pay my bill"],
)
def test_administrative_callers_never_escalate(stack: RasaStack, line: str) -> None:
    turn, turns = talk(stack, line)
    assert len(turns) == 1
    assert (handover(turn).level, handover(turn).reason) == (Level.ROUTINE, "administrative")


def test_a_human_is_found_on_request(stack: RasaStack) -> None:
    turn, _ = talk(stack, "can i speak to a nurse please")
    assert handover(turn).reason == "asked"


def test_a_question_is_repeated_on_request(stack: RasaStack) -> None:
    _, turns = talk(stack, "i have a cough", "can you repeat that please", "no", "twenty")
    assert asked(turns)[:3] == ["complaint", "cough.breathless", "cough.breathless"]
    assert turns[2].understood


def test_corrections_are_noted(stack: RasaStack) -> None:
    _, turns = talk(
        stack,
        "i have a rash for three days",
        "no",
        "no",
        "forty",
        "sorry it is my son and it began a week ago",
        "three",
    )
    assert "ask.noted" in [prompt.key for prompt in turns[5].say]


def test_what_is_never_understood_reaches_a_human(stack: RasaStack) -> None:
    turn, turns = talk(stack, "i have a rash", then="purple banana")
    assert [turn.understood for turn in turns] == [True, True, False, False]
    assert (handover(turn).level, handover(turn).reason) == (Level.URGENT, "not_understood")


def test_conversations_do_not_mix(stack: RasaStack) -> None:
    async def go() -> list[tuple[Turn, list[Turn]]]:
        lines = ("i have an itchy rash for three days",), ("my three month old has a fever",), ("i have a cough",)
        return list(await asyncio.gather(*(_talk(stack, line, "no") for line in lines)))

    rash, fever, cough = asyncio.run(go())
    assert result(fever[0]).level is Level.EMERGENCY
    assert asked(rash[1])[1] == "rash.face_swelling"
    assert asked(cough[1])[1] == "cough.breathless"


def test_nobody_enters_without_the_token(stack: RasaStack) -> None:
    message = {"sender": "x", "message": "/start"}
    url = f"{stack.url}/webhooks/triage/webhook"
    wrong = {"Authorization": "Bearer wrong"}
    with httpx.Client(trust_env=False) as client:
        assert client.post(url, json=message).status_code == 401
        assert client.post(url, json=message, headers=wrong).status_code == 401
        assert client.delete(f"{stack.url}/webhooks/triage/talks/x", headers=wrong).status_code == 401
        assert client.post(f"{stack.url}/webhooks/rest/webhook", json=message).status_code == 404
        assert client.get(f"{stack.url}/conversations/x/tracker").status_code == 404
        actions = stack.place.actions_health.replace("/health", "/webhook")
        assert client.post(actions, json={"next_action": "action_lost"}).status_code == 401


def test_malformed_messages_are_refused(stack: RasaStack) -> None:
    url, key = f"{stack.url}/webhooks/triage/webhook", {"Authorization": f"Bearer {stack.token}"}
    with httpx.Client(trust_env=False) as client:
        for content in (b"", b"{", b"[]", b'{"sender": 1, "message": "x"}', b'{"sender": "x", "message": ""}'):
            assert client.post(url, content=content, headers=key).status_code == 400


def test_nothing_said_reaches_a_file_and_nothing_stays_after_the_call(stack: RasaStack) -> None:
    import redis

    talk(stack, "i have a kanariword rash", "kanariword", "no", "no", "kanariword")
    files = [*stack.logs.rglob("*"), *(stack.place.root / "var/rasa").rglob("*")]
    plain = [file for file in files if file.is_file() and not file.is_socket()]
    assert plain
    assert [file.name for file in plain if b"kanariword" in file.read_bytes()] == []
    client = redis.Redis(unix_socket_path=str(stack.place.redis_socket))
    try:
        assert list(client.scan_iter("triageline:*")) == []
        assert client.config_get("save")["save"] == ""
    finally:
        client.close()
