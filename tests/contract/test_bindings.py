# Size: one suite for one door; every test runs on all three stores.
"""One suite for every store of bindings: memory, SQLite, PostgreSQL."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from masking.port import (
    Binding,
    Dialled,
    Kind,
    MaskingRefused,
    NumberState,
    Outcome,
    Side,
    VirtualNumber,
    Wanted,
    Wrong,
)
from tests.contract.desk_rigs import Desk, desk
from tests.postgres import Postgres

T = TypeVar("T")
STRANGER = "party-stranger"
PAIR = Wanted(
    owner="hotline", kind=Kind.PAIR, doctor="party-doctor", patient="party-patient", life=1000, quarantine=500
)
STORES = ["memory", "sqlite", "postgresql"]


def number(index: int) -> str:
    return f"+1202555{100 + index:04d}"


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Iterator[Desk]:
    with desk(request.param, tmp_path, postgres) as opened:
        yield opened


def run(work: Coroutine[object, object, T]) -> T:
    return asyncio.run(work)


def fill(store: Desk, patients: int = 3, doctors: int = 3, **more: str) -> None:
    sides = [Side.PATIENT] * patients + [Side.DOCTOR] * doctors
    made = tuple(
        VirtualNumber(number=number(at), side=side, country="US", **more)  # type: ignore[arg-type]
        for at, side in enumerate(sides)
    )
    assert run(store.numbers.add(made)) == len(made)


def bound(store: Desk, wanted: Wanted = PAIR) -> Binding:
    return run(store.bindings.create(wanted))


def refused(work: Coroutine[object, object, object]) -> tuple[Wrong, str]:
    with pytest.raises(MaskingRefused) as told:
        run(work)
    return told.value.code, told.value.field


def outcome(store: Desk, dialled: str, caller: str, code: str = "") -> tuple[Outcome, str, str]:
    verdict = run(store.exchange.resolve(Dialled(number=dialled, caller=caller, code=code)))
    return verdict.outcome, verdict.callee, verdict.shown


def test_both_sides_of_a_pair_reach_each_other_and_see_what_they_may_dial(store: Desk) -> None:
    fill(store)
    made = bound(store)
    assert outcome(store, made.patient_number, PAIR.patient) == (Outcome.CONNECT, PAIR.doctor, made.doctor_number)
    assert outcome(store, made.doctor_number, PAIR.doctor) == (Outcome.CONNECT, PAIR.patient, made.patient_number)
    for spelling in ("0111", "tel:+1", "+1 ", "%2B1"):
        dialled = made.patient_number.replace("+1", spelling)
        assert outcome(store, dialled, PAIR.patient)[0] == Outcome.CONNECT


def test_strangers_and_withheld_callers_get_one_answer(store: Desk) -> None:
    fill(store)
    made = bound(store)
    nothing = (Outcome.UNKNOWN, "", "")
    for dialled in (made.patient_number, made.doctor_number, number(2), "+447700900123", "garbage", ""):
        for caller in (STRANGER, ""):
            assert outcome(store, dialled, caller) == nothing
            assert outcome(store, dialled, caller, "12345678") == nothing
    assert outcome(store, made.doctor_number, PAIR.patient) == nothing
    assert outcome(store, made.patient_number, PAIR.doctor) == nothing


def test_expiry_is_told_and_then_forgotten(store: Desk) -> None:
    fill(store)
    made = bound(store)
    store.clock.now += 999.9
    assert outcome(store, made.patient_number, PAIR.patient)[0] == Outcome.CONNECT
    store.clock.now += 0.1
    assert outcome(store, made.patient_number, PAIR.patient) == (Outcome.EXPIRED, "", "")
    assert outcome(store, made.patient_number, STRANGER)[0] == Outcome.UNKNOWN
    store.clock.now += 499.9
    assert run(store.exchange.sweep()) == 0
    assert outcome(store, made.patient_number, PAIR.patient)[0] == Outcome.EXPIRED
    store.clock.now += 0.1
    assert outcome(store, made.patient_number, PAIR.patient)[0] == Outcome.UNKNOWN
    assert run(store.exchange.sweep()) == 1
    assert refused(store.bindings.get(made.id, "hotline")) == (Wrong.NOT_FOUND, "id")


def test_a_resting_number_is_not_given_to_its_caller_for_another(store: Desk) -> None:
    fill(store, patients=2, doctors=5)
    other = replace(PAIR, doctor="party-second")
    first = bound(store)
    run(store.bindings.close(first.id, "hotline"))
    second = bound(store, other)
    assert second.patient_number != first.patient_number
    assert refused(store.bindings.create(replace(other, doctor="party-third"))) == (Wrong.NO_CAPACITY, "patient_number")
    assert outcome(store, first.patient_number, PAIR.patient)[0] == Outcome.EXPIRED
    stays = replace(other, doctor="party-third", patient_number=first.patient_number)
    assert refused(store.bindings.create(stays)) == (Wrong.CONFLICT, "patient_number")
    store.clock.now += 500
    assert bound(store, stays).patient_number == first.patient_number


def test_the_same_two_people_get_their_numbers_back_even_while_they_rest(store: Desk) -> None:
    fill(store)
    first = bound(store)
    run(store.bindings.close(first.id, "hotline"))
    again = bound(store)
    assert (again.patient_number, again.doctor_number) == (first.patient_number, first.doctor_number)
    assert outcome(store, again.patient_number, PAIR.patient)[0] == Outcome.CONNECT
    run(store.bindings.close(first.id, "hotline"))
    assert outcome(store, again.patient_number, PAIR.patient)[0] == Outcome.CONNECT


def test_two_consultations_of_one_pair_live_side_by_side(store: Desk) -> None:
    fill(store)
    one, two = bound(store), bound(store)
    assert one.patient_number != two.patient_number
    run(store.bindings.close(one.id, "hotline"))
    assert outcome(store, one.patient_number, PAIR.patient)[0] == Outcome.EXPIRED
    assert outcome(store, two.patient_number, PAIR.patient)[1] == PAIR.doctor


def test_an_explicit_number_that_leads_elsewhere_is_a_conflict_and_nothing_is_written(store: Desk) -> None:
    fill(store)
    made = bound(store)
    other = replace(PAIR, doctor="party-second", patient_number=made.patient_number)
    assert refused(store.bindings.create(other)) == (Wrong.CONFLICT, "patient_number")
    assert run(store.bindings.list("hotline")) == (made,)
    assert bound(store, replace(other, patient_number="")).patient_number != made.patient_number
    unknown = replace(PAIR, patient_number="+12025550199")
    assert refused(store.bindings.create(unknown)) == (Wrong.NUMBER_UNKNOWN, "patient_number")
    swapped = replace(PAIR, patient_number=made.doctor_number)
    assert refused(store.bindings.create(swapped)) == (Wrong.NUMBER_UNKNOWN, "patient_number")


def test_parallel_bindings_of_one_patient_take_the_pool_and_no_more(store: Desk) -> None:
    fill(store, patients=50, doctors=1)

    async def many() -> list[Binding | BaseException]:
        wanted = [replace(PAIR, doctor=f"party-d{at}", key=str(at)) for at in range(200)]
        return await asyncio.gather(*(store.bindings.create(one) for one in wanted), return_exceptions=True)

    answers = run(many())
    made = [one for one in answers if isinstance(one, Binding)]
    assert len({one.patient_number for one in made}) == len(made) == 50
    assert {one.code for one in answers if isinstance(one, MaskingRefused)} == {Wrong.NO_CAPACITY}
    for one in made:
        assert outcome(store, one.patient_number, PAIR.patient)[1] == one.doctor


def test_one_key_is_one_binding(store: Desk) -> None:
    fill(store)

    async def three() -> list[Binding]:
        return await asyncio.gather(*(store.bindings.create(replace(PAIR, key="k")) for _ in range(3)))

    first, *others = run(three())
    assert others == [first, first]
    assert bound(store, replace(PAIR, key="k")) == first
    assert refused(store.bindings.create(replace(PAIR, key="k", life=61))) == (Wrong.KEY_REUSED, "key")
    assert bound(store, replace(PAIR, key="k", owner="other")).id != first.id


def test_numbers_go_round_by_area_and_least_recent_use(store: Desk) -> None:
    fill(store, patients=2, doctors=9)
    run(store.numbers.add((VirtualNumber(number="+12125550150", side=Side.PATIENT, country="US", area="212"),)))
    picked = []
    for at in range(4):
        store.clock.now += 1
        picked.append(bound(store, replace(PAIR, patient=f"party-p{'x' * at}")).patient_number)
    assert len(set(picked[:3])) == 3
    assert picked[3] == picked[0]
    near = bound(store, replace(PAIR, patient="party-near", area="212"))
    assert near.patient_number == "+12125550150"
    far = replace(PAIR, patient="party-far", country="GB")
    assert refused(store.bindings.create(far)) == (Wrong.NO_CAPACITY, "patient_number")


def test_renewing_moves_the_end_and_what_ended_is_not_renewed(store: Desk) -> None:
    fill(store)
    made = bound(store)
    store.clock.now += 999
    renewed = run(store.bindings.renew(made.id, "hotline", 2000))
    assert renewed.ends == store.clock.now + 2000
    store.clock.now += 1999
    assert outcome(store, made.doctor_number, PAIR.doctor)[0] == Outcome.CONNECT
    assert run(store.bindings.renew(made.id, "hotline", None)).ends is None
    store.clock.now += 1e9
    assert outcome(store, made.doctor_number, PAIR.doctor)[0] == Outcome.CONNECT
    run(store.bindings.close(made.id, "hotline"))
    assert refused(store.bindings.renew(made.id, "hotline", 100)) == (Wrong.ENDED, "id")
    assert outcome(store, made.doctor_number, PAIR.doctor)[0] == Outcome.EXPIRED


def test_a_clock_that_is_set_back_wakes_nothing_that_was_closed(store: Desk) -> None:
    fill(store)
    made = bound(store)
    run(store.bindings.close(made.id, "hotline", kill=True))
    store.clock.now -= 900
    assert outcome(store, made.patient_number, PAIR.patient)[0] == Outcome.EXPIRED
    found = run(store.bindings.get(made.id, "hotline"))
    assert found.closed
    assert found.killed


def test_what_is_anothers_does_not_exist(store: Desk) -> None:
    fill(store)
    made = bound(store)
    for id, owner in ((made.id, "other"), ("binding-nobody", "hotline"), ("nonsense", "hotline"), ("binding-", "x")):
        for work in (
            store.bindings.get(id, owner),
            store.bindings.close(id, owner),
            store.bindings.renew(id, owner, 100),
            store.exchange.click(id, owner),
        ):
            assert refused(work) == (Wrong.NOT_FOUND, "id")
    assert run(store.bindings.list("other")) == ()


def test_lists_are_the_owners_newest_and_by_party(store: Desk) -> None:
    fill(store, patients=5, doctors=5)
    made = []
    for at in range(3):
        store.clock.now += 1
        made.append(bound(store, replace(PAIR, patient=f"party-p{'x' * at}")))
    assert run(store.bindings.list("hotline")) == tuple(reversed(made))
    assert run(store.bindings.list("hotline", limit=1)) == (made[2],)
    assert run(store.bindings.list("hotline", party="party-px")) == (made[1],)
    assert run(store.bindings.list("hotline", party=PAIR.doctor)) == tuple(reversed(made))


def test_one_way_bindings_connect_one_way(store: Desk) -> None:
    fill(store)
    made = bound(store, replace(PAIR, one_way=True))
    assert outcome(store, made.patient_number, PAIR.patient)[0] == Outcome.CONNECT
    assert outcome(store, made.doctor_number, PAIR.doctor) == (Outcome.REFUSED, "", "")
    assert refused(store.exchange.click(made.id, "hotline")) == (Wrong.ONE_WAY, "id")


def test_a_doctors_other_phones_may_call(store: Desk) -> None:
    fill(store)
    made = bound(store, replace(PAIR, phones=("party-mobile",), with_code=True))
    for phone in (PAIR.doctor, "party-mobile"):
        assert outcome(store, made.doctor_number, phone) == (Outcome.CONNECT, PAIR.patient, made.patient_number)
    assert outcome(store, made.doctor_number, "party-third")[0] == Outcome.ASK_CODE
    assert outcome(store, made.doctor_number, "party-third", made.code)[:2] == (Outcome.CONNECT, PAIR.patient)
    assert outcome(store, made.doctor_number, "party-third")[0] == Outcome.ASK_CODE  # let in once, not for ever


def test_a_fixed_number_reaches_its_doctor_from_everybody_who_shows_theirs(store: Desk) -> None:
    fill(store)
    fixed = Wanted(owner="hotline", kind=Kind.FIXED, doctor=PAIR.doctor, life=None)
    made = bound(store, fixed)
    assert made.doctor_number == ""
    assert outcome(store, made.patient_number, STRANGER) == (Outcome.CONNECT, PAIR.doctor, made.patient_number)
    assert outcome(store, made.patient_number, "")[0] == Outcome.UNKNOWN
    assert outcome(store, made.patient_number, PAIR.doctor)[0] == Outcome.REFUSED
    second = replace(fixed, doctor="party-second", patient_number=made.patient_number)
    assert refused(store.bindings.create(second)) == (Wrong.CONFLICT, "patient_number")
    own = bound(store, replace(PAIR, doctor="party-second", patient_number=made.patient_number))
    assert outcome(store, made.patient_number, PAIR.patient)[1] == "party-second"
    run(store.bindings.close(own.id, "hotline"))
    assert outcome(store, made.patient_number, PAIR.patient)[0] == Outcome.EXPIRED


def test_a_group_number_reaches_its_doctor_from_the_list_alone(store: Desk) -> None:
    fill(store)
    group = Wanted(owner="hotline", kind=Kind.GROUP, doctor=PAIR.doctor, members=("party-a", "party-b"))
    made = bound(store, group)
    for member in group.members:
        assert outcome(store, made.patient_number, member) == (Outcome.CONNECT, PAIR.doctor, made.patient_number)
    for other in (STRANGER, PAIR.doctor, ""):
        assert outcome(store, made.patient_number, other)[0] == Outcome.UNKNOWN


def test_case_codes_reach_the_patient_from_any_phone(store: Desk) -> None:
    fill(store, patients=1, doctors=1)
    made = [bound(store, replace(PAIR, kind=Kind.CODE, patient=f"party-p{'x' * at}")) for at in range(9)]
    assert len({one.code for one in made}) == 9
    assert len({one.doctor_number for one in made}) == 1
    for one in made:
        assert len(one.code) == 8
        for caller in (PAIR.doctor, STRANGER, ""):
            assert outcome(store, one.doctor_number, caller) == (Outcome.ASK_CODE, "", "")
            reached = outcome(store, one.doctor_number, caller, one.code)
            assert reached == (Outcome.CONNECT, one.patient, one.patient_number)
        assert outcome(store, one.patient_number, "", one.code)[1] == PAIR.doctor
        assert run(store.bindings.get(one.id, "hotline")) == one
    run(store.bindings.close(made[0].id, "hotline"))
    assert outcome(store, made[0].doctor_number, STRANGER, made[0].code)[0] == Outcome.EXPIRED


def test_a_case_number_dialled_back_reaches_nobody_else(store: Desk) -> None:
    """A doctor sees the case number when a patient calls; it must not be the doctor's number for another patient."""
    fill(store, patients=3, doctors=2)
    case = bound(store, replace(PAIR, kind=Kind.CODE, patient="party-p"))
    direct = bound(store)
    assert direct.doctor_number != case.doctor_number
    stays = replace(PAIR, patient="party-q", doctor_number=case.doctor_number)
    assert refused(store.bindings.create(stays)) == (Wrong.CONFLICT, "doctor_number")
    assert bound(store, replace(stays, doctor="party-second")).doctor_number == case.doctor_number
    stays = replace(PAIR, kind=Kind.CODE, patient="party-q", doctor_number=direct.doctor_number)
    assert refused(store.bindings.create(stays)) == (Wrong.CONFLICT, "doctor_number")
    assert outcome(store, case.doctor_number, PAIR.doctor)[0] == Outcome.ASK_CODE
    run(store.bindings.close(case.id, "hotline"))
    store.clock.now += 500
    assert bound(store, replace(PAIR, patient="party-r", doctor_number=case.doctor_number, life=None)).code == ""


