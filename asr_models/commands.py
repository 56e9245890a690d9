"""`triageline models`: list, install, adapt, remove and test speech models.

Prints through callables, results to one and what is wrong to the other; returns exit codes.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from asr_models import (
    adapt,
    adapt_graph,
    adapt_lexicon,
    adapt_texts,
    bundled,
    catalog,
    folder,
    install,
    measure,
    trial,
)
from asr_models.engines import ready
from asr_models.errors import BadAudio, ModelError, NotAModel
from asr_models.port import AsrUnavailable
from asr_models.resolve import Choice, resolve
from asr_models.wav import telephone

OK, BAD_INPUT = 0, 2

INSTALL = "A broken download goes on where it stopped; the archive is checked before it is unpacked."
ADAPT = (
    "The result lies beside the original and answers in its place; the original is not changed. Word errors are"
    " measured before and after on sentences set aside, spoken by simulated voices: in a minute at most."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What every command needs."""

    books: catalog.Catalog
    root: Path
    mirror: str | None
    configured: Path | None
    language: str
    texts: Callable[[str], Iterable[str]]
    out: Callable[[str], None]


class _Refused(Exception):
    """The arguments are wrong, or only help was wanted; the code is the exit code."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class _Parser(argparse.ArgumentParser):
    """Neither prints nor exits by itself."""

    say: Callable[[str], None] = staticmethod(print)
    complain: Callable[[str], None] = staticmethod(print)

    def error(self, message: str) -> NoReturn:
        self.complain(f'{self.prog}: {message}; "{self.prog} --help" tells more.')
        raise _Refused(BAD_INPUT)

    def print_help(self, file: object = None) -> None:
        self.say(self.format_help())

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise _Refused(status)


def complain(text: str) -> None:
    """Say what is wrong, on standard error."""
    print(text, file=sys.stderr)


def run(
    argv: Sequence[str],
    *,
    root: Path,
    mirror: str | None,
    configured: Path | None,
    language: str,
    texts: Callable[[str], Iterable[str]] = lambda language: (),
    out: Callable[[str], None] = print,
    err: Callable[[str], None] = complain,
) -> int:
    """Do what the arguments after `models` say; the exit code: 0, or 2 after one sentence about what is wrong.

    `texts` gives what callers may say in a language, for `adapt`; the sentences that come with this room are added."""
    _Parser.say, _Parser.complain = staticmethod(out), staticmethod(err)
    try:
        asked = _parser().parse_args(list(argv))
        books = catalog.read()
        desk = _Desk(
            books=books, root=root, mirror=mirror, configured=configured, language=language, texts=texts, out=out
        )
        asked.do(desk, asked)
    except _Refused as refused:
        return refused.code
    except (ModelError, AsrUnavailable) as error:
        err(str(error))
        return BAD_INPUT
    except OSError as error:
        err(f"The models folder or a file cannot be used: {error.strerror or error}: {error.filename or root}.")
        return BAD_INPUT
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="triageline models", description="Speech models: what was said.")
    commands = parser.add_subparsers(required=True, metavar="list|install|adapt|remove|test")

    def command(name: str, do: Callable[[_Desk, argparse.Namespace], None], what: str, more: str) -> _Parser:
        made: _Parser = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}. {more}")
        made.set_defaults(do=do)
        return made

    command(
        "list", _list, "what can be installed, and which one answers", "An adapted model answers before its original."
    )
    wanted = command("install", _install, "fetch a model from its publisher or the mirror", INSTALL)
    wanted.add_argument("name", help='id, or language such as "en-us"')
    fitted = command("adapt", _adapt, "fit a model to what the hotline's callers say", ADAPT)
    fitted.add_argument("model", nargs="?", help="id or folder; the one that answers calls where left out")
    fitted.add_argument("--texts", nargs="+", default=[], type=Path, help="files of more sentences, one a line")
    fitted.add_argument("--aside", type=Path, help="sentences to measure with, one a line, or a folder of WAV + .txt")
    fitted.add_argument("--unmeasured", action="store_true", help="do not measure word errors")
    unwanted = command("remove", _remove, "delete an installed model", "What was adapted from it stays and works.")
    unwanted.add_argument("name", help="id of the model")
    tried = command(
        "test", _test, "recognise a WAV file, or a sentence spoken on the spot", "Prints speed and memory too."
    )
    tried.add_argument("model", nargs="?", help="id or folder; the one that answers calls where left out")
    tried.add_argument("wav", nargs="?", help="a WAV file of any rate")
    return parser


def _list(desk: _Desk, _: argparse.Namespace) -> None:
    there = {path.name for path in install.installed(desk.root)}
    for model in desk.books.models:
        state = "installed" if model.id in there else "bundled" if model.bundled else ""
        size = f"{model.size / 1e6:.0f} MB"
        desk.out(f"{model.id:30} {model.language:6} {size:>8} {model.licence:11} {state:10} {model.note}")
    known = {model.id for model in desk.books.models}
    for name in sorted(there - known):
        origin = install.receipt(desk.root / name).get("adapted_from")
        what = f"adapted from {origin}" if origin else f"not in the catalog; installed in {desk.root}"
        desk.out(f"{name:30} {what}")
    _report(desk, _choice(desk))


def _install(desk: _Desk, asked: argparse.Namespace) -> None:
    model = desk.books.find(asked.name)
    if model.bundled:
        desk.out(f"{model.id} is in {bundled.unpack(desk.books, desk.root)}.")
        return
    if not model.checksums:
        desk.out(f"No checksum of {model.id} is known: what comes now is trusted, and later installs must match it.")
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task(model.id, total=model.size)
        path = install.install(
            model,
            desk.root,
            desk.mirror or desk.books.publisher,
            lambda had, total: bar.update(task, completed=had, total=total or model.size),
        )
    desk.out(f"{model.id} is in {path} ({model.licence}).")


def _adapt(desk: _Desk, asked: argparse.Namespace) -> None:
    model = _folder(desk, asked.model)
    paper = install.receipt(model)
    if origin := paper.get("adapted_from"):
        model = folder.inspect(model.with_name(origin)).path
    known = next((entry.language for entry in desk.books.models if entry.id == model.name), None)
    language = known or paper.get("language") or desk.language
    if not language.startswith("en") and adapt_graph.rebuildable(model):
        desk.out(f"New words can be said in English only: in {language}, known words alone are weighed anew.")
    more = [line for path in asked.texts for line in adapt_texts.lines(path)]
    aside = asked.aside or measure.aside(language)
    if asked.aside and not asked.aside.exists():
        raise BadAudio(f"There is no file or folder {asked.aside}.")
    texts = [*adapt_texts.own(language), *adapt_texts.WEIGHT * [*desk.texts(language), *more]]
    lexicon = adapt_lexicon.english if language.startswith("en") else adapt_lexicon.nothing
    done = adapt.adapt(
        model, adapt.beside(model), texts, lexicon, language=language, also=adapt_lexicon.OWN.read_bytes()
    )
    desk.out(f"{done.path.name} is in {done.path}{'' if done.fresh else '; nothing has changed'}.")
    words = f"{done.added} new words" if done.whole else "no new words"
    desk.out(f"It knows {words}; {done.unheard} words of the sentences cannot be heard.")
    if not done.whole and adapt_graph.rebuildable(model):
        desk.out(f"Its graph could be rebuilt too: {adapt_graph.ADVICE}.")
    if aside is None and not asked.unmeasured:
        desk.out(f"Word errors were not measured: no sentences in {language} are set aside (--aside gives some).")
    elif aside is not None and not asked.unmeasured:
        _compare(desk, (model, done.path), measure.cases(aside, language))


def _compare(desk: _Desk, models: Sequence[Path], said: Sequence[measure.Case]) -> None:
    """A table of word errors, and how to read it."""
    desk.out(f"{'':34} word errors  sentences without one")
    for path, done in zip(models, measure.compare(models, said), strict=True):
        desk.out(f"{path.name:34} {100 * done.rate:9.1f} %  {done.whole:4} of {done.utterances}")
    desk.out("Measured with sentences set aside: compare the two, do not expect the figures of real callers.")


def _remove(desk: _Desk, asked: argparse.Namespace) -> None:
    install.remove(asked.name, desk.root)
    desk.out(f"{asked.name} was removed.")


def _test(desk: _Desk, asked: argparse.Namespace) -> None:
    name, wav = asked.model, asked.wav
    if name and wav is None and name.lower().endswith(".wav"):
        name, wav = None, name
    path = _folder(desk, name)
    pcm = telephone(_bytes(Path(wav)), wav) if wav else trial.spoken(desk.language)
    done = asyncio.run(trial.attempt(path, pcm))
    desk.out(f"model:            {path.name}")
    desk.out(f"heard:            {done.transcript.text or '(nothing)'}")
    desk.out(f"confidence:       {done.transcript.confidence:.2f}")
    desk.out(f"audio:            {done.audio_seconds:.1f} s")
    desk.out(f"real-time factor: {done.real_time_factor:.3f} (loading took {done.load_seconds:.1f} s)")
    desk.out(f"memory:           {done.memory_bytes / 1e6:.0f} MB")


def _folder(desk: _Desk, name: str | None) -> Path:
    """The folder of a model named by id, language or path; of the one that answers calls where no name is given."""
    if name is None:
        choice = _choice(desk)
        if choice.model is None and desk.language.startswith("en"):
            bundled.unpack(desk.books, desk.root)
            choice = _choice(desk)
        _report(desk, choice)
        if choice.model is None:
            raise NotAModel("There is no Vosk model here: name one, or a folder.")
        return choice.model.path
    if "/" in name or Path(name).is_dir():
        return folder.inspect(Path(name)).path
    if (desk.root / name).is_dir():
        return folder.inspect(desk.root / name).path
    model = desk.books.find(name)
    if model.bundled:
        return bundled.unpack(desk.books, desk.root)
    if not (desk.root / model.id).is_dir():
        raise NotAModel(f'{model.id} is not installed: run "triageline models install {model.id}".')
    return folder.inspect(desk.root / model.id).path


def _choice(desk: _Desk) -> Choice:
    engines = ready(desk.language, desk.root)
    return resolve(
        configured=desk.configured, root=desk.root, language=desk.language, catalog=desk.books, engines=engines
    )


def _report(desk: _Desk, choice: Choice) -> None:
    for problem in choice.problems:
        desk.out(problem)
    desk.out(choice.reason)


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise BadAudio(f"There is no file {path}.")
    return path.read_bytes()
