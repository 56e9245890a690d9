"""Parts of the dialogue die in mid-call: the hotline hears DialogueUnavailable, soon and never an invented turn."""

import asyncio
from collections.abc import Iterator

import pytest

from dialogs.port import DialogueUnavailable, Heard
from dialogs.rasa_http import RasaDialogue
from tests.rasa_stack import RasaStack

pytestmark = pytest.mark.rasa


@pytest.fixture(scope="module")
def doomed() -> Iterator[RasaStack]:
    """A stack of its own, to be taken apart from the back to the front."""
    with RasaStack() as running:
        yield running


def test_each_part_that_dies_makes_the_dialogue_unavailable(doomed: RasaStack) -> None:
    async def go() -> None:
        dialogue = RasaDialogue(doomed.url, doomed.token, seconds=5)
        for part in ("actions", "redis", "rasa"):
            if part == "actions":
                await dialogue.start("call", "en")
            doomed.kill(part)
            with pytest.raises(DialogueUnavailable):
                await dialogue.hear("call", Heard(text="kanariword rash"))
            with pytest.raises(DialogueUnavailable):
                await dialogue.start("next", "en")
        await dialogue.end("call")
        await dialogue.close()

    asyncio.run(asyncio.wait_for(go(), 60))
    logs = b"".join(file.read_bytes() for file in doomed.logs.glob("*.log"))
    assert b"kanariword" not in logs
