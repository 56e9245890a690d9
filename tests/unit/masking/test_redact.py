"""No number gets through to a log."""

import io
import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.leaks import LeakOracle
from masking.redact import HIDDEN, Redactor, redact

NUMBER = "+12025550123"
ORACLE = LeakOracle([NUMBER])


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        "12025550123",
        "2025550123",
        "5550123",
        "+1 (202) 555-0123",
        "202.555.0123",
        "202 - 555 - 0123",
        "From: <sip:+12025550123@10.0.0.1:5060>;tag=1",
        "tel:+1-202-555-0123",
        "%2B12025550123",
        "+1%20202%20555%200123",
        "%35%35%35%30%31%32%33",
        "１２０２５５５０１２３",
        "call12025550123end",
        "2 0 2 5 5 5 0 1 2 3",
        "five five five oh one two three",
        "triple five, oh one two three",
        "五五五零一二三",
        "3.2.1.0.5.5.5.2.0.2.1.e164.arpa",
        "202\u20095\u20095\u20095-0123",
    ],
)
def test_every_readable_spelling_is_hidden(text: str) -> None:
    clean = redact(f"before {text} after")
    assert HIDDEN in clean
    assert clean.startswith("before ")
    assert clean.endswith(" after")
    assert ORACLE.scan(clean.encode()) == ()


@pytest.mark.parametrize(
    "text",
    [
        "sip:nurse1@127.0.0.1:5071",
        "pid 12345, port 50600, 200 OK in 12.5 ms",
        "10.20.30.40:5060 and 192.168.100.200",
        "one or two of three",
        "caf\u00e9 \u4e94",
        "",
    ],
)
def test_what_is_no_number_stays(text: str) -> None:
    assert redact(text) == text


def test_short_users_of_sip_addresses_are_hidden() -> None:
    assert redact("sip:101@pbx.example.org sips:42@x") == f"sip:{HIDDEN}@pbx.example.org sips:{HIDDEN}@x"


@given(
    before=st.text(max_size=20), after=st.text(max_size=20), gaps=st.lists(st.sampled_from(["", " ", "-", ".", ")"]))
)
def test_no_surroundings_bring_a_number_through(before: str, after: str, gaps: list[str]) -> None:
    parted = "".join(digit + gap for digit, gap in zip(NUMBER[1:], gaps + [""] * 11, strict=False))
    assert "5550123" not in redact(f"{before}{parted}{after}").replace(" ", "").replace("-", "")


@given(st.text(max_size=60))
def test_redacting_twice_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize("text", ["1    ", "one ", "1.1.1.1 ", "sip:1", "%3", "(", "+1-"])
def test_hostile_text_takes_no_time(text: str) -> None:
    start = time.process_time()
    redact(text * 20_000)
    assert time.process_time() - start < 5


def logged(emit: list[object], **more: object) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s %(extra)s", defaults={"extra": ""}))
    handler.addFilter(Redactor())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.warning(*emit, **more)  # type: ignore[arg-type]
    return stream.getvalue()


class Odd:
    def __str__(self) -> str:
        return f"odd {NUMBER}"


class Broken:
    def __str__(self) -> str:
        raise LookupError(NUMBER)


@pytest.mark.parametrize(
    "emit",
    [
        [f"from {NUMBER}"],
        ["from %s", NUMBER],
        ["from %d", int(NUMBER)],
        ["from %r", {"caller": NUMBER}],
        ["from %s", Odd()],
        ["split %s%s", "202555", "0123"],
        ["%(caller)s", {"caller": NUMBER}],
        [Odd()],
    ],
)
def test_messages_and_arguments_are_redacted(emit: list[object]) -> None:
    text = logged(emit)
    assert HIDDEN in text
    assert ORACLE.scan(text.encode()) == ()


def test_bad_log_calls_do_not_raise_or_leak() -> None:
    for emit in (["%s %s", NUMBER], ["%d", NUMBER], ["%s", Broken()]):
        text = logged(list(emit))
        assert "could not be formatted" in text
        assert ORACLE.scan(text.encode()) == ()


def test_tracebacks_stacks_and_extras_are_redacted() -> None:
    try:
        try:
            raise KeyError(NUMBER)
        except KeyError as inner:
            raise ValueError(f"sip:{NUMBER}@host") from inner
    except ValueError:
        text = logged(["failed"], exc_info=True, stack_info=True, extra={"extra": {"caller": NUMBER}})
    assert "Traceback" in text
    assert "ValueError" in text
    assert "Stack" in text
    assert text.count(HIDDEN) >= 3
    assert ORACLE.scan(text.encode()) == ()


def test_a_second_handler_sees_no_traceback_of_its_own() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%s", (NUMBER,), None)
    assert Redactor().filter(record)
    assert record.args is None
    assert record.exc_info is None
    assert NUMBER not in str(vars(record))
