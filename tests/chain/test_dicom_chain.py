"""DICOM studies of whole heads through the chain: what is written, that it agrees, and that it comes back."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from highdicom.sr import srread

from tumorboard.chain.response import read_verdicts
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.io.images import read_volume
from tumorboard.io.seg_read import read_segmentation
from tumorboard.io.sr import read_report_numbers
from tumorboard.labels import LabelMap
from tumorboard.report.model import DIGITAL_BANNER, Report
from tumorboard.sequences import USED

DCIODVFY = Path(sys.executable).parent / "dciodvfy"
SERIES = re.compile(r"Error - ")
ANAT = ("T1w", "T2w", "FLAIR", "ce-gadolinium_T1w", "desc-brain_mask", "desc-subtraction_T1w")
SEG = ("dseg", "lesions", *(f"label-{region}_probseg" for region in ("WT", "TC", "ET", "RC")))
MOVED = ("T1w", "T2w", "FLAIR")
STUDY_FILES = {
    *(f"anat/sub-P1_ses-01_{name}.nii.gz" for name in ANAT),
    *(f"seg/sub-P1_ses-01_{name}.nii.gz" for name in SEG),
    *(f"seg/native/sub-P1_ses-01_{name}.nii.gz" for name in ("dseg", "lesions")),
    *(f"dicom/{n}.dcm" for n in ("seg", "labelmap", "sr", "report", "capture-1", "capture-2", "capture-3")),
    *(f"xfm/sub-P1_ses-01_from-{s}_to-ce-gadoliniumT1w_mode-image_xfm.{end}" for s in MOVED for end in ("json", "txt")),
    "xfm/sub-P1_ses-01_frame.json",
    "seg/sub-P1_ses-01_dseg.json",
    *("measurements.json", "measurements.csv", "diameters.json", "quality.json", "source.json"),
}
PATIENT_FILES = {"report.html", "report.pdf", "methods.md", "patient.json", "provenance.json"}


def study_of(folder, number=1):
    (patient,) = (folder / "dicom").iterdir()
    return patient / f"ST{number:04d}"


@pytest.fixture(scope="module")
def ran(tmp_path_factory, coarse_dicom, travel):
    """One study, from DICOM to report and objects."""
    out = tmp_path_factory.mktemp("dicom_chain") / "out"
    return travel(study_of(coarse_dicom), out, "report", patient="P1")


@pytest.fixture(scope="module")
def session(ran):
    return ran.root / "ses-01"


def test_exactly_these_files_are_written(ran, session, listing):
    assert set(listing(session)) == STUDY_FILES
    stages = {f".stages/{n}.json" for n in ("ses-01_prepare", "ses-01_segment", "ses-01_measure", "patient_report")}
    rest = {n for n in listing(ran.root) if not n.startswith("ses-01/")}
    assert rest == PATIENT_FILES | stages | {".stages/patient_dicom.json", ".stages/report_model.json"}


def test_every_number_of_the_report_object_is_that_of_the_measurements(ran, session):
    listed = {(m["name"], m["region"]): m["value"] for m in ran.measurements()["measurements"]}
    told = read_report_numbers(session / "dicom" / "sr.dcm")
    assert set(told) == set(listed)
    for name, value in listed.items():
        assert told[name] == (pytest.approx(value, rel=1e-9) if isinstance(value, float) else value), name


@pytest.mark.parametrize("name", ["seg", "labelmap"])
def test_the_segmentation_is_the_native_label_map_on_the_planes_of_the_source(session, name):
    read = read_segmentation(session / "dicom" / f"{name}.dcm").labels
    native = read_volume(session / "seg" / "native" / "sub-P1_ses-01_dseg.nii.gz")
    placed = read.reoriented(native.grid.axcodes)
    start = np.round(native.grid.to_voxel(placed.grid.to_world([(0, 0, 0)]))[0]).astype(int)
    whole = np.zeros(native.grid.shape, np.uint8)
    whole[tuple(slice(a, a + n) for a, n in zip(start, placed.grid.shape, strict=True))] = placed.data
    assert np.array_equal(whole, native.data)
    assert native.data.any()


def test_the_objects_say_research_digital_and_unverified(session):
    report = pydicom.dcmread(session / "dicom" / "sr.dcm")
    assert report.VerificationFlag == "UNVERIFIED"
    for path in sorted((session / "dicom").glob("*.dcm")):
        said = str(pydicom.dcmread(path, stop_before_pixels=True).SeriesDescription)
        assert "research" in said.lower(), path.name
        assert "simulated" in said.lower(), path.name


def test_the_objects_belong_to_the_source_study(session, coarse_dicom):
    source = pydicom.dcmread(next(p for p in sorted(study_of(coarse_dicom).rglob("IM*"))), stop_before_pixels=True)
    for path in (session / "dicom").glob("*.dcm"):
        made = pydicom.dcmread(path, stop_before_pixels=True)
        assert (made.PatientID, made.StudyInstanceUID) == (source.PatientID, source.StudyInstanceUID)


def test_no_identifier_stands_outside_the_objects(ran, contents, coarse_dicom):
    source = pydicom.dcmread(next(p for p in sorted(study_of(coarse_dicom).rglob("IM*"))), stop_before_pixels=True)
    secret = [str(source.PatientID), str(source.PatientName).replace("^", "."), str(source.AccessionNumber)]
    pattern = re.compile("|".join(re.escape(s) for s in secret if len(s) > 3).encode())
    for name, raw in contents(ran.root).items():
        if "/dicom/" not in name:
            assert not pattern.search(raw), name


@pytest.mark.skipif(not DCIODVFY.exists(), reason="dciodvfy is not installed")
def test_the_objects_are_valid(session):
    for path in sorted((session / "dicom").glob("*.dcm")):
        assert not _errors(path), path.name


def test_a_digital_patient_is_called_so_without_being_told(ran):
    report = Report.model_validate_json((ran.root / ".stages" / "report_model.json").read_text())
    assert DIGITAL_BANNER in report.banners
    assert json.loads((ran.root / "patient.json").read_text())["digital"] is True


def test_the_report_shows_how_the_sequences_lie_and_the_protocol(ran):
    report = Report.model_validate_json((ran.root / ".stages" / "report_model.json").read_text())
    (study,) = report.studies
    assert study.preparation is not None
    assert study.preparation.rows[0][0] == "T1C"
    assert {row[-1] for row in study.preparation.rows[1:]} == {"accepted"}
    assert len(study.pictures) == 3
    assert [m.title.partition(":")[0] for m in study.protocol] == ["Against BTIP 2015", "Against BTIP-BM 2020"]
    assert all("Unverified" in m.notes[0] for m in study.protocol)
    methods = " ".join(m.text for m in report.methods)
    assert "moved rigidly onto T1C" in methods
    assert "deepbet" in methods


def test_measured_volume_is_near_the_truth(ran, coarse_dicom):
    """On a digital head, for which it says nothing about people; a chain that mixes up axes would fail."""
    known = json.loads((coarse_dicom / "truth" / "ses-01.json").read_text())["volume_ml"]["WT"]
    assert ran.value("volume", "WT")["value"] == pytest.approx(known, rel=0.35)


def test_native_and_working_volumes_agree(ran):
    for region in ("WT", "TC"):
        working, native = (ran.value(name, region)["value"] for name in ("volume", "volume_native"))
        assert native == pytest.approx(working, rel=0.06), region


def test_the_way_back_is_found(session, coarse_dicom):
    """Outlines lie where the tumour is: on the truth's slices they overlap it."""
    truth = read_volume(coarse_dicom / "truth" / "ses-01_dseg.nii.gz")
    mine = read_volume(session / "seg" / "native" / "sub-P1_ses-01_dseg.nii.gz").reoriented(truth.grid.axcodes)
    assert mine.grid.matches(truth.grid)
    a, b = LabelMap(mine.data, truth.grid).region("WT"), truth.data > 0
    assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.6


