"""Registration at a PBX or trunk, and calls through it."""

import contextlib
import re
import time
from typing import Any

import pytest

from tests.sip.raw_caller import RawCaller
from tests.sip.registrar import ACCOUNT, REALM, SECRET, Registrar
from tests.sip.support import Phone, tuned_only

pytestmark = pytest.mark.sip


def _trunk(pbx: Registrar, **more: Any) -> dict[str, Any]:
    return {"name": "pbx", "registrar": pbx.address, "user": ACCOUNT, "password": SECRET, **more}


def _until(what: Any, seconds: float = 6) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_registers_with_the_best_digest_and_again_in_time() -> None:
    with Registrar(expires=6) as pbx, Phone(trunks=[_trunk(pbx, expires_s=6)]) as hotline:
        _until(lambda: pbx.contacts)
        assert pbx.algorithms[0] in ("SHA-256", "MD5")
        assert f"sip:{ACCOUNT}@127.0.0.1:{hotline.port}" in pbx.contacts[0]
        _until(lambda: len(pbx.contacts) > 1)


def test_the_edge_can_be_the_address_that_the_trunk_calls() -> None:
    with Registrar() as pbx, Phone(trunks=[_trunk(pbx, contact="sip:hotline@127.0.0.1:5099")]):
        _until(lambda: pbx.contacts)
        assert "<sip:hotline@127.0.0.1:5099>" in pbx.contacts[0]


def test_every_request_goes_through_the_edge_where_there_is_one() -> None:
    with Registrar() as edge:
        trunk = _trunk(edge, registrar="sip:pbx.invalid")
        with Phone(proxy=edge.address, trunks=[trunk]) as hotline:
            _until(lambda: edge.contacts)
            assert edge.requests[0].startswith("REGISTER sip:pbx.invalid ")
            hotline.dial("sip:100@desk.invalid", shown="hotline")
            _until(lambda: any(text.startswith("INVITE sip:100@desk.invalid ") for text in edge.requests))
            hotline.wait_for("LegGone")


def test_a_wrong_password_is_one_line_without_it() -> None:
    with Registrar() as pbx, Phone(logs=True, trunks=[_trunk(pbx, password="wrong-staple")]) as hotline:
        _until(lambda: pbx.refused)
        line = hotline.wait_for("log")["text"]
        assert "trunk pbx refuses our name or password" in line
        time.sleep(0.3)
        assert hotline.waiting("log") == []
        assert "wrong-staple" not in "".join(hotline.lines)


def test_a_call_through_the_trunk_proves_who_we_are() -> None:
    with Registrar() as pbx, Phone(trunks=[_trunk(pbx)]) as hotline:
        _until(lambda: pbx.contacts)
        hotline.dial(f"sip:100@127.0.0.1:{pbx.port}", shown="hotline")
        assert hotline.wait_for("LegGone")["cause"] == "busy"
        assert re.search(r"^From: .*<sip:hotline@127.0.0.1>", pbx.calls[0], re.MULTILINE)


@tuned_only
def test_nobody_else_is_given_a_digest() -> None:
    with Registrar() as pbx, Phone(trunks=[_trunk(pbx)]) as hotline, RawCaller(hotline.port) as thief:
        _until(lambda: pbx.contacts)
        leg = hotline.dial(f"sip:100@127.0.0.1:{thief.sip.getsockname()[1]}", shown="hotline")
        invite = thief.wait_request("INVITE")
        ask = f'Proxy-Authenticate: Digest realm="{REALM}", nonce="1", algorithm=MD5, qop="auth"\r\n'
        thief.respond(invite, "407 Needed", headers=ask)
        assert hotline.wait_for("LegGone", leg=leg)["cause"] == "failed"
        thief.call()
        leg = hotline.wait_for("LegAnswered")["leg"]
        hotline.do("hang_up", leg)
        bye = thief.wait_request("BYE")
        thief.respond(bye, "407 Needed", headers=ask)
        thief.sip.settimeout(0.7)
        with contextlib.suppress(TimeoutError):
            while True:
                assert "Authorization" not in thief.wait_request("BYE")
        hotline.wait_for("LegGone", leg=leg)
