"""What must hold for the safety net whatever is said."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dialogs.port import Expect, Heard, Question
from dialogs.red_flags import load_rule_books
from dialogs.safety_net import RuleSafetyNet

NET = RuleSafetyNet(load_rule_books(Path(__file__).parents[3] / "dialogs"))
DATA = Path(__file__).parent / "data" / "dangers.txt"
DANGERS = [
    line.partition("|")[2].strip() for line in DATA.read_text().splitlines() if line and not line.startswith("#")
]
LONG_DANGERS = [text for text in DANGERS if len(text.split()) > 3]
BENIGN = [
    "please",
    "and",
    "thank",
    "you",
    "hello",
    "um",
    "my",
    "name",
    "the",
    "kitchen",
    "we",
    "are",
    "at",
    "home",
    "[unk]",
]
NOUNS = [
    "chest pain", "trouble breathing", "shortness of breath", "heavy bleeding", "seizures", "slurred speech",
    "thoughts of suicide", "swelling of the throat", "a seizure", "a heart attack", "an overdose",
]  # fmt: skip
DENIALS = [
    "no {}",
    "i have no {}",
    "there is no sign of {}",
    "without any {}",
    "i do not have {}",
    "he doesn't have any {}",
]
DENIALS += ["i have never had {}", "no i don't have any {}", "we haven't noticed {}", "no fever but also no {}"]


def fires(text: str, *, final: bool = True) -> bool:
    """Whether the words raise a flag."""
    return NET.check(Heard(text=text, final=final), None, "en") is not None


@given(st.sampled_from(LONG_DANGERS), st.lists(st.sampled_from(BENIGN), max_size=8))
def test_benign_words_after_a_danger_never_silence_it(danger: str, more: list[str]) -> None:
    assert fires(" ".join([danger, *more]))


@given(st.sampled_from(LONG_DANGERS), st.lists(st.sampled_from(BENIGN), max_size=8))
def test_benign_words_before_a_danger_never_silence_it(danger: str, more: list[str]) -> None:
    assert fires(" ".join([*more, danger]))


@given(st.sampled_from(DENIALS), st.sampled_from(NOUNS))
def test_a_denial_raises_no_flag_at_any_moment(denial: str, noun: str) -> None:
    words = denial.format(noun).split()
    assert not any(fires(" ".join(words[:count]), final=False) for count in range(len(words) + 1))
    assert not fires(" ".join(words))


@given(st.sampled_from(DENIALS), st.sampled_from(NOUNS), st.sampled_from(LONG_DANGERS))
def test_a_denial_does_not_silence_a_danger_after_but(denial: str, noun: str, danger: str) -> None:
    assert fires(f"{denial.format(noun)} but {danger}")


@given(st.text(), st.booleans(), st.text(max_size=3))
def test_no_text_breaks_it(text: str, final: bool, language: str) -> None:
    heard = Heard(text=text, final=final, confidence=0.0)
    question = Question(id="q", expect=Expect.YES_NO, danger="stroke")
    assert NET.check(heard, question, language) == NET.check(heard, question, language)
    assert NET.command(heard, language) == NET.command(heard, language)


@given(st.lists(st.sampled_from(sorted({word for text in DANGERS for word in text.split()})), max_size=60))
def test_asking_twice_gives_the_same(words: list[str]) -> None:
    heard = Heard(text=" ".join(words))
    assert NET.check(heard, None, "en") == NET.check(heard, None, "en")
