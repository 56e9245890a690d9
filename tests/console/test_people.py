"""Parties, virtual numbers, tasks of doctors, calls."""

from masking.port import CallRecord, LegEnd, Side, VirtualNumber
from records.port import Callback
from tests.console.rig import (
    DOCTOR,
    FOR_DOCTORS,
    FOR_PATIENTS,
    OTHER,
    PATIENT,
    STRANGER,
    Api,
    callbacks,
    fill,
    run,
)


def test_a_number_goes_in_and_comes_out_for_a_reason_only(api: Api) -> None:
    secret = api.token()
    party = api("POST", "/v1/parties", secret, {"number": "07700 900 123"}).json()
    assert party == {"error": {"code": "number_refused", "field": "number", "message": party["error"]["message"]}}
    party = api("POST", "/v1/parties", secret, {"number": PATIENT}).json()["party"]
    assert api("POST", "/v1/parties", secret, {"number": "+44 7700 900-123"}).json()["party"] == party
    reveal = f"/v1/parties/{party}/reveal"
    assert api("POST", reveal, secret, {"reason": "asked"}).status_code == 404, "no binding of theirs knows this party"
    api.bind(secret)
    for reason in ({}, {"reason": ""}, {"reason": "  "}):
        refused = api("POST", reveal, secret, reason)
        assert (refused.status_code, refused.json()["error"]["field"]) == (422, "reason")
    shown = api("POST", reveal, secret, {"reason": f"wrong number, {STRANGER}"}, kept=False)
    assert shown.json() == {"number": PATIENT}
    other = api.token(owner="two")
    theirs = api("POST", reveal, other, {"reason": "curious"})
    nobodys = api("POST", "/v1/parties/party-nobody/reveal", other, {"reason": "curious"})
    assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    noted = [(one.action, one.outcome, one.subject) for one in run(api.desk.tokens.uses())]
    assert noted[:3] == [
        ("POST /v1/parties/{id}/reveal", "not_found", "party-nobody"),
        ("POST /v1/parties/{id}/reveal", "not_found", party),
        ("POST /v1/parties/{id}/reveal", "done", party),
    ]


def test_an_erased_party_is_gone(api: Api) -> None:
    secret, hotline = api.token(), api.token(owner="hotline")
    party = api.bind(secret)["patient"]
    assert api("POST", f"/v1/parties/{party}/erase", hotline, {"reason": "asked for it"}).status_code == 204
    gone = api("POST", f"/v1/parties/{party}/reveal", secret, {"reason": "asked"})
    assert gone.json()["error"]["code"] == "not_found"
    assert api("POST", f"/v1/parties/{party}/erase", hotline, {"reason": "again"}).status_code == 404


def test_numbers_are_added_listed_changed_and_removed(api: Api) -> None:
    secret = api.token()
    more = [{"number": "+1 202 555 0112", "side": "patient", "area": "202"}]
    assert api("POST", "/v1/numbers", secret, {"numbers": more}).json() == {"added": 1}
    table = "number,side\n+12025550113,doctor\n+12025550114,doctor\n"
    assert api("POST", "/v1/numbers/import", secret, raw=table.encode()).json() == {"added": 2}
    bad = api("POST", "/v1/numbers/import", secret, raw=b"number,side\n+12025550115,nobody\n").json()["error"]
    assert (bad["code"], bad["field"]) == ("bad_field", "side")
    assert "line 2" in bad["message"]
    first = api("GET", "/v1/numbers", secret, params={"limit": 2}).json()
    assert [one["number"] for one in first["numbers"]] == [FOR_PATIENTS, FOR_DOCTORS]
    rest = api("GET", "/v1/numbers", secret, params={"limit": 9, "after": first["next"], "side": "doctor"}).json()
    assert ([one["number"] for one in rest["numbers"]], rest["next"]) == (["+12025550113", "+12025550114"], None)
    changed = api("PATCH", "/v1/numbers/+12025550113", secret, {"state": "draining"}).json()
    assert changed["state"] == "draining"
    assert api("DELETE", "/v1/numbers/%2B12025550113", secret).status_code == 204
    assert api("DELETE", "/v1/numbers/+12025550113", secret).json()["error"]["code"] == "number_unknown"
    api.bind(secret)
    held = api("DELETE", f"/v1/numbers/{FOR_PATIENTS}", secret)
    assert (held.status_code, held.json()["error"]["code"]) == (409, "number_in_use")


