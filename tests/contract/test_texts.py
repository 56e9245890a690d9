# Size: one suite for one door; every test runs on all three stores.
"""One suite for the relay of texts over every store: memory, SQLite, PostgreSQL."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from masking.database import prepare
from masking.leaks import LeakOracle
from masking.port import Admission, Happened, MaskingRefused, MaskingUnavailable, MaskingUnsure, Wrong
from masking.sms.decide import LONGEST, PAUSE
from masking.sms.post import GIVE_UP
from masking.sms.store import LEASE, PARTS_WAIT
from masking.sms.words import Say
from records.database import connect
from tests.contract.text_rigs import DOCTOR, OTHER, PATIENT, SAID, STRANGER, Rig, rig
from tests.postgres import Postgres

ORACLE = LeakOracle([PATIENT, DOCTOR])
SPELT = (
    "(202) 555-0123",
    "two oh two triple five oh one two three",
    "+1 202.555.0123",
    "２０２５５５０１２３",
    "二零二五五五零幺二三",
    "MjAyNTU1MDEyMw==",
    "202, 555, then 0123",
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once: it takes a quarter of a second."""
    path = tmp_path_factory.mktemp("empty") / "masking.db"
    prepare(connect(f"sqlite:///{path}")).dispose()
    return path


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def set_up(request: pytest.FixtureRequest, tmp_path: Path, empty: Path, postgres: Postgres) -> Iterator[Rig]:
    shutil.copy(empty, tmp_path / "masking.db")
    with rig(request.param, tmp_path, postgres) as made:
        yield made


def test_a_text_reaches_the_other_side_word_for_word_from_the_number_that_side_may_answer(set_up: Rig) -> None:
    pair = set_up.bound()
    words = "10 mg x2, 14 days, BP 120/80"
    set_up.run(set_up.text(words, to=pair.patient_number))
    (text, to), *rest = set_up.carrier.sent
    assert (text.body, text.shown, to, rest) == (words, pair.doctor_number, DOCTOR, [])
    set_up.run(set_up.text("ok, come at 14:30", sender=DOCTOR, to=pair.doctor_number))
    text, to = set_up.carrier.sent[-1]
    assert (text.body, text.shown, to) == ("ok, come at 14:30", pair.patient_number, PATIENT)
    told = [(event.kind, event.owner, event.binding) for event in set_up.diary.events]
    assert told == [(Happened.TEXT_RELAYED, "hotline", pair.id)] * 2


def test_no_number_crosses_in_any_spelling_and_the_audit_says_how_many_were_hidden(set_up: Rig) -> None:
    pair = set_up.bound()
    for spelt in SPELT:
        set_up.run(set_up.text(f"call me on {spelt} please", to=pair.patient_number))
        set_up.run(set_up.text(f"his is {spelt} I think", sender=DOCTOR, to=pair.doctor_number))
    assert len(set_up.carrier.sent) == 2 * len(SPELT)
    for text, _ in set_up.carrier.sent:
        assert ORACLE.scan(text.body.encode()) == ()
    assert [event.data["hidden"] for event in set_up.diary.events][::2] == [1.0] * len(SPELT)


def test_the_same_text_of_a_carrier_is_relayed_once_for_ever(set_up: Rig) -> None:
    pair = set_up.bound(life=None)
    text = set_up.text("hello", to=pair.patient_number)
    set_up.run(text, text)
    set_up.clock.now += 30 * 86400
    set_up.run(text)
    assert set_up.carrier.to(DOCTOR) == ["hello"]
    assert (len(set_up.diary.events), len(set_up.limits.asked)) == (1, 1), "a repetition counts for nothing"


def test_stop_is_for_one_pair_is_told_to_both_and_ends_with_start(set_up: Rig) -> None:
    pair, second = set_up.bound(), set_up.bound(doctor=OTHER)
    for body in ("STOP", "退订", "Stop all.", "unsubscribe!"):
        set_up.run(set_up.text(body, to=pair.patient_number))
        set_up.clock.now += 61
    assert set_up.carrier.to(PATIENT) == [SAID[Say.STOPPED]] * 4
    assert {event.kind for event in set_up.diary.events} == {Happened.TEXT_STOPPED}
    set_up.run(set_up.text("are you well?", sender=DOCTOR, to=pair.doctor_number))
    assert set_up.carrier.to(DOCTOR) == [SAID[Say.OTHER_STOPPED]]
    assert set_up.diary.events[-1].data["reason"] == "stopped"
    set_up.run(set_up.text("and you?", sender=OTHER, to=second.doctor_number))
    assert set_up.carrier.to(PATIENT)[-1] == "and you?"
    set_up.run(set_up.text("start", to=pair.patient_number))
    set_up.run(set_up.text("good", sender=DOCTOR, to=pair.doctor_number))
    assert set_up.carrier.to(PATIENT)[-2:] == [SAID[Say.STARTED], "good"]


