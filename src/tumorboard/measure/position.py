"""Measurements of position, for the list of one study.

Why it exists: :mod:`tumorboard.measure.place` computes; here its answers get names, units, quality and
sources, or the reason why there is none.
"""

from __future__ import annotations

from collections.abc import Mapping

from tumorboard.labels import REGIONS, LabelMap
from tumorboard.measure.place import (
    centroid_mni_mm,
    depth_to_cortex_mm,
    depth_to_ventricles_mm,
    lobe,
    sides,
)
from tumorboard.measure.shift import midline_shift_mm
from tumorboard.measure.sources import Files, source_of
from tumorboard.measurement import Measurement, Source
from tumorboard.segment.space import depth_in
from tumorboard.sequences import USED
from tumorboard.study import Study
from tumorboard.transform import Frame

_ATLAS = "After an affine alignment of the brain's outline to ICBM152"
_NAMES_WT = (
    ("side_share_left", "%"),
    ("side_share_right", "%"),
    ("crosses_midline", "1"),
    ("centroid_mni_x", "mm"),
    ("centroid_mni_y", "mm"),
    ("centroid_mni_z", "mm"),
    ("lobe", "1"),
)


def position_measurements(
    study: Study, labels: LabelMap, missing: Mapping[str, str], files: Files
) -> list[Measurement]:
    """Return side shares, midline crossing and shift, atlas place and depths of one study.

    Parameters
    ----------
    study : Study
        Prepared (with its frame).
    labels : LabelMap
        On the study's grid.
    missing : mapping of str to str
        Regions that could not be looked for, and why.
    files : Files
        Names for the sources.
    """
    frame = study.frame
    if frame is None:
        return []
    out = [_shift(study, labels, frame, files)]
    out += _whole(study, labels, missing, frame, files)
    depth_mm = depth_in(study.brain, study.grid.spacing_mm)
    for region in ("TC", "WT"):
        reason = _why_not(labels, region, missing)
        if reason:
            out += [Measurement.missing(f"depth_to_{n}", region, "mm", reason) for n in ("cortex", "ventricles")]
        else:
            surface = depth_to_cortex_mm(labels.region(region), depth_mm)
            chambers = depth_to_ventricles_mm(labels.region(region), study.grid, frame)
            out += _depths(surface, chambers, region, _source(labels, region, files))
    return out


def _why_not(labels: LabelMap, region: str, missing: Mapping[str, str]) -> str:
    if region in missing:
        return missing[region]
    return "" if labels.region(region).any() else f"no {region} was found"


def _source(labels: LabelMap, region: str, files: Files) -> Source:
    return source_of(labels.region(region), files.labels, tuple(int(t) for t in REGIONS[region]))


def _whole(study: Study, labels: LabelMap, missing: Mapping[str, str], frame: Frame, files: Files) -> list[Measurement]:
    reason = _why_not(labels, "WT", missing)
    if reason:
        return [Measurement.missing(name, "WT", unit, reason) for name, unit in _NAMES_WT]
    mask = labels.region("WT")
    lie, centre = sides(mask, study.grid, frame), centroid_mni_mm(mask, study.grid, frame)
    guess = lobe(mask, study.grid, frame)
    crossing = "At least 0.2 mL lie more than 2 mm beyond the mid-plane on the lesser side."
    nearest = f"{_ATLAS}: nearest of the 160 labelled coordinates of Dosenbach 2010, {guess.distance_mm:.0f} mm away."
    values: list[tuple[float | str, str, bool]] = [
        (lie.left, "Voxels left of the mid-plane of the brain's own symmetry.", False),
        (lie.right, "Voxels right of the mid-plane of the brain's own symmetry.", False),
        ("yes" if lie.crosses else "no", crossing, False),
        *((c, f"{_ATLAS}: centroid, RAS.", True) for c in centre),
        (str(guess.lobe), nearest, True),
    ]
    source = _source(labels, "WT", files)
    return [
        Measurement(
            name=name,
            region="WT",
            value=value,
            unit=unit,
            method=method,
            source=source,
            quality="coarse" if coarse else "measured",
        )
        for (name, unit), (value, method, coarse) in zip(_NAMES_WT, values, strict=True)
    ]


def _depths(surface: float, chambers: float, region: str, source: Source) -> list[Measurement]:
    told = f"{_ATLAS}: smallest distance to the atlas's ventricles; 0 when they overlap."
    return [
        Measurement(
            name="depth_to_cortex",
            region=region,
            value=surface,
            unit="mm",
            method="Smallest distance to the outside of the brain mask.",
            source=source,
            quality="coarse",
        ),
        Measurement(
            name="depth_to_ventricles",
            region=region,
            value=chambers,
            unit="mm",
            method=told,
            source=source,
            quality="coarse",
        ),
    ]


def _shift(study: Study, labels: LabelMap, frame: Frame, files: Files) -> Measurement:
    images = [study.volumes[s].data for s in USED if s in study.volumes]
    shift = midline_shift_mm(images, labels.data > 0, study.brain, study.grid, frame)
    if shift is None:
        reason = "tumour hides the central structures, or their symmetry has no clear axis"
        return Measurement.missing("midline_shift", "brain", "mm", reason)
    return Measurement(
        name="midline_shift",
        region="brain",
        value=shift,
        unit="mm",
        quality="proxy",
        method="Symmetry axis of the central structures on all sequences against the mid-plane; right is positive.",
        source=source_of(study.brain, files.brain),
    )
