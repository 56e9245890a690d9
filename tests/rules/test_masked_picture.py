"""The picture of masked calls in the README is the table's own."""

from scripts.draw_masked import BLOCK, diagram
from tests.rules.committed import ROOT


def test_the_picture_is_the_table() -> None:
    found = BLOCK.search((ROOT / "ivr/README.md").read_text(encoding="utf-8"))
    assert found is not None, "ivr/README.md needs the markers of the masked machine"
    assert found[0] == found[1] + diagram() + found[2], "run `python -m scripts.draw_masked --write`"
