"""One person's healthy head: the average brain, warped so that it is nobody's and everybody's no more.

Why it exists: a tumour needs a brain to grow in. The warp is a scaling, a rotation and two smooth
B-spline displacements whose control values stay within the bound that keeps the map one-to-one, so
tissue is never folded. It invents no sulci: the cortex is as smooth as the average's. The average is symmetric, so
that a mirror image would be no other head; left and right differ by the warp.

Source of the bound: Choi Y, Lee S, Graphical Models 2000;62:411-427 (0.403 of the control distance in 3-D).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.atlas.icbm152 import icbm152
from tumorboard.simulate.body.bulge import Bulge, bulged
from tumorboard.simulate.body.meninges import cortical_veins, dura_fraction, pituitary_fraction
from tumorboard.simulate.body.vessels import plexus_fraction, vessel_fraction
from tumorboard.simulate.fields import Float, Mask, control_shape, lattice_position, smooth_field
from tumorboard.simulate.sampling import sampled
from tumorboard.volume import Grid, box_around

COARSE_MM = 4.0
"""Warps are drawn at this spacing or coarser and interpolated: their finest control distance is 14 mm."""

VENTRICLES_MM = ((0.0, -10.0, 12.0), (34.0, 52.0, 28.0))
"""Middle and extent of the swelling around the ventricles, MNI mm (chosen)."""

INJECTIVITY_BOUND = 0.4
"""Largest control displacement as a part of the control distance; below 0.403 the warp cannot fold."""


@dataclass(frozen=True)
class AnatomyParameters:
    """How far a head may differ from the average; all chosen.

    Parameters
    ----------
    size_range : (float, float)
        Scaling along each axis (pure number).
    rotation_sd_deg : float
        Standard deviation of the rotation about each axis, degrees.
    warps_mm : tuple of (float, float)
        Control distance and standard deviation of the control displacement, mm, coarse first.
    fluid_gain : float
        Weight of CSF before sharpening: the average is of young adults, the digital patient is older (pure number).
    ventricles : (float, float)
        Mean and standard deviation of the swelling around the ventricles (see :mod:`.bulge`; pure number).
    sharpness : float
        Power to which tissue fractions are raised before they are made to sum to 1 again: undoes some of
        the blur of averaging 152 people (pure number).
    """

    size_range: tuple[float, float] = (0.93, 1.0)
    rotation_sd_deg: float = 2.5
    warps_mm: tuple[tuple[float, float], ...] = ((40.0, 6.0), (14.0, 3.0))
    fluid_gain: float = 1.5
    ventricles: tuple[float, float] = (0.18, 0.07)
    sharpness: float = 2.0

    @classmethod
    def of_age(cls, years: float) -> AnatomyParameters:
        """Return parameters of an age: more fluid and larger ventricles with the years (chosen).

        Examples
        --------
        >>> AnatomyParameters.of_age(80.0).fluid_gain > AnatomyParameters.of_age(30.0).fluid_gain
        True
        """
        decades = (np.clip(years, 18.0, 90.0) - 60.0) / 10.0
        return cls(fluid_gain=float(1.5 + 0.13 * decades), ventricles=(float(0.18 + 0.04 * decades), 0.06))


@dataclass(frozen=True)
class Anatomy:
    """A healthy digital brain; every array is float32 of shape (i, j, k) on ``grid`` unless said.

    Parameters
    ----------
    grid : Grid
        RAS mm.
    gm, wm, csf : ndarray
        Tissue fractions, 0 to 1; they sum to 1 in the brain.
    t1 : ndarray
        The average's T1 intensity (0 to 1), for contrast within a tissue.
    brain, ventricles : ndarray of bool
        Masks.
    vessels, plexus : ndarray
        Fraction of each voxel in venous sinuses and large arteries, and in choroid plexus.
    mni_mm : ndarray, shape (3, i, j, k)
        Where each voxel lies in MNI space, mm.
    others : mapping of str to ndarray
        Further healthy things that enhance, by matter: ``dura``, ``pituitary``.
    """

    grid: Grid
    gm: Float
    wm: Float
    csf: Float
    t1: Float
    brain: NDArray[np.bool_]
    ventricles: NDArray[np.bool_]
    vessels: Float
    plexus: Float
    mni_mm: Float
    others: Mapping[str, Float] = field(default_factory=dict)


def draw_anatomy(
    rng: np.random.Generator, spacing_mm: float = 2.0, parameters: AnatomyParameters | None = None
) -> Anatomy:
    """Draw a healthy head.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all differences from the average.
    spacing_mm : float
        Voxel size, mm (see :func:`tumorboard.atlas.icbm152.icbm152`).
    parameters : AnatomyParameters or None
        ``None`` for the defaults.

    Returns
    -------
    Anatomy

    Raises
    ------
    GeometryError
        The spacing is one the atlas refuses.

    Examples
    --------
    >>> head = draw_anatomy(np.random.default_rng(0), spacing_mm=6.0)
    >>> bool(np.allclose((head.gm + head.wm + head.csf)[head.brain], 1.0, atol=1e-5))
    True
    """
    wanted = parameters or AnatomyParameters()
    atlas = icbm152(spacing_mm)
    mni_mm = _fine(atlas.grid, rng, wanted)
    at = _voxel_positions(mni_mm, atlas.grid)
    masks = [m.data.astype(np.float32) for m in (atlas.brain, atlas.ventricles)]
    inside, hollow, t1, gm, wm = sampled([*masks, atlas.t1.data, atlas.gm.data, atlas.wm.data], at)
    brain = inside > 0.5
    gm, wm, csf = _tissue(gm, wm, brain, wanted)
    remnant = np.clip(smooth_field(atlas.grid, 45.0, rng) - 0.8, 0.0, 0.8)
    depth = np.asarray(ndi.distance_transform_edt(brain, sampling=atlas.grid.spacing_mm), dtype=np.float32)
    veins = cortical_veins(mni_mm, depth, rng)
    dura = dura_fraction(mni_mm, depth, np.asarray(remnant, dtype=np.float32))
    return Anatomy(
        grid=atlas.grid,
        gm=gm,
        wm=wm,
        csf=csf,
        t1=np.clip(t1, 0.0, 1.0) * brain,
        brain=brain,
        ventricles=(hollow > 0.5) & brain,
        vessels=np.maximum(vessel_fraction(mni_mm, atlas), veins) * brain,
        plexus=plexus_fraction(mni_mm) * (csf > 0.5),
        mni_mm=mni_mm,
        others={"dura": dura, "pituitary": pituitary_fraction(mni_mm) * brain},
    )


def cropped(head: Anatomy, margin_mm: float = 8.0) -> Anatomy:
    """Return the part of a head around its brain: less than half of the voxels, and the same world.

    Examples
    --------
    >>> head = draw_anatomy(np.random.default_rng(0), spacing_mm=6.0)
    >>> small = cropped(head)
    >>> small.brain.sum() == head.brain.sum(), small.brain.size < head.brain.size
    (np.True_, True)
    """
    margin = [round(margin_mm / s) for s in head.grid.spacing_mm]
    found = box_around(head.brain)
    if found is None:
        return head
    box = tuple(slice(max(0, b.start - m), b.stop + m) for b, m in zip(found, margin, strict=True))
    affine = head.grid.affine.copy()
    affine[:3, 3] = head.grid.to_world([[part.start for part in box]])[0]
    names = ("gm", "wm", "csf", "t1", "brain", "ventricles", "vessels", "plexus")
    parts = {name: np.ascontiguousarray(getattr(head, name)[box]) for name in names}
    i, j, k = parts["brain"].shape
    others = {name: np.ascontiguousarray(share[box]) for name, share in head.others.items()}
    mm = np.ascontiguousarray(head.mni_mm[(slice(None), *box)])
    return replace(head, grid=Grid((i, j, k), affine), **parts, mni_mm=mm, others=others)


def _fine(grid: Grid, rng: np.random.Generator, wanted: AnatomyParameters) -> Float:
    """Draw the warp on a coarse grid where the head's is fine: it has no detail below its control distances."""
    if grid.spacing_mm[0] >= COARSE_MM:
        return draw_warp(grid, rng, wanted)
    coarse = icbm152(COARSE_MM).grid
    moved = draw_warp(coarse, rng, wanted) - _places(coarse)
    mm = _places(grid)
    return mm + sampled(list(moved), _voxel_positions(mm, coarse))


