"""A course on one plot: sums and volumes, treatment and steroids, and every criterion's verdicts.

Why it exists: whether criteria agree, and what they disagree about, is seen at once when they stand below each other
on one axis of time.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import textwrap
from collections.abc import Sequence as Many
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tumorboard.report.model import DIGITAL_BANNER
from tumorboard.respond.visits import Compartment, Course, Trend, Visit
from tumorboard.verdict import Category, Confirmed, Verdict

COLOURS: dict[Category, tuple[str, str]] = {
    Category.BL: ("#ffffff", "#333333"),
    Category.CR: ("#00664B", "#ffffff"),
    Category.CRU: ("#00805E", "#ffffff"),
    Category.PR: ("#009E73", "#ffffff"),
    Category.MR: ("#8FD3BD", "#000000"),
    Category.SD: ("#D9E4EC", "#000000"),
    Category.PD: ("#D55E00", "#ffffff"),
    Category.NE: ("#f4f4f4", "#777777"),
}
"""Fill and letters of each category (after Okabe and Ito)."""

_INK, _FAINT = "#333333", "#e3e3e3"
_FRAMES = {"": ("#bbbbbb", 0.5, "-"), "pending": ("#D55E00", 1.6, "-"), "refuted": ("#000000", 1.1, (0, (2, 1.5)))}
_WIDTH_INCH, _ROW_INCH, _LANE_INCH, _SUMS_INCH, _LINE_INCH = 8.6, 0.22, 0.8, 1.0, 0.11
_ROOM_DAYS = 15.0
"""Least room on the axis before the first and after the last study."""


@dataclass(frozen=True)
class Quantity:
    """A sum that is drawn over time, with its axis."""

    unit: str
    words: str
    colour: str
    marker: str


QUANTITIES = (
    Quantity("mm2", "SPD (mm²)", "#0072B2", "D"),
    Quantity("mm", "SLD (mm)", "#CC79A7", "s"),
    Quantity("mL", "volume (mL)", "#D55E00", "o"),
)


def course_picture(course: Course, verdicts: Many[Verdict], *, digital: bool) -> bytes:
    r"""Draw a patient's course.

    Parameters
    ----------
    course : Course
        Treatment, steroids and clinical state.
    verdicts : sequence of Verdict
        Of all criteria that were run on it.
    digital : bool
        Whether the patient is simulated; the picture says so.

    Returns
    -------
    bytes
        PNG, with what its letters and marks mean below it.

    Examples
    --------
    >>> visit = Visit(dt.date(2020, 1, 1), "baseline")
    >>> one = Verdict("P1", visit.date, "rano-2.0", *[Category.BL] * 2, Confirmed.NOT_REQUIRED, Category.BL, 4.0,
    ...               "mm2", None, "bl", "")
    >>> course_picture(Course("P1", (visit,)), [one], digital=True)[:4]
    b'\x89PNG'
    """
    stream = io.BytesIO()
    figure = course_figure(course, verdicts, digital=digital)
    told = textwrap.wrap(caption(course), 170)
    figure.set_figheight(figure.get_figheight() + _LINE_INCH * (len(told) + 1))
    figure.supxlabel("\n".join(told), fontsize=6.5, color=_INK, x=0.02, ha="left")
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def course_figure(course: Course, verdicts: Many[Verdict], *, digital: bool) -> Figure:
    """Return the figure of :func:`course_picture`."""
    criteria = list(dict.fromkeys(v.criterion for v in verdicts))
    drawn = [q for q in QUANTITIES if _series(verdicts, q)]
    heights = [*[_SUMS_INCH] * len(drawn), _LANE_INCH, max(1, len(criteria)) * _ROW_INCH]
    figure = Figure(figsize=(_WIDTH_INCH, sum(heights) + 0.9), dpi=150, layout="constrained")
    panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights).ravel()
    for axes, quantity in zip(panels, drawn, strict=False):
        _draw_sums(axes, verdicts, quantity)
    _draw_treatment(panels[-2], course.visits)
    _draw_verdicts(panels[-1], verdicts, criteria, _step(course.visits))
    _dates(panels[-1], course.visits)
    if digital:
        figure.suptitle(DIGITAL_BANNER, fontsize=8, color="#B00020", x=0.99, ha="right")
    return figure


def _at(date: dt.date) -> float:
    return float((date - dt.date(1970, 1, 1)).days)


def _series(verdicts: Many[Verdict], quantity: Quantity) -> list[Verdict]:
    """Return the verdicts of the first criterion that sums in this unit and has two sums at least."""
    for criterion in dict.fromkeys(v.criterion for v in verdicts if v.unit == quantity.unit):
        found = [v for v in verdicts if v.criterion == criterion]
        if sum(v.total is not None for v in found) >= 2:
            return found
    return []


def _draw_sums(axes: Axes, verdicts: Many[Verdict], quantity: Quantity) -> None:
    series = _series(verdicts, quantity)
    known = [(v, v.total) for v in series if v.total is not None]
    axes.plot(
        [_at(v.date) for v in series],
        [float("nan") if v.total is None else v.total for v in series],
        color=quantity.colour,
        marker=quantity.marker,
        lw=1.6,
        ms=4,
    )
    last, room = -math.inf, 0.05 * (_at(known[-1][0].date) - _at(known[0][0].date))
    for verdict, total in known:
        at = _at(verdict.date)
        if at >= last + room:  # numbers of visits that are close would cover each other
            text = f"{total:.1f}" if 0 < total < 10 else f"{total:.0f}"
            axes.annotate(text, (at, total), xytext=(4, 3), textcoords="offset points", fontsize=7, color=_INK)
            last = at
    lowest = min(total for _, total in known)
    axes.axhline(lowest, color=quantity.colour, lw=0.6, ls=(0, (2, 2)))
    highest = max(total for _, total in known) or 1.0
    axes.set_ylim(-0.04 * highest, 1.2 * highest)  # a sum of 0 lies above the axis
    axes.set_ylabel(f"{quantity.words}\n{series[0].criterion}", fontsize=6.5, color=_INK)
    _tidy(axes)


def _draw_treatment(axes: Axes, visits: Many[Visit]) -> None:
    """Draw steroids as steps, drugs as bars, the end of radiotherapy and clinical decline as marks."""
    doses = [(v, v.dexamethasone_mg) for v in visits if v.dexamethasone_mg is not None]
    top = max([dose for _, dose in doses] or [0.0]) or 1.0
    if doses:
        axes.step([_at(v.date) for v, _ in doses], [d for _, d in doses], where="post", color="#B8860B", lw=1.4)
        axes.plot([_at(v.date) for v, _ in doses], [d for _, d in doses], "o", color="#B8860B", ms=3)
    last = _at(visits[-1].date)
    for n, (drug, start) in enumerate(dict.fromkeys((v.drug, v.drug_start) for v in visits if v.drug and v.drug_start)):
        if start is not None:
            high = top * (1.25 + 0.3 * (n % 2))
            axes.barh(high, last - _at(start), left=_at(start), height=0.18 * top, color="#009E73", alpha=0.75)
            late = _at(start) > last - 0.25 * (last - _at(visits[0].date))  # to its right there is no room for a name
            axes.annotate(
                drug,
                (_at(start), high),
                xytext=(-3 if late else 3, 0),
                textcoords="offset points",
                fontsize=6.5,
                ha="right" if late else "left",
                va="center",
            )
    for end in dict.fromkeys(v.rt_end for v in visits if v.rt_end):
        axes.axvline(_at(end), color="#CC79A7", lw=1.2)
        axes.annotate(
            "RT ends", (_at(end), 1.72 * top), xytext=(3, 0), textcoords="offset points", fontsize=6.5, color="#CC79A7"
        )
    worse = [_at(v.date) for v in visits if v.clinical is Trend.WORSE]
    if worse:
        axes.plot(worse, [0.0] * len(worse), "v", color="#D55E00", ms=6, label="clinically worse", clip_on=False)
        axes.legend(fontsize=6.5, frameon=False, loc="upper right")
    axes.set_ylim(-0.06 * top, top * 1.85)  # a dose of 0 lies above the axis
    axes.set_ylabel("dexamethasone\n(mg per day)", fontsize=6.5, color=_INK)
    _tidy(axes)


def _draw_verdicts(axes: Axes, verdicts: Many[Verdict], criteria: Many[str], step: float) -> None:
    for row, criterion in enumerate(criteria):
        mine = [v for v in verdicts if v.criterion == criterion]
        places = _apart([_at(v.date) for v in mine], step)
        for verdict, x in zip(mine, places, strict=True):
            _cell(axes, verdict, (x, row), step)
        first = next((x for v, x in zip(mine, places, strict=True) if v.category is Category.PD), None)
        if first is not None:
            axes.plot([first], [row - 0.46], "v", color="#000000", ms=4, clip_on=False, zorder=5)
    axes.set_ylim(len(criteria) - 0.45, -0.62)
    axes.set_yticks(range(len(criteria)), criteria, fontsize=7.5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=7.5, colors=_INK)


def _cell(axes: Axes, verdict: Verdict, at: tuple[float, int], step: float) -> None:
    """Draw one verdict: the settled category, or that of the images in small letters where facts do not allow one."""
    alone = verdict.category is Category.NE and verdict.imaging_only is not Category.NE
    fill, ink = COLOURS[verdict.category]
    line = _FRAMES["pending" if verdict.confirmed is Confirmed.PENDING else "refuted" if _refuted(verdict) else ""]
    axes.add_patch(Rectangle((at[0] - step / 2, at[1] - 0.38), step, 0.76, fc=fill, ec=line[0], lw=line[1], ls=line[2]))
    text = f"({verdict.imaging_only.value})" if alone else verdict.category.value
    axes.text(*at, text, ha="center", va="center", fontsize=6 if alone else 7, color=ink)


def _refuted(verdict: Verdict) -> bool:
    """Return whether a progression was suspected and not confirmed."""
    return verdict.raw is Category.PD and verdict.confirmed is Confirmed.NO


def _step(visits: Many[Visit]) -> float:
    """Return the width of a cell in days: it holds its letters, and all cells have room."""
    span = _at(visits[-1].date) - _at(visits[0].date)
    return min(0.042 * max(span, 60.0), (span + _ROOM_DAYS) / len(visits))


def _apart(days: Many[float], step: float) -> list[float]:
    """Return where cells stand: on their day, or as near to it as keeps one from covering another.

    Examples
    --------
    >>> _apart([0.0, 2.0, 30.0], 5.0), _apart([0.0, 28.0, 30.0], 5.0), _apart([0.0, 1.0], 5.0)
    ([0.0, 5.0, 30.0], [0.0, 25.0, 30.0], [0.0, 5.0])
    """
    out: list[float] = []
    for day in days:
        out.append(max(day, out[-1] + step) if out else day)
    limit = max(days[-1], days[0] + step * (len(days) - 1))
    for n in range(len(out) - 1, 0, -1):  # those that were pushed beyond the last day move back
        out[n] = min(out[n], limit)
        limit = out[n] - step
    return out


def _dates(axes: Axes, visits: Many[Visit]) -> None:
    first, last = _at(visits[0].date), _at(visits[-1].date)
    room = max(0.04 * (last - first), _ROOM_DAYS)
    axes.set_xlim(first - room, last + room)
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]  # not annotated
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # not annotated
    axes.xaxis.get_offset_text().set_fontsize(7.5)


def _tidy(axes: Axes) -> None:
    axes.tick_params(labelsize=7, colors=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=_FAINT, lw=0.6)
    axes.set_axisbelow(True)


def caption(course: Course) -> str:
    """Return what the picture shows, in words."""
    lesions = {s.lesion for v in course.visits for s in v.lesions if s.compartment is Compartment.CE}
    return (
        f"{len(course.visits)} studies; enhancing lesions followed: {len(lesions)}. SPD, SLD: sum of products of "
        "diameters, of longest diameters, by the criterion named there; dotted: smallest sum. Letters: settled "
        "category of each criterion; orange frame: waits for confirmation, broken frame: suspected progression that "
        "was not confirmed; in brackets: the images alone, because facts are missing or steroids were raised; black "
        "mark: first progression."
    )
