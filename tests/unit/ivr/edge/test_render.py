"""The generated files, and settings that would make a broken edge."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ivr.edge.checks import check, check_phones, check_trunks
from ivr.edge.render import LIMITS, Edge, Tls, command, main_file, tls_file
from ivr.edge.rpc import EdgeError
from ivr.edge.trunks import Trunk

EDGE = Edge(bind="192.0.2.1", port=5060, inner=25061, rules=Path("/x/deploy/kamailio"), run=Path("/x/run"))
RULES = Path(__file__).resolve().parents[4] / "deploy/kamailio/triageline.cfg"


def tls(folder: Path) -> Tls:
    """With files that are there."""
    for name in ("c.pem", "k.pem"):
        (folder / name).touch()
    return Tls(port=5061, certificate=folder / "c.pem", key=folder / "k.pem", authorities=None, demand=False)


def test_the_main_file() -> None:
    text = main_file(EDGE)
    assert '#!substdef "!TL_OUTER!192.0.2.1:5060!g"' in text
    assert '#!substdef "!TL_INNER!127.0.0.1:25061!g"' in text
    assert "#!define TL_WITH_TCP" in text
    assert "TL_WITH_TLS" not in text
    assert text.endswith('include_file "/x/deploy/kamailio/triageline.cfg"\n')
    assert "#!define TL_SRTP_REQUIRED" in main_file(replace(EDGE, srtp_required=True))
    assert "TL_WITH_MD5" not in main_file(replace(EDGE, md5=False))


def test_no_name_is_cut_short_by_another() -> None:
    """A definition replaces its name wherever it stands, also inside a longer name that comes later."""
    names = [line.split("!")[2] for line in main_file(EDGE).splitlines() if line.startswith("#!substdef")]
    for place, name in enumerate(names):
        assert not any(name in later for later in names[place + 1 :])


def test_every_number_of_the_rules_is_defined_and_used() -> None:
    used = set(re.findall(r"TL_([A-Z_]+[A-Z0-9])", RULES.read_text(encoding="utf-8")))
    defined = {line.split("!")[2].removeprefix("TL_") for line in main_file(EDGE).splitlines() if "substdef" in line}
    assert used - defined == {"WITH_TLS", "WITH_TCP", "WITH_MD5", "WITH_TEXTS", "SRTP_REQUIRED"}
    assert set(LIMITS) <= used


def test_tls(tmp_path: Path) -> None:
    pair = tls(tmp_path)
    check(replace(EDGE, tls=pair))
    text = tls_file(pair)
    assert text.count("TLSv1.2+") == 2
    server, client = text.split("[client:default]")
    assert "verify_certificate = no" in server
    assert "verify_certificate = yes" in client
    assert "require_certificate = yes" in tls_file(replace(pair, demand=True)).split("[client:default]")[0]
    assert "listen" not in main_file(replace(EDGE, tls=pair))


def test_what_cannot_work_is_said(tmp_path: Path) -> None:
    pair = tls(tmp_path)
    for edge, said in (
        (replace(EDGE, bind="0.0.0.0"), "sip.bind must be one"),
        (replace(EDGE, bind="::1"), "sip.bind must be one"),
        (replace(EDGE, bind="hotline.example"), "sip.bind must be one"),
        (replace(EDGE, srtp_required=True), "needs sip.tls_port"),
        (replace(EDGE, tls=replace(pair, key=tmp_path / "none")), "sip.tls_key names"),
        (replace(EDGE, tls=replace(pair, demand=True)), "needs sip.tls_ca"),
        (replace(EDGE, tls=replace(pair, authorities=tmp_path / "none")), "sip.tls_ca names"),
    ):
        with pytest.raises(EdgeError, match=said):
            check(edge)
    with pytest.raises(EdgeError, match="cannot use"):
        main_file(replace(EDGE, run=Path("/x/a!b")))
    check(replace(EDGE, bind="127.0.0.1", srtp_required=True))


def test_trunks_and_phones_that_cannot_be_called_are_said(tmp_path: Path) -> None:
    secret = Trunk(id="pbx", networks=("192.0.2.9/32",), tls=True)
    clear, here = replace(secret, tls=False), Trunk(id="here", networks=("127.0.0.1/32",))
    without_authority = replace(EDGE, tls=tls(tmp_path))
    for edge in (EDGE, without_authority):
        with pytest.raises(EdgeError, match='trunk "pbx" wants TLS: set sip.tls_port, and sip.tls_ca'):
            check_trunks(edge, [here, secret])
        with pytest.raises(EdgeError, match="agent nurse-1 wants TLS"):
            check_phones(edge, {"nurse-1": "sips:desk@192.0.2.7"})
        check_trunks(edge, [clear])
        check_phones(edge, {"nurse-1": "sip:desk@192.0.2.7"})
    strict = replace(EDGE, srtp_required=True, tls=replace(tls(tmp_path), authorities=tmp_path / "c.pem"))
    check_trunks(strict, [secret, here])
    check_phones(strict, {"nurse-1": "sips:desk@desk.example", "nurse-2": "sip:desk@127.0.0.1:5070"})
    with pytest.raises(EdgeError, match='trunk "pbx" has no TLS'):
        check_trunks(strict, [secret, clear])
    with pytest.raises(EdgeError, match="agent nurse-1 has an address without TLS"):
        check_phones(strict, {"nurse-1": "sip:desk@desk.example"})


def test_the_command_stays_in_the_foreground() -> None:
    words = command(EDGE, "/usr/sbin/kamailio", "/usr/lib/modules")
    assert words[:3] == ("/usr/sbin/kamailio", "-DD", "-E")
    assert "/x/run/edge.cfg" in words
