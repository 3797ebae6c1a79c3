"""Pictures of many courses: time to progression by criterion, agreement in days, survival from a landmark.

Why it exists: a curve without the number of patients behind it, or an agreement without its outliers, misleads. Colours
are those of Okabe and Ito, which colour-blind readers can tell apart; lines differ in their dashes as well. What comes
from digital patients says so on the picture itself, for pictures travel without their captions.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.metrics.agreement import bland_altman
from tumorboard.metrics.survival.kaplan_meier import SurvivalCurve, kaplan_meier
from tumorboard.respond.cohort.compare import LEAST_PATIENTS, both_progressed, times_by_criterion
from tumorboard.respond.cohort.surrogate import LANDMARK_DAYS, LEAST_GROUP, landmark
from tumorboard.respond.table.outcomes import Outcome
from tumorboard.verdict import TimeToProgression

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

DIGITAL = "digital patients"
"""Stands on every picture that does not come from patients."""

MOST_IN_ONE = 4
"""Criteria whose curves still can be told apart on one pair of axes; more have a panel each."""

_INK, _FAINT, _OTHERS = "#333333", "#e3e3e3", "#bdbdbd"
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (2, 1)), (0, (6, 1.5, 1.5, 1.5)))
_STEPS_DAYS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
_ROW_INCH, _TOP_INCH = 0.19, 0.3
_LEFT, _WIDE = 0.23, 0.74  # of the width, for curves and the table below them


@dataclass(frozen=True)
class _Line:
    name: str
    curve: SurvivalCurve
    colour: str
    dashes: Any


def progression_curves(times: Sequence[TimeToProgression], *, digital: bool) -> bytes:
    """Draw the share of patients without progression over time, one curve a criterion, with numbers at risk.

    Up to four criteria share axes; of more, each has a panel with the others in grey.

    Parameters
    ----------
    times : sequence of TimeToProgression
        A patient without progression is censored at the last evaluable visit, also when death followed.
    digital : bool
        Whether the patients are simulated; the picture says so.

    Returns
    -------
    bytes
        PNG.

    Raises
    ------
    InputError
        There is no patient, or one has a criterion twice.

    Examples
    --------
    >>> import datetime as dt
    >>> day = dt.date(2020, 1, 1)
    >>> times = [TimeToProgression(f"P{n}", "volumetric", day, None, 30 * n, n % 2 == 0) for n in range(9)]
    >>> progression_curves(times, digital=True)[1:4]
    b'PNG'
    """
    found = times_by_criterion(times)
    if not found:
        raise InputError("at least one patient", got="none", where="times to progression")
    lines = []
    for n, (criterion, of) in enumerate(found.items()):
        curve = kaplan_meier([t.days for t in of.values()], [t.event for t in of.values()])
        lines.append(_Line(criterion, curve, _COLOURS[n % MOST_IN_ONE], _DASHES[n % MOST_IN_ONE]))
    if len(lines) > MOST_IN_ONE:
        return _panels(lines, digital)
    return _together(lines, "free of progression", "days to progression", digital)


def landmark_curves(
    times: Sequence[TimeToProgression],
    outcomes: Sequence[Outcome],
    criterion: str,
    day: int = LANDMARK_DAYS,
    *,
    digital: bool,
) -> bytes:
    """Draw survival after a landmark of patients who had progressed by then and of those who had not.

    Parameters
    ----------
    times, outcomes, criterion, day
        As :func:`~.surrogate.landmark`.
    digital : bool
        Whether the patients are simulated; the picture says so.

    Returns
    -------
    bytes
        PNG, with 95 % bands; where one of the groups has fewer than 5 patients, it says so instead.

    Raises
    ------
    InputError
        As :func:`~.surrogate.landmark`.

    Examples
    --------
    >>> import datetime as dt
    >>> start, early = dt.date(2020, 1, 1), dt.date(2020, 4, 10)
    >>> times = [TimeToProgression(f"P{n}", "volumetric", start, early, 100, True) for n in range(6)]
    >>> times += [TimeToProgression(f"P{n}", "volumetric", start, None, 300, False) for n in range(6, 12)]
    >>> outcomes = [Outcome(f"P{n}", 400.0 + 9 * n, None, True) for n in range(12)]
    >>> landmark_curves(times, outcomes, "volumetric", digital=True)[1:4]
    b'PNG'
    """
    at = landmark(times, outcomes, criterion, day)
    time = f"days after day {day}, by progression until then ({criterion})"
    lines, few = [], []
    for n, (name, progressed) in enumerate((("not progressed", False), ("progressed", True))):
        curve = at.curve(progressed)
        patients = 0 if curve is None else len(curve.follow_up)
        if curve is None or patients < LEAST_GROUP:
            few.append(f"{patients} patients {name} by day {day} ({criterion}); at least {LEAST_GROUP} are needed")
        else:
            lines.append(_Line(name, curve, _COLOURS[n], "-"))
    return _refusal(few, digital) if few else _together(lines, "alive", time, digital, bands=True)


def _refusal(reasons: Sequence[str], digital: bool) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.4, _TOP_INCH + 0.8), dpi=150)
    text = "\n".join(("Not assessable:", *reasons))
    figure.text(0.5, 0.4, text, ha="center", va="center", fontsize=9, color=_INK)
    return _png(figure, digital)


def bland_altman_plots(times: Sequence[TimeToProgression], pairs: Sequence[tuple[str, str]], *, digital: bool) -> bytes:
    """Draw differences in days to progression against their mean, one panel a pair of criteria.

    Parameters
    ----------
    times : sequence of TimeToProgression
        Only patients who progressed by both of a pair are drawn; their number stands above the panel.
    pairs : sequence of (str, str)
        Criteria to compare; the difference is the first minus the second.
    digital : bool
        Whether the patients are simulated; the picture says so.

    Returns
    -------
    bytes
        PNG, all panels on one scale, intervals of bias and limits shaded.

    Raises
    ------
    InputError
        There is no pair, or a criterion that nobody was judged by.

    Examples
    --------
    >>> import datetime as dt
    >>> day = dt.date(2020, 1, 1)
    >>> times = [TimeToProgression(f"P{n}", c, day, day, 90 + 9 * n, True) for n in range(6) for c in ("a", "b")]
    >>> bland_altman_plots(times, [("a", "b")], digital=True)[1:4]
    b'PNG'
    """
    from matplotlib.figure import Figure

    found = times_by_criterion(times)
    if not pairs or {name for pair in pairs for name in pair} - set(found):
        raise InputError("pairs of criteria that were judged", got="none, or another one", where="pairs")
    days = [both_progressed(found[one], found[other]) for one, other in pairs]
    columns = min(3, len(pairs))
    rows = math.ceil(len(pairs) / columns)
    figure = Figure(figsize=(0.6 + 3.1 * columns, _TOP_INCH + 0.7 + 2.7 * rows), dpi=150, layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, pair, (first, second) in zip(panels, pairs, days, strict=False):
        _difference_panel(axes, pair, first, second)
    for axes in panels[len(pairs) :]:
        axes.set_visible(False)
    figure.supxlabel("mean days to progression\nline: bias, dashed: limits of agreement", fontsize=8.5, color=_INK)
    figure.supylabel("difference, days", fontsize=8.5, color=_INK)
    return _png(figure, digital)


def _difference_panel(axes: Axes, pair: tuple[str, str], first: list[int], second: list[int]) -> None:
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    axes.scatter((x + y) / 2, x - y, s=16, color=_COLOURS[0], alpha=0.45, linewidths=0)
    axes.axhline(0, color=_INK, lw=0.6)
    told = f"{len(x)} patients, {int((x == y).sum())} on the same day"
    axes.set_title(f"{pair[0]} \N{MINUS SIGN} {pair[1]}\n{told}", fontsize=8, color=_INK)
    _tidy(axes)
    if len(x) < LEAST_PATIENTS:
        return
    limits = bland_altman(x, y)
    for at, dashes in ((limits.bias, "-"), (limits.lower, _DASHES[1]), (limits.upper, _DASHES[1])):
        axes.axhspan(at.low, at.high, color=_COLOURS[1], alpha=0.12, lw=0)
        axes.axhline(at.value, color=_COLOURS[1], lw=1.3, ls=dashes)
        axes.annotate(
            f"{at.value:+.0f}".replace("-", "\N{MINUS SIGN}"),
            (1.0, at.value),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=_COLOURS[1],
        )


def _together(lines: Sequence[_Line], share: str, time: str, digital: bool, bands: bool = False) -> bytes:
    """Draw all lines on one pair of axes; the table below is their legend. Curves of the same patients get no bands."""
    from matplotlib.figure import Figure

    table = _ROW_INCH * (len(lines) + 1)
    height = _TOP_INCH + 3.4 + table
    figure = Figure(figsize=(7.4, height), dpi=150)
    ticks = _ticks(lines, most=10)
    axes = figure.add_axes((_LEFT, (table + 0.6) / height, _WIDE, 2.8 / height))
    for line in lines:
        _draw_curve(axes, line, bands)
    _scale(axes, lines, ticks)
    axes.set_ylabel(share, fontsize=9, color=_INK)
    axes.set_xlabel(time, fontsize=9, color=_INK)
    below = figure.add_axes((_LEFT, 0.06 / height, _WIDE, table / height), sharex=axes)
    _numbers_at_risk(below, lines, ticks)
    return _png(figure, digital)


def _panels(lines: Sequence[_Line], digital: bool) -> bytes:
    """Draw one panel a line, the others in grey behind it; numbers at risk stand under the days."""
    from matplotlib.figure import Figure

    columns = 3
    rows = math.ceil(len(lines) / columns)
    figure = Figure(figsize=(9.0, _TOP_INCH + 0.3 + 2.1 * rows), dpi=150, layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    ticks = _ticks(lines, most=5)
    for axes, line in zip(panels, lines, strict=False):
        for other in lines:
            if other is not line:
                axes.step(*_steps(other.curve), where="post", color=_OTHERS, lw=0.7)
        _draw_curve(axes, _Line(line.name, line.curve, _COLOURS[0], "-"), bands=True)
        _scale(axes, lines, ticks)
        axes.set_xticks(list(ticks), [f"{day}\n{line.curve.at_risk(day)}" for day in ticks])
        axes.set_title(line.name, fontsize=9, color=_COLOURS[0])
    for axes in panels[len(lines) :]:
        axes.set_visible(False)
    figure.supxlabel("days to progression; below: patients at risk", fontsize=8.5, color=_INK)
    figure.supylabel("free of progression", fontsize=8.5, color=_INK)
    return _png(figure, digital)


def _draw_curve(axes: Axes, line: _Line, bands: bool) -> None:
    curve, (times, free) = line.curve, _steps(line.curve)
    axes.step(times, free, where="post", color=line.colour, ls=line.dashes, lw=1.7)
    censored = [curve.at(day) for day in curve.censored]
    axes.plot(curve.censored, censored, ls="none", marker="|", ms=5, mew=0.9, color=line.colour)
    if bands:
        low, high = (np.append(band, band[-1]) for band in (curve.low, curve.high))
        axes.fill_between(times, low, high, step="post", color=line.colour, alpha=0.14, lw=0)


def _steps(curve: SurvivalCurve) -> tuple[Floats, Floats]:
    """Return the corners of the curve, drawn on to the last day of follow-up."""
    return np.append(curve.times, curve.follow_up[-1]), np.append(curve.free, curve.free[-1])


def _numbers_at_risk(axes: Axes, lines: Sequence[_Line], ticks: Sequence[int]) -> None:
    axes.set_ylim(len(lines) + 0.5, -0.5)
    axes.axis("off")
    beside = axes.get_yaxis_transform()
    axes.text(-0.045, 0, "at risk", transform=beside, fontsize=7.5, ha="right", va="center", color=_INK)
    for row, line in enumerate(lines, 1):
        axes.text(-0.115, row, line.name, transform=beside, fontsize=8, ha="right", va="center", color=line.colour)
        axes.plot(
            [-0.105, -0.045], [row, row], transform=beside, color=line.colour, ls=line.dashes, lw=1.7, clip_on=False
        )
        for day in ticks:
            axes.text(day, row, str(line.curve.at_risk(day)), fontsize=7.5, ha="center", va="center", color=_INK)


def _ticks(lines: Sequence[_Line], most: int) -> range:
    last = _last(lines)
    step = next((s for s in _STEPS_DAYS if last / s <= most), _STEPS_DAYS[-1])
    return range(0, int(last) + 1, step)


def _last(lines: Sequence[_Line]) -> float:
    return max(1.0, *(float(line.curve.follow_up[-1]) for line in lines))


def _scale(axes: Axes, lines: Sequence[_Line], ticks: Sequence[int]) -> None:
    from matplotlib.ticker import FixedLocator, PercentFormatter

    axes.set_xlim(0, _last(lines) * 1.02)
    axes.set_ylim(0, 1.03)
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    _tidy(axes)


def _tidy(axes: Axes) -> None:
    axes.tick_params(labelsize=8, colors=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=_FAINT, lw=0.6)
    axes.set_axisbelow(True)


def _png(figure: Figure, digital: bool) -> bytes:
    """Encode a figure; its top strip is kept free for the word that the patients are digital."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine, strip = figure.get_layout_engine(), _TOP_INCH / figure.get_figheight()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, 0, 1, 1 - strip))
    if digital:
        figure.text(0.99, 1 - strip / 2, DIGITAL, ha="right", va="center", fontsize=9, color="#B00020", weight="bold")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()
