"""What is asked of a network: one image, one output, and what an absent voxel looks like.

Why it exists: every method needs the same five things, and must leave the network as it found it: no mode changed, no
gradient left behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.explain.explanation import About

if TYPE_CHECKING:
    from torch import Tensor, nn

Image = NDArray[np.float32]
BATCH = 16
"""Images that go through a network at a time."""


@dataclass(frozen=True)
class Asked:
    """One question to a network.

    Parameters
    ----------
    network : torch.nn.Module
        From (batch, channels, i, j) or (batch, channels, i, j, k) to (batch, classes) or (batch,).
    image : array_like of float, shape (channels, i, j) or (channels, i, j, k)
        As the network wants it.
    target : int
        Output that is explained.
    sequences : tuple of str
        Name of each channel.
    baseline : float
        What an absent voxel looks like; 0 for standardised images.
    about : About
        What is explained.

    Raises
    ------
    InputError
        The image has another number of axes, or a value is not finite; the names do not fit its channels.

    Examples
    --------
    >>> from torch import nn
    >>> Asked(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), np.ones((1, 2, 2)), sequences=("T1C",)).space
    (2, 2)
    """

    network: nn.Module = field(repr=False)
    image: ArrayLike = field(repr=False)
    target: int = 0
    sequences: tuple[str, ...] = ()
    baseline: float = 0.0
    about: About = field(default_factory=About)

    def __post_init__(self) -> None:
        image = np.array(self.image, dtype=np.float32)
        if image.ndim not in (3, 4) or not image.size or not np.isfinite(image).all():
            expected = "finite values of shape (channels, i, j) or (channels, i, j, k)"
            raise InputError(expected, got=f"shape {image.shape}", where="image that is explained")
        names = tuple(self.sequences) or tuple(f"channel {c + 1}" for c in range(len(image)))
        if len(names) != len(image):
            raise InputError(f"{len(image)} names of sequences", got=str(len(names)), where="image that is explained")
        image.setflags(write=False)
        object.__setattr__(self, "image", image)
        object.__setattr__(self, "sequences", names)

    @property
    def pixels(self) -> Image:
        """The image as float32, shape (channels, *space)."""
        return np.asarray(self.image, dtype=np.float32)

    @property
    def space(self) -> tuple[int, ...]:
        """Shape of the image without its channels."""
        return self.pixels.shape[1:]

    def tensor(self) -> Tensor:
        """Return the image as a batch of one."""
        import torch

        return torch.from_numpy(self.pixels.copy())[None]

    def output(self, batch: Tensor) -> Tensor:
        """Return the network's output for the target, shape (batch,), with its graph.

        Raises
        ------
        InputError
            The network has no such output, or does not answer with one row an image.
        """
        found: Tensor = self.network(batch)
        if found.ndim == 1:
            found = found[:, None]
        if found.ndim != 2 or len(found) != len(batch) or not 0 <= self.target < found.shape[1]:
            expected = f"a network with an output {self.target} for each image"
            raise InputError(expected, got=f"outputs of shape {tuple(found.shape)}", where="network")
        return found[:, self.target]

    def scores(self, images: Image) -> NDArray[np.float64]:
        """Return the output for images of shape (n, channels, *space), without gradients."""
        import torch

        out = []
        with asking(self.network), torch.no_grad():
            for start in range(0, len(images), BATCH):
                part = torch.from_numpy(np.array(images[start : start + BATCH], dtype=np.float32))
                out.append(self.output(part).double().numpy())
        return np.concatenate(out)

    def score(self) -> float:
        """Return the output for the image."""
        return float(self.scores(self.pixels[None])[0])

    def masked(self, kept: NDArray[np.floating]) -> Image:
        """Return the image with voxels replaced by the baseline where ``kept`` is 0, shape (n, channels, *space).

        Parameters
        ----------
        kept : ndarray of float, shape (n, *space)
            From 0 (gone) to 1 (as it is).
        """
        weight = kept[:, None].astype(np.float32)
        mixed = self.pixels[None] * weight + np.float32(self.baseline) * (1 - weight)
        return np.asarray(mixed, dtype=np.float32)


@contextmanager
def asking(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation for a while; modes of all its parts are as before afterwards."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
