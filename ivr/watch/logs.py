"""Log lines: one record is one line of text, or one JSON object. Each says which call it is about.

The call is known from the task that logs: a session names itself when it begins, and whatever it starts inherits that.
Numbers are hidden before a record comes here. Control characters are escaped: header text from the network can neither
begin a line of its own nor move a terminal's cursor.
"""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_call: ContextVar[str] = ContextVar("call", default="")

_ESCAPES = {
    code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))
} | {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x2028: "\\u2028", 0x2029: "\\u2029", 0x202E: "\\u202e"}  # fmt: skip
TRACE_MARK = "    | "
"""Before every line of a traceback in text logs, so that none looks like a record."""


def name_call(call: str) -> None:
    """From now on this task, and those it starts, log for this call."""
    _call.set(call)


def escape(text: str) -> str:
    """The text on one line, without control characters."""
    return text.translate(_ESCAPES)


class Context(logging.Filter):
    """Adds the call, and what an exception is without its values. Put it on the handler, before the one that hides
    numbers: that one flattens exceptions into text."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Adds fields; lets every record through."""
        record.call = _call.get()
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            record.error = " from ".join(_kinds(error))
            record.stack = "\n".join(
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
            )
        return True


def _kinds(error: BaseException) -> list[str]:
    kinds: list[str] = []
    one: BaseException | None = error
    while one is not None and len(kinds) < 5:
        kinds.append(type(one).__name__)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return kinds


class TextFormat(logging.Formatter):
    """`TIME LEVEL LOGGER [CALL] MESSAGE`; a traceback follows on marked lines."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        call = getattr(record, "call", "")
        head = f"{self.formatTime(record)} {record.levelname} {record.name} "
        line = head + (f"[{call}] " if call else "") + escape(record.getMessage())
        more = record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")
        return "\n".join([line, *(TRACE_MARK + escape(one) for one in more.splitlines())])


class JsonFormat(logging.Formatter):
    """One JSON object a line. Of an exception only its kinds and its stack are told: its message may hold a value."""

    def __init__(self, worker: str) -> None:
        super().__init__()
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told: dict[str, Any] = {"time": at, "level": record.levelname.lower(), "logger": record.name}
        told |= {"worker": self._worker} if self._worker else {}
        told |= {"call": call} if (call := getattr(record, "call", "")) else {}
        told["message"] = escape(record.getMessage())
        if error := getattr(record, "error", ""):
            told["error"] = error
            told["stack"] = str(getattr(record, "stack", "")).splitlines()
        return json.dumps(told, ensure_ascii=False)


def formatter(kind: str, worker: str) -> logging.Formatter:
    """For "text" or "json"."""
    return JsonFormat(worker) if kind == "json" else TextFormat()
