"""Class activation map: the last features, weighed as the network itself weighs them.

Why it exists: where a network averages its last features over space and weighs the means, the weights can be put back
in place. The map is then no guess: its mean is the output, and that is checked; any other network is refused.

Source: Zhou B et al. CVPR 2016:2921-2929; in gliomas Ahmad A et al. 2019 (IDH).
"""

from __future__ import annotations

from tumorboard.errors import InputError
from tumorboard.explain.images.asked import Asked
from tumorboard.explain.images.features import coarseness, last_features
from tumorboard.explain.images.saliency import Saliency, enlarged, saliency_of

CITES = "Zhou B et al. CVPR 2016:2921-2929"
_SAME = 1e-3


def cam(asked: Asked) -> Saliency:
    """Return the class activation map.

    Parameters
    ----------
    asked : Asked
        Its network ends in global average pooling and one linear layer, which may see columns beside the features.

    Returns
    -------
    Saliency
        In the output's unit: its mean over the last features' places, and the bias, are the output.

    Raises
    ------
    InputError
        The network is built otherwise: Grad-CAM is proposed.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    >>> cam(Asked(net, np.eye(6)[None], target=1)).values.shape
    (6, 6)
    """
    found = last_features(asked)
    linear, values = found.last_linear, found.values
    count, given = len(values), found.last_input
    fits = linear is not None and linear.weight.shape[1] >= count and asked.target < len(linear.weight)
    if fits and linear is not None and given is not None and given.ndim == 1:
        row = linear.weight.detach()[asked.target]
        weights, beside = row[:count], row[count:]
        coarse = (weights.reshape(-1, *(1,) * len(asked.space)) * values).sum(dim=0)
        bias = 0.0 if linear.bias is None else float(linear.bias.detach()[asked.target])
        told = float(coarse.mean()) + bias + float(beside @ given[count:])
        if abs(told - found.output) <= _SAME * max(1.0, abs(found.output)):
            made = saliency_of(asked, ("cam", CITES), enlarged(coarse, asked.space), "output")
            return made.warned(coarseness(tuple(coarse.shape), asked.space))
    expected = "a network that averages its last features and weighs the means in one linear layer"
    raise InputError(expected, got="another", where="CAM", remedy="use Grad-CAM")