def test_whoever_stopped_may_still_write_and_hears_nothing_but_danger(set_up: Rig) -> None:
    pair = set_up.bound()
    set_up.run(set_up.text("STOP", to=pair.patient_number), set_up.text("help", to=pair.patient_number))
    set_up.run(set_up.text("I can not breathe", to=pair.patient_number))
    assert set_up.carrier.to(DOCTOR) == ["help", "I can not breathe"]
    assert set_up.carrier.to(PATIENT) == [SAID[Say.STOPPED], SAID[Say.EMERGENCY]]


def test_help_is_answered_and_passed_on(set_up: Rig) -> None:
    pair = set_up.bound()
    set_up.run(set_up.text("HELP", to=pair.patient_number))
    assert set_up.carrier.to(PATIENT) == [SAID[Say.HELP]]
    assert set_up.carrier.to(DOCTOR) == ["HELP"]


def test_words_of_danger_are_answered_also_where_nothing_is_passed_on(set_up: Rig) -> None:
    pair = set_up.bound()
    set_up.run(set_up.text("I can not breathe", to=pair.patient_number))
    assert set_up.carrier.to(PATIENT) == [SAID[Say.EMERGENCY]]
    assert set_up.carrier.to(DOCTOR) == ["I can not breathe"]
    set_up.run(set_up.text("I can not breathe", sender=STRANGER, to=pair.patient_number))
    assert set_up.carrier.to(STRANGER) == [SAID[Say.EMERGENCY], SAID[Say.UNKNOWN]]
    set_up.limits.answer = Admission.SCAN
    set_up.clock.now += PAUSE
    set_up.run(set_up.text("I can not breathe", sender=STRANGER, to=pair.patient_number))
    assert set_up.carrier.to(STRANGER)[2:] == [SAID[Say.EMERGENCY]]


def test_after_the_end_one_answer_an_hour_and_nothing_is_passed_on(set_up: Rig) -> None:
    pair = set_up.bound(life=1000)
    set_up.clock.now += 1001
    for _ in range(3):
        set_up.run(set_up.text("hello?", to=pair.patient_number))
    assert set_up.carrier.to(PATIENT) == [SAID[Say.EXPIRED]]
    assert set_up.carrier.to(DOCTOR) == []
    set_up.clock.now += PAUSE + 1
    set_up.run(set_up.text("hello?", to=pair.patient_number), set_up.text("STOP", to=pair.patient_number))
    assert set_up.carrier.to(PATIENT) == [SAID[Say.EXPIRED]] * 2


def test_strangers_hear_one_sentence_whatever_the_number(set_up: Rig) -> None:
    pair = set_up.bound()
    for number in (pair.patient_number, pair.doctor_number, "+12025550177"):
        set_up.run(set_up.text("hi", sender=STRANGER, to=number))
    assert set_up.carrier.to(STRANGER) == [SAID[Say.UNKNOWN]] * 3
    assert len(set_up.carrier.sent) == 3


@pytest.mark.parametrize("sender", [None, "+10086", "10086", "+266696"])
def test_services_are_neither_relayed_nor_answered(set_up: Rig, sender: str | None) -> None:
    pair = set_up.bound()
    set_up.run(set_up.text("You missed a call from 202 555 0123", sender=sender, to=pair.patient_number))
    assert set_up.carrier.sent == []


def test_two_machines_do_not_talk_to_each_other(set_up: Rig) -> None:
    pair = set_up.bound(life=1000)
    for sentence in SAID.values():
        set_up.run(set_up.text(sentence, to=pair.patient_number))
    assert set_up.carrier.sent == []


