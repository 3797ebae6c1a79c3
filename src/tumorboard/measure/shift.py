"""Midline shift: how far the symmetry axis of the central structures lies from the mid-plane.

Why it exists: mass effect is what a surgeon asks first. The mid-plane comes from the outline of the
brain; here the central block (ventricles, septum, third ventricle, deep grey matter) is mirrored about
planes moved sideways, and the one that matches best tells the shift. A proxy: a reader measures the
septum pellucidum instead.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.transform import Frame
from tumorboard.volume import Grid

CENTRAL_BOX_MM = ((-26.0, 26.0), (-30.0, 26.0), (-4.0, 28.0))
"""The central block in MNI mm (R, A, S): lateral and third ventricles with their walls; chosen."""

REACH_MM = 16.0
STEP_MM = 0.5
LEAST_SHARE = 0.35
"""Search range and step, and the least share of the block that must be free of tumour; chosen."""

RIVAL_MM = 3.0
CLEARLY = 1.05
LEAST_DEPTH = 0.03
"""A second minimum this far away and not this much worse makes the answer unclear, and so does a minimum
that lies less than this (robust standard deviations) below the median; chosen."""

TRUNCATE = 1.5
"""Largest difference (robust standard deviations) that counts; chosen."""


def midline_shift_mm(
    images: Iterable[NDArray[np.float32]],
    tumour: NDArray[np.bool_],
    brain: NDArray[np.bool_],
    grid: Grid,
    frame: Frame,
) -> float | None:
    """Return the shift of the central structures in mm, positive to the patient's right; None if unclear.

    Parameters
    ----------
    images : iterable of ndarray, shape (i, j, k)
        Normalised, canonical axes; every sequence there is, they vote together.
    tumour, brain : ndarray of bool, shape (i, j, k)
        Tumour voxels are left out, and so are their mirror images.
    grid : Grid
    frame : Frame
        Midline and way to the atlas.
    """
    places = _central_places(brain, grid, frame)
    total = len(places)
    places = places[~tumour[tuple(places.T)]]
    if total == 0 or len(places) < LEAST_SHARE * total:
        return None
    spacing = np.asarray(grid.spacing_mm)
    low = np.maximum(places.min(axis=0) - np.ceil(3 * REACH_MM / spacing).astype(int), 0)
    high = places.max(axis=0) + np.ceil(3 * REACH_MM / spacing).astype(int) + 1
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    smooth = [ndi.gaussian_filter(np.clip(image[box], -3, 3), 1.0 / spacing) for image in images]
    blocked = np.where(tumour[box] | ~brain[box], np.float32(1), np.float32(0))
    distance = places * spacing @ np.asarray(frame.midplane.normal) - frame.midplane.offset_mm
    shifts = np.arange(-REACH_MM, REACH_MM + STEP_MM / 2, STEP_MM)
    costs = np.full(len(shifts), np.inf)
    for n, shift in enumerate(shifts):
        step = 2 * (distance - shift)[:, None] * np.asarray(frame.midplane.normal) / spacing
        free = ndi.map_coordinates(blocked, (places - low - step).T, order=0, mode="constant", cval=1.0) < 0.5
        if free.sum() >= LEAST_SHARE * total:
            here, there = (places - low)[free], (places - low - step)[free]
            costs[n] = np.mean([_mismatch(image, here, there) for image in smooth])
    return _lowest(shifts, costs)


def _mismatch(image: NDArray[np.float32], here: NDArray[np.int64], there: NDArray[np.float64]) -> float:
    mirrored = ndi.map_coordinates(image, there.T, order=1)
    return float(np.minimum(np.abs(mirrored - image[tuple(here.T)]), TRUNCATE).mean())


def _central_places(brain: NDArray[np.bool_], grid: Grid, frame: Frame) -> NDArray[np.int64]:
    inverse = np.linalg.inv(frame.to_mni)
    corners = np.array([[x, y, z] for x in CENTRAL_BOX_MM[0] for y in CENTRAL_BOX_MM[1] for z in CENTRAL_BOX_MM[2]])
    index = (corners @ inverse[:3, :3].T + inverse[:3, 3]) / np.asarray(grid.spacing_mm)
    low = np.clip(np.floor(index.min(axis=0)).astype(int), 0, grid.shape)
    high = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, 0, grid.shape)
    step = [max(1, round(1.5 / s)) for s in grid.spacing_mm]
    axes = [np.arange(a, b, s) for a, b, s in zip(low, high, step, strict=True)]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    mni = frame.mni_mm(grid, places)
    box = np.array(CENTRAL_BOX_MM)
    inside = ((mni >= box[:, 0]) & (mni <= box[:, 1])).all(axis=1)
    places = places[inside]
    return np.asarray(places[brain[tuple(places.T)]])


def _lowest(shifts: NDArray[np.float64], costs: NDArray[np.float64]) -> float | None:
    """Return the lowest local minimum of the cost, refined by a parabola; None when none stands out."""
    middle = costs[1:-1]
    with np.errstate(invalid="ignore"):
        valley = np.isfinite(costs[:-2] + costs[2:]) & (middle <= costs[:-2]) & (middle < costs[2:])
    if not valley.any():
        return None
    n = 1 + int(np.flatnonzero(valley)[middle[valley].argmin()])
    rivals = valley & (np.abs(shifts[1:-1] - shifts[n]) > RIVAL_MM) & (middle < CLEARLY * costs[n])
    depth = float(np.median(costs[np.isfinite(costs)])) - costs[n]
    if rivals.any() or depth < LEAST_DEPTH:
        return None
    left, lowest, right = costs[n - 1 : n + 2]
    bend = left - 2 * lowest + right
    return float(shifts[n] + (STEP_MM * (left - right) / (2 * bend) if bend > 0 else 0.0))
