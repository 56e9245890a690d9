"""Recognition under load: the policy alone, and with real threads that decode too slowly."""

import asyncio
import time
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from asr_models.pool import DecodePool
from asr_models.port import Transcript
from ivr.audio.format import FRAME_SECONDS, frames
from ivr.call import events as ev
from ivr.hearing import Ears, Hearing
from ivr.pressure import BOUNDS, STALE_SECONDS, CallPressure, Gauge, Pressure, Strain
from tests.calls.parts import net
from tests.calls.people import speech

EASY, LEAN, KEYS = Strain


@dataclass
class Jobs:
    """Decoding jobs, and a clock that is moved."""

    waiting: int = 0
    lag: float = 0.0
    now: float = 0.0


def fed(gauge: Gauge, delay: float, seconds: float) -> Strain:
    """A delay that stays."""
    for _ in range(round(seconds / 0.1)):
        gauge.feed(delay, 0.1)
    return gauge.strain


def test_a_burst_is_no_strain_and_a_lasting_delay_is() -> None:
    gauge = Gauge()
    assert gauge.feed(0.1, 0.1) is EASY
    assert gauge.feed(0.4, 0.1) is LEAN
    assert fed(gauge, 0.9, 0.3) is LEAN
    assert fed(gauge, 0.1, 0.2) is LEAN
    assert fed(gauge, 0.9, 0.3) is LEAN
    assert fed(gauge, 0.9, 0.2) is KEYS
    assert gauge.longest == 0.9


def test_when_the_load_falls_all_is_well_again_after_a_while() -> None:
    gauge = Gauge()
    assert fed(gauge, 1.0, 1.0) is KEYS
    assert fed(gauge, 0.0, BOUNDS.calm - 0.3) is KEYS
    assert fed(gauge, 0.4, 0.1) is KEYS, "not yet well: counted anew"
    assert fed(gauge, 0.0, BOUNDS.calm - 0.3) is KEYS
    assert fed(gauge, 0.0, 0.5) is EASY


@given(st.lists(st.floats(min_value=0.0, max_value=BOUNDS.keys, exclude_max=True), max_size=200))
def test_delays_below_the_bound_never_lead_to_keys(delays: list[float]) -> None:
    gauge = Gauge()
    assert KEYS not in [gauge.feed(delay, 0.1) for delay in delays]


@given(st.lists(st.floats(min_value=0.0, max_value=5.0), max_size=200))
def test_after_any_delays_a_lasting_one_leads_to_keys_and_calm_to_ease(delays: list[float]) -> None:
    gauge = Gauge()
    for delay in delays:
        gauge.feed(delay, 0.1)
    assert fed(gauge, 0.7, BOUNDS.after + 0.1) is KEYS
    assert fed(gauge, 0.0, BOUNDS.calm + 0.1) is EASY


def process(jobs: Jobs) -> Pressure:
    """The pressure of a process."""
    return Pressure(lambda: jobs, lambda: jobs.now)


def looked(pressure: Pressure, jobs: Jobs, seconds: float) -> Strain:
    """Looks of many calls over some time."""
    for _ in range(round(seconds / 0.05)):
        jobs.now += 0.05
        pressure.look()
        pressure.look()
    return pressure.strain


def test_new_calls_begin_with_keys_while_jobs_wait_and_no_longer() -> None:
    for load in (Jobs(lag=0.8), Jobs(waiting=BOUNDS.waiting)):
        pressure = process(load)
        assert not CallPressure(pressure).begins_with_keys()
        assert looked(pressure, load, 0.6) is KEYS
        assert CallPressure(pressure).begins_with_keys()
        assert pressure.led_by_keys == 1
        load.lag, load.waiting = 0.0, 0
        assert looked(pressure, load, BOUNDS.calm + 0.2) is EASY
        assert not CallPressure(pressure).begins_with_keys()


