"""Bindings by the API: made, renewed, ended, listed; races, keys, and what another owner sees."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from masking.port import Side, VirtualNumber
from tests.console.rig import DOCTOR, FOR_DOCTORS, FOR_PATIENTS, OTHER, PATIENT, STRANGER, Api, fill, open_api, run
from tests.postgres import Postgres

PAIR = {"doctor": DOCTOR, "patient": PATIENT}


def test_a_binding_from_beginning_to_end(api: Api) -> None:
    secret = api.token()
    answer = api("POST", "/v1/bindings", secret, {"doctor": DOCTOR, "patient": PATIENT, "with_code": True, "life": 600})
    made = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/bindings/{made['id']}")
    assert (made["patient_number"], made["doctor_number"]) == (FOR_PATIENTS, FOR_DOCTORS)
    assert (len(made["code"]), made["ends"]) == (8, api.clock.now + 600)
    verdict = api("POST", "/v1/resolve", secret, {"number": FOR_PATIENTS, "caller": PATIENT}).json()
    assert (verdict["outcome"], verdict["callee"], verdict["shown"]) == ("connect", made["doctor"], FOR_DOCTORS)
    renewed = api("POST", f"/v1/bindings/{made['id']}/renew", secret, {"life": None}).json()
    assert renewed["ends"] is None
    assert api("GET", f"/v1/bindings/{made['id']}", secret).json() == renewed
    ended = api("DELETE", f"/v1/bindings/{made['id']}", secret, params={"kill": "true"}).json()
    assert (ended["closed"], ended["killed"]) == (True, True)
    again = api("POST", f"/v1/bindings/{made['id']}/renew", secret, {"life": 600})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "binding_ended")
    verdict = api("POST", "/v1/resolve", secret, {"number": FOR_PATIENTS, "caller": PATIENT}).json()
    assert verdict["outcome"] == "expired"


def test_codes_are_for_those_who_bind(api: Api) -> None:
    made = api.bind(api.token(), with_code=True)
    reader = api.token("masking:read")
    assert made["code"]
    assert api("GET", f"/v1/bindings/{made['id']}", reader).json()["code"] == ""
    assert api("GET", "/v1/bindings", api.token()).json()["bindings"][0]["code"] == ""


def test_pages_hold_each_binding_once(api: Api) -> None:
    secret = api.token()
    made = [api.bind(secret, kind="fixed", patient="", doctor=DOCTOR)["id"]]
    run(fill(api.desk, *(number(f"+120255501{at}") for at in range(60, 66))))
    for _ in range(6):
        api.clock.now += 0 if len(made) % 2 else 1  # some of one moment
        made.append(api.bind(secret, kind="fixed", patient="", doctor=DOCTOR)["id"])
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = api("GET", "/v1/bindings", secret, params={"limit": 3, "after": after}).json()
        found += [one["id"] for one in page["bindings"]]
        after = page["next"]
    assert Counter(found) == Counter(made)
    assert api("GET", "/v1/bindings", secret, params={"after": "binding-nobody"}).status_code == 404
    assert api("GET", "/v1/bindings", secret, params={"party": "party-nobody"}).json()["bindings"] == []


def number(text: str, side: Side = Side.PATIENT) -> VirtualNumber:
    """A virtual number."""
    return VirtualNumber(number=text, side=side, country="US")


def test_an_explicit_number_that_is_taken_is_a_conflict(api: Api) -> None:
    secret = api.token()
    api.bind(secret)
    wanted = {"doctor": OTHER, "patient": PATIENT, "patient_number": FOR_PATIENTS}
    refused = api("POST", "/v1/bindings", secret, wanted)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "binding_conflict")
    assert len(api("GET", "/v1/bindings", secret).json()["bindings"]) == 1
    assert api("POST", "/v1/resolve", secret, {"number": FOR_DOCTORS, "caller": OTHER}).json()["outcome"] == "unknown"
    run(fill(api.desk, number("+12025550112")))
    assert api.bind(secret, doctor=OTHER)["patient_number"] == "+12025550112"


def test_two_hundred_at_once_for_fifty_numbers(api: Api) -> None:
    secret = api.token()

    async def race() -> list[Any]:
        await fill(api.desk, *(number(f"+12025552{at:03}") for at in range(49)))
        patient = (await api.ask("POST", "/v1/parties", secret, {"number": PATIENT})).json()["party"]
        doctors = [await api.desk.party(f"+1212555{at:04}", "doctor") for at in range(100, 300)]
        asked = [{"doctor": one, "patient": patient} for one in doctors]
        return await asyncio.gather(*(api.ask("POST", "/v1/bindings", secret, body) for body in asked))

    answers = run(race())
    made = [one.json() for one in answers if one.status_code == 201]
    refused = [one.json()["error"]["code"] for one in answers if one.status_code == 409]
    assert (len(made), Counter(refused)) == (50, {"no_capacity": 150})
    assert len({one["patient_number"] for one in made}) == 50


def test_one_key_three_times_at_once_is_one_binding(api: Api) -> None:
    secret, wanted = api.token(), {"doctor": DOCTOR, "patient": PATIENT}

    async def race() -> list[Any]:
        return await asyncio.gather(*(api.ask("POST", "/v1/bindings", secret, wanted, key="case-7") for _ in range(3)))

    first, *others = [one.json() for one in run(race())]
    assert others == [first, first]
    assert len(api("GET", "/v1/bindings", secret).json()["bindings"]) == 1
    other = api("POST", "/v1/bindings", secret, wanted | {"life": 700}, key="case-7")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_conflict")
    run(fill(api.desk, number("+12025550112"), number("+12025550113", Side.DOCTOR)))
    stranger = api("POST", "/v1/bindings", api.token(owner="another"), wanted, key="case-7")
    assert stranger.json()["id"] != first["id"], "keys are each owner's own"


def test_a_number_used_as_a_key_is_not_kept(api: Api) -> None:
    body = {"doctor": DOCTOR, "patient": PATIENT}
    assert api("POST", "/v1/bindings", api.token(), body, key=f"call-{STRANGER}").status_code == 201


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"doctor": PATIENT}, "same_party", "doctor"),
        ({"doctor": FOR_PATIENTS}, "number_refused", "doctor"),
        ({"doctor": "+12025550100"}, "number_refused", "doctor"),
        ({"doctor": "911"}, "number_refused", "doctor"),
        ({"patient": "+1 900 555 0123"}, "number_refused", "patient"),
        ({"patient": "party-nobody"}, "number_refused", "patient"),
        ({"life": 10}, "bad_field", "life"),
        ({"kind": "group"}, "bad_field", "patient"),
        ({"patient_number": "+12025550199"}, "number_unknown", "patient_number"),
        ({"doctor_number": "nonsense"}, "bad_field", "doctor_number"),
        ({"country": "GB"}, "no_capacity", "patient_number"),
    ],
)  # fmt: skip
def test_what_cannot_be_bound_is_said_and_leaves_nothing(
    api: Api, changed: dict[str, Any], code: str, field: str
) -> None:
    secret = api.token()
    refused = api("POST", "/v1/bindings", secret, {"doctor": DOCTOR, "patient": PATIENT} | changed)
    error = refused.json()["error"]
    assert (error["code"], error["field"]) == (code, field), error
    assert error["message"]
    assert refused.status_code in {409, 422}
    assert api("GET", "/v1/bindings", secret).json()["bindings"] == []


def test_another_owners_binding_is_one_that_does_not_exist(api: Api) -> None:
    _another_owner(api)


def test_the_same_on_postgresql(postgres: Postgres, tmp_path: Path) -> None:
    with open_api(tmp_path, postgres.engine()) as api:
        run(fill(api.desk))
        _another_owner(api)
        key = {"key": "visit-7"}
        again = [api("POST", "/v1/bindings", api.token(owner="one"), PAIR, **key).json() for _ in range(2)]
        assert again[0]["error"]["code"] == again[1]["error"]["code"] == "no_capacity"


def _another_owner(api: Api) -> None:
    mine, other = api.token(owner="one"), api.token(owner="two")
    made = api.bind(mine)["id"]
    assert api("GET", "/v1/bindings", other).json()["bindings"] == []
    for method, ending, body in (
        ("GET", "", None), ("DELETE", "", None), ("POST", "/renew", {"life": 600}), ("POST", "/calls", None),
    ):  # fmt: skip
        theirs, theirs_ran = _counted(api, method, f"/v1/bindings/{made}{ending}", other, body)
        nobodys, nobodys_ran = _counted(api, method, f"/v1/bindings/binding-{'q' * 13}{ending}", other, body)
        assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content)
        assert theirs.json()["error"]["code"] == "not_found"
        assert theirs_ran == nobodys_ran, "the same statements, so the same time"
        assert theirs_ran
    assert not api("GET", f"/v1/bindings/{made}", mine).json()["closed"]
    verdict = api("POST", "/v1/resolve", other, {"number": FOR_PATIENTS, "caller": PATIENT}).json()
    assert (verdict["outcome"], verdict["callee"], verdict["binding"], verdict["shown"]) == ("connect", "", "", "")
    noted = run(api.desk.tokens.uses())
    assert [one.outcome for one in noted] == ["not_found"] * 8
    assert made in {one.subject for one in noted}


def _counted(api: Api, method: str, path: str, secret: str, body: Any) -> tuple[Any, list[str]]:
    """The answer, and the statements that it took."""
    ran: list[str] = []
    engine = api.desk.ledger._engine

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        ran.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        return api(method, path, secret, body), ran
    finally:
        event.remove(engine, "before_cursor_execute", note)
