"""One running hotline for all tests of this folder, two agents' phones, and a caller's voice."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from ivr.voices.flite import FliteVoice
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone
from tests.hotline.system import free_port, own_loopback
from tests.sip.support import Phone

Speak = Callable[[str], bytes]


class Desks:
    """The agents: two phones of plain sockets and one with a SIP library, all busy until a test says otherwise."""

    def __init__(self) -> None:
        self.first = Softphone()
        self.second = Softphone()
        self.third = Phone()

    @property
    def ports(self) -> dict[str, int]:
        """For the roster, in the order in which they ring."""
        return {"nurse-1": self.first.port, "nurse-2": self.second.port, "nurse-3": self.third.port}

    def rest(self) -> None:
        """Busy again, and forgetful."""
        for one in (self.first, self.second):
            one.policy = "busy"
            one.forget()
        self.third.do("on_arrival", policy="486")
        self.third.do("hang_up_all")
        self.third.forget()

    def close(self) -> None:
        """The end."""
        self.first.close()
        self.second.close()
        self.third.close()


@pytest.fixture(scope="session")
def all_desks() -> Iterator[Desks]:
    """The agents' phones."""
    desks = Desks()
    yield desks
    desks.close()


@pytest.fixture(scope="session")
def running(all_desks: Desks) -> Iterator[Hotline]:
    """The hotline; Ctrl-C must end it without a trace."""
    figures = {
        "METRICS__PORT": "9464", "METRICS__BIND": own_loopback(), "CONSOLE__ENABLED": "true", "CONSOLE__PORT": "0",
    }  # fmt: skip
    with Hotline(all_desks.ports, port=free_port(), more=figures, registering=("nurse-4",)) as hotline:
        yield hotline.await_calls()
        assert hotline.stop() == 0
        assert "stopped" in hotline.lines[-1]
        assert list((hotline.var / "run").glob("worker-*.json")) == []
        assert not (hotline.var / "run/console.json").exists()
        log = "".join(file.read_text(encoding="utf-8") for file in (hotline.var / "log").glob("worker-*.log"))
        assert [line for line in log.splitlines() if " ERROR " in line or "Traceback" in line] == [], log


@pytest.fixture
def hotline(running: Hotline, desks: Desks) -> Iterator[Hotline]:
    """The hotline, which must be without calls before and after each test."""
    running.assert_idle()
    yield running
    running.assert_idle()


@pytest.fixture
def desks(all_desks: Desks) -> Iterator[Desks]:
    """The agents' phones."""
    all_desks.rest()
    yield all_desks
    all_desks.rest()


@pytest.fixture
def caller(hotline: Hotline) -> Iterator[Softphone]:
    """A phone that calls."""
    with Softphone() as phone:
        yield phone


@pytest.fixture(scope="session")
def speak() -> Speak:
    """A caller's voice that is not one of ours."""
    voice = FliteVoice("slt")
    return lambda text: asyncio.run(voice.speak(text, keep=False))
