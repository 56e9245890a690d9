"""The caller farm judges by code: these are the cases it must get right."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from config.settings import ROOT
from dialogs.menu_tree import load_menu
from records.port import Entry, Json
from scripts.bench.calls import only
from scripts.bench.farm.plan import CALLERS, CODECS, NOISES, SCENARIOS, VOICES, Case, matrix, sample
from scripts.bench.farm.report import lines
from scripts.bench.farm.score import groups, interval, judge, percentile, word_errors
from scripts.bench.farm.sound import faster, trimmed
from scripts.bench.farm.story import story

CASE = Case(
    id=1, scenario="heart", words="x", voice="piper", rate=1.0, noise=None, loss=0, codec="PCMU", barge=False
)  # fmt: skip


def entry(kind: str, at: float, **data: Json) -> Entry:
    return Entry(call="c", at=at, kind=kind, data=data)


def said(
    start: float, end: float, *, text: str = "my chest hurts", answered: float = 0.0, **more: Any
) -> dict[str, Any]:
    return {"text": text, "start": start, "end": end, "answered": answered, "barge": False, "silent_after": 0.0, **more}


def measured(*utterances: dict[str, Any], cause: str = "normal") -> dict[str, Any]:
    return {"utterances": list(utterances), "clock": 1000.0, "cause": cause, "record": "c"}


def test_a_sample_holds_every_value_about_equally_often_and_is_the_same_again() -> None:
    cases = sample(80, 3)
    assert cases == sample(80, 3) != sample(80, 4)
    assert set(Counter(case.voice for case in cases).values()) == {80 // len(VOICES)}
    assert set(Counter(case.codec for case in cases).values()) == {80 // len(CODECS)}
    assert Counter(case.noise for case in cases)[None] == 80 * NOISES.count(None) // len(NOISES)
    assert {case.scenario for case in cases} == set(SCENARIOS) == set(CALLERS)
    assert {case.words for case in cases} <= {text for one in CALLERS.values() for text in one["first"]}


def test_a_dimension_can_be_fixed_and_the_number_is_bounded() -> None:
    assert {case.codec for case in sample(9, 1, {"codec": ["opus"]})} == {"opus"}
    for count in (0, 401):
        with pytest.raises(ValueError, match="between"):
            sample(count, 1)


def test_an_emergency_is_flagged_and_its_ring_is_counted_from_the_end_of_the_words() -> None:
    one = judge(
        CASE,
        measured(said(10, 12)),
        [entry("RedFlagRaised", 1011.5), entry("AgentRinging", 1012.25), entry("Bridged", 1015)],
    )
    assert (one.flagged, one.level, one.ok, one.ring) == (True, "emergency", True, 0.25)


def test_a_missed_flag_that_ends_at_a_human_is_urgent_and_not_as_wanted() -> None:
    one = judge(CASE, measured(said(10, 12)), [entry("Bridged", 1020)])
    assert (one.flagged, one.level, one.ok, one.ring) == (False, "urgent", False, None)


def test_a_call_without_a_record_or_that_was_given_up_did_not_end() -> None:
    assert not judge(CASE, measured(said(1, 2)), []).completed
    assert not judge(CASE, measured(said(1, 2), cause="gave up"), [entry("Bridged", 1020)]).completed


def test_an_utterance_is_cut_where_it_was_taken_for_finished_before_its_end() -> None:
    words: dict[str, Json] = {"text": "my chest"}
    ends = {"early": 1011.0, "late": 1012.4}
    for name, at in ends.items():
        one = judge(CASE, measured(said(10, 12)), [entry("Heard", at, words=words)])
        assert one.cuts == (name == "early"), name
        assert one.utterances == 1


def test_a_gap_runs_from_the_last_word_to_the_next_sound_but_not_over_a_barge_in() -> None:
    spoken = measured(said(10, 12, answered=12.5), said(14, 15, answered=15.9, barge=True, silent_after=14.2))
    one = judge(CASE, spoken, [])
    assert one.gaps == (0.5,)
    assert one.barge == pytest.approx(0.2)


def test_words_are_compared_by_edit_distance() -> None:
    assert word_errors("three days ago", "three days ago") == (0, 3)
    assert word_errors("three days ago", "tree days") == (2, 3)
    assert word_errors("", "noise") == (1, 0)


def test_percentiles_are_by_nearest_rank_and_intervals_by_wilson() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99)] == [50, 95, 99]
    low, high = interval(10, 10)
    assert (round(low, 3), high) == (0.722, 1.0)
    assert interval(0, 0) == (0.0, 1.0)


def test_groups_are_by_a_dimension() -> None:
    scored = [judge(case, measured(said(1, 2)), []) for case in sample(16, 1)]
    assert sum(map(len, groups(scored, lambda case: case.voice).values())) == 16


def test_a_faster_voice_is_shorter_and_keeps_its_pitch() -> None:
    tone = np.sin(2 * np.pi * 200 * np.arange(16000) / 8000)
    quick = faster(tone, 1.25)
    assert 0.7 < len(quick) / len(tone) < 0.9
    middle = quick[2000:10000]
    assert abs(int(np.argmax(np.abs(np.fft.rfft(middle)))) - 200) <= 2


def test_a_soft_consonant_at_the_edge_is_no_silence() -> None:
    tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(1600) / 8000)
    hiss = 0.004 * np.sin(2 * np.pi * 3000 * np.arange(800) / 8000)
    assert len(trimmed(np.concatenate([np.zeros(800), hiss, tone, hiss, np.zeros(800)]))) == 3200


def test_some_calls_of_a_run_are_placed_alone() -> None:
    assert [case.id for case in only(sample(24, 1), (12, 7))] == [7, 12]
    with pytest.raises(ValueError, match="no call 24 among 24"):
        only(sample(24, 1), (24,))


def test_a_matrix_places_the_same_calls_with_every_codec_and_loss() -> None:
    cases = sample(8, 1, {"codec": ["PCMU"], "loss": [0]})
    every = matrix(cases, ["PCMU", "PCMA", "opus"], [0, 2])
    assert [case.id for case in every] == list(range(48))
    assert Counter((case.codec, case.loss) for case in every) == Counter(
        {(codec, loss): 8 for codec in ("PCMU", "PCMA", "opus") for loss in (0, 2)}
    )
    assert Counter((case.words, case.voice, case.rate, case.noise, case.barge) for case in every) == Counter(
        {(case.words, case.voice, case.rate, case.noise, case.barge): 6 for case in cases}
    )
    with pytest.raises(ValueError, match="more than 400"):
        matrix(sample(101, 1), ["PCMU", "PCMA"], [0, 2])
    told = lines([judge(case, measured(said(1, 2)), []) for case in every])
    assert [line.split()[:2] for line in told[told.index("by codec and loss") + 1 :][:2]] == [
        ["PCMA", "0"],
        ["PCMA", "2"],
    ]


def test_callers_are_led_through_the_menu_by_keys_that_it_takes() -> None:
    menu = load_menu(ROOT / "dialogs/menu.toml")
    for name, person in CALLERS.items():
        node = "first"
        while node in menu.nodes:
            key = person["keys"].get(menu.nodes[node].ask, "")
            node = "human" if key == "0" else menu.nodes[node].keys[key]
        assert node in menu.ends or node == "human", name


def test_a_call_that_went_wrong_is_told_in_the_order_of_time() -> None:
    told = story(
        CASE,
        measured(said(1, 2), cause="gave up"),
        [entry("Said", 1000.0, keys=["ask.complaint"]), entry("Heard", 1002.5, words={"text": "my chest"})],
    )
    assert [line.split(maxsplit=1)[1] for line in told[1:]] == [
        "Said ask.complaint", "caller until 2.00: my chest hurts", "Heard my chest",
    ]  # fmt: skip
    assert "gave up" in told[0]


def test_silence_before_and_after_is_trimmed() -> None:
    tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(1600) / 8000)
    assert len(trimmed(np.concatenate([np.zeros(800), tone, np.zeros(1600)]))) == 1600
