"""A prepared study as a foreign network wants to see it, and the way back.

Why it exists: a network is only as good as its input is like that of its training: axes, voxel size and intensities.
Intensities of a prepared study are robust standard deviations around the brain's median; they are moved so that air is
0 and the brain lies above it, as in skull-stripped images, and then normalised as the model's files say.

Source: nnU-Net's default preprocessing (Isensee F et al. Nat Methods 2021;18:203-211): crop, normalise, then resample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.errors import InputError, SequenceError
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Volume, box_around

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]
Triple = tuple[float, float, float]

THICK = 3.0
"""From this ratio of voxel sides on, an axis is resampled on its own (nnU-Net's anisotropy threshold)."""


@dataclass(frozen=True)
class Resampling:
    """How an array is brought to another voxel size.

    ``order`` is that of the spline; along a thick axis it is ``order_z``. ``separate`` forces (True) or forbids (False)
    that axis; None looks at the voxel sizes.
    """

    order: int = 3
    order_z: int = 0
    separate: bool | None = None

    def axis(self, now_mm: Triple, then_mm: Triple) -> int | None:
        """Return the axis that is resampled on its own, or None."""
        thick = [s for s in (now_mm, then_mm) if max(s) / min(s) > THICK]
        if self.separate is False or not (thick or self.separate):
            return None
        sizes = now_mm if self.separate else thick[0]
        largest = [n for n, s in enumerate(sizes) if s == max(sizes)]
        return largest[0] if len(largest) == 1 else None

    def to_shape(self, data: Float, shape: tuple[int, ...], now_mm: Triple, then_mm: Triple) -> Float:
        """Resample (channels, i, j, k) to ``shape``; voxels' outer edges stay in place, values in their range."""
        if data.shape[1:] == shape:
            return data
        axis = self.axis(now_mm, then_mm)
        if axis is None:
            return np.stack([_zoom(channel, shape, self.order) for channel in data])
        return np.stack([self._by_slices(channel, shape, axis) for channel in data])

    def _by_slices(self, image: Float, shape: tuple[int, ...], axis: int) -> Float:
        """Resample each slice across ``axis``, and then along it."""
        flat = tuple(n for a, n in enumerate(shape) if a != axis)
        slices = np.stack([_zoom(s, flat, self.order) for s in np.moveaxis(image, axis, 0)])
        n, now = shape[axis], len(slices)
        if self.order_z == 0:
            nearest = np.floor((now / n) * (np.arange(n) + 0.5)).astype(int)
            slices = slices[np.clip(nearest, 0, now - 1)]
        else:
            slices = _zoom(slices, (n, *flat), self.order_z)
        return np.ascontiguousarray(np.moveaxis(slices, 0, axis))


def _zoom(image: Float, shape: tuple[int, ...], order: int) -> Float:
    if image.shape == shape:
        return image
    factors = [s / n for s, n in zip(shape, image.shape, strict=True)]
    degree: Any = order
    out = ndi.zoom(image.astype(np.float64), factors, order=degree, mode="nearest", grid_mode=True)
    return np.clip(out, image.min(), image.max()).astype(np.float32)


def _zscore_brain(image: Float, brain: Mask) -> Float:
    inside = image[brain]
    scaled = (image - inside.mean()) / max(float(inside.std()), 1e-8)
    return np.where(brain, scaled, np.float32(0.0))


def _zscore_all(image: Float, brain: Mask) -> Float:
    return np.asarray((image - image.mean()) / max(float(image.std()), 1e-8), dtype=np.float32)


def _as_is(image: Float, brain: Mask) -> Float:
    return image


def _zero_to_one(image: Float, brain: Mask) -> Float:
    low = image - image.min()
    return np.asarray(low / max(float(low.max()), 1e-8), dtype=np.float32)


NORMALISATIONS: dict[str, Callable[[Float, Mask], Float]] = {
    "zscore-brain": _zscore_brain,
    "zscore-all": _zscore_all,
    "none": _as_is,
    "zero-to-one": _zero_to_one,
}
"""From an image whose air is 0, and the brain, to what the network sees."""


@dataclass(frozen=True)
class Layout:
    """How a network wants its input.

    Parameters
    ----------
    sequences : tuple of Sequence
        Input channels, in order.
    normalise : tuple of str
        One of :data:`NORMALISATIONS` for each.
    spacing_mm : (float, float, float)
        Voxel size along the network's axes.
    axcodes : str
        Orientation of the files it learned from, before ``axes``.
    axes : (int, int, int)
        Which axis of such a file is the network's first, second, third.
    images, logits : Resampling
        Towards the network, and back.
    """

    sequences: tuple[Sequence, ...]
    normalise: tuple[str, ...]
    spacing_mm: Triple
    axcodes: str = "LPS"
    axes: tuple[int, int, int] = (0, 1, 2)
    images: Resampling = Resampling(3)
    logits: Resampling = Resampling(1)


@dataclass(frozen=True)
class Seen:
    """A study as the network sees it, and what is needed to go back.

    Parameters
    ----------
    images : ndarray of float32, shape (channels, a, b, c)
        Along the network's axes, cropped to the brain, normalised and resampled.
    """

    images: Float
    study: Study
    layout: Layout
    box: tuple[slice, slice, slice]
    spacing_mm: Triple

    @classmethod
    def of(cls, study: Study, layout: Layout) -> Seen:
        """Bring a study into a network's layout.

        Raises
        ------
        SequenceError
            The study lacks sequences; they are named.
        InputError
            The brain mask is empty.
        """
        lacking = [s.value for s in layout.sequences if s not in study.volumes]
        if lacking:
            raise SequenceError(
                f"the sequences {', '.join(layout.sequences)}", got=f"no {', '.join(lacking)}", where=study.id
            )
        turned = Volume(study.brain, study.grid).reoriented(layout.axcodes)
        brain = turned.data.transpose(layout.axes)
        box = box_around(brain)
        if box is None:
            raise InputError("a brain mask that holds a voxel", got="an empty one", where=study.id)
        a, b, c = (turned.spacing_mm[n] for n in layout.axes)
        channels = [
            NORMALISATIONS[how](_air_is_zero(study.volumes[s], layout, box, brain[box]), brain[box])
            for s, how in zip(layout.sequences, layout.normalise, strict=True)
        ]
        cropped, now = np.stack(channels).astype(np.float32), (a, b, c)
        shape = tuple(
            max(1, round(n * s / t)) for n, s, t in zip(cropped.shape[1:], now, layout.spacing_mm, strict=True)
        )
        images = layout.images.to_shape(cropped, shape, now, layout.spacing_mm)
        return cls(images, study, layout, box, now)

    def back(self, maps: Float) -> Float:
        """Return maps (outputs, a, b, c) of the network's grid in the voxels of the crop."""
        shape = tuple(s.stop - s.start for s in self.box)
        return self.layout.logits.to_shape(maps, shape, self.layout.spacing_mm, self.spacing_mm)

    def on_study(self, maps: Float, nothing: Float) -> Float:
        """Return maps of the crop on the study's grid, ``nothing`` (outputs, 1, 1, 1) outside the brain."""
        turned = Volume(study_brain(self.study), self.study.grid).reoriented(self.layout.axcodes)
        full = np.empty((len(maps), *(turned.data.shape[n] for n in self.layout.axes)), dtype=np.float32)
        full[:] = nothing
        full[(slice(None), *self.box)] = maps
        way = tuple(int(n) for n in np.argsort(self.layout.axes))
        codes = self.study.grid.axcodes
        on_grid = [Volume(m.transpose(way), turned.grid).reoriented(codes).data for m in full]
        return np.where(self.study.brain, np.stack(on_grid), nothing)


def study_brain(study: Study) -> NDArray[np.uint8]:
    """Return the brain mask as uint8, shape (i, j, k)."""
    return study.brain.astype(np.uint8)


def _air_is_zero(volume: Volume, layout: Layout, box: tuple[slice, slice, slice], brain: Mask) -> Float:
    """Crop an image, and move it so that the brain lies above 0 and air is 0."""
    turned = volume.reoriented(layout.axcodes).data.transpose(layout.axes)[box].astype(np.float32)
    return np.where(brain, turned - turned[brain].min(), np.float32(0.0))
