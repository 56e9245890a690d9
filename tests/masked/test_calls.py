# Size: every way that a call can go, over one house
"""Whole masked calls over audio in memory: who hears whom, what each sees, and what is written down."""

import asyncio
from dataclasses import replace

import pytest

from ivr.watch.watcher import Masked, MaskedEnded, Notebook
from ivr.worker import Limits
from masking.port import (
    Admission,
    ClickPlan,
    Decision,
    Dialled,
    Happened,
    LegEnd,
    MaskingUnavailable,
    PhoneNumber,
    Verdict,
    WishState,
)
from tests.masked.world import (
    DOCTOR,
    DOCTOR_NUMBER,
    PATIENT,
    PATIENT_NUMBER,
    STRANGER,
    Do,
    House,
    Person,
    sound_of,
)


def takes(number: str, stays: float = 3.0, *script: Do) -> Person:
    """Picks up, listens, presses 1, talks, hangs up."""
    return Person(number, Do(after=2.0, keys="1"), *script, Do(after=stays, hang_up=True))


@pytest.mark.parametrize("way", ["to the doctor", "to the patient"])
def test_both_sides_reach_each_other_and_see_what_they_may_dial(way: str) -> None:
    async def go() -> None:
        to_doctor = way == "to the doctor"
        one, other = (PATIENT, DOCTOR) if to_doctor else (DOCTOR, PATIENT)
        house = House({other: lambda: takes(other)})
        await house.furnish()
        made = await house.bind()
        caller = Person(one)
        house.ring(caller, made.patient_number if to_doctor else made.doctor_number)
        assert await house.live()
        callee = house.people[other]
        assert caller.hears(other)
        assert callee.hears(one)
        assert house.rung == [other]
        assert house.line.shown == [made.doctor_number if to_doctor else made.patient_number]
        second, first = house.diary.records
        assert (first.leg, first.party, first.number) == ("a", house.wanted[one], caller_dialled(made, to_doctor))
        assert (second.leg, second.party, second.number) == ("b", house.wanted[other], house.line.shown[0])
        assert {first.end, second.end} == {LegEnd.COMPLETED}
        assert {first.released_by, second.released_by} == {"callee"}
        assert first.call == second.call
        assert first.owner == second.owner == "ward"
        assert [one.kind for one in house.diary.events] == [Happened.CALL_STARTED, Happened.CALL_ANSWERED]
        assert house.masking.revealed == [(house.wanted[other], "line", "masked call")]
        assert house.worker.calls == 0

    asyncio.run(go())


def caller_dialled(made: object, to_doctor: bool) -> str:
    return PATIENT_NUMBER if to_doctor else DOCTOR_NUMBER


def test_nobody_is_joined_before_one_is_pressed() -> None:
    async def go() -> None:
        house = House({DOCTOR: lambda: Person(DOCTOR, Do(after=15, hang_up=True))})
        await house.furnish()
        made = await house.bind()
        caller = Person(PATIENT)
        house.ring(caller, made.patient_number)
        assert await house.live()
        assert not caller.hears(DOCTOR)
        assert not house.people[DOCTOR].hears(PATIENT)
        assert caller.sounds > 0
        assert {one.end for one in house.diary.records} == {LegEnd.NOT_CONFIRMED}

    asyncio.run(go())


def test_a_stranger_hears_one_announcement_and_rings_nobody() -> None:
    async def go() -> None:
        house = House()
        await house.furnish()
        made = await house.bind()
        caller = Person(STRANGER)
        house.ring(caller, made.patient_number)
        assert await house.live()
        assert house.rung == []
        (record,) = house.diary.records
        assert (record.leg, record.end, record.binding, record.owner) == ("a", LegEnd.UNBOUND, "", "")

    asyncio.run(go())


def first_sound(person: Person) -> int:
    """Frames until something was heard."""
    return next(at for at, frame in enumerate(person.heard) if any(frame))


@pytest.mark.parametrize("who", ["stranger", "expired"])
def test_strangers_and_former_partners_wait_equally_long(who: str) -> None:
    async def go() -> None:
        house = House()
        await house.furnish()
        made = await house.bind(life=100)
        house.clock.now += 101
        caller = Person(PATIENT if who == "expired" else STRANGER, Do(after=3, hang_up=True))
        house.ring(caller, made.patient_number)
        assert await house.live()
        assert first_sound(caller) <= 2, "50 ms"
        assert house.rung == []
        assert house.diary.records[0].end is (LegEnd.EXPIRED if who == "expired" else LegEnd.UNBOUND)

    asyncio.run(go())


