"""Opens the rooms for a worker."""

# Size: open_house names every door once; in pieces each name would be said twice.

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from asr_models import catalog, engines, resolve
from asr_models.errors import ModelError
from asr_models.pool import DecodePool
from asr_models.port import AsrUnavailable
from asr_models.second_look import SecondLook
from asr_models.second_pass import SecondPass
from config.settings import Settings
from dialogs.extract import yes_no
from dialogs.facts import Finding
from dialogs.fallback import FallbackDialogue
from dialogs.menu import KeypadMenu
from dialogs.menu_tree import load_menu, load_menu_words
from dialogs.prompts import TomlPrompts
from dialogs.rasa_http import RasaDialogue
from dialogs.red_flags import load_rule_books
from dialogs.safety_net import RuleSafetyNet
from dialogs.words import load_languages
from ivr.bootstrap.edge import described
from ivr.bootstrap.places import Places
from ivr.bootstrap.reach import reach_of
from ivr.bootstrap.seeing import Seeing
from ivr.doors import Doors
from ivr.hearing import Ears
from ivr.ports import Line, Sound, Voice
from ivr.pressure import Pressure
from ivr.replay.recorder import Recorder
from ivr.voices.choose import assemble
from ivr.voices.fallback import FallbackVoice
from ivr.voices.store import DiskStore
from masking.desk import Desk, open_desk
from masking.port import MaskingRefused, MaskingUnavailable
from masking.reach import Reach
from records import database as records_database
from records.callbacks_sql import SqlCallbacks
from records.journal_sql import SqlJournal
from records.keys import KeyRing, keys_from_folder
from records.lifelines_sql import SqlLifelines
from records.store import Store
from records.tapes import FileTapes
from routing.agents import Roster, load_agents, reachable
from routing.service import RedisRouter
from routing.store import AgentStore

log = logging.getLogger(__name__)

DECODE_THREADS = 2
SECOND_PASSES = 4
"""Utterances that may wait for the other engine; more are left out rather than looked at too late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """How the worker reaches the other processes."""

    rasa_url: str
    """Base address of Rasa."""
    rasa_token: str
    """Its token."""
    redis_url: str
    """Address of Redis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything open, and how to close it."""

    doors: Doors
    """For the sessions."""
    router: RedisRouter
    """To be started and closed."""
    rasa: RasaDialogue
    """To be closed."""
    store: Store
    """To be closed."""
    desk: Desk
    """Masking, the vault included; to be closed."""
    reach: Reach
    """Webhooks and limits; to be run, and to be closed before the desk."""
    tapes: FileTapes
    """To be closed."""
    seeing: Seeing
    """To be started and closed."""
    recogniser: str
    """Engine and model that hears, or empty."""
    fixed: tuple[str, ...]
    """Sentences to render before they are needed."""
    unhurried: Voice
    """The voice to render them with: nobody waits."""


async def open_house(
    settings: Settings, where: Places, back: Back, line: Line, sound: Sound, seeing: Seeing, *, keeper: str = "worker-1"
) -> House:
    """Open all rooms for a process, `keeper` among its like. Raises the rooms' errors, each one sentence."""
    hotline = settings.hotline
    keys = keys_from_folder(where.keys)
    store = Store(records_database.prepare(where.database))
    journal = SqlJournal(store, keys)
    await journal.check_keys()
    router = RedisRouter(roster(settings, where), AgentStore(back.redis_url), worker=keeper)
    rasa = RasaDialogue(back.rasa_url, back.rasa_token, seconds=settings.rasa.seconds)
    prompts = make_prompts(settings, where.root)
    menu = make_menu(where.root)
    pool = DecodePool(threads=DECODE_THREADS)
    seeing.decodes(pool)
    ears, recogniser = await open_ears(settings, where, pool)
    reach = reach_of(settings, open_masking(settings, where, keys), keys, taker=keeper, redis_url=back.redis_url)
    desk = reach.desk
    tapes = open_tapes(settings, where, keys, tidy=True)
    voice = make_voice(settings, where, seeing.engine)
    doors = Doors(
        line=line,
        sound=sound,
        ears=ears,
        voice=seeing.voice(voice),
        kept=voice.kept,
        pressure=Pressure(pool.backlog, time.monotonic) if ears else None,
        watcher=seeing.watcher,
        prompts=prompts,
        talk=FallbackDialogue(rasa, menu, seconds=settings.rasa.seconds + 0.5),
        keys=menu,
        router=router,
        masking=desk.vault,
        journal=journal,
        callbacks=SqlCallbacks(store),
        lifelines=SqlLifelines(store),
        keeper=keeper,
        clock=time.time,
        witness=(lambda call, language: Recorder(tapes, call, language)) if settings.records.tapes else None,
        language=hotline.language,
    )
    return House(
        doors=doors,
        router=router,
        rasa=rasa,
        store=store,
        desk=desk,
        reach=reach,
        tapes=tapes,
        seeing=seeing,
        recogniser=recogniser,
        fixed=prompts.fixed(hotline.language),
        unhurried=voice.unhurried(),
    )


