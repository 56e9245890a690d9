"""What the proxy is told: from nothing, and from one world to the next."""

from dataclasses import replace

import pytest

from ivr.edge.digest import phone_key
from ivr.edge.plan import World, orders, tables, way
from ivr.edge.trunks import Trunk

KEY = phone_key("nurse-1", "a-very-long-password")
PBX = Trunk(
    id="pbx", networks=("192.0.2.0/28", "198.51.100.7/32"), host="pbx.example", port=5061, tls=True, calls=7
)
WORLD = World(
    inner=25061,
    secret="made up",
    peers=("127.0.0.1/32",),
    trunks=(PBX,),
    workers={30001: True},
    desks={"sip:nurse2@192.0.2.7": ("192.0.2.7",)},
    keys={"nurse-1": KEY},
)


@pytest.mark.parametrize(
    ("address", "key", "target"),
    [
        ("sip:nurse1@192.0.2.7", "192.0.2.7:5060", "sip:192.0.2.7:5060;transport=udp"),
        ("sip:nurse1@Phone.example:5071", "phone.example:5071", "sip:phone.example:5071;transport=udp"),
        ("sips:nurse1@phone.example", "phone.example:5061", "sip:phone.example:5061;transport=tls"),
        ("SIP:192.0.2.7:7;transport=tcp", "192.0.2.7:7", "sip:192.0.2.7:7;transport=udp"),
    ],
)
def test_where_an_address_is_looked_up_and_sent(address: str, key: str, target: str) -> None:
    assert way(address) == (key, target)


def test_what_is_no_address() -> None:
    with pytest.raises(ValueError, match="not a SIP address"):
        way("mailto:nurse@example.org")


def test_all_tables() -> None:
    found = tables(WORLD)
    assert found["workers"] == {"127.0.0.1:30001": 1}
    assert found["desks"] == {"192.0.2.7": 1}
    assert found["ways"] == {
        "192.0.2.7:5060": "sip:192.0.2.7:5060;transport=udp",
        "pbx.example:5061": "sip:pbx.example:5061;transport=tls",
    }
    assert found["users"] == {"sha256:nurse-1": KEY.sha256, "md5:nurse-1": KEY.md5}
    assert found["trunks"] == {
        "0:net": "192.0.2.0/28,198.51.100.7/32", "0:id": "pbx", "0:calls": 7, "0:tls": 1, "0:trust": 0,
        "0:texts": 0, "way:pbx.example:5061": 1, "count": 1,
    }  # fmt: skip
    assert found["edge"] == {"secret": "made up", "peers": "127.0.0.1/32"}


def test_without_md5_nobody_has_a_value_for_it() -> None:
    assert set(tables(replace(WORLD, md5=False))["users"]) == {"sha256:nurse-1"}


def test_a_fresh_proxy_is_told_of_workers_before_anybody_is_let_in() -> None:
    methods = [(method, parameters[0]) for method, parameters in orders(None, WORLD)]
    assert methods[0] == ("dispatcher.add", 1)
    assert methods.index(("htable.sets", "users")) > 0
    assert methods[-1] == ("htable.sets", "edge")


def test_nothing_changed() -> None:
    assert orders(WORLD, replace(WORLD)) == ()


def test_workers_come_drain_and_go() -> None:
    two = replace(WORLD, workers={30001: False, 30002: True})
    assert orders(WORLD, two) == (
        ("dispatcher.set_state", ("dx", 1, "sip:127.0.0.1:30001")),
        ("dispatcher.add", (1, "sip:127.0.0.1:30002", 0, 0, "socket=udp:127.0.0.1:25061")),
        ("htable.seti", ("workers", "127.0.0.1:30002", 1)),
    )
    assert orders(two, replace(WORLD, workers={30002: True})) == (
        ("dispatcher.set_state", ("dx", 1, "sip:127.0.0.1:30001")),
        ("dispatcher.remove", (1, "sip:127.0.0.1:30001")),
        ("htable.delete", ("workers", "127.0.0.1:30001")),
    )


def test_a_password_is_changed_and_taken_away() -> None:
    other = phone_key("nurse-1", "another-long-password")
    assert orders(WORLD, replace(WORLD, keys={"nurse-1": other})) == (
        ("htable.sets", ("users", "sha256:nurse-1", other.sha256)),
        ("htable.sets", ("users", "md5:nurse-1", other.md5)),
    )
    gone = {parameters for method, parameters in orders(WORLD, replace(WORLD, keys={})) if method == "htable.delete"}
    assert gone == {("users", "sha256:nurse-1"), ("users", "md5:nurse-1")}


def test_secrets_are_not_shown() -> None:
    assert KEY.sha256 not in repr(WORLD) + repr(KEY)
    assert WORLD.secret not in repr(WORLD)
