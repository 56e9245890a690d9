"""Turns as JSON: what the action server sends through Rasa and what the hotline reads."""

from collections.abc import Mapping
from typing import Any

from dialogs.port import Expect, Handover, Level, Prompt, Question, TriageResult, Turn


def turn_to_json(turn: Turn) -> dict[str, Any]:
    """Plain data, without any spoken sentence: keys of prompts only."""
    return {
        "say": [_prompt_to_json(prompt) for prompt in turn.say],
        "question": None if turn.question is None else _question_to_json(turn.question),
        "handover": None if turn.handover is None else _handover_to_json(turn.handover),
        "result": None if turn.result is None else _result_to_json(turn.result),
        "understood": turn.understood,
    }


def turn_from_json(data: Mapping[str, Any]) -> Turn:
    """The reverse. Raises KeyError, TypeError or ValueError for other data; the messages hold no content."""
    question, handover, result = data["question"], data["handover"], data["result"]
    if not isinstance(data["understood"], bool):
        raise TypeError("understood")
    return Turn(
        say=tuple(_prompt(item) for item in data["say"]),
        question=None if question is None else _question(question),
        handover=None if handover is None else _handover(handover),
        result=None if result is None else _result(result),
        understood=data["understood"],
    )


def _prompt_to_json(prompt: Prompt) -> dict[str, Any]:
    return {"key": prompt.key, "values": dict(prompt.values), "interruptible": prompt.interruptible}


def _question_to_json(question: Question) -> dict[str, Any]:
    return {"id": question.id, "expect": question.expect, "hints": list(question.hints), "danger": question.danger}


def _handover_to_json(handover: Handover) -> dict[str, Any]:
    summary = [_prompt_to_json(prompt) for prompt in handover.summary]
    return {
        "level": handover.level,
        "reason": handover.reason,
        "summary": summary,
        "department": handover.department,
    }


def _result_to_json(result: TriageResult) -> dict[str, Any]:
    return {
        "level": result.level,
        "department": result.department,
        "complaint": result.complaint,
        "reasons": list(result.reasons),
        "version": result.version,
    }


def _prompt(data: Mapping[str, Any]) -> Prompt:
    values = {_text(name): _text(value) for name, value in data["values"].items()}
    return Prompt(key=_text(data["key"]), values=values, interruptible=bool(data["interruptible"]))


def _question(data: Mapping[str, Any]) -> Question:
    danger = data["danger"]
    return Question(
        id=_text(data["id"]),
        expect=Expect(data["expect"]),
        hints=tuple(_text(hint) for hint in data["hints"]),
        danger=None if danger is None else _text(danger),
    )


def _handover(data: Mapping[str, Any]) -> Handover:
    return Handover(
        level=Level(data["level"]),
        reason=_text(data["reason"]),
        summary=tuple(_prompt(item) for item in data["summary"]),
        department=_text(data["department"]),
    )


def _result(data: Mapping[str, Any]) -> TriageResult:
    return TriageResult(
        level=Level(data["level"]),
        department=_text(data["department"]),
        complaint=_text(data["complaint"]),
        reasons=tuple(_text(reason) for reason in data["reasons"]),
        version=_text(data["version"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value
