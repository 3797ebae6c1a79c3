"""The encoder of a segmentation bundle, to be trained further on another question.

Why it exists: where forty patients have a genotype, thousands of images had a tumour to outline; what a network learned
there is a better start than chance. Crops need the bundle's voxel size: ``spacing_mm`` in the representation.

Sources: Yosinski J et al., NIPS 2014:3320-3328 (transfer); Liang S et al., Genes 2018;9:382 (D5, with transfer); Lao J
et al., Sci Rep 2017;7:10353 (E4).
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from tumorboard.errors import InputError
from tumorboard.lab.nets.headed import Encoder, averaged, padded
from tumorboard.lab.nets.settings import Build
from tumorboard.networks.blocks_of_voxels import OnBlocks, to_blocks

LEAST = 32
"""Voxels of a side; smaller crops are filled up, so that the deepest level has more than one."""


class FromBundle(Encoder):
    """Input block, levels and bottleneck of a bundle's first network.

    Parameters
    ----------
    channels : tuple of str
        Names of the crops' channels; those that the bundle does not know are not looked at.
    name : str
        Of a shipped bundle, or the folder of another.

    Raises
    ------
    InputError
        There is no such bundle, or it knows none of the channels.
    """

    def __init__(self, channels: tuple[str, ...], name: str) -> None:
        super().__init__()
        from tumorboard.networks.bundle import read_bundle, shipped

        bundle = read_bundle(Path(name) if "/" in name else shipped(name))
        step = bundle.metadata.passes[0]
        network = bundle.network(step.name)
        self.on_blocks = isinstance(network, OnBlocks)
        inner: nn.Module = network.inner if isinstance(network, OnBlocks) else network
        downsamples = inner.get_submodule("downsamples")
        parts = [inner.get_submodule("input_block"), *downsamples.children(), inner.get_submodule("bottleneck")]
        self.levels = nn.ModuleList(parts)
        known = [s.value for s in bundle.metadata.sequences]
        named = [known.index(c) if c in known else -1 for c in channels]
        if all(n < 0 for n in named):
            if any(not c.startswith("channel") for c in channels):
                raise InputError(f"one of {', '.join(known)} for this bundle", got=", ".join(channels), where="network")
            named = [n if n < len(known) else -1 for n in range(len(channels))]
        self.count, self.named = len(known), named
        self.features = step.architecture.filters[-1]

    def forward(self, images: Tensor) -> Tensor:
        """Return features, shape (rows, features)."""
        x = images.new_zeros((len(images), self.count, *images.shape[2:]))
        for at, n in enumerate(self.named):
            if n >= 0:
                x[:, n] = images[:, at]
        x = padded(x, LEAST, 2)
        x = to_blocks(x) if self.on_blocks else x
        for level in self.levels:
            x = level(x)
        return averaged(x)

    @property
    def last_conv(self) -> nn.Module:
        """The bottleneck."""
        return self.levels[len(self.levels) - 1]

    def stages(self) -> list[nn.Module]:
        """Return the levels from the input on."""
        return list(self.levels)


def pretrained(channels: tuple[str, ...], how: Build) -> Encoder:
    """Return the encoder of a bundle.

    Examples
    --------
    >>> import torch
    >>> made = pretrained(("T1C", "mask"), Build(view="cube"))
    >>> made.features, len(made.stages()), torch.isfinite(made(torch.ones(1, 2, 32, 32, 32))).all().item()
    (160, 4, True)
    """
    return FromBundle(channels, how.transfer)
