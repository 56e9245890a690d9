"""`triageline workers` and what `up` refuses."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from config.settings import Hotline, Masking, Settings, Sip
from ivr import signs
from ivr.bootstrap import workers
from ivr.bootstrap.places import Places, places
from ivr.bootstrap.up import check_outbound, check_workers
from ivr.locks import Life
from ivr.supervise import SuperviseError
from tests.unit.ivr.test_signs import SIGN


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("TRIAGELINE_PATHS__VAR", str(tmp_path))
    return places(Settings())


def made(hotline: Hotline, sip: Sip) -> Settings:
    """Settings with these sections."""
    return Settings().model_copy(update={"hotline": hotline, "sip": sip})


def silent(line: str) -> None:
    """Nobody is told."""


def test_without_a_hotline_one_sentence_says_what_to_do(where: Places) -> None:
    assert workers.listing(where) == "no worker is running; start the hotline with scripts/run"
    with pytest.raises(SuperviseError, match="start the hotline"):
        workers.restart(where, None, silent, seconds=1)


def test_a_sign_whose_process_is_another_program_is_never_sent_a_signal(where: Places) -> None:
    """This test's own process has the sign's id, but is no worker: a signal would end it."""
    where.run.mkdir(parents=True, exist_ok=True)
    life = Life(where.lives, SIGN.name)
    signs.write(where.run, SIGN)
    assert SIGN.pid == os.getpid()
    assert workers.running(where) == ()
    with pytest.raises(SuperviseError):
        workers.restart(where, SIGN.name, silent, seconds=1)
    life.close()


def test_several_workers_need_the_edge() -> None:
    check_workers(made(Hotline(workers=1), Sip(edge=False)))
    check_workers(made(Hotline(workers=3), Sip(edge=True)))
    with pytest.raises(SuperviseError, match=r"set sip.edge = true, or hotline.workers = 1"):
        check_workers(made(Hotline(workers=2), Sip(edge=False)))


@pytest.mark.parametrize(("out", "good"), [("127.0.0.9:5070", True), ("127.0.0.9", False), ("other:5070", False)])
def test_callers_are_rung_back_through_a_trunk(where: Places, out: str, good: bool) -> None:
    where.var.mkdir(exist_ok=True)
    trunks = where.var / "trunks.toml"
    trunks.write_text('[[trunk]]\nid = "t"\nnetworks = ["127.0.0.9"]\naddress = "127.0.0.9:5070"\n', encoding="utf-8")
    settings, here = made(Hotline(), Sip(outbound=f"sip:{{number}}@{out}")), replace(where, trunks=trunks)
    masked = made(Hotline(), Sip()).model_copy(update={"masking": Masking(outbound=f"sip:{{digits}}@{out}")})
    for one, name in ((settings, "sip"), (masked, "masking")):
        if good:
            check_outbound(one, here)
            continue
        with pytest.raises(SuperviseError, match=rf"{name}\.outbound leads to no trunk"):
            check_outbound(one, here)