def test_groups_cards_pictures_and_endless_texts_are_refused_with_a_sentence(set_up: Rig) -> None:
    pair = set_up.bound()
    to = pair.patient_number
    set_up.run(set_up.text("hello all", to=to, others=2), set_up.text("", to=to, media=1))
    set_up.clock.now += PAUSE + 1
    set_up.run(set_up.text("BEGIN:VCARD\nTEL:+12025550123\nEND:VCARD", to=to), set_up.text("x" * (LONGEST + 1), to=to))
    assert set_up.carrier.to(DOCTOR) == []
    assert set_up.carrier.to(PATIENT) == [SAID[Say.GROUP], SAID[Say.MEDIA], SAID[Say.MEDIA], SAID[Say.TOO_LONG]]
    assert [event.data["reason"] for event in set_up.diary.events] == ["group", "media", "media", "too_long"]


def test_of_a_picture_with_words_the_words_are_passed_on(set_up: Rig) -> None:
    pair = set_up.bound()
    set_up.run(set_up.text("my rash", to=pair.patient_number, media=1))
    assert set_up.carrier.to(DOCTOR) == ["my rash"]
    assert set_up.carrier.to(PATIENT) == [SAID[Say.MEDIA]]


def test_parts_out_of_order_and_repeated_are_relayed_once_and_whole(set_up: Rig) -> None:
    pair = set_up.bound()
    words = ("我从昨天开始发烧，", "体温38.5，", "应该吃什么药？")
    parts = [
        set_up.text(body, to=pair.patient_number, part=at, parts=3, whole="77") for at, body in enumerate(words, 1)
    ]
    again = set_up.text(words[0], to=pair.patient_number, part=1, parts=3, whole="77")
    set_up.run(parts[2], parts[0], parts[2], again)
    assert set_up.carrier.sent == []
    set_up.run(parts[1], again, *parts)
    assert set_up.carrier.to(DOCTOR) == ["".join(words)]
    set_up.clock.now += 2 * 3600
    fresh = [
        set_up.text(f"new {at} ", to=pair.patient_number, part=at, parts=3, whole="77") for at in (3, 1, 2)
    ]
    set_up.run(*fresh)
    assert set_up.carrier.to(DOCTOR)[1:] == ["new 1 new 2 new 3 "]


def test_a_number_that_is_cut_by_two_parts_is_hidden(set_up: Rig) -> None:
    pair = set_up.bound()
    for at, body in ((2, "550123 now"), (1, "call 2025")):
        set_up.run(set_up.text(body, to=pair.patient_number, part=at, parts=2, whole="9"))
    assert set_up.carrier.to(DOCTOR) == ["call [number hidden] now"]


def test_an_incomplete_text_is_refused_after_a_while_and_its_danger_is_not_waited_for(set_up: Rig) -> None:
    pair = set_up.bound()
    set_up.run(set_up.text("I can not breathe and", to=pair.patient_number, part=1, parts=2, whole="5"))
    assert set_up.carrier.to(PATIENT) == [SAID[Say.EMERGENCY]]
    set_up.clock.now += PARTS_WAIT + 1
    asyncio.run(set_up.relay.tidy())
    set_up.run(set_up.text("my chest hurts", to=pair.patient_number, part=2, parts=2, whole="5"))
    assert set_up.carrier.to(PATIENT)[1:] == [SAID[Say.INCOMPLETE]]
    assert set_up.carrier.to(DOCTOR) == []


def test_limits_are_asked_and_heeded(set_up: Rig) -> None:
    pair = set_up.bound()
    set_up.limits.answer = Admission.PAIR
    set_up.run(set_up.text("again", to=pair.patient_number))
    assert set_up.limits.asked == [(pair.patient_number, set_up.party(PATIENT), "fake", True)]
    assert set_up.carrier.to(PATIENT) == [SAID[Say.LIMITED]]
    assert set_up.diary.events[-1].data["reason"] == "pair_limit"
    set_up.run(set_up.text("STOP", to=pair.patient_number))
    assert set_up.carrier.to(PATIENT)[-1] == SAID[Say.STOPPED]


def test_a_carrier_that_fails_is_tried_again_and_order_is_kept(set_up: Rig) -> None:
    pair = set_up.bound()
    set_up.carrier.troubles.append(MaskingUnavailable("busy"))
    set_up.run(set_up.text("one", to=pair.patient_number), set_up.text("two", to=pair.patient_number))
    assert set_up.carrier.sent == []
    for _ in range(3):
        set_up.clock.now += 10
        set_up.run()
    assert set_up.carrier.to(DOCTOR) == ["one", "two"]


