"""NIfTI trees: names and texts gone, voxels and geometry byte for byte as they were."""

from __future__ import annotations

import gzip

import nibabel as nib
import numpy as np
import pytest

from tumorboard.deidentify import deidentify_tree
from tumorboard.deidentify.nifti import cleaned_bytes, new_name, owner_of
from tumorboard.deidentify.objects import NOT_WHOLE
from tumorboard.deidentify.read import LeftOut
from tumorboard.errors import FileFormatError

NAMES = (b"VORNKAMP", b"Aurelia", b"19610304")
DATA = np.random.default_rng(0).integers(-500, 500, (5, 4, 3)).astype(np.int16)
AFFINE = np.array([[0.9, 0.1, 0, -70], [-0.1, 0.9, 0, -80], [0, 0, 3, 12.5], [0, 0, 0, 1]])


def image(kind=nib.Nifti1Image, data=DATA):
    """An image with names in every text of its header and in an extension."""
    made = kind(data, AFFINE)
    header = made.header
    header["descrip"], header["aux_file"], header["intent_name"] = "VORNKAMP 19610304", "Aurelia.txt", "Aurelia"
    if kind is nib.Nifti1Image:
        header["db_name"], header["data_type"] = "VORNKAMP", "Aurelia"
    header.set_slope_inter(2.0, 1.0)
    header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"VORNKAMP^Aurelia 19610304"))
    header.extensions.append(nib.nifti1.Nifti1Extension("dicom", b""))
    return made


@pytest.fixture
def tree(tmp_path):
    for name in (
        *("VORNKAMP_Aurelia/1961-03-04/VORNKAMP_T1_post.nii.gz", "VORNKAMP_Aurelia/1961-03-04/VORNKAMP_FLAIR.nii"),
        *("VORNKAMP_Aurelia/1961-06-04/VORNKAMP_T2.nii.gz", "sub-Doe12345/ses-b/anat/sub-Doe12345_ses-b_T1w.nii.gz"),
    ):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(image(), path)
    (tmp_path / "in" / "participants.tsv").write_text("VORNKAMP")
    return tmp_path / "in"


def unpacked(path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


def test_nothing_of_the_person_is_left_and_the_voxels_are_the_same(tree, tmp_path):
    done = deidentify_tree([tree], tmp_path / "out")
    files = sorted(p for p in (tmp_path / "out").rglob("*.nii*"))
    assert len(files) == sum(done.written.values()) == 4
    for path in files:
        assert not any(name.lower() in unpacked(path).lower() for name in NAMES)
        assert not any(name.lower() in path.relative_to(tmp_path).as_posix().lower().encode() for name in NAMES)
        found = nib.load(path)
        assert np.array_equal(found.dataobj.get_unscaled(), DATA)
        assert np.allclose(found.affine, AFFINE, atol=1e-6)
        assert (found.dataobj.slope, found.dataobj.inter) == (2.0, 1.0)
        assert list(found.header.extensions) == []
        assert bytes(found.header["descrip"]).strip(b"\0") == b""


def test_patients_studies_and_names_of_files(tree, tmp_path):
    deidentify_tree([tree], tmp_path / "out")
    below = sorted(p.relative_to(tmp_path / "out").as_posix().split("/", 1) for p in (tmp_path / "out").rglob("*.nii*"))
    assert len({sub for sub, _ in below}) == 2
    assert {rest for _, rest in below} == {
        *("01/001/001_FLAIR.nii", "01/001/002_T1_post.nii.gz", "02/001/001_T2.nii.gz", "01/001/001_T1w.nii.gz")
    }


def test_the_same_input_gives_the_same_bytes(tree):
    (path,) = tree.rglob("*T2.nii.gz")
    assert cleaned_bytes(path) == cleaned_bytes(path)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_versions_and_byte_orders(tmp_path, kind, order):
    made = image(kind)
    swapped = kind(DATA, AFFINE, made.header.as_byteswapped(order))
    swapped.header.set_slope_inter(1.0, 0.0)
    path = tmp_path / "T1.nii"
    nib.save(swapped, path)
    _, plain = cleaned_bytes(path)
    assert not any(name in plain for name in NAMES)
    found = kind.from_bytes(plain)
    assert np.array_equal(np.asarray(found.dataobj), np.asarray(nib.load(path).dataobj))
    assert np.array_equal(found.affine, nib.load(path).affine)


@pytest.mark.parametrize("size", [0, 3, 100, 347, 350, 400])
def test_a_file_cut_short_is_left_out(tmp_path, size):
    path = tmp_path / "in" / "Vornkamp_T1.nii"
    path.parent.mkdir()
    nib.save(image(), path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(LeftOut, match="damaged"):
        cleaned_bytes(path)
    with pytest.raises(FileFormatError, match=NOT_WHOLE.split(",")[0]) as told:
        deidentify_tree([tmp_path / "in"], tmp_path / "out")
    assert "ornkamp" not in str(told.value)


def test_fewer_voxels_than_the_header_says_are_left_out(tmp_path):
    path = tmp_path / "T1.nii"
    nib.save(image(), path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(LeftOut):
        cleaned_bytes(path)


def test_bytes_behind_the_last_voxel_do_not_leave(tmp_path):
    path = tmp_path / "T1.nii"
    nib.save(image(), path)
    path.write_bytes(path.read_bytes() + b"VORNKAMP")
    _, plain = cleaned_bytes(path)
    assert b"VORNKAMP" not in plain


def test_a_packed_file_that_is_not_packed_is_left_out(tmp_path):
    path = tmp_path / "T1.nii.gz"
    path.write_bytes(b"Vornkamp" * 100)
    with pytest.raises(LeftOut):
        cleaned_bytes(path)


def test_names_of_the_field_stay_in_file_names(tmp_path):
    assert new_name(tmp_path / "VORNKAMP 1961 T1+C.nii", 7) == "007_T1_plus_C.nii"
    assert new_name(tmp_path / "Aurelia.NII.GZ", 1) == "001.nii.gz"


def test_files_directly_in_the_input_are_one_patient(tmp_path):
    owners = {owner_of(tmp_path, tmp_path / name) for name in ("T1.nii", "T2.nii")}
    assert len(owners) == 1
