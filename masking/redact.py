"""Hides numbers in text on its way to a log. It hides too much rather than too little."""

import logging
import re
import unicodedata

HIDDEN = "[number]"
SHORTEST = 7
"""Digits from which on something counts as a number: below that, it is a port, a status, a duration."""

_DIGIT = r"(?:\d|%3\d)"
_GAP = r"(?:[\s.\-\u2010-\u2015/()_+]|%2[0-9A-Fa-f]|&nbsp;)"
_ADDRESS = r"(?<![\d.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?::\d{1,5})?(?![\d.])"
_USER = rf"(?<=sip:)\+?{_DIGIT}(?:{_GAP}?{_DIGIT})+(?=[@;>\s]|$)|(?<=sips:)\+?{_DIGIT}(?:{_GAP}?{_DIGIT})+(?=[@;>\s]|$)"
_NUMBER = rf"(?:\+|%2[Bb])?\(?{_DIGIT}(?:{_GAP}{{0,3}}{_DIGIT}){{{SHORTEST - 1},}}"
_WORD = r"(?:zero|oh|o|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_SPOKEN = rf"\b{_WORD}(?:[\s,.\-]+{_WORD}){{{SHORTEST - 2},}}\b"
_HANZI = r"[〇零一二三四五六七八九幺]{7,}"

_PATTERN = re.compile(
    rf"(?P<address>{_ADDRESS})|{_USER}|{_NUMBER}|{_SPOKEN}|{_HANZI}|(?<=tel:)[+\d.\-()]+", re.IGNORECASE
)


def redact(text: str) -> str:
    """The text with everything that looks like a telephone number, or a SIP user of digits, replaced.

    IP addresses stay. Times since the epoch, dates and long decimals go: they cannot be told from numbers.
    """
    return _PATTERN.sub(lambda found: found[0] if found["address"] else HIDDEN, _fold(text))


def _fold(text: str) -> str:
    """Digits of other scripts and full-width forms as ASCII, invisible characters gone; other text is unchanged."""
    if text.isascii():
        return text
    return "".join(_folded(char) for char in text)


def _folded(char: str) -> str:
    if unicodedata.category(char) == "Cf":
        return ""
    value = unicodedata.decimal(char, None)
    return char if value is None else str(value)


class Redactor(logging.Filter):
    """Redacts whole records. Put it on every *handler*: a filter on a logger does not see its children's records."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites message, arguments, traceback, stack and extra fields; lets every record through."""
        record.msg = redact(_message(record))
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_info = None  # else another formatter would print the traceback anew
        for name, value in record.__dict__.items():
            if name not in _OURS:
                record.__dict__[name] = _redacted(value)
        return True


_OURS = frozenset(vars(logging.makeLogRecord({}))) - {"msg", "exc_text", "stack_info", "threadName", "processName"}
"""Fields that the logging module fills itself, with nothing of a caller's in them (times, lines, modules)."""


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 - a bad log call must not break a call; the text says what happened
        return f"a message could not be formatted: {type(error).__name__}"


def _redacted(value: object) -> object:
    """Text redacted; what is neither text nor small is turned into text first, for it may hold a number anywhere."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 10 ** (SHORTEST - 1):
        return value
    return redact(str(value))
