# Size: one call's ways side by side.
"""Masked calls on Twilio: what each webhook is answered, and what is kept of it."""

import xml.etree.ElementTree as ElementTree

import pytest

from masking.leaks import LeakOracle
from masking.port import Admission, Binding, Decision, MaskingUnavailable
from tests.fake_twilio import sid
from tests.unit.masking.providers.twilio_rigs import DOCTOR, HOTLINE, PATIENT, PUBLIC, STRANGER, Rig, only, said

ORACLE = LeakOracle([PATIENT, DOCTOR])


def connected(rig: Rig, number: str, sender: str = PATIENT) -> tuple[str, str]:
    """Addresses of whisper and of the end of a call that is connected."""
    document = rig.ring(number, sender)
    return only(document, "Number").attrib["url"], only(document, "Dial").attrib["action"]


@pytest.mark.parametrize(("sender", "callee"), [(PATIENT, DOCTOR), (DOCTOR, PATIENT)])
def test_each_side_reaches_the_other_and_shows_the_number_that_may_be_dialled_back(sender: str, callee: str) -> None:
    rig = Rig()
    pair = rig.bound(longest_call=600)
    dialled, shown = pair.patient_number, pair.doctor_number
    if sender == DOCTOR:
        dialled, shown = shown, dialled
    dial = only(rig.ring(dialled, sender), "Dial")
    assert (only(dial, "Number").text, dial.attrib["callerId"], dial.attrib["timeLimit"]) == (callee, shown, "600")
    assert dial.attrib["record"] == "do-not-record"
    assert (dial.attrib["answerOnBridge"], dial.attrib["ringTone"]) == ("true", "us")
    for address in (dial.attrib["action"], only(dial, "Number").attrib["url"]):
        assert address.startswith(PUBLIC)
        assert ORACLE.scan(address.encode()) == ()
    assert rig.told() == ["call.started"]


@pytest.mark.parametrize("way", ["connected", "stranger", "expired", "limited", "operator", "down", "unreachable"])
def test_no_dial_is_without_our_own_caller_id(way: str) -> None:
    rig = Rig()
    pair = rig.bound(life=100)
    rig.asked.decision = Decision.OPERATOR if way == "operator" else Decision.CONNECT
    rig.asked.admission = Admission.CALLER if way == "limited" else Admission.ADMITTED
    rig.exchange.broken = way == "down"
    rig.clock.now += 101 if way == "expired" else 0
    if way == "unreachable":
        action = connected(rig, pair.patient_number)[1]
        document = rig.document(action, DialCallStatus="busy", CallStatus="in-progress")
    else:
        document = rig.ring(pair.patient_number, STRANGER if way == "stranger" else PATIENT)
    dials = list(document.iter("Dial"))
    assert len(dials) == (way not in {"stranger", "limited"})
    for dial in dials:
        assert dial.attrib["callerId"] in {pair.patient_number, pair.doctor_number}
        assert dial.attrib["record"] == "do-not-record"


