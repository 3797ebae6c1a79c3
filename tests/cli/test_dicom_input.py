"""Bad DICOM input through the real command: refused in words, or left out and said; nobody's name, nothing lost."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from tumorboard.cli import preflight
from tumorboard.intake import archive
from tumorboard.prepare.skull import T1_FIRST, HeadMask

NAME = "DOE^JANE=DOE^JANE"
FOLDERS = {"T1": "SE0002", "T2": "SE0003", "FLAIR": "SE0004", "T1C": "SE0006"}
BODIES = {
    "SEG": "1.2.840.10008.5.1.4.1.1.66.4",
    "SR": "1.2.840.10008.5.1.4.1.1.88.34",
    "CT": "1.2.840.10008.5.1.4.1.1.2",
}


def rewrite(path, **changes):
    """Change elements of a file; None removes one."""
    dataset = pydicom.dcmread(path)
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    if "SOPClassUID" in changes:
        dataset.file_meta.MediaStorageSOPClassUID = changes["SOPClassUID"]
    dataset.save_as(path)


@pytest.fixture(autouse=True)
def known_brain(request, monkeypatch):
    """Spare ``validate`` the outlining of brains, which is tested in its own room."""
    if "slow" in request.keywords:
        return

    def found(volumes, where=""):
        sequence = next(s for s in T1_FIRST if s in volumes)
        data = np.ones(volumes[sequence].grid.shape, np.uint8)
        return HeadMask(volumes[sequence].with_data(data), sequence, "a test", ())

    monkeypatch.setattr(preflight, "head_mask", found)


@pytest.fixture
def study(home, coarse_dicom):
    """One study of a patient with a name, in a folder of that name."""
    (patient,) = (coarse_dicom / "dicom").iterdir()
    for series in FOLDERS.values():
        shutil.copytree(patient / "ST0001" / series, home / series)
    for path in home.rglob("IM*"):
        rewrite(path, PatientName=NAME, PatientID="DOE-19610304", PatientBirthDate="19610304")
    return home


def files(study, sequence):
    return sorted((study / FOLDERS[sequence]).iterdir())


# --- refused ----------------------------------------------------------------------------------------------------


def test_two_patients_in_one_study(refused, study, tmp_path):
    for path in files(study, "T2"):
        rewrite(path, PatientID="DOE-JANES-SISTER")
    refused("run", study, "--out", tmp_path / "out", says=("expected one patient in a study", "several patients"))
    assert not (tmp_path / "out").exists()


def test_two_equal_series_for_one_sequence(refused, study, tmp_path):
    again, uid = study / "SE0020", generate_uid()
    shutil.copytree(study / FOLDERS["T1C"], again)
    for path in again.iterdir():
        rewrite(path, SeriesInstanceUID=uid, SOPInstanceUID=generate_uid(), SeriesNumber=20)
    refused("validate", study, says=("T1C", "--sequence"))


def test_of_two_equal_series_the_named_one_is_taken(command, study):
    again, uid = study / "SE0020", generate_uid()
    shutil.copytree(study / FOLDERS["T1C"], again)
    for path in again.iterdir():
        rewrite(path, SeriesInstanceUID=uid, SOPInstanceUID=generate_uid(), SeriesNumber=20)
    ended = command("validate", study, "--sequence", "T1C=20")
    assert ended.code == 0, ended.text
    assert "named by the user" in ended.flat


@pytest.mark.parametrize(("kind", "word"), [("SEG", "segmentation"), ("SR", "structured report"), ("CT", "CT")])
def test_no_images_of_heads_at_all(refused, study, tmp_path, kind, word):
    for sequence in ("T1", "T2", "FLAIR"):
        shutil.rmtree(study / FOLDERS[sequence])
    for path in files(study, "T1C"):
        rewrite(path, Modality=kind, SOPClassUID=BODIES[kind])
    refused("run", study, "--out", tmp_path / "out", says=("expected at least one MR sequence", word))


def test_a_series_number_that_is_not_there(refused, study):
    refused("validate", study, "--sequence", "T1C=99", says=("the series are 2, 3, 4, 6",))


# --- mixed, and told apart ---------------------------------------------------------------------------------------


def test_two_patients_in_one_tree_are_told_apart(command, study):
    sister = study / "another"
    for sequence in ("T1C", "FLAIR"):
        shutil.copytree(study / FOLDERS[sequence], sister / sequence)
    uids = {}
    for path in sister.rglob("IM*"):
        header = pydicom.dcmread(path)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
            setattr(header, keyword, uids.setdefault(header[keyword].value, generate_uid()))
        header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
        header.PatientID, header.PatientName = "DOE-2", "DOE^ANN"
        header.save_as(path)
    ended = command("validate", study)
    assert ended.code == 0, ended.text
    assert ended.flat.count("no T2, T1 found") == 1
    assert ended.flat.count("fine whole heads: sequences will be moved onto T1C") == 2
    assert "DOE" not in ended.text


def test_two_studies_of_one_day_stay_two(command, study):
    second, uid = study / "second", generate_uid()
    for sequence in ("T1C", "FLAIR"):
        shutil.copytree(study / FOLDERS[sequence], second / sequence)
    series = {}
    for path in second.rglob("IM*"):
        header = pydicom.dcmread(path)
        rewrite(
            path,
            StudyInstanceUID=uid,
            SeriesInstanceUID=series.setdefault(header.SeriesInstanceUID, generate_uid()),
            SOPInstanceUID=generate_uid(),
        )
    ended = command("validate", study)
    assert ended.code == 0, ended.text
    assert "ses-01" in ended.flat
    assert "ses-02" in ended.flat
    assert "ses-03" not in ended.flat


# --- left out, and said -----------------------------------------------------------------------------------------


def hurt_decoder(path):
    """Give a file pixel data of a syntax that nothing here reads."""
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([b"\0\0\1\xb3" + bytes(60)])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    dataset.save_as(path, enforce_file_format=True)


def test_pixel_data_that_no_decoder_reads_is_named_and_the_others_go_on(command, study):
    for path in files(study, "T2"):
        hurt_decoder(path)
    ended = command("validate", study)
    assert ended.code == 0, ended.text
    assert "MPEG2" in ended.flat
    assert "no T2 found" in ended.flat
    assert "DOE" not in ended.text


def test_a_truncated_file_amid_a_good_series_costs_that_series_alone(command, study):
    middle = files(study, "T2")[9]
    middle.write_bytes(middle.read_bytes()[:700])
    ended = command("validate", study)
    assert ended.code == 0, ended.text
    assert "T2" in ended.flat
    assert "no T2 found" in ended.flat
    assert "FLAIR" in ended.flat
    assert "DOE" not in ended.text


def test_a_missing_slice_costs_that_series_alone(command, study):
    files(study, "FLAIR")[12].unlink()
    ended = command("validate", study)
    assert ended.code == 0, ended.text
    assert "no FLAIR found" in ended.flat
    assert "missing" in ended.flat


def test_files_given_twice_count_once(command, study):
    shutil.copytree(study / FOLDERS["T1C"], study / "copy")
    ended = command("validate", study)
    assert ended.code == 0, ended.text
    assert "no T1C" not in ended.flat


def test_stray_files_do_not_disturb(command, study):
    (study / "DICOMDIR").write_bytes(os.urandom(4000))
    (study / "notes.txt").write_text("DOE JANE")
    (study / "IM_empty").touch()
    ended = command("validate", study)
    assert ended.code == 0, ended.text
    assert "DOE" not in ended.text


# --- names ------------------------------------------------------------------------------------------------------

NAMES = (
    "<script>alert(1)</script>^X",
    "Evil^Na\x1b[31mme",
    "Müller^Jörg",
    "山田^太郎",
    "Иванов^Иван",
    "=HYPERLINK(1)^A",
)


@pytest.mark.parametrize("name", NAMES, ids=["markup", "control", "latin", "kanji", "cyrillic", "formula"])
def test_hostile_and_foreign_names_are_never_shown(command, study, name):
    for path in study.rglob("IM*"):
        rewrite(path, SpecificCharacterSet="ISO_IR 192", PatientName=name, PatientID=name.replace("^", "-")[:64])
    ended = command("validate", study)
    assert ended.code == 0, ended.text
    for word in (*name.split("^"), "script", "\x1b[31m"):
        assert len(word) < 3 or word not in ended.text


@pytest.mark.slow
def test_a_hostile_name_reaches_the_objects_and_nothing_else(command, study, tmp_path):
    name, spoken = "<script>alert(1)</script>^Ω", "<b>T1C</b>"
    for path in study.rglob("IM*"):
        rewrite(path, SpecificCharacterSet="ISO_IR 192", PatientName=name)
    ended = command("run", study, "--out", tmp_path / "out", "--patient", "P1")
    assert ended.code == 0, ended.text
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file() and path.suffix != ".dcm":
            raw = path.read_bytes()
            assert b"alert(1)" not in raw, path.name
            assert spoken.encode() not in raw
    seg = pydicom.dcmread(tmp_path / "out" / "sub-P1" / "ses-01" / "dicom" / "seg.dcm")
    assert str(seg.PatientName) == name


# --- archives and links -----------------------------------------------------------------------------------------


def zipped(folder, target):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            made.write(path, path.relative_to(folder).as_posix())
    return target


def test_a_zip_is_as_good_as_a_folder(command, study, tmp_path):
    archived = zipped(study, tmp_path / "DOE_JANE.zip")
    from_folder, from_zip = command("validate", study), command("validate", archived)
    assert from_zip.code == from_folder.code == 0
    assert from_zip.flat == from_folder.flat


def test_an_archive_is_left_as_it_was_and_nothing_is_left_of_it(command, study, tmp_path, monkeypatch):
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(archive.tempfile, "tempdir", str(place))
    archived = zipped(study, tmp_path / "DOE_JANE.zip")
    before = archived.read_bytes()
    assert command("validate", archived).code == 0
    assert archived.read_bytes() == before
    assert not list(place.iterdir())


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("IM1", bytes(archive.RATIO_FROM + 1))


def outside(path):
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("../../DOE_JANE.dcm", b"x")


def absolute(path):
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("/tmp/DOE_JANE.dcm", b"x")


def linked(path):
    with zipfile.ZipFile(path, "w") as made:
        link = zipfile.ZipInfo("IM1")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")


def damaged(path):
    bomb(path)
    path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (bomb, "a member that grows far more"),
        (outside, "a member that names a place outside it"),
        (absolute, "a member that names a place outside it"),
        (linked, "a symbolic link"),
        (damaged, "a damaged one"),
    ],
)
def test_hostile_archives_are_refused_and_nothing_is_written(refused, tmp_path, make, says):
    target = tmp_path / "DOE^JANE.zip"
    make(target)
    before = set(tmp_path.parent.rglob("*"))
    refused("validate", target, says=(says,))
    assert set(tmp_path.parent.rglob("*")) == before


def test_links_in_a_circle_end(command, study):
    (study / "again").symlink_to(study, target_is_directory=True)
    (study / FOLDERS["T1"] / "up").symlink_to(study.parent, target_is_directory=True)
    ended = command("validate", study)
    assert ended.code == 0, ended.text


# --- the user's brain mask and masks ----------------------------------------------------------------------------


def test_a_brain_mask_of_another_grid_is_refused(refused, study, coarse_dicom):
    from tumorboard.io.images import read_volume, write_volume

    mask = read_volume(coarse_dicom / "truth" / "ses-01_brain.nii.gz")
    target = study.parent / "mask.nii.gz"
    write_volume(type(mask).of(mask.data[:-2].copy(), mask.affine), target)
    says = ("a brain mask on the grid of the reference sequence", "nearest neighbour")
    refused("validate", study, "--brain-mask", target, says=says)


def test_a_scheme_beside_a_dicom_segmentation_is_refused(refused, study, tmp_path):
    made = pydicom.Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = BODIES["SEG"]
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = generate_uid()
    made.Modality = "SEG"
    made.save_as(study.parent / "seg.dcm", enforce_file_format=True)
    refused("validate", study, "--labels", study.parent / "seg.dcm", "--scheme", "brats2023", says=("no --scheme",))
    refused("validate", study, "--labels", study.parent / "seg.dcm")


def test_every_voxel_of_the_series_is_that_of_the_files(study):
    """The copies that these tests change are still what was written: a check of the tests themselves."""
    shown = [pydicom.dcmread(p).pixel_array for p in files(study, "T1C")]
    assert len({a.shape for a in shown}) == 1
    assert np.stack(shown).std() > 0