# --- again, and back --------------------------------------------------------------------------------------------


OF_THE_PDF = ("EncapsulatedDocument", "EncapsulatedDocumentLength")


def without_times(dataset):
    """Return every element but dates and times, the PDF (which names times) and what counts their bytes."""
    for element in list(dataset):
        if element.VR in ("DA", "TM", "DT") or element.keyword in OF_THE_PDF:
            del dataset[element.tag]
        elif element.VR == "SQ":
            for item in element.value:
                without_times(item)
    return dataset


@pytest.mark.slow
def test_a_second_run_makes_the_same_but_for_times(tmp_path, ran, travel, coarse_dicom, contents):
    again = travel(study_of(coarse_dicom), tmp_path / "out", "report", fresh=True, patient="P1")
    mine, other = contents(ran.root), contents(again.root)
    assert set(mine) == set(other)
    timed = re.compile(r"dicom/|report|provenance|\.stages/")
    assert not [n for n in mine if not timed.search(n) and mine[n] != other[n]]
    for name in sorted(n for n in mine if n.endswith(".dcm")):
        one, two = (without_times(pydicom.dcmread(r / name)) for r in (ran.root, again.root))
        assert one == two, name


def test_the_same_run_again_does_nothing(ran, travel, coarse_dicom):
    again = travel(study_of(coarse_dicom), ran.root.parent, "report", patient="P1")
    assert not again.did()