def test_an_import_is_all_or_nothing_and_may_be_large(api: Api) -> None:
    secret = api.token()
    rows = "".join(f"+1213555{at:04},patient\n" for at in range(4000))
    assert len(rows) > 64 * 1024
    refused = api("POST", "/v1/numbers/import", secret, raw=f"number,side\n{rows}nonsense,patient\n".encode())
    assert refused.status_code == 422
    assert len(api("GET", "/v1/numbers", secret).json()["numbers"]) == 2
    assert api("POST", "/v1/numbers/import", secret, raw=b"\xff").json()["error"]["field"] == "file"
    assert api("POST", "/v1/numbers/import", secret, raw=f"number,side\n{rows}".encode()).json() == {"added": 4000}


def test_pools_and_plans(api: Api) -> None:
    secret = api.token()
    api.bind(secret)
    pools = {one["side"]: one for one in api("GET", "/v1/pools", secret).json()["pools"]}
    assert (pools["doctor"]["busiest"], pools["doctor"]["fullest"], pools["doctor"]["runs_out"]) == (1, "", 0.0)
    shown = api("GET", "/v1/pools", api.token(owner="hotline")).json()["pools"]
    assert {one["fullest"][:6] for one in shown} == {"party-"}
    plan = api("GET", "/v1/plan", secret, params={"per_day": 20, "life_days": 2}).json()
    assert plan == {"numbers": 223, "mean": 180.0}
    bad = api("GET", "/v1/plan", secret, params={"per_day": "nan", "life_days": 2}).json()["error"]
    assert bad["field"] == "per_day"


def test_a_doctor_calls_back_from_the_task_list(api: Api) -> None:
    hotline, clinic = api.token(owner="hotline"), api.token(owner="clinic")
    patient = api("POST", "/v1/parties", hotline, {"number": PATIENT}).json()["party"]
    promise = Callback(id="cb-qwertz", call="qwertz", party=patient, urgency=1, at=api.clock.now)
    run(callbacks(api.store).promise(promise))
    tasks = api("GET", "/v1/tasks", hotline).json()["tasks"]
    assert [(one["id"], one["kind"], one["doctor"], one["urgency"]) for one in tasks] == [
        ("cb-qwertz", "callback", "", 1)
    ]
    assert api("GET", "/v1/tasks", clinic).json()["tasks"] == []
    for path in ("call", "done"):
        others = api("POST", f"/v1/tasks/cb-qwertz/{path}", clinic, {"doctor": DOCTOR})
        nobodys = api("POST", f"/v1/tasks/cb-nobody/{path}", clinic, {"doctor": DOCTOR})
        assert (others.status_code, others.content) == (404, nobodys.content)
    nobody = api("POST", "/v1/tasks/cb-qwertz/call", hotline, {})
    assert nobody.json()["error"]["field"] == "doctor"
    asked = api("POST", "/v1/tasks/cb-qwertz/call", hotline, {"doctor": DOCTOR}, key="click")
    wish = asked.json()
    assert (asked.status_code, wish["state"]) == (202, "waiting")
    assert api("POST", "/v1/tasks/cb-qwertz/call", hotline, {"doctor": DOCTOR}, key="click").json() == wish
    assert api("GET", asked.headers["location"], hotline).json() == wish
    assert api("GET", asked.headers["location"], clinic).status_code == 404
    again = api("POST", "/v1/tasks/cb-qwertz/call", hotline, {"doctor": DOCTOR}).json()
    assert again["binding"] == wish["binding"], "one binding however often it is tried"
    bound = api("GET", f"/v1/bindings/{wish['binding']}", hotline).json()
    assert (bound["patient"], bound["kind"]) == (patient, "pair")
    task = api("GET", "/v1/tasks", hotline, params={"doctor": bound["doctor"]}).json()["tasks"]
    assert [(one["id"], one["binding"]) for one in task] == [("cb-qwertz", bound["id"])]
    assert api("POST", "/v1/tasks/cb-qwertz/done", hotline).status_code == 204
    left = api("GET", "/v1/tasks", hotline).json()["tasks"]
    assert [(one["id"], one["kind"]) for one in left] == [(bound["id"], "binding")]
    assert api("POST", f"/v1/tasks/{bound['id']}/done", hotline).status_code == 204
    assert api("GET", "/v1/tasks", hotline).json()["tasks"] == []


