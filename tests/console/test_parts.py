"""The document that is committed, the rate of requests, lines of the log."""

import io
import logging
import re

from console.app import document
from console.buckets import MOST_KNOWN, Buckets
from console.logs import Bare, OneLine
from masking.leaks import LeakOracle
from scripts import draw_api


def test_the_committed_document_is_up_to_date() -> None:
    assert draw_api.FILE.read_text(encoding="utf-8") == draw_api.text(), "run: python -m scripts.draw_api --write"


def test_every_field_of_a_request_and_every_route_is_described() -> None:
    made = document()
    for methods in made["paths"].values():
        for operation in methods.values():
            assert operation["description"], operation["operationId"]
    for name, schema in made["components"]["schemas"].items():
        assert schema.get("description") or "enum" in schema, name


def test_numbers_in_the_document_are_nobodys() -> None:
    found = set(re.findall(r"\+\d[\d ]{6,}", draw_api.text()))
    assert found
    assert all(re.fullmatch(r"\+120255501\d\d|\+447700900\d{3}", number) for number in found), found


def test_a_bucket_refills_steadily() -> None:
    buckets = Buckets(rate=2, burst=3)
    assert [buckets.take("a", 0.0) for _ in range(4)] == [0, 0, 0, 1]
    assert buckets.take("b", 0.0) == 0
    assert (buckets.take("a", 0.4), buckets.take("a", 0.5), buckets.take("a", 0.5)) == (1, 0, 1)
    assert buckets.take("a", -5.0) == 1, "a clock that goes back gives nothing"
    assert [buckets.take("a", 100.0) for _ in range(4)] == [0, 0, 0, 1]
    slow = Buckets(rate=0.1, burst=1)
    assert (slow.take("a", 0.0), slow.take("a", 0.0)) == (0, 10)
    assert (slow.empty("a", 5.0), slow.empty("a", 10.0)) == (True, False)


def test_only_so_many_are_remembered() -> None:
    buckets = Buckets(rate=1, burst=1)
    for at in range(MOST_KNOWN + 5):
        buckets.take(at, 0.0)
    assert len(buckets._known) == MOST_KNOWN


def test_an_exceptions_message_is_not_logged() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Bare())
    handler.setFormatter(OneLine(as_json=True))
    log = logging.getLogger("console.test")
    log.addHandler(handler)
    try:
        raise KeyError("+12025550123\nnext line")
    except KeyError:
        log.exception("it\x1b[2J failed")
    finally:
        log.removeHandler(handler)
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert "KeyError at" in line
    assert "\x1b" not in line
    assert LeakOracle(["+12025550123"]).scan(line.encode()) == ()
