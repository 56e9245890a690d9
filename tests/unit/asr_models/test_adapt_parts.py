"""The parts of the adaptation, on toys: n-grams, their automaton, pronunciations."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr_models import adapt_gr, fst_file
from asr_models.adapt_lexicon import arpabet, english, spelt
from asr_models.adapt_ngram import END, NGram, estimate, mix
from asr_models.errors import NotAdaptable

SENTENCES = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=5), min_size=1, max_size=8)


def _sums_to_one(model: NGram) -> None:
    for history in model.explicit:
        total = sum(model.p(word, history) for word in model.vocabulary() | {END})
        assert total == pytest.approx(1.0, abs=1e-6), history


@given(SENTENCES, SENTENCES, st.floats(0.05, 0.95))
def test_probabilities_after_every_history_sum_to_one(
    one: list[list[str]], other: list[list[str]], share: float
) -> None:
    first, second = estimate(one), estimate(other)
    _sums_to_one(first)
    _sums_to_one(mix(first, second, share))


def test_what_was_said_is_likelier_than_what_was_not() -> None:
    model = estimate([["my", "tooth", "hurts"]] * 3 + [["my", "leg", "aches"]])
    assert model.p("tooth", ("<s>", "my")) > model.p("leg", ("<s>", "my")) > model.p("hurts", ("<s>", "my")) > 0
    assert model.p("zebra", ("my",)) == 0


def test_words_that_cannot_be_heard_leave_a_gap() -> None:
    model = estimate([["a", "", "b"]])
    assert model.vocabulary() == {"a", "b"}
    assert "b" not in model.explicit.get(("a",), {})


def test_mixture_weighs_its_parts() -> None:
    mixed = mix(estimate([["a"]]), estimate([["b"]]), 0.75)
    assert mixed.p("a", ()) == pytest.approx(3 * mixed.p("b", ()))


@settings(max_examples=30)
@given(SENTENCES, st.sampled_from([0.5, 0.7, 1.0]))
def test_written_and_read_again_a_model_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[list[str]], scale: float
) -> None:
    path = tmp_path_factory.mktemp("gr") / "Gr.fst"
    model, numbers = estimate(sentences), {"<eps>": 0, "a": 1, "b": 2, "c": 3, "d": 4}
    adapt_gr.write(model, numbers, scale, path)
    assert adapt_gr.symbols(path, path.with_name("none")) == numbers
    again = adapt_gr.read(path, numbers)
    assert again.scale == pytest.approx(scale, rel=1e-4)
    for history, known in model.explicit.items():
        for word, chance in known.items():
            assert again.model.p(word, history) == pytest.approx(chance, rel=1e-3)


def test_arcs_are_sorted_and_states_know_where_they_may_end(tmp_path: Path) -> None:
    path = tmp_path / "x.fst"
    fst_file.write(path, [[(2, 2, 0.5, 1), (0, 0, 1.5, 1)], []], {1: 0.25})
    found = fst_file.read(path)
    assert found.arcs["word_in"].tolist() == [0, 2]
    assert found.states["end"].tolist() == [np.inf, 0.25]
    assert found.states["in_empty"].tolist() == [1, 0]


@pytest.mark.parametrize("data", [b"", b"x" * 100, b"\xd6\xfd\xb2\x7e\x05\x00\x00\x00ngram"])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.fst").write_bytes(data)
    with pytest.raises(NotAdaptable, match="const type"):
        fst_file.read(tmp_path / "x.fst")


def test_words_are_said_by_our_list_the_dictionary_or_the_voice() -> None:
    said = english(["nappy", "tooth", "zzqqx", "blorftastic"])
    assert said["nappy"] == (("N", "AE", "P", "IY"),)
    assert said["tooth"] == (("T", "UW", "TH"),)
    assert said["blorftastic"] == (spelt("blorftastic"),)


def test_an_unknown_sound_gives_no_pronunciation() -> None:
    assert arpabet("tS_'oU_k_I_N") == ("CH", "OW", "K", "IH", "NG")
    assert arpabet("k_R2_x") == ()
