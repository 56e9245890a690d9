"""What docs/webhooks.md tells receivers is so."""

import re
from pathlib import Path

import pytest

from masking.outbox import PAUSES
from masking.port import Happened, LegEnd
from masking.signing import new_secret, sign

GUIDE = Path(__file__).parents[3] / "docs" / "webhooks.md"
TEXT = GUIDE.read_text(encoding="utf-8")
SNIPPET = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
KEY, OTHER, BODY = new_secret(), new_secret(), b'{"id":"event-a"}'


@pytest.mark.parametrize(
    ("header", "genuine"),
    [
        (sign(BODY, (KEY,), 1000), True),
        (sign(BODY, (OTHER, KEY), 1000), True),
        (sign(BODY, (OTHER,), 1000), False),
        (sign(BODY + b" ", (KEY,), 1000), False),
        (sign(BODY, (KEY,), 600), False),
        ("t=x,v1=0", False),
        ("", False),
    ],
)
def test_the_receivers_example_takes_what_is_ours_and_nothing_else(header: str, genuine: bool) -> None:
    assert SNIPPET is not None
    names: dict[str, object] = {}
    exec(SNIPPET[1], names)
    assert names["is_genuine"](header, BODY, KEY, 1001.0) is genuine  # type: ignore[operator]


def test_every_kind_and_every_reason_is_explained() -> None:
    for kind in Happened:
        family, _, step = kind.partition(".")
        assert f"`{kind}`" in TEXT or (f"`{family}." in TEXT and f"`.{step}`" in TEXT), kind
    for end in LegEnd:
        assert f"`{end}`" in TEXT, end


def test_the_pauses_are_those_of_the_code() -> None:
    units = {"s": 1, "min": 60, "h": 3600}
    told = re.search(r"Pauses between tries: (.*?), each", TEXT)
    assert told is not None
    pauses = [word.split() for word in told[1].split(", ")]
    assert [float(count) * units[unit] for count, unit in pauses] == list(PAUSES)