def draw_warp(grid: Grid, rng: np.random.Generator, parameters: AnatomyParameters) -> Float:
    """Draw where in MNI space each voxel of the head lies.

    Parameters
    ----------
    grid : Grid
        The head's grid (RAS mm).
    rng : numpy.random.Generator
        Source of scaling, rotation and displacement.
    parameters : AnatomyParameters
        How large they may be.

    Returns
    -------
    ndarray of float32, shape (3, i, j, k)
        MNI mm; a one-to-one map with positive Jacobian determinant.

    Examples
    --------
    >>> draw_warp(icbm152(8.0).grid, np.random.default_rng(0), AnatomyParameters()).shape
    (3, 24, 28, 24)
    """
    linear = _linear(rng, parameters)
    mm = np.tensordot(linear, _places(grid), axes=1)
    for knots_mm, sd_mm in parameters.warps_mm:
        mm = mm + _displacement(mm, grid, knots_mm, sd_mm, rng)
    amount = float(np.clip(rng.normal(*parameters.ventricles), -0.2, 0.35))
    return bulged(mm, Bulge(*VENTRICLES_MM, amount))


def _places(grid: Grid) -> Float:
    """Return the centres of the voxels of an axis-aligned grid, mm."""
    axes = (grid.affine[a, 3] + np.arange(grid.shape[a]) * grid.affine[a, a] for a in range(3))
    return np.stack(np.meshgrid(*axes, indexing="ij")).astype(np.float32)


