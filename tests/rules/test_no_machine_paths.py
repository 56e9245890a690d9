"""No committed text names a machine's own folders or a package registry, and nothing is left for later."""

import re
from pathlib import Path

import pytest

from tests.rules.committed import ROOT, committed, text_of

# Put together here, so that this file does not contain what it forbids.
FORBIDDEN = {
    "a path of one machine": re.compile(
        r"(?<![\w.~$}-])/(?:" + "|".join(["work", "root", "Users"]) + r")/[\w.]|/home/" + r"\w+/"
    ),
    "the address of a package registry": re.compile(
        r"https?://[^\s\"')]*(?:" + "|".join(["pypi", "pythonhosted", r"registry\.npm", "artifactory", "nexus"]) + ")"
        r"|--(?:extra-)?index-" + "url",
        re.IGNORECASE,
    ),
    "work left for later": re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_committed_text_contains(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in committed()
        if (text := text_of(path)) is not None
        for number, line in enumerate(text.splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == [], f"{what} in {', '.join(found)}"


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a path of one machine", "see /" + "work/notes.txt"),
        ("a path of one machine", "open('/" + "home/anna/x')"),
        ("the address of a package registry", "https://" + "pypi.org/simple"),
        ("work left for later", "# TO" + "DO: later"),
    ],
)
def test_the_rule_sees_what_it_forbids(what: str, text: str) -> None:
    assert FORBIDDEN[what].search(text)


def test_the_rule_reads_the_project() -> None:
    names = {path.relative_to(ROOT) for path in committed()}
    assert {Path("pyproject.toml"), Path("ivr/session.py")} <= names
