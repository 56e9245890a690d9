"""Secrets of agents' phones: sealed, replaced, removed."""

import asyncio
from pathlib import Path

import pytest

from records import database
from records.keys import KeyRing
from records.phones_sql import SqlPhones
from records.port import PhoneSecret
from records.store import Store

ONE = PhoneSecret(agent="nurse-1", sha256="a1" * 32, md5="b2" * 16)


def test_secrets(tmp_path: Path) -> None:
    store = Store(database.prepare(f"sqlite:///{tmp_path / 'x.db'}"))
    phones = SqlPhones(store, KeyRing({1: b"k" * 32}))

    async def use() -> None:
        assert await phones.all() == ()
        await phones.keep(ONE)
        other = PhoneSecret(agent="nurse-1", sha256="c3" * 32, md5="d4" * 16)
        await phones.keep(other)
        assert await phones.all() == (other,)
        await phones.remove("nurse-1")
        assert await phones.all() == ()
        with pytest.raises(KeyError):
            await phones.remove("nurse-1")
        await phones.keep(ONE)

    asyncio.run(use())
    store.close()
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert ONE.sha256.encode() not in written
    assert ONE.md5.encode() not in written
    assert ONE.sha256 not in repr(ONE)
