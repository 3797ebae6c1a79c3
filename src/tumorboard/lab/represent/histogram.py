"""Histograms of images and maps in regions: moments, percentiles, and shares of bins.

Why it exists: perfusion and diffusion were read this way for twenty years, and a learned system must beat it. Values
without a unit mean something only relative to tissue of the same patient, so they can be divided by it.

Source: Emblem KE et al., Radiology 2008;247:808-817 (whole-tumour rCBV histograms; E7); percentiles of ADC as in Kang Y
et al., Radiology 2011;261:882-890.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tumorboard.lab.cohort import NotThere
from tumorboard.lab.represent.base import Job
from tumorboard.lab.represent.cache import Made
from tumorboard.lab.represent.rows import ImageSettings, OfImages
from tumorboard.lab.scene import Scene
from tumorboard.sequences import USED, Sequence

LEAST_VOXELS = 3
"""Fewer have no skewness worth the name."""


class HistogramSet(ImageSettings):
    """Settings of :class:`Histogram`.

    Parameters
    ----------
    percentiles : tuple of float
        0 to 100.
    relative_to : str
        ``none``, or tissue whose median values are divided by: ``contralateral``, ``healthy`` or ``brain``. Images of
        the four sequences are scaled by the brain already, and have no ratio.
    bins : int
        Shares of voxels in so many bins of one width; 0: none.
    low, high : float
        Where bins begin and end, in the unit used; what lies beyond counts in the outer ones.
    """

    percentiles: tuple[float, ...] = (5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0)
    relative_to: Literal["none", "contralateral", "healthy", "brain"] = "none"
    bins: int = Field(default=0, ge=0, le=1000)
    low: float = 0.0
    high: float = 10.0


class Histogram(OfImages[HistogramSet]):
    """Mean, deviation, skewness, kurtosis, percentiles and shares of bins: ``CBV.ET.p90``."""

    name = "histogram"
    title = "histograms of images and maps in regions"
    source = "Emblem KE et al., Radiology 2008;247:808-817"
    settings = HistogramSet

    def one(self, scene: Scene, job: Job[HistogramSet]) -> Made:
        """Return the histograms of one unit."""
        out: dict[str, float] = {}
        how = job.settings
        for name, image, mask in scene.pairs(job.sequences, job.regions):
            try:
                by = reference(scene, Sequence(name.split(".", 1)[0]), how.relative_to)
                found = histogram(image.data[mask] / by, how)
            except NotThere as error:
                scene.gaps[name] = error.why
                continue
            out |= {f"{name}.{n}": v for n, v in found.items()}
        return Made(out)


def histogram(values: NDArray[np.floating], how: HistogramSet) -> dict[str, float]:
    """Return what describes the distribution of values.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Of a region; what is not finite is left out.
    how : HistogramSet
        Percentiles and bins.

    Returns
    -------
    dict of str to float
        ``skewness`` and ``kurtosis`` are 0 for a normal distribution, and NaN where all values are equal.

    Raises
    ------
    NotThere
        Fewer than three values.

    Examples
    --------
    >>> found = histogram(np.arange(101.0), HistogramSet(percentiles=(90.0,)))
    >>> found["mean"], found["p90"], found["skewness"], round(found["kurtosis"], 2)
    (50.0, 90.0, 0.0, -1.2)
    """
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    if len(x) < LEAST_VOXELS:
        raise NotThere(f"fewer than {LEAST_VOXELS} voxels")
    away, sd = x - x.mean(), float(x.std())
    flat = sd <= 1e-12 * max(abs(float(x.mean())), 1e-300)
    out = {"mean": float(x.mean()), "sd": sd}
    out["skewness"] = float("nan") if flat else float((away**3).mean() / sd**3)
    out["kurtosis"] = float("nan") if flat else float((away**4).mean() / sd**4 - 3.0)
    out |= {f"p{p:g}": float(v) for p, v in zip(how.percentiles, np.percentile(x, how.percentiles), strict=True)}
    if how.bins:
        edges = np.linspace(how.low, how.high, how.bins + 1)
        counts, _ = np.histogram(np.clip(x, how.low, how.high), edges)
        out |= {f"bin{n + 1:03d}": float(c) / len(x) for n, c in enumerate(counts)}
    return out


def reference(scene: Scene, sequence: Sequence, tissue: str) -> float:
    """Return the median of a tissue on an image that values are divided by; 1 where nothing is.

    Raises
    ------
    NotThere
        There is no such tissue, or its median is not above 0.
    """
    if tissue == "none" or sequence in USED:
        return 1.0
    image = scene.image(sequence).data
    inside = scene.region(tissue) & np.isfinite(image)
    median = float(np.median(image[inside])) if inside.any() else 0.0
    if not median > 0:
        raise NotThere(f"no {tissue} tissue to divide by")
    return median