def test_a_callback_does_not_go_by_a_binding_in_which_only_the_patient_may_call(api: Api) -> None:
    hotline = api.token(owner="hotline")
    api("POST", "/v1/numbers/import", hotline, raw=b"number,side\n+12025550117,patient\n+12025550118,doctor\n")
    one_way = api.bind(hotline, one_way=True)
    refused = api("POST", f"/v1/tasks/{one_way['id']}/call", hotline, {})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "one_way")
    promise = Callback(id="cb-qwertz", call="qwertz", party=one_way["patient"], urgency=1, at=api.clock.now)
    run(callbacks(api.store).promise(promise))
    made = [
        api("POST", "/v1/tasks/cb-qwertz/call", hotline, {"doctor": one_way["doctor"]}).json()["binding"]
        for _ in range(2)
    ]
    assert made[0] == made[1] != one_way["id"]


def test_who_showed_no_number_cannot_be_called_back(api: Api) -> None:
    hotline = api.token(owner="hotline")
    promise = Callback(id="cb-withheld", call="q", party="withheld-qwertzuiop", urgency=2, at=api.clock.now)
    run(callbacks(api.store).promise(promise))
    refused = api("POST", "/v1/tasks/cb-withheld/call", hotline, {"doctor": DOCTOR})
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "patient")
    assert api("GET", "/v1/bindings", hotline).json()["bindings"] == []


def test_click_to_call_of_a_binding(api: Api) -> None:
    secret = api.token()
    made = api.bind(secret)["id"]
    answer = api("POST", f"/v1/bindings/{made}/calls", secret, key="once")
    assert (answer.status_code, answer.json()["binding"]) == (202, made)
    assert api("POST", f"/v1/bindings/{made}/calls", secret, key="once").json() == answer.json()
    assert api("GET", f"/v1/calls/{answer.json()['id']}", secret).json()["state"] == "waiting"
    api("DELETE", f"/v1/bindings/{made}", secret)
    over = api("POST", f"/v1/bindings/{made}/calls", secret)
    assert (over.status_code, over.json()["error"]["code"]) == (409, "binding_ended")
    api.remake(wishes=None, tasks=None, diary=None)
    for method, path in (("POST", f"/v1/bindings/{made}/calls"), ("GET", "/v1/tasks"), ("GET", "/v1/calls")):
        assert api(method, path, secret).status_code == 503


class OneLeg:
    """A diary with one record."""

    def __init__(self, record: CallRecord) -> None:
        self._record = record

    async def tell(self, event: object) -> None:
        raise NotImplementedError

    async def record(self, record: CallRecord) -> None:
        raise NotImplementedError

    async def calls(self, owner: str, *, binding: str = "", limit: int = 100) -> tuple[CallRecord, ...]:
        mine = owner == self._record.owner and binding in {"", self._record.binding}
        return (self._record,) if mine else ()


def test_records_of_calls(api: Api) -> None:
    leg = CallRecord(
        call="call-q", leg="a", owner="clinic", binding="binding-q", party="party-q", number=FOR_PATIENTS,
        provider="sip", started=1.0, answered=2.0, ended=3.0, end=LegEnd.COMPLETED, released_by="caller",
    )  # fmt: skip
    api.remake(diary=OneLeg(leg))
    found = api("GET", "/v1/calls", api.token(), params={"binding": "binding-q"}).json()["legs"]
    assert [(one["call"], one["end"], one["number"]) for one in found] == [("call-q", "completed", FOR_PATIENTS)]
    assert api("GET", "/v1/calls", api.token(owner="two")).json() == {"legs": []}


def test_a_group_and_other_phones_by_numbers(api: Api) -> None:
    secret = api.token()
    group = api("POST", "/v1/bindings", secret, {"kind": "group", "doctor": DOCTOR, "members": [PATIENT, OTHER]})
    assert group.status_code == 201
    twice = {"kind": "group", "doctor": DOCTOR, "members": [PATIENT, "+44 7700 900 123"]}
    assert api("POST", "/v1/bindings", secret, twice).json()["error"]["field"] == "members"
    run(fill(api.desk, VirtualNumber(number="+12025550112", side=Side.PATIENT, country="US")))
    api.bind(secret, phones=[STRANGER])
