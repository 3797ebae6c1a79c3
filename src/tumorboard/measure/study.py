"""Every measurement of one study, from its label map.

Why it exists: one list, made in one place, each entry with unit, method and source voxels, or with the
reason why it could not be made. It reads voxels and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import REGIONS, LabelMap
from tumorboard.measure.bright import t1_bright
from tumorboard.measure.by_hand import HandDiameters, with_hand
from tumorboard.measure.diameters import (
    EDGE_FRACTION,
    RANO_HGG_2010,
    LesionDiameters,
    fill_enclosed,
    measurable,
    measure_diameters,
    slice_axis_of,
)
from tumorboard.measure.lesions import Lesions, find_lesions, largest_distance_mm
from tumorboard.measure.native import Slices, carry_over
from tumorboard.measure.position import position_measurements
from tumorboard.measure.signs.case import Known
from tumorboard.measure.signs.mismatch import t2_flair_mismatch
from tumorboard.measure.signs.vasari import vasari
from tumorboard.measure.sources import Files, source_of
from tumorboard.measure.ventricles import ventricle_measurements
from tumorboard.measurement import Diameters, Measurement, Source
from tumorboard.study import Study
from tumorboard.volume import Grid, Volume, box_around

VERSION = "4"
"""Changes whenever a number may change."""

MEMBERSHIP_BOUNDS = (0.65, 0.35)
"""Membership thresholds that bound a volume from below and above; chosen, not calibrated."""

MAX_TARGETS = 5
"""Most lesions in a sum of products. Source: RANO-HGG 2010 (read in secondary sources)."""

CHECKED_REGIONS = ("ET", "TC", "WT")
"""Regions whose volume is counted on native slices too."""

CALIBRATED = "Interval: 90 %, conformal, calibrated on digital patients; in people it may be too narrow."
"""How a network's interval came about."""

VOLUME_METHOD = "Voxels of the region times the voxel volume of the affine."


@dataclass(frozen=True)
class Measured:
    """What measuring gives: the list, the lesions, and the diameters to draw.

    ``native_lesions`` are lesion numbers on the native grid, where diameters were read there; the end
    points of ``diameters`` are then voxels of that grid.
    """

    measurements: tuple[Measurement, ...]
    lesions: Lesions
    diameters: Mapping[int, Mapping[str, Diameters]]
    native_lesions: NDArray[np.uint16] | None = None


@dataclass(frozen=True)
class Segmented:
    """What is measured: a label map, memberships, and what could not be looked for.

    Parameters
    ----------
    labels : LabelMap
        On the study's grid.
    memberships : mapping of str to Volume
        By region; empty for masks drawn by hand.
    not_assessable : mapping of str to str
        Regions and why.
    native : LabelMap or None
        The same on the native grid, where the study has one apart from its working grid.
    intervals : mapping of str to (float, float)
        Calibrated 90 % intervals of volumes by region, mL; others follow from memberships.
    by_hand : tuple of HandDiameters
        Diameters that a reader drew; they take the place of those found in the mask.
    """

    labels: LabelMap
    memberships: Mapping[str, Volume] = field(default_factory=dict)
    not_assessable: Mapping[str, str] = field(default_factory=dict)
    native: LabelMap | None = None
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    by_hand: tuple[HandDiameters, ...] = ()


