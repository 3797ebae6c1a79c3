"""Densely connected networks: every layer sees all before it, so few weights go far.

Why it exists: Liang's three-dimensional one reads IDH from four sequences at once.

Sources: Huang G et al., CVPR 2017:4700-4708; Liang S et al., Genes 2018;9:382 (D5).
"""

from __future__ import annotations

from torch import Tensor, nn

from tumorboard.lab.nets.headed import Encoder, averaged, called, padded, seen_in
from tumorboard.lab.nets.settings import Build

BLOCKS = (3, 3, 3)
"""Layers of each block; small for small crops (Liang: 6, 12, 24, 16)."""


class Dense(Encoder):
    """A densely connected network without its last layer.

    Parameters
    ----------
    channels, dimensions : int
        Of the images.
    how : Build
        ``width`` is the growth rate; blocks.
    """

    def __init__(self, channels: int, dimensions: int, how: Build) -> None:
        super().__init__()
        from monai.networks.nets.densenet import DenseNet

        blocks = how.blocks or BLOCKS
        made = called(
            DenseNet(
                dimensions,
                channels,
                1,
                init_features=2 * how.width,
                growth_rate=how.width,
                block_config=blocks,
                bn_size=2,
            )
        )
        self.body = made.get_submodule("features")
        self.features = 2 * how.width
        for n, layers in enumerate(blocks):
            self.features += layers * how.width
            self.features //= 2 if n < len(blocks) - 1 else 1
        self.least = 4 * 2 ** (len(blocks) - 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return features, shape (rows, features)."""
        return averaged(nn.functional.relu(self.body(padded(images, self.least))))

    @property
    def last_conv(self) -> nn.Module:
        """The last block, normalised."""
        return self.body

    def stages(self) -> list[nn.Module]:
        """Return stem, blocks and transitions."""
        return list(self.body.children())


def dense(channels: tuple[str, ...], how: Build) -> Encoder:
    """Return the encoder of a densely connected network.

    Examples
    --------
    >>> dense(("T1C",), Build(view="cube", width=4)).features
    23
    """
    return seen_in(how.view, how.pool, lambda dimensions: Dense(len(channels), dimensions, how))
