"""Every family of features, by name: one line enrols another."""

from __future__ import annotations

from functools import cache

from tumorboard.errors import InputError
from tumorboard.radiomics.families.fractal import FAMILY as FRACTAL
from tumorboard.radiomics.families.glcm import FAMILY as GLCM
from tumorboard.radiomics.families.gldzm import FAMILY as GLDZM
from tumorboard.radiomics.families.glrlm import FAMILY as GLRLM
from tumorboard.radiomics.families.glszm import FAMILY as GLSZM
from tumorboard.radiomics.families.histogram import FAMILY as HISTOGRAM
from tumorboard.radiomics.families.ivh import FAMILY as IVH
from tumorboard.radiomics.families.local_intensity import FAMILY as LOCAL_INTENSITY
from tumorboard.radiomics.families.map_histogram import FAMILY as MAP_HISTOGRAM
from tumorboard.radiomics.families.morphology import FAMILY as MORPHOLOGY
from tumorboard.radiomics.families.ngldm import FAMILY as NGLDM
from tumorboard.radiomics.families.ngtdm import FAMILY as NGTDM
from tumorboard.radiomics.families.statistics import FAMILY as STATISTICS
from tumorboard.radiomics.feature import Family, Feature

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        *(MORPHOLOGY, LOCAL_INTENSITY, STATISTICS, HISTOGRAM, IVH),
        *(GLCM, GLRLM, GLSZM, GLDZM, NGTDM, NGLDM),
        *(FRACTAL, MAP_HISTOGRAM),
    )
}
"""In the order of the standard; then those that it does not have."""


def families_of(names: tuple[str, ...]) -> tuple[Family, ...]:
    """Return families by name, in the standard's order; all of the standard where none is named.

    Raises
    ------
    InputError
        A name is unknown.

    Examples
    --------
    >>> [family.prefix for family in families_of(("glszm", "glcm"))]
    ['cm', 'szm']
    """
    unknown = sorted(set(names) - set(FAMILIES))
    if unknown:
        raise InputError(f"families among {', '.join(FAMILIES)}", got=", ".join(unknown), where="radiomics")
    return tuple(family for name, family in FAMILIES.items() if name in names or (family.code and not names))


@cache
def by_tag() -> dict[str, tuple[Family, Feature, str]]:
    """Return family, feature and way of every name in tables, without the image.

    Examples
    --------
    >>> family, feature, way = by_tag()["cm_joint_entr_3D_comb"]
    >>> family.name, feature.code, way
    ('glcm', 'TU9B', '3D_comb')
    """
    every = ((family, f, way) for family in FAMILIES.values() for way in family.ways for f in family.features)
    return {family.tag(f.name, way): (family, f, way) for family, f, way in every}
