"""A working folder with everything that the pages name, made from one small digital patient."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tumorboard.io.images import write_volume
from tumorboard.labels import Tissue
from tumorboard.prepare import native
from tumorboard.sequences import USED, Sequence
from tumorboard.volume import Volume

_NAMES = {Sequence.T1: "T1", Sequence.T1C: "T1_contrast", Sequence.T2: "T2", Sequence.FLAIR: "FLAIR"}


WITHOUT = ("SE0002", "SE0003")
"""Series of T1 and T2, without which two of three motions are spared: the chain's own tests find all three."""


@pytest.fixture(scope="session")
def world(tmp_path_factory, coarse_dicom) -> Path:
    """Everything that the pages name, made from a digital patient of 4 mm voxels; copied for each page."""
    from tumorboard.simulate.patient import digital_patient

    place = tmp_path_factory.mktemp("world")
    first, second, _ = digital_patient(spacing_mm=4.0).studies
    folders = {"my-patient": first, "FOLDER": first, "my-studies/2021-03-04": first, "my-studies/2021-06-11": second}
    for folder, study in folders.items():
        for sequence, volume in study.volumes.items():
            write_volume(volume, place / folder / f"{_NAMES[sequence]}.nii.gz")
    for letter, sequence in zip("abcd", USED, strict=True):
        write_volume(first.volumes[sequence], place / "odd" / f"{letter}.nii.gz")
    write_volume(first.truth, place / "my-masks.nii.gz")
    without = np.where(first.truth.data == Tissue.SNFH, np.uint8(0), first.truth.data)
    write_volume(Volume(without, first.truth.grid), place / "other-masks.nii.gz")
    stem = "sub-digital/ses-01/seg/sub-digital_ses-01_dseg.nii.gz"
    for above in ("input/derivatives/truth", "results"):
        write_volume(first.truth, place / "demo-output" / above / stem)
    (place / "empty-folder").mkdir()
    (patient,) = (coarse_dicom / "dicom").iterdir()
    shutil.copytree(patient / "ST0001", place / "my-dicom", ignore=shutil.ignore_patterns(*WITHOUT))
    shutil.copy(coarse_dicom / "truth" / "ses-01_brain.nii.gz", place / "my-brain.nii.gz")
    return place


@pytest.fixture
def home(world, tmp_path, monkeypatch, remembered) -> Iterator[Path]:
    """A copy of the world as the working folder; heads are worked on at 2 mm, which takes an eighth."""
    folder = tmp_path / "home"
    shutil.copytree(world, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(native, "WORKING_MM", 2.0)
    with remembered():
        yield folder
