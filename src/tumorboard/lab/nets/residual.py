"""Residual networks of 18, 34 and 50 layers on cubes, slices or three planes.

Why it exists: most image systems for IDH and MGMT are one of these.

Sources: He K et al., CVPR 2016:770-778; Chang K et al., Clin Cancer Res 2018;24:1073-1081 (D2); Korfiatis P et al., J
Digit Imaging 2017;30:622-628 (D3); Chang P et al., AJNR 2018;39:1201-1207 (D1).
"""

from __future__ import annotations

from torch import Tensor, nn

from tumorboard.lab.nets.headed import Encoder, averaged, called, seen_in
from tumorboard.lab.nets.settings import Build

LAYERS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
"""Blocks of each level, as published; networks of 50 have bottlenecks."""


class Residual(Encoder):
    """A residual network without its last layer.

    Parameters
    ----------
    channels, dimensions : int
        Of the images.
    how : Build
        Width, blocks and stem.
    depth : int
        18, 34 or 50.
    """

    def __init__(self, channels: int, dimensions: int, how: Build, depth: int) -> None:
        super().__init__()
        from monai.networks.nets.resnet import ResNet

        levels = list(how.blocks or LAYERS[depth])
        planes = [how.width * 2**n for n in range(4)]
        full = how.stem == "full"
        self.net = called(
            ResNet(
                "bottleneck" if depth >= 50 else "basic",
                levels,
                planes,
                spatial_dims=dimensions,
                n_input_channels=channels,
                conv1_t_size=7 if full else 3,
                conv1_t_stride=2,
                no_max_pool=not full,
                feed_forward=False,
            )
        )
        self.features = planes[3] * (4 if depth >= 50 else 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return features, shape (rows, features)."""
        net: nn.Module = self.net
        x = net.get_submodule("act")(net.get_submodule("bn1")(net.get_submodule("conv1")(images)))
        if not self.net.no_max_pool:
            x = net.get_submodule("maxpool")(x)
        for level in self._levels():
            x = level(x)
        return averaged(x)

    @property
    def last_conv(self) -> nn.Module:
        """The last level."""
        return self._levels()[-1]

    def stages(self) -> list[nn.Module]:
        """Return the stem and the four levels."""
        return [nn.ModuleList([self.net.get_submodule("conv1"), self.net.get_submodule("bn1")]), *self._levels()]

    def _levels(self) -> list[nn.Module]:
        return [self.net.get_submodule(f"layer{n}") for n in (1, 2, 3, 4)]


def residual(channels: tuple[str, ...], how: Build, depth: int) -> Encoder:
    """Return the encoder of a residual network.

    Examples
    --------
    >>> residual(("T1C", "FLAIR"), Build(view="cube", width=4), 18).features
    32
    """
    return seen_in(how.view, how.pool, lambda dimensions: Residual(len(channels), dimensions, how, depth))
