"""What every network is: an encoder, then a last layer that also sees the columns beside the images.

Why it exists: explanation, prototypes and fine-tuning ask each network the same three things: its activations before
the last layer, its last convolution, and its stages from input to output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Encoder(nn.Module):
    """From images to features.

    Attributes
    ----------
    features : int
        How many it gives.
    """

    features: int

    @property
    def last_conv(self) -> nn.Module | None:
        """Module whose output is the last map of features; None where there is no image."""
        return None

    def stages(self) -> list[nn.Module]:
        """Return its parts from input to output."""
        return [self]


class Headed(nn.Module):
    """An encoder with a last layer.

    Parameters
    ----------
    encoder : Encoder
        From images to features.
    outputs : int
        Numbers for each row.
    extras : int
        Columns and flags that join the features.
    dropout : float
        Before the last layer.
    hidden : int
        Units of a layer that each output has of its own (multi-task); 0: none.
    """

    def __init__(self, encoder: Encoder, outputs: int, extras: int = 0, dropout: float = 0.0, hidden: int = 0) -> None:
        super().__init__()
        self.encoder, self.outputs, self.extras = encoder, outputs, extras
        self.dropout = nn.Dropout(dropout)
        width = encoder.features + extras
        self.heads = nn.ModuleList(_head(width, hidden) for _ in range(outputs)) if hidden else None
        self.head = None if hidden else nn.Linear(width, outputs)
        for module in self.modules():  # changes in place would hide activations from whoever explains them
            if hasattr(module, "inplace"):
                setattr(module, "inplace", False)  # noqa: B010 - PyTorch's types do not know the attribute

    def penultimate(self, images: Tensor, extra: Tensor | None = None) -> Tensor:
        """Return what the last layer sees, shape (rows, features + extras)."""
        features: Tensor = self.encoder(images)
        if not self.extras:
            return features
        beside = features.new_zeros((len(features), self.extras)) if extra is None else extra.to(features)
        return torch.cat([features, beside], dim=1)

    def forward(self, images: Tensor, extra: Tensor | None = None) -> Tensor:
        """Return logits, risks or quantities, shape (rows, outputs)."""
        seen = self.dropout(self.penultimate(images, extra))
        if self.heads is not None:
            return torch.cat([head(seen) for head in self.heads], dim=1)
        out: Tensor = self.head(seen) if self.head is not None else seen
        return out

    @property
    def last_conv(self) -> nn.Module | None:
        """Module whose output is the last map of features, for Grad-CAM."""
        return self.encoder.last_conv

    def stages(self) -> list[nn.Module]:
        """Return the parts from input to output; the last layer is the last."""
        last = self.heads if self.heads is not None else self.head
        return [*self.encoder.stages(), *([last] if last is not None else [])]


class OverSlices(Encoder):
    """A two-dimensional encoder on each slice, and one set of features for all.

    Parameters
    ----------
    inner : Encoder
        Of one slice.
    pool : str
        ``mean`` or ``max`` over slices, or ``join`` for a fixed number of planes.
    planes : int
        How many, for ``join``.
    """

    def __init__(self, inner: Encoder, pool: str, planes: int = 3) -> None:
        super().__init__()
        self.inner, self.pool = inner, pool
        self.features = inner.features * (planes if pool == "join" else 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return features, shape (rows, features), of images (rows, slices, channels, i, j)."""
        each = slicewise(self.inner, images)
        if self.pool == "join":
            return each.flatten(1)
        return each.amax(dim=1) if self.pool == "max" else each.mean(dim=1)

    @property
    def last_conv(self) -> nn.Module | None:
        """That of the inner encoder; its maps are (rows × slices, features, i, j)."""
        return self.inner.last_conv

    def stages(self) -> list[nn.Module]:
        """Return those of the inner encoder."""
        return self.inner.stages()


def slicewise(inner: nn.Module, images: Tensor) -> Tensor:
    """Return features of each slice, shape (rows, slices, features)."""
    rows, slices = images.shape[:2]
    out: Tensor = inner(images.flatten(0, 1))
    return out.reshape(rows, slices, -1)


def seen_in(view: str, pool: str, make: Callable[[int], Encoder]) -> Encoder:
    """Return an encoder for a view from a function of the number of dimensions."""
    if view == "cube":
        return make(3)
    if view == "curve":
        return make(1)
    return OverSlices(make(2), "join" if view == "planes" else pool)


def averaged(maps: Tensor) -> Tensor:
    """Return the mean of maps over space, shape (rows, features)."""
    return maps.flatten(2).mean(dim=2)


def padded(images: Tensor, least: int, multiple: int = 1) -> Tensor:
    """Return images with zeros at the far ends, so that each side is large enough and a multiple.

    Examples
    --------
    >>> padded(torch.ones(1, 1, 5, 9), 8, 2).shape
    torch.Size([1, 1, 8, 10])
    """
    room: list[int] = []
    for side in reversed(images.shape[2:]):
        wanted = max(side, least)
        room += [0, wanted + -wanted % multiple - side]
    return nn.functional.pad(images, room) if any(room) else images


def called(made: Any) -> nn.Module:
    """Return a network of MONAI, whose types are not known, as a module."""
    module: nn.Module = made
    return module


def _head(width: int, hidden: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, 1))
