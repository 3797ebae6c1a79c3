"""Pictures of predictions: ROC, precision and recall, calibration, decision, survival by risk, learning.

Why it exists: a curve says where a model works, a number only how well on the whole. Each picture carries its interval
or its numbers of patients, and names its world unless that is patients, for pictures travel without their captions.
Colours are those of Okabe and Ito; lines differ in their dashes as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.lab.picture_frame import (
    COLOURS,
    DASHES,
    INK,
    OTHERS,
    above_a_table,
    legend,
    png,
    refusal,
    square,
    told,
    wide,
)
from tumorboard.metrics.calibrate.smooth import CalibrationCurve
from tumorboard.metrics.classify.decision_curve import DecisionCurve
from tumorboard.metrics.classify.roc import Curve
from tumorboard.metrics.plan.learning_curve import CurvePoint
from tumorboard.metrics.survival.kaplan_meier import SurvivalCurve, checked_times, kaplan_meier
from tumorboard.metrics.survival.logrank import log_rank

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

MOST = 4
"""Curves that can be told apart on one pair of axes."""

_STEPS_DAYS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


def roc_picture(curves: Mapping[str, Curve], *, world: str) -> bytes:
    """Draw ROC curves with their areas.

    Parameters
    ----------
    curves : mapping of str to Curve
        From :func:`~tumorboard.metrics.classify.roc.roc_curve`, by name of the model; at most four.
    world : str
        Whose patients (:attr:`Dataset.world`); unless they are ``patients``, the picture says it.

    Returns
    -------
    bytes
        PNG.

    Raises
    ------
    InputError
        No curve, or more than four.

    Examples
    --------
    >>> from tumorboard.metrics.classify.roc import roc_curve
    >>> roc_picture({"model": roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])}, world="digital patients")[1:4]
    b'PNG'
    """
    figure, axes = square("1 \N{MINUS SIGN} specificity", "sensitivity")
    axes.plot([0, 1], [0, 1], color=OTHERS, lw=0.8)
    _curves(axes, curves, "AUC", "default")
    return png(figure, world)


def precision_recall_picture(curves: Mapping[str, Curve], prevalence: float | None, *, world: str) -> bytes:
    """Draw precision against recall, with average precisions and the prevalence.

    Parameters
    ----------
    curves : mapping of str to Curve
        From :func:`~tumorboard.metrics.classify.precision_recall.precision_recall_curve`; at most four.
    prevalence : float or None
        What chance gives; None for curves of several classes.
    world : str
        Whose patients (:attr:`Dataset.world`); unless they are ``patients``, the picture says it.

    Returns
    -------
    bytes
        PNG.

    Raises
    ------
    InputError
        No curve, or more than four.

    Examples
    --------
    >>> from tumorboard.metrics.classify.precision_recall import precision_recall_curve
    >>> curve = precision_recall_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> precision_recall_picture({"model": curve}, 0.5, world="digital patients")[1:4]
    b'PNG'
    """
    figure, axes = square("sensitivity (recall)", "positive predictive value (precision)")
    if prevalence is not None:
        axes.axhline(prevalence, color=OTHERS, lw=0.8)
        axes.text(0.01, prevalence + 0.01, "prevalence", fontsize=7.5, color=OTHERS)
    _curves(axes, curves, "average precision", "steps-pre")
    return png(figure, world)


def _curves(axes: Axes, curves: Mapping[str, Curve], area: str, style: str) -> None:
    if not 1 <= len(curves) <= MOST:
        raise InputError(f"1 to {MOST} curves", got=f"{len(curves)}", where="picture")
    for (name, curve), colour, dashes in zip(curves.items(), COLOURS, DASHES, strict=False):
        label = f"{name}: {area} {told(curve.area)}" if curve.area.known else f"{name}: {curve.area.reason}"
        axes.plot(curve.x, curve.y, color=colour, ls=dashes, lw=1.7, label=label, drawstyle=style)
    legend(axes)


def calibration_picture(curve: CalibrationCurve, title: str = "", *, world: str) -> bytes:
    """Draw observed against predicted: smooth with its band, bins with intervals, and where patients are.

    Parameters
    ----------
    curve : CalibrationCurve
        From :func:`~tumorboard.metrics.calibrate.smooth.calibration_curve`.
    title : str
        Such as slope and intercept.
    world : str
        Whose patients (:attr:`Dataset.world`); unless they are ``patients``, the picture says it.

    Returns
    -------
    bytes
        PNG; without a curve it says why.

    Examples
    --------
    >>> from tumorboard.metrics.calibrate.smooth import calibration_curve
    >>> calibration_picture(calibration_curve([0, 1] * 20, np.linspace(0.1, 0.9, 40)), world="digital patients")[1:4]
    b'PNG'
    """
    if curve.reason:
        return refusal(curve.reason, world)
    figure, axes = square("predicted probability", "observed share")
    axes.plot([0, 1], [0, 1], color=OTHERS, lw=0.8)
    axes.fill_between(curve.predicted, curve.low, curve.high, color=COLOURS[0], alpha=0.15, lw=0)
    axes.plot(curve.predicted, curve.observed, color=COLOURS[0], lw=1.7, label=f"smooth; ICI {told(curve.ici)}")
    x = [one.predicted for one in curve.bins]
    y = [one.observed.value for one in curve.bins]
    ends = [[v - one.observed.low, one.observed.high - v] for v, one in zip(y, curve.bins, strict=True)]
    axes.errorbar(
        x, y, yerr=np.array(ends).T, fmt="o", ms=4, color=COLOURS[1], lw=0.9, label="groups of patients, 95 %"
    )
    for had, sign, name in ((True, 1, "with"), (False, -1, "without")):
        counts, edges = np.histogram(curve.predictions[curve.truth == had], bins=50, range=(0, 1))
        bars = 0.07 * counts / max(counts.max(), 1) * sign
        axes.bar(edges[:-1], bars, 0.018, bottom=-0.13, align="edge", color=INK if had else OTHERS, lw=0)
        axes.text(1.03, -0.13 + 0.04 * sign, name, fontsize=6.5, va="center", color=INK)
    axes.set_ylim(-0.21, 1.03)
    axes.set_yticks(np.arange(6) / 5)
    legend(axes, "upper left")
    axes.set_title(title, fontsize=9, color=INK)
    return png(figure, world)


def decision_picture(curves: Mapping[str, DecisionCurve], *, world: str, highest: float = 1.0) -> bytes:
    """Draw net benefit over thresholds beside acting on everybody and on nobody.

    Parameters
    ----------
    curves : mapping of str to DecisionCurve
        Of the same patients, by name of the model; at most four. The first has its band.
    world : str
        Whose patients (:attr:`Dataset.world`); unless they are ``patients``, the picture says it.
    highest : float
        Threshold up to which it is drawn.

    Returns
    -------
    bytes
        PNG; without a curve it says why.

    Raises
    ------
    InputError
        No curve, or more than four.

    Examples
    --------
    >>> from tumorboard.metrics.classify.decision_curve import decision_curve
    >>> curve = decision_curve([1, 1, 0, 0, 0], [0.9, 0.4, 0.6, 0.2, 0.1])
    >>> decision_picture({"model": curve}, world="digital patients")[1:4]
    b'PNG'
    """
    if not 1 <= len(curves) <= MOST:
        raise InputError(f"1 to {MOST} curves", got=f"{len(curves)}", where="picture")
    first = next(iter(curves.values()))
    if first.reason:
        return refusal(first.reason, world)
    figure, axes = wide("threshold: risk from which on one would act", "net benefit, events per patient")
    shown = first.thresholds <= highest
    axes.plot(first.thresholds[shown], first.treat_all[shown], color=OTHERS, lw=1.2, label="acting on all")
    axes.axhline(0, color=INK, lw=1.0, label="acting on nobody")
    axes.fill_between(first.thresholds[shown], first.low[shown], first.high[shown], color=COLOURS[0], alpha=0.14, lw=0)
    for (name, curve), colour, dashes in zip(curves.items(), COLOURS, DASHES, strict=False):
        kept = curve.thresholds <= highest
        axes.plot(curve.thresholds[kept], curve.model[kept], color=colour, ls=dashes, lw=1.7, label=name)
    axes.set_ylim(-0.12 * first.prevalence, 1.08 * first.prevalence)
    axes.set_xlim(0, highest)
    legend(axes, "upper right")
    return png(figure, world)


def risk_group_picture(
    days: ArrayLike, events: ArrayLike, groups: ArrayLike, names: Sequence[str], *, world: str, share: str = "alive"
) -> bytes:
    """Draw Kaplan-Meier curves of risk groups with bands, numbers at risk and the log-rank test.

    Parameters
    ----------
    days : array_like of float, shape (n,)
        To the event or to the end of follow-up.
    events : array_like of bool, shape (n,)
        Whether it was the event.
    groups : array_like of int, shape (n,)
        From 0; cut on training patients (:func:`~tumorboard.metrics.survival.logrank.risk_groups`).
    names : sequence of str
        Of the groups; at most four.
    world : str
        Whose patients (:attr:`Dataset.world`); unless they are ``patients``, the picture says it.
    share : str
        What is still so.

    Returns
    -------
    bytes
        PNG.

    Raises
    ------
    InputError
        No patient, more than four groups, or a group without a name.

    Examples
    --------
    >>> risk_group_picture([100, 200, 300, 400], [1, 1, 0, 1], [1, 1, 0, 0], ["low", "high"], world="patients")[1:4]
    b'PNG'
    """
    from matplotlib.ticker import PercentFormatter

    t, d = checked_times(days, events)
    codes = np.asarray(groups)
    if (
        not len(t)
        or not 1 <= len(names) <= MOST
        or codes.shape != t.shape
        or not np.isin(codes, range(len(names))).all()
    ):
        raise InputError(f"patients in 1 to {MOST} named groups", got="something else", where="picture")
    curves = {names[c]: kaplan_meier(t[codes == c], d[codes == c]) for c in range(len(names)) if (codes == c).any()}
    figure, axes, below = above_a_table("days", share, len(curves))
    last = max(float(t.max()), 1.0)
    step = next((s for s in _STEPS_DAYS if last / s <= 9), _STEPS_DAYS[-1])
    ticks = range(0, int(last) + 1, step)
    for (_, curve), colour, dashes in zip(curves.items(), COLOURS, DASHES, strict=False):
        _survival(axes, curve, colour, dashes)
    axes.set_xlim(0, last * 1.02)
    axes.set_xticks(list(ticks))
    axes.set_ylim(0, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    test = log_rank(t, d, codes)
    axes.text(0.99, 0.95, _tested(test.p, test.reason), transform=axes.transAxes, fontsize=8, ha="right", color=INK)
    _at_risk(below, curves, ticks)
    return png(figure, world)


def _tested(p: float, reason: str) -> str:
    if reason:
        return f"log-rank: {reason}"
    return "log-rank p < 0.001" if p < 0.001 else f"log-rank p = {p:.3f}"


def _survival(axes: Axes, curve: SurvivalCurve, colour: str, dashes: Any) -> None:
    times = np.append(curve.times, curve.follow_up[-1])
    free, low, high = (np.append(line, line[-1]) for line in (curve.free, curve.low, curve.high))
    axes.step(times, free, where="post", color=colour, ls=dashes, lw=1.7)
    axes.fill_between(times, low, high, step="post", color=colour, alpha=0.14, lw=0)
    heights = [curve.at(day) for day in curve.censored]
    axes.plot(curve.censored, heights, ls="none", marker="|", ms=5, mew=0.9, color=colour)


def _at_risk(axes: Axes, curves: Mapping[str, SurvivalCurve], ticks: range) -> None:
    axes.set_ylim(len(curves) + 0.5, -0.5)
    axes.axis("off")
    beside = axes.get_yaxis_transform()
    axes.text(-0.03, 0, "at risk", transform=beside, fontsize=7.5, ha="right", va="center", color=INK)
    for row, ((name, curve), colour, dashes) in enumerate(zip(curves.items(), COLOURS, DASHES, strict=False), 1):
        axes.text(-0.1, row, name, transform=beside, fontsize=8, ha="right", va="center", color=colour)
        axes.plot([-0.09, -0.03], [row, row], transform=beside, color=colour, ls=dashes, lw=1.7, clip_on=False)
        for day in ticks:
            axes.text(day, row, str(curve.at_risk(day)), fontsize=7.5, ha="center", va="center", color=INK)


def learning_picture(points: Sequence[CurvePoint], metric: str, *, world: str, chance: float | None = None) -> bytes:
    """Draw a metric over the number of training patients: each repeat, their mean, and 10th to 90th percentile.

    Parameters
    ----------
    points : sequence of CurvePoint
        From :func:`~tumorboard.metrics.plan.learning_curve.learning_curve`.
    metric : str
        Its name.
    world : str
        Whose patients (:attr:`Dataset.world`); unless they are ``patients``, the picture says it.
    chance : float, optional
        What guessing gives.

    Returns
    -------
    bytes
        PNG.

    Raises
    ------
    InputError
        There is no point.

    Examples
    --------
    >>> learning_picture([CurvePoint(20, (0.6, 0.7)), CurvePoint(40, (0.7, 0.8))], "AUC", world="digital patients")[1:4]
    b'PNG'
    """
    if not points:
        raise InputError("at least one size", got="none", where="picture")
    figure, axes = wide("training patients", metric)
    x = [point.patients for point in points]
    low, high = zip(*(point.spread for point in points), strict=True)
    axes.fill_between(x, low, high, color=COLOURS[0], alpha=0.14, lw=0, label="10th to 90th percentile of repeats")
    for point in points:
        axes.plot([point.patients] * len(point.scores), point.scores, ".", color=COLOURS[0], ms=3, alpha=0.5)
    axes.plot(x, [point.mean for point in points], color=COLOURS[0], lw=1.7, marker="o", ms=4, label="mean")
    if chance is not None:
        axes.axhline(chance, color=OTHERS, lw=0.8, label="chance")
    axes.set_xlim(0, max(x) * 1.05)
    legend(axes, "lower right")
    return png(figure, world)