@pytest.mark.parametrize("crash", [False, True])
def test_an_attempt_without_an_answer_is_looked_for_before_the_next(set_up: Rig, crash: bool) -> None:
    pair = set_up.bound()
    set_up.carrier.lost_answers = True
    set_up.carrier.troubles.append(KeyboardInterrupt() if crash else MaskingUnsure("timeout"))  # type: ignore[arg-type]
    try:
        set_up.run(set_up.text("once", to=pair.patient_number))
    except KeyboardInterrupt:
        assert crash
    set_up.run()
    assert set_up.carrier.to(DOCTOR) == ["once"]
    set_up.clock.now += LEASE + 1
    set_up.run()
    set_up.clock.now += LEASE + 1
    set_up.run()
    assert set_up.carrier.to(DOCTOR) == ["once"]


def test_a_text_that_never_gets_through_is_told_to_its_sender_and_to_the_owner(set_up: Rig) -> None:
    pair = set_up.bound()
    set_up.run()
    set_up.carrier.troubles.append(MaskingRefused(Wrong.FIELD, "to", "no such phone"))
    set_up.run(set_up.text("one", to=pair.patient_number))
    assert set_up.carrier.to(PATIENT) == [SAID[Say.UNDELIVERED]]
    assert set_up.diary.events[-1].data["reason"] == "bad_field"
    set_up.carrier.troubles.extend([MaskingUnavailable("down")] * 40)
    set_up.run(set_up.text("two", to=pair.patient_number))
    for _ in range(30):
        set_up.clock.now += 300
        set_up.run()
    assert set_up.diary.events[-1].data["reason"] == "given_up"
    assert set_up.clock.now > 1_000_000 + GIVE_UP


def test_receipts_only_go_forward_and_a_failure_is_told_once(set_up: Rig) -> None:
    pair = set_up.bound()
    set_up.run(set_up.text("one", to=pair.patient_number), set_up.text("two", to=pair.patient_number))
    ids = [text.id for text, _ in set_up.carrier.sent]

    async def told(id: str, arrived: bool | None, code: str = "") -> None:
        await set_up.relay.receipt(id, arrived=arrived, reference="ref", code=code)

    async def work() -> None:
        await told(ids[0], True)
        await told(ids[0], None)
        await told(ids[0], False, "30003")
        await told(ids[1], False, "30003")
        await told(ids[1], False, "30003")
        await told("text-nobodys", False)
        await set_up.post.work()

    asyncio.run(work())
    assert set_up.carrier.to(PATIENT) == [SAID[Say.UNDELIVERED]]
    refused = [event.data["reason"] for event in set_up.diary.events if event.kind == Happened.TEXT_REFUSED]
    assert refused == ["30003"]


def test_an_erased_party_gets_nothing(set_up: Rig) -> None:
    pair = set_up.bound()
    set_up.masking._parties = {
        number: party for number, party in set_up.masking._parties.items() if number.reveal() != DOCTOR
    }
    set_up.run(set_up.text("one", to=pair.patient_number))
    assert set_up.carrier.to(PATIENT) == [SAID[Say.UNDELIVERED]]


def test_a_carrier_that_hangs_holds_up_no_other_phone(set_up: Rig) -> None:
    pair = set_up.bound()

    async def work() -> None:
        set_up.carrier.hold = asyncio.Event()
        await set_up.relay.received(set_up.text("slow", to=pair.patient_number))
        running = asyncio.create_task(set_up.post.work())
        await set_up.carrier.held.wait()
        hold, set_up.carrier.hold = set_up.carrier.hold, None
        await set_up.relay.received(set_up.text("quick", sender=DOCTOR, to=pair.doctor_number))
        set_up.post.wake()
        await set_up.carrier.news.wait()
        assert set_up.carrier.to(PATIENT) == ["quick"]
        assert set_up.carrier.to(DOCTOR) == []
        hold.set()
        await running

    asyncio.run(work())
    assert set_up.carrier.to(DOCTOR) == ["slow"]


def test_a_long_run_wakes_for_what_comes(set_up: Rig) -> None:
    pair = set_up.bound()

    async def work() -> None:
        running = asyncio.create_task(set_up.post.run(every=30, tidy=set_up.relay.tidy))
        await set_up.relay.received(set_up.text("now", to=pair.patient_number))
        set_up.post.wake()
        async with asyncio.timeout(20):
            await set_up.carrier.news.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(work())
    assert set_up.carrier.to(DOCTOR) == ["now"]