def test_the_segmentation_comes_back_as_masks(tmp_path, ran, session, travel, coarse_dicom):
    labels = session / "dicom" / "seg.dcm"
    shutil.copytree(ran.root.parent, tmp_path / "out")  # so that it need not be prepared again
    back = travel(study_of(coarse_dicom), tmp_path / "out", "measure", patient="P1", labels=labels)
    assert back.did() == ["segment", "measure"]
    assert back.measurements()["segmenter"] == "own masks dicom-seg"
    for region in ("WT", "ET"):
        native = [r.value("volume_native", region)["value"] for r in (ran, back)]
        assert native[0] == native[1], region
    stem = "seg/native/sub-P1_ses-01_dseg.nii.gz"
    assert np.array_equal(read_volume(session / stem).data, read_volume(back.root / "ses-01" / stem).data)


@pytest.mark.slow
def test_three_studies_of_one_patient_are_told_apart_and_run_together(tmp_path, travel, coarse_dicom):
    ran = travel(coarse_dicom / "dicom", tmp_path / "out", "report", events=coarse_dicom / "events.csv")
    report = Report.model_validate_json((ran.root / ".stages" / "report_model.json").read_text())
    assert [s.id for s in report.studies] == ["ses-01", "ses-02", "ses-03"]
    assert report.timeline is not None
    assert report.response is not None
    for study in report.studies:
        assert (ran.root / study.id / "dicom" / "seg.dcm").is_file()
    tracked = {s.id: _tracked(ran.root / s.id / "dicom" / "sr.dcm") for s in report.studies}
    judged = {f"response {v.criterion}" for v in read_verdicts(ran.root)}
    assert "response rano-hgg" in judged
    assert judged <= tracked["ses-03"]
    assert not judged & (tracked["ses-01"] | tracked["ses-02"])
    for study in report.studies:
        listed = {(m["name"], m["region"]) for m in ran.measurements(study.id)["measurements"]}
        assert set(read_report_numbers(ran.root / study.id / "dicom" / "sr.dcm")) == listed
        assert not _errors(ran.root / study.id / "dicom" / "sr.dcm")


def _tracked(path):
    """What the measurement groups of a structured report follow."""
    return {g.tracking_identifier for g in srread(path).content.get_image_measurement_groups()}


def _errors(path):
    """What dciodvfy complains about; nothing where it is not installed."""
    if not DCIODVFY.exists():
        return []
    told = subprocess.run([DCIODVFY, "-new", path], capture_output=True, text=True, check=False)
    return [line for line in (told.stdout + told.stderr).splitlines() if SERIES.match(line)]


def test_three_studies_are_found_in_one_tree(coarse_dicom):
    intake = take_in(IntakeRequest(inputs=(coarse_dicom / "dicom",), events=coarse_dicom / "events.csv"))
    (patient,) = intake.patients
    assert patient.digital
    assert [set(s.files) for s in patient.studies] == [set(USED)] * 3
    assert len(patient.events) > 5
    roles = {d.role for d in intake.decisions}
    assert {"localizer", "DWI", "derived", "secondary capture"} <= roles
    assert sum(d.role == "localizer" for d in intake.decisions) == 3  # once a study, not once a plane