def roster(settings: Settings, where: Places) -> Roster:
    """Who takes calls, and where each is called. Raises AgentsRefused, EdgeError."""
    edge = described(settings, where) if settings.sip.edge else None
    return reachable(load_agents(where.agents), f"{edge.bind}:{edge.port}" if edge else None)


def open_masking(settings: Settings, where: Places, keys: KeyRing) -> Desk:
    """The vault of real numbers, virtual numbers and bindings, under keys of their own. Raises MaskingUnavailable,
    JournalUnavailable."""
    masking = settings.masking
    try:
        return open_desk(
            records_database.connect(where.vault),
            keys.sealer,
            region=settings.hotline.region,
            shown=settings.sip.shown_user,
            hotline=masking.hotline_numbers,
            countries=masking.countries,
            complaints=masking.complaints_alert,
        )
    except (MaskingRefused, ValueError) as wrong:
        raise MaskingUnavailable(f"masking cannot be opened: {wrong}") from wrong


def open_tapes(settings: Settings, where: Places, keys: KeyRing, *, tidy: bool = False) -> FileTapes:
    """Calls recorded for test; `tidy` destroys those that are too old, from now on."""
    return FileTapes(where.tapes, keys, days=settings.records.tape_days, tidy=tidy)


def make_prompts(settings: Settings, root: Path) -> TomlPrompts:
    """Sentences, with the emergency number as digits to be spoken one by one. Where calls are recorded for test, the
    greeting says so."""
    common = {"emergency": " ".join(settings.hotline.emergency_number), "hotline": settings.hotline.name}
    instead = {"call.greeting": "call.greeting_taped"} if settings.records.tapes else {}
    return TomlPrompts(root / "dialogs/prompts", common, instead)


def make_menu(root: Path) -> KeypadMenu:
    """The keypad menu."""
    return KeypadMenu(load_menu(root / "dialogs/menu.toml"), load_menu_words(root / "dialogs/menu"))


def make_voice(
    settings: Settings, where: Places, around: Callable[[str, Voice], Voice] = lambda name, voice: voice
) -> FallbackVoice:
    """The voices of the settings, one behind the other, remembered; `around` may put something around each."""
    return assemble(settings.speech.voices, DiskStore(where.cache / "prompts"), around)


def configured_model(settings: Settings) -> Path | None:
    """The model folder of the settings, if one is named."""
    return Path(settings.speech.model).expanduser() if settings.speech.model else None


def choose_model(settings: Settings, where: Places) -> resolve.Choice:
    """Which recogniser answers, and why."""
    return resolve.resolve(
        configured=configured_model(settings),
        root=where.models,
        language=settings.hotline.language,
        catalog=catalog.read(),
        engines=engines.ready(settings.hotline.language, where.models),
    )


async def open_ears(settings: Settings, where: Places, pool: DecodePool) -> tuple[Ears | None, str]:
    """Recogniser and safety net; None where no model can be loaded: then callers are led by keys."""
    choice = choose_model(settings, where)
    for problem in choice.problems:
        log.error("recognition: %s", problem)
    log.info("recognition: %s", choice.reason)
    if not choice.engine:
        return None, ""
    language = settings.hotline.language
    try:
        recogniser = await engines.load(choice, language, where.models, pool)
    except (ModelError, AsrUnavailable) as error:
        log.error("recognition: %s; callers are led by keys", error)
        return None, ""
    ears = Ears(
        recogniser=recogniser,
        second_look=SecondLook(recogniser, on_failure=_failed("second look")) if choice.model else None,
        second_pass=await open_second_pass(settings, where),
        net=RuleSafetyNet(load_rule_books(where.root / "dialogs")),
        affirms=make_affirms(where.root, settings.hotline.language),
        always=always_heard(where.root / "dialogs/always", settings.hotline.language),
    )
    return ears, recogniser.name


async def open_second_pass(settings: Settings, where: Places) -> SecondPass | None:
    """The other engine that listens again for dangers; None where it is off or cannot be had, which is told."""
    if settings.speech.second_pass == "off":
        return None
    pool = DecodePool(threads=1, limit=SECOND_PASSES)
    try:
        recogniser = await engines.second(settings.hotline.language, where.models, pool)
    except (ModelError, AsrUnavailable) as error:
        log.error("second pass: %s", error)
        return None
    return SecondPass(recogniser, on_failure=_failed("second pass"))


def _failed(what: str) -> Callable[[str], None]:
    return lambda name: log.warning("%s failed or was left out: %s", what, name)


def always_heard(folder: Path, language: str) -> tuple[str, ...]:
    """Phrases that every grammar contains; none for a language without a file."""
    file = folder / f"{language}.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return tuple(line for line in lines if line and not line.startswith("#"))


def make_affirms(root: Path, language: str) -> Callable[[str], bool | None]:
    """Plain yes or no in a language."""
    words = load_languages(root / "dialogs/words")[language]
    meaning = {Finding.PRESENT: True, Finding.ABSENT: False}

    def affirms(text: str) -> bool | None:
        found = yes_no(text, words)
        return None if found is None else meaning.get(found)

    return affirms
