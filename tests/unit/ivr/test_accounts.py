"""Accounts at trunks, and TLS, of a worker that stands alone."""

from dataclasses import replace

import pytest

from config.settings import Settings, Sip
from ivr.bootstrap.accounts import direct_tls, registrations
from ivr.edge.trunks import Trunk, TrunksRefused

PBX = Trunk(
    id="pbx", networks=("192.0.2.9/32",), host="pbx.example", port=5061, tls=True, user="us", password="env:PATH"
)


def alone(**sip: object) -> Settings:
    """Settings without the edge."""
    return Settings().model_copy(update={"sip": Sip.model_validate({"edge": False, **sip})})


def test_a_trunk_by_tls_is_registered_at_by_tls() -> None:
    assert registrations([PBX], "")[0].registrar == "sip:pbx.example:5061;transport=tls"
    assert registrations([replace(PBX, tls=False)], "")[0].registrar == "sip:pbx.example:5061"
    assert registrations([PBX], "sip:us@192.0.2.1")[0].registrar == "sip:pbx.example:5061", "the edge sees to it"


def test_what_needs_tls_is_said() -> None:
    assert direct_tls(alone(), []) is None
    with pytest.raises(TrunksRefused, match='trunk "pbx" wants TLS: set sip.tls_port'):
        direct_tls(alone(), [PBX])
    with pytest.raises(TrunksRefused, match="needs sip.tls_port"):
        direct_tls(alone(bind="192.0.2.1", srtp="require"), [])
    assert direct_tls(alone(srtp="require"), []) is None, "nobody else can read loopback"
    with pytest.raises(TrunksRefused, match="needs sip.tls_certificate, sip.tls_key and sip.tls_ca"):
        direct_tls(alone(tls_port=5061), [PBX])
