"""Features of neighbouring grey level dependence.

Why it exists: how many neighbours are like a voxel, whichever way one turns.

Source: Sun C, Wee WG. Comput Vis Graph Image Process 1983;23:341-352; the standard, arXiv:1612.07003, section 3.11.
"""

from __future__ import annotations

import numpy as np

from tumorboard.radiomics.families.average import averaged
from tumorboard.radiomics.families.emphasis import emphases
from tumorboard.radiomics.feature import BY_SLICE, Family, Feature
from tumorboard.radiomics.matrices.neighbours import surrounds
from tumorboard.radiomics.matrices.shared import Ints, packed
from tumorboard.radiomics.region import Region

FEATURES = (
    Feature("lde", "SODN", "1", "low dependence emphasis"),
    Feature("hde", "IMOQ", "1", "high dependence emphasis"),
    Feature("lgce", "TL9H", "1", "low grey level count emphasis"),
    Feature("hgce", "OAE7", "1", "high grey level count emphasis"),
    Feature("ldlge", "EQ3F", "1", "low dependence low grey level emphasis"),
    Feature("ldhge", "JA6D", "1", "low dependence high grey level emphasis"),
    Feature("hdlge", "NBZI", "1", "high dependence low grey level emphasis"),
    Feature("hdhge", "9QMG", "1", "high dependence high grey level emphasis"),
    Feature("glnu", "FP8K", "1", "grey level non-uniformity"),
    Feature("glnu_norm", "5SPA", "1", "grey level non-uniformity, by voxel"),
    Feature("dcnu", "Z87G", "1", "dependence count non-uniformity"),
    Feature("dcnu_norm", "OKJI", "1", "dependence count non-uniformity, by voxel"),
    Feature("dc_perc", "6XV8", "1", "dependence count percentage: always 1 as neighbourhoods are counted here"),
    Feature("gl_var", "1PFV", "1", "variance of the grey level"),
    Feature("dc_var", "DNX2", "1", "variance of the dependence count"),
    Feature("dc_entr", "FCBV", "1", "entropy of grey level and dependence count, bits"),
    Feature("dc_energy", "CAS9", "1", "sum of squared probabilities"),
)


def compute(region: Region, way: str) -> dict[str, float]:
    """Return the features of a region.

    Parameters
    ----------
    region : Region
        The region.
    way : str
        One of :data:`tumorboard.radiomics.feature.BY_SLICE`.

    Returns
    -------
    dict of str to float
        By name; NaN where the region is empty.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[1], [1], [2], [1]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 2, 1.0, 0.5))
    >>> compute(region, "3D")["hde"]
    2.5
    """
    levels = packed(region).levels
    found = [part.dependence[None] for part in surrounds(region, way)]
    return averaged(FEATURES, [emphases(one, levels, _counts(one), int(one.sum())) for one in found])


def _counts(dependence: Ints) -> Ints:
    return np.arange(1, dependence.shape[2] + 1)


FAMILY = Family(
    name="ngldm",
    code="REK0",
    prefix="ngl",
    title="Neighbouring grey level dependence",
    features=FEATURES,
    ways=BY_SLICE,
    compute=compute,
)
