"""What scanners and preparation do to a clean image: blur, thick slices, shifts, shading, noise, masks.

Why it exists: a digital image is too good. Each blemish has its own chance and strength, and each sequence its own
draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.compiled import compiled
from tumorboard.learn.draw.noise import NoiseFields
from tumorboard.simulate.fields import control_shape, spread
from tumorboard.volume import Grid

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Blemishes:
    """Chances and strengths; all chosen.

    Parameters
    ----------
    blur : float
        Most that a neighbour weighs in the blur along an axis, 0 to 0.33.
    shift : float
        Most that a sequence lies beside the others, voxels.
    thick : float
        Chance of a 2-D sequence.
    thickest_mm : float
        Its largest slice thickness.
    shade : float
        Most of the standard deviation of the logarithm of the receive field.
    noise : float
        Most noise, in units of white matter on T1.
    curve : float
        Standard deviation of the logarithm of the exponent of the contrast curve.
    remnant, eaten : float
        Chances of skull that was left, and of brain that was taken away.
    ghost : float
        Chance of a motion ghost.
    """

    blur: float = 0.2
    shift: float = 0.5
    thick: float = 0.2
    thickest_mm: float = 6.0
    shade: float = 0.08
    noise: float = 0.04
    curve: float = 0.12
    remnant: float = 0.2
    eaten: float = 0.2
    ghost: float = 0.04


def blemished(images: Float, spacing_mm: float, how: Blemishes, noise: NoiseFields, rng: np.random.Generator) -> Float:
    """Return images as scanners give them.

    Parameters
    ----------
    images : ndarray of float32, shape (i, j, k, sequences)
        Clean; changed in place.
    spacing_mm : float
        Voxel size.
    how : Blemishes
        Chances and strengths.
    noise : NoiseFields
        Source of noise.
    rng : numpy.random.Generator
        Source of everything else.

    Returns
    -------
    ndarray of float32, shape (i, j, k, sequences)
        Not below 0.
    """
    count = images.shape[3]
    images = _blur(images, _taps(how, count, rng))
    common = int(rng.integers(3)) if rng.random() < 0.7 else None  # departments slice most sequences alike
    for s in range(count):
        if rng.random() < how.thick:
            thick = rng.uniform(2.0, how.thickest_mm) / spacing_mm
            axis = int(rng.integers(3)) if common is None else common
            if thick > 1.3:
                images[..., s] = _sliced(images[..., s], axis, thick, rng)
        if rng.random() < how.ghost:
            images[..., s] = _ghosted(images[..., s], rng)
    images *= _shades(images.shape, spacing_mm, how, rng)
    for s in range(count):
        level = np.float32(how.noise * rng.random() ** 2)
        shape = (images.shape[0], images.shape[1], images.shape[2])
        coarsest = 0 if rng.random() < 0.7 else 2
        real = images[..., s] + level * noise.at(shape, rng, 0, coarsest)
        images[..., s] = np.hypot(real, level * noise.at(shape, rng, 0, coarsest))
    return images


def curved(images: Float, sample: Float, how: Blemishes, rng: np.random.Generator) -> tuple[Float, Float]:
    """Bend the scale of intensities of each sequence, of images and of the sample they are normalised by."""
    for s in range(images.shape[-1]):
        power = np.float32(np.exp(rng.normal(0, how.curve)))
        if abs(power - 1) > 0.05:
            images[..., s] = np.power(images[..., s], power)
            sample[:, s] = np.power(np.maximum(sample[:, s], 0), power)
    return images, sample


def cut(brain: Mask, how: Blemishes, noise: NoiseFields, rng: np.random.Generator) -> tuple[Mask, Mask]:
    """Return the mask as a tool draws it, and which of its voxels are skull that was left.

    Parameters
    ----------
    brain : ndarray of bool, shape (i, j, k)
        True mask.

    Returns
    -------
    (ndarray of bool, ndarray of bool)
        Mask, remnants.
    """
    remnants = np.zeros_like(brain)
    shape = (brain.shape[0], brain.shape[1], brain.shape[2])
    if rng.random() < how.eaten:
        patchy = noise.at(shape, rng, 5, 6) > rng.uniform(-0.5, 1.5)
        inner = ndi.binary_erosion(brain, iterations=int(rng.integers(1, 3)), border_value=1)
        brain = brain & (inner | ~patchy)
    if rng.random() < how.remnant:
        patchy = noise.at(shape, rng, 5, 6) > rng.uniform(0.0, 2.0)
        outer = ndi.binary_dilation(brain, iterations=int(rng.integers(1, 4)))
        remnants = outer & ~brain & patchy
    return brain | remnants, remnants


def _taps(how: Blemishes, count: int, rng: np.random.Generator) -> Float:
    """Weights of three neighbours, (axis, sequence, 3): blur, and a shift that is common to neither."""
    side = rng.uniform(0, how.blur, (3, count)) * (rng.random((1, count)) < 0.8)
    move = rng.uniform(-how.shift, how.shift, (3, count)) * (rng.random((1, count)) < 0.4)
    low, high = side + np.clip(-move, 0, None) * (1 - 2 * side), side + np.clip(move, 0, None) * (1 - 2 * side)
    return np.stack([low, 1 - low - high, high], axis=-1).astype(np.float32)


def _blur(images: Float, taps: Float) -> Float:
    for axis in range(3):
        out = np.empty_like(images)
        _filter(np.moveaxis(images, axis, 0), taps[axis], np.moveaxis(out, axis, 0))
        images = out
    return images


@compiled
def _filter(images: Float, taps: Float, out: Float) -> None:
    n, p, q, sequences = images.shape
    for a in range(n):
        low, high = max(a - 1, 0), min(a + 1, n - 1)
        for b in range(p):
            for c in range(q):
                for s in range(sequences):
                    out[a, b, c, s] = (
                        taps[s, 0] * images[low, b, c, s]
                        + taps[s, 1] * images[a, b, c, s]
                        + taps[s, 2] * images[high, b, c, s]
                    )


def _sliced(image: Float, axis: int, thick: float, rng: np.random.Generator) -> Float:
    """Average along an axis over slices of ``thick`` voxels, and interpolate back linearly."""
    moved = np.moveaxis(image, axis, 0)
    n = len(moved)
    first = -rng.uniform(0, thick)
    centres = np.arange(first, n + thick, thick)
    at = np.arange(n)[None, :]
    weights = np.clip(thick / 2 + 0.5 - np.abs(at - centres[:, None]), 0, 1)
    seen = weights.sum(axis=1) > 0  # a slice that lies outside altogether shows nothing
    weights, centres = weights[seen] / weights[seen].sum(axis=1, keepdims=True), centres[seen]
    back = np.clip(1 - np.abs(at.T - centres[None, :]) / thick, 0, 1)
    back /= np.maximum(back.sum(axis=1, keepdims=True), 1e-6)
    whole = (back @ weights).astype(np.float32)
    return np.asarray(np.moveaxis(np.tensordot(whole, moved, axes=(1, 0)), 0, axis), dtype=np.float32)


def _ghosted(image: Float, rng: np.random.Generator) -> Float:
    axis, step = int(rng.integers(2)), int(rng.integers(8, 30))
    share = np.float32(rng.uniform(0.05, 0.25))
    return image * (1 - share) + share * np.roll(image, step, axis=axis)


def _shades(shape: tuple[int, ...], spacing_mm: float, how: Blemishes, rng: np.random.Generator) -> Float:
    i, j, k, count = shape
    grid = Grid((i, j, k), np.diag([spacing_mm] * 3 + [1.0]))
    out = np.empty((i, j, k, count), dtype=np.float32)
    for s in range(count):
        scale = float(rng.uniform(40.0, 110.0))
        control = rng.standard_normal(control_shape(grid, scale), dtype=np.float32)
        out[..., s] = np.exp(np.float32(1.8 * how.shade * rng.random()) * spread(control, grid, scale))
    return out
