"""Log lines of the console: numbers hidden, control characters escaped, of an exception only its kind and its stack."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TextIO

from masking.redact import Redactor

_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x202E)}


class Bare(logging.Filter):
    """An exception's message may hold a value that somebody sent: its kind and its stack must do."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the exception; lets every record through."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            stack = ", ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
            record.msg = f"{record.getMessage()}: {type(error).__name__} at {stack}"
            record.args = None
        record.exc_info = None
        record.exc_text = None
        return True


class OneLine(logging.Formatter):
    """`TIME LEVEL LOGGER MESSAGE`, or one JSON object."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        message = record.getMessage().translate(_ESCAPES)
        if not self._as_json:
            return f"{self.formatTime(record)} {record.levelname} {record.name} {message}"
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = {"time": at, "level": record.levelname.lower(), "logger": record.name, "worker": "console"}
        return json.dumps(told | {"message": message}, ensure_ascii=False)


def log_to(stream: TextIO = sys.stdout, *, kind: str = "text") -> None:
    """All loggers of this process write there. `kind`: "text" or "json"."""
    handler = logging.StreamHandler(stream)
    handler.addFilter(Bare())
    handler.addFilter(Redactor())
    handler.setFormatter(OneLine(as_json=kind == "json"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "alembic", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
