"""What is known of a study beside an operation, and what is said of the operation.

Why it exists: the chain, the report and a table of a cohort hand the same facts in and take the same answer out. The
answer carries no date: studies are named, and days are counted from the operation.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tumorboard.errors import GeometryError
from tumorboard.labels import LabelMap
from tumorboard.measure.sources import Files
from tumorboard.measurement import Measurement, StudyMeasurements
from tumorboard.study import Study


@dataclass(frozen=True)
class Operated:
    """A study before or after an operation.

    Parameters
    ----------
    study : Study
        Prepared; T1 and T1C tell blood from enhancement.
    date : date or None
        When it was acquired.
    labels : LabelMap
        Tumour and cavity on the study's grid.
    measurements : StudyMeasurements
        What was measured of it.
    necrosis : ndarray of bool, shape (i, j, k), or None
        Necrosis apart from other non-enhancing core, where somebody outlined it.
    files : Files
        Names for the sources.
    t1_file, necrosis_file : str
        The same for T1 and for the mask of necrosis.

    Raises
    ------
    GeometryError
        Labels or necrosis are not on the study's grid.
    """

    study: Study
    date: dt.date | None
    labels: LabelMap
    measurements: StudyMeasurements
    necrosis: NDArray[np.bool_] | None = None
    files: Files = field(default_factory=Files)
    t1_file: str = "T1w.nii.gz"
    necrosis_file: str = "desc-necrosis_mask.nii.gz"

    def __post_init__(self) -> None:
        told = self.study.grid.explain_mismatch(self.labels.grid, ("the study", "the label map"))
        if told:
            raise GeometryError("labels on the study's grid", got=told, where=self.study.id)
        shape = self.study.grid.shape
        if self.necrosis is not None and self.necrosis.shape != shape:
            raise GeometryError(f"necrosis of shape {shape}", got=f"{self.necrosis.shape}", where=self.study.id)

    def measured(self, name: str, region: str, unit: str) -> Measurement:
        """Return a measurement of the study; missing with the reason where it was not made."""
        try:
            return self.measurements.get(name, region)
        except KeyError:
            return Measurement.missing(name, region, unit, "it was not measured in this study")


class Surgery(BaseModel):
    """One operation: what was removed and what is left.

    Parameters
    ----------
    number : int
        Which operation of the patient, from 1; 0 when none is recorded.
    kind : {'biopsy', 'operation'}
        As the events tell.
    before, after : str
        The studies compared, ``ses-01`` …; empty where there is none.
    measurements : tuple of Measurement
        Volumes before, residues, extents, categories, cavity, blood, brain, necrosis, midline; days from the operation.
    cautions : tuple of str
        What a reader should know before believing them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal["1.0"] = "1.0"
    number: int = Field(ge=0)
    kind: Literal["biopsy", "operation"]
    before: str = ""
    after: str = ""
    measurements: tuple[Measurement, ...]
    cautions: tuple[str, ...] = ()

    def get(self, name: str, region: str) -> Measurement:
        """Return the one measurement of that name and region.

        Raises
        ------
        KeyError
            There is none.
        """
        for m in self.measurements:
            if m.name == name and m.region == region:
                return m
        raise KeyError(f"no measurement {name!r} of {region!r}")
