"""Small round lesions: metastases and lymphoma, as smooth ragged balls with their own oedema.

Why it exists: what grows from a single deposit needs no reaction and diffusion; its size, place, wall and number do
the work. A focus is a ball whose radius varies with direction; shares at its edge are partial volume, so that a
lesion of 2 mm is seen at 1 and at 2 mm voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tumorboard.simulate.fields import Float
from tumorboard.volume import Grid

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Focus:
    """A lesion before it is drawn.

    Parameters
    ----------
    centre_ijk : (int, int, int)
        Voxel.
    diameter_mm : float
        Of the ball of its volume.
    wall_mm : float
        Thickness of the enhancing wall; as large as the radius or larger for solid ones.
    inside : str
        Matter within the wall.
    wall : str
        Matter of the wall.
    oedema : float
        Volume of oedema as a multiple of the lesion's.
    ragged : float
        Relative standard deviation of the radius.
    """

    centre_ijk: tuple[int, int, int]
    diameter_mm: float
    wall_mm: float
    inside: str = "necrosis"
    wall: str = "metastasis"
    oedema: float = 3.0
    ragged: float = 0.12


def ball(focus: Focus, grid: Grid, rng: np.random.Generator) -> tuple[Box, Float, Float]:
    """Return the share of the lesion and of what lies within its wall, in a box.

    Parameters
    ----------
    focus : Focus
        Which.
    grid : Grid
        RAS, isotropic or not.
    rng : numpy.random.Generator
        Source of its shape.

    Returns
    -------
    box : tuple of slice
        Where.
    whole, inner : ndarray of float32
        Shares, 0 to 1, shape of the box.

    Examples
    --------
    >>> grid = Grid((40, 40, 40), np.eye(4))
    >>> box, whole, inner = ball(Focus((20, 20, 20), 10.0, 2.0, ragged=0.0), grid, np.random.default_rng(0))
    >>> round(float(whole.sum())), round(float(inner.sum()))  # pi/6 10^3 = 524 mm3, pi/6 6^3 = 113 mm3
    (524, 113)
    """
    radius = focus.diameter_mm / 2
    reach = 1.5 * radius + 2.0
    box = tuple(
        slice(max(0, int(c - reach / s)), min(n, int(c + reach / s) + 2))
        for c, s, n in zip(focus.centre_ijk, grid.spacing_mm, grid.shape, strict=True)
    )
    i, j, k = box
    fine, shape = _supersampled((i, j, k), focus.centre_ijk, grid)
    distance = np.sqrt((fine**2).sum(axis=0))
    local = radius * (1.0 + _bumps(fine, distance, rng, focus.ragged))
    whole = _mean(distance <= local, shape)
    inner = _mean(distance <= local - focus.wall_mm, shape)
    return (i, j, k), whole, inner


FINE = 4
"""Points along each edge of a voxel."""


def _supersampled(box: Box, centre: tuple[int, int, int], grid: Grid) -> tuple[Float, tuple[int, int, int]]:
    axes = []
    for part, c, s in zip(box, centre, grid.spacing_mm, strict=True):
        n = part.stop - part.start
        axes.append(((part.start + (np.arange(n * FINE) + 0.5) / FINE - 0.5 - c) * s).astype(np.float32))
    i, j, k = (part.stop - part.start for part in box)
    return np.stack(np.meshgrid(*axes, indexing="ij")), (i, j, k)


def _bumps(at: Float, distance: Float, rng: np.random.Generator, ragged: float) -> Float:
    """Sum a few smooth waves over directions; mean 0."""
    unit = at / np.maximum(distance, 1e-3)
    out = np.zeros(distance.shape, dtype=np.float32)
    for _ in range(5):
        wave = rng.normal(0.0, 2.2, 3).astype(np.float32)
        out += np.cos(np.tensordot(wave, unit, axes=1) + np.float32(rng.uniform(0, 2 * np.pi)))
    return np.asarray(ragged * (out - out.mean()) / np.sqrt(2.5), dtype=np.float32)


def _mean(inside: np.ndarray, shape: tuple[int, int, int]) -> Float:
    i, j, k = shape
    return np.asarray(inside.reshape(i, FINE, j, FINE, k, FINE).mean(axis=(1, 3, 5)), dtype=np.float32)
