"""Oedema with holes and fingers, and oedema that reaches into cortex: its border moves along a noise field.

Why it exists: simulated oedema is a tidy blob in white matter. Real oedema has fingers, and infiltrated cortex is as
bright. A network that has only seen blobs draws blobs; where shape and place say nothing, it must look at intensities.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.learn.draw.place import CORE, DENSE, SEEN, SOFT, Piece, gained, total
from tumorboard.learn.pool.specimen import HEALTHY

Float = NDArray[np.float32]

SHARP = 6.0
"""Slope of the border along the field."""


def ragged(piece: Piece, field: Float, level: float) -> Piece:
    """Give oedema back to the brain where a field lies below a level; labels follow.

    Parameters
    ----------
    piece : Piece
        Shares are changed in place.
    field : ndarray of float32, shape (i, j, k)
        Noise of standard deviation 1.
    level : float
        In standard deviations: -1.5 leaves nearly all, 0 half.

    Returns
    -------
    Piece

    Examples
    --------
    >>> shares = np.zeros((1, 1, 2, 9), np.float32); shares[..., 2], shares[..., 8] = 0.25, 0.75
    >>> piece = Piece(shares, (*HEALTHY, "oedema"), np.full((1, 1, 2), 2, np.uint8))
    >>> made = ragged(piece, np.array([[[5.0, -5.0]]], np.float32), 0.0)
    >>> made.labels.tolist(), made.shares[0, 0, :, 8].round(2).tolist(), made.shares.sum(axis=3).round(3).tolist()
    ([[[2, 0]]], [0.75, 0.0], [[[1.0, 1.0]]])
    """
    columns = [n for n, name in enumerate(piece.matters) if name in SOFT]
    if not columns:
        return piece
    kept = 1.0 / (1.0 + np.exp(-SHARP * (field - np.float32(level))))
    shares, healthy = piece.shares, len(HEALTHY)
    given = np.zeros(field.shape, dtype=np.float32)
    for column in columns:
        given += shares[..., column] * (1 - kept)
        shares[..., column] *= kept
    brain = shares[..., :healthy]
    there = total(shares, range(healthy))
    white = there < 0.02  # nothing of the brain is left to grow: what is given back is white matter
    brain *= np.where(white, 1, 1 + given / np.maximum(there, 0.02))[..., None]
    brain[..., HEALTHY.index("wm")] += np.where(white, given, 0)
    labels = np.where((piece.labels == 2) & (kept < 0.5), np.uint8(0), piece.labels)
    return Piece(shares, piece.matters, labels)


def spread_out(piece: Piece, field: Float, reach: float) -> Piece:
    """Let oedema reach beyond the lesion, into white and grey matter but not into fluid; labels follow.

    Parameters
    ----------
    piece : Piece
        Shares of matter.
    field : ndarray of float32, shape (i, j, k)
        Noise of standard deviation 1, which makes the new border uneven.
    reach : float
        Standard deviation of the filter that carries the lesion outwards, voxels.

    Returns
    -------
    Piece
        With oedema as one of its matters.
    """
    healthy = len(HEALTHY)
    sick = total(piece.shares, range(healthy, len(piece.matters)))
    if not piece.labels.any():
        return piece
    around = ndi.gaussian_filter((piece.labels > 0).astype(np.float32), reach)
    new = 1.0 / (1.0 + np.exp(-25.0 * (around - np.float32(0.22) + np.float32(0.08) * field)))
    fluid = piece.shares[..., HEALTHY.index("csf")] + piece.shares[..., HEALTHY.index("vessel")]
    there = total(piece.shares, range(healthy))
    new *= np.clip(1 - 1.5 * fluid / np.maximum(there, 0.05), 0, 1) * np.float32(0.85)
    added = np.asarray(np.clip(new - sick, 0, None) * (there > 0.05), dtype=np.float32)
    piece.shares[..., :healthy] *= (1 - added / np.maximum(there, 0.05))[..., None].clip(0, 1)
    labels = np.where((piece.labels == 0) & (added > SEEN), np.uint8(2), piece.labels)
    return replace(gained(piece, "oedema", added), labels=labels)


def patchy(piece: Piece, field: Float, level: float) -> Piece:
    """Let part of the enhancing tumour not enhance: solid core beside it, as many gliomas have; labels follow.

    Parameters
    ----------
    piece : Piece
        Shares of matter.
    field : ndarray of float32, shape (i, j, k)
        Noise of standard deviation 1.
    level : float
        In standard deviations: 0 takes half, 1.5 nearly all.

    Returns
    -------
    Piece
        With :data:`CORE` as one of its matters.
    """
    return _turned(piece, ("vital",), CORE, field, level)


def dense(piece: Piece, field: Float, level: float) -> Piece:
    """Let part of necrosis and enhancing tumour be solid tumour that does not enhance; labels follow.

    Readers count it to the core by its mass and its grey on T2. Without it a network takes for core what is as dark as
    fluid on T1, and for oedema what lies beside it.

    Parameters
    ----------
    piece : Piece
        Shares of matter.
    field : ndarray of float32, shape (i, j, k)
        Noise of standard deviation 1.
    level : float
        In standard deviations: 0 takes half, 1.5 nearly all.

    Returns
    -------
    Piece
        With :data:`DENSE` as one of its matters.

    Examples
    --------
    >>> shares = np.zeros((1, 1, 2, 9), np.float32); shares[..., 8] = 1.0
    >>> piece = Piece(shares, (*HEALTHY, "vital"), np.full((1, 1, 2), 3, np.uint8))
    >>> made = dense(piece, np.array([[[-5.0, 5.0]]], np.float32), 0.0)
    >>> made.matters[-1], made.labels.tolist(), made.shares[0, 0, :, -1].round(2).tolist()
    ('dense', [[[1, 3]]], [1.0, 0.0])
    """
    return _turned(piece, ("vital", "necrosis"), DENSE, field, level)


def _turned(piece: Piece, sources: tuple[str, ...], into: str, field: Float, level: float) -> Piece:
    """Turn matters into another where a field lies below a level; what enhanced there is core."""
    columns = [n for n, name in enumerate(piece.matters) if name in sources]
    if not columns:
        return piece
    taken = 1.0 / (1.0 + np.exp(np.float32(SHARP) * (field - np.float32(level))))
    given = total(piece.shares, columns) * taken
    piece.shares[..., columns] *= (1 - taken)[..., None]
    labels = np.where((piece.labels == 3) & (taken > 0.5), np.uint8(1), piece.labels)
    return replace(gained(piece, into, given), labels=labels)
