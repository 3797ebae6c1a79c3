"""What enhances in a healthy head: venous sinuses, large arteries and choroid plexus.

Why it exists: on T1C these are as bright as tumour, and a segmenter that never saw them calls them
tumour. Courses are polylines in MNI mm, read off the average by eye (chosen); only what lies inside
the brain mask survives skull-stripping, as in real studies. Dura and the veins of the cortex: :mod:`.meninges`.
"""

from __future__ import annotations

import numpy as np

from tumorboard.atlas.icbm152 import Icbm152
from tumorboard.compiled import compiled
from tumorboard.simulate.fields import Float

Point = tuple[float, float, float]

MIDLINE_VESSELS: dict[str, tuple[float, tuple[Point, ...]]] = {
    "vein of Galen and straight sinus": (2.0, ((0, -38, 4), (0, -44, 8), (0, -60, 4), (0, -84, -8), (0, -98, -12))),
    "internal cerebral veins": (1.2, ((0, 0, 12), (0, -20, 14), (0, -38, 6))),
    "basilar artery": (1.6, ((0, -26, -48), (0, -20, -36), (0, -14, -22))),
    "anterior cerebral arteries": (1.3, ((0, 6, -14), (0, 24, -14), (0, 38, 2), (0, 32, 24), (0, 12, 36))),
}
"""Radius in mm and course in MNI mm of unpaired vessels."""

PAIRED_VESSELS: dict[str, tuple[float, tuple[Point, ...]]] = {
    "transverse sinus": (3.2, ((0, -100, -12), (22, -98, -16), (44, -84, -22), (58, -66, -28), (60, -52, -34))),
    "middle cerebral artery": (1.4, ((6, 2, -16), (18, 6, -16), (32, 6, -14), (41, 0, -6), (42, -14, 4))),
    "internal carotid artery": (1.9, ((10, 10, -30), (9, 4, -22), (8, 2, -16))),
}
"""The same for vessels of both sides, with x >= 0."""

PLEXUS: tuple[float, tuple[Point, ...]] = (
    2.0,
    ((3, 0, 16), (9, -12, 20), (16, -28, 18), (23, -39, 12), (27, -40, 4), (29, -32, -6)),
)
"""Choroid plexus of the lateral ventricle: radius in mm and course in MNI mm, x >= 0."""

SAGITTAL_RADIUS_MM = 3.0
"""Radius of the superior sagittal sinus, mm (chosen; 3 to 5 mm in adults)."""


def vessel_fraction(mni_mm: Float, atlas: Icbm152) -> Float:
    """Return the fraction of each voxel that lies in a large vessel.

    Parameters
    ----------
    mni_mm : ndarray, shape (3, i, j, k)
        Where each voxel lies, MNI mm.
    atlas : Icbm152
        Gives the outline that the superior sagittal sinus follows.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        0 to 1.

    Examples
    --------
    >>> from tumorboard.atlas.icbm152 import icbm152
    >>> place = np.array([0.0, -60.0, 4.0]).reshape(3, 1, 1, 1)
    >>> float(vessel_fraction(place, icbm152(8.0))[0, 0, 0])
    1.0
    """
    courses = [(SAGITTAL_RADIUS_MM, dorsal_midline(atlas)), *MIDLINE_VESSELS.values()]
    for radius, course in PAIRED_VESSELS.values():
        courses += [(radius, course), (radius, _mirrored(course))]
    return tubes(mni_mm, courses)


def plexus_fraction(mni_mm: Float) -> Float:
    """Return the fraction of each voxel in the course of the choroid plexus, shape (i, j, k), 0 to 1.

    Examples
    --------
    >>> float(plexus_fraction(np.array([-23.0, -39.0, 12.0]).reshape(3, 1, 1, 1))[0, 0, 0])
    1.0
    """
    radius, course = PLEXUS
    return tubes(mni_mm, [(radius, course), (radius, _mirrored(course))])


def dorsal_midline(atlas: Icbm152) -> tuple[Point, ...]:
    """Return the upper outline of the brain in the midline plane, front to back, MNI mm.

    Examples
    --------
    >>> from tumorboard.atlas.icbm152 import icbm152
    >>> all(z > -20 for _, _, z in dorsal_midline(icbm152(8.0)))
    True
    """
    grid = atlas.grid
    plane = atlas.brain.data[grid.shape[0] // 2]
    reach = np.arange(20.0, 130.0, 1.0)
    course = []
    for angle in np.radians(np.arange(15.0, 196.0, 7.0)):
        y, z = -18.0 + reach * np.cos(angle), 8.0 + reach * np.sin(angle)
        j, k = grid.to_voxel(np.stack([np.zeros_like(y), y, z], axis=1)).round().astype(int)[:, 1:].T
        valid = (j >= 0) & (j < grid.shape[1]) & (k >= 0) & (k < grid.shape[2])
        inside = np.flatnonzero(valid)[plane[j[valid], k[valid]]]
        course.append((0.0, float(y[inside[-1]]), float(z[inside[-1]])))
    return tuple(course)


def _mirrored(course: tuple[Point, ...]) -> tuple[Point, ...]:
    return tuple((-x, y, z) for x, y, z in course)


def tubes(mm: Float, courses: list[tuple[float, tuple[Point, ...]]]) -> Float:
    """Return the fraction inside round tubes along polylines; the wall is 2 mm soft (partial volume)."""
    fraction = np.zeros(mm.shape[1:], dtype=np.float32)
    places = np.ascontiguousarray(mm.reshape(3, -1), dtype=np.float32)
    for radius, course in courses:
        _fill(fraction.reshape(-1), places, np.asarray(course, dtype=np.float32), radius)
    return fraction


@compiled
def _fill(fraction: Float, places: Float, course: Float, radius: float) -> None:
    reach = radius + 1.0
    low = np.array([course[:, a].min() - reach for a in range(3)])
    high = np.array([course[:, a].max() + reach for a in range(3)])
    for n in range(places.shape[1]):
        x, y, z = places[0, n], places[1, n], places[2, n]
        if x < low[0] or x > high[0] or y < low[1] or y > high[1] or z < low[2] or z > high[2]:
            continue
        nearest = reach * reach
        for s in range(course.shape[0] - 1):
            u, v, w = course[s + 1, 0] - course[s, 0], course[s + 1, 1] - course[s, 1], course[s + 1, 2] - course[s, 2]
            a, b, c = x - course[s, 0], y - course[s, 1], z - course[s, 2]
            along = (a * u + b * v + c * w) / max(u * u + v * v + w * w, 1e-6)
            along = min(max(along, 0.0), 1.0)
            a, b, c = a - along * u, b - along * v, c - along * w
            nearest = min(nearest, a * a + b * b + c * c)
        fraction[n] = max(fraction[n], min(max((reach - np.sqrt(nearest)) / 2.0, 0.0), 1.0))
