"""Small line charts as SVG, without a library. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 440, 64, 200, 40, 56
COLOURS = ("#1f6f8b", "#c0392b", "#7f8c8d", "#b9770e", "#2e7d32", "#6c3483")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve."""

    name: str
    """For the legend."""
    points: tuple[tuple[float, float], ...]
    """x and y, in order."""
    colour: str
    """Of stroke and marks."""
    dashed: bool = False
    """Whether the stroke is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One direction of the chart."""

    name: str
    """With the unit."""
    most: float
    """Value at the far end; the near one is 0."""
    step: float
    """Between two ticks."""


def chart(title: str, x: Axis, y: Axis, lines: Sequence[Line]) -> str:
    """The chart as SVG text. Points beyond the axes are drawn on the rim."""
    body = [_text(_LEFT, 24, title, 15, "start"), *_grid(x, y)]
    for place, line in enumerate(lines):
        body += _curve(line, x, y)
        body += _legend(line, _TOP + 16 + 22 * place)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">',
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _at(value: float, axis: Axis, near: float, far: float) -> float:
    return round(near + (far - near) * min(max(value, 0.0), axis.most) / axis.most, 1)


def _place(point: tuple[float, float], x: Axis, y: Axis) -> tuple[float, float]:
    return _at(point[0], x, _LEFT, _WIDTH - _RIGHT), _at(point[1], y, _HEIGHT - _BOTTOM, _TOP)


def _grid(x: Axis, y: Axis) -> list[str]:
    found = []
    for number in range(round(x.most / x.step) + 1):
        left, low = _place((number * x.step, 0), x, y)
        found.append(f'<line x1="{left}" y1="{_TOP}" x2="{left}" y2="{low}" stroke="#ddd"/>')
        found.append(_text(left, low + 18, f"{number * x.step:g}", 12, "middle"))
    for number in range(round(y.most / y.step) + 1):
        left, low = _place((0, number * y.step), x, y)
        found.append(f'<line x1="{left}" y1="{low}" x2="{_WIDTH - _RIGHT}" y2="{low}" stroke="#ddd"/>')
        found.append(_text(left - 8, low + 4, f"{number * y.step:g}", 12, "end"))
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    found.append(_text(middle, _HEIGHT - 14, x.name, 13, "middle"))
    found.append(f'<g transform="translate(18 {_HEIGHT / 2}) rotate(-90)">{_text(0, 0, y.name, 13, "middle")}</g>')
    return found


def _curve(line: Line, x: Axis, y: Axis) -> list[str]:
    places = [_place(point, x, y) for point in line.points]
    path = " ".join(f"{left},{low}" for left, low in places)
    stroke = f'fill="none" stroke="{line.colour}" stroke-width="2"' + (' stroke-dasharray="6 4"' if line.dashed else "")
    dots = [f'<circle cx="{left}" cy="{low}" r="3" fill="{line.colour}"/>' for left, low in places]
    return [f'<polyline points="{path}" {stroke}/>', *dots]


def _legend(line: Line, low: float) -> list[str]:
    left = _WIDTH - _RIGHT + 16
    dash = ' stroke-dasharray="6 4"' if line.dashed else ""
    return [
        f'<line x1="{left}" y1="{low}" x2="{left + 24}" y2="{low}" stroke="{line.colour}" stroke-width="2"{dash}/>',
        _text(left + 30, low + 4, line.name, 12, "start"),
    ]


def _text(left: float, low: float, words: str, size: int, anchor: str) -> str:
    return f'<text x="{left}" y="{low}" font-size="{size}" text-anchor="{anchor}" fill="#222">{escape(words)}</text>'