def test_a_call_turns_to_keys_once_and_others_only_become_lean() -> None:
    jobs = Jobs()
    pressure = process(jobs)
    late, other = CallPressure(pressure), CallPressure(pressure)
    turned = [late.feed(1.0, 0.1)[1] for _ in range(20)]
    assert turned.count(True) == 1
    assert other.feed(0.0, 0.1) == (EASY, False)
    jobs.lag = 0.35
    assert other.feed(0.0, 0.1) == (LEAN, False)
    assert pressure.switched == 1


def test_without_a_process_a_call_measures_itself() -> None:
    alone = CallPressure(None)
    assert not alone.begins_with_keys()
    assert [alone.feed(1.0, 0.1)[1] for _ in range(10)].count(True) == 1


class SlowStream:
    """Decodes in a pool, slower than people speak; hears chest pain in the second piece."""

    def __init__(self, pool: DecodePool, seconds: float) -> None:
        self._pool, self._seconds, self._pieces = pool, seconds, 0

    async def feed(self, pcm: bytes) -> Transcript | None:
        """A piece."""
        await self._pool.run(lambda: time.sleep(self._seconds))
        self._pieces += 1
        return Transcript(text="chest pain" if self._pieces > 1 else "my", confidence=1.0, final=False)

    async def finish(self) -> Transcript:
        """The end."""
        return Transcript(text="my chest pain", confidence=1.0)

    def close(self) -> None:
        """Nothing."""


class Slow:
    """A recogniser whose pieces of 100 ms take so long."""

    name = "slow"

    def __init__(self, pool: DecodePool, seconds: float) -> None:
        self._pool, self._seconds = pool, seconds

    def stream(self, hints: tuple[str, ...] = ()) -> SlowStream:
        """An utterance."""
        return SlowStream(self._pool, self._seconds)


def talk(callers: int, seconds: float) -> tuple[Pressure, list[bool], list[ev.Event]]:
    """Callers who speak at once in real time: the pressure of the process, who turned to keys, all events."""
    words = speech("i have something to tell you about my health and it is rather long")

    async def go() -> tuple[Pressure, list[bool], list[ev.Event]]:
        pool = DecodePool(threads=2)
        pressure = Pressure(pool.backlog, time.monotonic)
        heard: list[ev.Event] = []
        ears = Ears(recogniser=Slow(pool, seconds), second_look=None, net=net(), affirms=lambda text: None)
        calls = [(Hearing(ears, "en", heard.append), CallPressure(pressure)) for _ in range(callers)]
        tasks = [asyncio.create_task(hearing.run()) for hearing, _ in calls]
        turned = [False] * callers
        for number, frame in enumerate(frames(words)):
            for at, (hearing, call) in enumerate(calls):
                hearing.push(frame)
                if number % 5 == 0:
                    strain, turns = call.feed(hearing.behind, 0.1)
                    hearing.lean, turned[at] = strain >= LEAN, turned[at] or turns
            await asyncio.sleep(FRAME_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        pool.close()
        return pressure, turned, heard

    return asyncio.run(go())


def test_threads_that_keep_up_change_nothing() -> None:
    pressure, turned, _ = talk(2, 0.01)
    assert not any(turned)
    assert (pressure.switched, pressure.led_by_keys) == (0, 0)


def test_threads_that_cannot_keep_up_turn_calls_to_keys_and_still_raise_red_flags() -> None:
    pressure, turned, heard = talk(6, 0.06)
    assert any(turned)
    assert pressure.switched == sum(turned)
    assert any(isinstance(one, ev.RedFlagRaised) for one in heard)


def test_stale_audio_is_given_up_and_counted() -> None:
    jobs = Jobs()
    pressure = process(jobs)
    call = CallPressure(pressure)
    hearing = Hearing(
        Ears(recogniser=Slow(DecodePool(), 9.0), second_look=None, net=net(), affirms=lambda text: None),
        "en",
        lambda event: None,
    )
    for _ in range(200):
        hearing.push(bytes(320))
    assert hearing.behind == 4.0
    call.shed(hearing.shed(STALE_SECONDS / 2))
    assert hearing.behind == STALE_SECONDS / 2
    assert (hearing.lost_frames, round(pressure.shed_seconds, 2)) == (150, 3.0)
