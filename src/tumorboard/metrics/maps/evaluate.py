"""One table that says how well a label map agrees with a reference, region by region.

Why it exists: a mean over regions hides the one that matters, and a region that neither map holds is
not a success of the method. So every region of the field has its row, and the row says who holds it.
It refuses to compare maps on two grids; nothing is resampled here.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tumorboard.errors import GeometryError
from tumorboard.labels import REGIONS, LabelMap
from tumorboard.metrics.maps.overlap import Mask, dice, precision, sensitivity, volume_difference_ml
from tumorboard.metrics.maps.surface import NSD_TOLERANCE_MM, surface_distances
from tumorboard.volume import Grid

Presence = Literal["both", "reference only", "prediction only", "neither"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RegionScore(_Frozen):
    """Every metric of one region; masks that are empty count as :mod:`overlap` and :mod:`surface` declare."""

    region: str
    present_in: Presence = Field(description="which of the two maps holds the region")
    dice: float
    sensitivity: float | None = Field(description="None when only the prediction holds the region")
    precision: float | None = Field(description="None when only the reference holds the region")
    reference_ml: float
    prediction_ml: float
    difference_ml: float = Field(description="prediction minus reference")
    hd95_mm: float
    nsd: float = Field(description=f"normalised surface Dice at {NSD_TOLERANCE_MM} mm")
    assd_mm: float


class Evaluation(_Frozen):
    """How well a prediction agrees with a reference."""

    nsd_tolerance_mm: float
    rows: tuple[RegionScore, ...]

    def get(self, region: str) -> RegionScore:
        """Return the row of a region.

        Raises
        ------
        KeyError
            There is none of that name.
        """
        for row in self.rows:
            if row.region == region:
                return row
        raise KeyError(f"no region {region!r}")


def evaluate(ref: LabelMap, pred: LabelMap) -> Evaluation:
    """Compare a label map with a reference.

    Parameters
    ----------
    ref, pred : LabelMap
        On one grid after both are reordered to RAS; LPS and RAS copies of a map are equal.

    Returns
    -------
    Evaluation
        One row for each of ET, NETC, SNFH, RC, TC, WT. Volumes in mL, distances in mm.

    Raises
    ------
    GeometryError
        The grids differ; the message says along which axis and by how many mm.

    Examples
    --------
    >>> m = LabelMap.of(np.array([[[0, 3, 3, 2]]], dtype=np.uint8), np.eye(4))
    >>> result = evaluate(m, m)
    >>> result.get("WT").dice, result.get("RC").present_in
    (1.0, 'neither')
    """
    one, two = ref.canonical(), pred.canonical()
    told = one.grid.explain_mismatch(two.grid, ("reference", "prediction"))
    if told:
        raise GeometryError(
            "a prediction on the grid of the reference",
            got=told,
            where="prediction",
            remedy="resample the prediction (nearest)",
        )
    rows = tuple(_score(name, one.region(name), two.region(name), one.grid) for name in REGIONS)
    return Evaluation(nsd_tolerance_mm=NSD_TOLERANCE_MM, rows=rows)


def _score(name: str, a: Mask, b: Mask, grid: Grid) -> RegionScore:
    surface = surface_distances(a, b, grid.spacing_mm)
    voxel_ml = grid.voxel_volume_ml
    return RegionScore(
        region=name,
        present_in=_presence(a, b),
        dice=dice(a, b),
        sensitivity=sensitivity(a, b),
        precision=precision(a, b),
        reference_ml=int(np.count_nonzero(a)) * voxel_ml,
        prediction_ml=int(np.count_nonzero(b)) * voxel_ml,
        difference_ml=volume_difference_ml(a, b, voxel_ml),
        hd95_mm=surface.hd95_mm,
        nsd=surface.nsd,
        assd_mm=surface.assd_mm,
    )


def _presence(a: Mask, b: Mask) -> Presence:
    if a.any():
        return "both" if b.any() else "reference only"
    return "prediction only" if b.any() else "neither"
