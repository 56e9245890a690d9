"""Two vendors' softphones from Debian's packages, set up as the README says: one registers as an agent's phone, the
other calls in, and both change places. SRTP and digest are theirs, not ours."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hotline.conftest import Desks
from tests.hotline.running import Hotline
from tests.phones.linphone import Linphone
from tests.phones.softphones import Baresip, strongest, write_tone

Heard = Callable[[], tuple[bytes, int]]
AGENT = "nurse-4"
KNOWN_SECONDS = 3.0
"""A running hotline asks for changed passwords every two seconds."""


def await_tone(heard: Heard, hz: int) -> None:
    """Wait until a phone hears this tone."""
    until = time.monotonic() + 10
    while abs((found := strongest(*heard()))[0] - hz) > 20 or found[1] < 500:
        assert time.monotonic() < until, f"no {hz} Hz: {found}"
        time.sleep(0.1)


def await_voice(heard: Heard) -> None:
    """Wait until a phone hears anything loud."""
    until = time.monotonic() + 10
    while strongest(*heard())[1] < 300:
        assert time.monotonic() < until, "nothing is heard"
        time.sleep(0.1)


def say_tone(folder: Path, hz: int) -> Path:
    """What a phone says."""
    file = folder / f"{hz}.wav"
    write_tone(file, hz, 90)
    return file


@pytest.fixture
def password(hotline: Hotline, desks: Desks) -> Iterator[str]:
    """The registering agent alone is there; its password."""
    for other in ("nurse-1", "nurse-2", "nurse-3"):
        hotline.command_line("agents", "set", other, "away")
    hotline.command_line("agents", "set", AGENT, "available")
    made = hotline.command_line("agents", "password", AGENT).split()[0]
    time.sleep(KNOWN_SECONDS)
    yield made
    hotline.command_line("agents", "password", AGENT, "--remove")
    for other in ("nurse-1", "nurse-2", "nurse-3"):
        hotline.command_line("agents", "set", other, "available")
    hotline.command_line("agents", "set", AGENT, "away")


def put_through(hotline: Hotline, caller: Baresip | Linphone, agent: Baresip | Linphone) -> None:
    """The caller presses 0, the agent hears the summary and takes the call, and both hear each other."""
    caller.dial(f"sip:hotline@127.0.0.1:{hotline.port}")
    caller.await_state("talking")
    await_voice(caller.heard)
    caller.press("0")
    agent.await_state("ringing")
    agent.accept()
    agent.await_state("talking")
    await_voice(agent.heard)
    agent.press("1")
    hotline.await_entry("Bridged", 15)
    await_tone(caller.heard, 1000)
    await_tone(agent.heard, 440)
    caller.hang_up()
    agent.await_state("over")


def test_baresip_is_an_agent_and_linphone_calls(hotline: Hotline, password: str, tmp_path: Path) -> None:
    account = f"<sip:{AGENT}@127.0.0.1:{hotline.port}>;auth_user={AGENT};auth_pass={password};regint=60"
    with (
        Baresip(tmp_path / "agent", account, says=say_tone(tmp_path, 1000)) as agent,
        Linphone(tmp_path / "caller", says=say_tone(tmp_path, 440), encryption="srtp") as caller,
    ):
        agent.await_registration()
        put_through(hotline, caller, agent)
    hotline.await_outcome("bridged")


def test_linphone_is_an_agent_and_baresip_calls(hotline: Hotline, password: str, tmp_path: Path) -> None:
    with (
        Linphone(tmp_path / "agent", says=say_tone(tmp_path, 1000)) as agent,
        Baresip(
            tmp_path / "caller",
            "<sip:caller@127.0.0.1:{port}>;regint=0;mediaenc=srtp",
            says=say_tone(tmp_path, 440),
        ) as caller,
    ):
        agent.register(f"sip:{AGENT}@127.0.0.1", f"sip:127.0.0.1:{hotline.port}", password)
        put_through(hotline, caller, agent)
    hotline.await_outcome("bridged")
