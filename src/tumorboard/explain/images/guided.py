"""Guided back-propagation: gradients at the voxels, without what would lower the output on the way.

Why it exists: it draws finer than Grad-CAM. It may also draw edges whatever the network learned (Adebayo 2018), and is
therefore only to be read with its randomisation check.

Source: Springenberg JT et al. ICLR workshop 2015; with Grad-CAM in gliomas Meier R et al. 2018.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

from tumorboard.explain.images.asked import Asked
from tumorboard.explain.images.features import gradient_of
from tumorboard.explain.images.saliency import Saliency, saliency_of, shares_of_channels

if TYPE_CHECKING:
    from torch import nn

CITES = "Springenberg JT et al. ICLR workshop 2015"


def guided_backprop(asked: Asked) -> Saliency:
    """Return the size of guided gradients, summed over sequences.

    Parameters
    ----------
    asked : Asked
        Its rectifiers must be modules (``nn.ReLU``); where none is, the map is the plain gradient and says so.

    Returns
    -------
    Saliency
        In output per unit of intensity; 0 and above.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    >>> bool((guided_backprop(Asked(net, np.eye(6)[None])).values >= 0).all())
    True
    """
    network = copy.deepcopy(asked.network)
    count = guide(network)
    gradient = gradient_of(dataclasses.replace(asked, network=network), asked.tensor())[0].double().numpy()
    made = saliency_of(
        asked,
        ("guided-backprop", CITES),
        abs(gradient).sum(axis=0),
        "output per unit of intensity",
        by_sequence=shares_of_channels(gradient, asked.sequences),
    )
    return made.warned("" if count else "no rectifier was found: this is the plain gradient")


def guide(network: nn.Module) -> int:
    """Replace the rectifiers of a network by guided ones; return how many there were."""
    from torch import nn

    count = 0
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.ReLU):
                setattr(module, name, _guided())
                count += 1
    return count


def _guided() -> nn.Module:
    import torch
    from torch import nn

    class GuidedRelu(torch.autograd.Function):
        """A rectifier that passes back only what raises the output, where it was open."""

        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x)
            return torch.clamp(x, min=0)

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
            (x,) = ctx.saved_tensors
            passed: torch.Tensor = grads[0].clamp(min=0) * (x > 0)
            return passed

    class Guided(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = GuidedRelu.apply(x)  # type: ignore[no-untyped-call]  # torch does not annotate it
            return found

    return Guided()