@pytest.mark.parametrize("keys", ["", "1"])
def test_after_its_end_a_call_reaches_the_hotline(keys: str) -> None:
    async def go() -> None:
        house = House()
        await house.furnish()
        made = await house.bind(life=100)
        house.clock.now += 101
        waits = [Do(after=1.5, keys=keys)] if keys else []
        caller = Person(PATIENT, *waits, Do(after=25, hang_up=True))
        house.ring(caller, made.patient_number)
        assert await house.live()
        said = await triage(house)
        assert "call.greeting" in said
        assert house.diary.records[0].end is LegEnd.EXPIRED

    asyncio.run(go())


async def triage(house: House) -> list[str]:
    """What the triage hotline said in the newest call."""
    lines = await house.world.journal.list(1)
    entries = await house.world.journal.read(lines[0].call) if lines else ()
    return [key for one in entries if one.kind == "Said" for key in one.data["keys"]]  # type: ignore[misc, union-attr]


@pytest.mark.parametrize("why", ["masking", "vault", "number", "hook", "asked for", "a fault"])
def test_a_human_of_ours_takes_who_cannot_be_connected(why: str) -> None:
    async def go() -> None:
        house = House({"nurse": lambda: Person("+12025550155", Do(after=1.5, keys="1"), Do(after=15, hang_up=True))})
        await house.furnish()
        made = await house.bind()
        if why == "masking":
            house.exchange = Lost()
        elif why == "vault":
            house.masking.lost = True
        elif why == "number":
            house.masking.sealed = True
        elif why == "hook":
            house.hook.decision = Decision.OPERATOR
        elif why == "a fault":
            house.exchange = Lost(ZeroDivisionError("nobody foresaw this"))
        caller = Person(STRANGER if why == "asked for" else PATIENT, Do(after=1, keys="0"), Do(after=60, hang_up=True))
        house.ring(caller, made.patient_number)
        assert await house.live()
        assert house.rung == ["nurse"]
        assert caller.hears("+12025550155")
        ends = {"hook": LegEnd.INTERCEPTED, "asked for": LegEnd.UNBOUND, "a fault": LegEnd.FAILED}
        assert house.diary.records[0].end is ends.get(why, LegEnd.UNAVAILABLE)

    asyncio.run(go())


