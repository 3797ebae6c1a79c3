"""Dura, pituitary and veins of the cortex: healthy things that enhance and are mistaken for tumour.

Why it exists: a segmenter that has never seen enhancing falx, tentorium or a cortical vein calls them disease. Sheets
are surfaces in MNI space placed by eye (chosen); veins run at random over the brain's surface towards the midline.
"""

from __future__ import annotations

import numpy as np

from tumorboard.simulate.body.vessels import Point, tubes
from tumorboard.simulate.fields import Float

FALX_MM = 1.3
CONVEXITY_MM = 1.6
"""Thickness of dura in the midline, and at the brain's surface, mm (chosen; what is left after skull-stripping)."""

VEIN_MM = (0.5, 1.1)
"""Radius of cortical veins, mm (chosen)."""

PITUITARY: tuple[Point, Point] = ((0.0, 2.0, -32.0), (6.0, 4.5, 4.5))
"""Centre and half axes in MNI mm (chosen by eye)."""


def dura_fraction(mni_mm: Float, depth_mm: Float, remnant: Float) -> Float:
    """Return the fraction of each voxel that is dura.

    Parameters
    ----------
    mni_mm : ndarray, shape (3, i, j, k)
        Where each voxel lies, MNI mm.
    depth_mm : ndarray, shape (i, j, k)
        Distance from outside of the brain, mm; 0 outside.
    remnant : ndarray, shape (i, j, k)
        How much dura stripping left at the surface, 0 to 1.

    Returns
    -------
    ndarray of float32, shape (i, j, k)

    Examples
    --------
    >>> mm = np.zeros((3, 1, 1, 1), np.float32); mm[1:] = 60.0
    >>> float(dura_fraction(mm, np.full((1, 1, 1), 9.0, np.float32), np.zeros((1, 1, 1), np.float32))[0, 0, 0])
    1.0
    """
    x, y, z = mni_mm
    # between the hemispheres, above and behind the corpus callosum
    bow = np.sqrt((y + 18.0) ** 2 + (z - 2.0) ** 2)
    falx = _sheet(np.abs(x), FALX_MM) * np.clip((bow - 46.0) / 3.0, 0.0, 1.0) * np.clip((z + 8.0) / 4.0, 0.0, 1.0)
    # a tent over the cerebellum: highest in the middle, open in front
    tent = -2.0 - 0.35 * np.abs(x) - 0.28 * np.clip(-y - 45.0, 0.0, None)
    behind = np.clip((-y - 40.0 - 0.4 * np.abs(x)) / 4.0, 0.0, 1.0) + np.clip((np.abs(x) - 26.0) / 4.0, 0.0, 1.0) * (
        y < -32.0
    )
    tentorium = _sheet(np.abs(z - tent), FALX_MM) * np.clip(behind, 0.0, 1.0)
    edge = np.clip(CONVEXITY_MM + 1.0 - depth_mm, 0.0, 1.0) * remnant
    return np.asarray(np.maximum.reduce([falx, tentorium, edge]) * (depth_mm > 0), dtype=np.float32)


def pituitary_fraction(mni_mm: Float) -> Float:
    """Return the fraction of each voxel in the pituitary, 0 to 1."""
    centre, half = (np.reshape(np.asarray(p, dtype=np.float32), (3, 1, 1, 1)) for p in PITUITARY)
    away = np.sqrt((((mni_mm - centre) / half) ** 2).sum(axis=0))
    return np.asarray(np.clip((1.1 - away) / 0.2, 0.0, 1.0), dtype=np.float32)


def cortical_veins(mni_mm: Float, depth_mm: Float, rng: np.random.Generator, most: int = 22) -> Float:
    """Draw veins that run over the surface of the hemispheres.

    Parameters
    ----------
    mni_mm : ndarray, shape (3, i, j, k)
        Where each voxel lies, MNI mm.
    depth_mm : ndarray, shape (i, j, k)
        Distance from outside of the brain, mm; 0 outside.
    rng : numpy.random.Generator
        Source.
    most : int
        Of that many veins at least half are drawn.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        0 to 1.
    """
    drawn = []
    top = float(mni_mm[2][depth_mm > 0].max())
    for _ in range(int(rng.integers(most // 2, most + 1))):
        side, angle = rng.choice([-1.0, 1.0]), rng.uniform(0.25, 1.45)
        y = rng.uniform(-80.0, 45.0)
        lean = rng.uniform(-0.6, 0.6)
        course = [_surface(side, a, y + lean * 40.0 * (a - angle), top) for a in np.linspace(0.1, angle, 7)]
        wobble = rng.normal(0.0, 2.0, (len(course), 3))
        wobbled = tuple(_point(np.asarray(p) + w) for p, w in zip(course, wobble, strict=True))
        drawn.append((float(rng.uniform(*VEIN_MM)), wobbled))
    return np.asarray(tubes(mni_mm, drawn) * ((depth_mm > 0) & (depth_mm < 9.0)), dtype=np.float32)


def _surface(side: float, angle: float, y: float, top: float) -> Point:
    """Return a point some mm below the surface of an ellipsoid that holds the hemispheres."""
    along = np.sqrt(max(0.05, 1.0 - ((y + 18.0) / 88.0) ** 2))
    return (float(side * 64.0 * along * np.sin(angle)), y, float(8.0 + (top - 12.0) * along * np.cos(angle)))


def _point(p: np.ndarray) -> Point:
    return (float(p[0]), float(p[1]), float(p[2]))


def _sheet(away_mm: Float, thickness_mm: float) -> Float:
    return np.asarray(np.clip(thickness_mm / 2 + 0.5 - away_mm, 0.0, 1.0), dtype=np.float32)
