"""The whole chain on real studies: it finishes, keeps its limits, and says what it cannot say."""

import json

import numpy as np
import pytest

from tumorboard.chain import run
from tumorboard.intake import IntakeRequest
from tumorboard.io.images import read_volume
from tumorboard.measurement import StudyMeasurements

FOUR = [
    "brats18-2013_21_1",
    pytest.param("BraTS-GLI-00001-000", marks=pytest.mark.slow),
    pytest.param("brainlesion-MET-00110-000", marks=pytest.mark.slow),
]
TWO = ["case_0", *(pytest.param(f"case_{n}", marks=pytest.mark.slow) for n in (1, 2, 3))]


def done_on(folder, out):
    done = run(IntakeRequest(inputs=(folder,)), out)
    (case,) = done.folders
    listed = StudyMeasurements.model_validate_json((case.session("ses-01") / "measurements.json").read_text())
    return case, listed


@pytest.mark.parametrize("name", FOUR)
def test_four_sequences(tumour, tmp_path, name):
    case, listed = done_on(tumour / name, tmp_path / "out")
    stages = json.loads((case.root / "provenance.json").read_text())["stages"]
    assert [s["stage"] for s in stages] == ["prepare", "segment", "measure", "report"]
    assert sum(s["cost"]["cpu_s"] for s in stages) <= 60
    assert all(0 < s["cost"]["peak_mib"] <= 4096 for s in stages)
    for file in ("report.html", "report.pdf", "methods.md", "patient.json"):
        assert (case.root / file).stat().st_size > 100
    assert listed.get("volume", "WT").value > 5
    assert listed.get("volume", "ET").value > 1
    given = read_volume(next(p for p in (tumour / name).iterdir() if "t1c" in p.name))
    native = read_volume(case.native("ses-01", "dseg.nii.gz"))
    assert native.grid.axcodes == given.grid.axcodes
    assert given.grid.matches(native.grid)


@pytest.mark.parametrize("name", TWO)
def test_two_sequences_say_what_they_cannot_say(tumour, tmp_path, name):
    case, listed = done_on(tumour / "brats18-flair-t1" / name, tmp_path / "out")
    for region in ("ET", "NETC"):
        missing = listed.get("volume", region)
        assert (missing.value, missing.status) == (None, "not_assessable")
        assert "T1C" in missing.reason
    assert listed.get("volume", "WT").value > 5
    labels = read_volume(case.seg("ses-01", "dseg.nii.gz")).data
    assert set(np.unique(labels)) <= {0, 1, 2, 4}
    assert "T1C was not given" in (case.root / "report.html").read_text()


def test_t1_alone_measures_the_brain_and_no_tumour(real, tmp_path):
    """A healthy template, stored as LAS with a trailing axis of length 1."""
    from tumorboard.sequences import Sequence

    done = run(IntakeRequest(sequences={Sequence.T1: real / "template-sri24" / "spgr.nii.gz"}), tmp_path / "out")
    session = done.folders[0].session("ses-01")
    listed = StudyMeasurements.model_validate_json((session / "measurements.json").read_text())
    assert 1000 < listed.get("volume", "brain").value < 2000
    assert listed.get("volume", "WT").status == "not_assessable"
