"""Features of grey level run lengths.

Why it exists: how far one goes, straight on, without a change of grey level.

Source: Galloway MM. Comput Graph Image Process 1975;4:172-179; the standard, arXiv:1612.07003, section 3.7.
"""

from __future__ import annotations

import numpy as np

from tumorboard.radiomics.families.average import averaged
from tumorboard.radiomics.families.emphasis import emphases
from tumorboard.radiomics.feature import BY_DIRECTION, Family, Feature
from tumorboard.radiomics.matrices.runs import run_lengths
from tumorboard.radiomics.matrices.shared import Ints, by_direction, packed
from tumorboard.radiomics.region import Region

FEATURES = (
    Feature("sre", "22OV", "1", "short runs emphasis"),
    Feature("lre", "W4KF", "1", "long runs emphasis"),
    Feature("lgre", "V3SW", "1", "low grey level run emphasis"),
    Feature("hgre", "G3QZ", "1", "high grey level run emphasis"),
    Feature("srlge", "HTZT", "1", "short run low grey level emphasis"),
    Feature("srhge", "GD3A", "1", "short run high grey level emphasis"),
    Feature("lrlge", "IVPO", "1", "long run low grey level emphasis"),
    Feature("lrhge", "3KUM", "1", "long run high grey level emphasis"),
    Feature("glnu", "R5YN", "1", "grey level non-uniformity of runs"),
    Feature("glnu_norm", "OVBL", "1", "grey level non-uniformity, by run"),
    Feature("rlnu", "W92Y", "1", "run length non-uniformity"),
    Feature("rlnu_norm", "IC23", "1", "run length non-uniformity, by run"),
    Feature("r_perc", "9ZK5", "1", "run percentage: runs by voxel"),
    Feature("gl_var", "8CE5", "1", "variance of the grey level over runs"),
    Feature("rl_var", "SXLW", "1", "variance of the run length"),
    Feature("rl_entr", "HJ9O", "1", "entropy of grey level and run length, bits"),
)


def compute(region: Region, way: str) -> dict[str, float]:
    """Return the features of a region.

    Parameters
    ----------
    region : Region
        The region.
    way : str
        One of :data:`tumorboard.radiomics.feature.BY_DIRECTION`.

    Returns
    -------
    dict of str to float
        By name; NaN where the region is empty.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[1], [1], [2], [1]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 2, 1.0, 0.5))
    >>> round(compute(region, "3D_comb")["r_perc"], 4)
    0.9808
    """
    levels = packed(region).levels
    found = by_direction(region, way, run_lengths)
    return averaged(FEATURES, [emphases(runs, levels, _lengths(runs), n)[:, :16] for runs, n in found])


def _lengths(runs: Ints) -> Ints:
    return np.arange(1, runs.shape[2] + 1)


FAMILY = Family(
    name="glrlm",
    code="TP0I",
    prefix="rlm",
    title="Grey level run length",
    features=FEATURES,
    ways=BY_DIRECTION,
    compute=compute,
)
