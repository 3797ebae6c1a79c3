"""A real native study through the whole chain; what single series cannot give is said."""

import json
import sys

import numpy as np
import pytest

from tumorboard.cli.main import main
from tumorboard.io.images import read_volume
from tumorboard.prepare.skull import head_mask
from tumorboard.sequences import Sequence


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the chain on a folder; returns exit code, what was said, and where results lie."""

    def go(folder):
        monkeypatch.setattr(sys, "argv", ["tumorboard", "run", str(folder), "--out", str(tmp_path / "out")])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return code, " ".join((said.out + said.err).split()), tmp_path / "out"

    return go


@pytest.mark.slow
def test_a_native_study_is_laid_on_one_grid_and_measured(tumour, run):
    code, said, out = run(tumour / "TCGA-FG-6692-native")
    assert code == 0, said
    (session,) = out.glob("sub-*/ses-01")
    quality = json.loads((session / "quality.json").read_text())
    assert set(quality["registration"]) == {"T1", "T2", "FLAIR"}
    assert not quality["dropped"]
    assert 900 < quality["brain_ml"] < 1900
    measured = json.loads((session / "measurements.json").read_text())["measurements"]
    whole = {m["name"]: m["value"] for m in measured if m["region"] == "WT"}
    assert whole["volume"] > 0
    assert whole["volume_native"] == pytest.approx(whole["volume"], rel=0.1)
    assert list((session / "seg" / "native").glob("*_dseg.nii.gz"))
    assert "6692" not in said


def test_the_brain_of_a_native_head_is_that_of_another_tool(tumour):
    folder = tumour / "TCGA-FG-6692-native"
    contrast = read_volume(next(folder.glob("*t1c.nii.gz")), "T1C")
    other = read_volume(folder / "brain-mask-on-t1c.nii.gz", "brain mask").data > 0
    mine = np.asarray(head_mask({Sequence.T1C: contrast}).mask.data) > 0
    assert 2 * (mine & other).sum() / (mine.sum() + other.sum()) > 0.94


@pytest.mark.slow
def test_a_single_series_says_what_it_cannot_say(dicom, run):
    code, said, _ = run(next(dicom.glob("*skyra*.zip")))
    assert code == 0, said
    assert "not assessable" in said


@pytest.mark.parametrize("words", [("odd*", "expected"), ("seg-sr*", "expected at least one MR sequence")])
def test_what_holds_no_usable_series_is_refused_in_words(dicom, run, words):
    folders = sorted(dicom.glob(words[0]))
    if not folders:
        pytest.skip(f"no {words[0]}")
    code, said, out = run(folders[0])
    assert code == 2, said
    assert words[1] in said
    assert not out.exists() or not any(out.iterdir())
