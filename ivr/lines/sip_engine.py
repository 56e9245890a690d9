"""Opens the one PJSIP library of this process, set up for a hotline. Everything here runs on the SIP thread."""

import ctypes
import errno
import ipaddress
import random
import threading
from dataclasses import dataclass
from typing import Any

import pjsua2 as pj

from ivr.lines.sip_call import Post, SipAccount
from ivr.lines.sip_media import RATE
from ivr.lines.sip_pace import Pace
from ivr.lines.sip_settings import SipSettings
from ivr.lines.sip_sockets import calls_with_sockets
from ivr.ports import LineError

_START_OF_SYSTEM_ERRORS = 120_000
_FRAME_MS = 20
_FIRST_SAFE_BUILD = (2, 16)
_PORT_TRIES = 20


_LIBRARY_TAKEN = threading.Lock()
"""The library is one per process, and trying to make it twice ends the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the open library says of itself."""

    port: int
    """Bound SIP port."""
    capacity: int
    """Calls at a time that this build and the settings allow."""
    version: str
    """Version of the library, for example 2.15.1."""


@dataclass(slots=True, kw_only=True)
class Engine:
    """The open library. It stays on the SIP thread: whichever thread lets go of a library object last destroys it."""

    endpoint: Any
    """Owner of everything; to be destroyed last."""
    account: SipAccount
    """Our identity."""
    facts: Facts
    """For everybody."""

    def close(self) -> None:
        """Destroy the library. Every call and every port must be gone before."""
        self.account.shutdown()
        del self.account
        self.endpoint.libDestroy()
        del self.endpoint
        _LIBRARY_TAKEN.release()


def open_engine(settings: SipSettings, post: Post) -> Engine:
    """Create, configure and start the library. Raises LineError with one sentence for the operator."""
    if not _LIBRARY_TAKEN.acquire(blocking=False):
        raise LineError("this process has a SIP line already; the SIP library allows one")
    # The library logs whole messages, numbers and all, to standard output until it is told otherwise.
    _quiet()
    endpoint = pj.Endpoint()
    try:
        return _opened(endpoint, settings, post)
    except pj.Error as error:
        why = f"the SIP library did not start: {error.reason}"
    except LineError as error:
        why = str(error)
    # The first error is not chained: its traceback would keep the endpoint alive for another thread to destroy.
    endpoint.libDestroy()
    del endpoint
    _LIBRARY_TAKEN.release()
    raise LineError(why)


def _opened(endpoint: Any, settings: SipSettings, post: Post) -> Engine:
    endpoint.libCreate()
    version = endpoint.libVersion()
    _check_build(settings, (version.major, version.minor), version.full)
    most = calls_with_sockets(settings.max_calls)
    endpoint.libInit(_endpoint_config(settings, most))
    port = _bind(endpoint, settings)
    endpoint.audDevManager().setNullDev()
    endpoint.libStart()
    _choose_codecs(endpoint, settings.codecs)
    facts = Facts(port=port, capacity=_capacity(most), version=version.full)
    account = SipAccount(post, Pace(facts.capacity))
    account.create(_account_config(settings, port), True)
    return Engine(endpoint=endpoint, account=account, facts=facts)


def _library() -> ctypes.CDLL:
    from pjsua2 import _pjsua2

    return ctypes.CDLL(_pjsua2.__file__)


def _quiet() -> None:
    set_level = getattr(_library(), "pj_log_set_level", None)
    if set_level is not None:
        set_level(0)


def _capacity(wanted: int) -> int:
    """The library cuts the wish down to its compiled limit without a word; only this function of its C side tells."""
    count = getattr(_library(), "pjsua_call_get_max_count", None)
    return int(count()) if count is not None else min(wanted, 4)


def _check_build(settings: SipSettings, version: tuple[int, int], full: str) -> None:
    local = ipaddress.ip_address(settings.bind).is_loopback
    if local or version >= _FIRST_SAFE_BUILD or settings.allow_old_build:
        return
    raise LineError(
        f"SIP library {full} is for loopback only, because later releases mend memory faults that strangers could "
        "reach: build 2.16 or newer with scripts/build_pjsip, or bind 127.0.0.1"
    )


