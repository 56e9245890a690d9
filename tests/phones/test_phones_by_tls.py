"""Two vendors' softphones as agents' phones over TLS: certificates checked by both sides, SRTP and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.edge.render import Tls
from tests.edge.certificates import Pair, make
from tests.edge.rig import PASSWORD, Rig, free_port
from tests.phones.linphone import Linphone
from tests.phones.softphones import Baresip, write_tone
from tests.phones.test_line_with_phones import both_hear
from tests.sip.support import Phone

pytestmark = pytest.mark.sip


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Who signs the hotline's certificate and the phones'."""
    return make(tmp_path_factory.mktemp("certificates"), "authority", authority=True)


@pytest.fixture(scope="module")
def house(authority: Pair) -> Iterator[tuple[Rig, Phone]]:
    """An edge that wants certificates, and a line behind it; both want SRTP."""
    ours = make(authority.certificate.parent, "localhost", by=authority, also="127.0.0.1")
    tls = Tls(
        port=free_port(), certificate=ours.certificate, key=ours.key, authorities=authority.certificate, demand=True
    )
    rig = Rig(tls=tls, srtp_required=True, peers=())
    with rig, Phone(proxy=f"sip:127.0.0.1:{rig.edge.inner}", srtp="require") as line:
        rig.know("worker-1", line.port)
        line.do("on_arrival", policy="answer")
        yield rig, line


@pytest.fixture
def papers(authority: Pair) -> Pair:
    """A phone's certificate, with the key in the same file as baresip wants it."""
    pair = make(authority.certificate.parent, "phone.example", by=authority)
    both = pair.certificate.with_suffix(".both")
    both.write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())
    return pair


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """What the phones say: 440 Hz."""
    file = tmp_path / "tone.wav"
    write_tone(file, 440, 60)
    return file


def calls_both_ways(rig: Rig, line: Phone, phone: Baresip | Linphone, agent: str, host: str) -> None:
    """The phone calls and is called."""
    assert rig.edge.tls is not None
    phone.dial(f"sip:hotline@{host}:{rig.edge.tls.port};transport=tls")
    phone.await_state("talking")
    leg = line.wait_for("LegAnswered")["leg"]
    both_hear(line, leg, phone.heard)
    phone.hang_up()
    assert line.wait_for("LegGone")["leg"] == leg
    leg = line.dial(f"sip:{agent}@{rig.address[0]}:{rig.address[1]}")
    phone.await_state("ringing")
    phone.accept()
    line.wait_for("LegAnswered", leg=leg)
    line.hears(leg, 440)
    line.do("hang_up", leg)
    line.wait_for("LegGone", leg=leg)


def test_baresip(house: tuple[Rig, Phone], authority: Pair, papers: Pair, tone: Path, tmp_path: Path) -> None:
    rig, line = house
    assert rig.edge.tls is not None
    account = (
        f"<sip:nurse-1@127.0.0.1:{rig.edge.tls.port};transport=tls>;auth_user=nurse-1;auth_pass={PASSWORD};regint=60;"
        "mediaenc=srtp-mand"
    )
    config = f"sip_cafile {authority.certificate}\nsip_certificate {papers.certificate.with_suffix('.both')}\n"
    with Baresip(tmp_path / "baresip", account, says=tone, more=config) as phone:
        phone.await_registration()
        calls_both_ways(rig, line, phone, "nurse-1", "127.0.0.1")


def test_linphone(house: tuple[Rig, Phone], authority: Pair, papers: Pair, tone: Path, tmp_path: Path) -> None:
    rig, line = house
    assert rig.edge.tls is not None
    config = (
        f"root_ca={authority.certificate}\nverify_server_certs=1\nverify_server_cn=1\nmedia_encryption_mandatory=1\n"
        f"client_cert_chain={papers.certificate}\nclient_cert_key={papers.key}\n"
    )
    with Linphone(tmp_path / "linphone", says=tone, encryption="srtp", more=config) as phone:
        phone.register("sip:nurse-2@localhost", f"sip:localhost:{rig.edge.tls.port};transport=tls", PASSWORD)
        calls_both_ways(rig, line, phone, "nurse-2", "localhost")
