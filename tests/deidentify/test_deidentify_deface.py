"""Faces: gone in any orientation, the brain and everything behind the cut as it was."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from tumorboard.deidentify import Options, deidentify_tree, faces
from tumorboard.deidentify.deface import MARGIN_MM, deface, kept_voxels
from tumorboard.deidentify.objects import NOT_DEFACED
from tumorboard.errors import FileFormatError, GeometryError, InputError
from tumorboard.volume import Grid, Volume

CODES = ["RAS", "LPS", "ASL", "PIR", "SRP", "ILA", "RSA"]


def phantom(spacing=(4.0, 4.0, 4.0), turn: np.ndarray | None = None) -> tuple[Volume, np.ndarray, np.ndarray]:
    """A head with a brain and a nose, RAS, in a box of 200 x 240 x 240 mm; image, brain, nose."""
    shape = tuple(int(n / s) for n, s in zip((200, 240, 240), spacing, strict=True))
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (-100, -120, -140)
    i, j, k = (np.arange(n) * s + o for n, s, o in zip(shape, spacing, (-100, -120, -140), strict=True))
    x, y, z = np.meshgrid(i, j, k, indexing="ij")
    brain = (x / 65) ** 2 + (y / 85) ** 2 + ((z - 20) / 60) ** 2 < 1
    head = (x / 80) ** 2 + (y / 100) ** 2 + ((z + 10) / 100) ** 2 < 1
    nose = (np.abs(x) < 12) & (y > 85) & (y < 112) & (np.abs(z + 75) < 20)
    data = np.where(brain, 800, np.where(head | nose, 300, 5)).astype(np.int16)
    if turn is not None:
        affine = turn @ affine
    return Volume.of(data, affine), brain, nose


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize("spacing", [(4.0, 4.0, 4.0), (3.0, 3.0, 6.0), (5.0, 3.0, 3.0)])
def test_the_nose_goes_the_brain_stays_and_the_rest_is_bit_identical(codes, spacing):
    volume, brain, nose = phantom(spacing)
    turned = volume.reoriented(codes)
    its_brain = Volume(brain, volume.grid).reoriented(codes).data
    result = deface(turned, its_brain)
    assert result.grid == turned.grid or result.grid.matches(turned.grid)
    assert result.data.dtype == np.int16
    kept = kept_voxels(turned.grid, its_brain)
    assert np.array_equal(result.data[kept], turned.data[kept])
    assert not result.data[~kept].any()
    assert np.array_equal(result.data[its_brain], turned.data[its_brain])
    back = result.reoriented("RAS").data
    assert (back[nose & (volume.data > 5)] == 0).mean() > 0.98
    assert (back == volume.data).mean() > 0.6


def test_the_cut_is_the_same_in_every_orientation():
    volume, brain, _ = phantom()
    first = kept_voxels(volume.grid, brain)
    for codes in CODES:
        turned = Volume(brain, volume.grid).reoriented(codes)
        again = Volume(kept_voxels(turned.grid, turned.data), turned.grid).reoriented("RAS").data
        assert np.array_equal(again, first)


def test_a_margin_below_the_brain_stays():
    volume, brain, _ = phantom((4.0, 4.0, 2.0))
    kept = kept_voxels(volume.grid, brain)
    lower = brain.copy()
    for _ in range(int(MARGIN_MM / 2.0) - 1):
        lower[..., :-1] |= lower[..., 1:]
    assert kept[lower].all()


def test_an_oblique_head_is_defaced_as_well():
    angle = np.radians(20)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    volume, brain, nose = phantom(turn=turn)
    result = deface(volume, brain)
    assert (result.data[nose & (volume.data > 5)] == 0).mean() > 0.98


def test_floats_that_are_no_numbers_do_not_spread():
    volume, brain, _ = phantom((8.0, 8.0, 8.0))
    data = volume.data.astype(np.float32)
    data[0, -1, 0] = np.nan  # in front of the cut
    assert np.isfinite(deface(volume.with_data(data), brain).data).all()


@given(st.from_type(Grid), st.integers(0, 2**32 - 1), st.floats(0.05, 0.9))
def test_no_brain_of_any_shape_on_any_grid_is_ever_cut(grid, seed, share):
    brain = np.random.default_rng(seed).random(grid.shape) < share
    try:
        kept = kept_voxels(grid, brain)
    except GeometryError:
        return
    assert kept.shape == grid.shape
    assert kept[brain].all()


@pytest.mark.parametrize("voxels", [0, 1])
def test_what_is_no_brain_is_refused(voxels):
    volume, brain, _ = phantom((8.0, 8.0, 8.0))
    nothing = np.zeros_like(brain)
    nothing.flat[:voxels] = True
    with pytest.raises(GeometryError, match="a brain of three voxels"):
        deface(volume, nothing)
    with pytest.raises(GeometryError, match="on the grid"):
        deface(volume, brain[1:])


# --- files --------------------------------------------------------------------------------------------------------


def find_bright(volume: Volume) -> np.ndarray:
    """Stand in for skull stripping: the phantom's brain is its bright part; FLAIR of the phantom has none."""
    if volume.data.max() < 700:
        raise InputError("a brain", got="none")
    return volume.data > 700


