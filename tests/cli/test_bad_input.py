"""Bad input through the real command: exit code 2, a sentence that helps, nobody's name, nothing lost."""

import errno
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tumorboard.io.images import write_volume
from tumorboard.volume import Volume

NAME = "DOE_JANE_1961-03-04"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "DOE^JANE-results"


# --- nothing there ----------------------------------------------------------------------------------------------


def test_empty_folder(refused, home, out):
    refused("run", home, "--out", out, says=("expected at least one MR sequence", "no files", "--sequence"))
    assert not out.exists()


def test_no_such_folder(refused, home, out):
    refused("run", home / "nowhere", "--out", out, says=("nothing there", "check the name"))


def test_nothing_given(refused, out):
    refused("run", "--out", out, says=("a folder, files, or --t1",))


def test_nothing_recognisable(refused, home, out, volumes):
    for n, volume in enumerate(volumes[0].values()):
        write_volume(volume, home / f"{NAME}_{n}x.nii.gz")
    refused("run", home, "--out", out, says=("expected at least one MR sequence", "4 images of which no name"))


def test_ten_thousand_unrelated_files_are_refused_and_a_study_amid_them_is_found(command, refused, home, out, write):
    for n in range(10_000):
        (home / f"{NAME}_{n}.txt").touch()
    refused("run", home, "--out", out, says=("10000 .txt",))
    ended = command("validate", write("FLAIR"))
    assert ended.code == 0, ended.text
    assert len(ended.text) < 8000


# --- files that are not images ----------------------------------------------------------------------------------


def test_text_file_named_as_an_image(refused, home, out):
    (home / f"{NAME}_FLAIR.nii.gz").write_text("patient DOE^JANE born 1961-03-04\n" * 20)
    refused("run", home, "--out", out, says=("FLAIR: expected a readable image", "not compressed although"))


def test_text_file_named_as_an_uncompressed_image(refused, home, out):
    (home / f"{NAME}_FLAIR.nii").write_text("patient DOE^JANE born 1961-03-04\n" * 20)
    refused("run", home, "--out", out, says=("FLAIR: expected a readable image", "a text file"))


