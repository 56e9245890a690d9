"""The knowledge: whole, consistent with the prompts, and refused with file and field where it is wrong."""

import shutil
import tomllib
from pathlib import Path

import pytest

from dialogs.knowledge_base import DANGERS, RANK, load
from dialogs.port import Level
from dialogs.tables import DataError

ROOM = Path(__file__).resolve().parents[3] / "dialogs"
KB = load(ROOM / "knowledge")
PROMPTS = {
    f"{section}.{name}"
    for section, sentences in tomllib.loads((ROOM / "prompts/en.toml").read_text()).items()
    for name in sentences
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOM / "knowledge", tmp_path / "knowledge"))


@pytest.mark.parametrize("name", sorted(KB.complaints))
def test_every_sentence_of_a_complaint_is_there(name: str) -> None:
    complaint = KB.complaints[name]
    wanted = {
        *(f"ask.{question.finding}" for question in complaint.questions),
        *(f"advice.{advice}" for advice in complaint.advice),
        *(f"department.{place}" for place in (complaint.department, complaint.department_child)),
        f"safety_net.{complaint.safety_net}",
        f"complaint.{name}",
    }
    assert wanted <= PROMPTS


@pytest.mark.parametrize("name", sorted(KB.complaints))
def test_every_complaint_rules_out_an_emergency_first_and_names_its_source(name: str) -> None:
    complaint = KB.complaints[name]
    assert complaint.questions[0].level is Level.EMERGENCY
    assert complaint.source
    assert all(question.rules_out for question in complaint.questions)
    assert all(rule.source for rule in complaint.rules)


def test_questions_are_few_enough_for_a_phone_call() -> None:
    for complaint in KB.complaints.values():
        assert len(complaint.questions) <= 5, complaint.id


def test_every_danger_with_a_question_is_known_to_the_safety_net() -> None:
    asked = {question.danger for complaint in KB.complaints.values() for question in complaint.questions}
    assert asked - {None} <= DANGERS


def test_every_result_has_its_sentences() -> None:
    frames = {complaint.within for complaint in KB.complaints.values() if complaint.level is Level.ROUTINE} | {"3_days"}
    assert {f"result.within_{frame}" for frame in frames} <= PROMPTS
    assert {f"summary.{level}" for level in RANK} <= PROMPTS


def test_questions_are_short_and_never_diagnose() -> None:
    sentences = tomllib.loads((ROOM / "prompts/en.toml").read_text())
    assert all(len(text.split()) <= 20 for text in sentences["ask"].values())
    assert "diagnosis" in sentences["result"]["no_diagnosis"]


def test_the_version_changes_with_the_content(folder: Path) -> None:
    before = load(folder).version
    file = folder / "rash.toml"
    file.write_text(file.read_text().replace("1_week", "2_weeks"))
    assert load(folder).version != before
    assert load(ROOM / "knowledge").version == KB.version == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('level = "emergency"', 'level = "dire"', "level"),
        ('danger = "anaphylaxis"', 'danger = "bees"', "danger"),
        ('finding = "fever"', 'finding = "fevver"', "fevver"),
        ('id = "rash"', 'id = "rush"', "id"),
        ('within = "1_week"', 'within = "some day"', "within"),
        ("drafted = 2026-11-23", 'drafted = "soon"', "drafted"),
        ('source = "NICE CKS urticaria', 'sauce = "NICE CKS urticaria', "sauce"),
        ('department = "dermatology"', "department = 7", "department"),
        ('department = "dermatology"', "", "department"),
        ('rules_out = "anaphylaxis, angioedema"', "", "rules_out"),
        ('id = "rash"', 'id = "rash', "rash.toml"),
    ],
)
def test_a_fault_is_named_with_file_and_field(folder: Path, old: str, new: str, message: str) -> None:
    file = folder / "rash.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=r"rash\.toml") as caught:
        load(folder)
    assert message in str(caught.value)


def test_rising_urgency_is_refused(folder: Path) -> None:
    file = folder / "rash.toml"
    late = '[[question]]\nfinding = "fainted"\nlevel = "emergency"\nrules_out = "shock"\n'
    file.write_text(file.read_text().replace("[[rule]]", late + "[[rule]]", 1))
    with pytest.raises(DataError, match="falling urgency"):
        load(folder)


def test_the_protocol_for_everything_else_must_be_there(folder: Path) -> None:
    (folder / "other.toml").unlink()
    with pytest.raises(DataError, match=r"other\.toml"):
        load(folder)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"general\.toml"):
        load(tmp_path)