def measure_study(study: Study, segmented: Segmented, files: Files) -> Measured:
    """Measure one study.

    Parameters
    ----------
    study : Study
        Prepared (with its frame).
    segmented : Segmented
        Labels on the study's grid.
    files : Files
        Names of the label, lesion and brain files, for the sources.

    Returns
    -------
    Measured

    Examples
    --------
    >>> from tumorboard.sequences import Sequence
    >>> data = np.zeros((20, 20, 20), np.uint8); data[5:10, 5:10, 5:10] = 3
    >>> labels = LabelMap.of(data, np.eye(4))
    >>> study = Study("ses-01", {Sequence.T1C: Volume(data * 1.0, labels.grid)}, brain=data >= 0)
    >>> measured = measure_study(study, Segmented(labels), Files("dseg.nii.gz", "lesions.nii.gz", "brain.nii.gz"))
    >>> measured.lesions.count, measured.measurements[0].value, measured.measurements[0].unit
    (1, 0.125, 'mL')
    """
    missing = segmented.not_assessable
    region = "TC" if "TC" not in missing and segmented.labels.region("ET").any() else "WT"
    found = {name: find_lesions(segmented.labels, name) for name in ("TC", "WT")}
    lesions = found[region]
    slices = _slices(segmented, lesions, files)
    readings = with_hand(_readings(lesions, slices), segmented.by_hand, slices.numbers, slices.grid)
    positions = position_measurements(study, segmented.labels, missing, files)
    out = [*_volumes(study, segmented, files), *_native_volumes(segmented, files)]
    out += _counts(segmented, found, region, files)
    out += positions
    out += _lesion_measurements(lesions, readings, slices, files, segmented)
    out += vasari(study, segmented, files, known=Known(found["TC"], found["WT"], tuple(positions)))
    out += t2_flair_mismatch(study, segmented, files)
    out += [*ventricle_measurements(study, segmented, files), t1_bright(study, segmented, files)]
    drawn = {n: {name: d.rano for name, d in by_name.items()} for n, by_name in readings.items()}
    return Measured(tuple(out), lesions, drawn, slices.numbers if segmented.native else None)


def measure_sizes(study: Study, segmented: Segmented, files: Files) -> Measured:
    """Measure volumes, lesions and diameters alone, as :func:`measure_study` does, for who waits before a screen.

    Parameters
    ----------
    study, segmented, files
        As for :func:`measure_study`.
    """
    region = "TC" if "TC" not in segmented.not_assessable and segmented.labels.region("ET").any() else "WT"
    lesions = find_lesions(segmented.labels, region)
    slices = _slices(segmented, lesions, files)
    readings = with_hand(_readings(lesions, slices), segmented.by_hand, slices.numbers, slices.grid)
    out = [*_volumes(study, segmented, files), *_lesion_measurements(lesions, readings, slices, files, segmented)]
    drawn = {n: {name: d.rano for name, d in by_name.items()} for n, by_name in readings.items()}
    return Measured(tuple(out), lesions, drawn, slices.numbers if segmented.native else None)


def _slices(segmented: Segmented, lesions: Lesions, files: Files) -> Slices:
    """Return what diameters are read on: native slices where they are apart from the working grid."""
    if segmented.native is None:
        return Slices(segmented.labels, lesions.numbers, files.lesions)
    numbers = carry_over(lesions, segmented.labels.grid, segmented.native)
    return Slices(segmented.native, numbers, files.native_lesions)


def _native_volumes(segmented: Segmented, files: Files) -> Iterator[Measurement]:
    """Volumes on the native slices, to check those of the working grid by."""
    for region in CHECKED_REGIONS if segmented.native else ():
        if region in segmented.not_assessable or segmented.native is None:
            continue
        source = source_of(segmented.native.region(region), files.native_labels, tuple(int(t) for t in REGIONS[region]))
        told = f"{VOLUME_METHOD} On the reference sequence's own slices, to check the volume by."
        yield _number("volume_native", region, segmented.native.volume_ml(region), "mL", told, source)


def _volumes(study: Study, segmented: Segmented, files: Files) -> Iterator[Measurement]:
    for region in REGIONS:
        if region in segmented.not_assessable:
            yield Measurement.missing("volume", region, "mL", segmented.not_assessable[region])
            continue
        mask = segmented.labels.region(region)
        interval, method = _bounds(segmented, region, mask)
        yield Measurement(
            name="volume",
            region=region,
            value=segmented.labels.volume_ml(region),
            unit="mL",
            method=method,
            interval=interval,
            source=source_of(mask, files.labels, tuple(int(t) for t in REGIONS[region])),
        )
    yield Measurement(
        name="volume",
        region="brain",
        value=float(study.brain.sum()) * study.grid.voxel_volume_ml,
        unit="mL",
        method="Volume inside the brain mask, fluid and tumour included.",
        source=source_of(study.brain, files.brain),
    )