def test_guessing_codes_locks_the_number_but_no_registered_caller(store: Desk) -> None:
    fill(store)
    made = bound(store, replace(PAIR, with_code=True))
    wrong = "0" * 8 if made.code != "0" * 8 else "1" * 8
    heard = [outcome(store, made.doctor_number, f"party-guess{'x' * (at // 3)}", wrong)[0] for at in range(30)]
    assert heard == [Outcome.ASK_CODE] * 9 + [Outcome.LOCKED] * 21
    assert outcome(store, made.doctor_number, STRANGER, made.code)[0] == Outcome.LOCKED
    assert outcome(store, made.doctor_number, PAIR.doctor)[0] == Outcome.CONNECT
    if store.alerts:
        assert {(alert.code, alert.what) for alert in store.alerts} == {("code_guessing", made.doctor_number)}
    store.clock.now += 3600
    wanted = replace(PAIR, patient="party-z", doctor="party-y", with_code=True, doctor_number=made.doctor_number)
    later = bound(store, wanted)
    assert outcome(store, made.doctor_number, STRANGER, later.code)[0] == Outcome.CONNECT


def test_one_callers_wrong_codes_lock_that_caller_alone(store: Desk) -> None:
    fill(store)
    made = bound(store, replace(PAIR, with_code=True))
    wrong = "0" * 8 if made.code != "0" * 8 else "1" * 8
    heard = [outcome(store, made.doctor_number, STRANGER, wrong)[0] for _ in range(8)]
    assert heard == [Outcome.ASK_CODE] * 5 + [Outcome.LOCKED] * 3
    assert outcome(store, made.doctor_number, STRANGER, made.code)[0] == Outcome.LOCKED
    assert outcome(store, made.doctor_number, "party-other", made.code)[0] == Outcome.CONNECT


