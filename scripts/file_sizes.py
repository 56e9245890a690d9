"""Reports modules over 300 lines and functions over 40; each needs a line `# Size: <reason>`, else exit 1."""

import ast
import sys
from pathlib import Path

MODULE_LINES = 300
FUNCTION_LINES = 40
MARK = "# Size:"


def long_functions(tree: ast.Module) -> list[str]:
    """Names of functions that are too long, docstring included."""
    return [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]


def problems(path: Path) -> list[str]:
    """What is too long in one file."""
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    found = [f"{lines} lines"] if lines > MODULE_LINES else []
    return found + long_functions(ast.parse(text))


def main() -> int:
    """Walk the project's Python files."""
    folders = ("ivr", "console", "dialogs", "asr_models", "masking", "routing", "records", "config", "scripts", "tests")
    failed = 0
    for path in sorted(one for folder in folders for one in Path(folder).rglob("*.py")):
        if not (found := problems(path)):
            continue
        reason = next((line for line in path.read_text(encoding="utf-8").splitlines() if MARK in line), "")
        failed += not reason
        print(f"  {path}: {', '.join(found)}{' (' + reason.strip('# ') + ')' if reason else ': no reason given'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
