"""Tables of survival: what is read, what is refused, and what a message may hold."""

from __future__ import annotations

import datetime as dt

import pytest

from tumorboard.errors import InputError
from tumorboard.respond.table.outcomes import Outcome, read_outcomes

SECRET, DAY = "Mustermann-4711", "2021-02-30"


def read(folder, text):
    path = folder / "outcomes.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_outcomes(path)


def test_days_and_dates_are_read(tmp_path):
    table = read(tmp_path, "patient_id,survival_days,last_date,dead\nA,412.5,,1\nB,,2021-03-04,0\n")
    assert table.rows == (Outcome("A", 412.5, None, True), Outcome("B", None, dt.date(2021, 3, 4), False))
    assert table.warnings == ()


def test_survival_counts_from_the_start_of_progression():
    start = dt.date(2021, 1, 1)
    assert Outcome("A", 412.5, None, True).days_from(start) == 412.5
    assert Outcome("A", None, dt.date(2021, 3, 2), True).days_from(start) == 60
    assert Outcome("A", None, dt.date(2020, 12, 31), True).days_from(start) == -1


def test_spreadsheets_are_forgiven(tmp_path):
    table = read(tmp_path, "\ufeffPatient_ID;Dead;Survival_Days;\nA;1;10;\n;;;\n\nB; 0 ;20;\n")
    assert [(o.patient, o.days, o.dead) for o in table.rows] == [("A", 10, True), ("B", 20, False)]
    assert len(table.warnings) == 1
    assert "semicolons" in table.warnings[0]


def test_a_header_alone_is_told(tmp_path):
    table = read(tmp_path, "patient_id,survival_days,dead\n")
    assert (table.rows, table.warnings) == ((), ("the table of outcomes holds a header and no rows",))


HEAD = "patient_id,survival_days,last_date,dead\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        (b"\xff\xfe\x00A", "UTF-8"),
        ("patient_id,survival_days\nA,1\n", "no column 'dead'"),
        ("survival_days,dead\n1,1\n", "no column 'patient_id'"),
        ("patient_id,dead\nA,1\n", "'survival_days' or 'last_date'"),
        ("patient_id,survival_day,dead\nA,1,1\n", "did you mean 'survival_days'"),
        ("patient_id,survival_days,survival_days,dead\nA,1,1,1\n", "a column twice"),
        (f"{HEAD}{SECRET},,,1\n", "row 2: expected survival_days or last_date; got none"),
        (f"{HEAD}{SECRET},10,2021-03-04,1\n", "row 2: expected survival_days or last_date; got both"),
        (f"{HEAD}A,1,,1\n{SECRET},{DAY},,1\n", "row 3: expected survival_days as a number"),
        (f"{HEAD}{SECRET},12 months,,1\n", "months are not days"),
        (f"{HEAD}{SECRET},-3,,1\n", "number from 0"),
        (f"{HEAD}{SECRET},nan,,1\n", "number from 0"),
        (f'{HEAD}{SECRET},"3,5",,1\n', "number from 0"),
        (f"{HEAD}{SECRET},,{DAY},1\n", "row 2: expected a day of the calendar as last_date"),
        (f"{HEAD}{SECRET},,04.03.2021,1\n", "last_date as YYYY-MM-DD"),
        (f"{HEAD}{SECRET},10,,\n", "dead as 0 or 1; got an empty cell"),
        (f"{HEAD}{SECRET},10,,yes\n", "dead as 0 or 1; got another word"),
        (f"{HEAD},10,,1\n", "a patient_id; got an empty cell"),
        (f"{HEAD}{SECRET},10,,1\n{SECRET},10,,1\n", "row 3: expected one row a patient"),
        (f"{HEAD}{SECRET},10,,1,x\n", "4 cells"),
    ],
)
def test_what_cannot_be_read_is_refused_without_names_and_dates(tmp_path, text, words):
    with pytest.raises(InputError) as refused:
        read(tmp_path, text)
    message = str(refused.value)
    assert words in message
    assert message.startswith("outcomes")
    for hidden in (SECRET, DAY, "2021", "Mustermann", "12 months", str(tmp_path)):
        assert hidden not in message
    assert refused.value.exit_code == 2


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(InputError, match="outcomes"):
            read_outcomes(path)