def test_the_callee_must_press_1_and_only_then_both_are_joined() -> None:
    rig = Rig()
    whisper, action = connected(rig, rig.bound().patient_number)
    gather = only(rig.document(whisper), "Gather")
    assert gather.attrib["numDigits"] == "1"
    assert ORACLE.scan(gather.attrib["action"].encode()) == ()
    for wrong in ({}, {"Digits": "2"}, {"Digits": ""}):
        assert [one.tag for one in rig.document(gather.attrib["action"], **wrong)] == ["Hangup"]
    assert [one.tag for one in rig.document(gather.attrib["action"], Digits="1")] == []
    rig.clock.now += 65
    done = rig.document(action, DialCallStatus="completed", DialCallDuration="60", CallStatus="in-progress")
    assert [one.tag for one in done] == ["Hangup"]
    assert rig.ends() == [("b", "completed"), ("a", "completed")]
    assert rig.told() == ["call.started", "call.answered", "call.ended"]
    leg = rig.diary._records[next(iter(rig.diary._records))]
    assert (leg.provider, leg.ended - (leg.answered or 0), leg.ended - leg.started) == ("twilio", 60, 65)


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({"DialCallStatus": "completed", "CallStatus": "in-progress"}, ("not_confirmed", "not_confirmed")),
        ({"DialCallStatus": "busy", "CallStatus": "in-progress"}, ("busy", "busy")),
        ({"DialCallStatus": "no-answer", "CallStatus": "in-progress"}, ("no_answer", "no_answer")),
        ({"DialCallStatus": "failed", "CallStatus": "in-progress"}, ("unreachable", "unreachable")),
        ({"DialCallStatus": "canceled", "CallStatus": "completed"}, ("abandoned", "abandoned")),
        ({"DialCallStatus": "no-answer", "CallStatus": "completed"}, ("no_answer", "abandoned")),
        ({"DialCallStatus": "odd", "CallStatus": "in-progress"}, ("failed", "failed")),
    ],
)
def test_a_call_that_was_not_joined_goes_to_a_human_and_is_kept_with_its_reason(
    fields: dict[str, str], ends: tuple[str, str]
) -> None:
    rig = Rig()
    document = rig.document(connected(rig, rig.bound().patient_number)[1], **fields)
    assert rig.ends() == [("b", ends[0]), ("a", ends[1])]
    gone = fields["CallStatus"] == "completed"
    assert [one.tag for one in document][:2] == (["Hangup"] if gone else ["Say", "Dial"])
    if not gone:
        assert only(document, "Sip").text == HOTLINE


def test_a_call_that_lasted_as_long_as_it_may_ends_by_us() -> None:
    rig = Rig()
    whisper, action = connected(rig, rig.bound(longest_call=60).patient_number)
    rig.document(whisper + "&asked=1", Digits="1")
    rig.document(action, DialCallStatus="completed", DialCallDuration="60", CallStatus="in-progress")
    assert rig.ends() == [("b", "time_up"), ("a", "time_up")]


@pytest.mark.parametrize("sender", [STRANGER, "anonymous", "+266696687", "", "Restricted"])
def test_strangers_and_withheld_callers_hear_one_sentence(sender: str) -> None:
    rig = Rig()
    document = rig.ring(rig.bound().patient_number, sender)
    assert [one.tag for one in document] == ["Say", "Hangup"]
    assert "cannot connect" in said(document)
    assert rig.ends() == [("a", "unbound")]


def test_a_number_that_is_not_masked_is_the_hotline_itself() -> None:
    rig = Rig()
    document = rig.ring("+12025550188")
    assert only(document, "Sip").text == HOTLINE
    assert only(document, "Dial").attrib["callerId"] == "+12025550188"


def test_expired_is_told_and_the_hotline_offered() -> None:
    rig = Rig()
    pair = rig.bound(life=100)
    rig.clock.now += 101
    document = rig.ring(pair.patient_number)
    assert "has ended" in said(document)
    assert only(document, "Sip").text == HOTLINE
    assert rig.ends() == [("a", "expired")]


@pytest.mark.parametrize("verstat", ["TN-Validation-Failed-A", "TN-Validation-Failed-C", "TN-Validation-Failed"])
def test_a_forged_caller_id_counts_for_nothing(verstat: str) -> None:
    rig = Rig()
    pair, coded = rig.bound(), rig.bound(doctor="+447700900456", with_code=True)
    assert "cannot connect" in said(rig.ring(pair.patient_number, DOCTOR, StirVerstat=verstat))
    asked = rig.ring(coded.patient_number, StirVerstat=verstat)
    assert only(asked, "Gather").attrib["finishOnKey"] == "#"
    assert rig.told().count("abuse.spoof_suspect") == 2
    assert only(rig.ring(pair.patient_number, StirVerstat="TN-Validation-Passed-A"), "Number").text == DOCTOR


def keyed(rig: Rig, pair: Binding, *codes: str) -> list[ElementTree.Element]:
    """Documents after each code of a withheld caller."""
    document, call, found = rig.ring(pair.patient_number, "anonymous"), sid("CA"), []
    for code in codes:
        document = rig.document(only(document, "Gather").attrib["action"], CallSid=call, Digits=code)
        found.append(document)
    return found


