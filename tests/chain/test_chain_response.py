"""Studies judged together: what is written, when it is made again, and that a report without it still stands."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tumorboard.chain import patient, response
from tumorboard.chain.patient import PatientTrip
from tumorboard.chain.response import ResponseTrip, read_response, read_verdicts, respond_to
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.io.images import read_volume, write_volume
from tumorboard.measurement import Measurement
from tumorboard.report import surgery_picture
from tumorboard.report.model import DIGITAL_BANNER, Report
from tumorboard.report.pdf import PdfResult
from tumorboard.respond import CRITERIA
from tumorboard.respond.align import Alignment, template
from tumorboard.sequences import Sequence
from tumorboard.settings import RunSettings
from tumorboard.stages import silent
from tumorboard.volume import Volume

SHOWN = (Sequence.T1, Sequence.T1C, Sequence.FLAIR)
SESSIONS = "session_id\tacq_time\nses-01\t2000-01-03T00:00:00\nses-02\t2000-03-13T00:00:00\n"
EVENTS = """patient_id,date,end_date,event,value,unit,detail
a,2000-01-03,2000-06-01,steroid,4,mg/d,dexamethasone
a,2000-03-12,,surgery,resection,,
a,2000-03-13,,clinical,stable,,
"""
WRITTEN = {"verdicts.csv", "ttp.csv", "criteria.json", "surgery.json", ".stages/response.json", ".stages/fits.json"}
STUDY_STAGES = ["prepare", "segment", "measure"]


class Killed(BaseException):
    """Stands for ``kill -9``: nothing in the product catches it."""


@pytest.fixture(scope="module", autouse=True)
def no_paper():
    """Leave the PDF out: it takes long and is tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patient, "render_pdf", lambda report: PdfResult(None, "left out here: it takes long"))
        yield


@pytest.fixture(scope="module")
def first(tmp_path_factory, make_study, travel):
    """A finished run of two dated studies with an operation between them: (folder, Ran)."""
    place = tmp_path_factory.mktemp("together")
    for session in ("ses-01", "ses-02"):
        make_study(place / "in", SHOWN, session=session)
    (place / "in" / "sub-a" / "sub-a_sessions.tsv").write_text(SESSIONS)
    (place / "events.csv").write_text(EVENTS)
    return place, travel(place / "in", place / "out", "report", events=place / "events.csv")


