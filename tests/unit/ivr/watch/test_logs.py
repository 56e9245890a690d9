"""Log lines: one record is one line, each names its call, nothing personal gets in."""

import asyncio
import io
import json
import logging
from datetime import datetime

import pytest

from ivr.watch.logs import TRACE_MARK, Context, escape, formatter, name_call
from masking.leaks import LeakOracle
from masking.redact import Redactor

NUMBER = "+12025550142"
NASTY = f'"<sip:{NUMBER}@x>\r\n2026-11-23 10:00:00,000 INFO forged \x1b[2J\u2028\u202e\x85'
Log = tuple[logging.Logger, io.StringIO]


def make(kind: str) -> Log:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(Context())
    handler.addFilter(Redactor())
    handler.setFormatter(formatter(kind, "worker-2"))
    logger = logging.Logger("ivr.lines.sip")
    logger.addHandler(handler)
    return logger, out


@pytest.fixture(params=["text", "json"])
def log(request: pytest.FixtureRequest) -> Log:
    return make(request.param)


def test_hostile_text_stays_on_its_line_and_hides_its_number(log: Log) -> None:
    logger, out = log
    logger.warning("refused a call with From %s", NASTY)
    text = out.getvalue()
    assert len(text.splitlines()) == 1
    assert LeakOracle([NUMBER]).scan(text.encode()) == ()
    assert "[number]" in text
    assert not any(ord(char) < 32 or ord(char) == 0x85 for char in text.rstrip("\n"))


def test_every_task_of_a_call_logs_for_it(log: Log) -> None:
    logger, out = log

    async def part() -> None:
        logger.info("part")

    async def call(name: str) -> None:
        name_call(name)
        await asyncio.gather(asyncio.create_task(part()), asyncio.create_task(part()))

    async def all_calls() -> None:
        await asyncio.gather(call("bcdfgh"), call("jkmnpq"))
        logger.info("outside")

    asyncio.run(all_calls())
    lines = out.getvalue().splitlines()
    assert [sum(name in line for line in lines) for name in ("bcdfgh", "jkmnpq")] == [2, 2]
    assert not any(name in lines[-1] for name in ("bcdfgh", "jkmnpq"))


def test_a_json_line_says_when_where_and_what() -> None:
    logger, out = make("json")
    logger.error("journal %s", "hangs")
    told = json.loads(out.getvalue())
    assert told["time"].endswith("Z")
    assert datetime.fromisoformat(told.pop("time")).utcoffset() is not None
    assert told == {"level": "error", "logger": "ivr.lines.sip", "worker": "worker-2", "message": "journal hangs"}


def test_an_exception_in_json_has_kinds_and_a_stack_but_no_values() -> None:
    logger, out = make("json")
    try:
        try:
            dict[str, str]()["chest pain"]
        except KeyError as error:
            raise RuntimeError(f"the caller {NUMBER} said chest pain") from error
    except RuntimeError:
        logger.exception("a step failed")
    told = json.loads(out.getvalue())
    assert told["error"] == "RuntimeError from KeyError"
    assert any(frame.endswith("has_kinds_and_a_stack_but_no_values") for frame in told["stack"])
    assert "chest pain" not in out.getvalue()
    assert LeakOracle([NUMBER]).scan(out.getvalue().encode()) == ()


def test_a_traceback_in_text_cannot_be_taken_for_a_record() -> None:
    logger, out = make("text")
    try:
        raise RuntimeError("bad\n2026-11-23 10:00:00,000 INFO forged")
    except RuntimeError:
        logger.exception("failed")
    head, *trace = out.getvalue().splitlines()
    assert head.endswith("failed")
    assert trace
    assert all(line.startswith(TRACE_MARK) for line in trace)


def test_escaping_leaves_ordinary_text_alone() -> None:
    assert escape("Müller: ≤ 2 s, 好") == "Müller: ≤ 2 s, 好"
    assert escape("a\tb\nc\x07") == "a\\tb\\nc\\x07"