def slices(poison, poisons, volume: Volume, number: int, scale: float = 1.0) -> list[Dataset]:
    """An axial series of a volume, classic MR."""
    lps = volume.reoriented("LPS")
    out = []
    for k in range(lps.data.shape[2]):
        ds = poison.mr_slice(poisons, "A", 1, "20210304", k + 1)
        plane = np.ascontiguousarray((lps.data[:, :, k].T * scale).astype(np.uint16))
        ds.Rows, ds.Columns = plane.shape
        ds.PixelSpacing = [lps.spacing_mm[1], lps.spacing_mm[0]]
        ds.SliceThickness = lps.spacing_mm[2]
        place = lps.affine[:3, :3] @ (0, 0, k) + lps.affine[:3, 3]
        ds.ImagePositionPatient = [-float(place[0]), -float(place[1]), float(place[2])]
        ds.SeriesNumber, ds.SeriesInstanceUID = number, f"{poison.ROOT}.{number}"
        ds.SOPInstanceUID = f"{ds.SeriesInstanceUID}.{k + 1}"
        ds.ReferencedImageSequence = []
        ds.PixelData = plane.tobytes()
        out.append(ds)
    return out


@pytest.fixture
def study(poison, tmp_path):
    """A T1 in which a brain can be found, and another sequence on the same frame of reference in which none can."""
    poisons = poison.Poison(tmp_path / "in")
    poisons.root.mkdir()
    volume, _, _ = phantom((6.0, 6.0, 10.0))
    for number, scale in ((3, 1.0), (4, 0.5)):
        for k, ds in enumerate(slices(poison, poisons, volume, number, scale)):
            (poisons.root / f"{number}-{k}").write_bytes(poison.file_bytes(ds, poisons))
    return poisons


def nose_of(folder, nose, volume):
    """Stored pixels of a series' slices, stacked as the phantom is (LPS)."""
    found = sorted((pydicom.dcmread(p) for p in folder.glob("*.dcm")), key=lambda ds: ds.ImagePositionPatient[2])
    data = np.stack([ds.pixel_array.T for ds in found], axis=-1)
    turned = Volume(nose & (volume.data > 5), volume.grid).reoriented("LPS").data
    return found, data, turned


def test_a_dicom_study_is_defaced_in_every_series_by_one_brain(study, poison, tmp_path, monkeypatch):
    monkeypatch.setattr(faces, "find_brain", find_bright)
    deidentify_tree([study.root], tmp_path / "out", Options(deface=True))
    volume, brain, nose = phantom((6.0, 6.0, 10.0))
    folders = sorted(p.parent for p in (tmp_path / "out").rglob("IM00001.dcm"))
    assert len(folders) == 2
    before = volume.reoriented("LPS").data
    kept = Volume(kept_voxels(volume.grid, brain), volume.grid).reoriented("LPS").data
    for folder, scale in zip(folders, (1.0, 0.5), strict=True):
        found, data, nose_there = nose_of(folder, nose, volume)
        assert not data[nose_there & ~kept].any()
        assert (data[nose_there] == 0).mean() > 0.95
        assert np.array_equal(data[kept], (before * scale).astype(np.uint16)[kept])
        for ds in found:
            assert "113102" in {item.CodeValue for item in ds.DeidentificationMethodCodeSequence}
            assert (ds.BitsStored, ds.PixelRepresentation) == (12, 0)
    for path in (tmp_path / "out").rglob("*.dcm"):
        assert poison.left_in(path.read_bytes(), study) == []


def test_an_image_in_which_no_brain_is_found_is_left_out(study, tmp_path, monkeypatch):
    def none(volume: Volume) -> np.ndarray:
        raise InputError("a brain", got="none")

    monkeypatch.setattr(faces, "find_brain", none)
    with pytest.raises(FileFormatError, match=NOT_DEFACED):
        deidentify_tree([study.root], tmp_path / "out", Options(deface=True))
    assert not list((tmp_path / "out").rglob("*.dcm"))


