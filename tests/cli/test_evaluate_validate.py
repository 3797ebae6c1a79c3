"""``evaluate``, ``validate`` and ``demo``, and the exit codes that the tests of bad input do not meet."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tumorboard.simulate.patient as home
from tumorboard.chain import patient
from tumorboard.chain.trip import StudyTrip
from tumorboard.io.images import write_volume
from tumorboard.report.pdf import PdfResult
from tumorboard.simulate.patient import digital_patient
from tumorboard.volume import Volume

SCRIPT = str(Path(sys.executable).parent / "tumorboard")


# --- evaluate ---------------------------------------------------------------------------------------------------


@pytest.fixture
def two_boxes(tmp_path):
    """Two label maps of anisotropic voxels: 2 x 2 x 2 of ET, and the same moved by one voxel along i."""
    files = []
    for start in (2, 3):
        data = np.zeros((8, 8, 8), dtype=np.uint8)
        data[start : start + 2, 2:4, 2:4] = 3
        files.append(tmp_path / f"map-{start}.nii.gz")
        write_volume(Volume.of(data, np.diag([1.0, 2.0, 5.0, 1.0])), files[-1])
    return files


def test_evaluate_prints_and_writes_what_can_be_counted_by_hand(command, two_boxes, tmp_path):
    ended = command("evaluate", *two_boxes, "--json", tmp_path / "scores.json")
    assert ended.code == 0, ended.text
    row = next(line for line in ended.out.splitlines() if line.split("│")[1:2] and line.split("│")[1].strip() == "ET")
    cells = [cell.strip() for cell in row.strip("│ ").split("│")]
    assert cells[:2] == ["ET", "0.500"]
    assert cells[-2:] == ["0.08", "0.08"]
    rows = {r["region"]: r for r in json.loads((tmp_path / "scores.json").read_text())["rows"]}
    assert rows["ET"]["dice"] == pytest.approx(0.5)
    assert rows["ET"]["reference_ml"] == pytest.approx(0.08)
    assert rows["WT"]["dice"] == pytest.approx(0.5)
    assert rows["RC"]["present_in"] == "neither"
    assert "in neither" in ended.out


def test_evaluate_of_equal_maps(command, two_boxes):
    ended = command("evaluate", two_boxes[0], two_boxes[0])
    assert ended.code == 0
    assert "1.000" in ended.out


def test_evaluate_translates_schemes(command, tmp_path):
    data = np.zeros((6, 6, 6), dtype=np.uint8)
    data[2:4, 2:4, 2:4] = 3
    write_volume(Volume.of(data, np.eye(4)), tmp_path / "ours.nii.gz")
    write_volume(Volume.of(np.where(data == 3, 4, 0).astype(np.uint8), np.eye(4)), tmp_path / "old.nii.gz")
    words = ("evaluate", tmp_path / "old.nii.gz", tmp_path / "ours.nii.gz", "--scheme", "brats2017")
    ended = command(*words, "--json", tmp_path / "x.json")
    assert ended.code == 0, ended.text
    rows = {r["region"]: r for r in json.loads((tmp_path / "x.json").read_text())["rows"]}
    assert rows["ET"]["dice"] == 1.0


def test_evaluate_refuses_other_grids_other_values_and_no_files(command, refused, two_boxes, tmp_path):
    moved = Volume.of(np.ones((8, 8, 8), dtype=np.uint8), np.diag([1.0, 2.0, 5.5, 1.0]))
    write_volume(moved, tmp_path / "moved.nii.gz")
    ended = command("evaluate", two_boxes[0], tmp_path / "moved.nii.gz")
    assert ended.code == 2
    assert "5.5000 against 5.0000 mm; resample with" in ended.flat
    refused("evaluate", *two_boxes, "--scheme", "whole-tumour", says=("reference: expected values of scheme",))
    refused("evaluate", two_boxes[0], tmp_path / "nothing.nii.gz", says=("prediction: expected a file",))


# --- validate ---------------------------------------------------------------------------------------------------


def test_validate_shows_what_a_run_would_meet_and_writes_nothing(command, write, contents, tmp_path):
    folder = write("T1C", "FLAIR")
    before = contents(tmp_path)
    ended = command("validate", folder)
    assert ended.code == 0, ended.text
    for said in ("T1C, FLAIR", "of 4 x 4 x 4 mm", "mL, skull-stripped", "MiB for the largest stage"):
        assert said in ended.flat
    assert not any(word in ended.text for word in ("DOE", "JANE", "1961", str(tmp_path)))
    assert contents(tmp_path) == before


def test_validate_says_what_will_not_be_assessable(command, write):
    ended = command("validate", write("T1"))
    assert ended.code == 0
    assert "enhancing quantities will be not assessable" in ended.flat
    assert "no tumour can be outlined" in ended.flat


def test_validate_prints_a_warning_once(command, write):
    ended = command("validate", write("FLAIR"))
    assert ended.flat.count("warning:") == 1


def test_validate_refuses_what_a_run_would_refuse(refused, write):
    folder = write("FLAIR", edit=lambda v: v.with_data(np.full(v.data.shape, 3.0)))
    refused("validate", folder, says=("1 of 1 that are not", "the same value in every voxel"))


def test_validate_tells_two_patients_apart(command, volumes, tmp_path):
    for subject, keep in (("a", 1.0), ("b", np.nan)):
        for sequence, volume in volumes[0].items():
            if sequence.value == "FLAIR":
                name = f"sub-{subject}/ses-01/anat/sub-{subject}_ses-01_FLAIR.nii.gz"
                write_volume(volume.with_data(volume.data * np.float32(keep)), tmp_path / "in" / name)
    ended = command("validate", tmp_path / "in")
    assert ended.code == 3, ended.text
    assert "1 of 2" in ended.flat
    assert "NaN" in ended.flat


def test_validate_checks_own_masks(command, refused, write, volumes, tmp_path):
    write_volume(volumes[1], tmp_path / "masks.nii.gz")
    words = ("validate", write("FLAIR"), "--labels", tmp_path / "masks.nii.gz", "--scheme")
    assert command(*words, "tumorboard").code == 0
    refused(*words, "whole-tumour", says=("labels: expected values of scheme",))


# --- run --------------------------------------------------------------------------------------------------------


def test_a_run_prints_decisions_costs_and_each_warning_once(command, write, tmp_path):
    ended = command("measure", write("T1C", "FLAIR"), "--out", tmp_path / "out", "--patient", "P1")
    assert ended.code == 0, ended.text
    assert ended.flat.count("no T2, T1 found") == 1
    for said in ("What was recognised", "_FLAIR.nii.gz", "_T1C.nii.gz", "CPU s", "peak MiB", "sum of done", "sub-P1"):
        assert said in ended.flat
    assert "…" not in ended.text


def test_one_broken_patient_of_two_ends_in_3_and_is_tabulated(command, volumes, tmp_path):
    for subject in ("a", "b"):
        for sequence, volume in volumes[0].items():
            if sequence.value == "FLAIR":
                name = f"sub-{subject}/ses-01/anat/sub-{subject}_ses-01_FLAIR.nii.gz"
                write_volume(volume, tmp_path / "in" / name)
    (tmp_path / "in" / "sub-b/ses-01/anat/sub-b_ses-01_FLAIR.nii.gz").write_bytes(b"")
    ended = command("measure", tmp_path / "in", "--out", tmp_path / "out")
    assert ended.code == 3
    for said in ("Patients that failed", "an empty file", "1 of 2 that were not", "done: sub-a"):
        assert said in ended.flat
    assert (tmp_path / "out" / "sub-a" / "ses-01" / "measurements.json").is_file()


def test_a_defect_of_ours_ends_in_1_and_one_line(command, write, tmp_path, monkeypatch):
    def broken(self):
        raise RuntimeError(f"at {tmp_path}/DOE^JANE on 1961-03-04")

    monkeypatch.setattr(StudyTrip, "_segment", broken)
    ended = command("run", write("FLAIR"), "--out", tmp_path / "out", "--patient", "P1")
    assert ended.code == 1
    assert ended.err.startswith("tumorboard: a defect of ours (RuntimeError at test_evaluate_validate.py:")
    assert ended.err.count("\n") == 1
    assert not any(word in ended.text for word in ("Traceback", "DOE", "1961"))
    assert (tmp_path / "out" / "sub-P1" / "ses-01" / "anat").is_dir()


@pytest.fixture
def keyboard():
    """Let what is started here hear the keyboard, also when the tests run in the background, where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("keyboard")
