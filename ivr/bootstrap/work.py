"""The worker process: opens everything, takes calls, drains on SIGTERM."""

import asyncio
import logging
import os
from dataclasses import replace

from config.settings import Settings
from ivr.bootstrap.accounts import direct_tls, loopback, registrations
from ivr.bootstrap.doors import Back, House, open_house
from ivr.bootstrap.edge import described, known_peers
from ivr.bootstrap.masked import MaskedCalls
from ivr.bootstrap.places import Places, places, prepare
from ivr.bootstrap.post import Post
from ivr.bootstrap.seeing import Seeing, log_to_stdout
from ivr.edge.trunks import load_trunks
from ivr.lines.sip import SipLine
from ivr.lines.sip_settings import SipSettings
from ivr.ringback import RingBacks, Trunk
from ivr.voices.cache import wake, warm
from ivr.worker import Limits, Worker, new_call_id
from masking.numbers import may_be_dialled

log = logging.getLogger(__name__)

RASA_TOKEN = "TRIAGELINE_RASA_TOKEN"
LATE_SECONDS = 5.0
"""At its end, a worker waits so long for entries of calls that the database has not taken yet."""


def sip_settings(settings: Settings) -> SipSettings:
    """What the SIP line is told: behind the edge a port of its own on loopback, else the public address. Raises
    EdgeError, and LineError for a trunk whose password is not where it should be."""
    sip, where = settings.sip, places(settings)
    trunks = load_trunks(where.trunks)
    common = SipSettings(account=sip.shown_user, allow_old_build=sip.allow_old_build, srtp=sip.srtp)
    if not sip.edge:
        networks = {network for trunk in trunks for network in trunk.networks}
        return replace(
            common, bind=sip.bind, port=sip.port, tcp=sip.tcp, tls=direct_tls(settings, trunks),
            open_keys=sip.srtp != "require" or loopback(sip.bind),
            peers=(*known_peers(settings), *sorted(networks)), trunks=registrations(trunks, ""),
            trusted=tuple(network for trunk in trunks if trunk.trust_identity for network in trunk.networks),
        )  # fmt: skip
    edge = described(settings, where)
    return replace(
        common, bind="127.0.0.1", port=0, tcp=False, proxy=f"sip:127.0.0.1:{edge.inner}", peers=("127.0.0.1/32",),
        media_bind=sip.bind, public_address=sip.bind,
        trunks=registrations(trunks, f"sip:{sip.shown_user}@{edge.bind}:{edge.port}"),
    )  # fmt: skip


def behind_edge(settings: Settings) -> bool:
    """Whether workers take calls from the edge, each on a port of its own."""
    return settings.sip.edge


async def work(settings: Settings, rasa_port: int, redis_url: str, name: str = "worker-1") -> int:
    """Live until SIGTERM or SIGINT. Raises the rooms' errors, each one sentence."""
    log_to_stdout(settings.logs.format, name)
    where = places(settings)
    prepare(where)
    settled = sip_settings(settings)
    post = Post(where.run, name, slots=settings.hotline.workers, host=settled.bind)
    post.listen()
    back = Back(
        rasa_url=f"http://127.0.0.1:{rasa_port}", rasa_token=os.environ.get(RASA_TOKEN, ""), redis_url=redis_url
    )
    line = SipLine(settled)
    seeing = Seeing(settings, where, name)
    house = await open_house(settings, where, back, line, line, seeing, keeper=post.life.id)
    farewell = False
    caring = house.desk.caretaker(post.life.id)
    behind = [asyncio.create_task(work) for work in (house.reach.deliverer.run(), caring.run())]
    try:
        seeing.start()
        farewell = await serve(settings, where, line, house, post)
        return 0
    finally:
        await line.close()
        await seeing.close()
        await house.router.close()
        await house.rasa.close()
        for task in behind:
            task.cancel()
        await asyncio.gather(*behind, return_exceptions=True)
        await house.reach.close()
        if not await house.doors.behind.settle(LATE_SECONDS):
            log.error("entries of calls are not written: the records database does not answer")
        await asyncio.to_thread(house.store.close)
        await asyncio.to_thread(house.desk.close)
        await asyncio.to_thread(house.tapes.close)
        post.close(farewell=farewell)


