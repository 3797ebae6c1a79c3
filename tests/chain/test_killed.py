"""A run that ends at any moment is finished by the same command, to the same bytes, with nothing left over."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tumorboard.chain import patient
from tumorboard.chain.patient import PatientTrip
from tumorboard.chain.trip import StudyTrip
from tumorboard.report.pdf import PdfResult
from tumorboard.sequences import Sequence
from tumorboard.simulate.files.tree import write_digital_patient
from tumorboard.simulate.patient import digital_patient
from tumorboard.store import TEMPORARY_PREFIX

STAGES = ["prepare", "segment", "measure"]


class Killed(BaseException):
    """Stands for ``kill -9``: nothing in the product catches it."""


def _results(contents, out):
    """What a run leaves, without what tells costs."""
    left_out = (".stages", "provenance.json", "report.")
    return {n: raw for n, raw in contents(out).items() if not any(word in n for word in left_out)}


def _no_temporaries(out):
    return not list(out.rglob(f"{TEMPORARY_PREFIX}*"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, make_study, travel, contents):
    place = tmp_path_factory.mktemp("undisturbed")
    given = make_study(place / "in", (Sequence.T1C, Sequence.FLAIR))
    travel(given, place / "out")
    return given, _results(contents, place / "out")


@pytest.mark.parametrize("stage", STAGES)
def test_killed_after_a_stage_wrote_and_before_it_was_recorded(
    undisturbed, tmp_path, travel, contents, monkeypatch, stage
):
    given, expected = undisturbed
    work = getattr(StudyTrip, f"_{stage}")

    def killed(self):
        work(self)
        raise Killed

    monkeypatch.setattr(StudyTrip, f"_{stage}", killed)
    with pytest.raises(Killed):
        travel(given, tmp_path / "out")
    monkeypatch.undo()
    again = travel(given, tmp_path / "out")
    place = STAGES.index(stage)
    assert (again.kept(), again.did()) == (STAGES[:place], STAGES[place:])
    assert _results(contents, tmp_path / "out") == expected


@pytest.mark.parametrize("nth", [1, 5, 18, 21])
def test_killed_between_writing_and_naming_a_file(undisturbed, tmp_path, travel, contents, monkeypatch, nth):
    given, expected = undisturbed
    replace, count = Path.replace, 0

    def killed(self, target):
        nonlocal count
        count += 1
        if count == nth:
            raise Killed
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(Killed):
        travel(given, tmp_path / "out")
    monkeypatch.undo()
    assert not _no_temporaries(tmp_path / "out")
    travel(given, tmp_path / "out")
    assert _no_temporaries(tmp_path / "out")
    assert _results(contents, tmp_path / "out") == expected


def test_killed_while_the_report_was_written(undisturbed, tmp_path, travel, monkeypatch):
    given, _ = undisturbed
    monkeypatch.setattr(patient, "render_pdf", lambda report: PdfResult(None, "left out here: it takes long"))
    work = PatientTrip._write_report

    def killed(self, *told):
        work(self, *told)
        raise Killed

    monkeypatch.setattr(PatientTrip, "_write_report", killed)
    with pytest.raises(Killed):
        travel(given, tmp_path / "out", "report")
    html = (tmp_path / "out" / "sub-a" / "report.html").read_bytes()
    monkeypatch.setattr(PatientTrip, "_write_report", work)
    again = travel(given, tmp_path / "out", "report")
    assert (again.kept(), again.did()) == (STAGES, ["report"])
    assert (tmp_path / "out" / "sub-a" / "report.html").read_bytes() == html
    assert (tmp_path / "out" / "sub-a" / "provenance.json").is_file()


def _command(given, out):
    return [str(Path(sys.executable).parent / "tumorboard"), "run", str(given), "--out", str(out)]


@pytest.mark.slow
def test_killed_at_twenty_random_moments_of_a_2_mm_study(tmp_path, record_property):
    write_digital_patient(digital_patient(), tmp_path / "tree")
    given = tmp_path / "in"
    shutil.copytree(tmp_path / "tree" / "sub-digital" / "ses-01", given / "sub-digital" / "ses-01")
    subprocess.run(_command(given, tmp_path / "warm"), check=True, capture_output=True)
    start = time.monotonic()
    subprocess.run(_command(given, tmp_path / "whole"), check=True, capture_output=True)
    duration = time.monotonic() - start
    named = Path("sub-digital") / "ses-01" / "measurements.json"
    expected = (tmp_path / "whole" / named).read_bytes()
    moments, ended_by_kill, left_over = random.Random(2024), 0, 0
    for n in range(20):
        out = tmp_path / f"out-{n}"
        with (tmp_path / "log").open("wb") as log:
            run = subprocess.Popen(_command(given, out), stdout=log, stderr=log, start_new_session=True)
        time.sleep(moments.uniform(0.0, duration))
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        ended_by_kill += run.wait() == -signal.SIGKILL
        left_over += out.exists() and not _no_temporaries(out)
        subprocess.run(_command(given, out), check=True, capture_output=True)
        assert (out / named).read_bytes() == expected
        assert _no_temporaries(out)
        shutil.rmtree(out)
    told = f"{ended_by_kill} of 20 runs of {duration:.1f} s were killed; {left_over} left a temporary file"
    record_property("killed", told)
    assert ended_by_kill >= 15, told
