"""events.csv: what is read, what is refused with the row and a remedy, and whose event it is."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import EventsError
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.intake.events import assign, read_events, read_table
from tumorboard.study import Event, EventKind

GOOD = """patient_id,date,end_date,event,value,unit,detail
P1,2021-03-04,,surgery,,,gross total resection
P1,2021-04-01,2021-05-13,radiotherapy,60,Gy,"30 fractions, photons"
p2,2021-02-01,,Steroid,4,mg,dexamethasone
"""


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "events.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_table_is_read(tmp_path: Path):
    rows = read_events(write(tmp_path, GOOD))
    assert [who for who, _ in rows] == ["P1", "P1", "p2"]
    assert rows[1][1] == Event(
        dt.date(2021, 4, 1), EventKind.RADIOTHERAPY, dt.date(2021, 5, 13), "60", "Gy", "30 fractions, photons"
    )
    assert rows[2][1].kind is EventKind.STEROID


@pytest.mark.parametrize(
    "content",
    [
        "date,event\n2021-03-04,surgery\n",
        "\ufeffdate,event\r\n2021-03-04,surgery\r\n",
        "\n Date , EVENT ,\n\n2021-03-04, surgery ,\n,,\n",
        "event,detail,date\nsurgery,,2021-03-04\n",
    ],
)
def test_tolerated_forms(tmp_path: Path, content: str):
    table = read_table(write(tmp_path, content))
    assert [(e.date, e.kind) for _, e in table.rows] == [(dt.date(2021, 3, 4), EventKind.SURGERY)]
    assert table.warnings == ()


@pytest.mark.parametrize(("separator", "told"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_separators_are_tolerated_with_a_warning(tmp_path: Path, separator: str, told: str):
    table = read_table(write(tmp_path, GOOD.replace(", ", "+").replace(",", separator)))
    assert len(table.rows) == 3
    assert told in table.warnings[0]


def test_header_alone_is_warned_of(tmp_path: Path):
    assert "no rows" in read_table(write(tmp_path, "date,event\n")).warnings[0]


HEAD = "patient_id,date,end_date,event\n"
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "unknown column": ("patient_id,dat,event\n", "'dat'.*did you mean 'date'"),
    "unknown column far from any": ("date,event,zzzzzz\n", "'zzzzzz'.*delete the column"),
    "column twice": ("date,date,event\n", "twice"),
    "no date column": ("patient_id,event\nDOE,surgery\n", "no column 'date'"),
    "no event column": ("patient_id,date\nDOE,2021-03-04\n", "no column 'event'"),
    "no header": ("DOE,2021-03-04,surgery\n", "header"),
    "empty": ("", "empty file"),
    "blank": (" \n\n", "empty file"),
    "Latin-1": ("date,event,detail\n2021-03-04,surgery,Schädel\n".encode("latin-1"), "UTF-8"),
    "UTF-16": ("date,event\n".encode("utf-16"), "UTF-8"),
    "no day": (HEAD + "DOE,,,surgery\n", "row 2.*an empty cell"),
    "German date": (HEAD + "DOE,04.03.2021,,surgery\n", "row 2.*YYYY-MM-DD"),
    "compact date": (HEAD + "DOE,20210304,,surgery\n", "row 2.*YYYY-MM-DD"),
    "no such day": (HEAD + "DOE,2021-02-30,,surgery\n", "row 2.*calendar"),
    "end before start": (HEAD + "DOE,2021-03-04,2021-03-03,surgery\n", "row 2.*end_date"),
    "misspelt event": (HEAD + "P,2021-03-04,,surgery\nDOE,2021-03-04,,surgry\n", "row 3.*'surgery'"),
    "unknown event": (HEAD + "DOE,2021-03-04,,DOE\n", "row 2.*another word"),
    "no event": (HEAD + "DOE,2021-03-04,,\n", "row 2.*an empty cell"),
    "too many cells": (HEAD + "DOE,2021-03-04,,surgery,x\n", "row 2.*4 cells"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_row_and_remedy(tmp_path: Path, what: str):
    content, told = REFUSED[what]
    with pytest.raises(EventsError, match=told) as caught:
        read_events(write(tmp_path, content))
    text = str(caught.value)
    assert not any(word in text for word in ("DOE", "2021", str(tmp_path)))


def test_refused_places(tmp_path: Path):
    for path in (tmp_path / "gone.csv", tmp_path):
        with pytest.raises(EventsError):
            read_events(path)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content: bytes):
    path = write(tmp_path_factory.mktemp("events"), content)
    with contextlib.suppress(EventsError):
        assert isinstance(read_events(path), tuple)


def event(day: int) -> Event:
    return Event(dt.date(2021, 1, day), EventKind.KPS, value="90")


def test_events_find_their_patient_under_any_of_its_names():
    rows = [("P1", event(3)), ("sub-p1", event(1)), ("brats-gli-00001", event(2)), ("stranger", event(4))]
    events, told = assign(rows, {"P1": ["BraTS-GLI-00001"], "P2": []})
    assert [e.date.day for e in events["P1"]] == [1, 2, 3]
    assert events["P2"] == ()
    assert told == ("1 rows of the table of events are for patients that are not in the input",)


def test_rows_without_patient_belong_to_the_only_one():
    assert assign([("", event(1))], {"P1": []})[0]["P1"] == (event(1),)
    with pytest.raises(EventsError, match="without patient_id"):
        assign([("", event(1))], {"P1": [], "P2": []})


def test_events_of_nobody_here_or_of_two_are_refused():
    with pytest.raises(EventsError, match="all for other patients"):
        assign([("DOE", event(1))], {"P1": []})
    with pytest.raises(EventsError, match="two of them share"):
        assign([("scans", event(1))], {"P1": ["scans"], "P2": ["scans"]})


def test_events_reach_the_patient(tmp_path: Path):
    folder = tmp_path / "DOE_JOHN"
    folder.mkdir()
    (folder / "T1.nii").touch()
    table = write(tmp_path, "patient_id;date;event\nDOE_JOHN;2021-03-04;surgery\nROE;2021-03-05;surgery\n")
    found = take_in(IntakeRequest(inputs=(folder,), events=table))
    assert [e.kind for e in found.patients[0].events] == [EventKind.SURGERY]
    assert [(d.role, d.reason) for d in found.decisions if d.role == "events"] == [("events", "1 surgery")]
    assert any("semicolons" in told for told in found.warnings)
    assert not any(word in repr(found.decisions) + repr(found.warnings) for word in ("DOE", "ROE", "2021"))
