"""Integrated gradients: contributions of voxels that add up to the change of the output from an empty image.

Why it exists: of the gradient methods it is the one with an account that can be audited: parts must give the whole, and
by how much they miss it is told.

Source: Sundararajan M et al. ICML 2017;70:3319-3328. Equal to captum's (tests).
"""

from __future__ import annotations

import numpy as np

from tumorboard.errors import InputError
from tumorboard.explain.images.asked import BATCH, Asked
from tumorboard.explain.images.features import gradient_of
from tumorboard.explain.images.saliency import Saliency, saliency_of, shares_of_channels
from tumorboard.metrics.estimate import Estimate

CITES = "Sundararajan M et al. ICML 2017;70:3319-3328"
STEPS = 32
MISSED = 0.05
"""Part of the output's change by which contributions may miss it before it is said; chosen."""


def integrated_gradients(asked: Asked, steps: int = STEPS) -> Saliency:
    """Return contributions of voxels, summed over sequences.

    Parameters
    ----------
    asked : Asked
        Network, image, output and baseline.
    steps : int
        Points of the Gauss-Legendre quadrature between the baseline and the image.

    Returns
    -------
    Saliency
        Signed; ``fit`` is the part of the output's change that they miss.

    Raises
    ------
    InputError
        No step.

    Examples
    --------
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 1, bias=False))
    >>> found = integrated_gradients(Asked(net, np.ones((1, 2, 2))))
    >>> bool(np.isclose(found.values.sum(), Asked(net, np.ones((1, 2, 2))).score()))
    True
    """
    import torch

    if steps < 1:
        raise InputError("at least one step", got=str(steps), where="integrated gradients")
    points, weights = np.polynomial.legendre.leggauss(steps)
    alphas, weights = (points + 1) / 2, weights / 2
    image = asked.tensor()
    base = torch.full_like(image, asked.baseline)
    total = np.zeros(asked.pixels.shape)
    for start in range(0, steps, BATCH):
        part = torch.from_numpy(alphas[start : start + BATCH].astype(np.float32))
        part = part.reshape(-1, *(1,) * (image.ndim - 1))
        gradient = gradient_of(asked, base + part * (image - base)).double().numpy()
        total += np.tensordot(weights[start : start + BATCH], gradient, axes=1)
    given = total * (asked.pixels - np.float32(asked.baseline))
    change = asked.score() - float(asked.scores(base.numpy())[0])
    missed = abs(float(given.sum()) - change) / max(abs(change), 1e-9)
    made = saliency_of(
        asked,
        ("integrated-gradients", CITES),
        given.sum(axis=0),
        "output",
        by_sequence=shares_of_channels(given, asked.sequences),
        fit=Estimate.bare(missed, "not estimated from patients: no interval", steps),
    )
    return made.warned(f"contributions miss the output by {100 * missed:.0f} %: more steps" if missed > MISSED else "")
