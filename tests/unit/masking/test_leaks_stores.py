"""The oracle over databases, Redis, names, errors and logs: what is planted is found, in every place and spelling."""

import base64
import json
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine, create_engine, text

from masking.leaks import LeakOracle
from masking.leaks_stores import LogTrap, scan_error, scan_names, scan_redis, scan_sql
from tests.postgres import Postgres
from tests.unit.routing.redis_private import PrivateRedis, private_redis

NUMBER = "+12025550123"
ORACLE = LeakOracle([NUMBER])
PLANTS = {
    "digits": "x12025550123",
    "separated": "(202) 555-0123",
    "url": "%35%35%35%30%31%32%33",
    "base64": base64.b64encode(b"caller " + NUMBER.encode()).decode(),
    "hex": NUMBER.encode().hex(),
    "reversed": NUMBER[:0:-1],
    "full-width": "５５５０１２３",
    "chinese": "五五五零一二三",
    "words": "five five five oh one two three",
    "escaped": json.dumps("五五五零一二三"),
}


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path}/x.db" if request.param == "sqlite" else postgres.url)
    raw = "BLOB" if request.param == "sqlite" else "BYTEA"
    with made.begin() as db:
        db.execute(text(f"CREATE TABLE planted (word TEXT, raw {raw}, whole BIGINT, part FLOAT)"))
    yield made
    with made.begin() as db:
        db.execute(text("DROP TABLE planted"))
    made.dispose()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRedis]:
    with private_redis(tmp_path_factory.mktemp("redis") / "r") as server:
        yield server


@pytest.fixture
def client(redis: PrivateRedis) -> Iterator["Redis"]:
    with Redis.from_url(redis.url) as opened:
        opened.flushall()
        opened.slowlog_reset()
        yield opened


def insert(engine: Engine, **values: object) -> None:
    names = ", ".join(values)
    with engine.begin() as db:
        statement = text(f"INSERT INTO planted ({names}) VALUES ({', '.join(':' + name for name in values)})")
        db.execute(statement, values)


def found(engine: Engine) -> set[tuple[str, str]]:
    return {(hit.where, hit.spelling) for hit in scan_sql(ORACLE, engine) if hit.where.startswith("planted.")}


def test_every_spelling_in_a_cell_is_found(engine: Engine) -> None:
    for kind, plant in PLANTS.items():
        with engine.begin() as db:
            db.execute(text("DELETE FROM planted"))
        insert(engine, word=f"before {plant} after")
        assert ("planted.word", kind) in found(engine)


def test_numbers_bytes_and_packed_bytes_in_cells_are_found(engine: Engine) -> None:
    insert(engine, raw=b"\0\xff" + NUMBER.encode())
    insert(engine, raw=zlib.compress(NUMBER.encode()))
    insert(engine, whole=12025550123)
    insert(engine, part=12025550123.0)
    assert found(engine) >= {
        ("planted.raw", "digits"), ("planted.raw", "compressed digits"), ("planted.whole", "digits"),
        ("planted.part", "digits"),
    }  # fmt: skip


def test_a_cell_as_large_as_many_pages_is_searched_whole(engine: Engine) -> None:
    for at in range(3):
        insert(engine, word="x" * (4096 * at + 4090) + PLANTS["separated"] + "y" * 9000)
    assert sum(hit.where == "planted.word" for hit in scan_sql(ORACLE, engine)) >= 3


def test_names_of_columns_are_searched_and_clean_tables_are_clean(engine: Engine) -> None:
    insert(engine, word="555-01", whole=2355501, part=1764000000.123)
    insert(engine, word="23 nothing", raw=b"5550")
    assert found(engine) == set()
    with engine.begin() as db:
        db.execute(text("ALTER TABLE planted ADD COLUMN caller_12025550123 TEXT"))
    assert any(hit.where == "names of columns" for hit in scan_sql(ORACLE, engine))


def test_every_type_of_key_in_redis_is_searched(client: "Redis") -> None:
    plant = PLANTS["separated"]
    client.set("string", plant)
    client.hset("hash", mapping={"a": "x", plant: "b"})
    client.hset("hash-value", mapping={"a": plant})
    client.rpush("list", "a", plant)
    client.sadd("set", plant)
    client.zadd("zset", {"a": 1, plant: 2})
    client.zadd("score", {"a": 12025550123})
    client.xadd("stream", {"a": plant})
    client.pfadd("counter", "a")
    client.set(f"key {NUMBER}", "x")
    hits = scan_redis(ORACLE, client)
    names = {"string", "hash", "hash-value", "list", "set", "zset", "score", "stream"}
    assert {hit.where.split(" ")[-1] for hit in hits if hit.where not in {"names of keys", "slow commands"}} == names
    assert any(hit.where == "names of keys" for hit in hits)
    assert ORACLE.scan(repr(hits).encode()) == ()


@pytest.mark.parametrize("kind", PLANTS)
def test_every_spelling_in_redis_is_found(client: "Redis", kind: str) -> None:
    client.set("a", f"before {PLANTS[kind]} after")
    assert kind in {hit.spelling for hit in scan_redis(ORACLE, client)}
    client.flushall()
    client.slowlog_reset()
    assert scan_redis(ORACLE, client) == ()


def test_arguments_of_slow_commands_are_searched(client: "Redis") -> None:
    client.config_set("slowlog-log-slower-than", 0)
    client.set("a", NUMBER)
    client.delete("a")
    client.config_set("slowlog-log-slower-than", 10_000)
    assert {hit.where for hit in scan_redis(ORACLE, client)} == {"slow commands"}


def test_names_are_searched_whatever_the_files_hold(tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / f"{PLANTS['hex']}.wav").write_bytes(b"")
    (tmp_path / "link-202-555-0123").symlink_to(tmp_path / "nowhere")
    (tmp_path / "clean").write_text(NUMBER)
    hits = scan_names(ORACLE, tmp_path)
    assert {hit.spelling for hit in hits} >= {"hex", "separated"}
    assert {hit.offset for hit in hits} == {-1}
    assert not any("clean" in hit.where for hit in hits)


def test_tracebacks_are_searched_with_causes_notes_and_locals() -> None:
    def fail(note: str = "", cause: str = "", secret: str = "") -> BaseException:
        try:
            try:
                raise KeyError(cause)
            except KeyError as inner:
                error = ValueError("outer")
                error.add_note(note)
                raise error from inner
        except ValueError as error:
            return error

    assert scan_error(ORACLE, fail(note=NUMBER))
    assert scan_error(ORACLE, fail(cause=NUMBER))
    assert scan_error(ORACLE, fail(secret=NUMBER)) == ()
    assert scan_error(ORACLE, fail(secret=NUMBER), with_locals=True)
    assert scan_error(ORACLE, fail()) == ()


def test_logs_are_searched_with_arguments_extras_and_tracebacks() -> None:
    for plant in ("message", "argument", "extra", "traceback"):
        trap, log = LogTrap(), logging.getLogger("planted")
        log.addHandler(trap)
        log.setLevel(1)
        try:
            log.log(1, "%s", NUMBER if plant == "argument" else "x", extra={"of": NUMBER} if plant == "extra" else {})
            if plant == "message":
                log.debug("caller " + NUMBER)
            if plant == "traceback":
                try:
                    raise ValueError(NUMBER)
                except ValueError:
                    log.exception("failed")
        finally:
            log.removeHandler(trap)
            log.setLevel(logging.NOTSET)
        assert trap.scan(ORACLE), plant
    assert LogTrap().scan(ORACLE) == ()
