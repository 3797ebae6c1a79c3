"""Networks that want more than one image, made to be asked about one: slices as rows, columns beside.

Why it exists: explanations speak of voxels on a patient's grid. A network that reads slices one by one, or sees age
beside the image, is asked through this, and nothing else needs to know.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Adapted(nn.Module):
    """A network asked about images of shape (batch, channels, i, j, k) alone.

    Parameters
    ----------
    network : torch.nn.Module
        From images, and columns where it wants them, to outputs.
    slices : bool
        Whether it wants (batch, slices, channels, i, j).
    extra : array_like of float, shape (columns,), optional
        Columns of this patient; they stay as they are while voxels change.

    Examples
    --------
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(24, 1))
    >>> Adapted(net, slices=True)(torch.ones(2, 1, 2, 3, 4)).shape
    torch.Size([2, 1])
    """

    def __init__(self, network: nn.Module, slices: bool = False, extra: Any = None) -> None:
        super().__init__()
        self.network, self.slices = network, slices
        self.extra = None if extra is None else torch.as_tensor(extra, dtype=torch.float32)

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs of the network."""
        given = images.movedim(-1, 1) if self.slices else images
        found: Tensor = (
            self.network(given) if self.extra is None else self.network(given, self.extra.expand(len(images), -1))
        )
        return found
