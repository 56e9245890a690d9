"""Accounts at trunks that want us to register, with passwords from where the operator keeps them."""

import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path

from config.settings import Settings, resolve
from ivr.edge.trunks import Trunk, TrunksRefused
from ivr.lines.sip_settings import SipTls, SipTrunk

_OTHERS = 0o077


def registrations(trunks: Iterable[Trunk], contact: str) -> tuple[SipTrunk, ...]:
    """Accounts of those trunks that have one; `contact` is where the trunk shall call, empty for the line's own
    address. Raises TrunksRefused."""
    return tuple(
        SipTrunk(
            name=trunk.id,
            # The edge knows by itself who is spoken to by TLS; without it the address must say so.
            registrar=f"sip:{trunk.host}:{trunk.port}" + (";transport=tls" if trunk.tls and not contact else ""),
            user=trunk.user,
            password=password(trunk),
            contact=contact,
        )
        for trunk in trunks
        if trunk.user
    )


def password(trunk: Trunk) -> str:
    """A trunk's password. Raises TrunksRefused."""
    kind, _, name = trunk.password.partition(":")
    if kind == "env":
        found = os.environ.get(name, "")
        if not found:
            raise TrunksRefused(f'trunk "{trunk.id}": password: the environment variable {name} is empty')
        return found
    try:
        mode = Path(name).stat().st_mode
        found = Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise TrunksRefused(f'trunk "{trunk.id}": password: the file {name} cannot be read') from None
    if mode & _OTHERS:
        raise TrunksRefused(f'trunk "{trunk.id}": password: {name} can be read by others: run chmod 600 on it')
    if not found:
        raise TrunksRefused(f'trunk "{trunk.id}": password: the file {name} is empty')
    return found


def loopback(address: str) -> bool:
    """Whether nobody else can read what goes there."""
    return ipaddress.ip_address(address).is_loopback


def direct_tls(settings: Settings, trunks: Iterable[Trunk]) -> SipTls | None:
    """TLS of a worker that stands alone; None where the settings want none. Raises TrunksRefused."""
    sip = settings.sip
    if not sip.tls_port:
        for one in trunks:
            if one.tls:
                raise TrunksRefused(f'trunk "{one.id}" wants TLS: set sip.tls_port, and sip.tls_ca to who signed it')
        if sip.srtp == "require" and not loopback(sip.bind):
            raise TrunksRefused('sip.srtp = "require" needs sip.tls_port: without TLS anybody could read its keys')
        return None
    if not (sip.tls_certificate and sip.tls_key and sip.tls_ca):
        raise TrunksRefused("without the edge sip.tls_port needs sip.tls_certificate, sip.tls_key and sip.tls_ca")
    return SipTls(
        port=sip.tls_port,
        certificate=str(resolve(Path(sip.tls_certificate))),
        key=str(resolve(Path(sip.tls_key))),
        authorities=str(resolve(Path(sip.tls_ca))),
        ask=sip.tls_require_client_certificate,
    )
