"""RISE: random parts of the image are covered, and a voxel counts as much as the output falls with it.

Why it exists: it needs no gradient and no layer: any function of an image can be asked.

Source: Petsiuk V et al. BMVC 2018. Ours differs in one thing: outputs are centred on their mean, so that a place that
does nothing is 0 rather than the mean output.
"""

from __future__ import annotations

import numpy as np

from tumorboard.errors import InputError
from tumorboard.explain.images.asked import BATCH, Asked
from tumorboard.explain.images.saliency import Floats, Saliency, saliency_of

CITES = "Petsiuk V et al. BMVC 2018"
MASKS, CELLS, KEPT = 400, 7, 0.5


def rise(asked: Asked, masks: int = MASKS, cells: int = CELLS, kept: float = KEPT, seed: int = 0) -> Saliency:
    """Return the map of RISE.

    Parameters
    ----------
    asked : Asked
        Any network.
    masks : int
        How many random covers.
    cells : int
        Of a cover along each axis.
    kept : float
        Chance of a cell to be seen.
    seed : int
        Of the covers.

    Returns
    -------
    Saliency
        In the output's unit; positive where seeing a voxel raises the output.

    Raises
    ------
    InputError
        Fewer than two covers or cells, or a chance that is not between 0 and 1.

    Examples
    --------
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    >>> rise(Asked(net, np.ones((1, 8, 8))), masks=20, cells=4).values.shape
    (8, 8)
    """
    if masks < 2 or cells < 2 or not 0 < kept < 1:
        raise InputError("two covers and cells, and a chance between 0 and 1", got="others", where="RISE")
    rng = np.random.default_rng(seed)
    total, covered, scores = np.zeros(asked.space), np.zeros(asked.space), []
    for start in range(0, masks, BATCH):
        made = covers(asked.space, min(BATCH, masks - start), cells, kept, rng)
        found = asked.scores(asked.masked(made))
        total += np.tensordot(found, made, axes=1)
        covered += made.sum(axis=0)
        scores.append(found)
    mean = float(np.concatenate(scores).mean())
    values = (total - mean * covered) / (masks * kept)
    return saliency_of(asked, ("rise", CITES), values, "output")


def covers(space: tuple[int, ...], count: int, cells: int, kept: float, rng: np.random.Generator) -> Floats:
    """Return smooth random covers, shape (count, *space): cells seen or not, enlarged linearly and shifted.

    Examples
    --------
    >>> made = covers((6, 6), 200, 3, 0.5, np.random.default_rng(0))
    >>> made.shape, round(float(made.mean()), 1)
    ((200, 6, 6), 0.5)
    """
    import torch
    from torch.nn.functional import interpolate

    cell = [-(-n // cells) for n in space]
    coarse = (rng.random((count, 1, *(cells + 1,) * len(space))) < kept).astype(np.float32)
    mode = "bilinear" if len(space) == 2 else "trilinear"
    size = [c * (cells + 1) for c in cell]
    fine = interpolate(torch.from_numpy(coarse), size=size, mode=mode, align_corners=False)[:, 0].numpy()
    out = np.empty((count, *space))
    for n in range(count):
        window = tuple(slice(a, a + s) for a, s in zip((int(rng.integers(0, c)) for c in cell), space, strict=True))
        out[n] = fine[n][window]
    return out
