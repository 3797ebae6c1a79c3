"""Several scales side by side: the whole crop made coarser, the crop, and its middle in full detail.

Why it exists: 1p/19q shows in a sharp or blurred border as well as in texture; one scale sees one of them.

Source: Akkus Z et al., J Digit Imaging 2017;30:469-476 (D6: multi-scale CNN).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tumorboard.lab.nets.headed import Encoder, seen_in
from tumorboard.lab.nets.plain import Plain
from tumorboard.lab.nets.settings import Build


class Multiscale(Encoder):
    """A VGG-style encoder for each of three scales; features are joined.

    Parameters
    ----------
    channels, dimensions : int
        Of the images.
    how : Build
        Of each encoder.
    """

    def __init__(self, channels: int, dimensions: int, how: Build) -> None:
        super().__init__()
        self.each = nn.ModuleList(Plain(channels, dimensions, how) for _ in range(3))
        self.features = sum(one.features for one in self._encoders())

    def forward(self, images: Tensor) -> Tensor:
        """Return features, shape (rows, features)."""
        return torch.cat([one(x) for one, x in zip(self._encoders(), scales(images), strict=True)], dim=1)

    @property
    def last_conv(self) -> nn.Module:
        """That of the crop as it is."""
        return self._encoders()[1].last_conv

    def _encoders(self) -> list[Plain]:
        return [one for one in self.each if isinstance(one, Plain)]


def scales(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return images at half the detail, as they are, and their middle half.

    Examples
    --------
    >>> [tuple(x.shape[2:]) for x in scales(torch.ones(1, 1, 9, 8))]
    [(5, 4), (9, 8), (5, 4)]
    """
    pool = {1: nn.functional.avg_pool1d, 2: nn.functional.avg_pool2d, 3: nn.functional.avg_pool3d}[images.ndim - 2]
    middle = images
    for axis in range(2, images.ndim):
        side = images.shape[axis]
        middle = middle.narrow(axis, side // 4, (side + 1) // 2)
    return pool(images, 2, ceil_mode=True, count_include_pad=False), images, middle


def multiscale(channels: tuple[str, ...], how: Build) -> Encoder:
    """Return the encoder of three scales.

    Examples
    --------
    >>> multiscale(("T1C",), Build(view="cube", width=4)).features
    48
    """
    return seen_in(how.view, how.pool, lambda dimensions: Multiscale(len(channels), dimensions, how))
