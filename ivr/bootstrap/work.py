"""The worker process: opens everything, takes calls, drains on SIGTERM."""

import asyncio
import json
import logging
import os
import signal
import sys

from config.settings import Settings
from ivr.bootstrap.doors import Back, House, open_house
from ivr.bootstrap.places import Places, places, prepare
from ivr.lines.sip import SipLine
from ivr.lines.sip_settings import SipSettings
from ivr.ports import LegArrived
from ivr.voices.cache import warm
from ivr.worker import Limits, Worker
from masking.redact import Redactor

log = logging.getLogger(__name__)

RASA_TOKEN = "TRIAGELINE_RASA_TOKEN"


def tell(where: Places, **facts: object) -> None:
    """Write the ready file in one step."""
    part = where.ready.with_suffix(".part")
    part.write_text(json.dumps(facts), encoding="utf-8")
    part.replace(where.ready)


def log_to_stdout() -> None:
    """Log lines with time and level; numbers are hidden in every record before it is written."""
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(Redactor())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def sip_settings(settings: Settings) -> SipSettings:
    """What the SIP line is told."""
    sip = settings.sip
    return SipSettings(
        bind=sip.bind, port=sip.port, tcp=sip.tcp, account=sip.shown_user, allow_old_build=sip.allow_old_build
    )


async def work(settings: Settings, rasa_port: int, redis_url: str) -> int:
    """Live until SIGTERM or SIGINT. Raises the rooms' errors, each one sentence."""
    log_to_stdout()
    where = places(settings)
    prepare(where)
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    back = Back(
        rasa_url=f"http://127.0.0.1:{rasa_port}", rasa_token=os.environ.get(RASA_TOKEN, ""), redis_url=redis_url
    )
    line = SipLine(sip_settings(settings))
    house = await open_house(settings, where, back, line, line)
    try:
        return await serve(settings, where, line, house, stop)
    finally:
        await line.close()
        await house.router.close()
        await house.rasa.close()
        await asyncio.to_thread(house.store.close)
        await asyncio.to_thread(house.vault.close)
        where.ready.unlink(missing_ok=True)


async def serve(settings: Settings, where: Places, line: SipLine, house: House, stop: asyncio.Event) -> int:
    """Take calls until told to stop; then let those in progress end."""
    waiting: list[LegArrived] = []
    worker: Worker | None = None

    def arrived(arrival: LegArrived) -> None:
        waiting.append(arrival) if worker is None else worker.arrived(arrival)

    await house.router.start()
    await line.start(arrived)
    callers = min(settings.hotline.callers, max(1, line.capacity // 2))
    worker = Worker(house.doors, Limits(callers=callers))
    for arrival in waiting:
        worker.arrived(arrival)
    facts = {
        "pid": os.getpid(), "bind": settings.sip.bind, "port": line.port, "callers": callers,
        "pjsua2": line.version, "recogniser": house.recogniser,
    }  # fmt: skip
    log.info("taking calls on port %d, %d callers at once, pjsua2 %s", line.port, callers, line.version)
    tell(where, **facts, voices=False)
    failed = await warm(house.doors.voice, house.fixed)
    log.info("%d prompts are ready, %d failed", len(house.fixed) - failed, failed)
    tell(where, **facts, voices=True)
    await stop.wait()
    log.info("draining %d calls", worker.calls)
    if not await worker.drain(settings.hotline.drain_seconds):
        log.warning("calls were still in progress at the end of the drain time")
        await worker.stop()
    return 0
