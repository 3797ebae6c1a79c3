"""Morphology: size, shape, and how intensities lie in space.

Why it exists: the outline of a tumour tells much about it without a look at its intensities, and everything about it
follows from one surface, one hull and the voxels' moments, which are computed once here.

The surface is closed; that of PyRadiomics has gaps where voxels touch along an edge only (see
`tumorboard.radiomics.shape.triangles`), which makes its area and volume differ slightly on rough masks. The smallest
ellipsoid and the smallest box have no reference values in the standard.

Source: IBSI reference manual, arXiv:1612.07003, section 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tumorboard.radiomics.feature import ONE, Family, Feature
from tumorboard.radiomics.region import Float, Region
from tumorboard.radiomics.shape import ellipsoids
from tumorboard.radiomics.shape.boxes import smallest_box
from tumorboard.radiomics.shape.hull import Hull, hull_of_mask, largest_distance
from tumorboard.radiomics.shape.mesh import area_and_volume, own_box
from tumorboard.radiomics.shape.moments import centre_and_spread, principal_axes, weighted_centre
from tumorboard.radiomics.shape.neighbours import moran_and_geary

FEATURES = (
    Feature("volume", "RNU0", "mm3", "volume inside the surface"),
    Feature("vol_approx", "YEKZ", "mm3", "volume of the voxels"),
    Feature("area_mesh", "C0JK", "mm2", "area of the surface"),
    Feature("av", "2PR5", "1/mm", "area by volume"),
    Feature("comp_1", "SKGS", "1", "compactness 1: volume by area to the power of 3/2"),
    Feature("comp_2", "BQWJ", "1", "compactness 2: 1 for a sphere"),
    Feature("sph_dispr", "KRCK", "1", "area by that of a sphere of the same volume"),
    Feature("sphericity", "QCFX", "1", "area of a sphere of the same volume by area"),
    Feature("asphericity", "25C7", "1", "spherical disproportion less 1"),
    Feature("com", "KLMA", "mm", "distance from the centre of the shape to that of the intensities"),
    Feature("diam", "L0JK", "mm", "largest distance between two points of the surface"),
    Feature("pca_maj_axis", "TDIC", "mm", "longest principal axis"),
    Feature("pca_min_axis", "P9VJ", "mm", "middle principal axis"),
    Feature("pca_least_axis", "7J51", "mm", "shortest principal axis"),
    Feature("pca_elongation", "Q3CK", "1", "middle by longest principal axis"),
    Feature("pca_flatness", "N17B", "1", "shortest by longest principal axis"),
    Feature("vol_dens_aabb", "PBX1", "1", "volume by that of the box along the axes of the grid"),
    Feature("area_dens_aabb", "R59B", "1", "area by that of the box along the axes of the grid"),
    Feature("vol_dens_ombb", "ZH1A", "1", "volume by that of the smallest box"),
    Feature("area_dens_ombb", "IQYR", "1", "area by that of the smallest box"),
    Feature("vol_dens_aee", "6BDE", "1", "volume by that of the ellipsoid of the principal axes"),
    Feature("area_dens_aee", "RDD2", "1", "area by that of the ellipsoid of the principal axes"),
    Feature("vol_dens_mvee", "SWZ1", "1", "volume by that of the smallest enclosing ellipsoid"),
    Feature("area_dens_mvee", "BRI8", "1", "area by that of the smallest enclosing ellipsoid"),
    Feature("vol_dens_conv_hull", "R3ER", "1", "volume by that of the convex hull"),
    Feature("area_dens_conv_hull", "7T7F", "1", "area by that of the convex hull"),
    Feature("integ_int", "99N0", "i.mm3", "mean intensity times volume"),
    Feature("moran_i", "N365", "1", "Moran's I: alike where close, above 0"),
    Feature("geary_c", "NPT7", "1", "Geary's C: alike where close, below 1"),
)


def compute(region: Region, way: str = "") -> Mapping[str, float]:
    """Return all features of a region.

    Parameters
    ----------
    region : Region
        Shape is that of the morphological mask; intensities are those of the intensity mask.
    way : str
        Of aggregation; has no meaning here.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> cube = np.pad(np.ones((2, 2, 2)), 1); inside = cube > 0
    >>> region = Region(cube, inside, inside, (1.0, 1.0, 1.0), Binned(cube.astype(np.int32), 1, 1.0, 0.5))
    >>> round(compute(region)["vol_dens_conv_hull"], 3)
    1.0
    """
    values = dict.fromkeys((feature.name for feature in FEATURES), np.nan)
    if region.whole.any():
        values |= _shape(region)
        values |= _in_space(region, values["volume"])
    return values


def _shape(region: Region) -> dict[str, float]:
    """Return what the morphological mask tells."""
    mask, spacing = region.whole[own_box(region.whole)], region.spacing_mm
    area, volume = area_and_volume(mask, spacing)
    hull = hull_of_mask(mask, spacing)
    _, spread = centre_and_spread(mask, spacing)
    least, middle, major = (float(axis) for axis in principal_axes(spread))
    halves = np.array([least, middle, major]) / 2
    return {
        **_roundness(area, volume),
        "vol_approx": float(np.count_nonzero(mask) * np.prod(spacing)),
        "diam": largest_distance(hull.points),
        **{"pca_maj_axis": major, "pca_min_axis": middle, "pca_least_axis": least},
        "pca_elongation": _ratio(middle, major),
        "pca_flatness": _ratio(least, major),
        **_densities(area, volume, np.array(mask.shape) * spacing, hull, halves),
    }


def _roundness(area: float, volume: float) -> dict[str, float]:
    """Return how area and volume relate."""
    cubed = 36 * np.pi * volume**2
    return {
        "volume": volume,
        "area_mesh": area,
        "av": area / volume,
        "comp_1": volume / (np.sqrt(np.pi) * area**1.5),
        "comp_2": cubed / area**3,
        "sph_dispr": area / cubed ** (1 / 3),
        "sphericity": cubed ** (1 / 3) / area,
        "asphericity": area / cubed ** (1 / 3) - 1,
    }


def _densities(area: float, volume: float, box: Float, hull: Hull, halves: Float) -> dict[str, float]:
    """Return area and volume as shares of those of bodies around the mask."""
    turned, around = smallest_box(hull), ellipsoids.smallest_around(hull.points)
    bodies = {
        "aabb": (_box_area(box), float(np.prod(box))),
        "ombb": (_box_area(turned), float(np.prod(turned))),
        "aee": (ellipsoids.standard_area(halves) if halves.min() > 0 else np.nan, ellipsoids.volume(halves)),
        "mvee": (ellipsoids.standard_area(around), ellipsoids.volume(around)),
        "conv_hull": (hull.area, hull.volume),
    }
    return {
        **{f"area_dens_{name}": _ratio(area, other) for name, (other, _) in bodies.items()},
        **{f"vol_dens_{name}": _ratio(volume, other) for name, (_, other) in bodies.items()},
    }


def _in_space(region: Region, volume: float) -> dict[str, float]:
    """Return where the intensities lie."""
    if not region.mask.any():
        return {}
    centre, _ = centre_and_spread(region.whole, region.spacing_mm)
    box = own_box(region.mask)
    moran, geary = moran_and_geary(region.image[box], region.mask[box], region.spacing_mm)
    bright = weighted_centre(region.image, region.mask, region.spacing_mm)
    return {
        "com": float(np.sqrt(np.sum((centre - bright) ** 2))),
        "integ_int": float(region.values.mean()) * volume,
        "moran_i": moran,
        "geary_c": geary,
    }


def _box_area(edges: Float) -> float:
    a, b, c = edges
    return float(2 * (a * b + a * c + b * c))


def _ratio(part: float, whole: float) -> float:
    """Return a ratio; NaN for a body without extent."""
    return part / whole if whole > 0 else np.nan


FAMILY = Family("morphology", "HCUG", "morph", "Morphology", FEATURES, ONE, compute, filtered=False)
