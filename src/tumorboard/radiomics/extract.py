"""Extract the features of one region of one image.

Why it exists: the one way from an image and an outline to numbers; the command, the transformer, cohorts and maps all
go through it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tumorboard.errors import GeometryError, InputError
from tumorboard.radiomics.advice import advice
from tumorboard.radiomics.families import families_of
from tumorboard.radiomics.feature import ONE, Family
from tumorboard.radiomics.filters import make_filter
from tumorboard.radiomics.filters.base import Bank
from tumorboard.radiomics.region import Region
from tumorboard.radiomics.scheme.cut import Cut, cut_out, region_of, response_of
from tumorboard.radiomics.settings import RadiomicsSettings
from tumorboard.volume import Volume

ORIGINAL = "original"
"""Name of the image that no filter was applied to."""


@dataclass(frozen=True)
class Facts:
    """What was measured on: printed beside every table.

    Parameters
    ----------
    voxels : int
        Of the intensity mask, on the grid of the features.
    volume_ml : float
        Of the morphological mask, voxels counted.
    spacing_mm : (float, float, float)
        Of the grid of the features.
    levels : int or None
        Grey levels of textures; None where images differ in it.
    width : float
        Of a bin; NaN where bins differ in width.
    """

    voxels: int
    volume_ml: float
    spacing_mm: tuple[float, float, float]
    levels: int | None
    width: float


@dataclass(frozen=True)
class Extracted:
    """Features of one region.

    Parameters
    ----------
    values : mapping of str to float
        By name, ``image.feature``: ``original.cm_joint_entr_3D_comb``; NaN where a feature is not defined.
    facts : Facts
        What was measured on.
    warnings : tuple of str
        What is odd about it.
    """

    values: Mapping[str, float]
    facts: Facts
    warnings: tuple[str, ...]


def extract(image: Volume, mask: Volume, settings: RadiomicsSettings | None = None) -> Extracted:
    """Compute the features of a region.

    Parameters
    ----------
    image : Volume
        Any unit.
    mask : Volume
        Voxels that are not 0 are the region; same grid.
    settings : RadiomicsSettings, optional
        The defaults if left out.

    Returns
    -------
    Extracted

    Raises
    ------
    GeometryError
        The grids differ; the message says how, in mm.
    InputError
        The region is empty, a family or filter is unknown, or it would need more memory than there is.
    IntensityError
        The image is not finite in or around the region.

    Examples
    --------
    >>> rng = np.random.default_rng(0); image = Volume.of(rng.normal(100, 10, (12, 12, 12)), np.eye(4))
    >>> ball = Volume.of((np.indices((12, 12, 12)) - 5.5).__pow__(2).sum(axis=0) < 20, np.eye(4))
    >>> round(extract(image, ball, RadiomicsSettings(families=("statistics",))).values["original.stat_mean"])
    100
    """
    how = settings or RadiomicsSettings()
    check_grids(image, mask)
    families, filters = families_of(how.families), made_filters(how)
    cut = cut_out(image, np.asarray(mask.data) != 0, how, margin_of(filters, how.spacing_on(image.spacing_mm)))
    original = region_of(cut, how)
    values: dict[str, float] = {}
    for name, region in images(cut, original, filters, how):
        for family in families:
            if name == ORIGINAL or family.filtered:
                values |= computed(name, family, region, how)
    facts = Facts(
        voxels=int(original.mask.sum()),
        volume_ml=float(original.whole.sum() * np.prod(original.spacing_mm) / 1000.0),
        spacing_mm=original.spacing_mm,
        levels=original.texture.count,
        width=original.texture.width,
    )
    return Extracted(values, facts, advice(original))


def images(
    cut: Cut, original: Region, filters: list[Bank], settings: RadiomicsSettings
) -> Iterator[tuple[str, Region]]:
    """Yield the region in every image that was asked for, one at a time."""
    if settings.original:
        yield ORIGINAL, original
    for one in filters:
        for name, response in one.responses(cut.image, cut.spacing_mm, cut.inner):
            yield name, response_of(original, settings, response)


def computed(name: str, family: Family, region: Region, settings: RadiomicsSettings) -> dict[str, float]:
    """Return the features of one family in one image, in the ways that were asked for."""
    out: dict[str, float] = {}
    for way in _ways(family, settings):
        found = family.compute(region, way)
        out |= {f"{name}.{family.tag(f.name, way)}": float(found[f.name]) for f in family.features}
    return out


def _ways(family: Family, settings: RadiomicsSettings) -> tuple[str, ...]:
    return family.ways if family.ways == ONE else tuple(w for w in family.ways if w in settings.ways)


def names_of(settings: RadiomicsSettings) -> tuple[str, ...]:
    """Return the names of all values that settings give, in order, without an image.

    Examples
    --------
    >>> names_of(RadiomicsSettings(families=("local_intensity",)))
    ('original.loc_peak_loc', 'original.loc_peak_glob')
    """
    shown = [ORIGINAL] if settings.original else []
    shown += [name for one in made_filters(settings) for name in one.names]
    out = []
    for image in shown:
        for family in families_of(settings.families):
            if image == ORIGINAL or family.filtered:
                out += [f"{image}.{tag}" for tag in family.tags(_ways(family, settings))]
    return tuple(out)


def made_filters(settings: RadiomicsSettings) -> list[Bank]:
    """Return the filters of settings.

    Raises
    ------
    InputError
        One is unknown, or two give images of the same name.
    """
    filters = [make_filter(f.kind, f.options) for f in settings.filters]
    names = [name for one in filters for name in one.names]
    twice = next((name for n, name in enumerate(names) if name in names[:n]), None)
    if twice is not None:
        raise InputError("filters whose images have different names", got=f"{twice} twice", where="radiomics")
    return filters


def margin_of(filters: list[Bank], spacing_mm: tuple[float, float, float]) -> tuple[int, int, int] | None:
    """Return the voxels on each side that all filters together need; None when one needs the whole image."""
    most = (0, 0, 0)
    for one in filters:
        own = one.margin(spacing_mm)
        if own is None:
            return None
        most = (max(most[0], own[0]), max(most[1], own[1]), max(most[2], own[2]))
    return most


def check_grids(image: Volume, mask: Volume) -> None:
    """Refuse two grids that differ, saying how in mm."""
    told = image.grid.explain_mismatch(mask.grid, ("the image", "the mask"))
    if told:
        remedy = "bring both onto one grid; nothing is resampled unasked"
        raise GeometryError("an image and a mask on one grid", got=told, where="radiomics", remedy=remedy)
