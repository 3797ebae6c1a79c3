"""measurements.csv: columns, all digits, empty cells with a reason."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from tumorboard.measurement import Measurement, Source, StudyMeasurements
from tumorboard.report.csv_table import measurements_csv

COLUMNS = "study,region,name,value,unit,lower,upper,quality,status,reason,method,source_file,voxels"


def table(*measurements: Measurement) -> list[dict[str, str]]:
    of = StudyMeasurements(patient="p", study="ses-01", sequences=(), segmenter="x", measurements=measurements)
    text = measurements_csv(of)
    assert text.splitlines()[0] == COLUMNS
    return list(csv.DictReader(io.StringIO(text, newline="")))


@given(st.floats(0, 1e9), st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1))
def test_values_and_texts_survive(value: float, method: str) -> None:
    source = Source(file="seg/dseg.nii.gz", voxels=12)
    made = Measurement(
        name="volume", region="ET", value=value, unit="mL", method=method, source=source, interval=(0.5, 2.5)
    )
    (line,) = table(made)
    assert float(line["value"]) == value
    assert line["method"] == method
    assert (line["lower"], line["upper"], line["voxels"], line["source_file"]) == (
        "0.5",
        "2.5",
        "12",
        "seg/dseg.nii.gz",
    )


def test_a_missing_value_is_empty_with_its_reason() -> None:
    (line,) = table(Measurement.missing("volume", "ET", "mL", "T1C is missing, so nothing"))
    assert line["value"] == ""
    assert line["status"] == "not_assessable"
    assert line["reason"] == "T1C is missing, so nothing"
    assert line["voxels"] == ""
