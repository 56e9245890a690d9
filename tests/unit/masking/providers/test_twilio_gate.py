"""Nothing gets in but what Twilio signed."""

from urllib.parse import urlencode

import pytest

from masking.providers.twilio_gate import Forged, Malformed, Signed, TwilioGate
from tests.fake_twilio import ACCOUNT, TOKEN, form, signature

PUBLIC = "https://hotline.example"
FIELDS = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "From": "+12025550123", "Body": "10 mg x2 – 天"}
FORM = "application/x-www-form-urlencoded"
GATE = TwilioGate(ACCOUNT, TOKEN, PUBLIC)


def read(
    path: str = "/twilio/sms",
    query: str = "",
    body: bytes = form(FIELDS),
    *,
    kind: str = FORM,
    signed: str | None = None,
) -> Signed:
    address = PUBLIC + path + (f"?{query}" if query else "")
    return GATE.read(path, query, body, kind=kind, signature=signature(address, FIELDS) if signed is None else signed)


def test_what_twilio_signed_is_read() -> None:
    found = read(query="call=call-a&binding=binding-b")
    assert (found.path, found.fields) == ("/twilio/sms", FIELDS)
    assert found.query == {"call": "call-a", "binding": "binding-b"}
    assert read(kind=f"{FORM}; charset=UTF-8").fields == FIELDS


@pytest.mark.parametrize(
    "change",
    [
        {"signed": ""},
        {"signed": "bm90IGl0"},
        {"signed": signature(f"{PUBLIC}/twilio/sms", FIELDS, "another token")},
        {"signed": signature("https://elsewhere.example/twilio/sms", FIELDS)},
        {"signed": signature(f"{PUBLIC}/twilio/voice", FIELDS)},
        {"signed": signature(f"{PUBLIC}/twilio/sms?call=x", FIELDS), "query": "call=y"},
        {"body": form(FIELDS | {"From": "+447700900123"})},
        {"body": form(FIELDS | {"Extra": "1"})},
        {"body": urlencode({name: value for name, value in FIELDS.items() if name != "Body"}).encode()},
        {"body": b""},
    ],
)
def test_what_is_unsigned_or_changed_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(Forged):
        read(**change)  # type: ignore[arg-type]


def test_another_account_is_refused_though_the_token_fits() -> None:
    fields = FIELDS | {"AccountSid": "AC" + "0b" * 16}
    with pytest.raises(Forged):
        read(body=urlencode(fields).encode(), signed=signature(f"{PUBLIC}/twilio/sms", fields))


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "application/json"},
        {"kind": ""},
        {"body": b"a=1&a=2"},
        {"body": b"a"},
        {"body": b"a=%FF"},
        {"body": "a=天".encode()},
        {"body": b"a=" + b"x" * 70_000},
        {"body": b"&".join(b"n%d=1" % at for at in range(300))},
    ],
)
def test_what_is_no_form_is_not_understood(change: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        read(signed="x", **change)  # type: ignore[arg-type]


def test_ids_and_counts_are_read_strictly() -> None:
    asked = Signed(path="", query={}, fields={"CallSid": "CA" + "0a" * 16, "NumMedia": "2", "Odd": "-1"})
    assert asked.sid("CallSid", "CA") == "CA" + "0a" * 16
    assert (asked.number("NumMedia"), asked.number("Missing")) == (2, 0)
    for name, kind in (("CallSid", "SM"), ("Missing", "CA")):
        with pytest.raises(Malformed):
            asked.sid(name, kind)
    with pytest.raises(Malformed):
        asked.number("Odd")
