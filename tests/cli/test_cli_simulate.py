"""``tumorboard simulate``: what is asked for is written and said; anything else is refused."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tumorboard.cli.simulate import ProtocolName
from tumorboard.simulate import native, patient
from tumorboard.simulate.scanner.acquisition import PROTOCOLS


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Let patients be coarse, and heads have one study, for speed."""
    monkeypatch.setattr(native, "native_patient", partial(native.native_patient, spacing_mm=6.0, studies=1))
    monkeypatch.setattr(patient, "digital_patient", partial(patient.digital_patient, spacing_mm=6.0))


def test_protocols_of_the_command_are_those_there_are():
    assert {protocol.value for protocol in ProtocolName} == set(PROTOCOLS)


def test_a_digital_patient_is_written_as_dicom(command, tmp_path):
    out = tmp_path / "new"
    ended = command("simulate", "--out", out, "--protocol", "thick")
    assert ended.code == 0, ended.text
    files = [path for path in (out / "dicom").rglob("*") if path.is_file()]
    assert f"ses-01: {len(files)} DICOM files" in ended.flat
    assert len(files) > 100
    assert {"dicom", "events.csv", "truth"} <= {path.name for path in out.iterdir()}
    assert "nothing measured on it is evidence about people" in ended.flat


def test_a_digital_patient_is_written_as_bids(command, tmp_path):
    ended = command("simulate", "--out", tmp_path, "--as", "bids")
    assert ended.code == 0, ended.text
    assert "3 studies, 12 stripped images" in ended.flat
    assert len(list((tmp_path / "sub-digital").rglob("*.nii.gz"))) == 12


def test_the_same_command_may_be_given_again_and_another_may_not(command, refused, contents, tmp_path):
    out = tmp_path / "mine"
    words = ("simulate", "--out", out, "--as", "bids")
    assert command(*words).code == 0
    before = contents(out)
    assert command(*words).code == 0
    refused(*words, "--seed", 8, says=("an empty folder",))
    refused("simulate", "--out", out, says=("an empty folder",))
    assert contents(out) == before


def test_a_folder_that_holds_something_is_left_alone(refused, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "note").write_text("mine")
    refused("simulate", "--out", mine, says=("an empty folder",))
    refused("simulate", "--out", mine / "note")
    assert [path.name for path in mine.iterdir()] == ["note"]


def test_a_protocol_without_dicom_is_refused(refused, tmp_path):
    refused("simulate", "--out", tmp_path / "new", "--as", "bids", "--protocol", "thick", says=("--as dicom",))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("words", [("--as", "nrrd"), ("--protocol", "4d"), ("--seed", "-1")])
def test_words_that_simulate_does_not_know_end_in_2(command, tmp_path, words):
    ended = command("simulate", "--out", tmp_path / "new", *words)
    assert ended.code == 2
    assert not (tmp_path / "new").exists()


def test_a_cohort_is_written_and_said(command, tmp_path):
    ended = command("simulate", "--out", tmp_path / "new", "--patients", 2, "--visits", 1, "--spacing-mm", 6)
    assert ended.code == 0, ended.text
    assert "2 patients, 2 studies: participants.tsv" in ended.flat
    assert "nothing measured on it is evidence about people" in ended.flat
    assert len(list((tmp_path / "new").glob("sub-digital*"))) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--patients", 0), "expected 1 to 10000"),
        (("--patients", 2, "--visits", 13), "expected 1 to 12"),
        (("--patients", 2, "--sites", 3), "expected 1 to 2"),
        (("--patients", 2, "--protocol", "thick"), "--protocol for one patient only"),
        (("--patients", 2, "--also", "MRI"), "expected one of T1"),
        (("--patients", 2, "--also", "T1"), "expected BB, SWI"),
        (("--patients", 2, "--format", "dicom", "--also", "ADC"), "no further maps in DICOM"),
        (("--patients", 2, "--spacing-mm", 0.2), "expected 1 to 6"),
    ],
)
def test_impossible_cohorts_are_refused_before_anything_is_written(refused, tmp_path, words, says):
    refused("simulate", "--out", tmp_path / "new", *words, says=(says,))
    assert not (tmp_path / "new").exists()


def test_an_unknown_kind_of_cohort_ends_in_2(command, tmp_path):
    ended = command("simulate", "--out", tmp_path / "new", "--patients", 2, "--kind", "meningioma")
    assert ended.code == 2
    assert "glioma" in ended.flat
    assert not (tmp_path / "new").exists()


def test_a_folder_with_another_cohort_is_not_touched(command, refused, tmp_path):
    words = ("simulate", "--out", tmp_path / "c", "--patients", 1, "--visits", 1, "--spacing-mm", 6)
    assert command(*words).code == 0
    before = {p: p.read_bytes() for p in (tmp_path / "c").rglob("*") if p.is_file()}
    refused(*words, "--seed", 8, says=("another digital patient",))
    assert before == {p: p.read_bytes() for p in (tmp_path / "c").rglob("*") if p.is_file()}
    assert command(*words).code == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_ends_with_a_message_and_the_cohort_goes_on_where_it_stopped(tmp_path, workers):
    """A real small disk, then the same disk made larger."""
    small = tmp_path / "small"
    small.mkdir()

    def mount(how: str) -> bool:
        words = ["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(small)]
        try:
            return subprocess.run(words, capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    if not mount("size=200k"):
        pytest.skip("a small disk cannot be mounted here")
    program = str(Path(sys.executable).parent / "tumorboard")
    words = [program, "simulate", "--out", str(small / "c"), "--patients", "3", "--visits", "1", "--spacing-mm", "6"]
    words += ["--workers", str(workers)]
    try:
        ended = subprocess.run(words, capture_output=True, text=True, check=False)
        assert ended.returncode == 2, ended.stderr
        assert "the disk is full" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert mount("remount,size=64m")
        again = subprocess.run(words, capture_output=True, text=True, check=False)
        assert again.returncode == 0, again.stderr
        assert not [p for p in small.rglob("*") if p.name.startswith(".tumorboard-tmp-")]
        assert len(list((small / "c").glob("sub-*/ses-01/anat/*.nii.gz"))) == 12
    finally:
        subprocess.run(["umount", str(small)], check=True)
