"""The decode pool: bounded, measurable, and never leaking room."""

import asyncio
import threading

import pytest

from asr_models.pool import DecodePool
from asr_models.port import AsrUnavailable


def test_results_and_errors_come_back() -> None:
    async def story() -> None:
        assert await pool.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0)
        assert pool.backlog().waiting == pool.backlog().running == 0

    pool = DecodePool(threads=1)
    asyncio.run(story())
    pool.close()


def test_a_full_pool_refuses_and_recovers() -> None:
    async def story() -> None:
        busy = asyncio.create_task(pool.run(hold))
        await asyncio.to_thread(running.wait, 5)
        waiting = asyncio.create_task(pool.run(lambda: True))
        await asyncio.sleep(0)
        assert (pool.backlog().waiting, pool.backlog().running) == (1, 1)
        with pytest.raises(AsrUnavailable, match="overloaded"):
            await pool.run(lambda: True)
        gate.set()
        assert await busy
        assert await waiting
        assert await pool.run(lambda: True)
        assert pool.backlog().lag == 0.0

    def hold() -> bool:
        running.set()
        return gate.wait(5)

    gate, running = threading.Event(), threading.Event()
    pool = DecodePool(threads=1, limit=1)
    asyncio.run(story())
    pool.close()


def test_a_job_given_up_before_it_began_frees_its_room() -> None:
    async def story() -> None:
        busy = asyncio.create_task(pool.run(lambda: gate.wait(5)))
        given_up = asyncio.create_task(pool.run(lambda: True))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        gate.set()
        await busy
        assert pool.backlog().waiting == pool.backlog().running == 0

    gate = threading.Event()
    pool = DecodePool(threads=1, limit=1)
    asyncio.run(story())
    pool.close()


def test_a_closed_pool_says_so() -> None:
    pool = DecodePool(threads=1)
    pool.close()
    with pytest.raises(AsrUnavailable, match="shutting down"):
        asyncio.run(pool.run(lambda: 1))
    assert pool.backlog().waiting == 0
