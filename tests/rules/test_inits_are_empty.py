"""Every package's __init__.py holds a docstring and nothing else: no door but `port.py`, no side effects."""

import ast
from pathlib import Path

import pytest

from tests.rules.committed import ROOT, committed

INITS = [path for path in committed(".py") if path.name == "__init__.py"]


def test_there_are_packages() -> None:
    assert len(INITS) >= 8


@pytest.mark.parametrize("path", INITS, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_init_is_a_docstring(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert len(body) == 1, f"{path.relative_to(ROOT)} must hold a docstring and nothing else"
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)
    assert isinstance(body[0].value.value, str)
