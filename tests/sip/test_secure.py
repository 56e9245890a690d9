"""Secret media and secret signalling: SRTP offered, taken, demanded; TLS with certificates checked both ways."""

import datetime
import ipaddress
import os
import socket
import ssl
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.sip.raw_caller import RawCaller, rtp_head
from tests.sip.support import Phone

pytestmark = pytest.mark.sip

_CIPHER = "AES_CM_128_HMAC_SHA1_80 inline"


def _sound_both_ways(caller: Phone, hotline: Phone, address: str) -> tuple[str, str]:
    here = caller.dial(address)
    there = str(hotline.wait_for("LegAnswered")["leg"])
    caller.wait_for("LegAnswered", leg=here)
    caller.do("tone", here, hz=700, ms=4000)
    hotline.do("tone", there, hz=1000, ms=4000)
    hotline.hears(there, 700)
    caller.hears(here, 1000)
    return here, there


def _media_ports(phone: Phone) -> list[int]:
    sockets = psutil.Process(phone.process.pid).net_connections("udp")
    return [one.laddr.port for one in sockets if 16384 <= one.laddr.port <= 32767]


def test_srtp_is_offered_and_taken_and_bad_packets_change_nothing(hotline: Phone) -> None:
    with Phone(srtp="require") as caller:
        here, there = _sound_both_ways(caller, hotline, hotline.address)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as vandal:
            ports = _media_ports(hotline)
            assert ports
            for number in range(200):
                for port in ports:
                    vandal.sendto(rtp_head(number, 160 * number) + os.urandom(170), ("127.0.0.1", port))
        caller.do("tone", here, hz=800, ms=2000)
        hotline.hears(there, 800)
        caller.do("hang_up", here)
        assert hotline.wait_for("LegGone")["cause"] == "normal"


def test_our_offer_has_srtp_beside_plain_rtp(hotline: Phone) -> None:
    with RawCaller(hotline.port) as desk:
        hotline.dial(f"sip:desk@127.0.0.1:{desk.sip.getsockname()[1]}", shown="hotline")
        invite = desk.wait_request("INVITE")
        assert "RTP/AVP " in invite
        assert "a=crypto:1 " in invite
        assert "AES_CM_128_HMAC_SHA1_80 inline:" in invite
        desk.refuse(invite)
        hotline.wait_for("LegGone")


def test_without_srtp_nobody_comes_in_where_it_is_demanded() -> None:
    with Phone(srtp="require") as hotline, RawCaller(hotline.port) as caller:
        caller.send("INVITE", caller.sdp())
        assert caller.status("INVITE") == 488
        caller.send("ACK")
        assert hotline.waiting("LegAnswered") == []
        with Phone(srtp="require") as other:
            _sound_both_ways(other, hotline, hotline.address)


def test_srtp_alone_is_refused_where_it_is_off() -> None:
    with Phone(srtp="off") as hotline, Phone(srtp="require") as caller:
        caller.dial(hotline.address)
        assert caller.wait_for("LegGone")["cause"] in ("failed", "unreachable")


@dataclass(frozen=True)
class Papers:
    """A certificate and its key in files."""

    certificate: str
    key: str


