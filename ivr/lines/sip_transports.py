"""Opens the ports that SIP is heard on. Runs on the SIP thread."""

import errno
import random
from pathlib import Path
from typing import Any

import pjsua2 as pj

from ivr.lines.sip_accounts import public_address
from ivr.lines.sip_settings import SipSettings, SipTls
from ivr.ports import LineError

_START_OF_SYSTEM_ERRORS = 120_000
_PORT_TRIES = 20


def bind(endpoint: Any, settings: SipSettings) -> int:
    """Bind UDP and TCP on one number, and TLS on its own; a free number is searched until both have it. The number.
    Raises LineError."""
    status, reason = 0, ""
    for _ in range(_PORT_TRIES if settings.port == 0 else 1):
        port = settings.port or random.SystemRandom().randrange(33_000, 60_000)
        try:
            _listen_on(endpoint, settings, port)
            break
        except pj.Error as error:
            # Only plain values are kept: a kept error would hold this frame, and with it the endpoint, in a cycle.
            status, reason = error.status, error.reason
        if status != _START_OF_SYSTEM_ERRORS + errno.EADDRINUSE:
            raise LineError(_why_unbound(settings.bind, settings.port, status, reason))
    else:
        raise LineError(_why_unbound(settings.bind, settings.port, status, reason))
    if settings.tls is not None:
        _listen_tls(endpoint, settings, settings.tls)
    return port


def _listen_on(endpoint: Any, settings: SipSettings, port: int) -> None:
    udp = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, _place(settings, port))
    if not settings.tcp:
        return
    try:
        endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, _place(settings, port))
    except pj.Error:
        endpoint.transportClose(udp)
        raise


def _place(settings: SipSettings, port: int) -> Any:
    place = pj.TransportConfig()
    place.boundAddress = settings.bind
    place.port = port
    if not settings.proxy:
        place.publicAddress = public_address(settings)
    return place


def _listen_tls(endpoint: Any, settings: SipSettings, tls: SipTls) -> None:
    for what, file in (("certificate", tls.certificate), ("key", tls.key), ("authorities", tls.authorities)):
        if not Path(file).is_file():
            raise LineError(f"SIP over TLS: the {what} file {file} is missing")
    place = _place(settings, tls.port)
    shape = place.tlsConfig
    shape.certFile, shape.privKeyFile, shape.CaListFile = tls.certificate, tls.key, tls.authorities
    shape.method = pj.PJSIP_TLSV1_2_METHOD
    shape.proto = pj.PJ_SSL_SOCK_PROTO_TLS1_2 | pj.PJ_SSL_SOCK_PROTO_TLS1_3
    shape.verifyServer = True
    shape.verifyClient = shape.requireClientCert = tls.ask
    try:
        endpoint.transportCreate(pj.PJSIP_TRANSPORT_TLS, place)
    except pj.Error as error:
        status, reason = error.status, error.reason
    else:
        return
    raise LineError(_why_unbound(settings.bind, tls.port, status, reason))


def _why_unbound(address: str, port: int, status: int, reason: str) -> str:
    match status - _START_OF_SYSTEM_ERRORS:
        case errno.EADDRINUSE if port:
            return f"SIP port {port} on {address} is in use by another program"
        case errno.EADDRNOTAVAIL:
            return f"{address} is not an address of this machine"
        case errno.EACCES:
            return f"SIP port {port} may not be bound by this user"
    return f"SIP port {port} on {address} cannot be bound: {reason}"