def _linear(rng: np.random.Generator, parameters: AnatomyParameters) -> Float:
    scale = 1.0 / rng.uniform(*parameters.size_range, size=3)
    rotation = np.eye(3)
    for axis, angle in enumerate(np.radians(rng.normal(0.0, parameters.rotation_sd_deg, size=3))):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        rotation = rotation @ turn
    return np.asarray(rotation * scale, dtype=np.float32)


def _displacement(mm: Float, grid: Grid, knots_mm: float, sd_mm: float, rng: np.random.Generator) -> Float:
    """B-spline displacement at arbitrary places, mm; composed, so that one-to-one maps stay one-to-one."""
    limit = INJECTIVITY_BOUND * knots_mm
    edge = np.asarray(grid.affine[:3, 3] - np.asarray(grid.spacing_mm) / 2, dtype=np.float32)
    at = lattice_position(mm - edge[:, None, None, None], knots_mm)
    moved = []
    for _ in range(3):
        control = np.clip(rng.normal(0.0, sd_mm, control_shape(grid, knots_mm)), -limit, limit)
        moved.append(ndi.map_coordinates(control, at, order=3, mode="nearest", prefilter=False, output=np.float32))
    return np.stack(moved)


def _voxel_positions(mm: Float, grid: Grid) -> Float:
    origin, step = grid.affine[:3, 3], np.diag(grid.affine)[:3]
    shape = (3, 1, 1, 1)
    return np.asarray((mm - origin.reshape(shape)) / step.reshape(shape), dtype=np.float32)


def _tissue(gm: Float, wm: Float, brain: Mask, parameters: AnatomyParameters) -> Float:
    """Grey, white and CSF fractions, (3, i, j, k), sharpened and summing to 1 in the brain."""
    csf = np.clip(1.0 - gm - wm, 0.0, 1.0)
    powers = np.stack([gm, wm, csf * np.float32(parameters.fluid_gain)])
    powers = powers**2 if parameters.sharpness == 2.0 else powers ** np.float32(parameters.sharpness)
    return np.asarray(powers / np.maximum(powers.sum(axis=0), 1e-6) * brain, dtype=np.float32)
