"""Opens the rooms for a worker."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from asr_models import catalog, resolve, vosk_engine
from asr_models.errors import ModelError
from asr_models.pool import DecodePool
from asr_models.port import AsrUnavailable
from asr_models.second_look import SecondLook
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
from ivr.bootstrap.places import Places
from ivr.doors import Doors
from ivr.hearing import Ears
from ivr.ports import Line, Sound, Voice
from ivr.voices.choose import assemble
from ivr.voices.store import DiskStore
from masking import database as masking_database
from masking.vault_sql import SqlVault
from records import database as records_database
from records.callbacks_sql import SqlCallbacks
from records.journal_sql import SqlJournal
from records.keys import KeyRing, keys_from_folder
from records.store import Store
from routing.agents import load_agents
from routing.service import RedisRouter
from routing.store import AgentStore

log = logging.getLogger(__name__)

DECODE_THREADS = 2


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
    vault: SqlVault
    """To be closed."""
    recogniser: str
    """Engine and model that hears, or empty."""
    fixed: tuple[str, ...]
    """Sentences to render before they are needed."""


async def open_house(settings: Settings, where: Places, back: Back, line: Line, sound: Sound) -> House:
    """Open all rooms. Raises the rooms' errors, each one sentence."""
    hotline = settings.hotline
    keys = keys_from_folder(where.keys)
    store = Store(records_database.prepare(where.database))
    journal = SqlJournal(store, keys)
    await journal.check_keys()
    router = RedisRouter(load_agents(where.agents), AgentStore(back.redis_url), worker="worker-1")
    rasa = RasaDialogue(back.rasa_url, back.rasa_token, seconds=settings.rasa.seconds)
    prompts = make_prompts(settings, where.root)
    menu = make_menu(where.root)
    ears, recogniser = await open_ears(settings, where)
    vault = open_vault(settings, where, keys)
    doors = Doors(
        line=line,
        sound=sound,
        ears=ears,
        voice=make_voice(settings, where),
        prompts=prompts,
        talk=FallbackDialogue(rasa, menu, seconds=settings.rasa.seconds + 0.5),
        keys=menu,
        router=router,
        masking=vault,
        journal=journal,
        callbacks=SqlCallbacks(store),
        clock=time.time,
        language=hotline.language,
    )
    return House(
        doors=doors,
        router=router,
        rasa=rasa,
        store=store,
        vault=vault,
        recogniser=recogniser,
        fixed=prompts.fixed(hotline.language),
    )


def open_vault(settings: Settings, where: Places, keys: KeyRing) -> SqlVault:
    """The vault of real numbers, under keys of its own. Raises MaskingUnavailable, JournalUnavailable."""
    engine = masking_database.prepare(records_database.connect(where.vault))
    return SqlVault(
        engine, keys.sealer("masking vault"), shown=settings.sip.shown_user, region=settings.hotline.region
    )


def make_prompts(settings: Settings, root: Path) -> TomlPrompts:
    """Sentences, with the emergency number as digits to be spoken one by one."""
    common = {"emergency": " ".join(settings.hotline.emergency_number), "hotline": settings.hotline.name}
    return TomlPrompts(root / "dialogs/prompts", common)


def make_menu(root: Path) -> KeypadMenu:
    """The keypad menu."""
    return KeypadMenu(load_menu(root / "dialogs/menu.toml"), load_menu_words(root / "dialogs/menu"))


def make_voice(settings: Settings, where: Places) -> Voice:
    """The voices of the settings, one behind the other, remembered."""
    return assemble(settings.speech.voices, DiskStore(where.cache / "prompts"))


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
    )


async def open_ears(settings: Settings, where: Places) -> tuple[Ears | None, str]:
    """Recogniser and safety net; None where no model can be loaded: then callers are led by keys."""
    choice = choose_model(settings, where)
    for problem in choice.problems:
        log.error("recognition: %s", problem)
    log.info("recognition: %s", choice.reason)
    if choice.model is None:
        return None, ""
    try:
        recogniser = await vosk_engine.load(choice.model.path, DecodePool(threads=DECODE_THREADS))
    except (ModelError, AsrUnavailable) as error:
        log.error("recognition: %s; callers are led by keys", error)
        return None, ""
    ears = Ears(
        recogniser=recogniser,
        second_look=SecondLook(recogniser, on_failure=lambda name: log.warning("second look failed: %s", name)),
        net=RuleSafetyNet(load_rule_books(where.root / "dialogs")),
        affirms=make_affirms(where.root, settings.hotline.language),
        always=always_heard(where.root / "dialogs/always", settings.hotline.language),
    )
    return ears, recogniser.name


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
