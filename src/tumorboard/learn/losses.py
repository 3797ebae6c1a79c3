"""What is minimised: cross entropy of the classes, and Dice of the regions that people measure.

Why it exists: whole tumour and core are what is judged, and they are sums of classes. Regions that a sample does not
hold have no Dice: a false alarm there is left to the cross entropy, since Dice would punish a hundred voxels like a
hundred thousand (tried: outlines stayed blobs).

Source: regions as training targets - Isensee F et al., BrainLes 2020:118-132; batch Dice as in nnU-Net (Isensee F et
al., Nat Methods 2021;18:203-211); the hardest voxels - Wu Z et al., arXiv:1605.06885.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

REGION_SETS: dict[str, tuple[tuple[int, ...], ...]] = {
    "tissues": ((1, 2, 3), (1, 3), (3,), (4,)),
    "mask": ((1,),),
}
"""Regions as sums of classes: of our tissue labels (WT, TC, ET, RC), and of a plain mask."""

SMOOTH = 100.0
"""Voxels added above and below, so that a few wrong ones do not decide the Dice of a region that is hardly there;
less where a few voxels are what is looked for."""


def region_loss(
    logits: Tensor,
    labels: Tensor,
    regions: tuple[tuple[int, ...], ...],
    smooth: float = SMOOTH,
    hardest: float = 1.0,
) -> Tensor:
    """Return cross entropy plus mean soft Dice loss of the regions.

    Parameters
    ----------
    logits : Tensor, shape (n, classes, i, j, k)
        Of the network.
    labels : Tensor of int64, shape (n, i, j, k)
        Classes.
    regions : tuple of tuple of int
        Classes of each region.
    smooth : float
        Voxels added above and below.
    hardest : float
        Share of voxels whose cross entropy counts, those that are worst: where next to all voxels are easy, the mean
        of all hides the few that are called wrongly.

    Returns
    -------
    Tensor
        Scalar.

    Examples
    --------
    >>> labels = torch.ones(1, 4, 4, 4, dtype=torch.int64)
    >>> sure = torch.stack([-9 * torch.ones(1, 4, 4, 4), 9 * torch.ones(1, 4, 4, 4)], dim=1)
    >>> bool(region_loss(sure, labels, ((1,),)) < 1e-3 < region_loss(-sure, labels, ((1,),)))
    True
    """
    log_p = functional.log_softmax(logits, dim=1)
    entropy = _entropy(log_p, labels, hardest)
    p = log_p.exp()
    terms = []
    for classes in regions:
        # summed class by class: no copy of all probabilities
        inside = sum((p[:, c] for c in classes[1:]), p[:, classes[0]])
        truth = torch.zeros_like(labels, dtype=torch.bool)
        for c in classes:
            truth |= labels == c
        if truth.any():
            both = (inside * truth).sum()
            terms.append(1 - (2 * both + smooth) / (inside.sum() + truth.sum() + smooth))
    return entropy + (torch.stack(terms).mean() if terms else 0.0)


def _entropy(log_p: Tensor, labels: Tensor, hardest: float) -> Tensor:
    if hardest >= 1:
        return functional.nll_loss(log_p, labels)
    each = functional.nll_loss(log_p, labels, reduction="none").flatten()
    return each.topk(max(1, round(hardest * each.numel())), sorted=False).values.mean()


def deep_loss(
    outputs: Tensor,
    labels: Tensor,
    regions: tuple[tuple[int, ...], ...],
    smooth: float = SMOOTH,
    hardest: float = 1.0,
) -> Tensor:
    """Return the loss of one output, or of several with weights that halve (deep supervision).

    Parameters
    ----------
    outputs : Tensor, shape (n, classes, i, j, k) or (n, outputs, classes, i, j, k)
        The finest first.
    """
    if outputs.ndim == labels.ndim + 1:
        return region_loss(outputs.float(), labels, regions, smooth, hardest)
    losses = [
        region_loss(level.float(), labels, regions, smooth, hardest) * 0.5**n
        for n, level in enumerate(outputs.unbind(1))
    ]
    return torch.stack(losses).sum() / sum(0.5**n for n in range(len(losses)))
