"""Trains Rasa's model, only when its inputs changed. Run with `python -m dialogs.train`.

The phrases of the knowledge base become training data, so that both stay one.
"""

import argparse
import fcntl
import hashlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from dialogs.knowledge_base import OTHER, KnowledgeBase, load
from dialogs.processes import MODEL, PROJECT, train_process
from dialogs.tables import DataError

FRAMES: Final = ("i have {}", "{}", "it is {}", "{} since yesterday")
"""Sentences that the phrases are put into: enough for the classifier to tell symptoms from wishes."""
SECONDS: Final = 600


class TrainingFailed(Exception):
    """Rasa could not train; the message says what to look at."""


def knowledge_nlu(kb: KnowledgeBase, language: str) -> str:
    """Examples, lookup table and synonyms in Rasa's YAML."""
    phrases = {
        complaint.id: (*complaint.phrases.get(language, ()), *complaint.sounds_like.get(language, ()))
        for complaint in kb.complaints.values()
        if complaint.id != OTHER
    }
    everything = [(name, phrase) for name, group in phrases.items() for phrase in group]
    examples = [
        FRAMES[number % len(FRAMES)].format(f"[{phrase}](complaint)") for number, (_, phrase) in enumerate(everything)
    ]
    parts = [_part("intent", "symptom", examples), _part("lookup", "complaint", [phrase for _, phrase in everything])]
    parts += [_part("synonym", name, group) for name, group in phrases.items() if group]
    return 'version: "3.1"\nnlu:\n' + "".join(parts)


def _part(kind: str, name: str, lines: Sequence[str]) -> str:
    return f"- {kind}: {name}\n  examples: |\n" + "".join(f"    - {line}\n" for line in lines)


def stamp(root: Path, generated: str) -> str:
    """Hash of everything that the model is made of."""
    digest = hashlib.sha256(generated.encode())
    for path in _inputs(root):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _inputs(root: Path) -> Iterator[Path]:
    project = root / PROJECT
    yield from (project / "config.yml", project / "domain.yml", root / "requirements/rasa.txt")
    yield from sorted((project / "data").glob("*.yml"))


def _silent(line: str) -> None:
    return None


def train(
    root: Path, rasa_python: Path, *, force: bool = False, tell: Callable[[str], None] = _silent
) -> float | None:
    """Train where needed; seconds taken, None where the model was current. One trains at a time, whoever else wants
    it waits. `tell` hears of it before it begins. Raises TrainingFailed, DataError."""
    generated = knowledge_nlu(load(root / "dialogs/knowledge"), "en")
    wanted, mark = stamp(root, generated), (root / MODEL).with_suffix(".stamp")
    data = root / "var/rasa/data"
    data.mkdir(parents=True, exist_ok=True)
    (root / MODEL).parent.mkdir(parents=True, exist_ok=True)
    with (root / "var/rasa/train.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not force and (root / MODEL).exists() and mark.exists() and mark.read_text() == wanted:
            return None
        tell("the dialogue model is being trained, for what it is made of has changed; this takes about 20 seconds")
        (data / "knowledge.yml").write_text(generated)
        started = time.monotonic()
        _run(root, rasa_python, data)
        mark.write_text(wanted)
        return time.monotonic() - started


def _run(root: Path, rasa_python: Path, data: Path) -> None:
    spec = train_process(root, rasa_python, data)
    log = root / "var/rasa/train.log"
    try:
        with log.open("wb") as out:
            done = subprocess.run(spec.argv, env=dict(spec.env), cwd=spec.cwd, stdout=out, stderr=out, timeout=SECONDS)
    except OSError as error:
        raise TrainingFailed(f"Rasa's interpreter cannot be started ({error.strerror}): run scripts/setup") from error
    except subprocess.TimeoutExpired as error:
        raise TrainingFailed(f"training took more than {SECONDS} s: see var/rasa/train.log") from error
    if done.returncode != 0 or not (root / MODEL).exists():
        raise TrainingFailed("Rasa could not train the model: see var/rasa/train.log")


def main() -> int:
    """Command line: one line of progress, exit code 1 where it failed."""
    parser = argparse.ArgumentParser(description="Train the dialogue model where its inputs changed.")
    parser.add_argument("--force", action="store_true", help="train even though nothing changed")
    force = parser.parse_args().force
    root = Path(__file__).resolve().parent.parent
    print("dialogue model: ", end="", flush=True)
    try:
        seconds = train(root, root / ".venv-rasa/bin/python", force=force)
    except (TrainingFailed, DataError) as error:
        print(f"failed. {error}")
        return 1
    print("unchanged" if seconds is None else f"trained in {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