def test_a_stripped_image_passes_as_it_is(study, tmp_path, monkeypatch):
    monkeypatch.setattr(faces, "find_brain", lambda volume: None)
    done = deidentify_tree([study.root], tmp_path / "out", Options(deface=True))
    assert sum(done.written.values()) == 48


def test_compressed_pixels_are_defaced_and_written_uncompressed(study, tmp_path, monkeypatch):
    from pydicom.uid import RLELossless

    for path in study.root.iterdir():
        ds = pydicom.dcmread(path)
        ds.compress(RLELossless, generate_instance_uid=False)
        ds.save_as(path, enforce_file_format=True)
    monkeypatch.setattr(faces, "find_brain", find_bright)
    deidentify_tree([study.root], tmp_path / "out", Options(deface=True))
    volume, _, nose = phantom((6.0, 6.0, 10.0))
    folder = min(p.parent for p in (tmp_path / "out").rglob("IM00001.dcm"))
    found, data, nose_there = nose_of(folder, nose, volume)
    assert (data[nose_there] == 0).mean() > 0.95
    assert {ds.file_meta.TransferSyntaxUID for ds in found} == {"1.2.840.10008.1.2.1"}


def test_compressed_pixels_pass_as_they_are_when_faces_may_stay(study, tmp_path):
    from pydicom.uid import RLELossless

    for path in study.root.iterdir():
        ds = pydicom.dcmread(path)
        ds.compress(RLELossless, generate_instance_uid=False)
        ds.save_as(path, enforce_file_format=True)
    before = {int(d.InstanceNumber): d.PixelData for d in map(pydicom.dcmread, study.root.glob("3-*"))}
    deidentify_tree([study.root], tmp_path / "out")
    folder = min(p.parent for p in (tmp_path / "out").rglob("IM00001.dcm"))
    assert {int(d.InstanceNumber): d.PixelData for d in map(pydicom.dcmread, folder.iterdir())} == before


@pytest.mark.parametrize("codes", ["RAS", "PIR"])
def test_a_nifti_head_is_defaced_by_its_stored_voxels(tmp_path, monkeypatch, codes):
    monkeypatch.setattr(faces, "find_brain", find_bright)
    volume, brain, nose = phantom((6.0, 6.0, 6.0))
    turned = volume.reoriented(codes)
    (tmp_path / "in" / "Vornkamp").mkdir(parents=True)
    nib.save(nib.Nifti1Image(np.ascontiguousarray(turned.data), turned.affine), tmp_path / "in/Vornkamp/T1.nii.gz")
    deidentify_tree([tmp_path / "in"], tmp_path / "out", Options(deface=True))
    (path,) = (tmp_path / "out").rglob("*.nii.gz")
    stored = np.asarray(nib.load(path).dataobj.get_unscaled())
    its = Volume(brain, volume.grid).reoriented(codes).data
    assert np.array_equal(stored, deface(turned, its).data)
    assert (stored[Volume(nose & (volume.data > 5), volume.grid).reoriented(codes).data] == 0).mean() > 0.95


@pytest.mark.slow
def test_a_digital_head_is_defaced_by_the_real_skull_stripping(poison, tmp_path):
    from tumorboard.sequences import Sequence
    from tumorboard.simulate.patient import digital_patient
    from tumorboard.simulate.scanner.head import whole_head

    patient = digital_patient(spacing_mm=2.0).studies[0]
    stripped = patient.volumes[Sequence.T1]
    head = whole_head(patient.volumes, stripped.data != 0, patient.truth)
    volume = head.volumes[Sequence.T1]
    poisons = poison.Poison(tmp_path / "in")
    poisons.root.mkdir()
    positive = volume.with_data(np.clip(volume.data, 0, 4000))
    for k, ds in enumerate(slices(poison, poisons, positive, 3)):
        (poisons.root / f"{k}").write_bytes(poison.file_bytes(ds, poisons))
    deidentify_tree([poisons.root], tmp_path / "out", Options(deface=True))
    (folder,) = {p.parent for p in (tmp_path / "out").rglob("*.dcm")}
    _, data, brain = nose_of(folder, head.brain.data & (volume.data > 5), volume)
    before = positive.reoriented("LPS").data.astype(np.uint16)
    assert np.array_equal(data[brain], before[brain])
    y = head.brain.data.any(axis=(0, 2)).nonzero()[0].max()
    z = head.brain.data.any(axis=(0, 1)).nonzero()[0].min()
    face = Volume(positive.data, volume.grid).data[:, y:, :z] > 50
    after = Volume(data, positive.reoriented("LPS").grid).reoriented("RAS").data[:, y:, :z]
    assert face.sum() > 100
    assert (after[face] == 0).mean() > 0.95
