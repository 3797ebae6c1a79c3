"""Oedema with holes, fingers and bays: part of it is given back to the brain along a noise field.

Why it exists: simulated oedema is a tidy blob, real oedema follows fibres and stops at grey matter. A network that
has only seen blobs draws blobs; where shape says nothing, it must look at intensities.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.learn.draw.place import Piece
from tumorboard.learn.pool.specimen import HEALTHY

Float = NDArray[np.float32]

SOFT = ("oedema", "infiltrate")
"""Matters that are given back."""

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
    there = brain.sum(axis=3)
    white = there < 0.02  # nothing of the brain is left to grow: what is given back is white matter
    brain *= np.where(white, 1, 1 + given / np.maximum(there, 0.02))[..., None]
    brain[..., HEALTHY.index("wm")] += np.where(white, given, 0)
    labels = np.where((piece.labels == 2) & (kept < 0.5), np.uint8(0), piece.labels)
    return Piece(shares, piece.matters, labels)
