"""The one thread that may touch PJSIP. Orders come in as closures through a queue, events go out through the desk."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from ivr.lines.sip_call import Notice
from ivr.lines.sip_engine import Engine, Facts, open_engine
from ivr.lines.sip_settings import SipSettings
from ivr.lines.sip_switch import Reports, Switch
from ivr.ports import LineError

_LOG = logging.getLogger(__name__)
_POLL_MS = 5
_FAREWELL_S = 1.0


class SipThread:
    """Owns the library from `start` to `stop`. Its objects are made, used and dropped on this thread alone: calls from
    several threads can deadlock between the interpreter's lock and the library's."""

    def __init__(
        self,
        settings: SipSettings,
        desk: Reports,
        opened: Callable[[Facts | LineError], None],
        ended: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._opened = opened
        self._ended = ended
        self._orders: queue.SimpleQueue[Callable[[Switch], None]] = queue.SimpleQueue()
        self._notices: deque[Notice] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sip", daemon=True)

    def start(self) -> None:
        """Open the library; `opened` is told what came of it, on this thread."""
        self._thread.start()

    def order(self, order: Callable[[Switch], None]) -> None:
        """Have something done; from any thread, in order."""
        self._orders.put(order)

    def stop(self) -> None:
        """Hang up everything and destroy the library; `ended` is told when that is done."""
        self._stopping.set()

    def _run(self) -> None:
        try:
            engine = open_engine(self._settings, self._notices.append)
        except LineError as error:
            self._opened(error)
            return
        switch = Switch(engine, self._settings, self._desk, self._notices.append)
        self._opened(engine.facts)
        try:
            while not self._stopping.is_set():
                self._turn(engine, switch)
            self._say_farewell(engine, switch)
        finally:
            self._close(engine, switch)
            self._ended()

    def _turn(self, engine: Engine, switch: Switch) -> None:
        engine.endpoint.libHandleEvents(_POLL_MS)
        while self._notices:
            _guarded(switch.notice, self._notices.popleft())
        while not self._orders.empty():
            _guarded(self._orders.get_nowait(), switch)
        _guarded(switch.tick)

    def _say_farewell(self, engine: Engine, switch: Switch) -> None:
        switch.hang_up_all()
        until = time.monotonic() + _FAREWELL_S
        while switch.busy and time.monotonic() < until:
            self._turn(engine, switch)

    def _close(self, engine: Engine, switch: Switch) -> None:
        """Let go in the only order that does not end the process: calls, ports, account, library."""
        switch.drop()
        self._notices.clear()
        engine.close()


def _guarded(act: Callable[..., None], *arguments: Any) -> None:
    """What the library refuses on one leg must not end the others. Its reasons are fixed texts, without numbers."""
    try:
        act(*arguments)
    except pj.Error as error:
        _LOG.warning("the SIP library refused: %s (%d)", error.reason, error.status)
