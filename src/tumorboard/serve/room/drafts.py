"""What an outline measures, as a page shows it; of a changed outline at once, by the same functions as the chain.

Why it exists: who paints wants to see what it does to the numbers before it counts. Nothing of the case folder is
touched: until a reader accepts, the report and the verdicts stay with what was accepted before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.chain.correction import Correction, corrected
from tumorboard.chain.outline import with_native
from tumorboard.chain.saved import Outlined, files_of, load_study
from tumorboard.io.images import read_volume
from tumorboard.labels import LabelMap, Tissue
from tumorboard.measure.study import Segmented, measure_sizes
from tumorboard.measurement import Diameters, Measurement, StudyMeasurements
from tumorboard.serve.outlines.places import Place, read_json
from tumorboard.serve.room.pictures import grid_of
from tumorboard.volume import Grid

Numbers = dict[str, list[dict[str, Any]]]
"""``volumes``, ``lesions`` and ``sums``, as plain values."""

BY_HAND = "drawn by a reader"
"""What the method of such a diameter says."""


def numbers_of(place: Place) -> Numbers:
    """Return what the chain measured of a study.

    Parameters
    ----------
    place : Place
        Measured.

    Returns
    -------
    dict
        See :data:`Numbers`; ends of diameters in RAS mm, centres in voxels of the working grid.
    """
    session = place.folder.session(place.session)
    listed = StudyMeasurements.model_validate_json((session / "measurements.json").read_text(encoding="utf-8"))
    about = read_json(session / "diameters.json")["lesions"]
    drawn = {int(n): {k: Diameters.model_validate(d) for k, d in by.items()} for n, by in about.items()}
    numbers = read_volume(place.folder.seg(place.session, "lesions.nii.gz"), "lesions").data.astype(np.uint16)
    return _numbers(listed.measurements, drawn, numbers, place)


def measure_draft(place: Place, labels: LabelMap, correction: Correction) -> Numbers:
    """Measure a changed outline.

    Parameters
    ----------
    place : Place
        The study.
    labels : LabelMap
        On its working grid.
    correction : Correction
        What is known of it; lines drawn by hand among it.
    """
    study = load_study(place.folder, place.session)
    outlined = with_native(corrected(Outlined(Segmented(labels), {}), correction), study)
    measured = measure_sizes(study, outlined.segmented, files_of(place.folder, place.session))
    return _numbers(measured.measurements, measured.diameters, measured.lesions.numbers, place)


def changes_between(before: LabelMap | None, after: LabelMap) -> dict[str, Any]:
    """Tell what a correction changed: volume of each class before and after, and of all voxels that changed, in mL.

    Examples
    --------
    >>> one = LabelMap.of(np.zeros((10, 10, 10), np.uint8), np.eye(4)); two = one.with_data(one.data + 3)
    >>> changes_between(one, two)["volume_ml"]["ET"], changes_between(one, two)["changed_ml"]
    ([0.0, 1.0], 1.0)
    """
    names = [tissue.name for tissue in Tissue]
    volumes = {n: [None if before is None else before.volume_ml(n), after.volume_ml(n)] for n in names}
    changed = None if before is None else float((before.data != after.data).sum()) * after.grid.voxel_volume_ml
    return {"volume_ml": volumes, "changed_ml": changed}


def _numbers(
    measurements: Iterable[Measurement],
    drawn: Mapping[int, Mapping[str, Diameters]],
    numbers: NDArray[np.uint16],
    place: Place,
) -> Numbers:
    from scipy import ndimage

    listed = {(m.name, m.region): m for m in measurements}
    slices = place.native or grid_of(place)
    lesions = [
        _lesion(number, numbers, box, drawn.get(number, {}), listed, slices)
        for number, box in enumerate(ndimage.find_objects(numbers), start=1)
        if box is not None
    ]
    return {
        "volumes": [_told(m) for (name, region), m in listed.items() if name == "volume" and " " not in region],
        "lesions": lesions,
        "sums": [_told(m) for (name, _), m in listed.items() if name.startswith("sum_of_products")],
    }


def _told(m: Measurement) -> dict[str, Any]:
    interval = None if m.interval is None else list(m.interval)
    shown = {"name": m.name, "region": m.region, "value": m.value, "unit": m.unit}
    return shown | {"interval": interval, "reason": m.reason}


def _lesion(
    number: int,
    numbers: NDArray[np.uint16],
    box: tuple[slice, ...],
    drawn: Mapping[str, Diameters],
    listed: Mapping[tuple[str, str], Measurement],
    slices: Grid,
) -> dict[str, Any]:
    region = f"lesion {number}"
    measurable = listed.get(("measurable", region))
    readings = {}
    for reading, d in drawn.items():
        told = listed.get((f"longest_diameter_{reading}", region))
        readings[reading] = {
            "longest_mm": d.longest_mm,
            "perpendicular_mm": d.perpendicular_mm,
            "longest": slices.to_world(d.longest_ijk).tolist(),
            "perpendicular": slices.to_world(d.perpendicular_ijk).tolist(),
            "by_hand": told is not None and BY_HAND in told.method,
            "slice_axis": d.slice_axis,
            "slice_mm": slices.spacing_mm[d.slice_axis],
        }
    return {
        "number": number,
        "volume_ml": listed["volume", region].value,
        "centre": _centre(numbers, number, box),
        "measurable": None if measurable is None else measurable.value,
        "diameters": readings,
    }


def _centre(numbers: NDArray[np.uint16], number: int, box: tuple[slice, ...]) -> list[int]:
    """Return the voxel of a lesion that is nearest to its centre of mass."""
    places = np.argwhere(numbers[box] == number)
    nearest = int(np.linalg.norm(places - places.mean(axis=0), axis=1).argmin())
    return [int(v) + s.start for v, s in zip(places[nearest], box, strict=True)]