@pytest.mark.parametrize("kept", [0, 20, 400, -1000])
def test_truncated_gzip(refused, write, out, kept):
    folder = write("FLAIR")
    path = next(folder.glob("*FLAIR*"))
    path.write_bytes(path.read_bytes()[:kept])
    refused("run", folder, "--out", out, says=("FLAIR: expected a readable image", "copy or convert"))


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_truncated_nrrd_and_metaimage(refused, write, out, ending):
    folder = write("FLAIR", ending=ending)
    path = next(folder.glob("*FLAIR*"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused("run", folder, "--out", out, says=("FLAIR: expected",))


# --- values and geometry ----------------------------------------------------------------------------------------


def _spoil(value):
    def edit(volume):
        data = volume.data.astype(np.float32)
        data[3, 4, 5] = value
        return volume.with_data(data)

    return edit


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers(refused, write, out, value):
    folder = write("T1C", "FLAIR", edit=_spoil(value))
    refused("run", folder, "--out", out, says=("expected finite voxel values", "1 of"))


def test_constant_volume(refused, write, out):
    folder = write("FLAIR", edit=lambda v: v.with_data(np.full(v.data.shape, 42.0)))
    refused("run", folder, "--out", out, says=("FLAIR: expected an image", "the same value in every voxel"))


def _patch_sform(path, rows, code=1):
    raw = bytearray(path.read_bytes())
    struct.pack_into("<hh", raw, 252, 0, code)
    struct.pack_into("<12f", raw, 280, *np.ravel(rows))
    path.write_bytes(bytes(raw))


AFFINES = {
    "zero": (np.zeros((3, 4)), "three voxel sizes above zero"),
    "one axis zero": (np.array([[4.0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 4, 0]]), "three voxel sizes above zero"),
    "not a number": (np.full((3, 4), np.nan), "a finite 4 x 4 affine"),
    "sheared": (np.array([[4.0, 1, 0, -90], [0, 4, 0, -120], [0, 0, 4, -70]]), "voxel axes at right angles"),
    "two axes alike": (np.array([[4.0, 4, 0, 0], [0, 0, 0, 0], [0, 0, 4, 0]]), "voxel axes at right angles"),
}


@pytest.mark.parametrize(("rows", "said"), AFFINES.values(), ids=AFFINES)
def test_affines_that_place_nothing(refused, write, out, rows, said):
    folder = write("FLAIR", ending=".nii")
    _patch_sform(next(folder.glob("*.nii")), rows)
    refused("run", folder, "--out", out, says=("FLAIR: ", said))


@pytest.mark.parametrize("slices", [1, 2])
def test_two_dimensional_only(refused, write, out, slices):
    folder = write("FLAIR", edit=lambda v: Volume.of(v.data[:, :, 10 : 10 + slices], v.affine))
    refused("run", folder, "--out", out, says=("at least 3 slices along each axis", "the whole series"))


def test_a_series_of_volumes(refused, home, out, volumes):
    import nibabel as nib

    flair = next(v for s, v in volumes[0].items() if s.value == "FLAIR")
    stacked = nib.Nifti1Image(np.stack([flair.data] * 2, axis=-1), flair.affine)
    nib.save(stacked, home / f"{NAME}_FLAIR.nii.gz")
    refused("run", home, "--out", out, says=("FLAIR: expected a 3-D volume", "split a 4-D series"))


def test_grids_that_cannot_be_united(refused, write, out):
    folder = write("T1C")
    far = np.eye(4)
    far[2, 3] = 300.0
    write("FLAIR", edit=lambda v: Volume.of(v.data, far @ v.affine))
    refused("run", folder, "--out", out, says=("300.0 mm apart", "co-register"))


def test_a_head_without_a_brain(refused, write, out):
    noise = np.random.default_rng(0)
    folder = write("FLAIR", edit=lambda v: v.with_data(noise.integers(5, 90, v.data.shape).astype(np.int16)))
    refused("run", folder, "--out", out, says=("brain", "--brain-mask FILE"))


# --- what the user says -----------------------------------------------------------------------------------------


@pytest.fixture
def masks(home, volumes):
    """Write the truth with one value changed; returns the file."""

    def go(change):
        truth = volumes[1]
        write_volume(Volume(change(truth.data.astype(np.float32)), truth.grid), home.parent / f"{NAME}_masks.nii.gz")
        return home.parent / f"{NAME}_masks.nii.gz"

    return go


def test_labels_outside_the_scheme(refused, write, out, masks):
    own = masks(lambda d: np.where(d == 3, 9, d))
    words = ("run", write("T1C", "FLAIR"), "--out", out, "--labels", own, "--scheme", "brats2023")
    refused(*words, says=("labels: expected values of scheme 'brats2023'", "[9] are unknown"))


def test_labels_that_another_scheme_would_hold(refused, write, out, masks):
    own = masks(lambda d: np.where(d == 3, 4, d))
    words = ("run", write("T1C", "FLAIR"), "--out", out, "--labels", own, "--scheme", "brats2023")
    refused(*words, says=("pass --scheme", "brats2017"))


def test_labels_that_were_interpolated(refused, write, out, masks):
    words = ("run", write("FLAIR"), "--out", out, "--labels", masks(lambda d: d * 0.5), "--scheme", "brats2023")
    refused(*words, says=("whole-number labels", "nearest neighbour"))


def test_labels_without_a_scheme(refused, write, out, masks):
    words = ("run", write("FLAIR"), "--out", out, "--labels", masks(lambda d: d))
    refused(*words, says=("--labels and --scheme together", "brats2023"))


def test_unknown_scheme(refused, write, out, masks):
    words = ("run", write("FLAIR"), "--out", out, "--labels", masks(lambda d: d), "--scheme", "DOE_JANE")
    refused(*words, says=("one of the schemes",))


EVENTS = {
    "unknown column": ("date,event,dosis\n1961-03-04,steroid,4\n", ("'dosis'", "delete the column")),
    "unknown event": ("date,event\n1961-03-04,DOE\n", ("events row 2", "surgery, radiotherapy")),
    "a German date": ("date,event\n04.03.1961,steroid\n", ("events row 2", "YYYY-MM-DD")),
    "no header": ("1961-03-04,steroid\n", ("a header with",)),
    "not text": ("\x00\x01", ("events",)),
}


@pytest.mark.parametrize(("text", "says"), EVENTS.values(), ids=EVENTS)
def test_events_that_cannot_be_read(refused, write, home, out, text, says):
    table = home.parent / f"{NAME}.csv"
    table.write_text(text)
    refused("run", write("FLAIR"), "--out", out, "--events", table, says=says)
    assert not out.exists()


@pytest.mark.parametrize("text", ["DOE_JANE=x.nii.gz", "DOE_JANE_1961-03-04_T1.nii.gz", "=x.nii.gz", "T1="])
def test_sequence_option_that_names_none(refused, write, out, text):
    refused("run", write("FLAIR"), "--out", out, "--sequence", text, says=("--sequence",))


@pytest.mark.parametrize("words", [("--date", "04.03.1961"), ("--patient", "DOE^JANE"), ("--date", "1961-13-04")])
def test_date_or_pseudonym_that_cannot_be(refused, write, out, words):
    refused("run", write("FLAIR"), "--out", out, *words, says=(words[0],))


def test_unknown_segmenter(command, write, out):
    ended = command("run", write("FLAIR"), "--out", out, "--segmenter", "magic")
    assert ended.code == 2
    assert "expected one of the segmenters glioma, fuzzy; got 'magic'" in ended.flat


# --- the output -------------------------------------------------------------------------------------------------


def test_output_inside_the_input(refused, write, contents):
    folder = write("FLAIR")
    before = contents(folder)
    for place in (folder, folder / "results", folder / ".." / folder.name / "x"):
        refused("run", folder, "--out", place, says=("an output folder outside the input",))
    assert contents(folder) == before


def test_output_that_is_a_file(refused, write, out):
    out.write_text("mine")
    refused("run", write("FLAIR"), "--out", out, says=("output: expected a folder", "a file in its place"))
    assert out.read_text() == "mine"


def test_output_that_is_a_case_folder(refused, write, out):
    out.mkdir()
    (out / "patient.json").write_text("{}")
    refused("run", write("FLAIR"), "--out", out, says=("holds case folders", "give the folder above it"))


@pytest.fixture
def finished(command, write, out):
    """A folder with the results of one patient."""
    write("FLAIR")
    ended = command("segment", write("FLAIR"), "--out", out, "--patient", "P1")
    assert ended.code == 0, ended.text
    return out


def test_output_of_another_patient(refused, finished, write, contents, tmp_path):
    before = contents(finished)
    other = write("FLAIR", edit=lambda v: v.with_data(v.data + (v.data > 0)), folder=tmp_path / "other")
    refused("segment", other, "--out", finished, "--patient", "P1", says=("holds other images", "another --out"))
    assert contents(finished) == before


@pytest.mark.parametrize(
    ("number", "said", "nth"),
    [
        (errno.ENOSPC, "the disk is full", 1),
        (errno.ENOSPC, "the disk is full", 6),
        (errno.EROFS, "a read-only disk", 1),
        (errno.EACCES, "no permission", 1),
    ],
)
def test_disk_that_refuses(refused, write, out, monkeypatch, number, said, nth):
    folder, count, real = write("FLAIR"), 0, Path.write_bytes

    def full(self, data):
        nonlocal count
        count += 1
        if count < nth:
            return real(self, data)
        real(self, data[: len(data) // 2])
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    refused("run", folder, "--out", out, says=("output: expected", said))
    assert not [p for p in out.rglob("*") if p.name.startswith(".tumorboard-tmp-")]


def test_what_was_finished_stays_when_the_disk_is_full(refused, command, finished, write, contents, monkeypatch):
    before = contents(finished)
    folder = write("T1C")  # the study has more now, so that every stage is due again

    def full(self, data):
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(Path, "write_bytes", full)
    ended = command("run", folder, "--out", finished, "--patient", "P1")
    assert ended.code == 2
    assert contents(finished) == before


def test_a_very_small_disk(tmp_path, write):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(small)]
    words = [
        str(Path(sys.executable).parent / "tumorboard"),
        "measure",
        str(write("T1C", "FLAIR")),
        "--out",
        str(small),
    ]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("a small disk cannot be mounted here")
    try:
        ended = subprocess.run(words, capture_output=True, text=True, check=False)
        left = [p for p in small.rglob("*") if p.name.startswith(".tumorboard-tmp-")]
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert ended.returncode == 2, ended.stderr
    assert "the disk is full" in ended.stderr
    assert not left


# --- names that are fine ----------------------------------------------------------------------------------------


def test_names_that_are_not_ascii_work(command, volumes, tmp_path):
    folder = tmp_path / "Müller, Jürgen 日本 'x' [b]"
    for sequence, volume in volumes[0].items():
        if sequence.value in ("T1C", "FLAIR"):
            write_volume(volume, folder / f"Größe [red]ñ {sequence.value}.nii.gz")
    ended = command("segment", folder, "--out", tmp_path / "Ergebnisse ü[/]")
    assert ended.code == 0, ended.text
    assert not any(word in ended.text for word in ("Müller", "Jürgen", "Größe", "日本"))
    written = [p.relative_to(tmp_path / "Ergebnisse ü[/]").as_posix() for p in tmp_path.rglob("sub-*")]
    assert written
    assert all(name.isascii() for name in written)
