"""The way from a brain to ICBM152: an affine map from the outline of the brain.

Why it exists: lobes and ventricles are asked for as coarse answers; an outline gives those in a
fraction of a second, and a tumour inside does not disturb it. Nothing finer than a lobe may be read
from it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.optimize import least_squares

from tumorboard.atlas.icbm152 import icbm152
from tumorboard.prepare.midplane import block_mean, shrink_factors
from tumorboard.transform import Plane
from tumorboard.volume import Affine, Grid

WORKING_MM = 4.0
SAMPLES = 4000
REACH_MM = 20.0
"""Grid, number of places compared, and where the distance to the outline is clipped; chosen."""


def align_to_mni(brain: NDArray[np.bool_], grid: Grid, midplane: Plane) -> Affine:
    """Return the affine map from the grid frame (mm) to MNI ICBM152 (RAS mm).

    Starts from the centres and the mid-plane, then fits 9 parameters (shift, turn, scale along each
    axis) to the distance from the brain's outline.

    Parameters
    ----------
    brain : ndarray of bool, shape (i, j, k)
    grid : Grid
        Canonical.
    midplane : Plane
        In the grid frame.

    Returns
    -------
    ndarray, shape (4, 4)
    """
    atlas = icbm152(WORKING_MM)
    target = _signed_distance(atlas.brain.data.astype(bool), np.asarray(atlas.brain.spacing_mm))
    inverse = np.linalg.inv(atlas.brain.affine)
    factors = shrink_factors(grid, WORKING_MM)
    spacing = np.multiply(grid.spacing_mm, factors)
    mask = block_mean(brain, factors) > 0.5
    own = _signed_distance(mask, spacing)
    near = np.argwhere(np.abs(own) < REACH_MM)
    near = near[:: max(1, len(near) // SAMPLES)]
    places = near * spacing + (np.array(factors) - 1) / 2 * grid.spacing_mm
    values = own[tuple(near.T)]
    inside = np.argwhere(mask).astype(np.float64) * spacing
    centre, start = inside.mean(axis=0), _start(inside, midplane, atlas.brain.grid, atlas.brain.data)

    def residual(p: NDArray[np.float64]) -> NDArray[np.float64]:
        matrix = inverse @ _matrix(p, centre)
        index = places @ matrix[:3, :3].T + matrix[:3, 3]
        return np.asarray(ndi.map_coordinates(target, index.T, order=1, mode="nearest") - values)

    fit = least_squares(residual, start, loss="soft_l1", f_scale=4.0, x_scale=_SCALE, max_nfev=40)
    return _matrix(fit.x, centre)


_SCALE = np.array([5.0, 5.0, 5.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])


def _start(inside: NDArray[np.float64], midplane: Plane, grid: Grid, brain: NDArray[np.generic]) -> NDArray[np.float64]:
    theirs = grid.to_world(np.argwhere(brain))
    scale = np.log(theirs.std(axis=0) / inside.std(axis=0))
    _, b, c = midplane.normal
    return np.array([*theirs.mean(axis=0), 0.0, c, -b, *scale])


def _matrix(p: NDArray[np.float64], centre: NDArray[np.float64]) -> Affine:
    x, y, z = p[3:6]
    cx, cy, cz, sx, sy, sz = np.cos(x), np.cos(y), np.cos(z), np.sin(x), np.sin(y), np.sin(z)
    turn_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    turn_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    turn_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    linear = np.diag(np.exp(p[6:9])) @ turn_x @ turn_y @ turn_z
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = p[:3] - linear @ centre
    return matrix


def _signed_distance(mask: NDArray[np.bool_], spacing: NDArray[np.float64]) -> NDArray[np.float32]:
    padded = np.pad(mask, 1)
    distance = ndi.distance_transform_edt(padded, sampling=spacing)
    distance = distance - ndi.distance_transform_edt(~padded, sampling=spacing)
    return np.asarray(np.clip(distance[1:-1, 1:-1, 1:-1], -REACH_MM, REACH_MM), dtype=np.float32)