def _bounds(segmented: Segmented, region: str, mask: NDArray[np.bool_]) -> tuple[tuple[float, float] | None, str]:
    if region in segmented.intervals:
        return segmented.intervals[region], f"{VOLUME_METHOD} {CALIBRATED}"
    membership = segmented.memberships.get(region)
    if membership is None or not mask.any():
        return None, VOLUME_METHOD
    ml = segmented.labels.grid.voxel_volume_ml
    low, high = (float((membership.data > t).sum()) * ml for t in MEMBERSHIP_BOUNDS)
    value = float(mask.sum()) * ml
    told = f"{VOLUME_METHOD} Interval: membership {MEMBERSHIP_BOUNDS[0]} and {MEMBERSHIP_BOUNDS[1]}, not calibrated."
    return (min(low, value), max(high, value)), told


def _counts(segmented: Segmented, lesions: Mapping[str, Lesions], listed: str, files: Files) -> Iterator[Measurement]:
    """Count the lesions of each region; those of ``listed`` stand in the lesions file."""
    for region, found in lesions.items():
        if region in segmented.not_assessable:
            yield Measurement.missing("lesion_count", region, "1", segmented.not_assessable[region])
            continue
        source = (
            source_of(found.numbers > 0, files.lesions)
            if region == listed
            else source_of(segmented.labels.region(region), files.labels)
        )
        told = "26-connected parts after bridging gaps of up to 4 mm; parts below 0.05 mL are not counted"
        note = f" ({found.fragments_ml:.3f} mL)." if found.fragments_ml > 0 else "."
        yield Measurement(
            name="lesion_count",
            region=region,
            value=found.count,
            unit="1",
            method=told + note,
            source=source,
        )
        if found.count >= 2:
            yield Measurement(
                name="largest_distance",
                region=region,
                value=largest_distance_mm(found, segmented.labels.grid.spacing_mm),
                unit="mm",
                method="Largest distance between the centroids of two lesions.",
                source=source,
            )


def _readings(lesions: Lesions, slices: Slices) -> dict[int, dict[str, LesionDiameters]]:
    """Measure each lesion by every reading that applies to it."""
    axis = slice_axis_of(slices.grid)
    out: dict[int, dict[str, LesionDiameters]] = {}
    for number in range(1, lesions.count + 1):
        mask = np.asarray(slices.numbers == number)
        box = box_around(mask)
        if box is None:
            continue
        masks = {"flair": mask} if lesions.region == "WT" else _core_masks(slices.labels, mask, box, axis)
        found = {n: measure_diameters(m, slices.grid.spacing_mm, axis) for n, m in masks.items()}
        out[number] = {n: d for n, d in found.items() if d is not None}
    return out


def _core_masks(
    labels: LabelMap, mask: NDArray[np.bool_], box: tuple[slice, slice, slice], axis: int
) -> dict[str, NDArray[np.bool_]]:
    et, filled = np.zeros_like(mask), np.zeros_like(mask)
    et[box] = mask[box] & labels.region("ET")[box]
    filled[box] = fill_enclosed(et[box], mask[box] & labels.region("NETC")[box], axis)
    return {"ce_only": et, "filled": filled}


