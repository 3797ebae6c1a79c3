"""visits.csv: everything that is refused, with its row and a remedy, and without a name or a date in the message."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import InputError, VisitsError
from tumorboard.respond.table import read as table
from tumorboard.respond.table.read import Visits, read_visits

NEEDED = "patient_id,date,kind,lesion_id,compartment"
HEAD = f"{NEEDED},long_mm,perp_mm,volume_ml,clinical,slice_mm,dexamethasone_mg,rt_end,role\n"
BASE = "DOE,2021-03-04,baseline,"
ROW = f"{HEAD}{BASE}L1,ce,"


def course(*rows: str) -> str:
    """Return a table of one patient without sizes, from ``day,kind,lesion,compartment`` and further cells."""
    return HEAD + "".join(f"DOE,2021-{row}\n" for row in rows)


FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "empty file.*a row a lesion and visit"),
    "blank": (" \n\n", "empty file"),
    "header alone": (HEAD, "a header alone"),
    "header and blank rows": (HEAD + ",,,\n\n", "a header alone"),
    "Latin-1": (f"{ROW}12,,,schön\n".encode("latin-1"), "UTF-8"),
    "UTF-16": (HEAD.encode("utf-16"), "UTF-8"),
    "no header": (f"{BASE}L1,ce,12\n", "header"),
    "column twice": (f"{NEEDED},long_mm,long_mm\n", "twice"),
    "no patient": ("date,kind,lesion_id,compartment,long_mm\n", "no column 'patient_id'"),
    "no date": ("patient_id,kind,lesion_id,compartment,long_mm\n", "no column 'date'"),
    "no kind": ("patient_id,date,lesion_id,compartment,long_mm\n", "no column 'kind'"),
    "no lesion": ("patient_id,date,kind,compartment,long_mm\n", "no column 'lesion_id'"),
    "no compartment": ("patient_id,date,kind,lesion_id,long_mm\n", "no column 'compartment'"),
    "no size": (f"{NEEDED},perp_mm\n", "long_mm or volume_ml.*neither"),
    "misspelt column": (f"{NEEDED},long_mm,clincal\n", "'clincal'.*did you mean 'clinical'"),
    "unknown column": (f"{NEEDED},long_mm,zzzz\n", "'zzzz'.*delete the column"),
    "too many cells": (f"{ROW}12,,,,,,,,x\n", "row 2.*13 cells"),
}
UNITS: dict[str, tuple[str, str]] = {
    "long in cm": ("long_cm", "multiply by 10 and name it 'long_mm'"),
    "long in cm, in brackets": ("Long (cm)", "multiply by 10 and name it 'long_mm'"),
    "long in mm, in brackets": ("long [mm]", "name it 'long_mm'"),
    "perp in m": ("perp_m", "multiply by 1000 and name it 'perp_mm'"),
    "volume in mm3": ("volume_mm3", "divide by 1000 and name it 'volume_ml'"),
    "volume in cubed mm": ("volume_mm³", "divide by 1000 and name it 'volume_ml'"),
    "volume in microlitres": ("volume_µl", "divide by 1000 and name it 'volume_ml'"),
    "volume in litres": ("volume_l", "multiply by 1000 and name it 'volume_ml'"),
    "volume in cc": ("volume_cc", "1 cc is 1 mL.*name it 'volume_ml'"),
    "volume in cm3": ("volume_cm3", "1 cm3 is 1 mL.*name it 'volume_ml'"),
    "slices in cm": ("slice_cm", "multiply by 10 and name it 'slice_mm'"),
    "error in cm": ("diameter_sd_cm", "multiply by 10 and name it 'diameter_sd_mm'"),
    "error in mm3": ("volume_sd_mm3", "divide by 1000 and name it 'volume_sd_ml'"),
    "diameter": ("diameter_cm", "multiply by 10 and name it 'long_mm'"),
    "dose in g": ("dexamethasone_g", "multiply by 1000 and name it 'dexamethasone_mg'"),
}
CELLS: dict[str, tuple[str, str]] = {
    "no patient": (f"{HEAD},2021-03-04,baseline,L1,ce,12\n", "row 2.*patient_id.*an empty cell"),
    "no date": (f"{HEAD}DOE,,baseline,L1,ce,12\n", "row 2.*a date; got an empty cell"),
    "German date": (f"{HEAD}DOE,04.03.2021,baseline,L1,ce,12\n", "row 2.*date as YYYY-MM-DD"),
    "American date": (f"{HEAD}DOE,3/4/2021,baseline,L1,ce,12\n", "row 2.*date as YYYY-MM-DD"),
    "no such day": (f"{HEAD}DOE,2021-02-29,baseline,L1,ce,12\n", "row 2.*calendar"),
    "no such month": (f"{HEAD}DOE,2021-13-01,baseline,L1,ce,12\n", "row 2.*calendar"),
    "end of radiotherapy": (f"{ROW}12,,,,,,May 2021\n", "row 2.*rt_end as YYYY-MM-DD"),
    "no kind": (f"{HEAD}DOE,2021-03-04,,L1,ce,12\n", "row 2.*kind.*empty"),
    "misspelt kind": (f"{HEAD}DOE,2021-03-04,basline,L1,ce,12\n", "row 2.*'basline'.*did you mean 'baseline'"),
    "misspelt synonym": (f"{HEAD}DOE,2021-03-04,post-operativ,L1,ce,12\n", "row 2.*did you mean 'post_op'"),
    "unknown kind": (f"{HEAD}DOE,2021-03-04,DOE,L1,ce,12\n", "row 2.*kind as baseline, followup.*another word"),
    "unknown trend": (f"{ROW}12,,,KPS 90\n", "row 2.*clinical as stable, better, worse"),
    "ambiguous compartment": (f"{HEAD}{BASE}L1,FLAIR,12\n", "row 2.*compartment as ce, nce"),
    "no compartment": (f"{HEAD}{BASE}L1,,12\n", "row 2.*a compartment of each lesion"),
    "size without lesion": (f"{HEAD}{BASE},,12\n", "row 2.*a lesion_id where"),
    "vanished without lesion": (f"{HEAD}{BASE},ce,0\n", "row 2.*a lesion_id where"),
    "role without lesion": (f"{HEAD}{BASE},,,,,,,,,target\n", "row 2.*a lesion_id where"),
    "negative": (f"{ROW}-12\n", "row 2.*long_mm as a number of mm.*below 0"),
    "barely negative": (f"{ROW}-1e-300\n", "row 2.*below 0"),
    "NaN": (f"{ROW}NaN\n", "row 2.*not finite.*leave the cell empty"),
    "NA": (f"{ROW}12,n/a\n", "row 2.*perp_mm.*leave the cell empty"),
    "infinite": (f"{ROW}12,-inf\n", "row 2.*not finite"),
    "overflow": (f"{ROW}12,,1e999\n", "row 2.*volume_ml.*not finite"),
    "text": (f"{ROW}about 12\n", "row 2.*got text.*write digits"),
    "less than": (f"{ROW}<5\n", "row 2.*got text"),
    "two numbers": (f"{ROW}12 x 9\n", "row 2.*got text"),
    "other digits": (f"{ROW}١٢\n", "row 2.*got text"),
    "decimal comma among commas": (f'{ROW}"12,5"\n', "row 2.*a comma in it.*write a point"),
    "thousands": ((ROW + "1.234,5\n").replace(",", ";").replace("1.234;5", "1.234,5"), "row 2.*got text"),
    "mm in a cell": (f"{ROW}12 mm\n", "row 2.*with its unit.*do: write the number alone"),
    "mm in a cell, no space": (f"{ROW}12mm\n", "row 2.*with its unit.*do: write the number alone"),
    "cm in a cell": (f"{ROW}1.2 cm\n", "row 2.*long_mm.*with its unit.*multiply by 10 and write the number alone"),
    "cm and comma in a cell": (f'{ROW}"1,2 cm"\n', "row 2.*multiply by 10"),
    "mm3 in a cell": (f"{ROW}12,9,350 mm3\n", "row 2.*volume_ml.*divide by 1000 and write the number alone"),
    "mm^3 in a cell": (f"{ROW}12,9,350 mm^3\n", "row 2.*divide by 1000"),
    "mL in a cell": (f"{ROW}12,9,3.5 mL\n", "row 2.*do: write the number alone"),
    "mg in a cell": (f"{ROW}12,9,,,,4 mg/d\n", "row 2.*dexamethasone_mg.*with its unit.*do: write the number alone"),
    "unit of something else": (f"{ROW}12 mL\n", "row 2.*long_mm as a number of mm; got text"),
    "slices of nothing": (f"{ROW}12,,,,0\n", "row 2.*slice_mm.*got 0"),
    "diameter no head holds": (f"{ROW}300.1\n", "row 2.*long_mm as a number of mm up to 300"),
    "perpendicular no head holds": (f"{ROW}12,350\n", "row 2.*perp_mm as a number of mm up to 300"),
    "volume no head holds": (f"{ROW}12,9,2001\n", "row 2.*volume_ml as a number of mL up to 2000"),
    "absurd dose": (f"{ROW}12,,,,,201\n", "row 2.*dexamethasone_mg as a number of mg up to 200"),
    "volume in mm3 beside diameters": (f"{ROW}12,9,680\n", "row 2.*diameters in mm and a volume in mL.*over 300-fold"),
    "diameters in cm beside a volume": (f"{ROW}3.2,2.8,15\n", "row 2.*if the diameters are in cm, multiply by 10"),
    "diameters in micrometres": (f"{ROW}120,90,0.68\n", "row 2.*over 300-fold"),
}
COURSES: dict[str, tuple[str, str]] = {
    "two kinds on a day": (course("03-04,baseline,L1,ce", "03-04,followup,L2,ce"), "row 3.*one kind.*got two"),
    "lesion twice on a day": (course("03-04,baseline,L1,ce", "03-04,baseline,L1,ce"), "row 3.*a lesion once a day"),
    "contradicting facts": (
        course("03-04,baseline,L1,ce,,,,stable", "03-04,,L2,ce,,,,", "03-04,,L3,ce,,,,worse"),
        "row 4.*one clinical in the visit of a day",
    ),
    "contradicting doses": (
        course("03-04,baseline,L1,ce,,,,,,2", "03-04,,L2,ce,,,,,,4"),
        "row 3.*one dexamethasone_mg in the visit of a day",
    ),
    "no reference": (
        course("05-04,followup,L1,ce", "04-04,followup,L1,ce"),
        "row 3.*baseline, post_op or post_rt.*follow-ups alone",
    ),
    "follow-up before baseline": (
        course("03-04,baseline,L1,ce", "03-03,followup,L1,ce"),
        "row 3.*a follow-up dated before",
    ),
    "follow-up before surgery": (course("03-04,post_op,L1,ce", "03-03,followup,L1,ce"), "row 3.*dated before"),
    "second baseline": (
        course("03-04,baseline,L1,ce", "06-03,baseline,L1,ce", "05-03,followup,L1,ce", "07-03,followup,L1,ce"),
        "row 3.*a baseline after one.*the new course a patient_id of its own",
    ),
    "second baseline of several rows": (
        course("03-04,baseline,L1,ce", "05-03,followup,L1,ce", "07-03,baseline,L1,ce", "07-03,,L2,ce"),
        "row 4.*a baseline after one",
    ),
    "baseline after surgery and follow-up": (
        course("03-04,post_op,L1,ce", "05-03,followup,L1,ce", "06-03,baseline,L1,ce"),
        "row 4.*a baseline after one",
    ),
    "changed compartment": (
        course("03-04,baseline,L1,ce", "04-04,followup,L1,nce"),
        "row 3.*one compartment in the visits of a lesion",
    ),
    "changed role": (
        course("03-04,baseline,L1,ce,,,,,,,,target", "04-04,followup,L1,ce,,,,,,,,nontarget"),
        "row 3.*one role in the visits of a lesion",
    ),
    "mistyped year": (
        f"{HEAD}{BASE}L1,ce,12\nDOE,2201-05-03,followup,L1,ce,12\n",
        "rows 2 and 3.*at most 60 years.*check the years",
    ),
}
REFUSED = {
    **{f"file: {name}": case for name, case in FILES.items()},
    **{f"unit: {name}": (f"{NEEDED},{column}\n", told) for name, (column, told) in UNITS.items()},
    **{f"cell: {name}": case for name, case in CELLS.items()},
    **{f"course: {name}": case for name, case in COURSES.items()},
}


def read(folder: Path, content: str | bytes) -> Visits:
    path = folder / "visits.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_visits(path)


@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_row_and_remedy(tmp_path: Path, what: str):
    content, told = REFUSED[what]
    with pytest.raises(VisitsError, match=told) as caught:
        read(tmp_path, content)
    text = str(caught.value)
    assert text.startswith("visits")
    # nobody but the person who typed it knows which day was meant
    assert caught.value.remedy or "calendar" in text
    assert not any(word in text for word in ("DOE", "2021", "2201", "L1", str(tmp_path)))


def test_refusals_of_visits_end_in_exit_code_2():
    assert issubclass(VisitsError, InputError)
    assert VisitsError.exit_code == 2


@pytest.mark.parametrize(
    "cells",
    ["300,300", "300,200,2000,,50,200", "12,9,0.002", "12,9,178", "0,0,0,,,0", "12,,680", ",9,680"],
    ids=["head", "limits", "small for it", "large for it", "zeros", "one diameter", "the other diameter"],
)
def test_limits_themselves_are_read(tmp_path: Path, cells: str):
    assert read(tmp_path, f"{ROW}{cells}\n").courses


def test_the_longest_course_is_read(tmp_path: Path):
    assert read(tmp_path, f"{HEAD}{BASE}L1,ce,12\nDOE,2081-03-03,followup,L1,ce,12\n").courses
    with pytest.raises(VisitsError, match="at most 60 years"):
        read(tmp_path, f"{HEAD}{BASE}L1,ce,12\nDOE,2081-03-05,followup,L1,ce,12\n")


def test_a_second_patient_does_not_lend_the_first_its_baseline(tmp_path: Path):
    with pytest.raises(VisitsError, match=r"row 3.*follow-ups alone"):
        read(tmp_path, f"{HEAD}{BASE}L1,ce,12\nROE,2021-05-06,followup,L1,ce,12\n")


def test_refused_places(tmp_path: Path):
    for path in (tmp_path / "gone.csv", tmp_path):
        with pytest.raises(VisitsError):
            read_visits(path)


def test_a_huge_file_is_not_even_opened(tmp_path: Path):
    path = tmp_path / "visits.csv"
    with path.open("wb") as stream:
        stream.truncate(table.MAX_BYTES + 1)
    with pytest.raises(VisitsError, match="far too large"):
        read_visits(path)


def test_the_row_is_the_line_of_the_file(tmp_path: Path):
    with pytest.raises(VisitsError, match="visits row 6"):
        read(tmp_path, f"\n{ROW}12\n\n{BASE}L2,ce,12\n{BASE}L3,ce,x\n")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content: bytes):
    folder = tmp_path_factory.mktemp("visits")
    for start in (b"", HEAD.encode(), ROW.encode()):
        with contextlib.suppress(VisitsError):
            assert isinstance(read(folder, start + content), Visits)


@given(st.lists(st.text("0123456789.,-eE <>cm3mLnaif³"), min_size=8, max_size=8))
def test_any_cells_are_read_or_refused(tmp_path_factory, cells: list[str]):
    quoted = ",".join(f'"{cell}"' for cell in cells)
    with contextlib.suppress(VisitsError):
        assert read(tmp_path_factory.mktemp("visits"), f"{ROW}{quoted}\n").courses
