"""Figures that are no telephone number, and that a patient's life may hang on: dates, times, doses, readings. Pure."""

import re
from collections.abc import Iterator

_YEAR = r"(?:19|20)\d\d"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_BEFORE = r"(?<![\d+])(?<!\d[./\-])"
_AFTER = r"(?![./\-]?\d)"
_MEASURE = (
    r"(?:m[gl]|mcg|[uµμ]g|n?g|kgs?|lbs?|oz|[cdm]?l|k?cal|[mn]?mol(?:/l)?|meq|[im]?iu|i\.u\.|units?|mmhg|bpm|cm|mm|ft|%"
    r"|percent|degrees?|°\s?[cf]?|tab(?:let)?s?|pills?|cap(?:sule)?s?|drops?|puffs?|sprays?|doses?|patch(?:es)?|times?"
    r"|x|steps|weeks?|wks?|days?|hours?|hrs?|months?|years?|yrs?|min(?:ute)?s?|sec(?:ond)?s?|a\.?m\.?|p\.?m\.?"
    r"|毫克|微克|克|公斤|斤|毫升|升|片|粒|颗|次|滴|单位|天|日|周|月|年|小时|分钟|点|岁|度|毫米汞柱)"
)
_GROUP = r"\d{1,4}(?:[.,]\d{1,3})?"

_PATTERNS = (
    # 2026-11-24, 2026/11/24, 2026.11.24, also with T or a time behind it
    rf"{_BEFORE}{_YEAR}([\-/.]){_MONTH}\1{_DAY}(?![\-/.]?\d)",
    # 24/11/2026, 11-24-26, 24.11.2026
    rf"{_BEFORE}(?:{_DAY}([\-/.]){_MONTH}|{_MONTH}([\-/.]){_DAY})(?:\1|\2)(?:{_YEAR}|\d\d){_AFTER}",
    # 20261124
    rf"{_BEFORE}{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]){_AFTER}",
    # 2024-2026
    rf"{_BEFORE}{_YEAR}\s?[\-–/]\s?{_YEAR}{_AFTER}",
    # 2026年11月24日
    rf"(?<!\d){_YEAR}年(?:{_MONTH}月(?:{_DAY}[日号])?)?",
    # 14:30, 14:30:59, 2:30 pm
    r"(?<![\d:.])(?:[01]?\d|2[0-4])[:h][0-5]\d(?::[0-5]\d)?(?![:.]?\d)",
    # 120/80, 120/80/72
    r"(?<![\d/+])(?:[4-9]\d|[12]\d\d)/(?:[2-9]\d|1[0-6]\d)(?:/\d{2,3})?(?![/\-]?\d)",
    # 38.5, 7,4
    r"(?<![\d.,+])(?<!\d[\-/])\d{1,3}[.,]\d(?![.,]?\d)(?![\-/]\d)",
    # 4,500,000
    r"(?<![\d.,+])[1-9]\d{0,2}(?:,\d{3}){1,2}(?![.,]?\d)(?!\s?-\s?\d)",
    # 10 mg, 25-50-75 mg, 1 000 000 IU, 4-6 hours
    rf"(?<![\d.\-/+]){_GROUP}(?:\s?[\-–/x×]\s?{_GROUP}){{0,4}}\s?{_MEASURE}(?![a-z\d])",
    r"(?<![\d.\-/+])[1-9]\d{0,2}(?:[ .,]?000){1,2}\s?(?:i\.?u\.?|units?|单位)(?![a-z\d])",
)
_HARMLESS = tuple(re.compile(pattern) for pattern in _PATTERNS)


def harmless(text: str) -> Iterator[tuple[int, int]]:
    """Spans of a folded text that stay as they are."""
    for pattern in _HARMLESS:
        for found in pattern.finditer(text):
            yield found.span()
