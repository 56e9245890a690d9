"""The processes of the hotline, for the supervisor."""

import os
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from config.settings import Settings
from dialogs.processes import ProcessSpec, RasaPlace, actions_process, rasa_process
from ivr.bootstrap.console import console_part
from ivr.bootstrap.edge import edge_part, prepare_edge
from ivr.bootstrap.places import Places
from ivr.bootstrap.work import RASA_TOKEN
from ivr.supervise import Part
from routing.processes import find_redis, redis_command

ACTIONS_TOKEN = "TRIAGELINE_ACTIONS_TOKEN"
_NEVER_IN_A_FILE = (RASA_TOKEN, ACTIONS_TOKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to run."""

    parts: tuple[Part, ...]
    """In the order in which they start."""
    secrets: Mapping[str, str]
    """Variables that are handed down and written nowhere."""
    rasa: RasaPlace
    """Where the dialogue will be."""


def plan(settings: Settings, where: Places) -> Plan:
    """All processes. Raises RedisMissing, EdgeError."""
    redis = redis_command(find_redis(), where.run)
    rasa_port, actions_port = free_ports(2)
    place = RasaPlace(
        root=where.root,
        rasa_port=rasa_port,
        actions_port=actions_port,
        redis_socket=redis.socket,
        rasa_token=secrets.token_urlsafe(24),
        actions_token=secrets.token_urlsafe(24),
        main_python=where.root / ".venv/bin/python",
        rasa_python=where.root / ".venv-rasa/bin/python",
    )
    return Plan(
        parts=(
            Part(name="redis", argv=redis.argv, order=1, stop_seconds=5),
            _part(actions_process(place), 2),
            _part(rasa_process(place), 3),
            *((edge_part(prepare_edge(settings, where)),) if settings.sip.edge else ()),
            *((console_part(where),) if settings.console.enabled else ()),
            *worker_parts(settings, where, rasa_port, redis.url),
        ),
        secrets={RASA_TOKEN: place.rasa_token, ACTIONS_TOKEN: place.actions_token},
        rasa=place,
    )


def worker_parts(settings: Settings, where: Places, rasa_port: int, redis_url: str) -> tuple[Part, ...]:
    """Those that take calls, and one that stands by; which of them does is settled among themselves. They stop
    together, or the last one's callers would wait for the drain times of all others."""
    hotline = settings.hotline
    return tuple(
        Part(
            name=f"worker-{number}",
            argv=(
                sys.executable, "-m", "ivr", "worker", "--name", f"worker-{number}",
                "--rasa-port", str(rasa_port), "--redis", redis_url,
            ),
            env={"TRIAGELINE_HOTLINE__WORKERS": str(hotline.workers)},
            order=9,
            stop_seconds=hotline.drain_seconds + 10,
            folder=str(where.root),
            group="workers",
        )
        for number in range(1, hotline.workers + hotline.spare + 1)
    )  # fmt: skip


def _part(spec: ProcessSpec, order: int) -> Part:
    """A process of the dialogue; its secrets come down from the supervisor's own environment."""
    known = {name: value for name, value in spec.env.items() if name not in (*_NEVER_IN_A_FILE, *_INHERITED)}
    return Part(name=spec.name, argv=spec.argv, env=known, order=order, folder=str(spec.cwd))


_INHERITED = tuple(name for name in os.environ if name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ"))


def free_ports(count: int) -> tuple[int, ...]:
    """Free TCP ports on loopback, all different: held open together while they are chosen."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return tuple(int(one.getsockname()[1]) for one in held)
    finally:
        for one in held:
            one.close()