def _lesion_measurements(
    lesions: Lesions,
    readings: Mapping[int, Mapping[str, LesionDiameters]],
    slices: Slices,
    files: Files,
    segmented: Segmented,
) -> list[Measurement]:
    out: list[Measurement] = []
    sums: dict[str, list[float]] = {}
    voxel_ml, missing = segmented.labels.grid.voxel_volume_ml, segmented.not_assessable
    for number in range(1, lesions.count + 1):
        whole = source_of(lesions.mask(number), files.lesions, lesion=number)
        name = f"lesion {number}"
        out.append(_number("volume", name, float(whole.voxels or 0) * voxel_ml, "mL", VOLUME_METHOD, whole))
        source = whole if segmented.native is None else source_of(slices.numbers == number, slices.file, lesion=number)
        for reading, found in readings.get(number, {}).items():
            out += _diameters(name, reading, found, source)
            if _is_measurable(found, slices.grid):
                sums.setdefault(reading, []).append(found.rano.product_mm2)
        out += _measurable(name, readings.get(number), slices.grid, source)
    readings_due = ("flair",) if lesions.region == "WT" else ("ce_only", "filled")
    for reading in readings_due:
        if lesions.region in missing:
            out.append(Measurement.missing(f"sum_of_products_{reading}", "study", "mm2", missing[lesions.region]))
        else:
            out.append(_sum_of_products(reading, sums.get(reading, []), slices.file))
    if "ET" in missing:
        out.append(Measurement.missing("sum_of_products_ce_only", "study", "mm2", missing["ET"]))
    return out


def _number(name: str, region: str, value: float | int | str, unit: str, method: str, source: Source) -> Measurement:
    return Measurement(name=name, region=region, value=value, unit=unit, method=method, source=source)


def _diameters(region: str, reading: str, found: LesionDiameters, source: Source) -> list[Measurement]:
    d = found.rano
    method = (
        f"{reading}: longest in-plane segment inside the mask on the slice where it is longest, and the longest "
        f"perpendicular to it on that slice; centre to centre plus {EDGE_FRACTION:g} of a pixel's chord."
    )
    if found.by_hand:
        method = f"{reading}: both diameters drawn by a reader, end to end."
    long = source.model_copy(update={"points_ijk": d.longest_ijk})
    wide = source.model_copy(update={"points_ijk": d.perpendicular_ijk})
    both = source.model_copy(update={"points_ijk": (*d.longest_ijk, *d.perpendicular_ijk)})
    return [
        _number(f"longest_diameter_{reading}", region, d.longest_mm, "mm", method, long),
        _number(f"perpendicular_diameter_{reading}", region, d.perpendicular_mm, "mm", method, wide),
        _number(f"diameter_product_{reading}", region, d.product_mm2, "mm2", method, both),
        _number(
            f"largest_product_{reading}",
            region,
            found.product.product_mm2,
            "mm2",
            f"{reading}: greatest product of the two diameters over all slices.",
            source.model_copy(update={"points_ijk": (*found.product.longest_ijk, *found.product.perpendicular_ijk)}),
        ),
    ]


def _is_measurable(found: LesionDiameters, grid: Grid) -> bool:
    return measurable(found.rano, grid.spacing_mm, found.slices_seen)


def _measurable(
    region: str, readings: Mapping[str, LesionDiameters] | None, grid: Grid, source: Source
) -> list[Measurement]:
    if readings is None:
        told = "too small to be seen on the slices of the reference sequence"
        return [Measurement.missing("measurable", region, "1", told)]
    used = next((r for r in ("ce_only", "flair") if r in readings), None)
    if used is None:
        return [Measurement.missing("measurable", region, "1", "no enhancing tumour in this lesion")]
    rule = RANO_HGG_2010
    told = f"{rule.name} {rule.version} size rule on {used}; margins and cysts are for the reader. {rule.source}."
    word = "yes" if _is_measurable(readings[used], grid) else "no"
    return [_number("measurable", region, word, "1", told, source)]


def _sum_of_products(reading: str, products: list[float], file: str) -> Measurement:
    largest = sorted(products, reverse=True)[:MAX_TARGETS]
    told = f"{reading}: sum over the {len(largest)} largest measurable lesions (at most {MAX_TARGETS})."
    return _number(f"sum_of_products_{reading}", "study", float(sum(largest)), "mm2", told, Source(file=file))
