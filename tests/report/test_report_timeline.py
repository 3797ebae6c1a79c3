"""The course: two studies at least, changes against first and nadir, no line through a missing value."""

from __future__ import annotations

import datetime as dt

from tumorboard.measurement import Measurement, Source, StudyMeasurements
from tumorboard.report.timeline import NO_CATEGORY, Point, timeline
from tumorboard.study import Event, EventKind

SOURCE = Source(file="dseg.nii.gz")
EVENTS = (
    Event(dt.date(2020, 12, 1), EventKind.SURGERY),
    Event(dt.date(2021, 2, 1), EventKind.RADIOTHERAPY, dt.date(2021, 3, 15), "60", "Gy"),
)


def point(number: int, whole: float, core: float | None, dated: bool = True, origin: str = "fuzzy") -> Point:
    def volume(region: str, value: float | None) -> Measurement:
        if value is None:
            return Measurement.missing("volume", region, "mL", "T1C is missing")
        return Measurement(name="volume", region=region, value=value, unit="mL", method="counted", source=SOURCE)

    name = f"ses-{number:02d}"
    measurements = (volume("WT", whole), volume("TC", core), volume("ET", core))
    of = StudyMeasurements(patient="p", study=name, sequences=("T1C",), segmenter="x", measurements=measurements)
    return Point(name, dt.date(2021, number, 1) if dated else None, of, origin)


def test_one_study_has_no_timeline() -> None:
    assert timeline([point(1, 10, 5)], EVENTS) is None
    assert timeline([], ()) is None


def test_changes_are_against_the_first_and_the_smallest_earlier() -> None:
    made = timeline([point(1, 100, 10), point(2, 40, 4), point(3, 60, 8)], EVENTS)
    assert made is not None
    column = made.table.header.index("Whole tumour")
    assert [r[column] for r in made.table.rows] == ["100.0 mL", "40.0 mL (−60 %; −60 %)", "60.0 mL (−40 %; +50 %)"]
    assert NO_CATEGORY in made.picture.caption
    assert made.notes == (NO_CATEGORY,)


def test_missing_volumes_are_gaps_and_sentences() -> None:
    made = timeline([point(1, 50, None), point(2, 40, 4), point(3, 30, None)], EVENTS)
    assert made is not None
    column = made.table.header.index("Enhancing tumour")
    cells = [r[column] for r in made.table.rows]
    assert cells[0] == cells[2] == "not assessable: T1C is missing"
    assert cells[1] == "4.0 mL"
    assert not any(cell == "0 mL" for cell in cells)


def test_a_region_missing_in_all_studies_is_a_note() -> None:
    made = timeline([point(1, 50, None), point(2, 40, None)], ())
    assert made is not None
    assert "Tumour core" not in made.table.header
    assert "Tumour core: not assessable: T1C is missing (in all studies)." in made.table.notes


def test_undated_studies_are_numbered_and_events_not_drawn() -> None:
    made = timeline([point(1, 50, 5), point(2, 40, 4, dated=False)], EVENTS)
    assert made is not None
    assert any("no date" in note for note in made.notes)
    assert any("not drawn" in note for note in made.notes)
    dated = timeline([point(1, 50, 5), point(2, 40, 4)], EVENTS)
    assert dated is not None
    assert dated.picture.height_px > made.picture.height_px


def test_studies_on_one_day_and_all_zero_are_drawn() -> None:
    same = point(1, 0.0, 0.0)
    made = timeline([same, same], ())
    assert made is not None
    assert made.table.rows[1][2] == "0 mL (no change (0 mL before); no change (0 mL before))"


def test_outlines_of_different_origin_are_pointed_out() -> None:
    made = timeline([point(1, 50, 5), point(2, 40, 4, origin="own masks")], ())
    assert made is not None
    assert any("change of method" in note for note in made.notes)
