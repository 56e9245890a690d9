"""The roster file and its errors."""

from pathlib import Path

import pytest

from routing.agents import AgentsRefused, load_agents, reachable, read_roster
from routing.port import Agent, Presence

SHIPPED = Path(__file__).parents[3] / "config" / "agents.toml"
GOOD = '[[agent]]\nid = "nurse-1"\naddress = "sip:n@192.0.2.7"\n'


def test_the_shipped_file_is_the_demo() -> None:
    roster = load_agents(SHIPPED)
    assert [(one.id, one.address, one.on_call) for one in roster.agents] == [
        ("nurse-1", "sip:nurse1@127.0.0.1:5071", False),
        ("nurse-2", "sip:nurse2@127.0.0.1:5072", False),
        ("on-call", "sip:oncall@127.0.0.1:5073", True),
    ]
    assert set(roster.presence.values()) == {Presence.AVAILABLE}


def test_fields_are_read_and_have_defaults(tmp_path: Path) -> None:
    path = tmp_path / "agents.toml"
    path.write_text(
        GOOD + '[[agent]]\nid = "b"\naddress = "sips:7@[2001:db8::1]:5061"\nlanguages = ["de", "en"]\n'
        'skills = ["skin"]\non_call = true\npresence = "away"\n'
    )
    roster = load_agents(path)
    assert roster.agents == (
        Agent(id="nurse-1", address="sip:n@192.0.2.7"),
        Agent(id="b", address="sips:7@[2001:db8::1]:5061", languages=("de", "en"), skills=("skin",), on_call=True),
    )
    assert roster.presence == {"nurse-1": Presence.AVAILABLE, "b": Presence.AWAY}


def test_nobody_is_a_roster_too(tmp_path: Path) -> None:
    path = tmp_path / "agents.toml"
    path.write_text("")
    assert load_agents(path).agents == ()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[[agent", "is not a TOML file"),
        ("\udcff", "is not a TOML file"),
        ("agents = 1", "agents: is not a known table"),
        ('[agent]\nid = "a"', "agent: must be written"),
        ("agent = [1]", "agent: must be written"),
        ('[[agent]]\naddress = "sip:a@b"', "agent 1: id: is missing"),
        ('[[agent]]\nid = "Nurse One"\naddress = "sip:a@b"', "agent 1: id: must be"),
        ('[[agent]]\nid = "a"\naddress = "2025550123"', 'agent 1 "a": address: must be'),
        ('[[agent]]\nid = "a"\naddress = "sip:2025550123@b\\r\\nX: y"', 'agent 1 "a": address: must be'),
        ('[[agent]]\nid = "a"\naddress = 5', 'agent 1 "a": address: must be'),
        (GOOD + 'languages = "en"', 'agent 1 "nurse-1": languages: must be'),
        (GOOD + 'languages = ["english"]', "languages: must be"),
        (GOOD + "skills = [1]", "skills: must be"),
        (GOOD + 'on_call = "yes"', "on_call: must be true or false"),
        (GOOD + 'presence = "here"', "presence: must be"),
        (GOOD + "presence = []", "presence: must be"),
        (GOOD + "phone = 1", "phone: is not a known field"),
        (GOOD + GOOD, 'agent 2 "nurse-1": id: is used'),
        (GOOD + GOOD.replace("nurse-1", "b"), 'agent 2 "b": address: is used'),
    ],
)
def test_errors_name_file_agent_and_field_but_no_address(tmp_path: Path, text: str, where: str) -> None:
    path = tmp_path / "agents.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(AgentsRefused) as refused:
        load_agents(path)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert where in message
    assert "2025550123" not in message
    assert "\n" not in message


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(AgentsRefused, match="cannot be read"):
        load_agents(tmp_path / "none.toml")


def test_an_agent_without_an_address_registers() -> None:
    roster = read_roster({"agent": [{"id": "a"}, {"id": "b"}, {"id": "c", "address": "sip:c@192.0.2.7"}]}, "x")
    assert [one.address for one in roster.agents] == ["", "", "sip:c@192.0.2.7"]
    found = reachable(roster, "192.0.2.1:5060")
    assert [one.address for one in found.agents] == ["sip:a@192.0.2.1:5060", "sip:b@192.0.2.1:5060", "sip:c@192.0.2.7"]
    with pytest.raises(AgentsRefused, match='agent "a" has no address'):
        reachable(roster, None)
