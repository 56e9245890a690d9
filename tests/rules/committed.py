"""The files that belong to the project: those that git knows or would take."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def committed(*endings: str) -> list[Path]:
    """Files with one of these endings, or all."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    paths = sorted({ROOT / name for name in listed.split("\0") if name})
    return [path for path in paths if path.is_file() and (not endings or path.suffix in endings)]


def text_of(path: Path) -> str | None:
    """The file's text; None for a binary file."""
    content = path.read_bytes()
    if b"\0" in content[:8192]:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
