"""Heads as they leave the scanner: moved onto each other, stripped, and brought to one working grid.

Why it exists: this is what hospitals have. Every image is resampled once, through the measured motion,
from its own slices to the working grid; a motion that fails the gate is refused and its sequence left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.prepare.bias import without_bias, without_rough_bias
from tumorboard.prepare.gate import FitQuality, assess_fit
from tumorboard.prepare.register import Fit, register
from tumorboard.prepare.skull import OWN, head_mask, own_brain_mask
from tumorboard.sequences import REFERENCE_ORDER, Sequence
from tumorboard.volume import Affine, Grid, Volume, box_around

WORKING_MM = 1.0
ISOTROPIC_MM = (0.8, 1.2)
"""A reference whose voxels lie between these keeps its own spacing: resampling it would only blur; chosen."""

MARGIN_MM = 10.0
REGION_MM = 8.0
"""Room around the brain on the working grid, and around it for comparing images; chosen."""


@dataclass(frozen=True)
class RigidFit:
    """An accepted motion, reference world to moving world (RAS mm), with what was measured of it."""

    matrix: Affine
    quality: FitQuality


@dataclass(frozen=True)
class Refused:
    """A motion that must not be used: why, what was measured of it, and the image as it would have lain."""

    why: str
    quality: FitQuality
    image: Volume


@dataclass(frozen=True)
class Raw:
    """A native study on its working grid, before intensities are scaled.

    Parameters
    ----------
    volumes : mapping of Sequence to Volume
        float32, bias field removed.
    brain : ndarray of bool
        On the working grid.
    reference : Sequence
        Which gave the grid.
    native : Grid
        The reference's own grid, as given.
    fits : mapping of Sequence to RigidFit
        Motions.
    dropped : mapping of Sequence to Refused
        Those that failed the gate.
    method : str
        What outlined the brain.
    bias : mapping of Sequence to float
        How strong each bias field was (standard deviation of its logarithm).
    notes : tuple of str
        What to be told.
    """

    volumes: Mapping[Sequence, Volume]
    brain: NDArray[np.bool_]
    reference: Sequence
    native: Grid
    fits: Mapping[Sequence, RigidFit]
    dropped: Mapping[Sequence, Refused]
    method: str
    bias: Mapping[Sequence, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def raw_study(volumes: Mapping[Sequence, Volume], own_mask: Volume | None = None) -> Raw:
    """Bring native heads to one grid.

    Parameters
    ----------
    volumes : mapping of Sequence to Volume
        As read: own grids, own positions of the head.
    own_mask : Volume, optional
        The user's brain mask on the reference's grid.

    Returns
    -------
    Raw

    Raises
    ------
    InputError
        No brain was found on the reference.

    Examples
    --------
    >>> places = np.indices((40, 44, 30)) - np.array([19.5, 21.5, 14.5]).reshape(3, 1, 1, 1)
    >>> ball = ((places * np.array([4.0, 4.0, 5.0]).reshape(3, 1, 1, 1)) ** 2).sum(axis=0) < 70.0**2
    >>> grid = Grid(ball.shape, np.diag([4.0, 4.0, 5.0, 1.0]))
    >>> head = Volume(np.where(ball, 500, 40).astype(np.int16), grid)
    >>> raw = raw_study({Sequence.T1C: head}, own_mask=Volume(ball.astype(np.uint8), grid))
    >>> raw.volumes[Sequence.T1C].spacing_mm, raw.method
    ((1.0, 1.0, 1.0), 'given by the user')
    """
    reference = next(s for s in REFERENCE_ORDER if s in volumes)
    brain, method, notes = _brain(volumes, reference, own_mask)
    fixed = volumes[reference]
    region = region_around(brain, fixed.grid)
    even, _ = without_bias(fixed, region)
    grid = working_grid(fixed.grid, brain)
    fits, dropped = {}, {}
    for sequence in (s for s in volumes if s is not reference):
        fit, quality = laid(even, volumes[sequence], region)
        told = quality.refusal()
        if told:
            image = Volume(sampled(volumes[sequence], grid, fit.matrix, order=1), grid)
            dropped[sequence] = Refused(told, quality, image)
            notes += (f"{sequence.value} was left out: it could not be laid onto {reference.value} ({told}).",)
        else:
            fits[sequence] = RigidFit(fit.matrix, quality)
    inside = sampled(Volume(brain.astype(np.float32), fixed.grid), grid, np.eye(4), order=1) > 0.5
    out, bias = {}, {}
    for sequence in (s for s in volumes if s is reference or s in fits):
        matrix = np.eye(4) if sequence is reference else fits[sequence].matrix
        image = Volume(sampled(volumes[sequence], grid, matrix), grid)
        out[sequence], bias[sequence] = without_bias(image, inside)
    return Raw(out, inside, reference, fixed.grid, fits, dropped, method, bias, notes)


def _brain(
    volumes: Mapping[Sequence, Volume], reference: Sequence, own_mask: Volume | None
) -> tuple[NDArray[np.bool_], str, tuple[str, ...]]:
    """Return the brain on the reference's grid, what outlined it, and what to be told."""
    grid = volumes[reference].grid
    if own_mask is not None:
        return own_brain_mask(own_mask, grid), OWN, ()
    found = head_mask(volumes)
    if found.sequence is reference:
        return np.asarray(found.mask.data), found.method, found.notes
    # outlined on another sequence: lay the reference onto that one and carry the mask over
    there = volumes[found.sequence]
    region = region_around(np.asarray(found.mask.data), there.grid)
    fit, _ = laid(without_bias(there, region)[0], volumes[reference], region)
    back: Affine = np.asarray(np.linalg.inv(fit.matrix), dtype=np.float64)
    carried = sampled(Volume(found.mask.data.astype(np.float32), there.grid), grid, back, order=1)
    return carried > 0.5, found.method, found.notes