def test_click_to_call_shows_each_side_its_own_number(store: Desk) -> None:
    fill(store)
    made = bound(store, replace(PAIR, longest_call=120))
    plan = run(store.exchange.click(made.id, "hotline"))
    assert (plan.first, plan.first_sees) == (PAIR.doctor, made.doctor_number)
    assert (plan.second, plan.second_sees) == (PAIR.patient, made.patient_number)
    assert plan.seconds == 120
    store.clock.now += 1000
    assert refused(store.exchange.click(made.id, "hotline")) == (Wrong.ENDED, "id")


def test_draining_numbers_serve_and_take_no_more(store: Desk) -> None:
    fill(store, patients=1, doctors=1)
    made = bound(store)
    run(store.numbers.change(made.patient_number, NumberState.DRAINING))
    other = replace(PAIR, patient="party-other")
    assert refused(store.bindings.create(other)) == (Wrong.NO_CAPACITY, "patient_number")
    assert outcome(store, made.patient_number, PAIR.patient)[0] == Outcome.CONNECT
    assert refused(store.numbers.remove(made.patient_number)) == (Wrong.NUMBER_IN_USE, "number")
    run(store.bindings.close(made.id, "hotline"))
    assert refused(store.numbers.remove(made.patient_number)) == (Wrong.NUMBER_IN_USE, "number")
    store.clock.now += 500
    run(store.numbers.remove(made.patient_number))
    assert [about.number for about in run(store.numbers.list())] == [made.doctor_number]


