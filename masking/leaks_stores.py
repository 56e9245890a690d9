"""The leak oracle over what is no file: databases, Redis, names, errors, logs."""

import logging
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from redis import Redis
from sqlalchemy import Engine, MetaData, select

from masking.leaks import Hit, LeakOracle
from masking.redact import redact

TOGETHER = 500
"""Cells that are searched at once."""
APART = b"\n\0\n"
"""Between things that do not belong together: no spelling may reach from one into the next."""


def scan_sql(oracle: LeakOracle, engine: Engine) -> tuple[Hit, ...]:
    """All hits in the cells of all tables, as the database gives them: here nothing is hidden by pages or compression.
    A hit names table and column. Reads everything; beside it, scan SQLite's files for what was deleted.
    Raises SQLAlchemyError."""
    hits: set[Hit] = set()
    metadata = MetaData()
    with engine.connect() as db:
        metadata.reflect(bind=db)
        for table in metadata.sorted_tables:
            names = [column.name for column in table.columns]
            hits.update(oracle.scan(APART.join(name.encode() for name in (table.name, *names)), "names of columns"))
            for rows in db.execute(select(table)).partitions(TOGETHER):
                for place, name in enumerate(names):
                    blob = APART.join(_bytes(row[place]) for row in rows)
                    hits.update(oracle.scan(blob, f"{table.name}.{name}"))
    return tuple(sorted(hits))


def scan_redis(oracle: LeakOracle, client: "Redis") -> tuple[Hit, ...]:
    """All hits in names and values of all keys, whatever their type, and in the log of slow commands, which holds their
    arguments. `client`: without `decode_responses`. Raises RedisError."""
    hits: set[Hit] = set()
    for key in client.scan_iter(count=TOGETHER):
        said = client.type(key)
        kind = said.decode() if isinstance(said, bytes) else said
        hits.update(oracle.scan(key, "names of keys"))
        hits.update(oracle.scan(_joined(_value(client, key, kind)), f"{kind} {redact(key.decode(errors='replace'))}"))
    slow = [entry["command"] for entry in client.slowlog_get(TOGETHER)]
    hits.update(oracle.scan(_joined(slow), "slow commands"))
    return tuple(sorted(hits))


def scan_names(oracle: LeakOracle, folder: Path) -> tuple[Hit, ...]:
    """All hits in names of files and folders below a folder, links included, whatever is in them."""
    hits: set[Hit] = set()
    for path in sorted(folder.rglob("*")):
        name = path.name.encode(errors="surrogateescape")
        hits.update(replace(hit, offset=-1) for hit in oracle.scan(name, redact(str(path))))
    return tuple(sorted(hits))


def scan_error(oracle: LeakOracle, error: BaseException, *, with_locals: bool = False) -> tuple[Hit, ...]:
    """All hits in an error's traceback with causes and notes. `with_locals`: with all local variables too, as some
    tools print them."""
    told = traceback.TracebackException.from_exception(error, capture_locals=with_locals)
    return oracle.scan("".join(told.format()).encode(errors="replace"), "traceback")


class LogTrap(logging.Handler):
    """Keeps every record as text, as the plainest formatter writes it, with all extra fields. Nothing is redacted."""

    def __init__(self) -> None:
        super().__init__(level=1)
        self._lines: list[str] = []
        self._lock = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        extra = {name: value for name, value in record.__dict__.items() if name not in _USUAL}
        line = f"{logging.Formatter().format(record)} {extra}"
        with self._lock:
            self._lines.append(line)

    @property
    def text(self) -> str:
        """All of it."""
        with self._lock:
            return "\n".join(self._lines)

    def scan(self, oracle: LeakOracle) -> tuple[Hit, ...]:
        """All hits in what was logged."""
        return oracle.scan(self.text.encode(errors="replace"), "log")


_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def _value(client: "Redis", key: bytes, kind: str) -> object:
    match kind:
        case "string":
            return client.get(key)
        case "hash":
            return client.hgetall(key)
        case "list":
            return client.lrange(key, 0, -1)
        case "set":
            return client.smembers(key)
        case "zset":
            return client.zrange(key, 0, -1, withscores=True)
        case "stream":
            return client.xrange(key)
        case _:
            return client.dump(key)


def _joined(value: object) -> bytes:
    return APART.join(_pieces(value))


def _pieces(value: object) -> Iterator[bytes]:
    """All that is in nested lists and mappings."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _pieces(key)
            yield from _pieces(inner)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for inner in value:
            yield from _pieces(inner)
    else:
        yield _bytes(value)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes | memoryview | bytearray):
        return bytes(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a number kept as a float is spelt without its ".0"
    return b"" if value is None else str(value).encode(errors="replace")
