"""Radial swelling: what a growing mass does to the tissue around it, and what age does to ventricles.

Why it exists: without displacement a tumour replaces tissue and shifts nothing. Places near a centre are read from
closer to it, so that what lies there looks larger and pushes the rest away. The map is one-to-one: its radial
derivative 1 - a exp(-q) (1 - 2q), q = (r/R)², stays above 1 - a, and a is below 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tumorboard.simulate.fields import Float

LARGEST = 0.45
"""Largest amount: beyond it pictures look burst (chosen)."""


@dataclass(frozen=True)
class Bulge:
    """A swelling.

    Parameters
    ----------
    centre_mm : (float, float, float)
        In the frame of the places it is applied to.
    radius_mm : (float, float, float)
        Along x, y, z: where it falls to 1/e.
    amount : float
        -0.45 (shrinks) to 0.45; 0 does nothing.

    Raises
    ------
    ValueError
        An amount outside, or a radius that is not positive.

    Examples
    --------
    >>> Bulge((0, 0, 0), (10, 10, 10), 0.2).amount
    0.2
    """

    centre_mm: tuple[float, float, float]
    radius_mm: tuple[float, float, float]
    amount: float

    def __post_init__(self) -> None:
        if not abs(self.amount) <= LARGEST:
            raise ValueError(f"expected an amount within {LARGEST:g}; got {self.amount:g}")
        if min(self.radius_mm) <= 0:
            raise ValueError(f"expected radii above 0 mm; got {self.radius_mm}")


def bulged(mm: Float, bulge: Bulge, hold: Float | None = None) -> Float:
    """Return where what is seen at each place comes from.

    Parameters
    ----------
    mm : ndarray, shape (3, ...)
        Places, mm.
    bulge : Bulge
        Swelling.
    hold : ndarray, optional
        0 where nothing may move (bone), 1 where it may; smooth.

    Returns
    -------
    ndarray of float32, shape (3, ...)

    Examples
    --------
    >>> swelling = Bulge((0, 0, 0), (10, 10, 10), 0.3)
    >>> at = np.array([[5.0, 60.0], [0.0, 0.0], [0.0, 0.0]], np.float32)
    >>> [round(float(x), 2) for x in bulged(at, swelling)[0]]
    [3.83, 60.0]
    """
    shape = (3,) + (1,) * (np.ndim(mm) - 1)
    centre = np.asarray(bulge.centre_mm, dtype=np.float32).reshape(shape)
    away = np.asarray(mm, dtype=np.float32) - centre
    q = ((away / np.asarray(bulge.radius_mm, dtype=np.float32).reshape(shape)) ** 2).sum(axis=0)
    pull = np.float32(bulge.amount) * np.exp(-q)
    return np.asarray(mm - away * (pull if hold is None else pull * hold), dtype=np.float32)


def radius_of(volume_ml: float) -> float:
    """Return the radius at which the swelling around a tumour falls to 1/e, mm (chosen).

    Examples
    --------
    >>> round(radius_of(65.4498), 1)  # a ball of 50 mm
    48.0
    """
    return float(1.6 * (3.0 * volume_ml * 1000.0 / (4.0 * np.pi)) ** (1 / 3) + 8.0)


def before_swelling(volume_ml: float, amount: float) -> float:
    """Return the volume of a ball that swells to a given volume (mL).

    Parameters
    ----------
    volume_ml : float
        After, above 0.
    amount : float
        Of the swelling, whose radius follows the volume before (:func:`radius_of`).

    Returns
    -------
    float
        mL.

    Examples
    --------
    >>> before_swelling(50.0, 0.0), 25 < before_swelling(50.0, 0.2) < 40
    (50.0, True)
    """
    after = (3.0 * volume_ml * 1000.0 / (4.0 * np.pi)) ** (1 / 3)
    before = after
    for _ in range(30):
        radius = radius_of(4.0 / 3.0 * np.pi * before**3 / 1000.0)
        before = after * (1.0 - amount * float(np.exp(-((after / radius) ** 2))))
    return float(volume_ml * (before / after) ** 3)
