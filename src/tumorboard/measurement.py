"""A measured number and everything it needs to be believed.

Why it exists: a number without its unit, method and source voxels cannot be traced, and a missing
thing reported as 0 is a wrong number. A measurement is one or the other: a value, or
``not_assessable`` with the reason.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Frozen):
    """The voxels a number came from.

    ``file`` is relative to the case folder; indices are (i, j, k) in that file's array.
    """

    file: str
    labels: tuple[int, ...] = Field(default=(), description="label values counted")
    lesion: int | None = Field(default=None, description="value in the lesions file, when one lesion only")
    voxels: int | None = Field(default=None, ge=0, description="how many voxels")
    box_ijk: tuple[tuple[int, int, int], tuple[int, int, int]] | None = Field(
        default=None, description="first and last voxel of the bounding box, inclusive"
    )
    points_ijk: tuple[tuple[float, float, float], ...] = Field(default=(), description="end points drawn")


class Measurement(_Frozen):
    """One number of one study.

    Parameters
    ----------
    name : str
        What was measured, for example ``volume`` or ``longest_diameter``.
    region : str
        ``ET``, ``TC``, ``WT``, ``brain``, ``lesion 1`` …
    value : float, int, str or None
        ``None`` exactly when ``status`` is ``not_assessable``.
    unit : str
        UCUM: ``mL``, ``mm``, ``mm2``, ``%``; ``1`` for a pure number or a word.
    method : str
        How, in a sentence or a setting name.
    source : Source or None
        The voxels; required when there is a value.
    interval : (float, float) or None
        Lower and upper bound, when the method gives one; what it means stands in ``method``.
    quality : {'measured', 'coarse', 'proxy'}
        ``coarse`` and ``proxy`` are printed beside the value.

    Examples
    --------
    >>> Measurement.missing("volume", "ET", "mL", "T1C is missing").status
    'not_assessable'
    """

    name: str
    region: str
    value: float | int | str | None
    unit: str
    method: str = ""
    source: Source | None = None
    interval: tuple[float, float] | None = None
    quality: Literal["measured", "coarse", "proxy"] = "measured"
    status: Literal["ok", "not_assessable"] = "ok"
    reason: str = ""

    @model_validator(mode="after")
    def _value_or_reason(self) -> Measurement:
        if (self.value is None) != (self.status == "not_assessable"):
            raise ValueError("a measurement has a value, or status not_assessable with value null")
        if self.value is None and not self.reason:
            raise ValueError("a measurement that is not assessable says why")
        if self.value is not None and (self.source is None or not self.method):
            raise ValueError("a measured value names its method and its source voxels")
        return self

    @classmethod
    def missing(cls, name: str, region: str, unit: str, reason: str) -> Measurement:
        """Return a measurement that could not be made, with the reason."""
        return cls(name=name, region=region, value=None, unit=unit, status="not_assessable", reason=reason)


class Diameters(_Frozen):
    """The two diameters of one lesion on one slice (RANO reading), in mm and voxel indices."""

    longest_mm: float
    perpendicular_mm: float
    slice_index: int
    slice_axis: int
    longest_ijk: tuple[tuple[int, int, int], tuple[int, int, int]]
    perpendicular_ijk: tuple[tuple[int, int, int], tuple[int, int, int]]
    edge_mm: tuple[float, float] = Field(description="what the edge convention added to each diameter")

    @property
    def product_mm2(self) -> float:
        """Product of the two diameters, mm²."""
        return self.longest_mm * self.perpendicular_mm


class StudyMeasurements(_Frozen):
    """``measurements.json``: every number of one study. Schema: ``docs/reference/measurements.schema.json``."""

    schema_version: Literal["1.0"] = "1.0"
    patient: str
    study: str
    sequences: tuple[str, ...]
    segmenter: str
    measurements: tuple[Measurement, ...]
    warnings: tuple[str, ...] = ()

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


def schema() -> dict[str, Any]:
    """Return the JSON schema of ``measurements.json``."""
    return StudyMeasurements.model_json_schema()
