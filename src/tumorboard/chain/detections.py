"""What a detector found in a study, as files: a number map, a table, a picture.

Why it exists: a reader wants to look at each lesion; a spreadsheet and a program want its place and its score. What
lies below the operating point is in the JSON too, marked as not reported, so that nobody has to run it again.
"""

from __future__ import annotations

import base64
import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from tumorboard.detect import Detected, Detection
from tumorboard.io.images import write_volume
from tumorboard.report.lesion_strip import lesion_strip
from tumorboard.store import CaseFolder, write_atomic, write_json
from tumorboard.study import Study

COLUMNS = ("number", "score", "x_mm", "y_mm", "z_mm", "volume_ml", "diameter_mm")


def save_detections(folder: CaseFolder, study: Study, detected: Detected) -> list[Path]:
    """Write what was found in a study and return the files.

    Parameters
    ----------
    folder : CaseFolder
        Of the patient.
    study : Study
        Prepared.
    detected : Detected
        By a method.

    Returns
    -------
    list of Path
        ``seg/*_detections`` as NIfTI (numbers of what is reported, uint16), JSON (all), CSV (reported) and, where
        something is reported, a picture.
    """
    kept = detected.reported()
    numbers = np.isin(detected.numbers.data, [d.number for d in kept]) * detected.numbers.data
    written = [folder.seg(study.id, f"detections.{ending}") for ending in ("nii.gz", "json", "csv")]
    write_volume(detected.numbers.with_data(numbers.astype(np.uint16)), written[0])
    write_json(written[1], told_of(detected))
    write_atomic(written[2], _csv(kept))
    picture = lesion_strip(study, detected)
    if picture is not None:
        written.append(folder.seg(study.id, "detections.jpg"))
        write_atomic(written[-1], base64.b64decode(picture.data))
    return written


def told_of(detected: Detected) -> dict[str, Any]:
    """Return everything that was found, as JSON: places in RAS mm, volumes in mL, diameters in mm."""
    shown = {d.number for d in detected.reported()}
    return {
        "method": detected.card.id,
        "version": detected.card.version,
        "limits": detected.card.limits,
        "validity": detected.validity.score,
        "warnings": list(detected.validity.reasons),
        "not_assessable": detected.not_assessable,
        "thresholds_by_size": {"below 3 mm": detected.thresholds[0], "3 to 10 mm": detected.thresholds[1]}
        | {"from 10 mm": detected.thresholds[2]},
        "lesions": [_row(d) | {"reported": d.number in shown} for d in detected.found],
    }


def _row(d: Detection) -> dict[str, Any]:
    x, y, z = (round(v, 2) for v in d.centre_mm)
    sizes = (round(d.score, 4), x, y, z, round(d.volume_ml, 4), round(d.diameter_mm, 2))
    return dict(zip(COLUMNS, (d.number, *sizes), strict=True))


def _csv(kept: tuple[Detection, ...]) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(_row(d) for d in kept)
    return out.getvalue()