def test_stopped_from_the_keyboard(write, tmp_path):
    words = [SCRIPT, "run", str(write("FLAIR")), "--out", str(tmp_path / "out"), "--patient", "P1"]
    run = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for _ in range(6000):
        if (tmp_path / "out" / "sub-P1" / "patient.json").exists() or run.poll() is not None:
            break
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    err = run.communicate()[1]
    assert err == "tumorboard: stopped; the same command goes on where it was.\n"
    assert run.returncode == 130


SWALLOWED = """
import signal
from tumorboard.cli.keyboard import hear_keyboard, stop_if_asked

class Deaf:
    def __init__(self, error):
        self.error = error
    def __del__(self):
        self.error()

def stop():
    signal.raise_signal(signal.SIGINT)

def defect():
    raise ValueError("ours")

hear_keyboard()
Deaf(stop)  # Python goes on
Deaf(defect)
try:
    stop_if_asked()
except KeyboardInterrupt:
    stop_if_asked()  # heard once, not for ever
    print("stopped")
"""


@pytest.mark.usefixtures("keyboard")
def test_a_key_that_a_finaliser_swallows_stops_the_next_stage():
    ended = subprocess.run([sys.executable, "-c", SWALLOWED], capture_output=True, text=True, check=False)
    assert ended.stdout == "stopped\n"
    assert "KeyboardInterrupt" not in ended.stderr
    assert "ValueError: ours" in ended.stderr


