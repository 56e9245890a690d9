"""What can be seen of a worker: opens figures, spans, log lines and the live file, as the settings say."""

import asyncio
import importlib.metadata
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil

from asr_models.pool import DecodePool
from config.settings import Settings
from ivr.bootstrap.places import Places
from ivr.lines.sip import SipLine
from ivr.ports import Voice
from ivr.voices.choose import engine_of
from ivr.watch import live
from ivr.watch.board import Board
from ivr.watch.logs import Context, formatter
from ivr.watch.metrics import Metrics
from ivr.watch.moments import Tell
from ivr.watch.observer import Observer
from ivr.watch.rendering import WatchedEngine, WatchedVoice
from ivr.worker import Worker
from masking.redact import Redactor

log = logging.getLogger(__name__)


def log_to_stdout(kind: str, worker: str) -> None:
    """Log lines of a worker; numbers are hidden in every record before it is written. `kind`: "text" or "json"."""
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(Context())
    handler.addFilter(Redactor())
    handler.setFormatter(formatter(kind, worker))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class Seeing:
    """Everything that watches the calls of one worker."""

    def __init__(self, settings: Settings, where: Places, worker: str) -> None:
        """`worker`: the name of this process, for example "worker-1"."""
        self._settings = settings.metrics
        self._worker = worker
        self._file = live.file_of(where.run, worker)
        self._board = Board()
        self._metrics = Metrics()
        self._metrics.name_worker(worker)
        self._close_spans: Callable[[], None] | None = None
        self._close_port: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._process = psutil.Process()
        self._born, self._since = live.birth(os.getpid()), time.time()
        self._taking: tuple[Worker, int] | None = None
        listeners: list[Tell] = [self._metrics.tell, self._board.tell]
        if settings.metrics.otlp:
            listeners.append(self._open_spans(settings.metrics.otlp))
        self.watcher = Observer(listeners, (self._metrics.refused,))

    def _open_spans(self, endpoint: str) -> Tell:
        from ivr.watch import spans  # here: a hotline without a receiver need not load it

        made = spans.provider(self._worker, importlib.metadata.version("triageline"))
        spans.export(made, spans.otlp(endpoint))
        self._close_spans = lambda: spans.close(made)
        return spans.Spans(made.get_tracer("triageline"), time.time() - time.monotonic()).tell

    def engine(self, name: str, voice: Voice) -> Voice:
        """A voice engine by its name in the settings, measured."""
        return WatchedEngine(
            voice,
            engine_of(name),
            lambda seconds, engine, good: self._metrics.measure(
                "voice_rendering", seconds, engine, "ok" if good else "failed"
            ),
        )

    def voice(self, voice: Voice) -> Voice:
        """All voices of the worker, counted."""
        return WatchedVoice(voice, lambda source: self._metrics.add("sentences", source))

    def start(self) -> None:
        """Begin to show; needs the running loop."""
        self._metrics.read_each("live_calls", self._board.states)
        self._metrics.read_each("waiting_calls", self._board.waiting)
        if port := port_of(self._settings.port, self._worker):
            self._close_port = self._metrics.serve(self._settings.bind, port)
        self._task = asyncio.create_task(self._tell(), name="live-file")

    def decodes(self, pool: DecodePool) -> None:
        """Show how far decoding is behind."""
        self._metrics.read("decode_waiting", lambda: pool.backlog().waiting)

    def takes_calls(self, line: SipLine, worker: Worker, callers: int) -> None:
        """From now on this process has an open line and so many places."""
        limit = line.capacity
        self._taking = (worker, callers)
        self._metrics.put("leg_limit", limit)
        self._metrics.put("call_places", callers)
        self._metrics.read("legs", lambda: limit - line.free_slots)
        self._metrics.read("draining", lambda: worker.draining)

    async def _tell(self) -> None:
        failing = False
        while True:
            try:
                await asyncio.to_thread(live.write, self._file, self._snapshot())
                failing = False
            except OSError as error:
                if not failing:
                    log.warning("the live file cannot be written: %s", error.strerror)
                failing = True
            until = time.monotonic() + live.EVERY_SECONDS
            await asyncio.sleep(live.EVERY_SECONDS)
            self._metrics.put("loop_lag_seconds", max(0.0, time.monotonic() - until))

    def _snapshot(self) -> dict[str, Any]:
        worker, places = self._taking or (None, 0)
        state = "standby" if worker is None else "draining" if worker.draining else "taking"
        return {
            "worker": self._worker, "pid": os.getpid(), "born": self._born, "at": time.time(), "since": self._since,
            "memory_mb": round(self._process.memory_info().rss / 1e6, 1), "places": places, "state": state,
            **self._board.snapshot(),
        }  # fmt: skip

    async def close(self) -> None:
        """Stop showing; spans that wait get a few seconds more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self._file.unlink(missing_ok=True)
        for stop in (self._close_port, self._close_spans):
            if stop is not None:
                await asyncio.to_thread(stop)


def port_of(first: int, worker: str) -> int:
    """The port of a worker: its number more than that of `up`; 0 for none."""
    number = re.search(r"\d+$", worker)
    return first + int(number[0]) if first and number else 0
