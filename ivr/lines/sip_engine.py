"""Opens the one PJSIP library of this process, set up for a hotline. Everything here runs on the SIP thread."""

import ipaddress
import threading
from dataclasses import dataclass
from typing import Any

import pjsua2 as pj

from ivr.lines.sip_accounts import host_of, own_account, shown_host, trunk_account
from ivr.lines.sip_call import Post, SipAccount, TrunkAccount
from ivr.lines.sip_guard import library, set_guard
from ivr.lines.sip_media import RATE
from ivr.lines.sip_pace import Pace
from ivr.lines.sip_settings import SipSettings
from ivr.lines.sip_sockets import calls_with_sockets
from ivr.lines.sip_transports import bind
from ivr.ports import LineError

_FRAME_MS = 20
_FIRST_SAFE_BUILD = (2, 16)
_MAY_BE_MISSING = frozenset({"OPUS"})

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
    guarded: bool
    """Whether the native guard stands before the library."""


@dataclass(slots=True, kw_only=True)
class Engine:
    """The open library. It stays on the SIP thread: whichever thread lets go of a library object last destroys it."""

    endpoint: Any
    """Owner of everything; to be destroyed last."""
    account: SipAccount
    """Our identity for everybody but trunks."""
    shown_host: str
    """Host part of its From."""
    trunks: dict[str, TrunkAccount]
    """Our identities at trunks, by their host."""
    facts: Facts
    """For everybody."""

    def caller(self, address: str) -> tuple[SipAccount, str]:
        """Who calls an address, and the host part of its From: a trunk's addresses are called with its secret at hand,
        all others without."""
        host = host_of(address)
        trunk = self.trunks.get(host)
        return (trunk, host) if trunk is not None else (self.account, self.shown_host)

    def close(self) -> None:
        """Destroy the library. Every call and every port must be gone before."""
        for account in (*self.trunks.values(), self.account):
            account.shutdown()
        self.trunks.clear()
        del account, self.account
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
    guarded = set_guard(settings)
    port = bind(endpoint, settings)
    endpoint.audDevManager().setNullDev()
    endpoint.libStart()
    _choose_codecs(endpoint, settings.codecs)
    facts = Facts(port=port, capacity=_capacity(most), version=version.full, guarded=guarded)
    pace = Pace(facts.capacity)
    account = SipAccount(post, pace)
    account.create(own_account(endpoint, settings, port), True)
    trunks = {}
    for trunk in settings.trunks:
        trunks[host_of(trunk.registrar)] = identity = TrunkAccount(post, pace, trunk.name)
        identity.create(trunk_account(endpoint, settings, trunk), False)
    host = shown_host(settings, port)
    return Engine(endpoint=endpoint, account=account, shown_host=host, trunks=trunks, facts=facts)


def _quiet() -> None:
    set_level = getattr(library(), "pj_log_set_level", None)
    if set_level is not None:
        set_level(0)


def _capacity(wanted: int) -> int:
    """The library cuts the wish down to its compiled limit without a word; only this function of its C side tells."""
    count = getattr(library(), "pjsua_call_get_max_count", None)
    return int(count()) if count is not None else min(wanted, 4)


def _check_build(settings: SipSettings, version: tuple[int, int], full: str) -> None:
    local = all(
        ipaddress.ip_address(place).is_loopback for place in (settings.bind, settings.media_bind or settings.bind)
    )
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
    agent.natTypeInSdp = 0
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


def _choose_codecs(endpoint: Any, wanted: tuple[str, ...]) -> None:
    rank = {name.upper(): 255 - place for place, name in enumerate(wanted)}
    found = {codec.codecId: codec.codecId.split("/", 1)[0].upper() for codec in endpoint.codecEnum2()}
    missing = rank.keys() - set(found.values()) - _MAY_BE_MISSING
    if missing or not rank:
        raise LineError(f"this SIP library has no codec {', '.join(sorted(missing)) or 'at all to offer'}")
    for codec_id, name in found.items():
        endpoint.codecSetPriority(codec_id, rank.get(name, 0))