def test_a_code_lets_a_withheld_caller_in_once_and_three_wrong_ones_end_the_call() -> None:
    rig = Rig()
    pair = rig.bound(with_code=True)
    wrong = "1" * 8 if pair.code != "1" * 8 else "2" * 8
    right = keyed(rig, pair, wrong, pair.code)[-1]
    assert only(right, "Number").text == DOCTOR
    assert "coded=1" in only(right, "Dial").attrib["action"]
    last = keyed(rig, pair, wrong, "", wrong)[-1]
    assert [one.tag for one in last] == ["Say", "Hangup"]
    assert rig.told().count("code.failed") == 3


@pytest.mark.parametrize("decision", [Decision.OPERATOR, Decision.REFUSE])
def test_an_owners_hook_is_asked_and_heeded(decision: Decision) -> None:
    rig = Rig()
    rig.asked.decision = decision
    document = rig.ring(rig.bound().patient_number)
    assert list(document.iter("Number")) == []
    assert bool(list(document.iter("Sip"))) == (decision == Decision.OPERATOR)
    assert rig.ends() == [("a", "intercepted")]
    assert rig.asked.calls[0].owner == "clinic"


def test_where_masking_is_down_a_human_answers_and_a_callee_is_not_put_through() -> None:
    rig = Rig()
    whisper, _ = connected(rig, rig.bound().patient_number)
    rig.exchange.broken = True
    assert only(rig.ring(rig.bound().patient_number), "Sip").text == HOTLINE

    async def fails(*what: str) -> bool:
        raise MaskingUnavailable("down")

    rig.calls._first = fails
    assert [one.tag for one in rig.document(whisper + "&asked=1", Digits="1")] == ["Hangup"]


def test_without_a_hotline_the_caller_is_told_what_to_dial() -> None:
    rig = Rig(hotline="")
    document = rig.ring("+12025550188")
    assert [one.tag for one in document] == ["Say", "Hangup"]
    assert "9 1 1" in said(document)


def test_our_own_number_as_caller_is_a_loop() -> None:
    rig = Rig()
    pair = rig.bound()
    assert [one.tag for one in rig.ring(pair.patient_number, pair.doctor_number)] == ["Hangup"]
    assert rig.ends() == [("a", "loop")]


def test_a_number_that_may_not_be_dialled_any_more_is_not() -> None:
    rig = Rig()
    pair = rig.bound(doctor="+19005550123")
    document = rig.ring(pair.patient_number)
    assert list(document.iter("Number")) == []
    assert only(document, "Sip").text == HOTLINE
    assert rig.ends() == [("a", "refused")]


def test_a_request_that_was_answered_is_not_answered_again() -> None:
    rig = Rig()
    fields = {"CallSid": sid("CA"), "From": PATIENT, "To": rig.bound().patient_number}
    assert rig.post(f"{PUBLIC}/twilio/voice", **fields).status == 200
    again = rig.post(f"{PUBLIC}/twilio/voice", **fields)
    assert (again.status, again.body) == (403, "not allowed")


def test_unsigned_changed_and_odd_requests_get_nothing() -> None:
    rig = Rig()
    pair = rig.bound()
    fields = {"CallSid": sid("CA"), "From": PATIENT, "To": pair.patient_number}
    url = f"{PUBLIC}/twilio/voice"
    assert rig.post(url, signed="", **fields).status == 403
    assert rig.post(url, signed="AAAA", **fields).status == 403
    assert rig.post(url, **fields | {"CallSid": "CA1"}).status == 400
    assert rig.post(f"{url}/code", CallSid=sid("CA"), Digits="1").status == 400
    assert rig.post(f"{url}/code?call=a&number=b&try=9", CallSid=sid("CA"), Digits="1").status == 400
    assert rig.post(f"{url}/other", **fields).status == 400
    assert rig.post(f"{PUBLIC}/twilio/sms", **fields).status == 400
    assert rig.post(f"{url}/status", CallSid=sid("CA"), CallStatus="completed").status == 200


def test_records_and_events_hold_no_real_number() -> None:
    rig = Rig()
    whisper, action = connected(rig, rig.bound().patient_number)
    rig.document(whisper + "&asked=1", Digits="1", From=PATIENT, To=DOCTOR)
    rig.document(action, DialCallStatus="completed", DialCallDuration="5", From=PATIENT, To=DOCTOR)
    assert ORACLE.scan(repr((rig.diary.written, rig.diary._records)).encode()) == ()
    assert len(rig.ends()) == 2
