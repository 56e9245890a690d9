"""The picture of the call machine in the README is the table's own."""

import re

from scripts.draw_call import diagram
from tests.rules.committed import ROOT

BEGIN, END = "<!-- call machine: begin -->", "<!-- call machine: end -->"


def test_the_picture_is_the_table() -> None:
    file = ROOT / "ivr/README.md"
    assert file.is_file(), "ivr/README.md is missing"
    text = file.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1, f"ivr/README.md needs one {BEGIN} and one {END}"
    found = re.search(f"{BEGIN}\n(.*?){END}", text, re.DOTALL)
    assert found is not None, f"{END} must follow {BEGIN} in ivr/README.md"
    assert found[1] == diagram(), "the picture is old: run `python -m scripts.draw_call --write`"
