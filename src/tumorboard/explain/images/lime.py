"""LIME: a linear model of which supervoxels, seen or covered, raise the output.

Why it exists: supervoxels are pieces that a reader can name, and the linear model tells how well it follows the network
nearby; where it does not, the map is not to be read.

Source: Ribeiro MT et al. KDD 2016:1135-1144; supervoxels: Achanta R et al. IEEE TPAMI 2012;34:2274-2282 (SLIC, computed
by SimpleITK). In brain tumours Pereira S et al. Med Image Anal 2018;44:228-244.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.explain.images.asked import BATCH, Asked, Image
from tumorboard.explain.images.saliency import Floats, Saliency, saliency_of
from tumorboard.metrics.estimate import Estimate

CITES = "Ribeiro MT et al. KDD 2016:1135-1144"
SUPERVOXELS, SAMPLES = 80, 500
WIDTH = 0.25
"""Of the kernel on the cosine distance, as the authors' package for images."""
FITS = 0.5
"""Part of the outputs' spread that the linear model must follow to be read; chosen."""


def lime(
    asked: Asked,
    supervoxels: NDArray[np.integer] | int = SUPERVOXELS,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Saliency:
    """Return the weight of each supervoxel in a linear model of the network.

    Parameters
    ----------
    asked : Asked
        Any network.
    supervoxels : ndarray of int, shape (*space), or int
        Labels of pieces, or about how many SLIC makes.
    samples : int
        Images with pieces covered at random.
    seed : int
        Of the covers.

    Returns
    -------
    Saliency
        In the output's unit; ``fit`` is the weighted explained variance of the linear model.

    Raises
    ------
    InputError
        Labels of another shape, or fewer samples than pieces.

    Examples
    --------
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))
    >>> pieces = np.repeat(np.repeat(np.arange(4).reshape(2, 2), 2, axis=0), 2, axis=1)
    >>> lime(Asked(net, np.ones((1, 4, 4))), pieces, samples=50).fit.value > 0.9
    True
    """
    from sklearn.linear_model import Ridge

    labels = slic(asked.pixels, supervoxels) if isinstance(supervoxels, int) else np.asarray(supervoxels)
    if labels.shape != asked.space:
        raise InputError(f"labels of shape {asked.space}", got=f"shape {labels.shape}", where="LIME")
    pieces = np.unique(labels, return_inverse=True)[1].reshape(asked.space)
    count = int(pieces.max()) + 1
    if samples <= count:
        raise InputError(f"more samples than the {count} supervoxels", got=str(samples), where="LIME")
    seen = (np.random.default_rng(seed).random((samples, count)) < 0.5).astype(np.float64)
    seen[0] = 1.0
    scores = np.concatenate(
        [asked.scores(asked.masked(seen[n : n + BATCH][:, pieces])) for n in range(0, samples, BATCH)]
    )
    near = np.sqrt(np.exp(-((1 - np.sqrt(seen.mean(axis=1))) ** 2) / WIDTH**2))
    model = Ridge(alpha=1.0).fit(seen, scores, sample_weight=near)
    fit = float(model.score(seen, scores, sample_weight=near)) if np.ptp(scores) > 0 else float("nan")
    values = np.asarray(model.coef_)[pieces]
    known = np.isfinite(fit)
    said = Estimate.bare(fit, "one image: no interval", samples) if known else Estimate.missing("no output changes")
    made = saliency_of(asked, ("lime", CITES), values, "output", fit=said)
    bad = known and fit < FITS
    return made.warned(f"the linear model follows only {100 * max(fit, 0):.0f} % of the network" if bad else "")


def slic(image: Image, count: int) -> NDArray[np.int64]:
    """Return supervoxels, shape (*space): pieces of like intensity that hang together.

    Parameters
    ----------
    image : ndarray of float32, shape (channels, *space)
        Each channel is scaled to its spread.
    count : int
        About how many.

    Raises
    ------
    InputError
        Fewer than two.

    Examples
    --------
    >>> made = slic(np.random.default_rng(0).random((2, 20, 20)).astype(np.float32), 16)
    >>> made.shape, 4 <= len(np.unique(made)) <= 40
    ((20, 20), True)
    """
    import SimpleITK as sitk

    if count < 2:
        raise InputError("two supervoxels at least", got=str(count), where="LIME")
    flat: Floats = image.reshape(len(image), -1).astype(np.float64)
    spread = flat.std(axis=1)
    z = (flat - flat.mean(axis=1)[:, None]) / np.where(spread > 0, spread, 1.0)[:, None]
    vectors = np.moveaxis(z.reshape(image.shape), 0, -1)
    edge = max(1, round(float(np.prod(image.shape[1:]) / count) ** (1 / (image.ndim - 1))))
    asked = sitk.GetImageFromArray(np.ascontiguousarray(vectors, dtype=np.float32), isVector=True)
    made = sitk.SLIC(
        asked, superGridSize=[edge] * (image.ndim - 1), spatialProximityWeight=2.0, maximumNumberOfIterations=5
    )
    return np.asarray(sitk.GetArrayFromImage(made), dtype=np.int64)
