"""Extract features as PyRadiomics does, with its names, from a region of an image.

Why it exists: published models were fitted to PyRadiomics' columns. These are the same numbers, computed in the box of
the region by the kernels that the standard's features use.

Source: van Griethuysen JJM et al., Cancer Res 2017;77:e104-e107 (pyradiomics 3.0.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError, IntensityError, LabelError
from tumorboard.radiomics.extract import check_grids
from tumorboard.radiomics.pyradiomics.binning import leveled
from tumorboard.radiomics.pyradiomics.features import DIRECTED, UNDIRECTED, first_order, shape
from tumorboard.radiomics.pyradiomics.grid import Box, Prepared, Spacing, prepared, present
from tumorboard.radiomics.pyradiomics.laplacian import check_size, laplacian
from tumorboard.radiomics.pyradiomics.parameters import Parameters, Setting, parameters_of, read_parameters
from tumorboard.radiomics.pyradiomics.wavelets import AXES, bands
from tumorboard.radiomics.region import Mask, Region
from tumorboard.volume import Volume, box_around

Given = Parameters | Mapping[str, Any] | Path | None


def extract_pyradiomics(image: Volume, mask: Volume, parameters: Given = None) -> dict[str, float]:
    """Return the features that PyRadiomics returns, under its names and in its order.

    Parameters
    ----------
    image : Volume
        In the dtype that PyRadiomics would read: single precision stays single.
    mask : Volume
        Labels; same grid.
    parameters : Parameters, mapping or Path, optional
        Content of a parameter file, or the file. Without it: the unfiltered image, all seven classes, a bin width of
        25 and label 1.

    Returns
    -------
    dict of str to float
        ``original_glcm_JointEntropy``, ``wavelet-LLH_firstorder_Mean``, ``log-sigma-3-0-mm-3D_glszm_…``; NaN where
        a feature is not defined. No ``diagnostics_…``.

    Raises
    ------
    GeometryError
        The grids differ; the message says how, in mm.
    LabelError
        The label is not in the mask.
    InputError
        A parameter is not supported, or the region or the image is too small for it.
    IntensityError
        The image is not finite in or around the region.

    Examples
    --------
    >>> rng = np.random.default_rng(0); image = Volume.of(rng.normal(100, 20, (12, 12, 12)), np.eye(4))
    >>> ball = Volume.of(((np.indices((12, 12, 12)) - 5.5) ** 2).sum(axis=0) < 20, np.eye(4))
    >>> found = extract_pyradiomics(image, ball, {"setting": {"binWidth": 10}})
    >>> len(found), round(found["original_shape_VoxelVolume"]), round(found["original_firstorder_Mean"])
    (107, 360, 99)
    """
    told = parameters if isinstance(parameters, Parameters) else _read(parameters)
    check_grids(image, mask)
    ready = prepared(image, _labelled(mask, told.setting.label), told.setting)
    _check_size(ready.mask, told.setting)
    inside = _resegmented(ready, told.setting)
    box = present(box_around(inside))
    values: dict[str, float] = {}
    if "shape" in told.classes:  # of the outline as drawn, but only where it is beside what re-segmentation leaves
        found = shape((inside if told.setting.resegment_shape else ready.mask)[box], ready.spacing_mm)
        values |= {f"original_shape_{name}": found[name] for name in told.classes["shape"]}
    cut = np.ascontiguousarray(inside[box])
    for kind, setting in told.images:
        for name, shown in _images(kind, setting, ready, box):
            region = _region(shown, cut, ready.spacing_mm, setting)
            values |= {f"{name}_{rest}": value for rest, value in _features(region, told.classes, setting)}
    return values


def _read(given: Mapping[str, Any] | Path | None) -> Parameters:
    return read_parameters(given) if isinstance(given, Path) else parameters_of(given)


def _labelled(mask: Volume, label: int) -> Mask:
    inside: Mask = np.asarray(mask.data) == label
    if not inside.any():
        shown = ", ".join(f"{value:g}" for value in np.unique(mask.data)[:20] if value)
        remedy = "give the label of the region in the parameters"
        raise LabelError(f"label {label} in the mask", got=shown or "none", where="radiomics", remedy=remedy)
    return inside


def _check_size(mask: Mask, setting: Setting) -> None:
    box = present(box_around(mask))
    wide = sum(part.stop - part.start > 1 for part in box)
    if wide < max(setting.minimum_dimensions, 1):
        remedy = "give a larger region, or lower minimumROIDimensions"
        raise InputError(f"a region of {setting.minimum_dimensions} dimensions", got=f"{wide}", remedy=remedy)
    if setting.minimum_size is not None and (size := int(np.count_nonzero(mask))) <= setting.minimum_size:
        remedy = "give a larger region, or lower minimumROISize"
        raise InputError(f"a region of more than {setting.minimum_size} voxels", got=f"{size}", remedy=remedy)


def _resegmented(ready: Prepared, setting: Setting) -> Mask:
    if setting.resegment_range is None:
        return ready.mask
    values = ready.image.T[ready.mask.T]  # in PyRadiomics' order: a mean in single precision depends on it
    limits: list[Any] = sorted(setting.resegment_range)
    if setting.resegment_mode == "relative":
        limits = [values.max() * limit for limit in limits]
    elif setting.resegment_mode == "sigma":
        limits = [values.mean() + values.std() * limit for limit in limits]
    kept = values >= limits[0]
    if len(limits) == 2:
        kept &= values <= limits[1]
    if np.count_nonzero(kept) < 2:
        remedy = "widen resegmentRange"
        raise InputError("two voxels or more with intensities in the range", got=f"{kept.sum()}", remedy=remedy)
    inside = np.zeros_like(ready.mask)
    inside.T[ready.mask.T] = kept
    _check_size(inside, setting)
    return inside


def _images(kind: str, setting: Setting, ready: Prepared, box: Box) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the images of a type, cut to the region."""
    if kind == "Original":
        yield "original", ready.image[box]
    elif kind == "LoG":
        for sigma in setting.sigma:
            check_size(ready.image.shape, ready.spacing_mm, sigma)
            name = f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D"
            yield name, laplacian(ready.image, ready.spacing_mm, sigma, box)
    else:
        axes = [axis for axis in AXES if axis != setting.plane_axis]
        yield from bands(ready.image, box, setting.wavelet, setting.level, setting.start_level, axes)