@pytest.mark.parametrize("state", [NumberState.SUSPENDED, NumberState.QUARANTINED])
def test_numbers_out_of_service_connect_nobody_and_keep_their_bindings(store: Desk, state: NumberState) -> None:
    fill(store)
    made = bound(store)
    run(store.numbers.change(made.patient_number, state))
    assert outcome(store, made.patient_number, PAIR.patient) == (Outcome.UNKNOWN, "", "")
    run(store.numbers.change(made.patient_number, NumberState.ACTIVE))
    assert outcome(store, made.patient_number, PAIR.patient)[0] == Outcome.CONNECT


def test_numbers_are_taken_in_all_or_none(store: Desk) -> None:
    fill(store, patients=1, doctors=1)
    good = VirtualNumber(number="+12025550190", side=Side.PATIENT, country="US")
    assert run(store.numbers.add((good, good))) == 1
    assert run(store.numbers.add((good,))) == 0
    moved = replace(good, side=Side.DOCTOR)
    fresh = replace(good, number="+12025550191")
    assert refused(store.numbers.add((fresh, moved))) == (Wrong.CONFLICT, "number")
    assert refused(store.numbers.add((fresh, replace(fresh, number="garbage")))) == (Wrong.FIELD, "number")
    assert "+12025550191" not in {about.number for about in run(store.numbers.list())}
    assert refused(store.numbers.change("+12025550198", NumberState.ACTIVE)) == (Wrong.NUMBER_UNKNOWN, "number")
    pool = "+86700" + "0" * 11 + "1"
    assert run(store.numbers.add((replace(good, number=pool[3:], country=""),))) == 1
    china = bound(store, replace(PAIR, patient_number=pool))
    assert outcome(store, pool[1:], PAIR.patient) == (Outcome.CONNECT, PAIR.doctor, china.doctor_number)


