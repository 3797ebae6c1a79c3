"""Pictures that only findings draw: a confusion matrix, truth against prediction, measures over time, survival.

Why it exists: every curve that is computed is drawn, in the hand of :mod:`tumorboard.lab.picture_frame`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.lab.picture_frame import COLOURS, DASHES, INK, OTHERS, legend, png, square, told, wide
from tumorboard.metrics.estimate import Estimate
from tumorboard.metrics.survival.calibration import HorizonCalibration


def confusion_picture(table: NDArray[np.int64], names: Sequence[str], *, world: str) -> bytes:
    """Draw a confusion matrix: counts, and shades by share of the true class.

    Parameters
    ----------
    table : ndarray of int, shape (k, k)
        True classes as rows.
    names : sequence of str
        Of the classes.
    world : str
        Whose patients; unless they are ``patients``, the picture says it.

    Returns
    -------
    bytes
        PNG.

    Examples
    --------
    >>> confusion_picture(np.array([[9, 1], [2, 8]]), ("no", "yes"), world="patients")[1:4]
    b'PNG'
    """
    figure, axes = square("said", "true")
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.3)
    for (i, j), n in np.ndenumerate(table):
        colour = "white" if share[i, j] > 0.75 else INK
        axes.text(j, i, f"{n}\n{share[i, j]:.0%}", ha="center", va="center", fontsize=9, color=colour)
    ticks = range(len(names))
    axes.set_xticks(list(ticks), [_short(n) for n in names], rotation=30 if len(names) > 3 else 0)
    axes.set_yticks(list(ticks), [_short(n) for n in names])
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
    axes.grid(visible=False)
    return png(figure, world)


def _short(name: str, most: int = 18) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def agreement_picture(truth: ArrayLike, predicted: ArrayLike, name: str, r2: Estimate, *, world: str) -> bytes:
    """Draw a quantity as predicted against as it was, with the line of equality and the line through the points.

    Parameters
    ----------
    truth, predicted : array_like, shape (n,)
        In the quantity's unit.
    name : str
        Of the quantity.
    r2 : Estimate
        Printed.
    world : str
        As :func:`confusion_picture`.

    Returns
    -------
    bytes
        PNG.

    Examples
    --------
    >>> agreement_picture([1, 2, 3], [1.1, 1.8, 3.2], "volume", Estimate(0.97, 0.9, 1, 3), world="patients")[1:4]
    b'PNG'
    """
    y, x = np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    figure, axes = square(f"{name}, predicted", f"{name}, true")
    ends = np.array([min(y.min(), x.min()), max(y.max(), x.max())])
    ends += np.array([-0.04, 0.04]) * np.ptp(ends)
    axes.plot(ends, ends, color=OTHERS, lw=0.8, label="equality")
    axes.plot(x, y, ls="none", marker="o", ms=3.5, alpha=0.6, color=COLOURS[0], mew=0)
    if np.ptp(x) > 0:
        line = np.polynomial.Polynomial.fit(x, y, 1)
        across = np.array([x.min(), x.max()])
        axes.plot(across, line(across), color=COLOURS[1], lw=1.6, label=f"through the points; R² {told(r2)}")
    axes.set(xlim=ends, ylim=ends)
    legend(axes, "upper left")
    return png(figure, world)


def over_time_picture(
    days: ArrayLike, lines: Mapping[str, Sequence[Estimate]], name: str, chance: float | None = None, *, world: str
) -> bytes:
    """Draw a measure at several days with intervals.

    Parameters
    ----------
    days : array_like, shape (k,)
        Rising.
    lines : mapping of str to sequence of Estimate
        By name of the model, one a day; the first has its band.
    name : str
        Of the measure.
    chance : float, optional
        What guessing gives.
    world : str
        As :func:`confusion_picture`.

    Returns
    -------
    bytes
        PNG.

    Examples
    --------
    >>> over_time_picture([100, 200], {"model": [Estimate(0.7, 0.6, 0.8, 9)] * 2}, "AUC", 0.5, world="patients")[1:4]
    b'PNG'
    """
    figure, axes = wide("days", name)
    at = np.asarray(days, dtype=np.float64)
    if chance is not None:
        axes.axhline(chance, color=OTHERS, lw=0.8)
        axes.text(at[0], chance, "chance", fontsize=7.5, color=OTHERS, va="bottom")
    for n, ((model, found), colour, dashes) in enumerate(zip(lines.items(), COLOURS, DASHES, strict=False)):
        value, low, high = (np.array([getattr(e, side) for e in found]) for side in ("value", "low", "high"))
        axes.plot(at, value, color=colour, ls=dashes, lw=1.7, marker="o", ms=3.5, label=model)
        if not n:
            axes.fill_between(at, low, high, color=colour, alpha=0.14, lw=0, label="95 % interval")
    legend(axes)
    return png(figure, world)


def horizon_picture(found: HorizonCalibration, *, world: str) -> bytes:
    """Draw survival at a day as predicted against Kaplan-Meier, in groups by prediction.

    Parameters
    ----------
    found : HorizonCalibration
        From :func:`~tumorboard.metrics.survival.calibration.horizon_calibration`.
    world : str
        As :func:`confusion_picture`.

    Returns
    -------
    bytes
        PNG.

    Examples
    --------
    >>> from tumorboard.metrics.survival.calibration import RiskBin
    >>> one = RiskBin(0.6, Estimate(0.5, 0.3, 0.7, 20))
    >>> found = HorizonCalibration(365.0, Estimate(1.1, 0.8, 1.5, 20), Estimate(0.9, 0.5, 1.3, 20), (one,))
    >>> horizon_picture(found, world="patients")[1:4]
    b'PNG'
    """
    figure, axes = square("predicted share alive", "share alive, Kaplan-Meier")
    axes.plot([0, 1], [0, 1], color=OTHERS, lw=0.8)
    known = [b for b in found.bins if b.observed.known]
    y = np.array([b.observed.value for b in known])
    ends = np.array([[b.observed.value - b.observed.low, b.observed.high - b.observed.value] for b in known])
    label = f"groups of patients, 95 %\nobserved over expected {told(found.oe)}\nslope {told(found.slope)}"
    if known:
        error = np.nan_to_num(ends).T
        axes.errorbar(
            [b.predicted for b in known], y, yerr=error, fmt="o-", ms=4, lw=1.2, color=COLOURS[0], label=label
        )
        legend(axes, "upper left")
    return png(figure, world)
