"""The grammar of patterns, and rule files that cannot be used."""

import shutil
from pathlib import Path

import pytest

from dialogs.patterns import PatternError, PatternIndex, compile_pattern
from dialogs.red_flags import RulesError, load_rule_book, load_rule_books
from dialogs.spoken import Spoken

ROOM = Path(__file__).parents[3] / "dialogs"
SPOKEN = Spoken(whole={"can't": "can not"}, endings={"n't": " not"}, interjections=frozenset({"no"}))
CLASSES = {"pain": ("pain", "hurts badly")}


def found(pattern: str, text: str, breaks: frozenset[str] = frozenset({"but"})) -> str | None:
    """The words that a pattern matches first."""
    index = PatternIndex([("x", plain) for plain in compile_pattern(pattern, CLASSES, SPOKEN)], breaks)
    words = SPOKEN.words(text)
    for _, span in index.find(words):
        return " ".join(words.tokens[span.start : span.end])
    return None


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        ("chest {pain}", "my chest pain", "chest pain"),
        ("chest {pain}", "my chest hurts badly today", "chest hurts badly"),
        ("chest {pain}", "my chest hurts", None),
        ("chest .. {pain}", "chest a b c pain", "chest a b c pain"),
        ("chest .. {pain}", "chest a b c d pain", None),
        ("chest ..1 {pain}", "pain chest", None),
        ("chest ~1 {pain}", "pain chest", "pain chest"),
        ("chest ?wall pain", "chest wall pain", "chest wall pain"),
        ("chest ?wall pain", "chest pain", "chest pain"),
        ("a|b_c d", "b c d", "b c d"),
        ("chest ..5 pain", "chest but pain", None),
        ("chest ..6 pain", "chest but pain", "chest but pain"),
        ("not breathe", "I CAN\u2019T breathe", "not breathe"),
        ("\u80f8\u75db", "\u6211\u80f8\u75db", "\u80f8 \u75db"),
    ],
)
def test_patterns(pattern: str, text: str, wanted: str | None) -> None:
    assert found(pattern, text) == wanted


@pytest.mark.parametrize("pattern", ["", "..", "a ..", "~ a", "a ~", "{nothing}", "a||b", "a ~x b"])
def test_unreadable_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern, CLASSES, SPOKEN)


def test_sentence_marks_part_words() -> None:
    words = SPOKEN.words("No. My chest, it hurts")
    assert words.tokens == ("no", "my", "chest", "it", "hurts")
    assert words.stops == {1}
    assert SPOKEN.words("no, chest").stops == {1}


def test_no_rules_at_all(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="no rule files"):
        load_rule_books(tmp_path)


@pytest.mark.parametrize(
    ("kind", "before", "after", "complaint"),
    [
        ("red_flags", "{pain} ~5 {chest}", "{payne} ~5 {chest}", "no class"),
        ("red_flags", "gravity = 100", "", "gravity"),
        ("red_flags", "[classes]", "[classes", "en.toml"),
        ("habits", "[negation]", "[negations]", "negation"),
        ("commands", "[human]", "[humans]", "human"),
    ],
)
def test_a_faulty_file_is_named(tmp_path: Path, kind: str, before: str, after: str, complaint: str) -> None:
    for name in ("red_flags", "habits", "commands"):
        shutil.copytree(ROOM / name, tmp_path / name)
    path = tmp_path / kind / "en.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(RulesError, match=complaint):
        load_rule_book(tmp_path, "en")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    shutil.copytree(ROOM / "red_flags", tmp_path / "red_flags")
    with pytest.raises(RulesError, match="habits"):
        load_rule_book(tmp_path, "en")
