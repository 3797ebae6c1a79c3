"""Networks by name, built from MONAI's. One line enrols another.

Why it exists: a bundle names its architecture and the numbers to build it with, and nothing else is ever executed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from tumorboard.errors import InputError
from tumorboard.networks.blocks_of_voxels import FEATURES, OnBlocks


class Architecture(BaseModel):
    """A network's name and numbers.

    Examples
    --------
    >>> made = Architecture(name="dynunet-blocks", channels=4, classes=5, filters=(8, 8, 16))
    >>> made.multiple
    8
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="one of the enrolled networks")
    channels: int = Field(gt=0, description="input channels")
    classes: int = Field(gt=0, description="output channels")
    filters: tuple[int, ...] = Field(min_length=3, description="channels of each level, the finest first")
    deep: int = Field(default=0, ge=0, description="deeper outputs that are supervised in training")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="chance that a channel is left out in training")

    @property
    def multiple(self) -> int:
        """Sides of the input must be multiples of this."""
        return int(2 ** (len(self.filters) - 1) * (2 if self.name.endswith("-blocks") else 1))

    def build(self) -> nn.Module:
        """Return the network with random weights.

        Raises
        ------
        InputError
            There is no architecture of that name.
        """
        if self.name not in ARCHITECTURES:
            expected = f"one of the architectures {', '.join(ARCHITECTURES)}"
            raise InputError(expected, got=repr(self.name), where="bundle", remedy="take a newer tumorboard")
        return ARCHITECTURES[self.name](self)


TWICE = "skip_layers."
"""In names of weights that MONAI's DynUNet lists a second time."""


def own_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights without those that are listed twice.

    Examples
    --------
    >>> how = Architecture(name="dynunet", channels=1, classes=2, filters=(8, 8, 8))
    >>> every = how.build().state_dict()
    >>> len(own_weights(every)) < len(every)
    True
    """
    return {name: value for name, value in state.items() if TWICE not in name}


def load_weights(network: nn.Module, weights: Mapping[str, Tensor], where: str = "weights") -> None:
    """Load weights into a network; all of them, and no others.

    Raises
    ------
    InputError
        They are those of another network.
    """
    wanted = {name: tuple(value.shape) for name, value in own_weights(network.state_dict()).items()}
    if wanted != {name: tuple(value.shape) for name, value in own_weights(weights).items()}:
        raise InputError("weights of the architecture that is named", got="those of another", where=where)
    network.load_state_dict(own_weights(weights), strict=False)


def _dynunet(how: Architecture, channels: int, classes: int) -> nn.Module:
    from monai.networks.nets.dynunet import DynUNet

    levels = len(how.filters)
    built: Any = DynUNet(
        spatial_dims=3,
        in_channels=channels,
        out_channels=classes,
        kernel_size=[3] * levels,
        strides=[1] + [2] * (levels - 1),
        upsample_kernel_size=[2] * (levels - 1),
        filters=list(how.filters),
        norm_name="instance",
        dropout=how.dropout or None,
        deep_supervision=how.deep > 0,
        deep_supr_num=max(how.deep, 1),
    )
    module: nn.Module = built
    return module


ARCHITECTURES: dict[str, Callable[[Architecture], nn.Module]] = {
    "dynunet": lambda how: _dynunet(how, how.channels, how.classes),
    "dynunet-blocks": lambda how: OnBlocks(_dynunet(how, 8 * how.channels, 8 * FEATURES), how.channels, how.classes),
}
