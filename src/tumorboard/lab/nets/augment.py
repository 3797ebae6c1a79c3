"""Small random changes of crops that change no diagnosis: turn, zoom, shift, mirror, gain, noise.

Why it exists: forty patients are few, and a scanner's scale or a head's tilt must not decide. Channels that are missing
stay zero, and the mask changes in place only, never in value.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tumorboard.lab.nets.settings import NetworkSet

LEFT_RIGHT = {"cube": 2, "slices": 3, "planes": 3}
"""Axis of a batch that runs from left to right; of three planes the first is sagittal and has none."""


def augmented(images: Tensor, view: str, mask: int | None, how: NetworkSet, generator: torch.Generator) -> Tensor:
    """Return changed crops.

    Parameters
    ----------
    images : Tensor, shape (rows, …)
        A batch in a view.
    view : str
        Which.
    mask : int or None
        Channel that is a mask.
    how : NetworkSet
        How much.
    generator : torch.Generator
        Of every draw, on the processor.

    Returns
    -------
    Tensor
        Of the same shape.

    Examples
    --------
    >>> how = NetworkSet(turn_deg=0, zoom=0, shift=0, gain=0, noise=0, flip=False)
    >>> images = torch.rand(2, 1, 8, 8, 8)
    >>> bool((augmented(images, "cube", None, how, torch.Generator()) == images).all())
    True
    """
    at = 2 if view in ("slices", "planes") else 1
    there = images.flatten(at + 1).ne(0).any(dim=-1)  # (rows, channels) or (rows, slices, channels)
    out = images
    if view != "curve":
        out = _mirrored(out, view, generator) if how.flip else out
        if how.turn_deg or how.zoom or how.shift:
            out = _moved(out, view, how, generator)
    if how.gain or how.noise:
        out = _toned(out, at, mask, how, generator)
    return out * there.reshape(*there.shape, *([1] * (out.ndim - there.ndim)))


def _mirrored(images: Tensor, view: str, generator: torch.Generator) -> Tensor:
    chosen = torch.rand(len(images), generator=generator) < 0.5
    other = images.flip(LEFT_RIGHT[view])
    if view == "planes":
        other[:, 0] = images[:, 0]
    return torch.where(chosen.to(images.device).reshape(-1, *([1] * (images.ndim - 1))), other, images)


def _moved(images: Tensor, view: str, how: NetworkSet, generator: torch.Generator) -> Tensor:
    """Turn, zoom and shift; every slice of a row moves alike."""
    rows, flat = len(images), images
    slices = 1
    if view in ("slices", "planes"):
        slices = images.shape[1]
        flat = images.flatten(0, 1)
    dimensions = flat.ndim - 2
    matrix = _matrices(rows, dimensions, how, generator).repeat_interleave(slices, dim=0).to(images)
    grid = torch.nn.functional.affine_grid(matrix, list(flat.shape), align_corners=False)
    moved = torch.nn.functional.grid_sample(flat, grid, align_corners=False)
    return moved.reshape(images.shape)


def _matrices(rows: int, dimensions: int, how: NetworkSet, generator: torch.Generator) -> Tensor:
    """Return affine matrices, shape (rows, dimensions, dimensions + 1), in coordinates from -1 to 1."""

    def drawn(*shape: int) -> Tensor:
        return 2 * torch.rand(rows, *shape, generator=generator) - 1

    angles = drawn(3) * math.radians(how.turn_deg)
    turn = torch.eye(dimensions).repeat(rows, 1, 1)
    pairs = [(0, 1)] if dimensions == 2 else [(0, 1), (0, 2), (1, 2)]
    for n, (a, b) in enumerate(pairs):
        one = torch.eye(dimensions).repeat(rows, 1, 1)
        cos, sin = angles[:, n].cos(), angles[:, n].sin()
        one[:, a, a], one[:, b, b], one[:, a, b], one[:, b, a] = cos, cos, -sin, sin
        turn = turn @ one
    turn = turn * (1 + how.zoom * drawn(1, 1))
    return torch.cat([turn, 2 * how.shift * drawn(dimensions, 1)], dim=2)


def _toned(images: Tensor, at: int, mask: int | None, how: NetworkSet, generator: torch.Generator) -> Tensor:
    """Multiply and add for each row and channel, and add noise; all slices of a row alike."""
    shape = [1] * images.ndim
    shape[0], shape[at] = len(images), images.shape[at]
    gain = 1 + how.gain * torch.randn(shape, generator=generator)
    offset = how.gain * torch.randn(shape, generator=generator)
    noise = how.noise * torch.randn(images.shape, generator=generator)
    change = torch.ones(shape)
    if mask is not None:
        change.narrow(at, mask, 1).zero_()
    device = images.device
    toned = images * gain.to(device) + offset.to(device) + noise.to(device)
    return torch.where(change.to(device).bool(), toned, images)
