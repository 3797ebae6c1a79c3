"""The 107 features of PyRadiomics, read off the same matrices, surfaces and sums as the standard's.

Why it exists: nearly all of them are the standard's under other names; what is not is here.

Source: van Griethuysen JJM et al., Cancer Res 2017;77:e104-e107 (pyradiomics 3.0.1); MCC: Haralick RM, Shanmugam K,
Dinstein I, IEEE Trans Syst Man Cybern 1973;SMC-3:610-621. `names.DEVIATIONS` lists what differs from the standard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from tumorboard.radiomics.families import glcm, glrlm, glszm, ngldm, ngtdm
from tumorboard.radiomics.families.average import averaged
from tumorboard.radiomics.families.emphasis import emphases
from tumorboard.radiomics.families.glcm import matrix_features
from tumorboard.radiomics.families.ngtdm import tone_features
from tumorboard.radiomics.families.statistics import statistics
from tumorboard.radiomics.matrices.cooccurrence import cooccurrences
from tumorboard.radiomics.matrices.directions import directions
from tumorboard.radiomics.matrices.neighbours import surrounds
from tumorboard.radiomics.matrices.runs import run_lengths
from tumorboard.radiomics.matrices.shared import Ints, by_direction, packed
from tumorboard.radiomics.pyradiomics.names import CLASSES
from tumorboard.radiomics.region import Float, Mask, Region
from tumorboard.radiomics.shape.hull import hull_of_mask, largest_distance
from tumorboard.radiomics.shape.mesh import area_and_volume, own_box
from tumorboard.radiomics.shape.moments import centre_and_spread, principal_axes
from tumorboard.radiomics.shape.outline import diameters_in_planes

EPSILON = float(np.spacing(1.0))
"""That PyRadiomics adds to products of probabilities before it divides by them."""

COLUMNS = tuple(feature.name for feature in glcm.FEATURES)
FLAT = {"corr": 1.0, "info_corr1": 0.0, "info_corr2": 0.0}
"""Features of a matrix of one grey level, in PyRadiomics."""

Values = dict[str, float]
Spacing = tuple[float, float, float]


def shape(mask: Mask, spacing_mm: Spacing) -> Values:
    """Return the class ``shape`` of a mask that is not empty.

    Examples
    --------
    >>> round(shape(np.ones((3, 2, 1), dtype=bool), (1.0, 1.0, 2.0))["VoxelVolume"], 6)
    12.0
    """
    mask = np.ascontiguousarray(mask[own_box(mask)])
    area, volume = area_and_volume(mask, spacing_mm, flips=True)
    _, spread = centre_and_spread(mask, spacing_mm, population=True)
    least, minor, major = (float(axis) for axis in principal_axes(spread))
    row, column, flat = diameters_in_planes(mask, spacing_mm)
    return {
        "Elongation": minor / major if major > 0 else np.nan,
        "Flatness": least / major if major > 0 else np.nan,
        **{"LeastAxisLength": least, "MajorAxisLength": major, "MinorAxisLength": minor},
        **{"Maximum2DDiameterColumn": column, "Maximum2DDiameterRow": row, "Maximum2DDiameterSlice": flat},
        "Maximum3DDiameter": largest_distance(hull_of_mask(mask, spacing_mm).points),
        **{"MeshVolume": volume, "SurfaceArea": area, "SurfaceVolumeRatio": area / volume},
        "Sphericity": (36 * np.pi * volume**2) ** (1 / 3) / area,
        "VoxelVolume": float(np.count_nonzero(mask) * np.prod(spacing_mm)),
    }


def first_order(region: Region, shift: float = 0.0) -> Values:
    """Return the class ``firstorder``; ``shift`` is ``voxelArrayShift``.

    Examples
    --------
    >>> from tumorboard.radiomics.pyradiomics.binning import leveled
    >>> image = np.array([[[1.0, 2.0, 3.0, 6.0]]]); inside = image > 0
    >>> found = first_order(Region(image, inside, inside, (1.0, 1.0, 2.0), leveled(image, inside, 2.0)), 1.0)
    >>> found["Energy"], found["TotalEnergy"], found["Entropy"]
    (78.0, 156.0, 1.5)
    """
    found = _named("firstorder", {f"stat_{name}": value for name, value in statistics(region).items()})
    share = np.bincount(region.grey) / region.grey.size
    share = share[share > 0]
    energy = float(np.sum((region.values + shift) ** 2))
    return found | {
        "Energy": energy,
        "TotalEnergy": energy * float(np.prod(region.spacing_mm)),
        "RootMeanSquared": float(np.sqrt(energy / region.values.size)),
        "Kurtosis": found["Kurtosis"] + 3.0 if found["Variance"] > 0 else 0.0,
        "Entropy": float(-np.sum(share * np.log2(share))),
        "Uniformity": float(np.sum(share**2)),
    }


def co_occurrence(region: Region, planar: bool = False, merged: bool = False) -> Values:
    """Return the class ``glcm``, averaged over directions.

    Parameters
    ----------
    region : Region
        The region.
    planar : bool
        ``force2D``: neighbours in planes of constant k.
    merged : bool
        ``weightingNorm: no_weighting``: of the sum of all matrices, not the mean over them.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[1], [3], [1]]], dtype=np.int32); inside = levels > 0
    >>> found = co_occurrence(Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 3, 1.0, 0.5)))
    >>> found["Contrast"], round(found["MCC"], 6)
    (4.0, 1.0)
    """
    levels = packed(region).levels
    ((matrices, _),) = by_direction(region, "2_5D_avg" if planar else "3D_avg", cooccurrences)
    matrices = matrices[matrices.any(axis=(1, 2))]
    if merged and len(matrices):
        matrices = matrices.sum(axis=0, keepdims=True)
    rows = matrix_features(matrices, levels, region.texture.count)
    flat = np.isnan(rows[:, COLUMNS.index("corr")])  # of one grey level, which the standard leaves open
    for name, value in FLAT.items():
        rows[flat, COLUMNS.index(name)] = value
    found = {f"cm_{name}_3D_avg": value for name, value in averaged(glcm.FEATURES, [rows]).items()}
    return _named("glcm", found) | {"MCC": float(np.mean(_correlations(matrices))) if len(matrices) else np.nan}


def _correlations(matrices: Ints) -> Float:
    """Return the square root of the second largest eigenvalue of Haralick's Q for each matrix.

    Q of a symmetric matrix of probabilities P with row sums p is the square of what is similar to the symmetric matrix
    P(i, j) / sqrt(p(i) p(j)). PyRadiomics adds ``EPSILON`` to the products that it divides by. Rare grey levels feel
    that; the shift of the eigenvalue is its derivative times ``EPSILON``.
    """
    if matrices.shape[1] < 2:
        return np.ones(len(matrices))
    p = matrices / matrices.sum(axis=(1, 2), keepdims=True)
    sums = p.sum(axis=2)
    scale = np.sqrt(np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0))  # a level without pairs adds a 0
    values, vectors = np.linalg.eigh(p * scale[:, :, None] * scale[:, None, :])
    second = np.argsort(np.abs(values), axis=1)[:, -2]
    every = np.arange(len(p))
    squares, u = values[every, second] ** 2, vectors[every, :, second]
    left = np.einsum("di,dij->dj", u * scale**3, p) * scale**2
    right = np.einsum("di,dij->dj", u * scale, p) * scale**2
    shift: Float = EPSILON * np.sum(left * right, axis=1)
    return np.sqrt(np.maximum(squares - shift, 0.0))


def runs(region: Region, planar: bool = False, merged: bool = False) -> Values:
    """Return the class ``glrlm``; parameters as of :func:`co_occurrence`.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[1], [1], [2], [1]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 2, 1.0, 0.5))
    >>> runs(region)["RunPercentage"]  # along the row only
    0.75
    """
    box = packed(region)
    ((matrices, voxels),) = by_direction(region, "2_5D_avg" if planar else "3D_avg", run_lengths)
    matrices = matrices[_long_lines(matrices, box.voxels, box.shape, planar)]
    if merged:
        matrices, voxels = matrices.sum(axis=0, keepdims=True), voxels * len(matrices)
    rows = emphases(matrices, box.levels, np.arange(1, matrices.shape[2] + 1), voxels)[:, :16]
    return _named("glrlm", {f"rlm_{name}_3D_avg": v for name, v in averaged(glrlm.FEATURES, [rows]).items()})


def _long_lines(matrices: Ints, voxels: Ints, shape: tuple[int, int, int], planar: bool) -> NDArray[np.bool_]:
    """Return for each direction whether any line along it has two voxels of the region."""
    found: NDArray[np.bool_] = np.any(matrices[:, :, 1:] > 0, axis=(1, 2))
    if not found.all():
        k, i, j = np.unravel_index(voxels, shape)
        places = np.stack([i, j, k], axis=1)
        for d, step in enumerate(directions(planar)):
            if not found[d]:
                axis = int(np.flatnonzero(step)[0])
                starts = places - np.outer(places[:, axis] * step[axis], step)
                found[d] = len(np.unique(starts, axis=0)) < len(starts)
    return found


def zones(region: Region, planar: bool = False) -> Values:
    """Return the class ``glszm``; ``planar`` as for :func:`co_occurrence`."""
    found = glszm.compute(region, "2_5D" if planar else "3D")
    return _named("glszm", {f"szm_{name}_3D": value for name, value in found.items()})


def dependence(region: Region, planar: bool = False) -> Values:
    """Return the class ``gldm``; ``planar`` as for :func:`co_occurrence`."""
    found = ngldm.compute(region, "2_5D" if planar else "3D")
    return _named("gldm", {f"ngl_{name}_3D": value for name, value in found.items()})


def tone_difference(region: Region, planar: bool = False) -> Values:
    """Return the class ``ngtdm``; ``planar`` as for :func:`co_occurrence`.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[1], [1], [2]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 2, 1.0, 0.5))
    >>> round(tone_difference(region)["Coarseness"], 3)
    1.5
    """
    (around,) = surrounds(region, "2_5D" if planar else "3D")
    counted = around.dependence.sum(axis=1)  # voxels without a neighbour too
    row = tone_features(counted, around.difference, packed(region).levels)
    found = _named("ngtdm", {f"ngt_{name}_3D": value for name, value in averaged(ngtdm.FEATURES, [row]).items()})
    return found | {"Busyness": 0.0 if np.isnan(found["Busyness"]) else found["Busyness"]}


def _named(kind: str, found: Mapping[str, float]) -> Values:
    return {theirs: float(found[ours]) for theirs, ours in CLASSES[kind].items() if ours in found}


DIRECTED: Mapping[str, Callable[[Region, bool, bool], Values]] = {"glcm": co_occurrence, "glrlm": runs}
"""Classes with a matrix for each direction."""

UNDIRECTED: Mapping[str, Callable[[Region, bool], Values]] = {
    "glszm": zones,
    "gldm": dependence,
    "ngtdm": tone_difference,
}
"""Classes with one matrix."""
