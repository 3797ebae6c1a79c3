"""Make a feature map: find the feature, estimate the memory, walk through the region in chunks.

Why it exists: the one way from an image, an outline and the name of a feature to a map on the grid of the features.

Source: van Griethuysen JJM et al., Cancer Res 2017;77:e104-e107 (voxel-based extraction with a masked kernel, whose
maps of co-occurrence these equal when the way is ``3D_avg`` and grey levels are made alike).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tumorboard.errors import InputError
from tumorboard.radiomics.extract import ORIGINAL, check_grids, images, made_filters, margin_of
from tumorboard.radiomics.families import by_tag
from tumorboard.radiomics.feature import Family
from tumorboard.radiomics.filters.base import Bank
from tumorboard.radiomics.maps import intensities, pairs
from tumorboard.radiomics.maps.general import general_rows
from tumorboard.radiomics.maps.grid import features_grid
from tumorboard.radiomics.maps.memory import CHUNK, check_memory, needed_bytes
from tumorboard.radiomics.matrices.shared import Ints
from tumorboard.radiomics.region import Float, Mask, Region
from tumorboard.radiomics.scheme.cut import Cut, cut_out, region_of
from tumorboard.radiomics.settings import RadiomicsSettings
from tumorboard.volume import Grid, Volume

NOT_MAPPED = frozenset({"morphology", "local_intensity", "fractal"})
"""Families that say nothing about a cube of a few voxels."""

Margin = tuple[int, int, int] | None


def feature_map(
    image: Volume,
    mask: Volume,
    feature: str,
    settings: RadiomicsSettings | None = None,
    radius_voxels: int = 1,
    memory_mib: float = 2048.0,
    tell: Callable[[int, int], None] | None = None,
) -> Volume:
    """Compute a feature in a cube around every voxel of a region.

    Grey levels are those of the whole region; voxels of the cube that are outside the region do not count.

    Parameters
    ----------
    image : Volume
        Any unit.
    mask : Volume
        Voxels that are not 0 are the region; same grid.
    feature : str
        Its name in tables: ``cm_joint_entr_3D_avg``; of a filtered image ``log-2-mm.stat_mean``.
    settings : RadiomicsSettings, optional
        The defaults if left out; families and ways in them are not read.
    radius_voxels : int
        The cube has ``2 radius + 1`` voxels along each edge.
    memory_mib : float
        That the computation may take, MiB.
    tell : callable, optional
        Called now and then with the voxels done, and all.

    Returns
    -------
    Volume
        float64, in the unit of the feature, on the grid that features are computed on; NaN outside the region and where
        the feature is not defined.

    Raises
    ------
    InputError
        The feature is unknown or cannot be mapped, the radius is not positive, the map needs more memory than allowed,
        or more time than anybody waits for.
    GeometryError
        The grids differ.

    Examples
    --------
    >>> image = Volume.of(np.random.default_rng(0).normal(100, 10, (9, 9, 9)), np.eye(4))
    >>> ball = image.with_data((np.indices((9, 9, 9)) - 4).__pow__(2).sum(axis=0) < 9)
    >>> found = feature_map(image, ball, "cm_joint_entr_3D_avg")
    >>> bool((np.isfinite(found.data) == ball.data).all())
    True
    """
    how = settings or RadiomicsSettings()
    check_grids(image, mask)
    wanted = _wanted(feature)
    if radius_voxels < 1:
        raise InputError("a radius of at least one voxel", got=str(radius_voxels), where="map")
    inside: Mask = np.asarray(mask.data) != 0
    filters = made_filters(how) if wanted.image != ORIGINAL else []
    margin = margin_of(filters, how.spacing_on(image.spacing_mm))
    check_memory(_needed(image.grid, inside, how, wanted, radius_voxels, margin), memory_mib)
    cut = cut_out(image, inside, how, margin)
    region = _region(cut, filters, how, wanted.image)
    at = np.argwhere(region.mask).astype(np.int64, copy=False)
    grid = features_grid(image.grid, how)
    data = np.full(grid.shape, np.nan)
    places = at + np.add(cut.corner, [b.start for b in cut.inner])
    data[tuple(places.T)] = _values(region, at, radius_voxels, wanted, tell or _silent)
    return Volume(data, grid)


@dataclass(frozen=True)
class _Wanted:
    """A feature, taken apart."""

    image: str
    family: Family
    name: str
    way: str

    @property
    def fast(self) -> bool:
        """Whether it has a compiled loop."""
        return self.family.name == "statistics" or (self.family.name == "glcm" and self.way in pairs.WAYS)

    def of(self, region: Region) -> float:
        """Compute it for a region."""
        return self.family.compute(region, self.way)[self.name]


def _wanted(feature: str) -> _Wanted:
    shown, dot, tag = feature.rpartition(".")
    found = by_tag().get(tag)
    if found is None:
        expected = "a feature by its name in tables, with its way of aggregation: cm_joint_entr_3D_avg"
        raise InputError(expected, got=repr(feature), where="map")
    family, one, way = found
    if family.name in NOT_MAPPED:
        raise InputError("a feature of intensities or grey levels", got=f"one of {family.name}", where="map")
    return _Wanted(shown if dot else ORIGINAL, family, one.name, way)


def _region(cut: Cut, filters: list[Bank], how: RadiomicsSettings, name: str) -> Region:
    """Return the region in the image that was asked for."""
    original = region_of(cut, how)
    if name == ORIGINAL:
        return original
    for shown, region in images(cut, original, filters, how):
        if shown == name:
            return region
    raise InputError("an image that the settings make with their filters", got=repr(name), where="map")


def _needed(grid: Grid, inside: Mask, how: RadiomicsSettings, wanted: _Wanted, radius: int, margin: Margin) -> float:
    """Estimate the memory of a map, bytes."""
    total = needed_bytes(grid, features_grid(grid, how), inside, how, margin)
    if wanted.family.name == "glcm":
        levels = how.texture.count if how.texture.method in ("fbn", "equalised") else None
        total += pairs.scratch_bytes(radius, wanted.way, levels)
    return total + CHUNK * len(wanted.family.features) * 8


def _values(region: Region, at: Ints, radius: int, wanted: _Wanted, tell: Callable[[int, int], None]) -> Float:
    """Return the feature around each voxel, chunk by chunk where it has a compiled loop."""
    if not wanted.fast:
        return general_rows(region, at, radius, wanted.of, tell)
    rows = pairs.pair_rows if wanted.family.name == "glcm" else intensities.statistic_rows
    column = [f.name for f in wanted.family.features].index(wanted.name)
    values = np.empty(len(at))
    for start in range(0, len(at), CHUNK):
        values[start : start + CHUNK] = rows(region, at[start : start + CHUNK], radius, wanted.way)[:, column]
        tell(min(start + CHUNK, len(at)), len(at))
    return values


def _silent(done: int, total: int) -> None:
    """Tell nobody."""