def laid(even: Volume, moving: Volume, region: NDArray[np.bool_]) -> tuple[Fit, FitQuality]:
    """Lay an image onto a reference and measure the fit, both without their bias fields.

    A bias field takes half of the information that two images share, and bends the optimum by a millimetre.

    Parameters
    ----------
    even : Volume
        Reference, bias field removed.
    moving : Volume
        As read.
    region : ndarray of bool, shape of ``even``
        Where they are compared.

    Returns
    -------
    Fit, FitQuality
    """
    flat = without_rough_bias(moving)
    fit = register(even, flat, region)
    return fit, assess_fit(even, flat, region, fit.matrix)


def region_around(brain: NDArray[np.bool_], grid: Grid) -> NDArray[np.bool_]:
    """Return the brain with ``REGION_MM`` around it: where images are compared.

    Examples
    --------
    >>> brain = np.zeros((5, 1, 1), bool); brain[0] = True
    >>> region_around(brain, Grid((5, 1, 1), np.diag([4.0, 4.0, 4.0, 1.0]))).ravel().tolist()
    [True, True, True, False, False]
    """
    return np.asarray(ndi.distance_transform_edt(~brain, sampling=grid.spacing_mm) <= REGION_MM)


def working_grid(reference: Grid, brain: NDArray[np.bool_]) -> Grid:
    """Return the grid that a study is worked on: along the reference's canonical axes, around its brain.

    Parameters
    ----------
    reference : Grid
        As given.
    brain : ndarray of bool
        On it.

    Returns
    -------
    Grid
        RAS order; 1 mm isotropic, or the reference's own spacing where that is nearly so.

    Examples
    --------
    >>> brain = np.zeros((20, 20, 6), bool); brain[5:15, 5:15, 1:5] = True
    >>> grid = working_grid(Grid((20, 20, 6), np.diag([-8.0, -8.0, 25.0, 1.0])), brain)
    >>> grid.axcodes, grid.spacing_mm
    ('RAS', (1.0, 1.0, 1.0))
    """
    canonical = Volume(brain, reference).canonical()
    spacing = np.array(canonical.spacing_mm)
    kept = ISOTROPIC_MM[0] <= spacing.min() and spacing.max() <= ISOTROPIC_MM[1]
    target = spacing if kept else np.full(3, WORKING_MM)
    box = box_around(np.asarray(canonical.data)) or tuple(slice(0, n) for n in canonical.grid.shape)
    starts = [part.start * s - MARGIN_MM for part, s in zip(box, spacing, strict=True)]
    stops = [(part.stop - 1) * s + MARGIN_MM for part, s in zip(box, spacing, strict=True)]
    if kept:  # stay on the reference's own voxels
        starts = [round(start / s) * s for start, s in zip(starts, spacing, strict=True)]
    shape = [int(np.ceil((b - a) / t)) + 1 for a, b, t in zip(starts, stops, target, strict=True)]
    affine = np.eye(4)
    affine[:3, :3] = canonical.affine[:3, :3] / spacing * target
    affine[:3, 3] = canonical.grid.to_world([np.array(starts) / spacing])[0]
    return Grid((shape[0], shape[1], shape[2]), affine)


def sampled(volume: Volume, grid: Grid, matrix: Affine, order: Literal[1, 3] = 3) -> NDArray[np.float32]:
    """Sample an image on a grid through a motion, once; values stay within those of the image.

    Parameters
    ----------
    volume : Volume
        Native.
    grid : Grid
        Where it is wanted.
    matrix : ndarray, shape (4, 4)
        From the world of ``grid`` to the world of ``volume``, RAS mm.
    order : int
        3 for images (cubic B-spline), 1 for masks.

    Returns
    -------
    ndarray of float32
        0 outside the image.

    Examples
    --------
    >>> ramp = Volume.of(np.arange(5.0).reshape(5, 1, 1), np.eye(4))
    >>> moved = np.eye(4); moved[0, 3] = 2.0
    >>> sampled(ramp, ramp.grid, moved, order=1).ravel().tolist()
    [2.0, 3.0, 4.0, 0.0, 0.0]
    """
    source: NDArray[np.float32] = np.asarray(volume.data, dtype=np.float32)
    if order == 3:  # finer pixels than the grid's would alias
        finest = min(grid.spacing_mm)
        source = ndi.gaussian_filter(source, [0.4 * max(0.0, finest / s - 1.3) for s in volume.spacing_mm])
    step = np.linalg.inv(volume.affine) @ matrix @ grid.affine
    out: NDArray[np.float32] = ndi.affine_transform(
        # grid-constant: on the outermost voxels rounding must not fall outside
        source,
        step[:3, :3],
        step[:3, 3],
        output_shape=grid.shape,
        order=order,
        mode="grid-constant",
    )
    return np.asarray(np.clip(out, float(source.min()), float(source.max())), dtype=np.float32)