class Authority:
    """Signs certificates for 127.0.0.1."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        basic = x509.BasicConstraints(ca=True, path_length=0)
        certificate = self._sign(self._name, self._key, [(basic, True)], days=2)
        self.file = str(self._keep(f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM)))

    def papers(self, name: str, *, days: int = 1, host: str = "127.0.0.1") -> Papers:
        """Good for so many days; expired where negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._sign(subject, key, [(names, False)], days=days)
        plain = serialization.NoEncryption()
        pem, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return Papers(
            str(self._keep(f"{name}.pem", certificate.public_bytes(pem))),
            str(self._keep(f"{name}.key", key.private_bytes(pem, kind, plain))),
        )

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey,
        extensions: list[tuple[x509.ExtensionType, bool]], *, days: int,
    ) -> x509.Certificate:  # fmt: skip
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=3))
            .not_valid_after(now + datetime.timedelta(days=days))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self._key, hashes.SHA256())

    def _keep(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        return path


def _tls(port: int, papers: Papers, authority: Authority, *, ask: bool = True) -> dict[str, object]:
    files = {"certificate": papers.certificate, "key": papers.key, "authorities": authority.file}
    return {"port": port, "ask": ask, **files}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that everybody trusts."""
    return Authority(tmp_path_factory.mktemp("house"), "house")


def test_a_call_over_tls_and_no_keys_over_an_open_hop_where_that_is_forbidden(house: Authority) -> None:
    ports = _free_port(), _free_port()
    with (
        Phone(tls=_tls(ports[0], house.papers("hotline"), house), srtp="require", open_keys=False) as hotline,
        Phone(tls=_tls(ports[1], house.papers("caller"), house), srtp="require") as caller,
        RawCaller(hotline.port) as open_hop,
    ):
        _sound_both_ways(caller, hotline, f"sip:hotline@127.0.0.1:{ports[0]};transport=tls")
        for offer in ("", open_hop.sdp().replace("RTP/AVP", "RTP/SAVP") + f"a=crypto:1 {_CIPHER}:{'A' * 40}\r\n"):
            open_hop.send("INVITE", offer)
            assert open_hop.status("INVITE") in (406, 488, 603)
            assert "a=crypto" not in open_hop.answer
            open_hop.send("ACK")
            open_hop.remote_tag = ""
        leg = hotline.dial(f"sip:desk@127.0.0.1:{open_hop.sip.getsockname()[1]}")
        assert hotline.wait_for("LegGone", leg=leg)["cause"] in ("failed", "unreachable")


@pytest.mark.parametrize("wrong", ["expired", "another authority", "another name"])
def test_we_do_not_call_who_cannot_prove_itself(house: Authority, tmp_path: Path, wrong: str) -> None:
    ports = _free_port(), _free_port()
    signer = Authority(tmp_path, "stranger") if wrong == "another authority" else house
    host = "127.0.0.9" if wrong == "another name" else "127.0.0.1"
    papers = signer.papers("wrong", days=-1 if wrong == "expired" else 1, host=host)
    with (
        Phone(tls=_tls(ports[0], papers, house, ask=False)) as desk,
        Phone(tls=_tls(ports[1], house.papers("hotline"), house)) as hotline,
    ):
        hotline.dial(f"sip:desk@127.0.0.1:{ports[0]};transport=tls")
        assert hotline.wait_for("LegGone")["cause"] in ("failed", "unreachable")
        assert desk.waiting("LegArrived") == []


def test_old_tls_and_peers_without_our_certificates_are_not_spoken_to(house: Authority, tmp_path: Path) -> None:
    port = _free_port()
    stranger = Authority(tmp_path, "stranger").papers("stranger")
    guest = house.papers("guest")
    with Phone(tls=_tls(port, house.papers("hotline"), house)) as hotline:
        assert _greeting(port, guest, ssl.TLSVersion.TLSv1_2).startswith("SIP/2.0 200")
        assert _greeting(port, guest, ssl.TLSVersion.TLSv1_1) == ""
        assert _greeting(port, stranger, ssl.TLSVersion.TLSv1_2) == ""
        assert _greeting(port, None, ssl.TLSVersion.TLSv1_2) == ""
        assert hotline.port


def _greeting(port: int, papers: Papers | None, most: ssl.TLSVersion) -> str:
    """What OPTIONS over TLS is answered; nothing where no connection comes up or it is closed again."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is why nobody may use it
        context.maximum_version = most
    if papers is not None:
        context.load_cert_chain(papers.certificate, papers.key)
    ask = (
        "OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n"
        f"From: <sip:x@127.0.0.1>;tag=x\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: {time.monotonic()}\r\nCSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=3) as plain, context.wrap_socket(plain) as secret:
            secret.sendall(ask.encode())
            return secret.recv(4000).decode()
    except (ssl.SSLError, OSError):
        return ""
