"""Small networks whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn


class CornerNetwork(nn.Module):
    """Answers the mean of a rectified box at the low corner of channel 0, and nothing else."""

    def __init__(self, side: int, dims: int, channels: int = 2) -> None:
        super().__init__()
        conv = nn.Conv2d if dims == 2 else nn.Conv3d
        self.conv, self.relu = conv(channels, 2, 1, bias=False), nn.ReLU()
        self.head = nn.Linear(2, 2, bias=False)
        self.side, self.dims = side, dims
        with torch.no_grad():
            self.conv.weight.zero_()
            self.conv.weight[0, 0] = 1.0
            self.head.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.0]]))

    def forward(self, x):
        found = self.relu(self.conv(x))
        box = found[(slice(None), slice(None), *(slice(0, self.side),) * self.dims)]
        return self.head(box.flatten(2).mean(dim=2))


def averaging_network(dims: int, channels: int = 2, seed: int = 0) -> nn.Module:
    """Return a network that ends in global average pooling and one linear layer."""
    torch.manual_seed(seed)
    conv, pool = (nn.Conv2d, nn.AdaptiveAvgPool2d) if dims == 2 else (nn.Conv3d, nn.AdaptiveAvgPool3d)
    return nn.Sequential(
        conv(channels, 6, 3, padding=1), nn.ReLU(), conv(6, 5, 3, padding=1), nn.ReLU(),
        pool(1), nn.Flatten(), nn.Linear(5, 3),
    )  # fmt: skip


@pytest.fixture(params=[2, 3], ids=["2D", "3D"])
def dims(request):
    return request.param


@pytest.fixture
def corner(dims):
    """Network, image (all ones in both channels) and the mask of the corner."""
    from tumorboard.explain.images.asked import Asked

    space = (8,) * dims
    mask = np.zeros(space, dtype=bool)
    mask[(slice(0, 3),) * dims] = True
    asked = Asked(CornerNetwork(3, dims), np.ones((2, *space)), target=1, sequences=("FLAIR", "T1"))
    return asked, mask


@pytest.fixture
def pooled(dims):
    from tumorboard.explain.images.asked import Asked

    space = (9, 8) if dims == 2 else (7, 6, 5)
    image = np.random.default_rng(1).normal(size=(2, *space))
    return Asked(averaging_network(dims), image, target=2, sequences=("T1C", "FLAIR"))


@pytest.fixture
def averaging():
    return averaging_network