class Lost:
    """An exchange that cannot be asked."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error or MaskingUnavailable("lost")

    async def resolve(self, dialled: Dialled) -> Verdict:
        raise self._error

    async def click(self, id: str, owner: str) -> ClickPlan:
        raise MaskingUnavailable("lost")

    async def sweep(self) -> int:
        return 0


def test_a_binding_that_ends_in_a_call_lets_it_go_on_to_its_longest() -> None:
    async def go() -> None:
        house = House({DOCTOR: lambda: takes(DOCTOR, 500)})
        await house.furnish()
        made = await house.bind(life=100, longest_call=90)
        caller = Person(PATIENT)
        house.ring(caller, made.patient_number)
        assert not await house.live(10)
        house.clock.now += 101
        assert await house.live(120)
        assert {one.end for one in house.diary.records} == {LegEnd.TIME_UP}
        together = [frame == sound_of(DOCTOR) for frame in caller.heard]
        assert 89 * 50 <= sum(together) + 60 <= 91 * 50
        for person in (caller, house.people[DOCTOR]):
            tones = [frame for frame in person.heard[1500:] if any(frame) and len(set(frame)) > 4]
            assert tones, "a tone, before it is over"
        again = Person(PATIENT, Do(after=2, hang_up=True))
        house.ring(again, made.patient_number)
        assert await house.live()
        assert house.rung == [DOCTOR]

    asyncio.run(go())


@pytest.mark.parametrize("when", [0.2, 1.5, 6.0])
def test_a_killed_binding_ends_its_call_within_two_seconds(when: float) -> None:
    """While it rings, while 1 is waited for, while both talk."""

    async def go() -> None:
        house = House({DOCTOR: lambda: takes(DOCTOR, 60)})
        await house.furnish()
        made = await house.bind()
        house.ring(Person(PATIENT), made.patient_number)
        assert not await house.live(when)
        await house.bindings.close(made.id, "ward", kill=True)
        assert await house.live(2.0)
        assert {one.end for one in house.diary.records} == {LegEnd.KILLED}
        assert {one.released_by for one in house.diary.records} == {"us"}

    asyncio.run(go())


def test_a_binding_closed_while_it_rings_still_connects_the_two_and_nobody_else() -> None:
    async def go() -> None:
        house = House({DOCTOR: lambda: takes(DOCTOR, 3)})
        await house.furnish()
        made = await house.bind()
        caller = Person(PATIENT)
        house.ring(caller, made.patient_number)
        assert not await house.live(0.2)
        await house.bindings.close(made.id, "ward")
        assert await house.live()
        assert caller.hears(DOCTOR)
        assert house.rung == [DOCTOR]

    asyncio.run(go())


def test_both_dial_each_other_at_once() -> None:
    async def go() -> None:
        house = House({DOCTOR: lambda: takes(DOCTOR, 4), PATIENT: lambda: takes(PATIENT, 4)})
        await house.furnish()
        made = await house.bind()
        one, other = Person(PATIENT), Person(DOCTOR)
        house.ring(one, made.patient_number)
        house.ring(other, made.doctor_number)
        assert await house.live()
        assert house.rung == [DOCTOR]
        assert one.hears(DOCTOR)
        assert other.sounds
        assert not other.hears(PATIENT)
        assert [record.end for record in house.diary.records if record.leg == "a"].count(LegEnd.BUSY) == 1

    asyncio.run(go())


@pytest.mark.parametrize("case", ["withheld", "sentinel", "faked", "stranger"])
def test_who_shows_no_number_of_their_own_is_asked_for_a_code(case: str) -> None:
    async def go() -> None:
        house = House({PATIENT: lambda: takes(PATIENT)})
        await house.furnish()
        made = await house.bind(with_code=True)
        keys = [Do(after=0.8, keys=digit) for digit in (*made.code, "#")]
        shown = {"withheld": "", "sentinel": "+266696687", "faked": DOCTOR, "stranger": STRANGER}[case]
        caller = Person(shown or DOCTOR, *keys, Do(after=1, keys="1"))
        more = {"suspect": case == "faked"} | ({"caller": None} if case == "withheld" else {})
        house.ring(caller, made.doctor_number, **more)
        assert await house.live()
        assert caller.hears(PATIENT)
        records = {one.leg: one for one in house.diary.records}
        assert records["a"].by_code
        assert records["b"].party == house.wanted[PATIENT]
        assert (records["a"].party == house.wanted[STRANGER]) is (case == "stranger")
        kinds = [one.kind for one in house.diary.events]
        assert (Happened.SPOOF_SUSPECT in kinds) is (case == "faked")
        caller = Person(shown or DOCTOR, Do(after=2, hang_up=True))
        house.ring(caller, made.doctor_number, **more)
        assert await house.live()
        assert house.rung == [PATIENT], "a code lets in once"
        assert made.code not in repr(house.diary.events) + repr(house.diary.records)

    asyncio.run(go())


def test_three_wrong_codes_and_nobody_rings() -> None:
    async def go() -> None:
        house = House()
        await house.furnish()
        made = await house.bind(with_code=True)
        guesses = [Do(after=0.3, keys=digit) for _ in range(3) for digit in "00000000#1"]
        house.ring(Person(STRANGER, *guesses), made.doctor_number)
        assert await house.live()
        assert house.diary.records[0].end is LegEnd.LOCKED
        assert [one.kind for one in house.diary.events] == [Happened.CODE_FAILED] * 3
        assert house.rung == []

    asyncio.run(go())


def test_a_call_from_one_of_our_own_numbers_is_a_loop() -> None:
    async def go() -> None:
        house = House({DOCTOR: lambda: takes(DOCTOR)})
        await house.furnish()
        await house.bind()
        arrival = house.ring(Person(DOCTOR_NUMBER), PATIENT_NUMBER)
        assert await house.live()
        assert [leg for leg, _ in house.line.refused] == [arrival.leg]
        assert house.diary.records[0].end is LegEnd.LOOP
        assert house.rung == []

    asyncio.run(go())


@pytest.mark.parametrize("keys", ["", "1"])
def test_a_caller_who_reaches_nobody_may_ask_to_be_called_back(keys: str) -> None:
    async def go() -> None:
        house = House({DOCTOR: lambda: Person(DOCTOR, declines=True)})
        await house.furnish()
        made = await house.bind()
        house.ring(Person(PATIENT, *([Do(after=4, keys="1")] if keys else [])), made.patient_number)
        assert await house.live()
        owed = await house.world.callbacks.open()
        assert [one.party for one in owed] == ([house.wanted[PATIENT]] if keys else [])
        assert {one.end for one in house.diary.records} == {LegEnd.DECLINED}

    asyncio.run(go())


@pytest.mark.parametrize("why", ["limits", "policy", "refused hook"])
def test_what_is_not_allowed_rings_nobody(why: str) -> None:
    async def go() -> None:
        house = House({DOCTOR: lambda: takes(DOCTOR)})
        await house.furnish()
        made = await house.bind()
        if why == "limits":
            house.gate.answer = Admission.PAIR
        elif why == "policy":
            house.refused.add(DOCTOR)
        else:
            house.hook.decision = Decision.REFUSE
        house.ring(Person(PATIENT), made.patient_number, source="trunk")
        assert await house.live()
        assert house.rung == []
        ends = {"limits": LegEnd.LIMITED, "policy": LegEnd.REFUSED, "refused hook": LegEnd.INTERCEPTED}
        assert house.diary.records[-1].end is ends[why]
        assert house.gate.asked == [(PATIENT_NUMBER, house.wanted[PATIENT], "trunk", True)]

    asyncio.run(go())


@pytest.mark.parametrize("who", ["both", "no doctor", "no patient", "voicemail"])
def test_click_to_call(who: str) -> None:
    async def go() -> None:
        doctor = Person(DOCTOR, declines=True) if who == "no doctor" else takes(DOCTOR, 9)
        script = [] if who == "voicemail" else [Do(after=2.0, keys="1")]
        patient = Person(PATIENT, *script, Do(after=5, hang_up=True), declines=who == "no patient")
        house = House({DOCTOR: lambda: doctor, PATIENT: lambda: patient})
        await house.furnish()
        made = await house.bind()
        wish = await house.wishes.ask(made.id, "ward")
        assert await house.clicks().look()
        await asyncio.sleep(0.01)
        assert await house.live()
        assert house.rung == ([DOCTOR] if who == "no doctor" else [DOCTOR, PATIENT])
        assert house.line.shown == [DOCTOR_NUMBER, PATIENT_NUMBER][: len(house.rung)]
        assert doctor.hears(PATIENT) is patient.hears(DOCTOR) is (who == "both")
        told = await house.wishes.get(wish.id, "ward")
        ends = {"both": LegEnd.COMPLETED, "voicemail": LegEnd.NOT_CONFIRMED}
        assert (told.state, told.end) == (
            WishState.DONE if who == "both" else WishState.FAILED, ends.get(who, LegEnd.DECLINED)
        )  # fmt: skip
        assert not await house.clicks().look()

    asyncio.run(go())


def test_many_pairs_on_two_numbers_never_meet() -> None:
    """All patients dial one number, all doctors another; half of the calls go each way, at once."""

    async def go() -> None:
        patients, doctors = [f"+120255501{at}" for at in range(10, 20)], [f"+120255501{at}" for at in range(20, 30)]
        house = House({one: lambda one=one: takes(one, 3) for one in (*patients, *doctors)})  # type: ignore[misc]
        await house.furnish()
        callers = {}
        for at, (patient, doctor) in enumerate(zip(patients, doctors, strict=True)):
            ids = [(await house.masking.party(PhoneNumber(one))).id for one in (patient, doctor)]
            await house.bind(patient=ids[0], doctor=ids[1])
            callers[doctor if at % 2 else patient] = patient if at % 2 else doctor
        house.worker.limit(Limits(callers=len(callers)))
        people = {one: Person(one) for one in callers}
        for one, person in people.items():
            house.ring(person, PATIENT_NUMBER if one in patients else DOCTOR_NUMBER)
        assert await house.live()
        assert sorted(house.rung) == sorted(callers.values())
        for one, other in callers.items():
            everybody = (*patients, *doctors)
            assert [who for who in everybody if people[one].hears(who)] == [other]
            assert [who for who in everybody if house.people[other].hears(who)] == [one]
        assert len(house.diary.records) == 20

    asyncio.run(go())


def test_observers_see_that_a_call_is_masked_and_no_more() -> None:
    async def go() -> None:
        house = House({DOCTOR: lambda: takes(DOCTOR)})
        book = Notebook()
        house.doors = replace(house.doors, watcher=book)
        await house.furnish()
        made = await house.bind()
        house.ring(Person(PATIENT), made.patient_number)
        assert await house.live()
        assert [told for _, told in book.told] == ["begun", Masked(), MaskedEnded(end="completed"), "ended"]

    asyncio.run(go())


@pytest.mark.parametrize("why", [Decision.REFUSE, Decision.OPERATOR, "ended", "killed", "nobody answers"])
def test_a_click_that_comes_to_nothing_is_told(why: str) -> None:
    async def go() -> None:
        house = House({DOCTOR: lambda: Person(DOCTOR, answers=False)})
        await house.furnish()
        made = await house.bind()
        wish = await house.wishes.ask(made.id, "ward")
        if isinstance(why, Decision):
            house.hook.decision = why
        elif why == "ended":
            await house.bindings.close(made.id, "ward")
        assert await house.clicks().look()
        assert await house.live(0.2) is (why not in ("killed", "nobody answers"))
        if why == "killed":
            await house.bindings.close(made.id, "ward", kill=True)
        assert await house.live(45)
        told = await house.wishes.get(wish.id, "ward")
        ends = {"ended": LegEnd.EXPIRED, "killed": LegEnd.KILLED, "nobody answers": LegEnd.NO_ANSWER}
        assert (told.state, told.end) == (WishState.FAILED, ends.get(why, LegEnd.INTERCEPTED))
        assert house.rung == ([DOCTOR] if why in ("killed", "nobody answers") else [])
        assert house.worker.calls == 0

    asyncio.run(go())
