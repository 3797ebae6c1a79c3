"""From an image and an outline to the box that features are computed in, on the wanted grid.

Why it exists: a tumour is a hundredth of a head. Interpolation, filters and kernels run in a box around it, with as
much margin as they need to give what they would give on the whole image.

Source: the standard's processing scheme, arXiv:1612.07003, chapter 2; its grid shares its centre with the image's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError, IntensityError
from tumorboard.radiomics.memory import check_room
from tumorboard.radiomics.region import Binned, Float, Mask, Region
from tumorboard.radiomics.scheme.discretise import discretised, ivh_levels
from tumorboard.radiomics.scheme.interpolate import aligned_grid, interpolated, mask_interpolated
from tumorboard.radiomics.scheme.resegment import resegmented
from tumorboard.radiomics.settings import Discretisation, Interpolation, Normalisation, RadiomicsSettings
from tumorboard.volume import Volume, box_around

Box = tuple[slice, slice, slice]

MANY_LEVELS = 1000
"""Grey levels from which the memory of their pairs is looked at."""

NEAR_MM = 7.0
"""Margin that every region has: local intensity looks 6.2 mm beyond it."""


@dataclass(frozen=True)
class Cut:
    """A box of the image on the grid of the features.

    Parameters
    ----------
    image : ndarray of float64, shape (i, j, k)
        With the margin of filters.
    whole : ndarray of bool, shape (i, j, k)
        Morphological mask.
    inner : tuple of slice
        The region with its near margin, inside the box.
    spacing_mm : (float, float, float)
        Voxel size.
    corner : (int, int, int)
        First voxel of the box on the grid of the features.
    """

    image: Float
    whole: Mask
    inner: Box
    spacing_mm: tuple[float, float, float]
    corner: tuple[int, int, int]


def cut_out(image: Volume, mask: Mask, settings: RadiomicsSettings, margin: tuple[int, int, int] | None) -> Cut:
    """Normalise, interpolate and cut a region out.

    Parameters
    ----------
    image : Volume
        Any dtype.
    mask : ndarray of bool, shape of the image
        Outline.
    settings : RadiomicsSettings
        Normalisation and interpolation of it are read.
    margin : (int, int, int) or None
        Voxels of the features' grid that filters need on every side; None: all there are.

    Returns
    -------
    Cut

    Raises
    ------
    InputError
        The mask is empty, or loses its last voxel to interpolation.
    IntensityError
        A voxel of the box is not finite.
    """
    if settings.interpolation is None:
        box = _present(box_around(mask))
        taken = _grown(box, _margin(margin, image.spacing_mm, image.grid.shape), image.grid.shape)
        check_room(_size(taken))
        data, whole, spacing = np.asarray(image.data[taken], dtype=np.float64), mask[taken].copy(), image.spacing_mm
    else:
        spacing = settings.spacing_on(image.spacing_mm)
        data, whole, taken = _on_grid(image, mask, settings.interpolation, spacing, margin)
    _check_finite(data)
    if settings.normalisation is not None:
        data = normalised(data, image, settings.normalisation)
    if settings.interpolation is not None and settings.interpolation.rounded:
        data = np.rint(data)
    near = _margin((0, 0, 0), spacing, data.shape)
    inner = _grown(_present(box_around(whole)), near, data.shape)
    return Cut(data, whole, inner, spacing, (taken[0].start, taken[1].start, taken[2].start))


def region_of(cut: Cut, settings: RadiomicsSettings) -> Region:
    """Return the region of a cut, with its grey levels.

    Parameters
    ----------
    cut : Cut
        From :func:`cut_out`.
    settings : RadiomicsSettings
        Re-segmentation and grey levels of it are read.

    Raises
    ------
    InputError
        Re-segmentation leaves no voxel, or pairs of grey levels do not fit into memory.
    """
    image, whole = cut.image[cut.inner], cut.whole[cut.inner]
    limits = settings.resegmentation
    mask = resegmented(image, whole, limits.low, limits.high, limits.sigma)
    if not mask.any():
        remedy = "widen the range of re-segmentation"
        raise InputError("a region with intensities in the range of re-segmentation", got="none", remedy=remedy)
    texture = _levels(image, mask, settings.texture, limits.low)
    ivh = None if settings.ivh is None else ivh_levels(image, mask, settings.ivh, limits.low)
    return Region(image, mask, whole, cut.spacing_mm, texture, ivh, settings.ivh_range)


def response_of(original: Region, settings: RadiomicsSettings, response: Float) -> Region:
    """Return a region in a filter's response, with grey levels of its own.

    Parameters
    ----------
    original : Region
        Of the unfiltered image, by which it was re-segmented.
    settings : RadiomicsSettings
        Grey levels of it are read. Limits are not: a response is on another scale than the image.
    response : ndarray of float64, shape of the region's box
        Of the filter.
    """
    how = settings.texture.model_copy(update={"lowest": None})
    texture = _levels(response, original.mask, how, None)
    return Region(response, original.mask, original.whole, original.spacing_mm, texture)


def _levels(image: Float, mask: Mask, how: Discretisation, lowest: float | None) -> Binned:
    binned = discretised(image, mask, how, lowest)
    check_room(mask.size, len(np.unique(binned.levels)) if binned.count > MANY_LEVELS else 0)
    return binned


def _on_grid(
    image: Volume,
    mask: Mask,
    how: Interpolation,
    spacing: tuple[float, float, float],
    margin: tuple[int, int, int] | None,
) -> tuple[Float, Mask, Box]:
    own = image.spacing_mm
    shape, start = aligned_grid(image.grid.shape, own, spacing)
    step = (spacing[0] / own[0], spacing[1] / own[1], spacing[2] / own[2])
    old = _present(box_around(mask))
    about = _mapped(old, start, step, shape)
    whole = mask_interpolated(mask, shape, start, step, how.mask, box=about)
    found = box_around(whole)
    if found is None:
        remedy = "use smaller voxels, or none of interpolation"
        raise InputError("a region that survives interpolation", got="no voxel of it does", remedy=remedy)
    inside = tuple(slice(a.start + f.start, a.start + f.stop) for a, f in zip(about, found, strict=True))
    taken = _grown((inside[0], inside[1], inside[2]), _margin(margin, spacing, shape), shape)
    check_room(_size(taken))
    data = interpolated(image.data, shape, start, step, how.image, box=taken)
    mask_out = np.zeros(data.shape, dtype=np.bool_)
    put = tuple(slice(i.start - t.start, i.stop - t.start) for i, t in zip(inside, taken, strict=True))
    mask_out[put] = whole[found]
    return data, mask_out, taken


def _mapped(box: Box, start: tuple[float, ...], step: tuple[float, ...], shape: tuple[int, int, int]) -> Box:
    """Return the box of the new grid that may hold anything of a box of the old one."""
    low = [int(np.floor((b.start - 1 - s) / d)) for b, s, d in zip(box, start, step, strict=True)]
    high = [int(np.ceil((b.stop - s) / d)) + 1 for b, s, d in zip(box, start, step, strict=True)]
    i, j, k = (slice(max(a, 0), min(max(b, 1), n)) for a, b, n in zip(low, high, shape, strict=True))
    return i, j, k


def _margin(
    wanted: tuple[int, int, int] | None, spacing_mm: tuple[float, float, float], shape: tuple[int, ...]
) -> tuple[int, int, int]:
    if wanted is None:
        return shape[0], shape[1], shape[2]
    i, j, k = (m + int(np.ceil(NEAR_MM / s)) for m, s in zip(wanted, spacing_mm, strict=True))
    return i, j, k


def _grown(box: Box, by: tuple[int, int, int], shape: tuple[int, ...]) -> Box:
    i, j, k = (slice(max(b.start - m, 0), min(b.stop + m, n)) for b, m, n in zip(box, by, shape, strict=True))
    return i, j, k


def _size(box: Box) -> float:
    return float(np.prod([part.stop - part.start for part in box]))


def _present(box: Box | None) -> Box:
    if box is None:
        raise InputError("a region of at least one voxel", got="an empty one", remedy="choose another label or case")
    return box


def _check_finite(data: Float) -> None:
    wrong = data.size - int(np.isfinite(data).sum())
    if wrong:
        got = f"{wrong} voxels that are NaN or infinite in or around the region"
        raise IntensityError("finite intensities", got=got, remedy="repair the image, or mask those voxels out")


def normalised(data: Float, image: Volume, how: Normalisation) -> Float:
    """Return intensities of a part of an image, scaled by the mean and deviation of all of it.

    Raises
    ------
    IntensityError
        The image is constant.
    """
    every: NDArray[np.float64] = np.asarray(image.data, dtype=np.float64)
    if how.over == "brain":
        every = every[every != 0]
    every = every[np.isfinite(every)]
    spread = float(every.std()) if every.size else 0.0
    if not spread:
        raise IntensityError("an image with more than one intensity", got="a constant one")
    return (data - float(every.mean())) / spread * how.scale + how.shift
