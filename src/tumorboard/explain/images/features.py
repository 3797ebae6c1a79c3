"""The last features of a network that still have places, and how the output changes with them.

Why it exists: which layer a class activation map looks at decides what it shows. It is found by running the network:
the last layer whose output has the image's axes and more than one place. Another can be named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tumorboard.errors import InputError
from tumorboard.explain.images.asked import Asked, asking

if TYPE_CHECKING:
    from torch import Tensor, nn

COARSE, FEW = 16, 4
"""Voxels to one place of the features from which a map is called coarse; places along an axis below which; chosen."""


@dataclass(frozen=True)
class Features:
    """Features of one image.

    Parameters
    ----------
    layer : str
        Where they were taken.
    values, gradient : Tensor, shape (channels, *places)
        Features, and the gradient of the output with respect to them.
    output : float
        Of the network.
    last_linear : torch.nn.Linear or None
        The linear layer that ran last.
    last_input : Tensor or None, shape (inputs,)
        What it was given.
    """

    layer: str
    values: Tensor
    gradient: Tensor
    output: float
    last_linear: nn.Linear | None
    last_input: Tensor | None = None


def last_features(asked: Asked, layer: str = "") -> Features:
    """Run a network once and return its last features with places.

    Parameters
    ----------
    asked : Asked
        Network and image.
    layer : str
        Name of a part, as in ``network.named_modules()``; empty: the last one.

    Raises
    ------
    InputError
        There is no such part, no part has places, or the output does not depend on it.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    >>> last_features(Asked(net, np.ones((1, 6, 6)))).layer
    '1'
    """
    import torch
    from torch import nn

    parts = dict(asked.network.named_modules())
    if layer and layer not in parts:
        raise InputError("a part of the network", got=repr(layer), where="layer", remedy="see named_modules()")
    watched = {layer: parts[layer]} if layer else {n: m for n, m in parts.items() if not list(m.children())}
    seen: list[tuple[str, Tensor]] = []
    linear: list[tuple[nn.Linear, Tensor]] = []

    def watch(name: str) -> Any:
        def hook(module: nn.Module, given: tuple[Any, ...], output: Any) -> None:
            if isinstance(output, torch.Tensor) and _has_places(output, asked.space):
                seen.append((name, output))
            if isinstance(module, nn.Linear):
                linear.append((module, given[0].detach()[0]))

        return hook

    hooks = [module.register_forward_hook(watch(name)) for name, module in watched.items()]
    hooks += [m.register_forward_hook(watch("")) for n, m in parts.items() if layer and isinstance(m, nn.Linear)]
    try:
        with asking(asked.network), torch.enable_grad():
            # times one: the first layer may work in place, which a leaf does not allow
            output = asked.output(asked.tensor().requires_grad_(True) * 1)[0]
    finally:
        for hook in hooks:
            hook.remove()
    if not seen:
        raise InputError("a layer whose output has places", got="none", where=layer or "network")
    name, values = seen[-1]
    (gradient,) = torch.autograd.grad(output, values, allow_unused=True)
    if gradient is None:
        raise InputError("an output that depends on the layer", got="one that does not", where=name or "network")
    kept, change = (_on_axes(t, asked.space) for t in (values.detach(), gradient))
    last = linear[-1] if linear else (None, None)
    return Features(name, kept, change, float(output.detach()), *last)


def coarseness(places: tuple[int, ...], space: tuple[int, ...]) -> str:
    """Return a warning where one place of the features is so wide that a map of them hardly tells where.

    Examples
    --------
    >>> coarseness((2, 2), (32, 32)), coarseness((8, 8), (16, 16))
    ('coarse: one place of the features is 16 voxels wide', '')
    """
    step = max(n / m for n, m in zip(space, places, strict=True))
    few = any(p < min(FEW, s) for p, s in zip(places, space, strict=True))
    return f"coarse: one place of the features is {step:.0f} voxels wide" if few or step > COARSE else ""


def _has_places(output: Tensor, space: tuple[int, ...]) -> bool:
    """Whether features lie on the image's axes, or are those of its slices one after another."""
    alike = output.ndim == 2 + len(space) and len(output) == 1
    sliced = len(space) == 3 and output.ndim == 4 and len(output) == space[2]
    return (alike or sliced) and output[0, 0].numel() > 1


def _on_axes(features: Tensor, space: tuple[int, ...]) -> Tensor:
    """Return features of shape (channels, *places); slices become the last axis."""
    return features[0] if features.ndim == 2 + len(space) else features.permute(1, 2, 3, 0)


def gradient_of(asked: Asked, image: Tensor) -> Tensor:
    """Return the gradient of the output with respect to a batch of images, the same shape."""
    import torch

    with asking(asked.network), torch.enable_grad():
        leaf = image.detach().clone().requires_grad_(True)
        total = asked.output(leaf * 1).sum()
        (gradient,) = torch.autograd.grad(total, leaf)
    return gradient.detach()
