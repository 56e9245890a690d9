"""Text for the terminal."""

import string
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from records.port import CallLine, Entry, Json
from records.show import escape, render_call, render_list

START = 1_700_000_000.0


def entry(after: float, kind: str, data: dict[str, Json]) -> Entry:
    return Entry(call="c", at=START + after, kind=kind, data=data)


def test_list_shows_start_length_outcome() -> None:
    text = render_list(
        [
            CallLine(call="second", started=START + 60, ended=None, outcome="running"),
            CallLine(call="first", started=START, ended=START + 42.4, outcome="bridged"),
        ]
    )
    assert text.splitlines()[1:] == [
        "2023-11-14 22:14:20       -  running  second",
        "2023-11-14 22:13:20    42 s  bridged  first",
    ]
    assert render_list([]) == "no calls\n"


def test_timeline_of_an_emergency() -> None:
    text = render_call(
        [
            entry(0, "CallArrived", {"call": "c", "party": "party-x", "reachable": True, "language": "en"}),
            entry(1.5, "Said", {"say": 1, "text": "How can I help?", "keys": ["ask"], "t": 1.5}),
            entry(3.25, "Heard", {"words": {"text": "my chest hurts", "confidence": 0.93, "final": True}}),
            entry(3.3, "RedFlagRaised", {"flag": {"rule": "chest_pain", "words": "chest hurts"}}),
            entry(3.4, "PlanReady", {"steps": [{"name": "agent", "agents": [{"id": "nurse-1"}]}]}),
            entry(3.9, "AgentRinging", {"slot": "a1"}),
            entry(5, "AgentDigit", {"slot": "a1", "digit": "1"}),
            entry(5.1, "Bridged", {"slot": "a1", "agent": "nurse-1"}),
            entry(60, "HungUp", {"cause": "normal"}),
            entry(60.1, "Novel", {"a": 1, "b": [True, None], "t": 3}),
        ]
    )
    for line in (
        "call c, 2023-11-14 22:13:20 UTC",
        "    0.00  call      arrives, language en",
        '    1.50  hotline   "How can I help?"',
        '    3.25  caller    "my chest hurts"  (0.93)',
        '    3.30  RED FLAG  chest_pain: "chest hurts"',
        "    3.40  routing   agent (nurse-1)",
        "    3.90  agent     a1 rings",
        "    5.00  agent     a1 presses 1",
        "    5.10  agent     nurse-1 and caller talk",
        "   60.00  caller    is gone: normal",
        "   60.10  Novel a=1, b=[true; null]",
    ):
        assert line in text.splitlines()


def test_a_turn_tells_what_it_does() -> None:
    data: dict[str, Json] = {
        "ask": 2,
        "turn": {
            "say": [{"key": "result.routine"}],
            "question": {"id": "more"},
            "handover": None,
            "result": {"level": 1, "department": "dermatology"},
        },
    }
    assert "dialogue  says result.routine, asks more, result 1 dermatology" in render_call(
        [entry(0, "TurnReady", data)]
    )


def test_hostile_text_is_escaped() -> None:
    text = render_call([entry(0, "Heard", {"text": "\x1b[2J\x1b]0;owned\x07\r\n\u202egnp\u2028 caf\u00e9 \ud800"})])
    assert "\\x1b[2J" in text
    assert "caf\u00e9" in text
    assert all(unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl"} for char in text.replace("\n", ""))
    assert text.count("\n") == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KINDS = ["Heard", "TurnReady", "PlanReady", "RedFlagRaised", "Said", "AgentGone", "HungUp", "Other"]
FIELDS = st.sampled_from(["words", "text", "turn", "say", "steps", "agents", "flag", "slot", "confidence", "t"])


@given(kind=st.sampled_from(KINDS), data=st.dictionaries(FIELDS | st.text(max_size=6), json_values, max_size=5))
def test_any_data_makes_one_harmless_line(kind: str, data: dict[str, Json]) -> None:
    text = render_call([entry(0, kind, data)])
    assert text.count("\n") == 2
    assert "\x1b" not in text


@given(st.text())
def test_escaping_leaves_nothing_that_acts(text: str) -> None:
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & {unicodedata.category(char) for char in escape(text)}
    assert escape(string.printable[:95]) == string.printable[:95]
