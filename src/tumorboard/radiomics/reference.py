"""Settings of the standard's reference configurations, so that anybody can check values against the published ones.

Source: Zwanenburg A et al., Radiology 2020;295:328-338, digital phantom and configurations A to E of the
chest phantom; Whybra P et al., Radiology 2024;310:e231319, feature values of filters.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorboard.radiomics.feature import BY_DIRECTION, BY_SLICE
from tumorboard.radiomics.settings import (
    Discretisation,
    FilterSettings,
    Interpolation,
    RadiomicsSettings,
    Resegmentation,
)

DIAGNOSTIC = ("_init_img", "_interp_img", "_init_roi", "_interp_roi", "_reseg_roi")
"""Endings of reference values that are about the image, not features."""

IN_SLICES = ("2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "2D", "2_5D")
IN_SPACE = ("3D_avg", "3D_comb", "3D")
TWO_MM = (2.0, 2.0, 2.0)

DIGITAL = RadiomicsSettings(name="ibsi-digital", texture=Discretisation(method="none"), ways=(*BY_DIRECTION, *BY_SLICE))

CHEST: dict[str, RadiomicsSettings] = {
    "a": RadiomicsSettings(
        name="ibsi-a",
        resegmentation=Resegmentation(low=-500, high=400),
        texture=Discretisation(method="fbs", width=25),
        ways=IN_SLICES,
    ),
    "b": RadiomicsSettings(
        name="ibsi-b",
        interpolation=Interpolation(spacing_mm=(2.0, 2.0, None), image="linear", rounded=True),
        resegmentation=Resegmentation(low=-500, high=400),
        texture=Discretisation(method="fbn", count=32),
        ways=IN_SLICES,
    ),
    "c": RadiomicsSettings(
        name="ibsi-c",
        interpolation=Interpolation(spacing_mm=TWO_MM, image="linear", rounded=True),
        resegmentation=Resegmentation(low=-1000, high=400),
        texture=Discretisation(method="fbs", width=25),
        ivh=Discretisation(method="fbs", width=2.5),
        ivh_range=(-1000, 400),
        ways=IN_SPACE,
    ),
    "d": RadiomicsSettings(
        name="ibsi-d",
        interpolation=Interpolation(spacing_mm=TWO_MM, image="linear", rounded=True),
        resegmentation=Resegmentation(sigma=3),
        texture=Discretisation(method="fbn", count=32),
        ways=IN_SPACE,
    ),
    "e": RadiomicsSettings(
        name="ibsi-e",
        interpolation=Interpolation(spacing_mm=TWO_MM, image="cubic", rounded=True),
        resegmentation=Resegmentation(low=-1000, high=400, sigma=3),
        texture=Discretisation(method="fbn", count=32),
        ivh=Discretisation(method="fbn", count=1000),
        ways=IN_SPACE,
    ),
}
"""The five configurations of the chest phantom."""


_TURNS: dict[str, Any] = {"sigma_mm": 5.0, "wavelength_mm": 2.0, "gamma": 1.5, "step_deg": 22.5, "pooling": "mean"}

_FILTERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "2": ({"kind": "mean", "support": 5, "dimensions": 2}, {"kind": "mean", "support": 5}),
    "3": ({"kind": "log", "sigma_mm": 1.5, "dimensions": 2}, {"kind": "log", "sigma_mm": 1.5}),
    "4": (
        {"kind": "laws", "kernels": "L5E5", "pooling": "max", "energy": 7},
        {"kind": "laws", "kernels": "L5E5E5", "pooling": "max", "energy": 7},
    ),
    "5": ({"kind": "gabor", **_TURNS}, {"kind": "gabor", "planes": True, **_TURNS}),
    "6": (
        {"kind": "wavelet", "wavelet": "db3", "band": "LH", "pooling": "mean"},
        {"kind": "wavelet", "wavelet": "db3", "band": "LLH", "pooling": "mean"},
    ),
    "7": (
        {"kind": "wavelet", "wavelet": "db3", "band": "HH", "level": 2, "pooling": "mean"},
        {"kind": "wavelet", "wavelet": "db3", "band": "HHH", "level": 2, "pooling": "mean"},
    ),
    "8": ({"kind": "simoncelli", "level": 1, "dimensions": 2}, {"kind": "simoncelli", "level": 1}),
    "9": ({"kind": "simoncelli", "level": 2, "dimensions": 2}, {"kind": "simoncelli", "level": 2}),
}
"""Filters of the second part, in the plane (A) and in space (B)."""


def _filtered(number: str, letter: str) -> RadiomicsSettings:
    space = letter == "B"
    filters = [_FILTERS[number][space]] if number in _FILTERS else []
    one_mm = Interpolation(spacing_mm=(1.0, 1.0, 1.0), image="cubic", rounded=True)
    return RadiomicsSettings(
        name=f"ibsi-{number}{letter.lower()}",
        interpolation=one_mm if space else None,
        resegmentation=Resegmentation(low=-1000, high=400),
        families=("statistics",),
        original=not filters,
        filters=tuple(FilterSettings.model_validate(f) for f in filters),
    )


CHEST_FILTERS = {f"{n}.{letter}": _filtered(n, letter) for n in "123456789" for letter in "AB"}
"""The configurations of the second part, by their identifiers."""


@dataclass(frozen=True)
class Judged:
    """A value beside the standard's.

    Parameters
    ----------
    tag : str
        Of the feature.
    value, reference, tolerance : float
        Ours, the published one, and how far off one may be.
    digits : int
        To which ours is rounded before, as the published ones are; 0: it is not.
    """

    tag: str
    value: float
    reference: float
    tolerance: float
    digits: int = 3

    @property
    def holds(self) -> bool:
        """Whether the value is within the tolerance.

        Examples
        --------
        >>> Judged("stat_mean", 2.149, 2.15, 0.0).holds, Judged("stat_mean", 2.13, 2.15, 0.0).holds
        (True, False)
        """
        if not math.isfinite(self.value):
            return False
        value = float(f"{self.value:.{self.digits}g}") if self.digits else self.value
        return abs(value - self.reference) <= self.tolerance + 1e-9 * abs(self.reference)


def judged(values: Mapping[str, float], path: Path) -> list[Judged]:
    """Return features of the unfiltered image beside a file of the standard's reference values.

    Parameters
    ----------
    values : mapping of str to float
        From :func:`tumorboard.radiomics.extract.extract`.
    path : Path
        ``reference value;tolerance;tag``; lines without a value, and those about the image itself, are left out.
    """
    out = []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream, delimiter=";"):
            tag, text = row["tag"], row["reference value"]
            if text and not tag.endswith(DIAGNOSTIC):
                value = values.get(f"original.{tag}", math.nan)
                out.append(Judged(tag, value, float(text), float(row["tolerance"] or 0)))
    return out


def judged_filters(values: Mapping[str, float], path: Path, name: str) -> list[Judged]:
    """Return statistics of one filtered image beside the standard's reference values of filters.

    Parameters
    ----------
    values : mapping of str to float
        From :func:`tumorboard.radiomics.extract.extract`, of one image.
    path : Path
        ``filter_id;feature;feature_tag;consensus_value;tolerance``.
    name : str
        ``1.A`` to ``9.B``.
    """
    by_tag = {key.rpartition(".")[2]: value for key, value in values.items()}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter=";") if row["filter_id"] == name]
    return [
        Judged(tag, by_tag.get(tag, math.nan), float(value), float(tolerance), digits=0)
        for tag, value, tolerance in ((r["feature_tag"], r["consensus_value"], r["tolerance"]) for r in rows)
        if value
    ]
