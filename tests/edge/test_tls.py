"""SIP over TLS: which versions and certificates are good enough, both ways, and what SRTP needs."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.edge.render import Tls
from ivr.edge.trunks import Trunk
from tests.edge.certificates import Pair, make
from tests.edge.rig import PASSWORD, Rig, free_port
from tests.edge.wire import SDP, Caller, status

pytestmark = pytest.mark.sip

SECURE = SDP.replace("RTP/AVP", "RTP/SAVP") + f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40}\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Who signs."""
    return make(tmp_path_factory.mktemp("certificates"), "authority", authority=True)


def edge_tls(authority: Pair, *, demand: bool = False) -> Tls:
    """The edge's own settings."""
    ours = make(authority.certificate.parent, "hotline.example", by=authority)
    return Tls(
        port=free_port(), certificate=ours.certificate, key=ours.key, authorities=authority.certificate, demand=demand
    )


@pytest.fixture(scope="module")
def secure(authority: Pair) -> Iterator[Rig]:
    """An edge with TLS."""
    with Rig(tls=edge_tls(authority)) as rig:
        rig.add()
        yield rig


def client(authority: Pair, mine: Pair | None = None) -> ssl.SSLContext:
    """A phone that checks whom it calls."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if mine is not None:
        context.load_cert_chain(mine.certificate, mine.key)
    return context


def test_a_phone_registers_and_calls_by_tls_and_is_called_on_its_connection(secure: Rig, authority: Pair) -> None:
    worker = secure.workers["worker-1"]
    with secure.caller("127.0.0.5", "TLS", context=client(authority)) as phone:
        assert isinstance(phone.sock, ssl.SSLSocket)
        assert phone.sock.version() == "TLSv1.3"
        assert status(phone.register("nurse-1", PASSWORD)) == 200
        phone.fresh()
        assert status(phone.ask("INVITE", body=SDP)) == 200
        assert status(phone.ask("BYE")) == 200
        worker.invite(secure.edge.inner, f"sip:nurse-1@{secure.address[0]}:{secure.address[1]}")
        assert phone.receive(4).startswith("INVITE sip:nurse-1@")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_refused(secure: Rig, authority: Pair, version: ssl.TLSVersion) -> None:
    context = client(authority)
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        secure.caller(kind="TLS", context=context)


@pytest.mark.parametrize(
    ("ciphers", "good"),
    [("ECDHE+AESGCM", True), ("ECDHE+CHACHA20", True), ("ECDHE+AES:!AESGCM:!AESCCM", False), ("kRSA", False)],
)
def test_ciphers_must_authenticate_and_keep_no_secret(
    secure: Rig, authority: Pair, ciphers: str, good: bool
) -> None:
    context = client(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    if good:
        with secure.caller(kind="TLS", context=context) as caller:
            assert status(caller.ask("OPTIONS")) == 200
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            secure.caller(kind="TLS", context=context)


def test_certificates_of_clients_where_they_are_demanded(authority: Pair) -> None:
    folder = authority.certificate.parent
    with Rig(tls=edge_tls(authority, demand=True)) as rig:
        rig.add()
        with rig.caller(kind="TLS", context=client(authority, make(folder, "trunk.example", by=authority))) as good:
            assert status(good.ask("INVITE", body=SDP)) == 200
        bad = (None, make(folder, "trunk.example"), make(folder, "trunk.example", by=authority, expired=True))
        for mine in bad:
            try:
                with rig.caller(kind="TLS", context=client(authority, mine)) as caller:
                    assert caller.ask("OPTIONS", timeout=1) == ""  # TLS 1.3 tells the client only now
            except (ssl.SSLError, ConnectionError):
                continue


class TlsTrunk:
    """A trunk that takes one connection."""

    def __init__(self, pair: Pair) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pair.certificate, pair.key)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(5)
        self.port = int(self.server.getsockname()[1])
        self.heard = b""
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            raw, _ = self.server.accept()
            with self.context.wrap_socket(raw, server_side=True) as one:
                one.settimeout(3)
                self.heard = one.recv(65535)
        except OSError:
            return
        finally:
            self.server.close()


@pytest.mark.parametrize(("kind", "good"), [("signed", True), ("self", False), ("expired", False)])
def test_certificates_of_trunks_that_we_call(authority: Pair, tmp_path: Path, kind: str, good: bool) -> None:
    signer = None if kind == "self" else authority
    pair = make(tmp_path, "127.0.0.1", by=signer, expired=kind == "expired")
    trunk = TlsTrunk(pair)
    place = Trunk(id="one", networks=("127.0.3.0/24",), host="127.0.0.1", port=trunk.port, tls=True)
    with Rig(trunks=(place,), tls=edge_tls(authority)) as rig:
        rig.add().invite(rig.edge.inner, f"sip:+12025550142@127.0.0.1:{trunk.port}")
        trunk.thread.join(timeout=8)
    assert trunk.heard.startswith(b"INVITE ") is good


def test_a_trunk_that_must_use_tls_is_a_stranger_without_it(authority: Pair) -> None:
    place = Trunk(id="one", networks=("127.0.3.0/24",), tls=True)
    with Rig(trunks=(place,), tls=edge_tls(authority)) as rig:
        rig.add()
        with rig.caller("127.0.3.9") as plain:
            assert status(plain.ask("INVITE", body=SDP)) == 403
        with rig.caller("127.0.3.9", "TLS", context=client(authority)) as good:
            assert status(good.ask("INVITE", body=SDP)) == 200


def test_where_srtp_is_required_nothing_else_is_taken(authority: Pair) -> None:
    """SDES keys count only on a hop that nobody can read: TLS, or this machine's own loopback interface. Here all but
    one address of it play the outside."""
    desk = Caller(edge=("127.0.0.1", 1), source="127.0.0.6")
    outside = "127.0.0.5"
    with desk, Rig(
        tls=edge_tls(authority), srtp_required=True, peers=("127.0.0.0/8",), limits={"UNREADABLE": "127.0.0.1/32"},
        desks=(f"sip:desk@127.0.0.6:{desk.port}",),
    ) as rig:  # fmt: skip
        worker = rig.add()
        with rig.caller() as caller:
            assert status(caller.ask("INVITE", body=SDP)) == 488
            caller.fresh()
            assert status(caller.ask("INVITE", body=SECURE)) == 200
        with rig.caller(outside, "TLS", context=client(authority)) as caller:
            assert status(caller.ask("INVITE", body=SDP)) == 488
            caller.fresh()
            assert status(caller.ask("INVITE")) == 200
            assert status(caller.ask("INVITE", body=SECURE)) == 200
            assert status(caller.ask("UPDATE", body=SDP)) == 488
            caller.fresh()
            assert status(caller.register("nurse-1", PASSWORD)) == 200
        for kind in ("UDP", "TCP"):
            with rig.caller(outside, kind) as caller:
                for offer in (SDP, SECURE, ""):
                    caller.fresh()
                    assert status(caller.ask("INVITE", body=offer)) == 488
                caller.fresh()
                assert status(caller.register("nurse-2", PASSWORD)) == 403
        assert status(worker.dial(rig.edge.inner, f"sip:desk@127.0.0.6:{desk.port}")) >= 400
        assert desk.receive(0.3) == ""
        assert "2025550142" not in rig.log()
