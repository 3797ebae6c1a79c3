"""BIDS derivatives: the validator accepts them, images are copied as they are, and nothing dated goes along."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tumorboard.errors import InputError, OutputError
from tumorboard.io.images import write_volume
from tumorboard.measurement import Measurement, Source, StudyMeasurements
from tumorboard.report.bids import export_bids
from tumorboard.store import CaseFolder
from tumorboard.volume import Grid, Volume

VALIDATOR = Path(sys.executable).parent / "bids-validator-deno"
GRID = Grid((6, 7, 8), np.diag([2.0, 2.0, 2.0, 1.0]))


def case_of(root, pseudonym="P1", digital=True, studies=("ses-01", "ses-02")):
    """Write the parts of a case folder that are exported, as the chain names them."""
    folder = CaseFolder(root, pseudonym)
    told = {"pseudonym": pseudonym, "digital": digital, "studies": [{"id": s, "date": "1999-12-31"} for s in studies]}
    folder.root.mkdir(parents=True)
    for study in studies:
        for suffix in ("T1w", "ce-gadolinium_T1w", "T2w", "FLAIR", "desc-subtraction_T1w"):
            write_volume(Volume(np.ones(GRID.shape, np.float32), GRID), folder.anat(study, suffix))
        write_volume(Volume(np.ones(GRID.shape, np.uint8), GRID), folder.anat(study, "desc-brain_mask"))
        write_volume(Volume(np.full(GRID.shape, 3, np.uint8), GRID), folder.seg(study, "dseg.nii.gz"))
        folder.seg(study, "dseg.json").write_text(json.dumps({"segmenter": "fuzzy 1"}))
        write_volume(Volume(np.ones(GRID.shape, np.float32), GRID), folder.seg(study, "label-ET_probseg.nii.gz"))
        at = Source(file="x")
        measured = (
            Measurement(name="volume", region="ET", value=1.5, unit="mL", method="a\nb\tc", source=at),
            Measurement.missing("volume", "RC", "mL", "no cavities"),
        )
        listed = StudyMeasurements(patient=pseudonym, study=study, sequences=(), segmenter="s", measurements=measured)
        (folder.session(study) / "measurements.json").write_text(listed.model_dump_json())
    (folder.root / "patient.json").write_text(json.dumps(told))
    return folder.root


@pytest.fixture
def tree(tmp_path):
    cases = [case_of(tmp_path / "in", "P1"), case_of(tmp_path / "in", "P2", digital=False, studies=("ses-01",))]
    done = export_bids(cases, tmp_path / "out")
    assert (done.patients, done.studies) == (2, 3)
    assert done.files == sum(1 for p in (tmp_path / "out").rglob("*") if p.is_file() and "ses-" in p.name)
    return tmp_path / "out"


@pytest.mark.skipif(not VALIDATOR.exists(), reason="bids-validator-deno is not installed")
def test_the_validator_accepts_it_and_would_not_accept_another(tree):
    def errors():
        ended = subprocess.run([VALIDATOR, tree, "--json"], capture_output=True, text=True, check=False)
        return [i["code"] for i in json.loads(ended.stdout)["issues"]["issues"] if i["severity"] == "error"]

    assert errors() == []
    (tree / "sub-P1" / "ses-01" / "anat" / "sub-P1_ses-01_desc-tumour_outline.nii.gz").write_bytes(b"x")
    assert errors()


def test_images_are_copied_as_they_are(tree):
    name = "sub-P1_ses-01_desc-preproc_FLAIR.nii.gz"
    source = tree.parent / "in" / "sub-P1" / "ses-01" / "anat" / "sub-P1_ses-01_FLAIR.nii.gz"
    assert (tree / "sub-P1" / "ses-01" / "anat" / name).read_bytes() == source.read_bytes()
    assert not list(tree.rglob("*subtraction*"))


def test_labels_have_their_names_and_numbers_their_units(tree):
    anat = tree / "sub-P2" / "ses-01" / "anat"
    lines = (anat / "sub-P2_ses-01_desc-tumour_dseg.tsv").read_text().splitlines()
    assert [line.split("\t")[::2] for line in lines] == [
        ["index", "abbreviation"], ["1", "NETC"], ["2", "SNFH"], ["3", "ET"], ["4", "RC"],
    ]  # fmt: skip
    rows = [line.split("\t") for line in (anat / "sub-P2_ses-01_measurements.tsv").read_text().splitlines()]
    assert rows[1] == ["ET", "volume", "1.5", "mL", "ok", "n/a", "measured", "a b c"]
    assert rows[2][2:6] == ["n/a", "mL", "not_assessable", "no cavities"]


def test_digital_patients_are_told_and_dates_stay_behind(tree):
    told = json.loads((tree / "dataset_description.json").read_text())
    assert told["Name"].startswith("Digital patients")
    assert (tree / "participants.tsv").read_text() == "participant_id\tdigital\nsub-P1\tyes\nsub-P2\tno\n"
    assert not any(b"1999" in p.read_bytes() for p in tree.rglob("*") if p.is_file() and p.suffix != ".gz")


def test_what_cannot_be_exported_is_refused(tmp_path):
    case = case_of(tmp_path, studies=())
    with pytest.raises(InputError, match="twice"):
        export_bids([case, case], tmp_path / "new")
    with pytest.raises(InputError, match="none"):
        export_bids([], tmp_path / "new")
    with pytest.raises(InputError, match="sub-"):
        export_bids([tmp_path / "no"], tmp_path / "new")
    with pytest.raises(OutputError, match="empty"):
        export_bids([case], tmp_path)
