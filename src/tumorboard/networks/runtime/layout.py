"""Channels last in memory from the first layer to the last: weights are laid out so, and normalisation keeps it so.

Why it exists: PyTorch's instance normalisation gives its output back with channels first; that is slow in itself, and
the next convolution has to turn it over again. Group normalisation with a group a channel is the same arithmetic and
keeps the layout (Wu Y, He K, ECCV 2018:3-19). Going backwards it is the slower one, so it is for use alone.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

FEW_VOXELS = 1024
"""Below so many voxels PyTorch's group normalisation takes a slow way of its own, and the usual one is better."""


def last_in_memory(network: nn.Module) -> nn.Module:
    """Lay a network's weights out with channels last in memory, and return it."""
    convert: Any = network.to  # PyTorch's own types know this only for two dimensions
    moved: nn.Module = convert(memory_format=torch.channels_last_3d)
    return moved


def keeping_layout(network: nn.Module) -> nn.Module:
    """Exchange a network's instance normalisations for ones that keep channels last, and return it.

    Those that track statistics stay: they are another thing in use.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv3d(1, 4, 3), nn.InstanceNorm3d(4, affine=True))
    >>> keeping_layout(network)[1]
    KeepingInstanceNorm()
    """
    for name, child in network.named_children():
        if isinstance(child, nn.InstanceNorm3d) and not child.track_running_stats:
            setattr(network, name, KeepingInstanceNorm(child))
        else:
            keeping_layout(child)
    return network


class KeepingInstanceNorm(nn.Module):
    """Instance normalisation whose output has channels last where its input has.

    Parameters
    ----------
    like : nn.InstanceNorm3d
        Whose weights are shared.
    """

    def __init__(self, like: nn.InstanceNorm3d) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = like.weight, like.bias, like.eps

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, channels, i, j, k) of the same shape."""
        if x[0, 0].numel() < FEW_VOXELS:
            return functional.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)
        return functional.group_norm(x, x.shape[1], self.weight, self.bias, self.eps)
