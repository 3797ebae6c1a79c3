"""What a feature and a family of features are: names, codes, units, and how they are computed.

Why it exists: one table holds every feature with its code in the standard, so that a column of a table, a page of the
reference and a test all mean the same thing.

Source: Zwanenburg A et al., The Image Biomarker Standardization Initiative, Radiology 2020;295:328-338; reference
manual arXiv:1612.07003.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tumorboard.radiomics.region import Region

BY_DIRECTION = ("2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb")
"""Ways to aggregate matrices that have a direction, as the standard's reference tables spell them."""

BY_SLICE = ("2D", "2_5D", "3D")
"""Ways to aggregate matrices without a direction."""

ONE = ("",)
"""Of features that are not aggregated."""

CODES = {
    **{"2D_avg": "BTW3", "2D_comb": "SUJT", "2_5D_avg": "JJUI", "2_5D_comb": "ZW7Z", "3D_avg": "ITBB"},
    **{"3D_comb": "IAZD", "2D": "8QNN", "2_5D": "62GR", "3D": "KOBO"},
}
"""Code of each way in the standard."""


@dataclass(frozen=True)
class Feature:
    """One feature.

    Parameters
    ----------
    name : str
        As in the standard's reference tables, without family and aggregation: ``joint_entr``.
    code : str
        Four characters of the standard; empty where it has none.
    unit : str
        ``1``, ``mm``, ``mm2``, ``mm3``, ``i`` (of intensity), ``i2``, ``i.mm3`` …
    says : str
        What it is, in a few words.

    Examples
    --------
    >>> Feature("mean", "Q4LE", "i", "mean intensity").unit
    'i'
    """

    name: str
    code: str
    unit: str
    says: str


@dataclass(frozen=True)
class Family:
    """Features that are computed together.

    Parameters
    ----------
    name : str
        ``glcm``, ``morphology`` …
    code : str
        Of the standard.
    prefix : str
        Of its features in the standard's reference tables: ``cm``.
    title : str
        In words.
    features : tuple of Feature
        In the standard's order.
    ways : tuple of str
        Of aggregation; one empty string where there is none.
    compute : callable
        Region and way to values by feature name; NaN where a feature is not defined.
    filtered : bool
        Whether it means anything on a filtered image; shape does not change with intensities.
    """

    name: str
    code: str
    prefix: str
    title: str
    features: tuple[Feature, ...]
    ways: tuple[str, ...]
    compute: Callable[[Region, str], Mapping[str, float]]
    filtered: bool = True

    def tag(self, feature: str, way: str = "") -> str:
        """Return the name of a feature in tables, as in the standard's: prefix, feature and way."""
        return "_".join(part for part in (self.prefix, feature, way) if part)

    def tags(self, ways: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return every name, way by way."""
        return tuple(self.tag(f.name, w) for w in (self.ways if ways is None else ways) for f in self.features)
