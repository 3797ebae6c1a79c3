"""A network that looks at 2 x 2 x 2 voxels at a time: nothing is lost, and the dear first level costs an eighth.

Why it exists: on a processor most of a U-Net's time goes into its few channels at full resolution. Here voxels of a
block are channels on the way in and on the way out, as in sub-pixel convolution (Shi W et al., CVPR 2016:1874-1883).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FEATURES = 8
"""Features of each voxel that leave the network on blocks."""

REFINED = 16
"""Features of the last step at full resolution."""


def to_blocks(images: Tensor) -> Tensor:
    """Return (n, 8 c, i/2, j/2, k/2) of (n, c, i, j, k); sides must be even.

    Examples
    --------
    >>> x = torch.arange(16.0).reshape(1, 1, 2, 2, 4)
    >>> to_blocks(x).shape, bool((from_blocks(to_blocks(x)) == x).all())
    (torch.Size([1, 8, 1, 1, 2]), True)
    """
    n, c, i, j, k = images.shape
    cut = images.reshape(n, c, i // 2, 2, j // 2, 2, k // 2, 2)
    return cut.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(n, 8 * c, i // 2, j // 2, k // 2)


def from_blocks(blocks: Tensor) -> Tensor:
    """Undo :func:`to_blocks`."""
    n, c, i, j, k = blocks.shape
    spread = blocks.reshape(n, c // 8, 2, 2, 2, i, j, k)
    return spread.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(n, c // 8, 2 * i, 2 * j, 2 * k)


class OnBlocks(nn.Module):
    """Wrap a network so that it works on blocks of 2 x 2 x 2 voxels, and draw its outline voxel by voxel.

    The last step sees the images again: one small convolution at full resolution. Without it neighbours within a
    block learn to agree only slowly, and outlines are speckled.

    Parameters
    ----------
    inner : nn.Module
        From 8 times the sequences to 8 times :data:`FEATURES`; in training it may return deeper outputs as well,
        stacked along axis 1 (as MONAI's DynUNet does).
    channels, classes : int
        Sequences and outputs.
    """

    def __init__(self, inner: nn.Module, channels: int, classes: int) -> None:
        super().__init__()
        self.inner = inner
        self.outline = nn.Sequential(
            nn.Conv3d(FEATURES + channels, REFINED, 3, padding=1, bias=False),
            nn.InstanceNorm3d(REFINED, affine=True),
            nn.LeakyReLU(0.01, inplace=True),
            nn.Conv3d(REFINED, classes, 1),
        )
        self.rough = nn.Conv3d(FEATURES, classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, (n, classes, i, j, k); in training with deep supervision (n, outputs, classes, i, j, k)."""
        out = self.inner(to_blocks(images).contiguous(memory_format=torch.channels_last_3d))
        finest, *deeper = [out] if out.ndim == 5 else list(out.unbind(1))
        features = from_blocks(finest)
        logits: Tensor = self.rough(features) + self.outline(torch.cat([features, images.to(features.dtype)], dim=1))
        if not deeper:
            return logits
        return torch.stack([logits, *(self.rough(from_blocks(level)) for level in deeper)], dim=1)
