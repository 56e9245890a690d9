"""Training data from the knowledge, the stamp, and failures said in a sentence. Rasa itself is not run here."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dialogs.knowledge_base import load
from dialogs.processes import MODEL
from dialogs.train import TrainingFailed, knowledge_nlu, stamp, train

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with the inputs of a training only."""
    shutil.copytree(ROOT / "dialogs", tmp_path / "dialogs", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/rasa.txt").write_text("rasa\n")
    return tmp_path


def python(root: Path, script: str) -> Path:
    """An interpreter that does what the script says."""
    path = root / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


def test_every_phrase_becomes_an_example_and_a_synonym() -> None:
    text = knowledge_nlu(load(ROOT / "dialogs/knowledge"), "en")
    assert "[itchy rash](complaint)" in text
    assert "- synonym: rash\n" in text
    assert "- lookup: complaint\n" in text


def test_it_trains_once_and_again_when_an_input_changes(root: Path) -> None:
    fake = python(root, f"touch {root / MODEL}")
    assert train(root, fake) is not None
    assert train(root, fake) is None
    assert train(root, fake, force=True) is not None
    file = root / "dialogs/knowledge/rash.toml"
    file.write_text(file.read_text().replace('"itchy rash"', '"scratchy rash"'))
    assert train(root, fake) is not None
    (root / MODEL).unlink()
    assert train(root, fake) is not None


def test_whoever_waits_is_told_and_two_train_one_after_the_other(root: Path) -> None:
    fake, told = python(root, f"sleep 0.3; touch {root / MODEL}"), list[str]()
    with ThreadPoolExecutor() as pool:
        took = list(pool.map(lambda _: train(root, fake, tell=told.append), range(2)))
    assert took.count(None) == 1, "the second found what the first had made"
    assert len(told) == 1
    assert "being trained" in told[0]


def test_the_stamp_follows_rasas_own_files(root: Path) -> None:
    before = stamp(root, "")
    file = root / "dialogs/rasa_project/data/rules.yml"
    file.write_text(file.read_text() + "\n")
    assert stamp(root, "") != before


@pytest.mark.parametrize("script", ["exit 1", "exit 0"])
def test_a_failed_training_is_said_and_tried_again(root: Path, script: str) -> None:
    fake = python(root, script)
    for _ in range(2):
        with pytest.raises(TrainingFailed, match=r"train\.log"):
            train(root, fake)


def test_a_missing_environment_is_said(root: Path) -> None:
    with pytest.raises(TrainingFailed, match="scripts/setup"):
        train(root, root / "nowhere")
