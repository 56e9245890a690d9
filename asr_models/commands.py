"""`triageline models`: list, install, adapt, remove and test speech models.

Prints through a callable, returns exit codes.
"""

import argparse
import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from asr_models import adapt, adapt_graph, adapt_lexicon, adapt_texts, bundled, catalog, folder, install, trial
from asr_models.errors import BadAudio, ModelError, NotAModel
from asr_models.port import AsrUnavailable
from asr_models.resolve import Choice, Source, resolve
from asr_models.wav import telephone

OK, BAD_INPUT = 0, 2


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

    def error(self, message: str) -> NoReturn:
        self.say(f"{self.prog}: {message}.")
        raise _Refused(BAD_INPUT)

    def print_help(self, file: object = None) -> None:
        self.say(self.format_help())

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise _Refused(status)


def run(
    argv: Sequence[str],
    *,
    root: Path,
    mirror: str | None,
    configured: Path | None,
    language: str,
    texts: Callable[[str], Iterable[str]] = lambda language: (),
    out: Callable[[str], None] = print,
) -> int:
    """Do what the arguments after `models` say; the exit code: 0, or 2 after one sentence about what is wrong.

    `texts` gives what callers may say in a language, for `adapt`; the sentences that come with this room are added."""
    _Parser.say = staticmethod(out)
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
        out(str(error))
        return BAD_INPUT
    except OSError as error:
        out(f"The models folder or a file cannot be used: {error.strerror or error}: {error.filename or root}.")
        return BAD_INPUT
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="triageline models", description="Speech models: what was said.")
    commands = parser.add_subparsers(required=True, metavar="list|install|adapt|remove|test")
    commands.add_parser("list", help="what can be installed, and which one answers").set_defaults(do=_list)
    wanted = commands.add_parser("install", help="fetch a model from its publisher or the mirror")
    wanted.add_argument("name", help='id, or language such as "en-us"')
    wanted.set_defaults(do=_install)
    fitted = commands.add_parser("adapt", help="fit a model to what the hotline's callers say")
    fitted.add_argument("model", nargs="?", help="id or folder; the one that answers calls where left out")
    fitted.add_argument("--texts", nargs="+", default=[], type=Path, help="files of more sentences, one a line")
    fitted.set_defaults(do=_adapt)
    unwanted = commands.add_parser("remove", help="delete an installed model")
    unwanted.add_argument("name", help="id of the model")
    unwanted.set_defaults(do=_remove)
    tried = commands.add_parser("test", help="recognise a WAV file, or a sentence spoken on the spot")
    tried.add_argument("model", nargs="?", help="id or folder; the one that answers calls where left out")
    tried.add_argument("wav", nargs="?", help="a WAV file of any rate")
    tried.set_defaults(do=_test)
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
        if choice.source is Source.NONE and desk.language.startswith("en"):
            bundled.unpack(desk.books, desk.root)
            choice = _choice(desk)
        _report(desk, choice)
        if choice.model is None:
            raise NotAModel("There is no model to test.")
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
    return resolve(configured=desk.configured, root=desk.root, language=desk.language, catalog=desk.books)


def _report(desk: _Desk, choice: Choice) -> None:
    for problem in choice.problems:
        desk.out(problem)
    desk.out(choice.reason)


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise BadAudio(f"There is no file {path}.")
    return path.read_bytes()
