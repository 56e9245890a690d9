"""Hostile SIP text in, little and safe out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.lines import sip_text
from ivr.ports import LineError

NUMBER = "+12025550123"


@pytest.mark.parametrize(
    "header",
    [
        f"<sip:{NUMBER}@192.0.2.1>;tag=1",
        f"sip:{NUMBER}@192.0.2.1;tag=1",
        f'"A. Patient" <sip:{NUMBER}@192.0.2.1;user=phone>;tag=1',
        f'"sip:666@x" <sip:{NUMBER}@192.0.2.1>',
        f'"quote \\" sip:666@x" <sips:{NUMBER}@h>',
        "<sip:%2B12025550123@h>",
        "<sip:+1-202-555-0123;phone-context=x@h>",
        "<sip:+1.202.555.0123:secret@h>",
        "<tel:+1-202-555-0123;ext=1>",
        "<SIP:+12025550123@h>",
    ],
)
def test_a_callers_number_is_found(header: str) -> None:
    found = sip_text.caller_of(header)
    assert found is not None
    assert found.reveal() == NUMBER


@pytest.mark.parametrize(
    "header",
    [
        "",
        '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1',
        "<sip:restricted@h>",
        "<sip:192.0.2.1>",
        "<sip:+@h>",
        "<sip:12@h>",
        "<sip:+1202555012312025550123123@h>",
        "<sip:+1202\uff15550123@h>",
        "<mailto:+12025550123@h>",
        '"sip:+12025550123@h"',
        "<sip:+12025550123%0d%0a@h>",
    ],
)
def test_what_is_no_number_is_nobody(header: str) -> None:
    assert sip_text.caller_of(header) is None


@pytest.mark.parametrize(
    ("line", "user"),
    [
        ("INVITE sip:112233@h SIP/2.0", "112233"),
        ("INVITE sip:night+line@h;x=y SIP/2.0", "night+line"),
        ("INVITE sip:a%0d%0ab%00@h SIP/2.0", "ab"),
        ("INVITE sip:<script>@h SIP/2.0", ""),
        ("INVITE tel:+12025550100 SIP/2.0", "+12025550100"),
        ("INVITE sip:h SIP/2.0", ""),
        ("INVITE", ""),
        ("", ""),
        (f"INVITE sip:{'9' * 500}@h SIP/2.0", "9" * 64),
    ],
)
def test_the_dialled_user_is_short_and_plain(line: str, user: str) -> None:
    assert sip_text.dialled_of(line) == user


def test_an_invite_with_folded_and_short_headers() -> None:
    text = f"INVITE sip:7@h SIP/2.0\r\nVia: x\r\nf: <sip:{NUMBER}@h>\r\n ;tag=1\r\n\r\nFrom: <sip:+12025550199@h>"
    invite = sip_text.read_invite(text)
    assert invite.caller is not None
    assert (invite.caller.reveal(), invite.dialled, invite.replaces) == (NUMBER, "7", False)


@pytest.mark.parametrize("header", ["Replaces: a;to-tag=1;from-tag=2", "replaces : x", "Require: 100rel, Replaces"])
def test_taking_over_a_call_is_noticed(header: str) -> None:
    assert sip_text.read_invite(f"INVITE sip:7@h SIP/2.0\r\n{header}\r\n\r\n").replaces


@given(st.text(max_size=300))
def test_no_invite_is_too_odd_to_read(text: str) -> None:
    invite = sip_text.read_invite(text)
    assert len(invite.dialled) <= 64
    assert sip_text.read_invite("INVITE sip:" + text).dialled.isascii()


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160", "5"),
        ("application/dtmf-relay", "Duration=160\r\nsignal = #\r\n", "#"),
        ("Application/DTMF-Relay; charset=x", "Signal=a", "A"),
        ("application/dtmf-relay", "Signal=10", "*"),
        ("application/dtmf", "3", "3"),
        ("application/dtmf", " 11\r\n", "#"),
        ("application/dtmf-relay", "Signal=55", None),
        ("application/dtmf-relay", "Duration=5", None),
        ("application/dtmf", "", None),
        ("application/dtmf", "16", None),
        ("application/dtmf", "E", None),
        ("text/plain", "5", None),
    ],
)
def test_keys_in_info(kind: str, body: str, key: str | None) -> None:
    text = f"INFO sip:h SIP/2.0\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    assert sip_text.info_key(text) == key


@pytest.mark.parametrize(
    "address",
    ["sip:agent1@192.0.2.7", "sip:agent1@192.0.2.7:5062;transport=tcp", "sip:host.example", "sip:+12025550100@[::1]:9"],
)
def test_plain_addresses_are_dialled_as_they_are(address: str) -> None:
    assert sip_text.checked_address(address) == address


def test_sips_is_dialled_by_tls() -> None:
    assert sip_text.checked_address("sips:desk@192.0.2.7") == "sip:desk@192.0.2.7:5061;transport=tls"
    assert sip_text.checked_address("sips:desk@[::1]:5071") == "sip:desk@[::1]:5071;transport=tls"


@pytest.mark.parametrize(
    "address",
    ["", "agent1", "tel:112", "sip:a@h?Subject=x", "sip:a b@h", "sip:a@h\r\nX: y", "<sip:a@h>", "sip:a@h;lr;x=1\n"],
)
def test_other_addresses_are_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(LineError) as refused:
        sip_text.checked_address(address)
    assert not address or address not in str(refused.value)


@pytest.mark.parametrize("shown", ["", "a b", 'x"', "x@y", "x" * 65, "a\n"])
def test_odd_caller_ids_are_not_shown(shown: str) -> None:
    with pytest.raises(LineError):
        sip_text.checked_shown(shown)


def test_a_plain_caller_id_is_shown() -> None:
    assert sip_text.checked_shown("+12025550100") == "+12025550100"


def test_escaping_keeps_plain_text_and_nothing_else() -> None:
    assert sip_text.escaped("friendly-scanner 1.0") == "friendly-scanner 1.0"
    assert sip_text.escaped('<b>"\x1b[31m\r\n\u202e') == "\\x3cb\\x3e\\x22\\x1b[31m\\x0d\\x0a\\u202e"
    assert sip_text.escaped("x" * 100) == "x" * 64 + "..."


@given(st.text())
def test_escaped_text_is_harmless(text: str) -> None:
    assert not set(sip_text.escaped(text)) & set("\r\n\t\0\x1b\"'<>&")


@given(st.text(max_size=200), st.text(max_size=80), st.booleans(), st.booleans())
def test_identity_headers_can_be_anything(text: str, name: str, edge: bool, trusted: bool) -> None:
    for header in ("From", "P-Asserted-Identity", "X-Triageline-Source", "X-Triageline-Asserted", name):
        found = sip_text.read_invite(
            f"INVITE sip:{text}@h SIP/2.0\r\n{header}: {text}\r\n\r\n", source="192.0.2.1", edge=edge, trusted=trusted
        )
        assert len(found.source) <= 64
        assert found.source.isascii()


def test_who_asserts_a_number_counts() -> None:
    invite = f"INVITE sip:x@h SIP/2.0\r\nFrom: <sip:anonymous@h>\r\nP-Asserted-Identity: <sip:{NUMBER}@h>\r\n\r\n"
    believed = sip_text.read_invite(invite, source="192.0.2.1", trusted=True)
    assert believed.caller is not None
    assert (believed.caller.reveal(), believed.suspect, believed.source) == (NUMBER, False, "192.0.2.1")
    ignored = sip_text.read_invite(invite, source="192.0.2.1")
    assert (ignored.caller, ignored.suspect) == (None, True)
    forged = invite.replace("P-Asserted-Identity", "X-Triageline-Asserted")
    assert sip_text.read_invite(forged, trusted=True).caller is None, "headers of ours count from the edge only"
