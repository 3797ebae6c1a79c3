"""What lies around a brain: fluid, skull, scalp, face, eyes, air and neck, as a map of tissues.

Why it exists: preparation, defacing and DICOM must be tried on whole heads, and nobody's head may be
shipped. The skull follows the distance from the brain; everything else is an ellipsoid placed by eye, so
it is anatomy for software, never for people. It grows no ears of its own, no teeth, no single bone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.simulate.fields import Float, Mask
from tumorboard.volume import Grid, box_around

TISSUES = ("air", "fluid", "bone", "marrow", "muscle", "fat", "skin", "humour", "lens", "mucosa", "cord")
"""Values of the map, from 0."""

LAYERS_MM: tuple[tuple[str, float], ...] = (
    *(("fluid", 2.0), ("bone", 3.6), ("marrow", 6.4), ("bone", 8.0)),
    *(("muscle", 9.2), ("fat", 13.6), ("skin", 15.6)),
)
"""Tissue up to that distance from the closed brain, mm, from within (chosen; an adult's calvaria is 6 to 7 mm)."""

DEPTHS_MM: tuple[tuple[str, float], ...] = (("skin", 2.0), ("fat", 5.5))
"""The same for the soft parts below the skull, from without; deeper lies muscle."""

SCALP_MM = 8.0
"""Where the scalp begins: the skull is kept whole up to here, also inside the face."""

CLOSING_MM = 9.0
"""The skull does not follow sulci narrower than twice this."""


@dataclass(frozen=True)
class Blob:
    """An ellipsoid of one tissue.

    Parameters
    ----------
    tissue : str
        One of :data:`TISSUES`.
    centre_mm : (float, float, float)
        From the middle of the brain's box: right, front, up. With ``x`` above 0 there is one on each side.
    radii_mm : (float, float, float)
        Half axes along the same directions.
    """

    tissue: str
    centre_mm: tuple[float, float, float]
    radii_mm: tuple[float, float, float]


OUTLINE: tuple[Blob, ...] = (
    Blob("skin", (0, -34, -150), (62, 60, 130)),  # neck
    Blob("skin", (0, 46, -76), (60, 58, 66)),  # face
    Blob("skin", (0, 60, -122), (40, 40, 24)),  # chin
    Blob("skin", (38, 66, -66), (26, 28, 26)),  # cheeks
    Blob("skin", (31, 78, -46), (21, 22, 18)),  # lids
    Blob("skin", (0, 90, -50), (10, 18, 20)),  # bridge of the nose
    Blob("skin", (0, 100, -68), (14, 25, 13)),  # tip of the nose
    Blob("skin", (42, 34, -56), (32, 46, 40)),  # temples and jaws
    Blob("skin", (48, -22, -62), (32, 40, 34)),  # behind the ears
    Blob("skin", (82, -14, -40), (8, 16, 28)),  # ears
)
"""Soft parts that stand out from the scalp."""

INSIDE: tuple[Blob, ...] = (
    Blob("bone", (0, 62, -86), (30, 30, 13)),  # upper jaw
    Blob("marrow", (0, 62, -86), (27, 27, 10)),
    Blob("bone", (0, 62, -120), (32, 28, 9)),  # lower jaw
    Blob("marrow", (0, 62, -120), (29, 25, 6)),
    Blob("muscle", (0, 46, -104), (24, 34, 18)),  # tongue
    Blob("mucosa", (0, 66, -66), (18, 36, 19)),  # nose
    Blob("air", (5.5, 66, -66), (3.5, 33, 16)),
    Blob("mucosa", (29, 62, -70), (14, 17, 16)),  # maxillary sinuses
    Blob("air", (29, 62, -70), (12.5, 15.5, 14.5)),
    Blob("bone", (0, 28, -46), (20, 18, 14)),  # sphenoid and clivus
    Blob("air", (0, 34, -46), (13, 11, 9)),
    Blob("bone", (54, -30, -56), (15, 17, 18)),  # mastoids
    Blob("air", (54, -30, -56), (8, 10, 11)),
    Blob("mucosa", (0, 18, -120), (13, 9, 56)),  # pharynx
    Blob("air", (0, 18, -120), (10, 6, 53)),
    Blob("fat", (31, 62, -46), (18, 30, 16)),  # orbits
    Blob("muscle", (31, 62, -46), (5, 26, 4)),  # optic nerves, and the muscles as one
    Blob("muscle", (32, 80, -46), (13, 13, 13)),  # eyes: their wall, humour and lens
    Blob("humour", (32, 80, -46), (12, 12, 12)),
    Blob("lens", (32, 89, -46), (4.5, 2.2, 4.5)),
)
"""What lies within, painted in this order: never into the skull's vault or the brain."""

VERTEBRAE_MM = (-84.0, -101.0, -118.0, -135.0)
"""Heights of the vertebral bodies."""

SPINE: tuple[Blob, ...] = (
    *(Blob("bone", (0, -4, z), (14, 11, 8)) for z in VERTEBRAE_MM),
    *(Blob("marrow", (0, -4, z), (12.5, 9.5, 6.5)) for z in VERTEBRAE_MM),
    Blob("bone", (0, -32, -140), (16, 13, 68)),
    Blob("fluid", (0, -26, -140), (11, 9, 85)),
    Blob("cord", (0, -26, -140), (6, 5, 85)),
)
"""The upper neck."""


def draw_shell(brain: Mask, grid: Grid) -> NDArray[np.uint8]:
    """Return which tissue lies where around a brain.

    Parameters
    ----------
    brain : ndarray of bool, shape (i, j, k)
        On ``grid``; not empty.
    grid : Grid
        RAS, axis-aligned, large enough to hold the head.

    Returns
    -------
    ndarray of uint8, shape (i, j, k)
        Index into :data:`TISSUES`; ``fluid`` inside the brain.

    Examples
    --------
    >>> places = np.indices((60, 60, 60)) - np.array([30, 30, 36]).reshape(3, 1, 1, 1)
    >>> brain = ((places * 5.0) ** 2).sum(axis=0) < 70.0**2
    >>> shell = draw_shell(brain, Grid((60, 60, 60), np.diag([5.0, 5.0, 5.0, 1.0])))
    >>> [TISSUES[shell[30, 30, k]] for k in (36, 59)]
    ['fluid', 'air']
    """
    ball = distance_from(brain, grid) <= CLOSING_MM
    away = distance_from((distance_from(~ball, grid) > CLOSING_MM) | brain, grid)
    places = _places(brain, grid)
    shell = _soft_parts(away, places, grid)
    vault = away <= SCALP_MM
    for inner, (tissue, outer) in zip((-1.0, *(mm for _, mm in LAYERS_MM)), LAYERS_MM, strict=False):
        ring = (away > inner) & (away <= outer)
        shell[ring & (vault | (shell == 0))] = TISSUES.index(tissue)
    for blob in INSIDE:
        _paint(shell, blob, places, ~vault & (shell > 0))
    for blob in SPINE:  # the canal opens into the skull
        _paint(shell, blob, places, (shell > 0) & (away > LAYERS_MM[0][1]))
    shell[brain] = TISSUES.index("fluid")
    return shell


def distance_from(mask: Mask, grid: Grid) -> Float:
    """Return the distance of every voxel from a mask, mm; 0 inside.

    Examples
    --------
    >>> mask = np.zeros((3, 1, 1), bool); mask[0] = True
    >>> distance_from(mask, Grid((3, 1, 1), np.diag([2.0, 1.0, 1.0, 1.0]))).ravel().tolist()
    [0.0, 2.0, 4.0]
    """
    return np.asarray(ndi.distance_transform_edt(~mask, sampling=grid.spacing_mm), dtype=np.float32)


def _soft_parts(away: Float, places: list[Float], grid: Grid) -> NDArray[np.uint8]:
    """Paint the soft parts of face and neck by their depth below the skin."""
    soft = np.zeros(grid.shape, dtype=np.bool_)
    for blob in OUTLINE:
        soft |= _inside(blob, places)
    depth = distance_from(~(soft | (away <= LAYERS_MM[-1][1])), grid)
    shell = np.zeros(grid.shape, dtype=np.uint8)
    shell[soft] = TISSUES.index("muscle")
    for (tissue, deepest), least in zip(DEPTHS_MM, (0.0, *(mm for _, mm in DEPTHS_MM)), strict=False):
        shell[soft & (depth > least) & (depth <= deepest)] = TISSUES.index(tissue)
    return shell


def _paint(shell: NDArray[np.uint8], blob: Blob, places: list[Float], where: Mask) -> None:
    shell[_inside(blob, places) & where] = TISSUES.index(blob.tissue)


def _inside(blob: Blob, places: list[Float]) -> Mask:
    x, y, z = places
    across = np.abs(x) if blob.centre_mm[0] > 0 else x
    parts = zip((across, y, z), blob.centre_mm, blob.radii_mm, strict=True)
    a, b, c = (((place - centre) / radius) ** 2 for place, centre, radius in parts)
    return np.asarray(a + b + c < 1.0)


def _places(brain: Mask, grid: Grid) -> list[Float]:
    """Return mm from the middle of the brain's box along each axis; the shapes broadcast."""
    box = box_around(brain)
    if box is None:
        raise ValueError("expected a brain; got an empty mask")
    out = []
    for axis, (n, spacing, part) in enumerate(zip(grid.shape, grid.spacing_mm, box, strict=True)):
        middle = (part.start + part.stop - 1) / 2
        shape = [n if a == axis else 1 for a in range(3)]
        out.append(((np.arange(n) - middle) * spacing).astype(np.float32).reshape(shape))
    return out