def _endpoint_config(settings: SipSettings, max_calls: int) -> Any:
    config = pj.EpConfig()
    agent, media, log = config.uaConfig, config.medConfig, config.logConfig
    agent.maxCalls = max_calls
    agent.threadCnt = 0
    agent.mainThreadOnly = True
    agent.userAgent = settings.user_agent
    agent.mwiUnsolicitedEnabled = False
    agent.stunIgnoreFailure = True
    log.level = log.consoleLevel = log.msgLogging = 0
    media.clockRate = media.sndClockRate = RATE
    media.audioFramePtime = media.ptime = _FRAME_MS
    media.channelCount = 1
    media.quality = 3
    media.noVad = True
    media.ecTailLen = 0
    media.sndAutoCloseTime = -1
    media.rxDropPct, media.txDropPct = settings.rx_drop_pct, settings.tx_drop_pct
    return config


def _bind(endpoint: Any, settings: SipSettings) -> int:
    """Bind UDP and TCP on one number; a free one is searched until both have it."""
    status, reason = 0, ""
    for _ in range(_PORT_TRIES if settings.port == 0 else 1):
        port = settings.port or random.SystemRandom().randrange(20_000, 60_000)
        try:
            _listen_on(endpoint, settings, port)
            return port
        except pj.Error as error:
            # Only plain values are kept: a kept error would hold this frame, and with it the endpoint, in a cycle.
            status, reason = error.status, error.reason
        if status != _START_OF_SYSTEM_ERRORS + errno.EADDRINUSE:
            break
    raise LineError(_why_unbound(settings, status, reason))


def _listen_on(endpoint: Any, settings: SipSettings, port: int) -> None:
    udp = _listen(endpoint, pj.PJSIP_TRANSPORT_UDP, settings.bind, port)
    if not settings.tcp:
        return
    try:
        _listen(endpoint, pj.PJSIP_TRANSPORT_TCP, settings.bind, port)
    except pj.Error:
        endpoint.transportClose(udp)
        raise


def _listen(endpoint: Any, kind: int, address: str, port: int) -> int:
    transport = pj.TransportConfig()
    transport.boundAddress = address
    transport.port = port
    return int(endpoint.transportCreate(kind, transport))


def _why_unbound(settings: SipSettings, status: int, reason: str) -> str:
    match status - _START_OF_SYSTEM_ERRORS:
        case errno.EADDRINUSE if settings.port:
            return f"SIP port {settings.port} on {settings.bind} is in use by another program"
        case errno.EADDRNOTAVAIL:
            return f"{settings.bind} is not an address of this machine"
        case errno.EACCES:
            return f"SIP port {settings.port} may not be bound by this user"
    return f"SIP port {settings.port} on {settings.bind} cannot be bound: {reason}"


def _choose_codecs(endpoint: Any, wanted: tuple[str, ...]) -> None:
    rank = {name.upper(): 255 - place for place, name in enumerate(wanted)}
    found = {codec.codecId: codec.codecId.split("/", 1)[0].upper() for codec in endpoint.codecEnum2()}
    missing = rank.keys() - set(found.values())
    if missing or not rank:
        raise LineError(f"this SIP library has no codec {', '.join(sorted(missing)) or 'at all to offer'}")
    for codec_id, name in found.items():
        endpoint.codecSetPriority(codec_id, rank.get(name, 0))


def _account_config(settings: SipSettings, port: int) -> Any:
    config = pj.AccountConfig()
    config.idUri = f'"{settings.display}" <sip:{settings.account}@{settings.bind}:{port}>'
    rtp = config.mediaConfig.transportConfig
    rtp.boundAddress = settings.bind
    rtp.port, rtp.portRange = settings.rtp_ports[0], settings.rtp_ports[1] - settings.rtp_ports[0]
    rtp.randomizePort = True
    return config
