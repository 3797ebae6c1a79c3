"""Features of grey level size zones.

Why it exists: how large the patches of one grey level are.

Source: Thibault G et al. IEEE Trans Biomed Eng 2014;61:630-637; the standard, arXiv:1612.07003, section 3.8.
"""

from __future__ import annotations

from tumorboard.radiomics.families.average import averaged
from tumorboard.radiomics.families.emphasis import emphases
from tumorboard.radiomics.feature import BY_SLICE, Family, Feature
from tumorboard.radiomics.matrices.shared import packed
from tumorboard.radiomics.matrices.zones import size_zones
from tumorboard.radiomics.region import Region

FEATURES = (
    Feature("sze", "5QRC", "1", "small zone emphasis"),
    Feature("lze", "48P8", "1", "large zone emphasis"),
    Feature("lgze", "XMSY", "1", "low grey level zone emphasis"),
    Feature("hgze", "5GN9", "1", "high grey level zone emphasis"),
    Feature("szlge", "5RAI", "1", "small zone low grey level emphasis"),
    Feature("szhge", "HW1V", "1", "small zone high grey level emphasis"),
    Feature("lzlge", "YH51", "1", "large zone low grey level emphasis"),
    Feature("lzhge", "J17V", "1", "large zone high grey level emphasis"),
    Feature("glnu", "JNSA", "1", "grey level non-uniformity of zones"),
    Feature("glnu_norm", "Y1RO", "1", "grey level non-uniformity, by zone"),
    Feature("zsnu", "4JP3", "1", "zone size non-uniformity"),
    Feature("zsnu_norm", "VB3A", "1", "zone size non-uniformity, by zone"),
    Feature("z_perc", "P30P", "1", "zone percentage: zones by voxel"),
    Feature("gl_var", "BYLV", "1", "variance of the grey level over zones"),
    Feature("zs_var", "3NSA", "1", "variance of the zone size"),
    Feature("zs_entr", "GU8N", "1", "entropy of grey level and zone size, bits"),
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
    >>> compute(region, "3D")["z_perc"]
    0.75
    """
    levels = packed(region).levels
    found = size_zones(region, way)
    return averaged(FEATURES, [emphases(zones, levels, sizes, n)[:, :16] for zones, sizes, n in found])


FAMILY = Family(
    name="glszm",
    code="9SAK",
    prefix="szm",
    title="Grey level size zone",
    features=FEATURES,
    ways=BY_SLICE,
    compute=compute,
)
