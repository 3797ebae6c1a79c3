"""Charts as numbers for SVG: where points and ticks stand; templates draw them, classes colour them.

Why it exists: a strict content policy allows no script from elsewhere and no inline style; a chart drawn on the server
needs neither, is read by screen readers through its title, and costs no waiting.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 920, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 112, 14, 28


@dataclass(frozen=True)
class Point:
    """A value on a chart: where it stands, its words, its whisker (top, bottom) and where it leads."""

    x: float
    y: float
    words: str
    whisker: tuple[float, float] | None = None
    link: str = ""


@dataclass(frozen=True)
class Line:
    """A named row of points; ``mark`` is its class, ``label_y`` where its name stands so that none covers another."""

    name: str
    mark: str
    points: tuple[Point, ...]
    label_y: float = 0.0

    @property
    def path(self) -> str:
        """The points of an SVG polyline."""
        return " ".join(f"{p.x:.1f},{p.y:.1f}" for p in self.points)


@dataclass(frozen=True)
class Chart:
    """Lines over time, with ticks (position, words)."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Value:
    """A value at a date, with its interval and where it leads."""

    date: dt.date
    value: float
    interval: tuple[float, float] | None = None
    link: str = ""


def nice_ticks(highest: float, count: int = 4) -> list[float]:
    """Return round values from 0 to at least the highest.

    Examples
    --------
    >>> nice_ticks(36.3), nice_ticks(0)
    ([0.0, 10.0, 20.0, 30.0, 40.0], [0.0, 1.0])
    """
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    return [step * n for n in range(math.ceil(highest / step - 1e-9) + 1)]


def time_chart(title: str, unit: str, rows: Sequence[tuple[str, str, Sequence[Value]]]) -> Chart | None:
    """Lay out lines over dates.

    Parameters
    ----------
    title, unit : str
        What is drawn, in which unit.
    rows : sequence of (name, mark, values)
        Values in order of date.

    Returns
    -------
    Chart or None
        None where there is nothing to draw.

    Examples
    --------
    >>> day = dt.date(2020, 1, 1)
    >>> chart = time_chart("Volumes", "mL", [("ET", "et", [Value(day, 5.0), Value(day.replace(month=3), 10.0)])])
    >>> [words for _, words in chart.y_ticks], chart.lines[0].path
    (['0', '2.5', '5', '7.5', '10'], '52.0,113.0 808.0,14.0')
    """
    values = [v for _, _, row in rows for v in row]
    if not values:
        return None
    dates = sorted({v.date for v in values})
    top = nice_ticks(max(max(v.value, v.interval[1] if v.interval else 0.0) for v in values))
    frame = _Frame(dates[0], dates[-1], top[-1])
    lines = tuple(Line(name, mark, tuple(frame.point(v, name, unit) for v in row)) for name, mark, row in rows if row)
    y_ticks = tuple((frame.y(t), f"{t:g}") for t in top)
    return Chart(title, unit, _apart(lines), frame.dates(dates), y_ticks)


@dataclass(frozen=True)
class _Frame:
    first: dt.date
    last: dt.date
    top: float

    def x(self, date: dt.date) -> float:
        span = (self.last - self.first).days
        share = 0.5 if span == 0 else (date - self.first).days / span
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)

    def point(self, v: Value, name: str, unit: str) -> Point:
        told = f"{name} {v.value:.1f} {unit}, {v.date.isoformat()}"
        told += f" ({v.interval[0]:.1f} to {v.interval[1]:.1f})" if v.interval else ""
        whisker = (self.y(v.interval[1]), self.y(v.interval[0])) if v.interval else None
        return Point(self.x(v.date), self.y(v.value), told, whisker, v.link)

    def dates(self, dates: Sequence[dt.date]) -> tuple[tuple[float, str], ...]:
        """Return ticks at dates, leaving out those that would cover the one before."""
        out: list[tuple[float, str]] = []
        for date in dates:
            x = self.x(date)
            if not out or x - out[-1][0] >= 84:
                out.append((x, date.isoformat()))
        return tuple(out)


def _apart(lines: tuple[Line, ...], least: float = 16.0) -> tuple[Line, ...]:
    """Give the names at the ends of lines room."""
    ordered = sorted(lines, key=lambda one: one.points[-1].y)
    places: list[float] = []
    for line in ordered:
        places.append(max(line.points[-1].y, places[-1] + least if places else -math.inf))
    low = float(HEIGHT - BOTTOM)  # below stand the dates
    for n in reversed(range(len(places))):
        low = places[n] = min(places[n], low)
        low -= least
    return tuple(Line(o.name, o.mark, o.points, at) for o, at in zip(ordered, places, strict=True))


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram of days."""

    x: float
    y: float
    width: float
    height: float
    words: str
    mark: str


@dataclass(frozen=True)
class Bars:
    """Stacked bars, one a day, with ticks."""

    title: str
    bars: tuple[Bar, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = 170


def day_bars(title: str, days: Sequence[dt.date], stacks: Sequence[tuple[str, str, Sequence[int]]]) -> Bars:
    """Lay out stacked bars.

    Parameters
    ----------
    title : str
        What is counted.
    days : sequence of date
        In order.
    stacks : sequence of (name, mark, counts)
        A count a day; the first stands below.

    Examples
    --------
    >>> bars = day_bars("Studies", [dt.date(2020, 1, 1)], [("done", "good", [2]), ("failed", "bad", [1])])
    >>> [bar.words for bar in bars.bars]
    ['2020-01-01: 2 done', '2020-01-01: 1 failed']
    """
    height = 170
    room = height - TOP - BOTTOM
    top = nice_ticks(max((sum(c) for c in zip(*(s[2] for s in stacks), strict=True)), default=0))
    step = (WIDTH - LEFT - 8) / max(1, len(days))
    out = []
    for n, date in enumerate(days):
        below = 0
        for name, mark, counts in stacks:
            if counts[n]:
                tall = counts[n] / top[-1] * room
                y = height - BOTTOM - below / top[-1] * room - tall
                words = f"{date.isoformat()}: {counts[n]} {name}"
                out.append(Bar(LEFT + n * step + 1, y, max(1.0, step - 2), tall, words, mark))
                below += counts[n]
    each = max(1, round(84 / step))
    x_ticks = tuple((LEFT + (n + 0.5) * step, days[n].isoformat()) for n in range(0, len(days), each))
    y_ticks = tuple((height - BOTTOM - t / top[-1] * room, f"{t:g}") for t in top if t == round(t))
    return Bars(title, tuple(out), x_ticks, y_ticks)