def test_the_report_names_who_will_run_out(store: Desk) -> None:
    fill(store, patients=4, doctors=4)
    for at in range(3):
        bound(store, replace(PAIR, patient=f"party-p{'x' * at}"))
    doctors, patients = run(store.numbers.report())
    assert (doctors.side, doctors.numbers, doctors.routes, doctors.busiest) == (Side.DOCTOR, 4, 3, 3)
    assert doctors.fullest == PAIR.doctor
    assert doctors.runs_out == pytest.approx(24 * 3600 / 3)
    assert (patients.busiest, patients.active) == (1, 4)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"owner": ""}, "owner"),
        ({"doctor": ""}, "doctor"),
        ({"doctor": PAIR.patient}, "doctor"),
        ({"patient": ""}, "patient"),
        ({"patient": "*"}, "patient"),
        ({"patient": "code-abc"}, "patient"),
        ({"patient": "withheld-abc"}, "patient"),
        ({"patient": "+12025550123"}, "patient"),
        ({"life": 59}, "life"),
        ({"life": float("nan")}, "life"),
        ({"quarantine": -1}, "quarantine"),
        ({"longest_call": 0}, "longest_call"),
        ({"members": ("party-a",)}, "members"),
        ({"phones": (PAIR.doctor,)}, "phones"),
        ({"key": "k" * 129}, "key"),
        ({"kind": Kind.CODE, "one_way": True}, "one_way"),
    ],
)
def test_bad_wishes_are_refused_by_field_and_nothing_is_written(
    store: Desk, change: dict[str, object], field: str
) -> None:
    fill(store)
    code, name = refused(store.bindings.create(replace(PAIR, **change)))  # type: ignore[arg-type]
    assert name == field
    assert code in {Wrong.FIELD, Wrong.SAME_PARTY}
    assert run(store.bindings.list("hotline")) == ()
