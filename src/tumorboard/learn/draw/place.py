"""Where a sample is taken from a specimen: turned, scaled, bent, mirrored, and read in one pass.

Why it exists: a hundred digital heads must stand for all heads. Shares of tissue are read trilinearly, labels by
nearest neighbour, both at the same places.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled
from tumorboard.learn.pool.specimen import HEALTHY, Specimen
from tumorboard.simulate.fields import control_shape, spread
from tumorboard.volume import Grid

Float = NDArray[np.float32]
Bytes = NDArray[np.uint8]


CORE = "core"
"""Non-enhancing core of tumour: between infiltrate and microcystic tissue."""

DENSE = "dense"
"""Solid tumour that does not enhance: between grey matter and infiltrate, so drier than oedema and than necrosis."""


@dataclass(frozen=True)
class Warp:
    """How far places are moved.

    Parameters
    ----------
    turn_deg : float
        Standard deviation of the angle about each axis.
    scale : float
        Standard deviation of the logarithm of the size along each axis.
    bend_voxels, bend_every : float
        Standard deviation of the bend, and distance of its control points, voxels.
    """

    turn_deg: float = 8.0
    scale: float = 0.08
    bend_voxels: float = 2.0
    bend_every: float = 12.0


@dataclass(frozen=True)
class Piece:
    """What was read.

    Parameters
    ----------
    shares : ndarray of float32, shape (i, j, k, matters)
        0 to 1: first those of :data:`~tumorboard.learn.pool.specimen.HEALTHY`.
    matters : tuple of str
        Of the last axis.
    labels : ndarray of uint8, shape (i, j, k)
        1 NETC, 2 SNFH, 3 ET, 4 RC.
    """

    shares: Float
    matters: tuple[str, ...]
    labels: Bytes


def centre(
    specimen: Specimen, rng: np.random.Generator, on_tumour: float, aside: float, by_lesion: bool = False
) -> Float:
    """Choose the voxel that a sample is laid around: with some chance in the tumour, else in the brain.

    In the tumour each class is as often as the others, or each numbered lesion, however small.
    """
    if specimen.labels.any() and rng.random() < on_tumour:
        kinds = specimen.lesions if by_lesion and specimen.lesions.any() else specimen.labels
        present = np.flatnonzero(np.bincount(kinds.ravel())[1:]) + 1
        where = np.argwhere(kinds == rng.choice(present))
        return np.asarray(where[rng.integers(len(where))] + specimen.corner, dtype=np.float32)
    shape = np.array(specimen.shape)
    return np.asarray(shape * rng.uniform(0.5 - aside, 0.5 + aside, 3), dtype=np.float32)


def places(middle: Float, shape: tuple[int, int, int], warp: Warp | None, rng: np.random.Generator) -> Float:
    """Return where in the specimen each voxel of a sample lies, (3, i, j, k); mirrored left to right half the time."""
    turn = _turn(warp, rng) if warp is not None else np.eye(3)
    if rng.random() < 0.5:
        turn = turn @ np.diag([-1.0, 1.0, 1.0])
    axes = [np.arange(n, dtype=np.float32) - (n - 1) / 2 for n in shape]
    out = np.empty((3, *shape), dtype=np.float32)
    for row in range(3):
        a, b, c = (np.float32(turn[row, col]) * axes[col] for col in range(3))
        out[row] = a[:, None, None] + b[None, :, None] + (c + middle[row])[None, None, :]
    if warp is not None and warp.bend_voxels > 0:
        _bend(out, warp, rng)
    return out


def _turn(warp: Warp, rng: np.random.Generator) -> NDArray[np.float64]:
    matrix = np.diag(np.exp(rng.normal(0, warp.scale, 3)))
    for axis, angle in enumerate(np.deg2rad(rng.normal(0, warp.turn_deg, 3))):
        one, two = [a for a in range(3) if a != axis]
        turn = np.eye(3)
        turn[one, one] = turn[two, two] = np.cos(angle)
        turn[one, two], turn[two, one] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    return matrix


def _bend(out: Float, warp: Warp, rng: np.random.Generator) -> None:
    i, j, k = out.shape[1:]
    grid = Grid((i, j, k), np.eye(4))

    size = control_shape(grid, warp.bend_every)
    for row in range(3):
        control = rng.standard_normal(size, dtype=np.float32) * np.float32(1.8 * warp.bend_voxels)
        out[row] += spread(control, grid, warp.bend_every)


def read(specimen: Specimen, at: Float) -> Piece:
    """Read shares and labels at places.

    Parameters
    ----------
    specimen : Specimen
        From a pool.
    at : ndarray of float32, shape (3, i, j, k)
        Voxel positions.

    Returns
    -------
    Piece
    """
    i, j, k = at.shape[1:]
    healthy, sick = len(HEALTHY), len(specimen.matters)
    shares = np.zeros((i * j * k, healthy + sick), dtype=np.float32)
    flat = at.reshape(3, -1)
    _gather(specimen.healthy, flat, shares[:, :healthy])
    labels = np.zeros(i * j * k, dtype=np.uint8)
    if sick:
        corner = np.asarray(specimen.corner, dtype=np.float32)[:, None]
        _gather(specimen.sick, flat - corner, shares[:, healthy:])
        _nearest(specimen.labels, flat - corner, labels)
    return Piece(shares.reshape(i, j, k, -1), (*HEALTHY, *specimen.matters), labels.reshape(i, j, k))


SEEN = 0.3
"""Share of soft matter from which readers call a voxel oedema at ordinary contrast; chosen."""

SOFT = ("oedema", "infiltrate")
"""Matters that readers outline as oedema and infiltration."""


def total(shares: Float, columns: Iterable[int]) -> Float:
    """Return the sum of some matters in every voxel; many times faster than summing a short last axis.

    Parameters
    ----------
    shares : ndarray of float32, shape (i, j, k, matters)
        Of tissue.
    columns : iterable of int
        Which matters.

    Returns
    -------
    ndarray of float32, shape (i, j, k)

    Examples
    --------
    >>> total(np.ones((1, 1, 2, 3), np.float32), (0, 2)).tolist()
    [[[2.0, 2.0]]]
    """
    wanted = np.zeros(shares.shape[-1], dtype=np.float32)
    wanted[list(columns)] = 1.0
    return np.asarray((shares.reshape(-1, len(wanted)) @ wanted).reshape(shares.shape[:-1]))


def seen(piece: Piece, least: float = SEEN) -> Piece:
    """Label oedema where it can be seen, and nowhere else: what is bright is outlined, what is faint is not.

    The simulator labels where cells and fluid are, however little of it.

    Examples
    --------
    >>> shares = np.zeros((1, 1, 3, 9), np.float32); shares[0, 0, :, 8] = 0.2, 0.7, 0.5
    >>> seen(Piece(shares, (*HEALTHY, "oedema"), np.array([[[2, 2, 0]]], np.uint8))).labels.tolist()
    [[[0, 2, 2]]]
    """
    columns = [n for n, name in enumerate(piece.matters) if name in SOFT]
    visible = total(piece.shares, columns) >= least
    sick = range(len(HEALTHY), len(piece.matters))
    visible |= total(piece.shares, sick) >= max(least, SEEN)  # no gap beside the core
    open_to = (piece.labels == 0) | (piece.labels == 2)
    return Piece(piece.shares, piece.matters, np.where(open_to, np.uint8(2) * visible, piece.labels).astype(np.uint8))


def gained(piece: Piece, name: str, share: Float) -> Piece:
    """Return a piece with so much more of a matter, which it may not have had; labels stay.

    Examples
    --------
    >>> piece = Piece(np.zeros((1, 1, 1, 8), np.float32), HEALTHY, np.zeros((1, 1, 1), np.uint8))
    >>> made = gained(piece, "oedema", np.ones((1, 1, 1), np.float32))
    >>> made.matters[-1], made.shares.ravel()[-1].item()
    ('oedema', 1.0)
    """
    if name in piece.matters:
        piece.shares[..., piece.matters.index(name)] += share
        return piece
    return Piece(np.concatenate([piece.shares, share[..., None]], axis=3), (*piece.matters, name), piece.labels)


def with_core(piece: Piece) -> Piece:
    """Give the core of non-enhancing tumour a matter of its own where the simulator paints core and rim alike.

    Readers call it core because it differs from what is around it; a network cannot learn a border that is nowhere.

    Examples
    --------
    >>> shares, labels = np.ones((1, 1, 2, 9), np.float32), np.array([[[1, 2]]], np.uint8)
    >>> made = with_core(Piece(shares, (*HEALTHY, "infiltrate"), labels))
    >>> made.matters[-1], made.shares[0, 0, :, -2:].tolist()
    ('core', [[0.0, 1.0], [1.0, 0.0]])
    """
    if "infiltrate" not in piece.matters:
        return piece
    at = piece.matters.index("infiltrate")
    core = np.where(piece.labels == 1, piece.shares[..., at], np.float32(0))
    piece.shares[..., at] -= core
    return gained(piece, CORE, core)


@compiled
def _gather(stack: Bytes, at: Float, out: Float) -> None:
    ni, nj, nk, maps = stack.shape
    for n in range(at.shape[1]):
        x, y, z = at[0, n], at[1, n], at[2, n]
        if x <= -1 or y <= -1 or z <= -1 or x >= ni or y >= nj or z >= nk:
            continue
        i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
        a, b, c = x - i, y - j, z - k
        for di in range(2):
            p = i + di
            wi = a if di else np.float32(1) - a
            if p < 0 or p >= ni or wi == 0:
                continue
            for dj in range(2):
                q = j + dj
                wj = wi * (b if dj else np.float32(1) - b)
                if q < 0 or q >= nj or wj == 0:
                    continue
                for dk in range(2):
                    r = k + dk
                    w = wj * (c if dk else np.float32(1) - c) * np.float32(1.0 / 255.0)
                    if r < 0 or r >= nk or w == 0:
                        continue
                    for m in range(maps):
                        out[n, m] += w * stack[p, q, r, m]


@compiled
def _nearest(labels: Bytes, at: Float, out: Bytes) -> None:
    ni, nj, nk = labels.shape
    for n in range(at.shape[1]):
        i, j, k = int(np.rint(at[0, n])), int(np.rint(at[1, n])), int(np.rint(at[2, n]))
        if 0 <= i < ni and 0 <= j < nj and 0 <= k < nk:
            out[n] = labels[i, j, k]