@pytest.fixture
def copied(first, tmp_path):
    """A copy of it that may be changed."""
    shutil.copytree(first[0], tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def again(copied, travel):
    """Run the copy to the report once more."""
    return lambda **given: travel(copied / "in", copied / "out", "report", **{"events": copied / "events.csv"} | given)


def model(root: Path) -> Report:
    return Report.model_validate_json((root / ".stages" / "report_model.json").read_text())


def files(root: Path, listing) -> set[str]:
    """Files of the patient that belong to no study and to no other stage."""
    rest = {n for n in listing(root) if not n.startswith("ses-") and not re.match(r"\.stages/(ses|patient)", n)}
    return rest - {"patient.json", "provenance.json", "report.html", "methods.md", ".stages/report_model.json"}


# --- what is written ---------------------------------------------------------------------------------------------


def test_exactly_these_files_are_written(first, listing):
    _, ran = first
    assert files(ran.root, listing) == WRITTEN
    record = json.loads((ran.root / ".stages" / "patient_respond.json").read_text())
    assert set(record["outputs"]) == WRITTEN
    assert ran.did() == [*STUDY_STAGES, *STUDY_STAGES, "respond", "report"]
    told = json.loads((ran.root / "provenance.json").read_text())
    assert [(s["stage"], s["study"]) for s in told["stages"]][-2:] == [("respond", "patient"), ("report", "patient")]


def test_verdicts_are_those_of_every_criterion_on_every_study_and_are_read_back(first):
    _, ran = first
    made, read = respond_to(ran.root), read_verdicts(ran.root)
    assert len(read) == 2 * len(CRITERIA) - 2 * len(made.judged.not_run)
    assert {v.date.isoformat() for v in read} == {"2000-01-03", "2000-03-13"}
    for mine, other in zip(made.judged.verdicts, read, strict=True):
        for name in ("patient", "date", "criterion", "raw", "category", "confirmed", "imaging_only", "unit", "reason"):
            assert getattr(mine, name) == getattr(other, name), name
        assert (mine.reference, mine.rule) == (other.reference, other.rule)
        assert (mine.total is None) == (other.total is None)
        assert mine.total is None or other.total == pytest.approx(mine.total, rel=1e-3)
        assert other.probability == (None if mine.probability is None else pytest.approx(mine.probability, abs=6e-4))


def test_what_is_kept_is_what_was_judged(first):
    made, kept = respond_to(first[1].root), read_response(first[1].root)
    assert kept.judged == made.judged
    assert (kept.course.course, kept.course.studies) == (made.course.course, made.course.studies)
    assert (kept.course.warnings, kept.course.t2flair) == (made.course.warnings, made.course.t2flair)
    assert kept.surgeries == made.surgeries
    for study, matrix in made.course.alignment.to_template.items():
        np.testing.assert_array_equal(kept.course.alignment.to_template[study], matrix)


def test_no_pair_of_studies_is_laid_onto_each_other_twice(copied, monkeypatch):
    """Another course of events needs no other alignment; other images do."""
    root = copied / "out" / "sub-a"
    before = respond_to(root).course.alignment
    asked = []
    monkeypatch.setattr(template, "lay", lambda one, two, dof: asked.append(1) or before.fits["ses-01", "ses-02"])
    kept = respond_to(root).course.alignment
    assert not asked
    for study, matrix in before.to_template.items():
        np.testing.assert_array_equal(kept.to_template[study], matrix)
    assert kept.pairs == before.pairs
    path = next((root / "ses-02" / "anat").glob("*desc-brain_mask.nii.gz"))
    mask = read_volume(path)
    write_volume(Volume(np.roll(mask.data, 1, axis=0), mask.grid), path)
    respond_to(root)
    assert asked


def test_dates_stand_only_where_they_may(first, contents):
    _, ran = first
    dated = re.compile(rb"2000[-_./]?0[1-9][-_./]?[0-3][0-9]")
    holding = {name for name, raw in contents(ran.root).items() if dated.search(raw)}
    assert holding == {
        *("patient.json", "report.html", "verdicts.csv", "ttp.csv"),
        *(".stages/report_model.json", ".stages/response.json"),
    }


def test_the_report_shows_the_verdicts_and_the_operation_on_both_sides(first):
    report = model(first[1].root)
    assert report.response is not None
    assert len(report.response.verdicts.rows) == len(CRITERIA)
    assert "ses-02 of 2000-03-13" in report.response.summary
    (operation,) = report.response.operations
    assert operation.table.title == (
        "Operation 1, 2000-03-12: ses-01 of 2000-01-03 (69 d before) and ses-02 of 2000-03-13 (1 d after)"
    )
    assert operation.pictures
    assert operation.pictures[0].caption.startswith("T1C before, T1C after, T1 after, FLAIR before, FLAIR after")
    assert "at the same place, aligned" in operation.pictures[0].caption
    assert DIGITAL_BANNER in report.banners
    assert operation.pictures[0].data in (first[1].root / "report.html").read_text()


def test_one_study_is_not_judged(tmp_path, first, travel, listing):
    place, _ = first
    shutil.copytree(place / "in", tmp_path / "in")
    shutil.rmtree(tmp_path / "in" / "sub-a" / "ses-02")
    ran = travel(tmp_path / "in", tmp_path / "out", "report", events=place / "events.csv")
    assert ran.did() == [*STUDY_STAGES, "report"]
    assert not files(ran.root, listing)
    assert model(ran.root).response is None
    assert not any("response" in warning for warning in ran.done.warnings)


# --- another run -------------------------------------------------------------------------------------------------


def test_a_second_run_does_nothing_twice(first, travel):
    place, ran = first
    before = {n: (ran.root / n).stat().st_mtime_ns for n in WRITTEN}
    second = travel(place / "in", place / "out", "report", events=place / "events.csv")
    assert not second.did()
    assert second.kept()[-2:] == ["respond", "report"]
    assert {n: (ran.root / n).stat().st_mtime_ns for n in WRITTEN} == before


def test_other_events_judge_and_report_again_and_measure_nothing(copied, again, listing):
    """Without its operation the second study is a follow-up, and no file of an operation is left."""
    told = EVENTS.replace("a,2000-03-12,,surgery,resection,,\n", "").replace("clinical,stable", "clinical,worse")
    (copied / "events.csv").write_text(told)
    before = (copied / "out" / "sub-a" / "verdicts.csv").read_text()
    ran = again()
    assert ran.did() == ["respond", "report"]
    assert "clinically worse" in (ran.root / "verdicts.csv").read_text()
    assert "clinically worse" not in before
    assert files(ran.root, listing) == WRITTEN - {"surgery.json"}
    assert model(ran.root).response.operations == ()


@pytest.mark.parametrize("name", ["verdicts.csv", "surgery.json", ".stages/response.json"])
def test_a_damaged_output_is_made_again(copied, again, contents, name):
    before = contents(copied / "out" / "sub-a")[name]
    (copied / "out" / "sub-a" / name).write_text("half")
    ran = again()
    assert ran.did() == ["respond"]
    assert (ran.root / name).read_bytes() == before


def test_a_report_that_is_made_again_is_not_judged_again(copied, again, monkeypatch):
    page = copied / "out" / "sub-a" / "report.html"
    expected = page.read_bytes()
    page.unlink()
    monkeypatch.setattr(response, "respond_to", lambda root: pytest.fail("it was judged again"))
    ran = again()
    assert ran.did() == ["report"]
    assert page.read_bytes() == expected


def test_studies_that_lost_their_dates_are_reported_without_verdicts(copied, again, listing):
    (copied / "in" / "sub-a" / "sub-a_sessions.tsv").unlink()
    ran = again()
    (said,) = [warning for warning in ran.done.warnings if "response over time" in warning]
    assert "was not judged: case folder: expected studies with dates; got 2 of 2 studies without one" in said
    assert not files(ran.root, listing), "verdicts of dated studies are gone"
    assert not (ran.root / ".stages" / "patient_respond.json").exists()
    report = model(ran.root)
    assert report.response is None
    assert len(report.studies) == 2
    assert "Response over time" not in (ran.root / "report.html").read_text()


def test_two_studies_of_one_day_are_reported_without_verdicts(copied, again):
    (copied / "in" / "sub-a" / "sub-a_sessions.tsv").write_text(SESSIONS.replace("2000-03-13", "2000-01-03"))
    ran = again()
    assert any("each study on a day of its own" in warning for warning in ran.done.warnings)
    assert (ran.root / "report.html").is_file()


@pytest.mark.parametrize("moment", ["_write", "section"])
def test_killed_and_run_again(copied, again, contents, monkeypatch, moment):
    expected = contents(copied / "out" / "sub-a")
    (copied / "events.csv").write_text(EVENTS.replace("steroid,4", "steroid,8"))
    work = getattr(ResponseTrip, moment)

    def killed(self):
        work(self)
        raise Killed

    monkeypatch.setattr(ResponseTrip, moment, killed)
    with pytest.raises(Killed):
        again()
    monkeypatch.setattr(ResponseTrip, moment, work)
    (copied / "events.csv").write_text(EVENTS)
    ran = again()
    assert ran.did()[0] == "respond"
    after = contents(ran.root)
    assert set(after) == set(expected)
    for name in (*WRITTEN, "report.html"):
        assert after[name] == expected[name], name


# --- pictures of an operation ------------------------------------------------------------------------------------


@pytest.fixture
def drawn(first, monkeypatch):
    """A trip over what the run left, and what its pictures were asked for: (trip, list of arguments)."""
    place, _ = first
    asked = []
    monkeypatch.setattr(surgery_picture, "surgery_pictures", lambda *given: asked.append(given) or ())
    (known,) = take_in(IntakeRequest(inputs=(place / "in",), events=place / "events.csv")).patients
    return PatientTrip(place / "out", known, (), RunSettings(digital=True), silent), asked


def test_pictures_are_drawn_with_blood_and_alignment_and_let_go_of_the_studies(first, drawn):
    trip, asked = drawn
    trip._response.section()
    ((before, after, blood, motion),) = asked
    assert (before.study.id, after.study.id) == ("ses-01", "ses-02")
    assert (blood.dtype, blood.shape) == (bool, after.study.grid.shape)
    np.testing.assert_allclose(motion, read_response(first[1].root).course.alignment.between("ses-02", "ses-01"))
    assert all(t._study is t._outlined is t._measured is None for t in trip.trips)


def test_without_blood_alignment_or_a_study_pictures_do_without(first, drawn):
    trip, asked = drawn
    made = read_response(first[1].root)
    (surgery,) = made.surgeries
    late = [
        Measurement.missing(m.name, m.region, m.unit, "too late") if m.name == "blood_volume" else m
        for m in surgery.measurements
    ]
    draw = trip._response._pictures
    draw(surgery.model_copy(update={"measurements": tuple(late)}), Alignment({"ses-01": np.eye(4)}))
    assert asked.pop()[2:] == (None, None)
    for changed in ({"kind": "biopsy"}, {"before": ""}, {"after": ""}):
        assert draw(surgery.model_copy(update=changed), made.course.alignment) == ()
    assert not asked


# --- DICOM -------------------------------------------------------------------------------------------------------


def test_verdicts_go_to_the_objects_of_the_latest_study_alone(first, monkeypatch):
    place, ran = first
    given = {}
    monkeypatch.setattr(patient, "write_objects", lambda trip, *_: given.setdefault(trip.id, _[-1]) and [])
    (known,) = take_in(IntakeRequest(inputs=(place / "in",), events=place / "events.csv")).patients
    PatientTrip(place / "out", known, (), RunSettings(digital=True), silent)._write_objects()
    assert given["ses-01"] == ()
    assert {v.date.isoformat() for v in given["ses-02"]} == {"2000-03-13"}
    assert [v.criterion for v in given["ses-02"]] == [v.criterion for v in read_verdicts(ran.root)[-len(CRITERIA) :]]
