"""Label maps, their schemes, and the regions of the field.

Why it exists: value 1 is necrosis in one year of BraTS and enhancing tumour in another. A label value
never travels without its scheme, and a scheme is translated once, at the edge, into ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import LabelError
from tumorboard.volume import Volume


class Tissue(IntEnum):
    """Our classes, as every ``dseg`` of ours stores them."""

    NETC = 1
    SNFH = 2
    ET = 3
    RC = 4


TISSUE_NAMES: dict[Tissue, str] = {
    Tissue.NETC: "necrosis and non-enhancing tumour core",
    Tissue.SNFH: "surrounding non-enhancing FLAIR hyperintensity (oedema and infiltration)",
    Tissue.ET: "enhancing tumour",
    Tissue.RC: "resection cavity",
}

REGIONS: dict[str, tuple[Tissue, ...]] = {
    "ET": (Tissue.ET,),
    "NETC": (Tissue.NETC,),
    "SNFH": (Tissue.SNFH,),
    "RC": (Tissue.RC,),
    "TC": (Tissue.NETC, Tissue.ET),
    "WT": (Tissue.NETC, Tissue.SNFH, Tissue.ET),
}
"""Regions by name: single classes, tumour core (TC) and whole tumour (WT). Source: BraTS 2024."""


@dataclass(frozen=True)
class Scheme:
    """What each value of a label file means, in our classes.

    Parameters
    ----------
    name : str
        Name on the command line.
    values : dict of int to Tissue or None
        Value in the file to our class; ``None`` means a value that is known and left out.
    source : str
        Where the scheme is defined.
    """

    name: str
    values: dict[int, Tissue | None]
    source: str


_N, _S, _E, _R = Tissue.NETC, Tissue.SNFH, Tissue.ET, Tissue.RC

SCHEMES: dict[str, Scheme] = {
    s.name: s
    for s in (
        Scheme("tumorboard", {1: _N, 2: _S, 3: _E, 4: _R}, "tumorboard; equal to BraTS 2024 GLI post-treatment"),
        Scheme("brats2012", {1: _N, 2: _S, 3: _N, 4: _E}, "BraTS 2012-2016 (unverified)"),
        Scheme("brats2017", {1: _N, 2: _S, 4: _E}, "BraTS 2017-2022 (unverified)"),
        Scheme("brats2023", {1: _N, 2: _S, 3: _E}, "BraTS 2023"),
        Scheme("brats2024", {1: _N, 2: _S, 3: _E, 4: _R}, "BraTS 2024 GLI post-treatment and MET"),
        Scheme("brats2024-ped", {1: _E, 2: _N, 3: _N, 4: _S}, "BraTS 2024 PED; cystic component counted as NETC"),
        Scheme("whole-tumour", {1: _S}, "a single mask of the FLAIR abnormality"),
        Scheme("enhancing", {1: _E}, "a single mask of enhancing tumour"),
        Scheme("dicom-seg", {1: _N, 2: _S, 3: _E, 4: _R}, "a DICOM segmentation; its segments say what they are"),
    )
}
"""Every scheme by name. One line enrols another."""

DICOM_SEG = "dicom-seg"
"""The scheme of a DICOM segmentation; its segments name their classes."""


@dataclass(frozen=True)
class LabelMap(Volume):
    """A label map in our classes (uint8, see :class:`Tissue`) on a grid.

    Raises
    ------
    LabelError
        The array is not of integers, or holds a value that is not one of ours.

    Examples
    --------
    >>> m = LabelMap.of(np.array([[[0, 3], [2, 1]]], dtype=np.uint8), np.eye(4))
    >>> m.region("TC").sum(), m.volume_ml("WT")
    (np.int64(2), 0.003)
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if not np.issubdtype(self.data.dtype, np.integer):
            raise LabelError("integer labels", got=f"dtype {self.data.dtype}")
        found = present_values(self.data)
        unknown = sorted(found - {int(t) for t in Tissue})
        if unknown:
            raise LabelError("label values 0-4", got=f"{unknown}", remedy="read the file with its --scheme")
        object.__setattr__(self, "data", self.data.astype(np.uint8, copy=False))

    @classmethod
    def from_scheme(cls, volume: Volume, scheme: str, where: str = "labels") -> Self:
        """Translate a label image of any scheme of the field into ours.

        Parameters
        ----------
        volume : Volume
            Integer values, or floats that are whole numbers.
        scheme : str
            A name of :data:`SCHEMES`.
        where : str
            Role of the file, for the message.

        Raises
        ------
        LabelError
            Unknown scheme, values outside it (schemes that would fit are proposed), fractions or NaN.
        """
        if scheme not in SCHEMES:
            raise LabelError(f"one of the schemes {', '.join(SCHEMES)}", got=repr(scheme), where=where)
        data = as_integers(volume.data, where)
        table = SCHEMES[scheme].values
        found = present_values(data)
        outside = sorted(found - set(table))
        if outside:
            fits = [name for name, other in SCHEMES.items() if found <= set(other.values)]
            hint = f"pass --scheme {' or '.join(fits)}" if fits else "relabel the file; no known scheme holds these"
            raise LabelError(
                f"values of scheme {scheme!r} ({sorted(table)})",
                got=f"the file holds {sorted(found)}, of which {outside} are unknown",
                where=where,
                remedy=hint,
            )
        lut = np.zeros(max([*table, 0]) + 1, dtype=np.uint8)
        for value, tissue in table.items():
            lut[value] = 0 if tissue is None else int(tissue)
        return cls(lut[data], volume.grid)

    def region(self, name: str) -> NDArray[np.bool_]:
        """Return the mask of a region of :data:`REGIONS`, shape (i, j, k).

        Raises
        ------
        LabelError
            The region is not one of ours.
        """
        if name not in REGIONS:
            raise LabelError(f"a region of {', '.join(REGIONS)}", got=repr(name))
        return np.asarray(np.isin(self.data, [int(t) for t in REGIONS[name]]))

    def volume_ml(self, region: str) -> float:
        """Volume of a region in mL, through the spacing (never a voxel count)."""
        return float(self.region(region).sum()) * self.grid.voxel_volume_ml


def present_values(data: NDArray[Any]) -> set[int]:
    """Return the values other than 0 in an integer array."""
    return {int(v) for v in np.unique(data) if v != 0}


def as_integers(data: NDArray[Any], where: str = "labels") -> NDArray[np.int64]:
    """Return whole numbers as int64, whatever dtype they were stored in.

    Raises
    ------
    LabelError
        NaN, infinite, negative or fractional values.
    """
    array = np.asarray(data)
    if not np.issubdtype(array.dtype, np.integer) and array.dtype != np.bool_:
        if not np.isfinite(array).all():
            raise LabelError("whole-number labels", got="NaN or infinite values", where=where)
        if not np.array_equal(array, np.round(array)):
            raise LabelError(
                "whole-number labels",
                got="fractions (a probability map, or labels resampled with interpolation)",
                where=where,
                remedy="threshold the map, or resample with nearest neighbour",
            )
    whole = array.astype(np.int64)
    if whole.size and whole.min() < 0:
        raise LabelError("labels of 0 or more", got=f"{int(whole.min())}", where=where)
    return whole
