"""Volumes over studies, with what happened to the patient in between.

Why it exists: a tumour board looks at the course, not at one day. This is a picture of measured
volumes and nothing else: it draws no line through a study where a volume could not be assessed, and
it gives no response category, which needs confirmation, steroids and clinical state as well.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence as Many
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator

from tumorboard.measurement import Measurement, StudyMeasurements
from tumorboard.report.canvas import encode_png
from tumorboard.report.facts import change_text
from tumorboard.report.model import Matrix, Picture, Timeline
from tumorboard.report.tables import with_unit
from tumorboard.report.words import find, number, value_text
from tumorboard.study import Event, EventKind

NO_CATEGORY = "No response category is given here."


_LANE_WORDS = {EventKind.KPS: "KPS", EventKind.CLINICAL: "clinical state"}
LANE_INCH = 0.22
_HALO = [withStroke(linewidth=2.5, foreground="white")]


@dataclass(frozen=True)
class Point:
    """One study on the timeline."""

    study: str
    date: dt.date | None
    measurements: StudyMeasurements
    labels_origin: str = ""


@dataclass(frozen=True)
class Line:
    """How a region is drawn; ``labelled`` ones carry their values."""

    region: str
    words: str
    colour: str
    marker: str
    labelled: bool


LINES = (
    Line("WT", "whole tumour", "#5c5c5c", "s", True),
    Line("TC", "tumour core", "#0072B2", "D", True),
    Line("ET", "enhancing tumour", "#D55E00", "o", True),
    Line("NETC", "necrosis, non-enhancing core", "#56B4E9", "v", False),
    Line("SNFH", "oedema, infiltration", "#B8A800", "^", False),
)
"""The regions drawn, top of the legend first."""

_EVENT_COLOURS = {
    EventKind.SURGERY: "#000000",
    EventKind.RADIOTHERAPY: "#CC79A7",
    EventKind.DRUG: "#009E73",
    EventKind.STEROID: "#E69F00",
    EventKind.CLINICAL: "#5c5c5c",
    EventKind.KPS: "#5c5c5c",
}


def timeline(points: Many[Point], events: Many[Event]) -> Timeline | None:
    """Return the timeline of two or more studies, None of fewer.

    Parameters
    ----------
    points : sequence of Point
        In order of date. Where one date is missing, studies are numbered and events are not drawn.
    events : sequence of Event
        Drawn as bars (with an end date) or marks.
    """
    if len(points) < 2:
        return None
    notes = [NO_CATEGORY, *_cautions(points, events)]
    return Timeline(picture=_picture(points, events), table=_table(points), notes=tuple(notes))


def _cautions(points: Many[Point], events: Many[Event]) -> list[str]:
    notes = []
    if not _dated(points):
        notes.append("At least one study has no date: studies are numbered, intervals are not to scale.")
        if events:
            notes.append("Events are listed but not drawn.")
    if len({p.labels_origin for p in points}) > 1:
        notes.append("The outlines come from different origins; a change may be a change of method.")
    if len({frozenset(p.measurements.sequences) for p in points}) > 1:
        notes.append("The studies do not hold the same sequences; compare volumes with care.")
    return notes


def _dated(points: Many[Point]) -> bool:
    return all(p.date is not None for p in points)


def _table(points: Many[Point]) -> Matrix:
    columns, notes = [], []
    for line in LINES:
        series = _series(points, line)
        words = f"{line.words[:1].upper()}{line.words[1:]}"
        if all(m.value is None for m in series):
            notes.append(f"{words}: {value_text(series[-1])} (in all studies).")
        else:
            columns.append((words, [_cell(series, at) for at in range(len(series))]))
    notes.append("In brackets: change against the first study; against the smallest earlier one.")
    dates = [p.date.isoformat() if p.date else "no date" for p in points]
    return Matrix(
        title="Volumes over time",
        header=("Study", "Date", *(words for words, _ in columns)),
        rows=tuple((p.study, dates[at], *(cells[at] for _, cells in columns)) for at, p in enumerate(points)),
        notes=tuple(notes),
    )


def _series(points: Many[Point], line: Line) -> list[Measurement]:
    return [find(p.measurements.measurements, "volume", line.region, "mL") for p in points]


def _cell(series: Many[Measurement], at: int) -> str:
    """Return one study's volume with its changes; the first study has none."""
    now, smallest = series[at], _smallest(series[:at])
    if now.value is None or smallest is None:
        return with_unit(now)
    first = "first not assessable" if series[0].value is None else change_text(now, series[0])
    return f"{with_unit(now)} ({first}; {change_text(now, smallest)})"


def _smallest(series: Many[Measurement]) -> Measurement | None:
    known = [(float(m.value), m) for m in series if isinstance(m.value, int | float)]
    return min(known, key=lambda pair: pair[0])[1] if known else None


