"""A worker registers us at a PBX through the edge, and calls through it with the account's password."""

import time

import pytest

from ivr.edge.trunks import Trunk
from tests.edge.rig import Rig
from tests.sip.registrar import ACCOUNT, SECRET, Registrar
from tests.sip.support import Phone

pytestmark = pytest.mark.sip


def worker(rig: Rig, pbx: Registrar) -> Phone:
    """A SIP line behind the edge, with an account at the PBX whose registration it renews every few seconds."""
    contact = f"sip:hotline@127.0.0.1:{rig.edge.port}"
    trunk = {"name": "pbx", "registrar": pbx.address, "user": ACCOUNT, "password": SECRET, "contact": contact}
    return Phone(proxy=f"sip:127.0.0.1:{rig.edge.inner}", trunks=[{**trunk, "expires_s": 12}])


def test_a_worker_registers_the_edge_at_a_trunk_and_dials_through_it() -> None:
    with Registrar(expires=12) as pbx:
        trunk = Trunk(id="pbx", networks=("127.0.0.9/32",), host="127.0.0.1", port=pbx.port)
        with Rig(trunks=(trunk,)) as rig, worker(rig, pbx) as line:
            rig.know("worker-1", line.port)
            rig.until(lambda: pbx.contacts, 45, "nobody registered")
            assert pbx.contacts[0].startswith(f"<sip:hotline@127.0.0.1:{rig.edge.port}>")
            leg = line.dial(f"sip:100@127.0.0.1:{pbx.port}", shown="hotline")
            assert line.wait_for("LegGone", leg=leg)["cause"] == "busy"
            assert len(pbx.calls) == 1
            assert "Proxy-Authorization" in pbx.calls[0]
            before = len(pbx.contacts)
        assert [one for one in pbx.contacts[before:] if "expires=0" in one] == [], "a leaving worker takes nothing away"


def test_a_worker_registers_nowhere_else() -> None:
    with Registrar() as pbx, Rig(desks=(f"sip:desk@127.0.0.1:{pbx.port}",)) as rig:
        line = worker(rig, pbx)
        rig.know("worker-1", line.port)
        time.sleep(2)
        with pytest.raises(AssertionError, match="trunk pbx refuses"):
            line.close()  # a phone complains where its process logged anything
        assert pbx.requests == []
