"""How many calls a worker takes, and how it stops."""

import asyncio

from ivr.call.state import State
from ivr.lines.wav import WavLine
from ivr.ports import LegArrived, Sink
from ivr.session import Session
from ivr.worker import BUSY, Limits, Worker, new_call_id
from tests.calls.people import Act, Caller, during, hangs_up
from tests.calls.world import World, make_doors


def caller(*acts: Act) -> Caller:
    return Caller(acts)


class NoAcks(WavLine):
    """A line whose callers never acknowledge the answer."""

    async def answer(self, leg: str, sink: Sink) -> None:
        return


class House:
    """A line, a worker and its sessions."""

    def __init__(self, places: int, line: WavLine | None = None, settle_s: float = 1.0) -> None:
        self.line = line or WavLine(lambda address: None)
        self.sessions: list[Session] = []
        self.worker = Worker(
            make_doors(World(acts=()), self.line), Limits(callers=places, settle_s=settle_s), self.sessions.append
        )

    def ring(self, *acts: Act) -> LegArrived:
        """Somebody calls."""
        far = caller(*acts)
        arrival = self.line.ring(far, None)
        known = len(self.sessions)
        self.worker.arrived(arrival)
        far.look = lambda: self.sessions[known].call.state if known < len(self.sessions) else State.NEW
        return arrival

    async def settle(self) -> None:
        """All sessions."""
        await asyncio.sleep(0)
        for session in self.sessions:
            await session.settle()


def test_a_call_beyond_the_limit_is_refused_with_503() -> None:
    async def go() -> None:
        house = House(2)
        for _ in range(2):
            house.ring(hangs_up(during(State.LISTENING, 1)))
        third = house.ring()
        assert house.worker.calls == 2
        assert await house.line.run(house.settle, seconds=60)
        assert house.line.refused == [(third.leg, BUSY)]
        assert BUSY == 503
        await asyncio.sleep(0.01)
        assert house.worker.calls == 0

    asyncio.run(go())


def test_a_place_that_is_free_again_is_given_to_the_next() -> None:
    async def go() -> None:
        house = House(1)
        for _ in range(3):
            house.ring(hangs_up(during(State.LISTENING)))
            assert await house.line.run(house.settle, seconds=60)
            await asyncio.sleep(0.01)
        assert house.line.refused == []
        assert len({session.id for session in house.sessions}) == 3

    asyncio.run(go())


def test_draining_lets_calls_end_and_takes_no_more() -> None:
    async def go() -> None:
        house = House(5)
        house.ring(hangs_up(during(State.LISTENING, 1)))
        drain = asyncio.create_task(house.worker.drain(20))
        await asyncio.sleep(0)
        late = house.ring()
        assert await house.line.run(house.settle, seconds=60)
        assert await drain
        assert house.line.refused == [(late.leg, BUSY)]

    asyncio.run(go())


def test_an_idle_worker_drains_at_once() -> None:
    async def go() -> bool:
        return await House(1).worker.drain(0.5)

    assert asyncio.run(go())


def test_calls_that_do_not_end_are_ended() -> None:
    async def go() -> None:
        house = House(5)
        house.ring()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not await house.worker.drain(0.01)
        await house.worker.stop()
        assert house.worker.calls == 0
        assert await house.line.run(house.settle, seconds=1), "every leg was hung up"

    asyncio.run(go())


def test_ids_of_calls_say_nothing_and_look_like_no_number() -> None:
    made = {new_call_id() for _ in range(500)}
    assert len(made) == 500
    assert all(one.isalpha() and one.islower() and len(one) == 14 for one in made)


def test_calls_that_are_never_acknowledged_keep_no_caller_out() -> None:
    async def go() -> None:
        house = House(2, NoAcks(lambda address: None), settle_s=0.05)
        for _ in range(2):
            house.ring()
        assert house.worker.full
        await asyncio.sleep(0.1)
        assert not house.worker.full
        in_need = house.ring()
        assert (in_need.leg, BUSY) not in house.line.refused
        for _ in range(9):
            house.ring()
            await asyncio.sleep(0.06)
        assert house.worker.calls == 2 * Limits(callers=2).waiting
        await house.worker.stop()

    asyncio.run(go())
