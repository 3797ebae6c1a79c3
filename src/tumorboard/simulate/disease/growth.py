"""How a digital glioblastoma spreads: reaction and diffusion of its cells.

Why it exists: spheres are not tumours. Cells diffuse faster in white than in grey matter, not at all in
fluid, and multiply up to a limit; the day on which each voxel becomes core orders the voxels, so a
lesion of any volume is "the first so many mL". Therapy is that order read backwards with other
irregularity, not cell kill.

Sources: Swanson KR et al., Cell Prolif 2000;33:317-329 (diffusion in white five times that in grey;
logistic growth); Harpold HL et al., J Neuropathol Exp Neurol 2007;66:1-9 (enhancement seen above 80 %
of the largest density). What is called chosen is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from tumorboard.errors import GeometryError
from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.disease.coarse import doubled, halved, is_fine
from tumorboard.simulate.disease.diffusion import FIBRES, along_fibres, conductances, divergence
from tumorboard.simulate.fields import Float, Mask, smooth_field
from tumorboard.volume import Grid

FIRST_CELLS_MM = 5.0
"""Standard deviation of the first cells, mm: wide enough to grow where they are (chosen; near sqrt(D/rho))."""


@dataclass(frozen=True)
class GrowthParameters:
    """Rates, lengths and thresholds of one lesion.

    Parameters
    ----------
    white_mm2_day, grey_mm2_day : float
        Diffusivity of cells, mm²/day (ratio 5: Swanson 2000; level chosen for a steep edge).
    proliferation_day : float
        Net proliferation rate, 1/day (chosen, in the range given for glioblastoma).
    patchiness : float
        Standard deviation of the logarithm of the proliferation rate in space (chosen).
    core_density : float
        Density above which a voxel is core (Harpold 2007).
    raggedness_day : float
        Standard deviation of the irregularity put on the day of arrival, days (chosen).
    rim_mm, rim_sd_mm : float
        Mean thickness of the enhancing rim and its standard deviation along it, mm (chosen).
    leak_mm : float
        Distance over which oedema falls to 1/e in white matter, mm (chosen).
    leak_grey : float
        Diffusivity of oedema in grey as a part of that in white matter (chosen; cortex swells little).
    """

    white_mm2_day: float = 0.17
    grey_mm2_day: float = 0.034
    proliferation_day: float = 0.018
    patchiness: float = 0.35
    core_density: float = 0.8
    raggedness_day: float = 16.0
    rim_mm: float = 5.2
    rim_sd_mm: float = 2.2
    leak_mm: float = 16.0
    leak_grey: float = 0.03


def arrival_days(
    head: Anatomy,
    seed_ijk: tuple[int, int, int],
    core_ml: float,
    rng: np.random.Generator,
    parameters: GrowthParameters,
) -> Float:
    """Grow a tumour and record when each voxel becomes core.

    Explicit Fisher-KPP steps, u' = div(D grad u) + rho u (1 - u), with no flux into fluid, until the core
    holds ``core_ml``.

    Parameters
    ----------
    head : Anatomy
        Where it grows.
    seed_ijk : tuple of int
        Voxel of the first cells.
    core_ml : float
        Core volume to reach, mL.
    rng : numpy.random.Generator
        Source of patchiness.
    parameters : GrowthParameters
        Rates.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        Days; infinite where the tumour never came.

    Raises
    ------
    GeometryError
        The volume cannot be reached from that voxel (it lies in fluid, or the brain is too small).

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> head = draw_anatomy(np.random.default_rng(0), 6.0)
    >>> seed = tuple(np.round(head.grid.to_voxel([30.0, 0.0, 30.0])[0]).astype(int))
    >>> days = arrival_days(head, seed, 5.0, np.random.default_rng(0), GrowthParameters())
    >>> float(np.isfinite(days).sum() * head.grid.voxel_volume_ml) >= 5.0
    True
    """
    if is_fine(head):
        i, j, k = (round(c / 2) for c in seed_ijk)
        coarse = arrival_days(halved(head), (i, j, k), core_ml, rng, parameters)
        return np.where(solid_tissue(head), doubled(coarse, head.grid.shape), np.float32(np.inf))
    box = _box_around(seed_ijk, core_ml, head.grid)
    solid = solid_tissue(head)[box]
    speed = (parameters.white_mm2_day * head.wm + parameters.grey_mm2_day * head.gm)[box] * solid
    patches = parameters.patchiness * smooth_field(head.grid, 14.0, rng)
    rate = np.float32(parameters.proliferation_day) * np.exp(patches[box]) * solid
    step_day = 0.9 * head.grid.spacing_mm[0] ** 2 / (2.0 * sum(FIBRES) * parameters.white_mm2_day)
    conduct = along_fibres(conductances(speed, head.grid.spacing_mm))
    density = _first_cells(seed_ijk, box, head.grid) * solid
    days = np.where(density > parameters.core_density, np.float32(0.0), np.float32(np.inf))
    wanted = core_ml / head.grid.voxel_volume_ml
    for step in range(1, 1200):
        advance(density, conduct, rate, step_day)
        days[(density > parameters.core_density) & np.isinf(days)] = step * step_day
        if np.count_nonzero(np.isfinite(days)) >= wanted:
            whole = np.full(head.grid.shape, np.inf, dtype=np.float32)
            whole[box] = days
            return whole
    raise GeometryError(f"room for a core of {core_ml:g} mL", got="growth that stops before", where="digital tumour")


def advance(density: Float, conduct: list[Float], rate: Float, step_day: float) -> None:
    """Take one explicit step of u' = div(D grad u) + rho u (1 - u), in place.

    Parameters
    ----------
    density : ndarray of float32, shape (i, j, k)
        Cells, 0 to 1.
    conduct : list of ndarray
        From :func:`~tumorboard.simulate.disease.diffusion.conductances`, 1/day.
    rate : ndarray of float32, shape (i, j, k)
        Proliferation, 1/day.
    step_day : float
        Below half the inverse of the sum of the largest conductances, else it is unstable.

    Examples
    --------
    >>> one = np.full((1, 1, 1), 0.5, np.float32)
    >>> advance(one, conductances(one, (1.0, 1.0, 1.0)), np.ones_like(one), 0.1)
    >>> round(float(one[0, 0, 0]), 3)
    0.525
    """
    density += np.float32(step_day) * (divergence(density, conduct) + rate * density * (1 - density))


def solid_tissue(head: Anatomy) -> Mask:
    """Return where cells can live: brain less than half of which is fluid, vessel or dura; shape (i, j, k).

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> head = draw_anatomy(np.random.default_rng(0), 6.0)
    >>> bool((solid_tissue(head) & head.ventricles).any())
    False
    """
    solid = head.brain & (head.csf < 0.5) & ~head.ventricles & (head.vessels < 0.5)
    return np.asarray(solid & (head.others["dura"] < 0.5) if "dura" in head.others else solid)


def core_mask(
    days: Float,
    head: Anatomy,
    volume_ml: float,
    rng: np.random.Generator,
    parameters: GrowthParameters,
    pieces: int = 1,
) -> Mask:
    """Return the first so many mL of a tumour, in one piece, ragged at the edge.

    Parameters
    ----------
    days : ndarray of float32, shape (i, j, k)
        From :func:`arrival_days`.
    head : Anatomy
        Gives the grid.
    volume_ml : float
        Core volume, mL; met within some percent (what breaks off is dropped, holes are filled).
    rng : numpy.random.Generator
        Source of raggedness.
    parameters : GrowthParameters
        ``raggedness_day`` is used.
    pieces : int
        At most so many; smaller ones are dropped.

    Returns
    -------
    ndarray of bool, shape (i, j, k)

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> rng = np.random.default_rng(0)
    >>> head = draw_anatomy(rng, 6.0)
    >>> seed = tuple(np.round(head.grid.to_voxel([30.0, 0.0, 30.0])[0]).astype(int))
    >>> days = arrival_days(head, seed, 20.0, rng, GrowthParameters())
    >>> core = core_mask(days, head, 10.0, rng, GrowthParameters())
    >>> round(float(core.sum() * head.grid.voxel_volume_ml))
    10
    """
    bumps = smooth_field(head.grid, 16.0, rng) + 0.5 * smooth_field(head.grid, 8.0, rng)
    ragged = np.asarray(days + parameters.raggedness_day * bumps, dtype=np.float32)
    mask = first_ml(-ragged, np.isfinite(days), volume_ml, head.grid)
    parts, found = ndi.label(mask)
    if found > pieces:
        largest = 1 + np.argsort(-np.bincount(parts.ravel())[1:], kind="stable")[:pieces]
        mask = np.isin(parts, largest)
    return np.asarray(ndi.binary_fill_holes(mask) & solid_tissue(head))


def white_matter_in(head: Anatomy, box_mm: tuple[tuple[float, float], ...], side: float) -> Mask:
    """Return the white matter within a box of |x|, y, z in MNI mm, on the left (-1) or right (1) side.

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> head = draw_anatomy(np.random.default_rng(0), 6.0)
    >>> frontal = white_matter_in(head, ((22.0, 34.0), (12.0, 36.0), (12.0, 34.0)), -1.0)
    >>> bool(frontal.any()), bool((head.mni_mm[0][frontal] < 0).all())
    (True, True)
    """
    allowed = head.wm > 0.6
    x, y, z = head.mni_mm
    for place, (low, high) in zip((side * x, y, z), box_mm, strict=True):
        allowed &= (place >= low) & (place <= high)
    return allowed


def draw_voxel(allowed: Mask, rng: np.random.Generator) -> tuple[int, int, int]:
    """Draw a voxel of a mask.

    Raises
    ------
    GeometryError
        The mask is empty.

    Examples
    --------
    >>> draw_voxel(np.ones((1, 1, 1), bool), np.random.default_rng(0))
    (0, 0, 0)
    """
    places = np.argwhere(allowed)
    if len(places) == 0:
        raise GeometryError("white matter at the site of a digital tumour", got="none", remedy="use a finer spacing")
    i, j, k = (int(c) for c in places[rng.integers(len(places))])
    return i, j, k


def first_ml(score: Float, allowed: Mask, volume_ml: float, grid: Grid) -> Mask:
    """Return the allowed voxels of highest score that make up a volume.

    Parameters
    ----------
    score : ndarray, shape (i, j, k)
        Order.
    allowed : ndarray of bool, shape (i, j, k)
        Where.
    volume_ml : float
        mL; if less is allowed, all of it is returned, and nothing where it is negative.
    grid : Grid
        Gives the voxel volume.

    Returns
    -------
    ndarray of bool, shape (i, j, k)

    Examples
    --------
    >>> grid = Grid((3, 1, 1), np.diag([10.0, 10.0, 10.0, 1.0]))
    >>> score = np.array([0.1, 0.9, 0.5]).reshape(3, 1, 1)
    >>> first_ml(score, np.ones((3, 1, 1), bool), 2.0, grid).ravel().tolist()
    [False, True, True]
    """
    count = max(0, round(volume_ml / grid.voxel_volume_ml))
    places = np.flatnonzero(allowed)
    ranked = places[np.argsort(-score.ravel()[places], kind="stable")]
    mask = np.zeros(score.shape, dtype=np.bool_)
    mask.ravel()[ranked[:count]] = True
    return mask


def _box_around(seed: tuple[int, int, int], core_ml: float, grid: Grid) -> tuple[slice, slice, slice]:
    """Voxels within three radii of a ball of that volume."""
    reach_mm = 3.0 * (3.0 * core_ml * 1000.0 / (4.0 * np.pi)) ** (1 / 3) + 10.0
    i, j, k = (
        slice(max(0, int(c - reach_mm / s)), min(n, int(c + reach_mm / s) + 1))
        for c, s, n in zip(seed, grid.spacing_mm, grid.shape, strict=True)
    )
    return i, j, k


def _first_cells(seed: tuple[int, int, int], box: tuple[slice, slice, slice], grid: Grid) -> Float:
    """Return a ball of cells with a Gaussian edge, 1 at its centre."""
    axes = np.ogrid[box]
    squares = [((a - c) * s) ** 2 for a, c, s in zip(axes, seed, grid.spacing_mm, strict=True)]
    return np.asarray(np.exp(-(squares[0] + squares[1] + squares[2]) / (2 * FIRST_CELLS_MM**2)), dtype=np.float32)
