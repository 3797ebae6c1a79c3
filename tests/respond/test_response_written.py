"""Tables of verdicts and times as written, and visits that are written and read again as they were."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import OutputError
from tumorboard.respond.table.cells import COLUMNS
from tumorboard.respond.table.read import read_visits
from tumorboard.respond.table.write import write_times, write_verdicts, write_visits
from tumorboard.respond.visits import (
    Compartment,
    Course,
    Csf,
    Eye,
    Kind,
    Role,
    Seen,
    Status,
    SteroidReason,
    Trend,
    Visit,
)
from tumorboard.verdict import Category, Confirmed, TimeToProgression, Verdict

DAY = dt.date(2021, 3, 4)


def verdict(**changed: object) -> Verdict:
    told: dict[str, object] = {
        "patient": "P1",
        "date": DAY,
        "criterion": "rano-hgg",
        "raw": Category.PD,
        "category": Category.SD,
        "confirmed": Confirmed.PENDING,
        "imaging_only": Category.PD,
        "total": 441.25,
        "unit": "mm2",
        "reference": dt.date(2021, 1, 4),
        "rule": "pd.sum",
        "reason": 'a sum of 441.25 mm2, "nadir" 300 mm2',
        "probabilities": {Category.PD: 0.61949, Category.SD: 0.38051},
    }
    return Verdict(**{**told, **changed})  # type: ignore[arg-type]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def written(folder: Path, *verdicts: Verdict) -> list[dict[str, str]]:
    write_verdicts(folder / "verdicts.csv", iter(verdicts))
    return rows(folder / "verdicts.csv")


def test_verdicts_have_these_columns_in_this_order(tmp_path: Path):
    (row,) = written(tmp_path, verdict())
    assert row == {
        "patient_id": "P1",
        "date": "2021-03-04",
        "criterion": "rano-hgg",
        "raw_category": "PD",
        "category": "SD",
        "confirmed": "pending",
        "imaging_only": "PD",
        "probability": "0.619",
        "sum": "441.25",
        "reference": "2021-01-04",
        "rule": "pd.sum",
        "reason": 'a sum of 441.25 mm2, "nadir" 300 mm2',
    }
    assert ",".join(row) == (
        "patient_id,date,criterion,raw_category,category,confirmed,imaging_only,probability,sum,reference,rule,reason"
    )


def test_what_is_unknown_is_empty_and_not_0(tmp_path: Path):
    (row,) = written(tmp_path, verdict(total=None, reference=None, probabilities={}))
    assert (row["probability"], row["sum"], row["reference"]) == ("", "", "")
    # a category that never came up among the errors of measurement has a probability that is unknown as well
    assert written(tmp_path, verdict(probabilities={Category.SD: 1.0}))[0]["probability"] == ""


@pytest.mark.parametrize(
    ("total", "text"),
    [
        (0.0, "0"),
        (1200.0, "1200"),
        (441.123456, "441.1235"),
        (0.1 + 0.2, "0.3"),
        (0.00012345678, "0.0001235"),
        (0.99999999, "1"),
        (np.float64(12.5), "12.5"),
        (12, "12"),
    ],
)
def test_sums_have_sensible_digits(tmp_path: Path, total: float, text: str):
    assert written(tmp_path, verdict(total=total))[0]["sum"] == text


@given(st.floats(0.0, 1e7))
def test_a_written_sum_is_the_sum(tmp_path_factory, total: float):
    text = written(tmp_path_factory.mktemp("out"), verdict(total=total))[0]["sum"]
    assert float(text) == pytest.approx(total, rel=5e-4, abs=0)
    assert (float(text) == 0) == (total == 0)


@pytest.mark.parametrize(("probability", "text"), [(0.0, "0.000"), (1.0, "1.000"), (0.0005001, "0.001")])
def test_probabilities_have_three_decimals(tmp_path: Path, probability: float, text: str):
    assert written(tmp_path, verdict(probabilities={Category.PD: probability}))[0]["probability"] == text


def test_verdicts_are_by_patient_and_date_and_criteria_keep_their_order(tmp_path: Path):
    later, earlier = dt.date(2021, 5, 6), DAY
    order = [("P2", earlier, "mrano"), ("P1", later, "rano-hgg"), ("P1", later, "irano"), ("P1", earlier, "rano-hgg")]
    found = written(tmp_path, *(verdict(patient=p, date=d, criterion=c) for p, d, c in order))
    assert [(row["patient_id"], row["date"], row["criterion"]) for row in found] == [
        ("P1", "2021-03-04", "rano-hgg"),
        ("P1", "2021-05-06", "rano-hgg"),
        ("P1", "2021-05-06", "irano"),
        ("P2", "2021-03-04", "mrano"),
    ]


def test_times_have_these_columns_in_this_order(tmp_path: Path):
    times = [
        TimeToProgression("P2", "mrano", DAY, dt.date(2021, 5, 6), 63, True),
        TimeToProgression("P1", "rano-hgg", DAY, None, 12, False),
        TimeToProgression("P1", "irano", DAY, None, 12, False),
    ]
    write_times(tmp_path / "ttp.csv", iter(times))
    assert (tmp_path / "ttp.csv").read_bytes().decode() == (
        "patient_id,criterion,start,progression_date,days,event\n"
        "P1,rano-hgg,2021-03-04,,12,0\n"
        "P1,irano,2021-03-04,,12,0\n"
        "P2,mrano,2021-03-04,2021-05-06,63,1\n"
    )


def test_nothing_to_write_is_a_header(tmp_path: Path):
    assert written(tmp_path) == []
    write_times(tmp_path / "ttp.csv", [])
    write_visits(tmp_path / "visits.csv", [])
    assert [len((tmp_path / name).read_text().splitlines()) for name in ("verdicts.csv", "ttp.csv", "visits.csv")] == [
        1,
        1,
        1,
    ]


def test_a_folder_that_cannot_be_written_is_refused_and_keeps_nothing(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    for write in (write_verdicts, write_times, write_visits):
        with pytest.raises(OutputError):
            write(tmp_path / "file" / "table.csv", [])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_old_table_is_replaced_as_a_whole(tmp_path: Path):
    written(tmp_path, verdict(), verdict(date=dt.date(2021, 5, 6)))
    assert len(written(tmp_path, verdict())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["verdicts.csv"]


def test_visits_have_every_column_and_repeat_the_facts_of_the_day(tmp_path: Path):
    lesions = (Seen("L1", Compartment.CE, 32.0, 21.5, measurable=True), Seen("L2", Compartment.NCE, new=True))
    course = Course("P1", (Visit(DAY, Kind.POST_RT, lesions, clinical=Trend.STABLE, dexamethasone_mg=2.0),))
    write_visits(tmp_path / "visits.csv", [course])
    first, second = rows(tmp_path / "visits.csv")
    assert tuple(first) == COLUMNS
    for row in (first, second):
        assert (row["kind"], row["clinical"], row["dexamethasone_mg"], row["evaluable"]) == (
            "post_rt",
            "stable",
            "2",
            "1",
        )
    assert [(row["lesion_id"], row["measurable"], row["new_lesion"]) for row in (first, second)] == [
        ("L1", "yes", "0"),
        ("L2", "auto", "1"),
    ]
    assert (first["long_mm"], first["perp_mm"], first["volume_ml"]) == ("32", "21.5", "")


NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Z")) | st.sampled_from(',;"\t -'), min_size=1, max_size=8
)
NAMES = NAMES.map(str.strip).filter(bool)
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1))


def maybe(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | values


@st.composite
def seen(draw, lesion: str, lasting: tuple[Compartment, Role | None]) -> Seen:
    """Draw a lesion whose volume fits its diameters within the error of a unit."""
    long_mm, perp_mm = (draw(maybe(st.floats(0.5, 300.0) | st.just(0.0))) for _ in range(2))
    volume_ml = draw(maybe(st.floats(0.0, 2000.0)))
    if long_mm and perp_mm and volume_ml:
        ellipsoid_ml = np.pi / 6 * long_mm * perp_mm * (long_mm + perp_mm) / 2000
        volume_ml = min(float(ellipsoid_ml * draw(st.floats(0.01, 100.0))), 2000.0)
    return Seen(
        lesion=lesion,
        compartment=lasting[0],
        long_mm=long_mm,
        perp_mm=perp_mm,
        volume_ml=volume_ml,
        new=draw(st.booleans()),
        role=lasting[1],
        status=draw(maybe(st.sampled_from(Status))),
        measurable=draw(maybe(st.booleans())),
        slice_mm=draw(maybe(st.floats(0.1, 10.0))),
        in_rt_field=draw(maybe(st.booleans())),
        diameter_sd_mm=draw(maybe(st.floats(0.0, 10.0))),
        volume_sd_ml=draw(maybe(st.floats(0.0, 10.0))),
    )


@st.composite
def visit(draw, date: dt.date, kind: Kind, lesions: dict[str, tuple[Compartment, Role | None]]) -> Visit:
    there = sorted(draw(st.sets(st.sampled_from(sorted(lesions))))) if lesions else []
    return Visit(
        date=date,
        kind=kind,
        lesions=tuple(draw(seen(name, lesions[name])) for name in there),
        t2flair=draw(maybe(st.sampled_from(Trend))),
        clinical=draw(maybe(st.sampled_from(Trend))),
        dexamethasone_mg=draw(maybe(st.floats(0.0, 200.0))),
        steroid_reason=draw(maybe(st.sampled_from(SteroidReason))),
        evaluable=draw(st.booleans()),
        rt_end=draw(maybe(DAYS)),
        drug=draw(st.just("") | NAMES),
        drug_start=draw(maybe(DAYS)),
        eye=draw(maybe(st.sampled_from(Eye))),
        csf=draw(maybe(st.sampled_from(Csf))),
    )


@st.composite
def course(draw, patient: str) -> Course:
    dates = sorted(draw(st.sets(DAYS, min_size=1, max_size=4)))
    lasting = st.tuples(st.sampled_from(Compartment), maybe(st.sampled_from(Role)))
    lesions = draw(st.dictionaries(NAMES, lasting, max_size=3))
    first = draw(st.sampled_from([Kind.BASELINE, Kind.POST_OP, Kind.POST_RT]))
    later = st.sampled_from([Kind.FOLLOWUP, Kind.POST_OP, Kind.POST_RT])
    kinds = [first, *(draw(later) for _ in dates[1:])]
    visits = tuple(draw(visit(date, kind, lesions)) for date, kind in zip(dates, kinds, strict=True))
    return Course(patient, visits)


@given(st.data())
def test_what_is_written_is_read(tmp_path_factory, data: st.DataObject):
    patients = sorted(data.draw(st.sets(NAMES, min_size=1, max_size=3)))
    courses = tuple(data.draw(course(patient)) for patient in patients)
    path = tmp_path_factory.mktemp("out") / "visits.csv"
    write_visits(path, iter(courses))
    assert read_visits(path).courses == courses
