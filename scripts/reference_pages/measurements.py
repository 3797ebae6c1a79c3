"""The page of every measurement, from a study that is measured here."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel

from reference_pages.words import MADE, numpy_parameters, table
from tumorboard.labels import LabelMap, Tissue
from tumorboard.measure.sources import Files
from tumorboard.measure.study import Segmented, measure_study
from tumorboard.measurement import Measurement, Source, StudyMeasurements
from tumorboard.sequences import USED, Sequence
from tumorboard.study import Study
from tumorboard.transform import Frame, Plane
from tumorboard.volume import Volume

FIELDS = {
    "schema_version": "version of this format",
    "patient": "pseudonym",
    "study": "id of the study, as its folder is called",
    "sequences": "sequences that were there",
    "segmenter": "what outlined the tumour, and its version (for own masks, their scheme)",
    "measurements": "every number, or the reason why there is none",
    "warnings": "what a reader should know before believing the numbers",
    "status": "`not_assessable` when the value could not be measured",
    "reason": "why not",
    "file": "label map that was counted, relative to the case folder",
}
"""Fields that the models do not describe themselves."""

SIDE = 60
"""Voxels along each axis of the study that lists the measurements, 2 mm."""


def measurements() -> list[str]:
    """Return the page of ``measurements.json``: its fields, and every measurement there is."""
    out = [
        "# Measurements",
        "",
        MADE,
        "",
        "`measurements.json` holds every number of one study, `measurements.csv` the same as a table. "
        "The schema is [measurements.schema.json](measurements.schema.json); "
        "[what a measurement is](../concepts/measurements.md) says how to read one.",
        "",
        "## What is measured",
        "",
        "`lesion n` stands for `lesion 1`, `lesion 2` … in order of size. Quality `coarse` (through the atlas) and "
        "`proxy` (stands for what a reader would measure) are printed beside the value.",
        "",
    ]
    out += table(("name", "regions", "unit", "quality", "how"), measured())
    titles = ((StudyMeasurements, "The file"), (Measurement, "One measurement"), (Source, "The source of a value"))
    for model, title in titles:
        out += [f"## {title}", "", *table(("field", "type", "default", "what"), _fields(model))]
    return out[:-1]


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, str, str, str]]:
    described = numpy_parameters(model.__doc__ or "")
    for name, field in model.model_fields.items():
        kind = model.__annotations__[name]
        default = "required" if field.is_required() else f"`{field.default!r}`"
        yield f"`{name}`", f"`{kind}`", default, field.description or described.get(name) or FIELDS[name]


def measured() -> list[tuple[str, str, str, str, str]]:
    """Return one row for each name of measurement, from three made-up studies that hold everything."""
    rows: dict[str, list[Measurement]] = {}
    for core, all_sequences in ((True, True), (False, False), (False, True)):
        for m in _measure(core, all_sequences):
            rows.setdefault(m.name, []).append(m)
    return [_row(name, found) for name, found in rows.items()]


def _row(name: str, found: list[Measurement]) -> tuple[str, str, str, str, str]:
    value = next((m for m in found if m.value is not None), found[0])
    regions = dict.fromkeys("lesion n" if m.region.startswith("lesion") else m.region for m in found)
    told = value.method or f"for a reader: {value.reason}"
    how = re.sub(r"\b\d+ (largest|mm away)", r"*n* \1", told)
    how = re.sub(r"\b(here|code|0 and) \d+(\.\d)?(?= %| mm|\.$)", r"\1 *n*", how)
    return f"`{name}`", ", ".join(regions), f"`{value.unit}`", value.quality if value.method else "", how


def _measure(core: bool, all_sequences: bool) -> tuple[Measurement, ...]:
    """Measure a ball of a brain with two tumours of rim and core, or of oedema alone."""
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    middle = (SIDE - 1) / 2
    x, y, z = np.indices((SIDE, SIDE, SIDE)) - middle
    brain = np.hypot(np.hypot(x, y), z) < 0.45 * SIDE
    labels = np.zeros(brain.shape, dtype=np.uint8)
    for place, radius in ((14, 8), (-12, 5)):
        away = np.hypot(np.hypot(x - place, y), z)
        labels[away < radius + 2] = Tissue.SNFH
        labels[(away < radius) & core] = Tissue.ET
        labels[(away < radius - 3) & core] = Tissue.NETC
    image = Volume.of(np.abs(x).astype(np.float32), affine)
    names = tuple(USED) if all_sequences else (Sequence.FLAIR,)
    to_mni = np.eye(4)
    to_mni[:3, 3] = -2.0 * middle
    frame = Frame(Plane((1.0, 0.0, 0.0), 2.0 * middle), to_mni)
    study = Study("ses-01", dict.fromkeys(names, image), brain, frame=frame)
    without = {} if all_sequences else dict.fromkeys(("ET", "NETC", "TC"), "T1C was not given")
    segmented = Segmented(LabelMap.of(labels, affine), not_assessable=without)
    return measure_study(study, segmented, Files("dseg", "lesions", "brain")).measurements
