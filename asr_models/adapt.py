"""Fits a model to what the hotline's callers say: a new language model, and where the model allows it, new words.

The result is a model folder of its own beside the old one, put in place whole or not at all. What is not changed is
linked, not copied, so it takes little room.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr_models import adapt_gr, adapt_graph, folder, install, vosk_engine
from asr_models.adapt_lexicon import Pronounce
from asr_models.adapt_ngram import END, START, estimate, mix
from asr_models.adapt_texts import words
from asr_models.errors import NotAdaptable
from asr_models.pool import DecodePool
from asr_models.port import AsrUnavailable

SUFFIX = "-adapted"
SHARE = 0.9
"""Weight of the hotline's sentences in the mixture with the model's own; chosen on half of scripts/bench/sentences."""
_FORMAT = "1"
"""Part of the stamp: another number makes every adapted model anew."""
_GRAMMAR = ("graph/Gr.fst", folder.RECEIPT)
_WHOLE = (*_GRAMMAR, "graph/HCLr.fst", "graph/words.txt", f"{adapt_graph.SOURCES}/lexicon.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """What came of it."""

    path: Path
    """The adapted model."""
    fresh: bool
    """False where it was there already, made of the same things."""
    whole: bool
    """Whether new words could be added; else only the language model changed."""
    added: int
    """New words."""
    unheard: int
    """Words of the sentences that the model still cannot hear."""


def beside(model: Path) -> Path:
    """Where the adapted form of a model belongs."""
    return model.with_name(model.name + SUFFIX)


def adapt(
    model: Path,
    target: Path,
    texts: Iterable[str],
    lexicon: Pronounce,
    *,
    language: str,
    share: float = SHARE,
    also: bytes = b"",
) -> Adapted:
    """Make `target` of a model and the sentences that callers say; nothing where it is up to date. Blocking: about 10 s
    for the demo model. `also` is whatever else the result depends on, such as the lexicon's own files.

    Raises ModelError, OSError."""
    sentences = [said for text in texts if (said := words(text))]
    if not sentences:
        raise NotAdaptable("There is no sentence to adapt the model with.")
    tools = adapt_graph.tools() if adapt_graph.rebuildable(model) else None
    _dynamic(model)
    with install.locked(target.parent):
        stamp = _stamp(model, sentences, f"{_FORMAT} {language} {share} {bool(tools)}".encode() + also)
        done = install.receipt(target)
        if done.get("stamp") == stamp and not folder.missing(target):
            return _told(target, done, fresh=False)
        room = target.with_name(f".adapting-{target.name}")
        shutil.rmtree(room, ignore_errors=True)
        try:
            _linked(model, room, _WHOLE if tools else _GRAMMAR)
            added, unheard = _rebuild(model, room, sentences, lexicon, tools, share)
            done = {"id": target.name, "language": language, "adapted_from": model.name, "stamp": stamp}
            done |= {"whole": "yes" if tools else "no", "added": str(added), "unheard": str(unheard)}
            (room / folder.RECEIPT).write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
            _loads(room)
            shutil.rmtree(target, ignore_errors=True)
            os.replace(room, target)
        finally:
            shutil.rmtree(room, ignore_errors=True)
        return _told(target, done, fresh=True)


def _rebuild(
    model: Path,
    room: Path,
    sentences: Sequence[Sequence[str]],
    lexicon: Pronounce,
    tools: adapt_graph.Tools | None,
    share: float,
) -> tuple[int, int]:
    """Write the graphs into `room`; how many words are new, and how many cannot be heard."""
    old = adapt_gr.symbols(model / "graph/Gr.fst", folder.inspect(model).words)
    before = adapt_gr.read(model / "graph/Gr.fst", old)
    spoken = {word for sentence in sentences for word in sentence}
    numbers = old
    if tools:
        entries = adapt_graph.lexicon(model)
        said = lexicon(spoken - {word for word, _ in entries})
        entries += [(word, way) for word, ways in said.items() for way in ways]
        numbers = adapt_graph.build(model, entries, room, tools)
    heard = [[word if word in numbers else "" for word in sentence] for sentence in sentences]
    mixed = mix(estimate(heard), before.model, share)
    adapt_gr.write(mixed, numbers, before.scale, room / "graph/Gr.fst")
    return len(numbers.keys() - old.keys() - {START, END}), len(spoken - numbers.keys())


def _dynamic(model: Path) -> None:
    if not folder.inspect(model).dynamic:
        raise NotAdaptable(f"{model.name} has a static graph, so it cannot be adapted: choose a model with HCLr.fst.")


def _stamp(model: Path, sentences: Sequence[Sequence[str]], also: bytes) -> str:
    """A digest of everything that the result is made of."""
    digest = hashlib.sha256(also)
    for name in ("am/final.mdl", *_WHOLE):
        if (model / name).is_file() and name != folder.RECEIPT:
            with (model / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    for sentence in sentences:
        digest.update(" ".join(sentence).encode() + b"\n")
    return digest.hexdigest()


def _linked(model: Path, room: Path, left_out: Iterable[str]) -> None:
    """The model's files in another folder, without those that will be written anew: writing to a link would change
    the original."""
    without = {model / name for name in left_out}
    for path in sorted(model.rglob("*")):
        there = room / path.relative_to(model)
        if path.is_dir():
            there.mkdir(parents=True, exist_ok=True)
        elif path not in without:
            there.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, there)
            except OSError:  # another file system, or one without links
                shutil.copy2(path, there)


def _loads(path: Path) -> None:
    """Raises NotAdaptable where Vosk cannot work with the folder: it must not take a good model's place."""
    pool = DecodePool(threads=1)
    try:
        vosk_engine.load_now(path, pool)
    except AsrUnavailable as error:
        raise NotAdaptable(f"Vosk cannot load the adapted {path.name}, so it is not used.") from error
    finally:
        pool.close()


def _told(path: Path, receipt: dict[str, str], *, fresh: bool) -> Adapted:
    return Adapted(
        path=path,
        fresh=fresh,
        whole=receipt.get("whole") == "yes",
        added=int(receipt.get("added", 0)),
        unheard=int(receipt.get("unheard", 0)),
    )
