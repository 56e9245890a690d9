"""`triageline check`: one line a part, "ok" or what to do."""

import asyncio
import importlib.metadata
import os
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from asr_models import engines
from asr_models.errors import ModelError
from asr_models.pool import DecodePool
from asr_models.port import AsrUnavailable
from config.settings import Settings
from dialogs.prompts import problems as prompt_problems
from ivr import signs
from ivr.bootstrap.console import sign_of
from ivr.bootstrap.doors import choose_model, open_masking
from ivr.bootstrap.edge import check_called, described, known, modules, program
from ivr.bootstrap.places import Places, places, prepare
from ivr.bootstrap.up import check_port
from ivr.bootstrap.work import sip_settings
from ivr.edge.rpc import EdgeError
from ivr.lines.sip import SipLine
from ivr.lines.sip_settings import SipSettings
from ivr.ports import LineError
from ivr.supervise import SuperviseError
from ivr.voices import choose as voices
from masking.port import MaskingUnavailable, Side
from masking.providers.twilio_account import lacking
from records.keys import KeyRefused, keys_from_folder
from records.port import JournalUnavailable
from routing.agents import AgentsRefused, load_agents
from routing.processes import RedisMissing, find_redis

LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a look at one part showed."""

    ok: bool
    """Whether there is nothing to do."""
    text: str
    """What is there, or what to do."""


def good(text: str) -> Finding:
    """Nothing to do."""
    return Finding(ok=True, text=text)


def bad(text: str) -> Finding:
    """Something to do."""
    return Finding(ok=False, text=text)


def run(settings: Settings, out: Callable[[str], None]) -> int:
    """Look at everything; 0 where nothing is to do, 1 otherwise."""
    where = places(settings)
    prepare(where)
    failed = 0
    for name, look in PARTS.items():
        finding = look(settings, where)
        failed += not finding.ok
        out(f"{'ok  ' if finding.ok else 'DO  '}{name:<12} {finding.text}")
    out("everything is fine" if not failed else f"{failed} of {len(PARTS)} need something")
    return 1 if failed else 0


def telephony(settings: Settings, where: Places) -> Finding:
    """Build and call limit of pjsua2, read from a library that is really opened."""

    async def look() -> tuple[str, int]:
        line = SipLine(SipSettings(bind="127.0.0.1", port=0))
        await line.start(lambda arrival: None)
        try:
            return line.version, line.capacity
        finally:
            await line.close()

    try:
        version, capacity = asyncio.run(look())
    except LineError as error:
        return bad(str(error))
    callers = min(settings.hotline.callers, max(1, capacity // 2))
    return good(f"pjsua2 {version}, {capacity} legs a process: {callers} callers at once")


def port(settings: Settings, where: Places) -> Finding:
    """The SIP port."""
    living = [one for one in signs.read_all(where.run) if Path(f"/proc/{one.pid}").exists()]
    if living:
        return good(f"the hotline is running on {settings.sip.bind}:{settings.sip.port}, {len(living)} workers")
    try:
        check_port(settings)
    except SuperviseError as error:
        return bad(str(error))
    return good(f"{settings.sip.bind}:{settings.sip.port} is free (UDP and TCP)")


def edge(settings: Settings, where: Places) -> Finding:
    """Kamailio, its modules, and what it is told."""
    if not settings.sip.edge:
        try:
            sip_settings(settings)
        except (EdgeError, LineError) as error:
            return bad(str(error))
        return good("off: one worker takes calls itself, phones cannot register")
    try:
        found = program()
        modules()
        check_called(settings, where, described(settings, where))
        told = known(settings, where)
        registering = sum(not one.address for one in load_agents(where.agents).agents)
    except EdgeError as error:
        return bad(str(error))
    except AgentsRefused:
        return good(f"{found}; what is wrong with the agents is told below")
    return good(f"{found}; {len(told.trunks)} trunks, {registering} agents register, {len(told.desks)} have an address")


def api(settings: Settings, where: Places) -> Finding:
    """The web API: where it is, or whether its port could be had."""
    console = settings.console
    if not console.enabled:
        return good("off: bindings are made on the command line only")
    sign = sign_of(where)
    if sign is not None:
        return bad(sign.problem) if sign.problem else good(f"served on {sign.address}")
    with socket.socket(socket.AF_INET6 if ":" in console.bind else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((console.bind, console.port))
        except OSError as error:
            why = (error.strerror or "unknown").lower()
            return bad(
                f"port {console.port} on {console.bind} cannot be opened ({why}): "
                "stop what uses it, or set console.port to another one"
            )
    return good(f"port {console.port} on {console.bind} is free")


def ears(settings: Settings, where: Places) -> Finding:
    """Which model answers; it is really loaded."""
    choice = choose_model(settings, where)
    if choice.problems:
        return bad(f"{choice.problems[0]} {choice.reason}")
    if not choice.engine:
        return bad(choice.reason)
    language = settings.hotline.language
    try:
        engines.load_now(choice, language, where.models, DecodePool())
    except (ModelError, AsrUnavailable) as error:
        return bad(f"{error}; remove it and install it again")
    if settings.speech.second_pass != "off" and not engines.ready(language, where.models):
        return bad(f"there is no Whisper model for the second pass: {engines.ADVICE}")
    return good(choice.reason)


def speaking(settings: Settings, where: Places) -> Finding:
    """Which voices can be used."""
    usable = [name for name in settings.speech.voices if voices.problem(name) is None]
    missing = [text for name in settings.speech.voices if (text := voices.problem(name))]
    if not usable:
        return bad(missing[0] if missing else "no voice is configured: set speech.voices")
    return good(", then ".join(usable) + (f" ({missing[0]})" if missing else ""))


def dialogue(settings: Settings, where: Places) -> Finding:
    """Rasa's own environment and the trained model."""
    python = where.root / ".venv-rasa/bin/python"
    if not python.exists():
        return bad("Rasa's environment is missing: run scripts/setup")
    asked = [str(python), "-c", "import importlib.metadata as m; print(m.version('rasa'))"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode:
        return bad("Rasa's environment is broken: delete .venv-rasa and run scripts/setup")
    if not list((where.root / "var/rasa/models").glob("*.tar.gz")):
        return bad("the dialogue is not trained: run scripts/setup")
    return good(f"Rasa {found.stdout.strip()}, trained")


def redis(settings: Settings, where: Places) -> Finding:
    """The Redis program."""
    try:
        program = find_redis()
    except RedisMissing as error:
        return bad(str(error))
    return good(str(program))


def agents(settings: Settings, where: Places) -> Finding:
    """The list of agents."""
    try:
        roster = load_agents(where.agents)
    except AgentsRefused as error:
        return bad(str(error))
    if not roster.agents:
        return bad(f"{where.agents} names no agent: every caller in need would be offered a callback only")
    return good(f"{len(roster.agents)} in {where.agents.name}")


def keys(settings: Settings, where: Places) -> Finding:
    """The master keys; made at first start."""
    try:
        keys_from_folder(where.keys)
    except KeyRefused as error:
        return bad(str(error))
    return good(f"in {where.keys}: keep a copy in a safe place, records cannot be read without them")


NO_NUMBERS = "no virtual numbers yet: calls are masked after `triageline masking import`"


def masking(settings: Settings, where: Places) -> Finding:
    """Virtual numbers, and the way out to those for whom they stand."""
    if not settings.masking.database and not (where.var / "vault.db").exists():
        return good(NO_NUMBERS)
    try:
        desk = open_masking(settings, where, keys_from_folder(where.keys))
        try:
            count = Counter(one.side for one in asyncio.run(desk.numbers.list()))
        finally:
            desk.close()
    except (MaskingUnavailable, JournalUnavailable, KeyRefused) as error:
        return bad(f"{error}; look at masking.database" if settings.masking.database else str(error))
    if not count:
        return good(NO_NUMBERS)
    out = settings.masking.outbound or settings.sip.outbound
    if not (out or settings.masking.twilio_public_url):
        return bad(f"{count.total()} virtual numbers, but nobody can be called: set masking.outbound to a trunk")
    told = ", ".join(f"{count[side]} that {side}s dial" for side in Side)
    return good(f"{told}{', the other side is called through a trunk' if out else ''}")


def twilio(settings: Settings, where: Places) -> Finding:
    """What Twilio needs, where it is to carry anything."""
    account, token = (os.environ.get(f"TWILIO_{name}", "") for name in ("ACCOUNT_SID", "AUTH_TOKEN"))
    public, used = settings.masking.twilio_public_url, "twilio" in {settings.masking.texts, settings.masking.provider}
    if lack := lacking(public=public, used=used, account=account, token=token):
        return bad(lack)
    if not public:
        return good("off")
    if not settings.console.enabled:
        return bad("Twilio is answered by the API: set console.enabled = true")
    return good(f"answered at {public}/twilio/")


def disk(settings: Settings, where: Places) -> Finding:
    """Space and write access."""
    if not os.access(where.var, os.W_OK):
        return bad(f"{where.var} cannot be written")
    free = shutil.disk_usage(where.var).free
    if free < LEAST_FREE_BYTES:
        return bad(f"only {free / 1e9:.1f} GB free on {where.var}: free some, records need space")
    return good(f"{free / 1e9:.0f} GB free")


def sentences(settings: Settings, where: Places) -> Finding:
    """Everything that can be said."""
    found = prompt_problems(where.root / "dialogs/prompts", SPEAKABLE)
    return bad(found[0]) if found else good(f"complete, language {settings.hotline.language}")


SPEAKABLE = frozenset(
    {"emergency", "hotline", "department", "complaint", "age", "duration", "severity", "summary", "digits"}
)


def release(settings: Settings, where: Places) -> Finding:
    """Which Triageline this is."""
    return good(f"triageline {importlib.metadata.version('triageline')}")


PARTS: dict[str, Callable[[Settings, Places], Finding]] = {
    "release": release,
    "telephony": telephony,
    "SIP port": port,
    "edge": edge,
    "API": api,
    "recognition": ears,
    "voices": speaking,
    "dialogue": dialogue,
    "sentences": sentences,
    "redis": redis,
    "agents": agents,
    "keys": keys,
    "masking": masking,
    "Twilio": twilio,
    "disk": disk,
}
