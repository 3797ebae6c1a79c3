"""A number has a value with method and voxels, or a reason; and the schema says so."""

from __future__ import annotations

import json

import jsonschema
import pytest
from pydantic import ValidationError

from tumorboard.measurement import Diameters, Measurement, Source, StudyMeasurements, schema

SOURCE = Source(file="ses-01/seg/x_dseg.nii.gz", labels=(3,), voxels=10, box_ijk=((0, 0, 0), (4, 4, 4)))
WHOLE = {
    "name": "volume",
    "region": "ET",
    "value": 1.5,
    "unit": "mL",
    "method": "voxel count x volume",
    "source": SOURCE,
}


def study(*measurements):
    return StudyMeasurements(
        patient="A1", study="ses-01", sequences=("T1C",), segmenter="fuzzy", measurements=measurements
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": None}, "has a value, or status not_assessable"),
        ({"status": "not_assessable", "reason": "T1C is missing"}, "has a value, or status not_assessable"),
        ({"value": None, "status": "not_assessable"}, "says why"),
        ({"source": None}, "names its method and its source"),
        ({"method": ""}, "names its method and its source"),
        ({"quality": "guess"}, "quality"),
        ({"status": "zero"}, "status"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_number_without_what_makes_it_believable_is_refused(change, words):
    with pytest.raises(ValidationError, match=words):
        Measurement(**(WHOLE | change))


@pytest.mark.parametrize("value", [0.0, 0, "left", -3.5])
def test_zero_and_words_are_values(value):
    assert Measurement(**(WHOLE | {"value": value})).value == value


def test_what_is_missing_is_null_with_a_reason():
    missing = Measurement.missing("volume", "ET", "mL", "T1C is missing")
    assert (missing.value, missing.status, missing.reason) == (None, "not_assessable", "T1C is missing")
    with pytest.raises(ValidationError, match="says why"):
        Measurement.missing("volume", "ET", "mL", "")


def test_measurements_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Measurement(**WHOLE).value = 2.0


def test_negative_voxel_counts_are_refused():
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Source(file="x", voxels=-1)


def test_a_study_is_found_again_after_json_and_fits_its_schema():
    measured = study(Measurement(**WHOLE), Measurement.missing("volume", "RC", "mL", "not looked for"))
    text = measured.model_dump_json()
    assert StudyMeasurements.model_validate_json(text) == measured
    jsonschema.validate(json.loads(text), schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(text) | {"schema_version": "9"}, schema())


def test_one_measurement_is_found_by_name_and_region():
    measured = study(Measurement(**WHOLE), Measurement(**(WHOLE | {"region": "WT", "value": 9.0})))
    assert measured.get("volume", "WT").value == 9.0
    with pytest.raises(KeyError, match=r"volume.*TC"):
        measured.get("volume", "TC")


def test_the_product_of_diameters_is_their_product():
    ends = ((0, 0, 0), (3, 4, 0))
    pair = Diameters(
        longest_mm=20.0,
        perpendicular_mm=12.5,
        slice_index=3,
        slice_axis=2,
        longest_ijk=ends,
        perpendicular_ijk=ends,
        edge_mm=(1.0, 1.0),
    )
    assert pair.product_mm2 == 250.0
