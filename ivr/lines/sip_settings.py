"""What a SIP line is told when it is made."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SipSettings:
    """Plain values; the defaults are those of a hotline on loopback."""

    bind: str = "127.0.0.1"
    """Local IPv4 address for SIP and RTP."""
    port: int = 5060
    """SIP port, UDP and TCP alike; 0 takes a free one."""
    tcp: bool = True
    """Whether to listen on TCP too."""
    max_calls: int = 512
    """Calls at a time; the compiled limit of the library wins where it is lower."""
    codecs: tuple[str, ...] = ("PCMU", "PCMA", "G722")
    """Names of the codecs offered, best first; all others are off."""
    rtp_ports: tuple[int, int] = (16384, 32766)
    """First and last UDP port for RTP and RTCP."""
    rx_drop_pct: int = 0
    """Share of incoming RTP packets thrown away, per cent; for tests of loss."""
    tx_drop_pct: int = 0
    """Share of outgoing RTP packets not sent, per cent; for tests of loss."""
    peers: tuple[str, ...] = ()
    """Networks (CIDR) whose calls are taken; others get 403. Empty: every peer that can reach the port."""
    account: str = "triage"
    """User part of our Contact. Neutral, because every peer sees it."""
    display: str = "Triageline"
    """Display name of every From we send, the same for all calls."""
    user_agent: str = "Triageline"
    """User-Agent and Server header; without a version."""
    ack_wait_s: float = 8.0
    """Longest wait for the ACK to our 200 before the leg is given up."""
    allow_old_build: bool = False
    """Bind an address outside loopback with a library older than 2.16, whose known memory faults a stranger could
    reach."""