async def serve(settings: Settings, where: Places, line: SipLine, house: House, post: Post) -> bool:
    """Stand by until there is a place, take calls until told to stop, and let those in progress end. Whether nothing
    is left to do for others."""
    masked = MaskedCalls(settings, house.doors, house.desk, house.reach.claims)
    worker = Worker(house.doors, Limits(callers=settings.hotline.callers), masked=masked.session)
    await house.router.start()
    await masked.learn()
    tasks = [
        asyncio.create_task(masked.keep()),
        asyncio.create_task(post.beat(lambda: worker.calls, line.ping)),
        asyncio.create_task(make_ready(house, post)),
        asyncio.create_task(masked.heirs(where.run / "lives").run()),
    ]
    try:
        if behind_edge(settings):
            await open_line(settings, line, house, worker)  # on a port of its own: ready before its turn comes
        slot = await post.slot()
        if slot is None:
            return True
        if not behind_edge(settings):
            await open_line(settings, line, house, worker)
        await take_calls(line, house, worker, post)
        rings = ring_backs(settings, where, house, worker)
        tasks.append(asyncio.create_task(rings.run()))
        if clicks := masked.clicks(worker, post.life.id):
            tasks.append(asyncio.create_task(clicks.run()))
        await post.ended(line.wait_closed())
        for task in tasks[4:]:
            task.cancel()
        await post.say(draining=True)
        if behind_edge(settings):
            slot.free()  # the next worker takes calls at once; without the edge it must wait for the port
        await drain(settings, worker, post)
        return not rings.busy
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def make_ready(house: House, post: Post) -> None:
    """Render every fixed sentence, or read it from the cache."""
    failed = await warm(house.unhurried, house.fixed)
    await wake(house.unhurried)
    log.info("%d prompts are ready, %d failed", len(house.fixed) - failed, failed)
    await post.say(voices=True, recogniser=house.recogniser)


async def open_line(settings: Settings, line: SipLine, house: House, worker: Worker) -> None:
    """Open the SIP line; the build may carry fewer calls than the settings want. Raises LineError."""
    await line.start(worker.arrived)
    worker.limit(Limits(callers=min(settings.hotline.callers, max(1, line.capacity // 2))))


async def take_calls(line: SipLine, house: House, worker: Worker, post: Post) -> None:
    """It is this worker's turn: say where it is to be reached."""
    callers = worker.limits.callers
    house.seeing.takes_calls(line, worker, callers)
    log.info("taking calls on port %d, %d callers at once, pjsua2 %s", line.port, callers, line.version)
    await post.say(
        port=line.port, callers=callers, draining=False, standby=False, pjsua2=line.version, recogniser=house.recogniser
    )


async def drain(settings: Settings, worker: Worker, post: Post) -> None:
    """Let calls end: as long as they last where the worker is only replaced, for the drain time where all stops."""
    log.info("draining %d calls", worker.calls)
    ending = asyncio.create_task(worker.drain(None))
    stopping = asyncio.create_task(post.stop.wait())
    await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait({ending}, timeout=settings.hotline.drain_seconds)
    for task in (ending, stopping):
        task.cancel()
    if worker.calls:
        log.warning("calls were still in progress at the end of the drain time")
        await worker.stop()


def ring_backs(settings: Settings, where: Places, house: House, worker: Worker) -> RingBacks:
    """Who looks after the callers of processes that died."""
    return RingBacks(
        house.doors,
        Trunk(template=settings.sip.outbound, allowed=may_be_dialled),
        lives=where.run / "lives",
        take=worker.take,
        free_agents=house.router.give_back,
        new_id=new_call_id,
    )
