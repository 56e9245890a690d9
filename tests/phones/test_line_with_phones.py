"""Two vendors' softphones call the SIP line and are called by it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.phones.linphone import Linphone
from tests.phones.softphones import Baresip, strongest, write_tone
from tests.sip.support import Phone, tuned_only

Heard = Callable[[], tuple[bytes, int]]


def await_tone(heard: Heard, hz: int) -> None:
    """Wait until a phone hears this tone."""
    until = time.monotonic() + 8
    while abs((found := strongest(*heard()))[0] - hz) > 20 or found[1] < 800:
        assert time.monotonic() < until, f"no {hz} Hz: {found}"
        time.sleep(0.1)


@pytest.fixture
def line() -> Iterator[Phone]:
    """Ours."""
    with Phone() as phone:
        yield phone


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """What the softphones say: 440 Hz."""
    file = tmp_path / "tone.wav"
    write_tone(file, 440, 60)
    return file


def both_hear(line: Phone, leg: str, heard: Heard) -> None:
    """Sound goes both ways."""
    line.hears(leg, 440)
    line.do("tone", leg, hz=1000, ms=5000)
    await_tone(heard, 1000)


def test_baresip_calls_presses_holds_and_hangs_up(line: Phone, tone: Path, tmp_path: Path) -> None:
    with Baresip(tmp_path / "baresip", "<sip:caller@127.0.0.1:{port}>;regint=0", says=tone) as phone:
        phone.dial(line.address)
        phone.await_state("talking")
        leg = line.wait_for("LegAnswered")["leg"]
        both_hear(line, leg, phone.heard)
        phone.press("7")
        assert line.wait_for("KeyPressed")["digit"] == "7"
        phone.hold()
        line.hears_nothing(leg)
        phone.resume()
        line.hears(leg, 440)
        phone.hang_up()
        assert line.wait_for("LegGone")["leg"] == leg


def test_baresip_is_called(line: Phone, tone: Path, tmp_path: Path) -> None:
    with Baresip(tmp_path / "baresip", "<sip:nurse@127.0.0.1:{port}>;regint=0", says=tone) as phone:
        leg = line.dial(f"sip:nurse@127.0.0.1:{phone.port}")
        phone.await_state("ringing")
        assert line.wait_for("LegRinging")["leg"] == leg
        phone.accept()
        line.wait_for("LegAnswered")
        both_hear(line, leg, phone.heard)
        line.do("hang_up", leg)
        phone.await_state("over")


@pytest.mark.parametrize(("opus", "encryption"), [(False, "none"), pytest.param(True, "srtp", marks=tuned_only)])
def test_linphone_calls_presses_and_hangs_up(
    line: Phone, tone: Path, tmp_path: Path, opus: bool, encryption: str
) -> None:
    with Linphone(tmp_path / "linphone", says=tone, opus=opus, encryption=encryption) as phone:
        phone.dial(line.address)
        phone.await_state("talking")
        leg = line.wait_for("LegAnswered")["leg"]
        both_hear(line, leg, phone.heard)
        phone.press("7")
        assert line.wait_for("KeyPressed")["digit"] == "7"
        phone.hang_up()
        assert line.wait_for("LegGone")["leg"] == leg


def test_linphone_is_called(line: Phone, tone: Path, tmp_path: Path) -> None:
    with Linphone(tmp_path / "linphone", says=tone) as phone:
        leg = line.dial(f"sip:nurse@127.0.0.1:{phone.port}")
        phone.await_state("ringing")
        phone.accept()
        line.wait_for("LegAnswered")
        both_hear(line, leg, phone.heard)
        line.do("hang_up", leg)
        phone.await_state("over")
