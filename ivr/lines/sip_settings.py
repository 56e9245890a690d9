"""What a SIP line is told when it is made."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SipTls:
    """SIP over TLS 1.2 or later; files in PEM."""

    port: int
    """TCP port for TLS."""
    certificate: str
    """Our certificate with its chain."""
    key: str
    """Its private key."""
    authorities: str
    """Who signs our peers' certificates; theirs are always verified, called or calling."""
    ask: bool = True
    """Whether a peer that connects to us must show a certificate of those authorities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SipTrunk:
    """A PBX or trunk at which we register and through which we dial."""

    name: str
    """For the log."""
    registrar: str
    """SIP address of the registrar; addresses to dial at this host use the trunk."""
    user: str
    """Account name."""
    password: str = field(repr=False)
    """Its secret; sent only as a digest, and only to this trunk."""
    realm: str = "*"
    """Realm for which the secret is good; "*": any that this trunk names."""
    expires_s: int = 300
    """How long a registration lasts before it is renewed."""
    contact: str = ""
    """SIP address that the trunk shall call, for example the edge's; empty: ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SipSettings:
    """Plain values; the defaults are those of a hotline on loopback."""

    bind: str = "127.0.0.1"
    """Local IPv4 address for SIP."""
    port: int = 5060
    """SIP port, UDP and TCP alike; 0 takes a free one."""
    tcp: bool = True
    """Whether to listen on TCP too."""
    max_calls: int = 512
    """Calls at a time; the compiled limit of the library wins where it is lower."""
    codecs: tuple[str, ...] = ("PCMU", "PCMA", "G722", "opus")
    """Names of the codecs offered, best first; all others are off. Opus is left out where the build has none."""
    rtp_ports: tuple[int, int] = (16384, 32766)
    """First and last UDP port for RTP and RTCP."""
    rx_drop_pct: int = 0
    """Share of incoming RTP packets thrown away, per cent; for tests of loss."""
    tx_drop_pct: int = 0
    """Share of outgoing RTP packets not sent, per cent; for tests of loss."""
    peers: tuple[str, ...] = ()
    """Networks (CIDR) whose calls are taken; others get 403. Empty: every peer that can reach the port."""
    trusted: tuple[str, ...] = ()
    """Networks (CIDR) whose P-Asserted-Identity counts (RFC 3325); with `proxy` it says so itself."""
    account: str = "triage"
    """User part of our Contact. Neutral, because every peer sees it."""
    display: str = "Triageline"
    """Display name of every From we send, the same for all calls."""
    user_agent: str = "Triageline"
    """User-Agent and Server header; without a version."""
    ack_wait_s: float = 4.0
    """Longest wait for the ACK to our 200 before the leg is given up."""
    ring_wait_s: float = 60.0
    """Longest that a caller's leg rings, neither answered nor refused nor cancelled, before it gets 480."""
    silence_s: float = 30.0
    """A leg whose far end sends neither RTP nor RTCP for so long, hold apart, is hung up as failed; 0: never."""
    proxy: str = ""
    """SIP address through which every request goes out, the edge's; empty: straight to the peer."""
    media_bind: str = ""
    """Local IPv4 address for RTP; empty: `bind`."""
    public_address: str = ""
    """Address that peers see in From and SDP, and without `proxy` in Contact; empty: `bind` and `media_bind`."""
    srtp: Literal["off", "offer", "require"] = "offer"
    """SDES keys (RFC 4568). Off: calls with SRTP alone are refused. Offer: accepted, and offered by a=crypto beside
    plain RTP (RTP/AVP), which peers that demand RTP/SAVP refuse. Require: RTP/SAVP both ways; calls without it get
    488."""
    open_keys: bool = True
    """Whether SRTP keys may go over a hop without TLS, as on loopback; false: such calls are refused and not placed."""
    session_seconds: int = 1800
    """Session timer (RFC 4028), at least 90; 0: none is offered."""
    tls: SipTls | None = None
    """TLS beside UDP and TCP."""
    trunks: tuple[SipTrunk, ...] = ()
    """Where we register."""
    media_nat: Literal["off", "host", "any"] = "host"
    """Where RTP may come from when nothing came from the address in the SDP: nowhere else, the host named there or
    the one that sent the INVITE, or any. Whoever sends five good packets first is it for the rest of the call. Only the
    tuned build keeps to it."""
    calls_per_source: int = 0
    """New calls a second that one address may begin, twice that in a burst; more get 503. 0: any number. Only the
    tuned build keeps to it."""
    refusals_per_source: int = 5
    """Refusals a second that one address gets; beyond that there is silence. Only the tuned build keeps to it."""
    request_wait_s: float = 10.0
    """Longest wait for any answer to a request of ours, RFC 3261's timers B, F and H. Only the tuned build keeps to it;
    the packaged one waits 32 s."""
    allow_old_build: bool = False
    """Bind an address outside loopback with a library older than 2.16, whose known memory faults a stranger could
    reach."""
