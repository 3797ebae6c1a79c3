"""Curves over time of a region: the bolus of DSC or DCE, normalised, as a summary and as points.

Why it exists: a blood volume is one number of a curve; its depth, delay and recovery tell vessels from leakage.

Source: Choi KS et al., Neuro Oncol 2019;21:1197-1209 (D19: DSC curves, IDH); percentage of signal recovery: Cha S et
al., AJNR 2007;28:1078-1084. Sign, window and number of points are chosen.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tumorboard.lab.cohort import NotThere, Series
from tumorboard.lab.cohort.fitted import baseline_points, inside
from tumorboard.lab.represent.base import Job
from tumorboard.lab.represent.cache import Made
from tumorboard.lab.represent.rows import ImageSettings, OfImages
from tumorboard.lab.scene import Mask, Scene
from tumorboard.sequences import Sequence
from tumorboard.transform import resample
from tumorboard.volume import Volume

Float = NDArray[np.float64]

FALLING = frozenset({Sequence.DSC})
"""Series whose signal falls when the bolus comes."""


class CurvesSet(ImageSettings):
    """Settings of :class:`Curves`.

    Parameters
    ----------
    points : int
        Of the curve itself, from the arrival of the bolus to the end, evenly; 0: the summary alone.
    relative : bool
        Heights and areas over those of healthy brain.
    """

    points: int = Field(default=20, ge=0, le=500)
    relative: bool = True


class Curves(OfImages[CurvesSet]):
    """Time to peak, height, recovery, area and points of curves: ``DSC.ET.psr``."""

    name = "curves"
    title = "curves over time (DSC, DCE) of regions"
    source = "Choi KS et al., Neuro Oncol 2019;21:1197-1209; Cha S et al., AJNR 2007;28:1078-1084"
    settings = CurvesSet

    def one(self, scene: Scene, job: Job[CurvesSet]) -> Made:
        """Return the curves of one unit."""
        out: dict[str, float] = {}
        for sequence in job.sequences:
            series = scene.attempt(sequence.value, partial(scene.series, sequence))
            if series is None:
                continue
            start = baseline_points(_sign(sequence) * -series.data[inside(series)].mean(axis=0))
            before = start if sequence in FALLING else 0
            healthy = scene.attempt(f"{sequence.value} healthy", partial(_curve, scene, series, "healthy", before))
            for name in job.regions:
                curve = scene.attempt(f"{sequence.value}.{name}", partial(_curve, scene, series, name, before))
                if curve is not None:
                    normal = healthy if job.settings.relative else None
                    found = summary(curve, start, series.step_s, normal, job.settings.points)
                    out |= {f"{sequence.value}.{name}.{n}": v for n, v in found.items()}
        return Made(out)


def summary(curve: Float, start: int, step_s: float, normal: Float | None = None, points: int = 0) -> dict[str, float]:
    """Return what describes the curve of a bolus.

    Parameters
    ----------
    curve : ndarray, shape (t,)
        Signal of a region; it rises with the bolus (that of DSC is turned over before).
    start : int
        Points before the bolus.
    step_s : float
        Between points.
    normal : ndarray, shape (t,), optional
        The same of healthy brain; heights and areas are divided by its.
    points : int
        Of the curve, from its start on, as shares of its height.

    Returns
    -------
    dict of str to float
        ``ttp_s`` from the arrival; ``height`` and ``area`` as shares of the signal before the bolus (over those of
        healthy brain where it is given); ``psr``, percent of the way back that is gone at the end; ``p01`` ….

    Examples
    --------
    >>> signal = np.array([100.0, 100, 100, 110, 140, 120, 110, 110])
    >>> {k: round(v, 3) for k, v in summary(signal, 3, 2.0).items()}
    {'ttp_s': 4.0, 'height': 0.4, 'area': 1.7, 'psr': 75.0}
    """
    before = float(curve[:start].mean())
    change = (np.asarray(curve, dtype=np.float64) - before) / abs(before) if before else np.full(len(curve), math.nan)
    passed = change[start:]
    at = int(np.nanargmax(passed)) if np.isfinite(passed).any() else 0
    height = float(passed[at])
    # an area by trapezoids, from the last point before the bolus on
    area = float(np.trapezoid(change[start - 1 :], dx=step_s)) if math.isfinite(step_s) else math.nan
    end = float(passed[-max(2, len(passed) // 10) :].mean())
    out = {"ttp_s": (at + 1) * step_s, "height": height, "area": area}
    out["psr"] = 100.0 * (height - end) / height if height > 0 else math.nan
    if normal is not None:
        plain = summary(normal, start, step_s)
        out["height"] = height / plain["height"] if plain["height"] > 0 else math.nan
        out["area"] = area / plain["area"] if plain["area"] > 0 else math.nan
    if points and height > 0:
        places = np.linspace(0, len(passed) - 1, points)
        sampled = np.interp(places, np.arange(len(passed)), passed / height)
        out |= {f"p{n + 1:02d}": float(v) for n, v in enumerate(sampled)}
    return out


def _sign(sequence: Sequence) -> float:
    return -1.0 if sequence in FALLING else 1.0


def _curve(scene: Scene, series: Series, region: str, before: int) -> Float:
    """Return the mean curve of a region on the series' own grid; turned over about its start where that is told."""
    mask: Mask = scene.region(region)
    if not scene.grid.matches(series.grid):
        mask = resample(Volume(mask.astype(np.uint8), scene.grid), series.grid, "nearest").data > 0
    mask = mask & inside(series)
    if not mask.any():
        raise NotThere(f"no {region} on the series")
    mean = series.data[mask].mean(axis=0, dtype=np.float64)
    return np.asarray(2.0 * mean[:before].mean() - mean if before else mean)
