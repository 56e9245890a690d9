"""Recorded calls through the hotline of today: nobody who was urgent may have become less so."""

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from asr_models.bundled import unpack
from asr_models.catalog import read
from config.settings import Settings
from dialogs.port import Command, Heard, Question, RedFlag
from ivr.bootstrap.places import places, prepare
from ivr.bootstrap.replay import as_json, exit_code, parts_with
from ivr.replay import folder
from ivr.replay.compare import Verdict
from ivr.replay.run import replay
from ivr.replay.show import render
from ivr.replay.story import Rank, story
from ivr.worker import new_call_id
from tests.hotline.cli import SHARED, environment
from tests.rasa_stack import RasaStack

pytestmark = [pytest.mark.asr, pytest.mark.rasa]

CALLS = Path(__file__).parent / "calls"
NAMES = sorted(path.name for path in CALLS.iterdir())
TWICE = ("rash", "husband-collapsed")
DANGER = ("chest-pain", "danger-on-asking")


class NoRules:
    """A safety net that was taken away."""

    def check(self, heard: Heard, question: Question | None, language: str) -> RedFlag | None:
        """No danger."""
        return None

    def command(self, heard: Heard, language: str) -> Command | None:
        """No command."""
        return None


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """As shipped, in a folder of the tests' own."""
    unpack(read(), SHARED / "models")
    kept = dict(os.environ)
    os.environ.update(environment(tmp_path_factory.mktemp("replay")))
    yield Settings()
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture(scope="module")
def verdicts(settings: Settings, stack: RasaStack) -> dict[str, Verdict]:
    """Every call once, some twice, and some without rules."""

    async def run() -> dict[str, Verdict]:
        where, found = places(settings), dict[str, Verdict]()
        prepare(where)
        async with parts_with(settings, where, stack, lambda line: None) as parts:
            assert parts.ears is not None
            for name in NAMES:
                found[name] = await replay(folder.load(CALLS / name), parts, new_call_id())
            for name in TWICE:
                found[f"{name} again"] = await replay(folder.load(CALLS / name), parts, new_call_id())
            careless = replace(parts, ears=replace(parts.ears, net=NoRules()))
            for name in DANGER:
                found[f"{name} without rules"] = await replay(folder.load(CALLS / name), careless, new_call_id())
        return found

    return asyncio.run(run())


@pytest.mark.parametrize("name", NAMES)
def test_no_call_has_become_less_safe(verdicts: dict[str, Verdict], name: str) -> None:
    assert verdicts[name].safe, render(name, verdicts[name])
    assert verdicts[name].unsaid == (), render(name, verdicts[name])


@pytest.mark.parametrize("name", NAMES)
def test_every_call_ends_as_it_did(verdicts: dict[str, Verdict], name: str) -> None:
    assert verdicts[name].after.outcome == verdicts[name].before.outcome != ""
    assert verdicts[name].after.troubles == ()


@pytest.mark.parametrize("name", TWICE)
def test_twice_the_same_gives_the_same_bytes(verdicts: dict[str, Verdict], name: str) -> None:
    assert as_json([(name, verdicts[name])]) == as_json([(name, verdicts[f"{name} again"])])


@pytest.mark.parametrize("name", DANGER)
def test_a_danger_that_is_not_seen_any_more_is_an_alarm(verdicts: dict[str, Verdict], name: str) -> None:
    verdict = verdicts[f"{name} without rules"]
    assert any("red flag" in alarm for alarm in verdict.alarms)
    assert exit_code([(name, verdict)]) == 1


def test_the_calls_are_worth_replaying() -> None:
    ranks = [story(folder.load(CALLS / name).marks).rank for name in NAMES]
    assert len(NAMES) >= 10
    assert min(ranks.count(rank) for rank in Rank) >= 1
    assert ranks.count(Rank.EMERGENCY) >= 4


def test_they_stay_small_and_name_nobody() -> None:
    files = [file for name in NAMES for file in (CALLS / name).iterdir()]
    assert sum(file.stat().st_size for file in files) < 2_000_000
    for file in files:
        if file.name == folder.STORY:
            text = file.read_text(encoding="utf-8")
            assert json.loads(text)["version"] == 1
            assert "sip:" not in text
            assert "party" not in text
