"""Damaged and hostile NIfTI files: a clear refusal or a sound result, never a crash, a hang, or a stray file."""

import gzip
import os
import signal
import struct
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tumorboard.errors import TumorboardError
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.prepare.brain import brain_mask
from tumorboard.prepare.prepare import read_study
from tumorboard.prepare.unify import unify
from tumorboard.sequences import Sequence

FILES = 1000
REFUSALS = ("InputError", "FileFormatError", "GeometryError", "IntensityError", "SequenceError")
SECONDS_EACH = 10

FIELDS = {
    "sizeof_hdr": (0, "<i"),
    "dim": (40, "<8h"),
    "intent_code": (68, "<h"),
    "datatype": (70, "<h"),
    "bitpix": (72, "<h"),
    "pixdim": (76, "<8f"),
    "vox_offset": (108, "<f"),
    "scl": (112, "<2f"),
    "xyzt_units": (123, "<b"),
    "codes": (252, "<2h"),
    "quaternion": (256, "<6f"),
    "srow": (280, "<12f"),
    "magic": (344, "<4b"),
}
ODD = {
    "f": (0.0, -1.0, np.nan, np.inf, -np.inf, 1e-30, 3e38, -4.0, 1.5, 352.5),
    "h": (0, -1, 1, 2, 3, 4, 5, 7, 8, 16, 32, 64, 128, 256, 512, 768, 1024, 1536, 2304, 32767, -32768),
    "i": (0, -1, 348, 540, 2**31 - 1),
    "b": (0, -1, 1, 43, 49, 50, 110, 127),
}


def _odd_field(raw: bytearray, rng: np.random.Generator) -> None:
    """Give one number of the header a value that is wrong, or rare."""
    offset, code = FIELDS[list(FIELDS)[int(rng.integers(len(FIELDS)))]]
    kind, size = code[-1], struct.calcsize("<" + code[-1])
    place = offset + size * int(rng.integers(struct.calcsize(code) // size))
    struct.pack_into("<" + kind, raw, place, ODD[kind][int(rng.integers(len(ODD[kind])))])


def _flip(raw: bytearray, rng: np.random.Generator, end: int) -> None:
    raw[int(rng.integers(end))] ^= 1 << int(rng.integers(8))


def _mutated(raw: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """Return a damaged copy of an uncompressed NIfTI file, and the ending to write it under."""
    copy, way = bytearray(raw), int(rng.integers(8))
    if way < 4:
        for _ in range(int(rng.integers(1, 4))):
            _odd_field(copy, rng)
    elif way == 4:
        for _ in range(int(rng.integers(1, 9))):
            _flip(copy, rng, 352)
    elif way == 5:
        copy = copy[: int(rng.integers(len(copy)))]
    elif way == 6:
        start = int(rng.integers(len(copy)))
        copy[start : start + int(rng.integers(1, 5000))] = rng.bytes(int(rng.integers(5000)))
    packed = bytearray(gzip.compress(bytes(copy), 1, mtime=0)) if rng.random() < 0.4 or way == 7 else None
    if packed is None:
        return bytes(copy), ".nii"
    if way == 7:
        _flip(packed, rng, len(packed))
    return bytes(packed), ".nii.gz"


@contextmanager
def _no_longer_than(seconds: int):
    def late(*_):
        raise TimeoutError("a damaged file held the reader up")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def sound(originals) -> bytes:
    """A sound FLAIR file of one byte a voxel, uncompressed."""
    import nibabel as nib

    flair = originals()[Sequence.FLAIR]
    data = (flair.data // max(int(flair.data.max()) // 250, 1)).astype(np.int16)
    image = nib.Nifti1Image(data, flair.affine)
    image.set_qform(flair.affine, code=1)
    return image.to_bytes()


def _look(folder: Path) -> str:
    """Do what a run does before any time is spent; return what came of it."""
    try:
        intake = take_in(IntakeRequest((folder,)))
        unified = unify(read_study(intake.patients[0].studies[0]))
        brain = brain_mask(unified.volumes, unified.volumes[unified.reference].grid)
    except TumorboardError as error:
        told = f"{type(error).__name__} {error.exit_code}"
        return "a path in the message" if str(folder) in str(error) else told
    assert brain.any()
    return "taken"


def test_a_thousand_damaged_files_end_in_a_refusal_or_a_brain(sound, tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    ends: dict[str, int] = {}
    for _ in range(FILES):
        data, ending = _mutated(sound, rng)
        path = tmp_path / "in" / f"FLAIR{ending}"
        path.write_bytes(data)
        with _no_longer_than(SECONDS_EACH):
            end = _look(tmp_path / "in")
        ends[end] = ends.get(end, 0) + 1
        path.unlink()
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    assert set(ends) <= {f"{name} 2" for name in REFUSALS} | {"taken"}
    assert min(ends.get(name, 0) for name in ("taken", "FileFormatError 2", "GeometryError 2")) > FILES // 50, ends


MATPLOTLIB_S_OWN = (".cache/matplotlib", ".config/matplotlib")
"""The one thing outside OUT: matplotlib keeps its list of fonts in the user's cache."""


@pytest.mark.parametrize(("files", "name"), [(4, "measure"), pytest.param(20, "run", marks=pytest.mark.slow)])
def test_damaged_files_through_the_whole_command_write_only_below_out(sound, tmp_path, listing, files, name):
    rng = np.random.default_rng(1)
    for folder in ("in", "home", "cwd", "out", "tmp"):
        (tmp_path / folder).mkdir()
    for n in range(files):
        data, ending = _mutated(sound, rng)
        path = tmp_path / "in" / f"sub-{n:02d}" / f"sub-{n:02d}_FLAIR{ending}"
        path.parent.mkdir()
        path.write_bytes(data)
    given = listing(tmp_path / "in")
    words = [str(Path(sys.executable).parent / "tumorboard"), name, str(tmp_path / "in"), "--out", "../out"]
    env = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"], "TMPDIR": str(tmp_path / "tmp")}
    ended = subprocess.run(
        words, cwd=tmp_path / "cwd", env=env, capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 3, ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "defect" not in ended.stderr
    assert listing(tmp_path / "in") == given
    assert not list((tmp_path / "cwd").iterdir())
    assert not list((tmp_path / "tmp").iterdir())
    assert not [n for n in listing(tmp_path / "home") if not n.startswith(MATPLOTLIB_S_OWN)]
    assert any(n.endswith("measurements.json") for n in listing(tmp_path / "out"))
    assert not [n for n in listing(tmp_path / "out") if ".tumorboard-tmp-" in n]
