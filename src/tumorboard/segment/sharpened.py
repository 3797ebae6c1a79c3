"""What a network saw on a coarse grid, sharpened by what the images show on their own.

Why it exists: a network that looks at 2 mm blurs a ring of enhancement that is 2 mm wide. The study's own voxels tell
more: inside the tumour, each tissue's intensities are estimated where the network is sure of it, and its opinion, as
the prior, is weighed with how well a voxel fits them. How much of it is tumour at all stays as the network said.

Source: Van Leemput K et al. IEEE Trans Med Imaging 1999;18:897-908 (tissues by intensities, with a prior for each
voxel); here the prior is a network's, and one step is taken.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

EVIDENCE = 0.35
"""Share of the logarithm of the likelihood that counts: neighbours are not independent and tissues no bells (chosen on
digital patients)."""

SURELY_NONE = 0.97
"""Voxels with a greater probability of no tumour stay as they are."""

LEAST_VOXELS = 50.0
"""A tissue with less than so much of the network's trust has no intensities of its own."""

RIDGE = 0.05
"""Added to variances of normalised intensities."""


def sharpened(tissue: Float, images: Float, brain: NDArray[np.bool_], classes: Iterable[int]) -> Float:
    """Return probabilities with the shares of some tissues weighed by the intensities of each voxel.

    Parameters
    ----------
    tissue : ndarray of float32, shape (classes, i, j, k)
        Probabilities, background first.
    images : ndarray of float32, shape (sequences, i, j, k)
        Normalised; a sequence that is 0 everywhere is missing.
    brain : ndarray of bool, shape (i, j, k)
        Nothing is changed outside.
    classes : iterable of int
        Tissues among which probability is moved; their sum stays.

    Returns
    -------
    ndarray of float32, shape (classes, i, j, k)

    Examples
    --------
    >>> tissue = np.stack([np.zeros((1, 1, 200)), np.full((1, 1, 200), 0.5), np.full((1, 1, 200), 0.5)])
    >>> tissue[1, 0, 0, :80], tissue[2, 0, 0, :80], tissue[1, 0, 0, 120:], tissue[2, 0, 0, 120:] = 0.9, 0.1, 0.1, 0.9
    >>> image = np.where(np.arange(200) < 100, 0.0, 3.0).reshape(1, 1, 1, 200)
    >>> made = sharpened(tissue.astype(np.float32), image.astype(np.float32), np.ones((1, 1, 200), bool), (1, 2))
    >>> bool(made[1, 0, 0, 90] > 0.8), bool(made[2, 0, 0, 110] > 0.8)  # both were even
    (True, True)
    """
    inside = brain & (tissue[0] < SURELY_NONE)
    there = [n for n, image in enumerate(images) if image.any()]
    prior = tissue[:, inside]
    voxels = images[there][:, inside].astype(np.float64)
    known = [c for c in classes if (prior[c].astype(np.float64) ** 2).sum() >= LEAST_VOXELS]
    if len(known) < 2 or not there:
        return tissue
    fit = np.stack([_fit(voxels, prior[c].astype(np.float64) ** 2) for c in known])
    new = prior[known] * np.exp(EVIDENCE * (fit - fit.max(axis=0)))
    total = new.sum(axis=0)
    out = tissue.copy()
    for row, c in enumerate(known):
        out[c][inside] = np.where(total > 0, new[row] * (prior[known].sum(axis=0) / np.maximum(total, 1e-30)), prior[c])
    return out


def _fit(voxels: NDArray[np.float64], trust: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of the normal density of each voxel, (n,), but for a constant, fitted with weights."""
    mean = voxels @ trust / trust.sum()
    away = voxels - mean[:, None]
    spread = (away * trust) @ away.T / trust.sum() + RIDGE * np.eye(len(voxels))
    distance = (away * np.linalg.solve(spread, away)).sum(axis=0)
    return np.asarray(-0.5 * (distance + np.linalg.slogdet(spread)[1]))
