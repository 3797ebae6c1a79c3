"""An operation in a table: nothing lost, nothing rounded into a better category, every gap with its reason."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.measurement import Measurement, Source
from tumorboard.report.surgery_table import AFTER, BEFORE, CATEGORY, CHANGE, LINES, operation_section
from tumorboard.report.words import NAME_WORDS, REGION_WORDS
from tumorboard.respond.surgery import Surgery, assess_surgery
from tumorboard.study import Event, EventKind

DAY = dt.date(2001, 3, 10)
STUDIES = {"ses-01": dt.date(2001, 3, 6), "ses-02": dt.date(2001, 3, 11)}
LATE = "too late: the study was made 66 days after the operation"
COLUMNS = {BEFORE: 1, AFTER: 2, CHANGE: 3, CATEGORY: 4}


def ok(name, region, value, unit, **more):
    told = {"method": f"how {name} is made", "source": Source(file="ses-02/seg/dseg.nii.gz")} | more
    return Measurement(name=name, region=region, value=value, unit=unit, **told)


def gone(name, region, reason, unit="mL"):
    return Measurement.missing(name, region, unit, reason)


KNOWN = (
    ok("volume_before", "ET", 25.04, "mL", interval=(21.488, 25.872)),
    ok("residual_volume", "ET", 0.3, "mL", interval=(0.0, 0.5)),
    ok("extent_of_resection", "ET", 98.8, "%", interval=(97.0, 100.0)),
    ok("resection_category", "ET", "near total", "1"),
    ok("rano_resect_class", "study", 2, "1"),
    ok("volume_after", "RC", 12.3, "mL"),
    ok("volume_change", "brain", 1.5352, "%"),
    ok("midline_shift_change", "brain", -2.4, "mm", quality="proxy"),
    ok("days_before", "study", 4, "d"),
    ok("days_after", "study", 1, "d"),
)


def surgery(*measurements, kind="operation", number=1, before="ses-01", after="ses-02", cautions=()):
    return Surgery(
        number=number, kind=kind, before=before, after=after, measurements=measurements, cautions=tuple(cautions)
    )


def shown(*measurements, **more):
    return operation_section(surgery(*measurements, **more), DAY, STUDIES).table


def cell(table, line, column):
    (row,) = [r for r in table.rows if r[0].startswith(line)]
    return row[COLUMNS[column]]


def test_what_was_measured_stands_in_its_line_and_column_with_unit_and_interval():
    table = shown(*KNOWN)
    assert cell(table, "Enhancing tumour", BEFORE) == "25.0 mL (21.5 to 25.9)"
    assert cell(table, "Enhancing tumour", AFTER) == "0.30 mL (0 to 0.50)"
    assert cell(table, "Enhancing tumour", CHANGE) == "98.8 % (97.0 to 100.0)"
    assert cell(table, "Enhancing tumour", CATEGORY) == "near total"
    assert cell(table, "RANO resect class", CATEGORY) == "class 2"
    assert cell(table, "Resection cavity", AFTER) == "12.3 mL"
    assert cell(table, "Brain", CHANGE) == "+1.5 %"
    assert cell(table, "Midline shift", CHANGE) == "−2.4 mm proxy"


def test_the_title_tells_when():
    assert shown(*KNOWN).title == (
        "Operation 1, 2001-03-10: ses-01 of 2001-03-06 (4 d before) and ses-02 of 2001-03-11 (1 d after)"
    )
    assert shown(*KNOWN, kind="biopsy", after="").title.endswith("(4 d before) and no study after")
    undated = operation_section(surgery(*KNOWN[:-2]), None, {}).table
    assert undated.title == "Operation 1: ses-01 and ses-02"


@given(st.floats(-50.0, 100.0))
def test_an_extent_is_never_rounded_up(percent):
    table = shown(ok("extent_of_resection", "ET", percent, "%"))
    printed = float(cell(table, "Enhancing tumour", CHANGE).removesuffix(" %").replace("−", "-"))
    assert printed <= percent + 1e-8
    assert percent - printed < 0.1 + 1e-8


def test_a_gap_has_a_letter_and_each_reason_stands_once():
    table = shown(
        KNOWN[0],
        gone("residual_volume", "ET", LATE),
        gone("extent_of_resection", "ET", LATE, "%"),
        gone("blood_volume", "blood", LATE),
        ok("volume_before", "brain", 1500.0, "mL"),
        gone("volume_after", "brain", "the brain was not outlined"),
    )
    assert cell(table, "Enhancing tumour", AFTER) == cell(table, "Enhancing tumour", CHANGE) == "not assessable (a)"
    letter = cell(table, "Brain", AFTER).removeprefix("not assessable ")
    told = [note for note in table.notes if note.startswith("Not assessable")]
    assert sum(LATE in note for note in told) == 1
    assert f"Not assessable (a): Fresh blood: {LATE}." in told
    assert any(note.startswith(f"Not assessable {letter}: the brain was not outlined") for note in told)
    assert not any(row[0] == "Fresh blood" for row in table.rows)


def test_a_number_that_is_missing_is_never_zero():
    made = assess_surgery(None, None, Event(DAY, EventKind.SURGERY, value="biopsy"))
    table = operation_section(made, DAY, {}).table
    assert table.title == "Biopsy 1, 2001-03-10: no study before and no study after"
    cells = [c for row in table.rows for c in row[1:] if c]
    assert {c for c in cells if not c.startswith("not assessable (")} == {"biopsy", "class 4"}
    letters = {c[-2] for c in cells if c.startswith("not assessable (")}
    told = [re.match(r"Not assessable \((.)\)", note) for note in table.notes]
    assert letters == {found[1] for found in told if found}


def test_no_measurement_of_an_operation_is_left_out_but_single_tissues_and_days():
    made = assess_surgery(None, None, None)
    lines = {(name, line.region) for line in LINES for name in (line.before, line.after, line.change, line.category)}
    left = {(m.name, m.region) for m in made.measurements} - lines
    assert left == {
        *((name, region) for name in ("volume_before", "residual_volume") for region in ("NETC", "SNFH")),
        ("days_before", "study"),
        ("days_after", "study"),
    }
    for m in made.measurements:
        assert m.name in NAME_WORDS, m.name
        assert m.region in {*REGION_WORDS, "study"}, m.region


def test_cautions_come_first_and_methods_name_their_source():
    table = shown(*KNOWN, cautions=["no cavity was outlined after the operation"])
    assert table.notes[0] == "Caution: no cavity was outlined after the operation."
    assert "RANO resect class: how rano_resect_class is made" in table.notes
    assert "Enhancing tumour: extent of resection: how extent_of_resection is made" in table.notes
    both = [ok("resection_category", region, "biopsy", "1", method="As told.") for region in ("ET", "WT")]
    assert sum("As told." in note for note in shown(*both).notes) == 1


@pytest.mark.parametrize("row", range(len(LINES)))
def test_every_line_has_a_title_of_its_own(row):
    assert [line.title for line in LINES].count(LINES[row].title) == 1
