"""Grad-CAM: the last features, weighed by how the output changes with each of them.

Why it exists: it asks any convolutional network, in two or three dimensions, and needs no other end of it than it has.

Source: Selvaraju RR et al. Int J Comput Vis 2020;128:336-359; in three dimensions for gliomas Meier R et al. 2018
(grade) and Huang Z et al. 2019.
"""

from __future__ import annotations

from tumorboard.explain.images.asked import Asked
from tumorboard.explain.images.features import coarseness, last_features
from tumorboard.explain.images.saliency import Saliency, enlarged, saliency_of

CITES = "Selvaraju RR et al. Int J Comput Vis 2020;128:336-359"


def grad_cam(asked: Asked, layer: str = "") -> Saliency:
    """Return the gradient-weighted class activation map.

    Parameters
    ----------
    asked : Asked
        Network, image and output.
    layer : str
        Part of the network; empty: the last one with places.

    Returns
    -------
    Saliency
        0 and above: only what speaks for the output is kept.

    Raises
    ------
    InputError
        As :func:`~tumorboard.explain.images.features.last_features`.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Conv3d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 27, 2))
    >>> grad_cam(Asked(net, np.ones((2, 5, 5, 5)))).values.shape
    (5, 5, 5)
    """
    found = last_features(asked, layer)
    places = tuple(range(1, found.values.ndim))
    weights = found.gradient.mean(dim=places, keepdim=True)
    coarse = (weights * found.values).sum(dim=0).clamp(min=0)
    made = saliency_of(asked, ("grad-cam", CITES), enlarged(coarse, asked.space), "output")
    return made.warned(coarseness(tuple(coarse.shape), asked.space))
