# Size: every part of the process is opened once, side by side.
"""The composition root of the console: reads settings, opens the rooms, serves until it is told to stop."""

import asyncio
import contextlib
import ipaddress
import json
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import uvicorn

from config.places import Places, places, prepare
from config.settings import Settings, SettingsError, load, resolve
from console.app import create_app
from console.carrying import carrying, rates, redis_url
from console.logs import log_to
from console.services import Services
from console.twilio import router
from masking.carried import Carried
from masking.desk import Desk, open_desk
from masking.parties import hidden_key
from masking.port import MaskingRefused, MaskingUnavailable
from masking.providers.twilio_hooks import PATHS
from masking.reach import Reach, open_reach
from masking.tasks import HOTLINE, DoctorTasks
from records import database as records_database
from records.callbacks_sql import SqlCallbacks
from records.keys import KeyRefused, KeyRing, keys_from_folder
from records.port import JournalUnavailable
from records.store import Store

log = logging.getLogger(__name__)

SIGN = "console.json"
"""In the run folder: where the API is, or why it is not."""
AGAIN_SECONDS = 2.0
"""Until what was in the way is tried again."""
BEHIND_CALLS = 5
"""Niceness: where the machine is full, callers come first."""
CONNECTIONS = 200
ENDING_SECONDS = 8
"""For requests in progress at a stop."""
LARGEST_HEADER = 16 * 1024


class ConsoleError(Exception):
    """The API cannot be served; one sentence says why."""


TROUBLE = (ConsoleError, KeyRefused, MaskingUnavailable, JournalUnavailable)


def main() -> int:
    """The process; 2 and one sentence where it cannot begin."""
    os.nice(BEHIND_CALLS)
    try:
        return asyncio.run(serve(load()))
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        print(f"error: {error.strerror or error}: {error.filename or ''}".rstrip(": "), file=sys.stderr)
    return 2


async def serve(settings: Settings) -> int:
    """Until SIGTERM or SIGINT. What is in the way is said and tried again: it must not stop the phones, and a process
    that ends and begins says nothing that anybody could read."""
    log_to(kind=settings.logs.format)
    where = places(settings)
    prepare(where)
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    with saying(where) as say:
        while not stop.is_set():
            try:
                with contextlib.closing(listen(settings)) as listener:
                    async with opened(settings, where) as services:
                        await _run(settings, services, listener, say)
                        return 0
            except TROUBLE as error:
                log.error("%s", error)
                say(problem=str(error))
            await _pause(stop)
    return 0


async def _pause(stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(AGAIN_SECONDS):
            await stop.wait()


@contextlib.asynccontextmanager
async def opened(settings: Settings, where: Places) -> AsyncIterator[Services]:
    """The services on the rooms of this installation. Raises the rooms' errors."""
    keys = await asyncio.to_thread(keys_from_folder, where.keys)
    store = Store(await asyncio.to_thread(records_database.prepare, where.database))
    try:
        desk = await asyncio.to_thread(_desk, settings, where, keys)
        try:
            reach = _reach(settings, where, desk, keys)
            try:
                async with carrying(settings, where, reach.desk, keys) as carried:
                    yield services(reach.desk, store, reach, carried)
            finally:
                await reach.close()
        finally:
            await asyncio.to_thread(desk.close)
    finally:
        await asyncio.to_thread(store.close)


def services(desk: Desk, store: Store, reach: Reach | None = None, carried: Carried | None = None) -> Services:
    """What routes are given. `reach`: without it, webhooks can be made but not tried. `carried`: without it, Twilio is
    not answered."""
    return Services(
        front=desk,
        vault=desk.vault,
        bindings=desk.bindings,
        numbers=desk.numbers,
        exchange=desk.exchange,
        tokens=desk.tokens,
        hide_key=hidden_key,
        tasks=DoctorTasks(desk.bindings, desk.wishes, SqlCallbacks(store), desk.ledger.clock),
        wishes=desk.wishes,
        diary=desk.diary,
        hooks=desk.hooks,
        deliveries=reach.deliveries if reach else None,
        more=(router(carried.hooks, PATHS),) if carried and carried.hooks else (),
        operator=HOTLINE,
    )


def _desk(settings: Settings, where: Places, keys: KeyRing) -> Desk:
    try:
        return open_desk(
            records_database.connect(where.vault),
            keys.sealer,
            region=settings.hotline.region,
            shown=settings.sip.shown_user,
            hotline=settings.masking.hotline_numbers,
            countries=settings.masking.countries,
            complaints=settings.masking.complaints_alert,
        )
    except (MaskingRefused, ValueError) as wrong:
        raise MaskingUnavailable(f"masking cannot be opened: {wrong}") from wrong


def _reach(settings: Settings, where: Places, desk: Desk, keys: KeyRing) -> Reach:
    """Webhooks, as far as routes need them: the workers deliver. Hooks before calls and limits, for Twilio's."""
    authorities = settings.masking.webhook_authorities
    return open_reach(
        desk,
        keys.sealer,
        taker="console",
        redis_url=redis_url(where),
        rates=rates(settings),
        networks=settings.masking.webhook_networks,
        authorities=resolve(Path(authorities)) if authorities else None,
    )


class Say:
    """Tells the other processes, by a small file that is replaced as a whole."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._last = ""

    def __call__(self, **facts: str | int) -> None:
        """Replace what was said."""
        text = json.dumps({"pid": os.getpid(), **facts})
        if text != self._last:
            part = self._file.with_suffix(".part")
            part.write_text(text, encoding="utf-8")
            part.replace(self._file)
            self._last = text


@contextlib.contextmanager
def saying(where: Places) -> Iterator[Say]:
    """A sign that goes with this process."""
    file = where.run / SIGN
    try:
        yield Say(file)
    finally:
        file.unlink(missing_ok=True)


def listen(settings: Settings) -> socket.socket:
    """The open port. Raises ConsoleError."""
    console = settings.console
    if not _is_loopback(console.bind) and not console.tls_certificate:
        raise ConsoleError(
            f"the API listens on {console.bind} only with TLS, for requests carry numbers: "
            "set console.tls_certificate and console.tls_key, or console.bind = \"127.0.0.1\""
        )
    if console.tls_certificate:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(console.tls_certificate, console.tls_key or None)
        except OSError as error:
            why = "it does not fit" if isinstance(error, ssl.SSLError) else (error.strerror or "unknown").lower()
            raise ConsoleError(
                f"the certificate or key of the API cannot be used ({why}): look at console.tls_certificate and tls_key"
            ) from None
    listener = socket.socket(socket.AF_INET6 if ":" in console.bind else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((console.bind, console.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        why = (error.strerror or "unknown").lower()
        raise ConsoleError(
            f"the API's port {console.port} on {console.bind} cannot be opened ({why}): "
            "stop what uses it, or set console.port to another one; the phones are not concerned"
        ) from None
    listener.setblocking(False)
    return listener


def _is_loopback(bind: str) -> bool:
    try:
        return ipaddress.ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"


async def _run(settings: Settings, services: Services, listener: socket.socket, say: Say) -> None:
    """uvicorn, which takes the signals while it runs."""
    tls = settings.console.tls_certificate
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(services),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=ENDING_SECONDS,
            h11_max_incomplete_event_size=LARGEST_HEADER,
            ssl_certfile=tls or None,
            ssl_keyfile=settings.console.tls_key or None,
        )
    )
    host, port = listener.getsockname()[:2]
    say(host=str(host), port=int(port), tls=int(bool(tls)))
    log.info("the API is on %s port %d", host, port)
    await server.serve(sockets=[listener])