def test_a_terminal_without_unicode_loses_a_sign_and_not_the_run(volumes, tmp_path):
    for sequence, volume in volumes[0].items():
        if sequence.value == "FLAIR":
            write_volume(volume, tmp_path / "in" / "sub-a" / "anat" / "sub-a_FLAIR.nii.gz")
            write_volume(volume, tmp_path / "in" / "derivatives" / "FLAIR.nii.gz")
    plain = os.environ | {"PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(
        [SCRIPT, "validate", str(tmp_path / "in")], capture_output=True, text=True, env=plain, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "1 ? derivatives folder left out" in ended.stdout


# --- demo -------------------------------------------------------------------------------------------------------


def test_the_demo_runs_the_chain_and_compares_with_the_truth(command, tmp_path, monkeypatch):
    small = digital_patient(spacing_mm=4.0)
    small = replace(small, studies=small.studies[:1])  # one study, no PDF: the rest is tested elsewhere
    monkeypatch.setattr(home, "digital_patient", lambda seed: small)
    monkeypatch.setattr(patient, "render_pdf", lambda report: PdfResult(None, "left out here"))
    ended = command("demo", "--out", tmp_path / "demo")
    assert ended.code == 0, ended.text
    assert "says nothing about people" in ended.flat
    case = tmp_path / "demo" / "results" / "sub-digital"
    assert json.loads((case / "patient.json").read_text())["digital"] is True
    assert (case / "report.html").is_file()
    assert f"({small.studies[0].truth.volume_ml('WT'):.1f})" in ended.flat
    assert command("demo", "--out", tmp_path / "demo").flat.count("kept") == 4


def test_the_demo_never_writes_among_other_files(refused, tmp_path, contents):
    other = tmp_path / "demo" / "input"
    other.mkdir(parents=True)
    (other / "events.csv").write_text("mine")
    (other / "notes.txt").write_text("mine")
    before = contents(tmp_path)
    refused("demo", "--out", tmp_path / "demo", says=("other files in its input folder",))
    assert contents(tmp_path) == before
