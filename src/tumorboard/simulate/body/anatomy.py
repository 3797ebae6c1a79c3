"""One person's healthy head: the average brain, warped so that it is nobody's and everybody's no more.

Why it exists: a tumour needs a brain to grow in. The warp is a scaling, a rotation and two smooth
B-spline displacements whose control values stay within the bound that keeps the map one-to-one, so
tissue is never folded. It invents no sulci: the cortex is as smooth as the average's.

Source of the bound: Choi Y, Lee S, Graphical Models 2000;62:411-427 (0.403 of the control distance in 3-D).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.atlas.icbm152 import Icbm152, icbm152
from tumorboard.simulate.body.vessels import plexus_fraction, vessel_fraction
from tumorboard.simulate.fields import Float, control_shape, lattice_position
from tumorboard.volume import Grid

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
    sharpness : float
        Power to which tissue fractions are raised before they are made to sum to 1 again: undoes some of
        the blur of averaging 152 people (pure number).
    """

    size_range: tuple[float, float] = (0.93, 1.0)
    rotation_sd_deg: float = 2.5
    warps_mm: tuple[tuple[float, float], ...] = ((40.0, 6.0), (14.0, 3.0))
    fluid_gain: float = 1.5
    sharpness: float = 2.0


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
    mni_mm = draw_warp(atlas.grid, rng, wanted)
    at = _voxel_positions(mni_mm, atlas.grid)
    brain = ndi.map_coordinates(atlas.brain.data.astype(np.float32), at, order=1) > 0.5
    ventricles = ndi.map_coordinates(atlas.ventricles.data.astype(np.float32), at, order=1) > 0.5
    gm, wm, csf = _tissue(atlas, at, brain, wanted)
    return Anatomy(
        grid=atlas.grid,
        gm=gm,
        wm=wm,
        csf=csf,
        t1=_sampled(atlas.t1.data, at) * brain,
        brain=brain,
        ventricles=ventricles & brain,
        vessels=vessel_fraction(mni_mm, atlas) * brain,
        plexus=plexus_fraction(mni_mm) * (csf > 0.5),
        mni_mm=mni_mm,
    )


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
    axes = (grid.affine[a, 3] + np.arange(grid.shape[a]) * grid.affine[a, a] for a in range(3))
    mm = np.stack(np.meshgrid(*axes, indexing="ij")).astype(np.float32)
    mm = np.tensordot(linear, mm, axes=1)
    for knots_mm, sd_mm in parameters.warps_mm:
        mm = mm + _displacement(mm, grid, knots_mm, sd_mm, rng)
    return mm


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


def _sampled(data: Float, at: Float) -> Float:
    return np.clip(ndi.map_coordinates(data, at, order=3, output=np.float32), 0.0, 1.0)


def _tissue(atlas: Icbm152, at: Float, brain: NDArray[np.bool_], parameters: AnatomyParameters) -> Float:
    """Grey, white and CSF fractions, (3, i, j, k), sharpened and summing to 1 in the brain."""
    gm, wm = _sampled(atlas.gm.data, at), _sampled(atlas.wm.data, at)
    csf = np.clip(1.0 - gm - wm, 0.0, 1.0)
    powers = np.stack([gm, wm, csf * parameters.fluid_gain]) ** np.float32(parameters.sharpness)
    return np.asarray(powers / np.maximum(powers.sum(axis=0), 1e-6) * brain, dtype=np.float32)
