"""Word errors: counted right, and refused with one sentence where there is nothing to count."""

import wave
from pathlib import Path

import pytest

from asr_models import measure
from asr_models.errors import BadAudio, BadTexts


@pytest.mark.parametrize(
    ("wanted", "heard", "count"),
    [("a b c", "a b c", 0), ("a b c", "", 3), ("", "a b", 2), ("a b c", "a x c d", 2), ("a b", "b a b", 1)],
)
def test_word_errors_are_the_least_changes(wanted: str, heard: str, count: int) -> None:
    assert measure.errors(wanted.split(), heard.split()) == count


def test_a_folder_gives_the_files_that_have_a_text(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with wave.open(str(tmp_path / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(bytes(800))
    (tmp_path / "two.txt").write_text("I can't stay.\n")
    (case,) = measure.cases(tmp_path, "en-us")
    assert (case.words, len(case.pcm)) == (("i", "can't", "stay"), 800)


def test_nothing_to_measure_with_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match=r"no WAV file with a \.txt beside it"):
        measure.cases(tmp_path, "en-us")
    (tmp_path / "none.txt").write_text("# nothing\n42\n")
    with pytest.raises(BadAudio, match="no sentence"):
        measure.cases(tmp_path / "none.txt", "en-us")
    with pytest.raises(BadTexts):
        measure.cases(tmp_path / "absent.txt", "en-us")


def test_english_brings_sentences_and_other_languages_none() -> None:
    assert measure.aside("en-us") is not None
    assert measure.aside("xx") is None
