"""From shares of tissue to clean images of all sequences, in one pass.

Why it exists: this is the inner loop of training. Cortex is folded first: the average head is a blur of a hundred
people, and real sulci are sharp.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled
from tumorboard.learn.draw.contrast import Contrast
from tumorboard.learn.pool.specimen import HEALTHY

Float = NDArray[np.float32]

FOLDED = 3
"""The first matters (fluid, grey, white) that folding sharpens."""


def fold(shares: Float, fields: Float, sharp: float, strength: float) -> None:
    """Sharpen fluid, grey and white matter along random folds, in place; their sum stays in every voxel.

    Parameters
    ----------
    shares : ndarray of float32, shape (i, j, k, matters)
        Fluid, grey and white first.
    fields : ndarray of float32, shape (3, i, j, k)
        Noise of standard deviation 1.
    sharp : float
        Power of the shares; 1 leaves them.
    strength : float
        Of the noise, in logarithms.

    Examples
    --------
    >>> shares = np.array([0.2, 0.5, 0.3], np.float32).reshape(1, 1, 1, 3)
    >>> fold(shares, np.zeros((3, 1, 1, 1), np.float32), 4.0, 0.0)
    >>> round(float(shares.sum()), 5), bool(shares[0, 0, 0, 1] > 0.8)
    (1.0, True)
    """
    flat = shares.reshape(-1, shares.shape[-1])
    _fold(flat, fields.reshape(FOLDED, -1), np.float32(sharp), np.float32(strength))


@compiled
def _fold(shares: Float, fields: Float, sharp: np.float32, strength: np.float32) -> None:
    new = np.zeros(3, dtype=np.float32)
    for n in range(shares.shape[0]):
        total = shares[n, 0] + shares[n, 1] + shares[n, 2]
        if total < 0.02 or max(shares[n, 0], shares[n, 1], shares[n, 2]) > 0.995 * total:
            continue
        norm = np.float32(0)
        for m in range(3):
            share = shares[n, m] / total
            new[m] = np.exp(sharp * (np.log(share + np.float32(1e-3)) + strength * fields[m, n]))
            norm += new[m]
        for m in range(3):
            shares[n, m] = total * new[m] / norm


def weighed(shares: Float, contrast: Contrast, fields: Float) -> Float:
    """Return clean images.

    Parameters
    ----------
    shares : ndarray of float32, shape (i, j, k, matters)
        Of tissue.
    contrast : Contrast
        Of the same matters.
    fields : ndarray of float32, shape (n, i, j, k)
        Textures; the first is the brain's, matters of disease take the others in turn.

    Returns
    -------
    ndarray of float32, shape (i, j, k, sequences)
    """
    i, j, k, matters = shares.shape
    out = np.zeros((i * j * k, len(contrast.values)), dtype=np.float32)
    healthy = len(HEALTHY)
    which = np.array([0 if m < healthy else 1 + (m - healthy) % (len(fields) - 1) for m in range(matters)])
    flat = fields.reshape(len(fields), -1)
    _weigh(shares.reshape(-1, matters), contrast.values, contrast.rough, contrast.rims, flat, which, out)
    return out.reshape(i, j, k, -1)


@compiled
def _weigh(
    shares: Float, values: Float, rough: Float, rims: Float, fields: Float, which: NDArray[np.int64], out: Float
) -> None:
    sequences = values.shape[0]
    for n in range(shares.shape[0]):
        fluid = np.float32(4) * shares[n, 0]
        for m in range(shares.shape[1]):
            share = shares[n, m]
            if share > 0:
                texture = fields[which[m], n]
                for s in range(sequences):
                    out[n, s] += share * values[s, m] * (np.float32(1) + rough[s, m] * texture)
        for s in range(sequences):
            out[n, s] = max(out[n, s] + fluid * (shares[n, 1] * rims[s, 0] + shares[n, 2] * rims[s, 1]), np.float32(0))
