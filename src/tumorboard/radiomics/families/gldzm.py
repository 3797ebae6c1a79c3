"""Features of grey level distance zones.

Why it exists: how far from the border the patches of one grey level lie.

Source: Thibault G et al. IEEE Trans Biomed Eng 2014;61:630-637; the standard, arXiv:1612.07003, section 3.9.
"""

from __future__ import annotations

from tumorboard.radiomics.families.average import averaged
from tumorboard.radiomics.families.emphasis import emphases
from tumorboard.radiomics.feature import BY_SLICE, Family, Feature
from tumorboard.radiomics.matrices.shared import packed
from tumorboard.radiomics.matrices.zones import distance_zones
from tumorboard.radiomics.region import Region

FEATURES = (
    Feature("sde", "0GBI", "1", "small distance emphasis"),
    Feature("lde", "MB4I", "1", "large distance emphasis"),
    Feature("lgze", "S1RA", "1", "low grey level zone emphasis"),
    Feature("hgze", "K26C", "1", "high grey level zone emphasis"),
    Feature("sdlge", "RUVG", "1", "small distance low grey level emphasis"),
    Feature("sdhge", "DKNJ", "1", "small distance high grey level emphasis"),
    Feature("ldlge", "A7WM", "1", "large distance low grey level emphasis"),
    Feature("ldhge", "KLTH", "1", "large distance high grey level emphasis"),
    Feature("glnu", "VFT7", "1", "grey level non-uniformity of zones"),
    Feature("glnu_norm", "7HP3", "1", "grey level non-uniformity, by zone"),
    Feature("zdnu", "V294", "1", "zone distance non-uniformity"),
    Feature("zdnu_norm", "IATH", "1", "zone distance non-uniformity, by zone"),
    Feature("z_perc", "VIWW", "1", "zone percentage: zones by voxel"),
    Feature("gl_var", "QK93", "1", "variance of the grey level over zones"),
    Feature("zd_var", "7WT1", "1", "variance of the zone distance"),
    Feature("zd_entr", "GBDU", "1", "entropy of grey level and zone distance, bits"),
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
    >>> import numpy as np
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[1], [1], [2], [1]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 2, 1.0, 0.5))
    >>> compute(region, "3D")["lde"]
    1.0
    """
    levels = packed(region).levels
    found = distance_zones(region, way)
    return averaged(FEATURES, [emphases(zones, levels, sizes, n)[:, :16] for zones, sizes, n in found])


FAMILY = Family(
    name="gldzm",
    code="VMDZ",
    prefix="dzm",
    title="Grey level distance zone",
    features=FEATURES,
    ways=BY_SLICE,
    compute=compute,
)
