"""The next engine takes over, and hears the utterance from its beginning."""

import asyncio

import pytest

from asr_models.fallback import FallbackRecogniser
from asr_models.port import AsrUnavailable
from asr_models.scripted import Line, ScriptedRecogniser

SECOND = bytes(16000)


def _engines(first: Line, second: Line) -> tuple[FallbackRecogniser, ScriptedRecogniser, list[str]]:
    failures: list[str] = []
    spare = ScriptedRecogniser([second], name="spare")
    both = FallbackRecogniser((ScriptedRecogniser([first], name="first"), spare), on_failure=failures.append)
    return both, spare, failures


async def _utterance(recogniser: FallbackRecogniser) -> str:
    stream = recogniser.stream(("yes",))
    await stream.feed(SECOND)
    await stream.feed(SECOND)
    return (await stream.finish()).text


@pytest.mark.parametrize("step", ["stream", "feed", "finish"])
def test_the_next_engine_hears_everything(step: str) -> None:
    both, spare, failures = _engines(Line(text="lost", fails=step), Line(text="i need help"))  # type: ignore[arg-type]
    assert asyncio.run(_utterance(both)) == "i need help"
    assert (failures, both.name) == (["first"], "spare")
    assert (spare.heard_bytes, spare.asked) == (2 * len(SECOND), [("yes",)])


def test_the_first_engine_is_kept_while_it_works() -> None:
    both, spare, failures = _engines(Line(text="yes"), Line(text="no"))
    assert asyncio.run(_utterance(both)) == "yes"
    assert (failures, spare.asked, both.name) == ([], [], "first")


@pytest.mark.parametrize("step", ["stream", "feed", "finish"])
def test_all_engines_gone_is_said(step: str) -> None:
    both, _, failures = _engines(Line(fails=step), Line(fails=step))  # type: ignore[arg-type]
    with pytest.raises(AsrUnavailable):
        asyncio.run(_utterance(both))
    assert failures == ["first", "spare"]


def test_no_engine_at_all() -> None:
    with pytest.raises(AsrUnavailable):
        FallbackRecogniser((), on_failure=print).stream()


def test_a_closed_stream_is_not_handed_to_the_next_engine() -> None:
    async def story() -> None:
        stream = both.stream()
        stream.close()
        stream.close()
        with pytest.raises(AsrUnavailable):
            await stream.feed(SECOND)

    both, spare, failures = _engines(Line(text="yes"), Line(text="no"))
    asyncio.run(story())
    assert (failures, spare.asked) == ([], [])