def _picture(points: Many[Point], events: Many[Event]) -> Picture:
    dated = _dated(points)
    shown = [e for e in events if dated]
    lanes = sorted({e.kind for e in shown}, key=list(EventKind).index)
    height = 3.3 + LANE_INCH * len(lanes)
    figure = Figure(figsize=(8.2, height), dpi=170, facecolor="white")
    low = (0.42 + LANE_INCH * len(lanes)) / height
    axes = figure.add_axes((0.075, low, 0.66, 0.93 - low))
    at = [_place(p, n) for n, p in enumerate(points, start=1)]
    _draw_lines(axes, points, at)
    _draw_study_axis(axes, points, at, dated)
    if lanes:
        below = figure.add_axes((0.075, 0.36 / height, 0.66, LANE_INCH * len(lanes) / height))
        _draw_events(below, axes, shown, lanes)
    studies = ", ".join(p.study for p in points)
    caption = f"Volumes of {studies}. {NO_CATEGORY}"
    return encode_png(figure, caption, f"Line chart: {_spoken(points)}")


def _spoken(points: Many[Point]) -> str:
    """Say the labelled volumes in words, for the alternative text."""
    parts = []
    for line in LINES:
        if line.labelled:
            values = [with_unit(m) for m in _series(points, line)]
            parts.append(f"{line.words} {', '.join(values)}")
    return "; ".join(parts) + "."


def _days(date: dt.date) -> float:
    """Days since 1970-01-01, as matplotlib counts them."""
    return float((date - dt.date(1970, 1, 1)).days)


def _place(point: Point, study_number: int) -> float:
    return _days(point.date) if point.date is not None else float(study_number)


def _draw_lines(axes: Axes, points: Many[Point], at: list[float]) -> None:
    labels: list[tuple[float, float, str, str]] = []
    for line in LINES:
        series = [m.value for m in _series(points, line)]
        values = [float(v) if isinstance(v, int | float) else float("nan") for v in series]
        known = [(x, v) for x, v in zip(at, values, strict=True) if not math.isnan(v)]
        if not known:
            continue
        weight = 2.0 if line.labelled else 1.0
        style = "-" if line.labelled else (0, (4, 2))
        axes.plot(
            at, values, color=line.colour, marker=line.marker, lw=weight, ms=2.6 + weight, ls=style, label=line.words
        )
        if line.labelled:
            labels += [(x, v, f"{number(v, 'mL')}", line.colour) for x, v in known]
    axes.set_ylim(bottom=0)
    axes.margins(x=0.08, y=0.12)
    _label_values(axes, labels)
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False, fontsize=7.5)


def _label_values(axes: Axes, labels: list[tuple[float, float, str, str]]) -> None:
    """Write values to the right of their points; labels of one study are pushed apart upwards."""
    axes.autoscale_view()
    top = axes.get_ylim()[1]
    step = 0.062 * top
    for x in sorted({label[0] for label in labels}):
        last = -step
        for _, value, text, colour in sorted(label for label in labels if label[0] == x):
            last = max(value, last + step, 0.3 * step)
            axes.annotate(
                text,
                (x, last),
                xytext=(6, 0),
                textcoords="offset points",
                color=colour,
                fontsize=8,
                va="center",
                path_effects=_HALO,
                zorder=5,
            )
        top = max(top, last + step)
    axes.set_ylim(0, top)


def _draw_study_axis(axes: Axes, points: Many[Point], at: list[float], dated: bool) -> None:
    axes.set_ylabel("volume (mL)", fontsize=8)
    axes.tick_params(labelsize=7.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e3e3e3", lw=0.6)
    axes.set_axisbelow(True)
    for x, point in zip(at, points, strict=True):
        axes.annotate(point.study, (x, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=7.5)
        axes.axvline(x, color="#d0d0d0", lw=0.6, zorder=0)
    if dated:
        _date_axis(axes)
    else:
        axes.xaxis.set_major_locator(FixedLocator(at))
        axes.set_xlabel("study number", fontsize=8)


def _date_axis(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]  # not annotated
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]  # not annotated
    axes.xaxis.set_major_formatter(formatter)


def _draw_events(below: Axes, above: Axes, events: Many[Event], lanes: Many[EventKind]) -> None:
    """Draw one lane a kind of event under the volumes, on the same dates."""
    starts = [_days(e.date) for e in events]
    ends = [_days(e.end_date or e.date) for e in events]
    low, high = above.get_xlim()
    low, high = min([low, *(s - 5 for s in starts)]), max([high, *(e + 5 for e in ends)])
    above.set_xlim(low, high)
    below.set_xlim(low, high)
    for event, start, end in zip(events, starts, ends, strict=True):
        lane = lanes.index(event.kind)
        colour = _EVENT_COLOURS[event.kind]
        if end > start:
            below.barh(lane, end - start, left=start, height=0.5, color=colour)
        else:
            below.plot([start], [lane], marker="D", color=colour, ms=4, ls="none")
        if event.kind is EventKind.SURGERY:
            above.axvline(start, color=colour, lw=0.9, ls=(0, (2, 2)), zorder=0)
    _style_lanes(below, above, lanes)


def _style_lanes(below: Axes, above: Axes, lanes: Many[EventKind]) -> None:
    below.set_ylim(len(lanes) - 0.5, -0.5)
    below.yaxis.set_visible(False)
    for lane, kind in enumerate(lanes):
        below.text(
            1.02,
            lane,
            _LANE_WORDS.get(kind, kind.value),
            transform=below.get_yaxis_transform(),
            fontsize=7.5,
            va="center",
        )
    below.tick_params(labelsize=7.5)
    below.spines[["top", "right", "left"]].set_visible(False)
    above.tick_params(labelbottom=False)
    _date_axis(below)
