"""What a native image is worth: numbers a reader would want before trusting it.

Why it exists: motion, ghosts, cut-off heads and copied slices are seen by people and missed by software.
Every number has a threshold in one table; what crosses it is told in words and refuses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.volume import Volume

NOISE_MASK = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])
"""Immerkær's mask: blind to planes and edges, so that what is left is noise."""


@dataclass(frozen=True)
class ImageQuality:
    """Numbers of one native image.

    Parameters
    ----------
    spacing_mm : tuple of float
        Voxel size in array order.
    slices : int
        Along the thickest axis.
    thickness_mm : float
        Largest spacing.
    field_mm : tuple of float
        Field of view in array order.
    snr : float
        Median signal of the head over the noise (Immerkær J, Comput Vis Image Underst 1996;64:300-302).
    ghost : float
        Structured signal in the air beside the head along one in-plane axis more than along the other, as a
        part of the head's median; 0 where there is no air.
    jumps : float
        Median step of mean brightness from slice to slice beyond their smooth course, as a part of the mean.
    copied : int
        Slices equal voxel by voxel to the one before.
    empty : int
        Slices of one value.
    saturated : float
        Part of the head's voxels that hold the largest value.
    warnings : tuple of str
        What crossed a threshold.
    """

    spacing_mm: tuple[float, float, float]
    slices: int
    thickness_mm: float
    field_mm: tuple[float, float, float]
    snr: float
    ghost: float
    jumps: float
    copied: int
    empty: int
    saturated: float
    warnings: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, object]:
        """Return plain rounded numbers."""
        return {
            name: round(value, 4) if isinstance(value, float) else list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }


@dataclass(frozen=True)
class Threshold:
    """From where a number is told; ``above`` is False where small values are bad."""

    number: str
    value: float
    text: str
    above: bool = True


HEAD = 0.3
"""What is brighter than this part of the head's median is no ghost; chosen."""

THRESHOLDS = (
    Threshold("thickness_mm", 6.0, "slices of {0:.1f} mm are too thick for small lesions"),
    Threshold("snr", 8.0, "noisy: signal is {0:.1f} times the noise", above=False),
    Threshold("ghost", 0.08, "ghosts or motion: structured signal of {0:.2f} of the head's beside it"),
    Threshold("jumps", 0.06, "brightness jumps from slice to slice by {0:.0%}: motion or interleaving"),
    Threshold("copied", 0.0, "{0} slices are copies of the one before"),
    Threshold("empty", 0.0, "{0} slices are empty"),
    Threshold("saturated", 0.01, "{0:.0%} of the head is saturated"),
)
"""Chosen."""


def assess(volume: Volume) -> ImageQuality:
    """Measure an image as the scanner gave it.

    Parameters
    ----------
    volume : Volume
        With skull; any orientation.

    Returns
    -------
    ImageQuality

    Examples
    --------
    >>> data = np.zeros((32, 32, 6)); data[8:24, 8:24] = 100.0
    >>> quality = assess(Volume.of(data + np.random.default_rng(0).random(data.shape), np.diag([7.0, 7.0, 7.0, 1.0])))
    >>> quality.copied, quality.slices, quality.thickness_mm
    (0, 32, 7.0)
    """
    spacing, shape = volume.spacing_mm, volume.grid.shape
    axis = _slice_axis(volume)
    slices = np.moveaxis(np.asarray(volume.data, dtype=np.float32), axis, 0)
    head = slices > 0.5 * float(slices.mean())
    level = float(np.median(slices[head])) if head.any() else 0.0
    numbers: dict[str, float] = {
        "thickness_mm": spacing[axis],
        "snr": level / max(_noise(slices), 1e-6 * max(level, 1e-6)),
        "ghost": _ghost(slices, slices > HEAD * level) / level if level > 0 else 0.0,
        "jumps": _jumps(slices, head),
        "copied": int(sum(_alike(a, b) for a, b in zip(slices[1:], slices[:-1], strict=True))),
        "empty": int((np.ptp(slices.reshape(len(slices), -1), axis=1) == 0).sum()),
        "saturated": float((slices[head] >= slices.max()).mean()) if head.any() else 0.0,
    }
    told = [t.text.format(numbers[t.number]) for t in THRESHOLDS if (numbers[t.number] > t.value) == t.above]
    a, b, c = (float(n * s) for n, s in zip(shape, spacing, strict=True))
    return ImageQuality(
        spacing_mm=spacing,
        slices=len(slices),
        field_mm=(a, b, c),
        thickness_mm=numbers["thickness_mm"],
        snr=numbers["snr"],
        ghost=numbers["ghost"],
        jumps=numbers["jumps"],
        copied=int(numbers["copied"]),
        empty=int(numbers["empty"]),
        saturated=numbers["saturated"],
        warnings=tuple(told),
    )


def _slice_axis(volume: Volume) -> int:
    """Return the axis of thickest voxels; the first of equal ones."""
    return int(np.argmax(np.round(volume.spacing_mm, 3)))


def _alike(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    return bool(np.array_equal(a, b)) and float(np.ptp(a)) > 0


def _noise(slices: NDArray[np.float32]) -> float:
    """Noise of the middle slices by Immerkær's mask; the median keeps edges out."""
    middle = slices[len(slices) // 4 : max(len(slices) // 4 + 1, 3 * len(slices) // 4)]
    inner = middle > 0.5 * float(slices.mean())
    left = np.abs(ndi.convolve(middle, NOISE_MASK[None].astype(np.float32), mode="nearest"))
    values = left[inner & (middle < middle.max())]
    return float(np.median(values)) / (6.0 * 0.6745) if values.size else 0.0


def _ghost(slices: NDArray[np.float32], head: NDArray[np.bool_]) -> float:
    """Compare the air in front of and behind the head with that on its sides: ghosts lie along one axis only."""
    across, along = head.any(axis=(0, 2)), head.any(axis=(0, 1))
    beside = slices[:, ~across, :][:, :, along]
    before = slices[:, across, :][:, :, ~along]
    if beside.shape[1] < 3 or before.shape[2] < 3:
        return 0.0
    return abs(float(beside.mean()) - float(before.mean()))


def _jumps(slices: NDArray[np.float32], head: NDArray[np.bool_]) -> float:
    """Median deviation of slice means from the mean of their neighbours; odd-even alternation doubles it."""
    counts = head.reshape(len(slices), -1).sum(axis=1)
    full = counts > 0.5 * counts.max()
    means = np.array([float(s[h].mean()) for s, h, f in zip(slices, head, full, strict=True) if f])
    if len(means) < 5:
        return 0.0
    off = np.abs(means[1:-1] - (means[:-2] + means[2:]) / 2)
    return float(np.median(off) / max(float(means.mean()), 1e-6))
