"""What is going on in a worker at this moment: its calls, and the figures of the last minutes. For the live table and
for gauges; without personal data."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ivr.watch.moments import Moment, What

RECENT_SECONDS = 300.0
"""How far the recent figures look back."""
RECENT_MOST = 2000
"""Gaps kept at most."""


@dataclass(slots=True, kw_only=True)
class Row:
    """One live call."""

    began: float
    """Seconds of the observer's clock."""
    state: str = "new"
    """State of the call machine."""
    level: str = ""
    """Level of care; empty while nothing is known."""
    flag: bool = False
    """Whether a red flag was raised."""
    gap: float | None = None
    """Last response gap, seconds."""
    air: int = 0
    """Times that dead air was filled."""


class Board:
    """Rows of live calls. Written on the event loop's thread, read from any."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rows: dict[str, Row] = {}
        self._gaps: deque[tuple[float, float]] = deque(maxlen=RECENT_MOST)
        self._air: deque[float] = deque(maxlen=RECENT_MOST)

    def tell(self, call: str, moment: Moment) -> None:
        """Take a moment."""
        if moment.what is What.BEGAN:
            self._rows[call] = Row(began=moment.at)
        elif moment.what is What.ENDED:
            self._rows.pop(call, None)
        elif (row := self._rows.get(call)) is not None:
            self._note(row, moment)

    def _note(self, row: Row, moment: Moment) -> None:
        match moment.what:
            case What.STATE:
                row.state = moment.word
            case What.LEVEL:
                row.level = moment.word
            case What.FLAG:
                row.flag = True
            case What.GAP:
                row.gap = moment.seconds
                self._gaps.append((moment.at, moment.seconds))
            case What.DEAD_AIR:
                row.air += 1
                self._air.append(moment.at)
            case _:
                pass

    def states(self) -> Counter[str]:
        """Live calls by state."""
        return Counter(row.state for row in tuple(self._rows.values()))

    def waiting(self) -> Counter[str]:
        """Calls that wait for a human, by level of care."""
        return Counter(row.level for row in tuple(self._rows.values()) if row.state == "seeking")

    def snapshot(self) -> dict[str, Any]:
        """Everything as plain data; seconds, and gaps in milliseconds."""
        now = self._clock()
        gaps = sorted(gap for at, gap in tuple(self._gaps) if now - at <= RECENT_SECONDS)
        return {
            "calls": [
                {
                    "call": call, "state": row.state, "seconds": round(now - row.began, 1), "level": row.level,
                    "red_flag": row.flag, "gap_ms": _ms(row.gap), "dead_air": row.air,
                }
                for call, row in tuple(self._rows.items())
            ],
            "recent": {
                "seconds": RECENT_SECONDS, "turns": len(gaps), "gap_p50_ms": _ms(quantile(gaps, 0.5)),
                "gap_p95_ms": _ms(quantile(gaps, 0.95)),
                "dead_air": sum(now - at <= RECENT_SECONDS for at in tuple(self._air)),
            },
        }  # fmt: skip


def quantile(ordered: list[float], share: float) -> float | None:
    """Nearest-rank quantile of values in rising order; None of nothing."""
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)] if ordered else None


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
