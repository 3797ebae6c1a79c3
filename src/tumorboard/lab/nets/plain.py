"""VGG-style networks: two small convolutions and a pool, again and again.

Why it exists: the plainest network that works is the honest rival of the others, and the stream of those with many.

Sources: Simonyan K, Zisserman A, ICLR 2015; Nie D et al., MICCAI 2016:212-220 (E5, three-dimensional); Chang PD et al.,
AJNR 2017;38:890-898 (D11).
"""

from __future__ import annotations

from torch import Tensor, nn

from tumorboard.lab.nets.headed import Encoder, averaged, called, seen_in
from tumorboard.lab.nets.settings import Build

BLOCKS = (1, 2, 2)
"""Convolutions of each level; chosen for small crops."""

_POOLS = {1: nn.functional.max_pool1d, 2: nn.functional.max_pool2d, 3: nn.functional.max_pool3d}


class Plain(Encoder):
    """Convolutions and pools.

    Parameters
    ----------
    channels, dimensions : int
        Of the images.
    how : Build
        Width (it doubles with each level) and blocks.
    """

    def __init__(self, channels: int, dimensions: int, how: Build) -> None:
        super().__init__()
        self.dimensions = dimensions
        width, levels = channels, []
        for n, convolutions in enumerate(how.blocks or BLOCKS):
            wider = how.width * 2**n
            stride = 2 if n == 0 and dimensions == 3 else 1  # full resolution in three dimensions is dear
            levels.append(_level(dimensions, width, wider, convolutions, stride))
            width = wider
        self.levels = nn.ModuleList(levels)
        self.features = width

    def forward(self, images: Tensor) -> Tensor:
        """Return features, shape (rows, features)."""
        return averaged(self.maps(images))

    def maps(self, images: Tensor) -> Tensor:
        """Return the last maps, shape (rows, features, …)."""
        x = images
        for n, level in enumerate(self.levels):
            x = level(x if n == 0 else _POOLS[self.dimensions](x, 2, ceil_mode=True))
        return x

    @property
    def last_conv(self) -> nn.Module:
        """The last level."""
        return self.levels[len(self.levels) - 1]

    def stages(self) -> list[nn.Module]:
        """Return the levels."""
        return list(self.levels)


def plain(channels: tuple[str, ...], how: Build) -> Encoder:
    """Return the encoder of a VGG-style network.

    Examples
    --------
    >>> plain(("T1C",), Build(view="slices", width=4)).features
    16
    """
    return seen_in(how.view, how.pool, lambda dimensions: Plain(len(channels), dimensions, how))


def _level(dimensions: int, width: int, wider: int, convolutions: int, stride: int) -> nn.Module:
    from monai.networks.blocks.convolutions import Convolution

    out: list[nn.Module] = []
    for n in range(convolutions):
        out.append(
            called(
                Convolution(
                    dimensions,
                    width if n == 0 else wider,
                    wider,
                    strides=stride if n == 0 else 1,
                    kernel_size=3,
                    act="RELU",
                    norm="BATCH",
                )
            )
        )
    return nn.Sequential(*out)
