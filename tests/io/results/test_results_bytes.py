"""The same input gives the same bytes, whichever process writes them."""

import json
import os
import subprocess
import sys

import pytest

IN_A_PROCESS = """
import datetime as dt, hashlib, json, sys
from pathlib import Path
import numpy as np
from tumorboard.io.capture import capture
from tumorboard.io.dicom.maker import Maker
from tumorboard.io.dicom.templates import to_bytes
from tumorboard.io.pdf import encapsulated_pdf
from tumorboard.io.seg import segmentation
from tumorboard.io.sr import measurement_report
from tumorboard.labels import LabelMap
from tumorboard.measurement import Measurement, Source, StudyMeasurements
from tumorboard.series import Person, Plane, Series, SeriesTags

given = json.loads(sys.argv[1])
planes = tuple(Plane(Path(p.pop("path")), **p) for p in given["planes"])
series = Series("1.2.3.4", "1.2.3.4.5", 4, planes, SeriesTags(modality="MR"), Person())
maker = Maker("tumorboard", "0.1", "tumorboard fuzzy", "1.0", False, "ab12", dt.datetime(2026, 1, 2, 3, 4, 5))
labels = LabelMap.of(np.random.default_rng(1).integers(0, 5, given["shape"]).astype(np.uint8), given["affine"])
at = Source(file="a", points_ijk=((1, 2, 3), (4, 5, 3)))
numbers = (
    Measurement(name="longest_diameter_ce_only", region="lesion 1", value=0.1, unit="mm", method="m", source=at),
    Measurement(name="lobe", region="WT", value="frontal", unit="1", method="m", source=at),
    Measurement.missing("volume", "RC", "mL", "not looked for"),
)
listed = StudyMeasurements(patient="P", study="s", sequences=(), segmenter="f", measurements=numbers)
seg = segmentation(labels, series, maker)
made = [
    seg,
    segmentation(labels, series, maker, "labelmap"),
    measurement_report(listed, series, (series,), seg, maker, {"a": labels.grid}),
    encapsulated_pdf(b"%PDF-1.7", series, "Report", maker),
    capture(np.zeros((90, 400, 3), np.uint8), series, "Picture", 1, maker),
]
print([hashlib.sha256(to_bytes(each)).hexdigest() for each in made])
"""


def test_two_processes_write_the_same_bytes(make_series, grid_of):
    series = make_series("oblique")
    planes = [{**vars(p), "path": str(p.path)} for p in series.planes]
    given = json.dumps({"planes": planes, "shape": grid_of(series).shape, "affine": grid_of(series).affine.tolist()})
    told = {
        subprocess.run(
            [sys.executable, "-c", IN_A_PROCESS, given],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


@pytest.mark.parametrize("room", ["seg", "sr", "pdf", "capture", "codes", "dicom.maker", "dicom.templates"])
def test_importing_a_writer_loads_no_dicom_library(room):
    told = (
        f"import sys, tumorboard.io.{room}; print({{'pydicom', 'highdicom', 'matplotlib', 'PIL'}} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "set()"
