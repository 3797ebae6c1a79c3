"""Words, tables, facts: a missing number is a sentence, and no measurement is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tumorboard.measure.signs.features import FEATURES
from tumorboard.measurement import Measurement, Source, StudyMeasurements
from tumorboard.report.facts import change_text, key_facts
from tumorboard.report.tables import MAX_LESIONS, lesion_matrix, study_tables
from tumorboard.report.words import note_text, number, row

SOURCE = Source(file="dseg.nii.gz")


def ok(name: str, region: str, value: Any, unit: str = "1", **more: Any) -> Measurement:
    return Measurement(name=name, region=region, value=value, unit=unit, method="counted", source=SOURCE, **more)


def missing(name: str, region: str, unit: str = "mL") -> Measurement:
    return Measurement.missing(name, region, unit, "T1C is missing")


def study(*measurements: Measurement, name: str = "ses-01") -> StudyMeasurements:
    return StudyMeasurements(
        patient="p01", study=name, sequences=("FLAIR",), segmenter="fuzzy", measurements=measurements
    )


@example(0.5, "mm2")
@given(st.floats(1e-9, 1e6), st.sampled_from(["mL", "mm", "mm2", "%", "1"]))
def test_a_value_above_zero_is_never_printed_as_zero(value: float, unit: str) -> None:
    assert number(value, unit).strip("<0. ") or number(value, unit).startswith("<")


def test_zero_and_missing_differ() -> None:
    assert row(ok("volume", "RC", 0.0, "mL")).value == "0"
    gone = row(missing("volume", "ET"))
    assert gone.value == "not assessable: T1C is missing"
    assert (gone.unit, gone.assessable) == ("", False)


def test_counts_have_no_decimals_and_words_stay() -> None:
    assert row(ok("lesion_count", "WT", 3)).value == "3"
    assert row(ok("lobe", "WT", "left frontal")).value == "left frontal"


def test_quality_and_interval_stand_beside_the_value() -> None:
    shift = ok("midline_shift", "brain", 3.41, "mm", quality="proxy", interval=(2.0, 5.0))
    assert note_text(shift) == "proxy; interval 2.0 to 5.0 mm"


def test_no_measurement_is_lost_between_the_tables() -> None:
    names = [("volume", "ET"), ("volume", "rare region"), ("never_heard_of", "WT"), ("new_thing", "lesion 2")]
    measurements = study(*(ok(n, r, 1.5, "mL") for n, r in names), ok("volume", "lesion 1", 2.0, "mL"))
    rows = [r.label for table in study_tables(measurements) for r in table.rows]
    assert len(rows) == len(names)
    lesions = lesion_matrix(measurements)
    assert lesions is not None
    assert [r[0] for r in lesions.rows] == ["1", "2"]


def test_signs_that_were_not_answered_share_one_line() -> None:
    told = [ok(FEATURES[0].name, "WT", "frontal", quality="coarse"), ok("t2flair_mismatch", "WT", "absent")]
    left = [missing(f.name, "WT", f.unit) for f in FEATURES[1:]]
    left += [missing(f"t2flair_mismatch_{part}", "WT", "%") for part in ("share", "rim")]
    (table,) = study_tables(study(*told, *left))
    assert [r.label for r in table.rows] == ["F1 location of the centre", "T2-FLAIR mismatch", "Left to a reader"]
    assert table.rows[0].note == "coarse"
    assert table.rows[-1].value == ", ".join([*(f.code for f in FEATURES[1:]), "T2-FLAIR mismatch"])


def test_a_column_that_is_missing_throughout_becomes_a_note() -> None:
    names = ("longest_diameter_ce_only", "perpendicular_diameter_ce_only")
    matrix = lesion_matrix(study(ok("volume", "lesion 1", 2.0, "mL"), *(missing(n, "lesion 1", "mm") for n in names)))
    assert matrix is not None
    assert "Enhancing alone" not in matrix.header
    assert "Enhancing alone: not assessable: T1C is missing." in matrix.notes


def test_many_lesions_are_cut_and_the_rest_counted() -> None:
    matrix = lesion_matrix(study(*(ok("volume", f"lesion {n}", 1.0, "mL") for n in range(1, 41))))
    assert matrix is not None
    assert len(matrix.rows) == MAX_LESIONS
    assert f"{40 - MAX_LESIONS} smaller lesions" in matrix.notes[-1]
    assert lesion_matrix(study()) is None


def test_facts_of_an_empty_list_are_all_not_assessable() -> None:
    facts = key_facts([study()])
    assert 5 <= len(facts) <= 8
    assert not any(f.assessable for f in facts)
    assert all(f.value.startswith("not assessable: ") for f in facts)


def test_the_largest_lesion_is_the_one_with_the_largest_product() -> None:
    parts = []
    for lesion, (long, across) in {1: (30.0, 10.0), 2: (25.0, 20.0)}.items():
        region = f"lesion {lesion}"
        parts += [
            ok("longest_diameter_ce_only", region, long, "mm"),
            ok("perpendicular_diameter_ce_only", region, across, "mm"),
            ok("diameter_product_ce_only", region, long * across, "mm2"),
        ]
    fact = next(f for f in key_facts([study(*parts)]) if f.label == "Largest diameters")
    assert (fact.value, fact.unit) == ("25.0 × 20.0", "mm")
    assert "lesion 2" in fact.note
    assert "500 mm²" in fact.note


@pytest.mark.parametrize(
    ("before", "now", "text"),
    [
        (10.0, 15.0, "+50 %"),
        (10.0, 5.0, "−50 %"),
        (0.0, 4.0, "new (0 mL before)"),
        (8.0, 8.0, "±0 %"),
        (5.0, 0.0, "−100 %"),
    ],
)
def test_changes(before: float, now: float, text: str) -> None:
    assert change_text(ok("volume", "ET", now, "mL"), ok("volume", "ET", before, "mL")) == text
    assert change_text(missing("volume", "ET"), ok("volume", "ET", before, "mL")) == "not assessable"