def _region(shown: NDArray[Any], mask: Mask, spacing_mm: Spacing, setting: Setting) -> Region:
    """Return the region in one image; where features are asked for in planes, the last axis stands across them."""
    if not np.isfinite(shown[mask]).all():
        remedy = "repair the image, or mask those voxels out"
        raise IntensityError("finite intensities", got="NaN or infinite ones in or around the region", remedy=remedy)
    if setting.plane_axis is not None:
        shown, mask = (np.moveaxis(each, setting.plane_axis, 2) for each in (shown, mask))
    mask = np.ascontiguousarray(mask)
    levels = leveled(shown, mask, setting.bin_width, setting.bin_count)
    return Region(np.ascontiguousarray(shown, dtype=np.float64), mask, mask, spacing_mm, levels)


def _features(region: Region, classes: Mapping[str, tuple[str, ...]], setting: Setting) -> Iterator[tuple[str, float]]:
    """Yield class, feature and value of all classes but ``shape``."""
    planar, merged = setting.plane_axis is not None, setting.weighting is not None
    for kind, wanted in classes.items():
        if kind == "shape":
            continue
        if kind == "firstorder":
            found = first_order(region, setting.shift)
        elif kind in DIRECTED:
            found = DIRECTED[kind](region, planar, merged)
        else:
            found = UNDIRECTED[kind](region, planar)
        yield from ((f"{kind}_{feature}", found[feature]) for feature in wanted)
