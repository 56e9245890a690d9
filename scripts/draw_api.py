"""Writes docs/api.json, the OpenAPI document of the web API: `python -m scripts.draw_api --write`."""

import argparse
import json
from pathlib import Path

from console.app import document

FILE = Path(__file__).resolve().parents[1] / "docs" / "api.json"


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """0 where the committed file is up to date or was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write it; otherwise only compare")
    if parser.parse_args().write:
        FILE.write_text(text(), encoding="utf-8")
        return 0
    same = FILE.is_file() and FILE.read_text(encoding="utf-8") == text()
    print("up to date" if same else "docs/api.json is out of date: python -m scripts.draw_api --write")
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main())
