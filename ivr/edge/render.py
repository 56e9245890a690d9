"""The generated files of the edge: small, and without anything secret. The rules are in deploy/kamailio/."""

from dataclasses import dataclass
from pathlib import Path

from ivr.edge.digest import REALM
from ivr.edge.rpc import EdgeError

LIMITS = {
    "MAX_EXPIRES": 600,
    "PHONE_SECONDS": 700,
    "BAN_SECONDS": 300,
    "NONCE_SECONDS": 60,
    "PHONE_CALLS": 4,
    "PEER_CALLS": 600,
    "STRANGERS_A_SECOND": 400,
    "STRANGER_RATE": 16,
    "STRANGER_TOLD": 4,
    "HOME_RATE": 200,
    "PEER_RATE": 4000,
    "LONGEST": 3400,
    "MOST_STREAMS": 8,
    "RETRY_AFTER": 10,
    "PING_SECONDS": 20,
    "GUESSES_A_SOURCE": 10,
    "GUESSES_AN_AGENT": 20,
}
"""Numbers of the rules, by the name that they have there after "TL_". Rates count in spaces of two seconds. LONGEST is
what still fits into the SIP library's 4,000 bytes after the edge has added its headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """SIP over TLS."""

    port: int
    """Its TCP port."""
    certificate: Path
    """Our chain, PEM."""
    key: Path
    """Its key, PEM."""
    authorities: Path | None
    """Those whom we trust, PEM; None for the machine's own list."""
    demand: bool
    """Whether whoever connects must show a certificate that one of them signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What the proxy is started with."""

    bind: str
    """Address for the outside."""
    port: int
    """SIP port, UDP and TCP."""
    inner: int
    """Port on 127.0.0.1 for the workers, UDP."""
    tcp: bool = True
    """Whether TCP is listened on."""
    tls: Tls | None = None
    """TLS, if any."""
    md5: bool = True
    """Whether phones that know no SHA-256 may prove themselves by MD5."""
    srtp_required: bool = False
    """Whether calls without SRTP are refused."""
    texts: int = 0
    """UDP port on 127.0.0.1 of whoever relays texts; 0: nobody does."""
    rules: Path
    """Folder of the rules."""
    run: Path
    """Folder of the socket and the generated files."""

    @property
    def socket(self) -> Path:
        """Where orders are taken."""
        return self.run / "edge.sock"


AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
PRIVATE = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,169.254.0.0/16"
"""Addresses that mean something in their own house only (RFC 1918, RFC 6598, RFC 3927)."""
UNREADABLE = "127.0.0.0/8"
"""Where nobody else can read what is sent: this machine."""
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
"""Forward secrecy and authenticated encryption only (RFC 9325); TLS 1.3 has nothing else."""


def main_file(edge: Edge) -> str:
    """Text of edge.cfg: definitions, and the rules. Raises EdgeError for paths that would end a definition."""
    values: dict[str, object] = {
        "FOLDER": edge.rules,
        "RPC_SOCKET": edge.socket,
        "INNER_PORT": edge.inner,
        "INNER": f"127.0.0.1:{edge.inner}",
        "OUTER_TLS": f"{edge.bind}:{edge.tls.port}" if edge.tls else "",
        "OUTER": f"{edge.bind}:{edge.port}",
        "TEXTS_PORT": edge.texts,
        "TEXTS": f"127.0.0.1:{edge.texts}",
        "TLS_FILE": edge.run / "edge.tls",
        "REALM": REALM,
        "PRIVATE": PRIVATE,
        "UNREADABLE": UNREADABLE,
        **LIMITS,
    }
    switches = {"TCP": edge.tcp, "TLS": edge.tls is not None, "MD5": edge.md5, "TEXTS": bool(edge.texts)}
    for value in values.values():
        if set(str(value)) & set('!"\n\\'):
            raise EdgeError(f"the folder {value} has a character in its name that the edge cannot use")
    # Longer names first: one name may begin with another.
    lines = [f'#!substdef "!TL_{name}!{values[name]}!g"' for name in sorted(values, key=len, reverse=True)]
    lines += [f"#!define TL_WITH_{name}" for name, on in switches.items() if on]
    lines += ["#!define TL_SRTP_REQUIRED"] if edge.srtp_required else []
    return "\n".join(["#!KAMAILIO", *lines, f'include_file "{edge.rules}/triageline.cfg"', ""])


def tls_file(tls: Tls) -> str:
    """Text of edge.tls. Calls of ours check always that one of the authorities signed the other side's certificate. The
    proxy's releases up to 5.6 do not compare names, so the authorities must be the trunk's own (see checks.py)."""
    ours = f'certificate = "{tls.certificate}"\nprivate_key = "{tls.key}"\n'
    common = f'method = TLSv1.2+\ncipher_list = "{_CIPHERS}"\n'
    trusted = f'ca_list = "{tls.authorities or AUTHORITIES}"\nverify_depth = 5\n'
    demand = "yes" if tls.demand else "no"
    return (
        f"[server:default]\n{common}{ours}{trusted}verify_certificate = {demand}\nrequire_certificate = {demand}\n\n"
        f"[client:default]\n{common}{ours}{trusted}verify_certificate = yes\nrequire_certificate = yes\n"
    )


def command(edge: Edge, program: str, modules: str) -> tuple[str, ...]:
    """How the proxy is started: in the foreground, telling on its standard error."""
    return (
        program, "-DD", "-E", "-f", str(edge.run / "edge.cfg"), "-L", modules,
        "-Y", str(edge.run), "-w", str(edge.run), "-m", "96", "-M", "8",
    )  # fmt: skip
