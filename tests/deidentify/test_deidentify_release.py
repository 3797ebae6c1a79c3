"""A poisoned tree, de-identified: nothing planted is left, and what is needed still is."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest

from tumorboard.deidentify import Options, deidentify_tree, open_key
from tumorboard.deidentify.words import OPTIONS

DCIODVFY = Path(sys.executable).parent / "dciodvfy"
PASSPHRASE = "a long enough passphrase"


def images(folder: Path) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(p) for p in sorted(folder.rglob("*.dcm"))]


def errors_of(path: Path) -> list[str]:
    told = subprocess.run([DCIODVFY, str(path)], capture_output=True, text=True, check=False).stderr
    return [line for line in told.splitlines() if line.startswith("Error")]


def uids_in(dataset: pydicom.Dataset, keyword: str) -> set[str]:
    return {str(e.value) for e in dataset.iterall() if e.keyword == keyword}


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_enough_is_planted_and_all_of_it_is_in_the_input(poison, poisoned):
    before = b"".join(p.read_bytes() for p in poisoned.root.rglob("*") if p.is_file())
    assert len(set(poisoned.planted.values())) >= 100
    found = set(poison.left_in(before, poisoned))
    assert set(poisoned.planted) - found == {"file name", "folder", "birthday in a folder"}


def test_nothing_planted_is_left_in_any_byte_or_name(poison, poisoned, released):
    for name, content in contents(released).items():
        assert poison.left_in(content, poisoned) == [], name
        assert poison.left_in(name.encode(), poisoned) == []
    assert len(images(released)) == 8


@pytest.mark.skipif(not DCIODVFY.exists(), reason="dicom3tools is not installed")
def test_input_and_output_are_valid_dicom(poisoned, released):
    leave = [p for p in poisoned.root.rglob("*") if p.is_file() and p.name not in ("capture", "document", "notes.txt")]
    for path in [*leave, *released.rglob("*.dcm")]:
        assert errors_of(path) == []


def test_one_pseudonym_a_patient_in_all_studies_and_in_results_that_name_no_issuer(released):
    names = {(str(ds.PatientName), ds.PatientID) for ds in images(released)}
    assert len(names) == 2
    assert all(a == b for a, b in names)
    assert {f"sub-{b}" for _, b in names} == {p.name for p in released.iterdir() if p.is_dir()}
    modalities = [[ds.Modality for ds in images(p)] for p in sorted(released.iterdir()) if p.is_dir()]
    assert sorted(modalities, key=len) == [["MR"] * 2, ["MR", "MR", "MR", "SR", "MR", "MR"]]


def test_dates_move_together_and_times_stay(poisoned, released):
    for folder in (p for p in released.iterdir() if p.is_dir()):
        found = images(folder)
        dates = sorted({ds.StudyDate for ds in found})
        before = poisoned.dates["A" if len(found) == 6 else "B"]
        moved = [dt.date.fromisoformat(d) for d in dates]
        original = [dt.date.fromisoformat(d) for d in before]
        shifts = {b - a for a, b in zip(original, moved, strict=True)}
        assert len(shifts) == 1
        assert -3650 <= shifts.pop().days <= -1
        for ds in found:
            assert ds.StudyDate == ds.SeriesDate == ds.AcquisitionDateTime[:8]
            assert ds.AcquisitionDateTime[8:] == ds.StudyTime == "101530.25"
            assert ds.PatientBirthDate == ""
            assert "PatientBirthTime" not in ds


def test_references_still_lead_to_what_they_meant(released):
    everything = images(released)
    there = {ds.SOPInstanceUID for ds in everything}
    for ds in everything:
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
        assert uids_in(ds, "ReferencedSOPInstanceUID") <= there
    report = next(ds for ds in everything if ds.Modality == "SR")
    first = next(ds for ds in everything if ds.StudyDate == report.StudyDate and ds.InstanceNumber == 1)
    assert uids_in(report, "ReferencedSOPInstanceUID") == {first.SOPInstanceUID}
    assert uids_in(report, "SeriesInstanceUID") >= {first.SeriesInstanceUID}
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in there)


def test_what_was_done_is_recorded_as_the_standard_asks(released):
    for ds in images(released):
        assert ds.PatientIdentityRemoved == "YES"
        assert ds.LongitudinalTemporalInformationModified == "MODIFIED"
        codes = {item.CodeValue: item.CodeMeaning for item in ds.DeidentificationMethodCodeSequence}
        assert codes == {c: OPTIONS[c] for c in ("113100", "113104", "113105", "113107", "113108", "113111")}


def test_names_of_options_are_those_of_the_standard():
    from pydicom.sr.codedict import codes

    known = {c.value: c.meaning for c in codes.DCM.concepts.values()}
    assert {code: known[code] for code in OPTIONS} == OPTIONS


def test_what_the_images_are_for_is_kept(poison, poisoned, released):
    ds = next(d for d in images(released) if d.Modality == "MR")
    assert ds.SeriesDescription == "AX T1 post GD"
    assert ds[0x0019100C].value == 1000
    assert (ds.Manufacturer, ds.ManufacturerModelName, ds.EchoTime) == ("SIEMENS", "Skyra", 10)
    assert (ds.PatientSex, ds.PatientWeight) == ("F", 71.5)
    assert ds.AnatomicRegionSequence[0].CodeMeaning == "Brain"
    assert [e.tag for e in ds if e.tag.is_private] == [0x00190010, 0x0019100C]
    pixels = np.random.default_rng(int(ds.InstanceNumber)).integers(0, 4096, (16, 16), dtype=np.uint16)
    assert np.array_equal(ds.pixel_array, pixels)


def test_ages_above_89_are_90(released):
    assert {ds.PatientAge for ds in images(released) if ds.Modality == "MR"} == {"090Y", "061Y"}


def test_overlays_preamble_and_senders_are_gone(released):
    for path in released.rglob("*.dcm"):
        ds = pydicom.dcmread(path)
        assert ds.preamble == bytes(128)
        assert not [e for e in ds if e.tag.group & 0xFF00 in (0x6000, 0x5000)]
        assert {e.keyword for e in ds.file_meta} == {
            *("FileMetaInformationGroupLength", "FileMetaInformationVersion", "MediaStorageSOPClassUID"),
            *("MediaStorageSOPInstanceUID", "TransferSyntaxUID", "ImplementationClassUID", "ImplementationVersionName"),
        }


def test_words_of_a_report_are_cleaned_and_its_codes_stay(released):
    report = next(ds for ds in images(released) if ds.Modality == "SR")
    by_kind = {item.ValueType: item for item in report.ContentSequence}
    assert by_kind["TEXT"].TextValue == "Mr tumour"
    assert str(by_kind["PNAME"].PersonName) == "REMOVED"
    assert by_kind["DATETIME"].DateTime == f"{report.StudyDate}101112"
    assert by_kind["UIDREF"].UID.startswith("2.25.")
    assert by_kind["TEXT"].ConceptNameCodeSequence[0].CodeMeaning == "Finding"


def test_what_must_not_leave_is_counted_with_its_reason(released):
    told = json.loads((released / "deidentification.json").read_text())
    assert sum(told["files_left_out"].values()) == 3
    page = (released / "deidentification.md").read_text()
    for reason in told["files_left_out"]:
        assert reason in page
    assert told["attributes"]["PatientComments"] == {"X": 7}
    assert told["attributes"]["PatientName"] == {"P": 8}
    assert "| PatientComments | removed (X) | 7 |" in page


def test_the_same_key_gives_the_same_bytes_and_another_key_others(poisoned, tmp_path):
    key = tmp_path / "keys" / "study.key"
    runs = []
    for name, its in (("a", key), ("b", key), ("c", tmp_path / "other.key"), ("d", None)):
        options = Options(key=its, passphrase=PASSPHRASE)
        deidentify_tree([poisoned.root], tmp_path / name, options)
        runs.append(contents(tmp_path / name))
    assert runs[0] == runs[1]
    images_of = [{v for k, v in run.items() if k.endswith(".dcm")} for run in runs]
    assert not images_of[0] & images_of[2]
    assert not images_of[0] & images_of[3]
    assert runs[0].keys() != runs[3].keys()


def test_a_run_into_its_own_output_changes_nothing_and_another_key_is_refused_there(poisoned, tmp_path):
    from tumorboard.errors import OutputError

    options = Options(key=tmp_path / "k.key", passphrase=PASSPHRASE)
    deidentify_tree([poisoned.root], tmp_path / "out", options)
    before = contents(tmp_path / "out")
    deidentify_tree([poisoned.root], tmp_path / "out", options)
    assert contents(tmp_path / "out") == before
    with pytest.raises(OutputError, match="empty output folder"):
        deidentify_tree([poisoned.root], tmp_path / "out")


def test_a_later_study_of_the_patient_gets_the_same_name_and_shift(poisoned, tmp_path):
    options = Options(key=tmp_path / "k.key", passphrase=PASSPHRASE)
    deidentify_tree([poisoned.root], tmp_path / "all", options)
    shutil.copytree(poisoned.root / "second", tmp_path / "later")
    deidentify_tree([tmp_path / "later"], tmp_path / "alone", options)
    alone = images(tmp_path / "alone")[0]
    same = [ds for ds in images(tmp_path / "all") if ds.SOPInstanceUID == alone.SOPInstanceUID]
    assert [(ds.PatientID, ds.StudyDate) for ds in same] == [(alone.PatientID, alone.StudyDate)]


def test_the_key_leads_back(poisoned, tmp_path):
    path = tmp_path / "k.key"
    deidentify_tree([poisoned.root], tmp_path / "out", Options(key=path, passphrase=PASSPHRASE))
    key = open_key(path, PASSPHRASE)
    for ds in images(tmp_path / "out"):
        entry = key.who(ds.PatientID)
        assert entry is not None
        assert entry.patient_id in poisoned.planted.values()
        original = dt.date.fromisoformat(ds.StudyDate) - dt.timedelta(entry.shift_days)
        assert original.strftime("%Y%m%d") in {d for dates in poisoned.dates.values() for d in dates}


def test_kept_dates_are_kept_and_said_to_be(poison, poisoned, tmp_path):
    deidentify_tree([poisoned.root], tmp_path / "out", Options(shift_dates=False))
    found = images(tmp_path / "out")
    assert {ds.StudyDate for ds in found} == {d for dates in poisoned.dates.values() for d in dates}
    for ds in found:
        codes = {item.CodeValue for item in ds.DeidentificationMethodCodeSequence}
        assert "113106" in codes
        assert "113107" not in codes
        assert ds.LongitudinalTemporalInformationModified == "UNMODIFIED"
    assert all(poison.left_in(c, poisoned) == [] for c in contents(tmp_path / "out").values())
