"""Normalisation, resampling and cropping as PyRadiomics does them before any feature.

Why it exists: its grid begins at the corner of the image, the standard's shares its centre with it; every voxel would
differ. Interpolation runs in a box around the region, with a margin beyond which a spline has no weight.

Source: van Griethuysen JJM et al., Cancer Res 2017;77:e104-e107 (pyradiomics 3.0.1, ``imageoperations.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.radiomics.pyradiomics.parameters import Setting
from tumorboard.radiomics.region import Mask
from tumorboard.volume import Volume, box_around

MARGIN = 40
"""Voxels around a box that a spline is given; the influence of a voxel falls by 0.268 with each step."""

Spacing = tuple[float, float, float]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Prepared:
    """Image and region before filters.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        All that filters may see, in its own dtype.
    mask : ndarray of bool, shape (i, j, k)
        The region.
    spacing_mm : (float, float, float)
        Along i, j, k.
    """

    image: NDArray[Any]
    mask: Mask
    spacing_mm: Spacing


def prepared(image: Volume, mask: Mask, setting: Setting) -> Prepared:
    """Normalise, resample or crop as a setting says; without one of these nothing is copied.

    Raises
    ------
    InputError
        An interpolator that SimpleITK does not have, or a region that is lost.

    Examples
    --------
    >>> volume = Volume.of(np.arange(1000.0).reshape(10, 10, 10), np.eye(4)); inside = volume.data > 500
    >>> how = Setting.model_validate({"resampledPixelSpacing": [2, 2, 2]})
    >>> prepared(volume, inside, how).image.shape
    (5, 5, 5)
    """
    data = np.asarray(image.data)
    data = data.astype(data.dtype.newbyteorder("="), copy=False)
    if data.dtype in (np.float16, np.bool_):
        data = data.astype(np.float32 if data.dtype == np.float16 else np.uint8)
    spacing = spacing_of(image)
    if setting.normalize:
        data = _normalised(data, setting)
    if setting.interpolator is not None and setting.resampled_spacing is not None:
        return _resampled(Prepared(data, mask, spacing), image, setting)
    if setting.pre_crop:
        return _cropped(Prepared(data, mask, spacing), setting.pad_distance)
    return Prepared(data, mask, spacing)


def spacing_of(image: Volume) -> Spacing:
    """Return the voxel size as the affine holds it; that of the volume is rounded to nanometres."""
    i, j, k = (float(size) for size in np.linalg.norm(image.affine[:3, :3], axis=0))
    return i, j, k


def present(box: Box | None) -> Box:
    """Refuse an empty region."""
    if box is None:
        raise InputError("a region of at least one voxel", got="an empty one", remedy="use smaller voxels")
    return box


def _normalised(data: NDArray[Any], setting: Setting) -> NDArray[Any]:
    import SimpleITK as sitk

    result = sitk.Normalize(_to_sitk(data))
    if setting.remove_outliers is not None:
        values = sitk.GetArrayFromImage(result)
        result = sitk.GetImageFromArray(np.clip(values, -setting.remove_outliers, setting.remove_outliers))
    return np.asarray(sitk.GetArrayFromImage(result * setting.normalize_scale).T)


def _to_sitk(data: NDArray[Any]) -> Any:
    import SimpleITK as sitk

    return sitk.GetImageFromArray(np.ascontiguousarray(data.T))


def _cropped(whole: Prepared, pad: int) -> Prepared:
    box = tuple(
        slice(max(b.start - pad, 0), min(b.stop + pad, n))
        for b, n in zip(present(box_around(whole.mask)), whole.mask.shape, strict=True)
    )
    return Prepared(whole.image[box], whole.mask[box], whole.spacing_mm)


def _resampled(whole: Prepared, image: Volume, setting: Setting) -> Prepared:
    box = present(box_around(whole.mask))
    first = np.array([b.start for b in box])
    size = np.array([b.stop for b in box]) - first
    old, wanted = np.array(whole.spacing_mm), np.array(setting.resampled_spacing)
    new = np.where((wanted == 0) | (size == 1), old, wanted)
    if np.allclose(old, new):
        return _cropped(whole, setting.pad_distance)
    ratio = old / new
    low = np.maximum(np.floor((first - 0.5) * ratio - setting.pad_distance), 0)
    high = np.ceil((first + size - 0.5) * ratio + setting.pad_distance)
    high = np.minimum(high, np.ceil(np.array(whole.mask.shape) * ratio) - 1)
    start = 0.5 * (new - old) / old + low / ratio
    grid = _Grid(start, new, (high - low + 1).astype(int).tolist(), *_frame(image.affine, old))
    near = tuple(
        slice(max(int(a) - MARGIN, 0), int(a + n / r) + MARGIN + 1)
        for a, n, r in zip(start, grid.size, ratio, strict=True)
    )
    data = grid.resampled(whole.image[near], old, [part.start for part in near], setting.interpolator or "")
    inside = grid.resampled(whole.mask.astype(np.uint8), old, [0, 0, 0], "sitkNearestNeighbor") > 0
    i, j, k = (float(step) for step in new)
    return Prepared(data, inside, (i, j, k))


def _frame(affine: NDArray[np.float64], spacing: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[float]]:
    """Return position of the first voxel and directions in SimpleITK's frame, which looks left and back."""
    turned = affine[:3] * np.array([[-1.0], [-1.0], [1.0]])
    return turned[:, 3], (turned[:, :3] / spacing).ravel().tolist()


@dataclass(frozen=True)
class _Grid:
    """The grid after resampling, its first voxel counted in voxels of the image."""

    start: NDArray[np.float64]
    spacing: NDArray[np.float64]
    size: list[int]
    origin: NDArray[np.float64]
    direction: list[float]

    def resampled(
        self, data: NDArray[Any], spacing: NDArray[np.float64], corner: list[int], interpolator: str
    ) -> NDArray[Any]:
        """Return data whose first voxel is a corner of the image on this grid."""
        import SimpleITK as sitk

        if not interpolator.startswith("sitk") or not isinstance(getattr(sitk, interpolator, None), int):
            remedy = "use sitkBSpline, sitkLinear or sitkNearestNeighbor"
            raise InputError("an interpolator of SimpleITK", got=interpolator, where="interpolator", remedy=remedy)
        volume = _to_sitk(data)
        volume.SetSpacing(spacing.tolist())
        volume.SetDirection(self.direction)
        volume.SetOrigin(self.origin.tolist())
        begin = volume.TransformContinuousIndexToPhysicalPoint(self.start.tolist())
        volume.SetOrigin(volume.TransformContinuousIndexToPhysicalPoint([float(c) for c in corner]))
        resample = sitk.ResampleImageFilter()
        resample.SetOutputSpacing(self.spacing.tolist())
        resample.SetOutputDirection(self.direction)
        resample.SetSize(self.size)
        resample.SetOutputOrigin(begin)
        resample.SetOutputPixelType(volume.GetPixelID())
        resample.SetInterpolator(getattr(sitk, interpolator))
        return np.asarray(sitk.GetArrayFromImage(resample.Execute(volume)).T)
