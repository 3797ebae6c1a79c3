"""A digital patient's DICOM folder: the same voxels, recognised and valid, of nobody, byte for byte again."""

from __future__ import annotations

import csv
import datetime as dt
import json
import subprocess
import sys
from collections import Counter
from itertools import groupby
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import SecondaryCaptureImageStorage

from tumorboard.intake.evidence import recognise_study
from tumorboard.io.dicom.read import read_series
from tumorboard.io.dicom.scan import scan_dicom
from tumorboard.io.images import read_volume
from tumorboard.labels import LabelMap
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.files import dicom_tree
from tumorboard.simulate.files.dicom_tree import write_digital_dicom
from tumorboard.simulate.files.headers import VENDORS
from tumorboard.simulate.files.tree import NOTICE
from tumorboard.simulate.native import NativeImage, NativePatient, NativeStudy, native_patient
from tumorboard.simulate.patient import treatment_events
from tumorboard.simulate.scanner.acquisition import DIFFUSION, LOCALIZER, PROTOCOLS, Acquisition, grid_of
from tumorboard.volume import Grid, Volume

DCIODVFY = Path(sys.executable).parent / "dciodvfy"
PLANNED = sorted([
    *("localizer", "localizer", "localizer", "T1", "FLAIR", "DWI", "DWI", "T2", "T1C"),
    *("derived", "secondary capture"),
])  # fmt: skip
"""What every study holds, stack by stack."""


def small(how):
    """Return an acquisition of as many degrees, but few pixels."""
    return Acquisition(how.plane, 20.0, how.thickness_mm, how.gap_mm, (160.0, 120.0, 5 * how.thickness_mm), 8.0, 2.0)


def image(rng, how):
    grid = grid_of(small(how), np.zeros(3))
    motion = np.eye(4)
    motion[:3, 3] = rng.uniform(-3, 3, 3)
    return NativeImage(Volume(rng.integers(0, 2000, grid.shape).astype(np.int16), grid), motion, how.thickness_mm)


def tiny(seed, protocol="mixed", studies=3):
    """Return a patient of random voxels, small enough to be written often."""
    rng = np.random.default_rng(seed)
    grid = Grid((4, 4, 4), np.diag([30.0, 30.0, 30.0, 1.0]))
    brain, truth = Volume(np.ones(grid.shape, bool), grid), LabelMap(np.ones(grid.shape, np.uint8), grid)
    made = tuple(
        NativeStudy(
            id=f"ses-{n + 1:02d}",
            date=dt.date(2000, 1, 3) + dt.timedelta(60 * n),
            images={s: image(rng, PROTOCOLS[protocol][s]) for s in USED},
            truth=truth,
            brain=brain,
            localizer=tuple(image(rng, how) for how in LOCALIZER),
            diffusion=(image(rng, DIFFUSION),) * 2,
        )
        for n in range(studies)
    )
    return NativePatient(seed, "left frontal", made, treatment_events(), protocol)


@pytest.fixture(autouse=True)
def small_reformat(monkeypatch):
    monkeypatch.setattr(dicom_tree, "REFORMAT", small(dicom_tree.REFORMAT))


@pytest.fixture
def written(tmp_path):
    """Write a tiny patient; returns it, its folder and its series by study."""

    def go(seed, protocol="mixed", studies=3):
        patient = tiny(seed, protocol, studies)
        write_digital_dicom(patient, tmp_path / f"{seed}{protocol}")
        return patient, tmp_path / f"{seed}{protocol}", studies_of(tmp_path / f"{seed}{protocol}")

    return go


@pytest.fixture(scope="module")
def heads(tmp_path_factory):
    """One study of real (digital) heads."""
    folder = tmp_path_factory.mktemp("heads")
    patient = native_patient(seed=7, spacing_mm=6.0, studies=1)
    write_digital_dicom(patient, folder)
    return patient, folder, studies_of(folder)


def files_of(folder):
    return sorted(path for path in (folder / "dicom").rglob("*") if path.is_file())


def studies_of(folder):
    """Return the series of each study, in order of date."""
    found = sorted(scan_dicom(files_of(folder)).series, key=lambda s: (s.date, s.number, s.part))
    return [list(series) for _, series in groupby(found, key=lambda s: s.date)]


def headers_of(folder):
    return [pydicom.dcmread(path) for path in files_of(folder)]


# what is in the files


@pytest.mark.parametrize("sequence", USED, ids=str)
def test_a_series_is_read_as_the_image_it_was(heads, sequence):
    patient, _, (study,) = heads
    wanted = patient.studies[0].images[sequence].volume.canonical()
    (series,) = taken_for(study, sequence)
    read, notes = read_series(series)
    found = read.canonical()
    assert notes == ()
    assert found.grid.largest_distance_mm(wanted.grid) < 0.01
    np.testing.assert_array_equal(found.data, wanted.data)


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_every_part_of_every_series_is_read_as_it_was(written, protocol):
    patient, _, studies = written(3, protocol)
    for study, native in zip(studies, patient.studies, strict=True):
        images = {s: (native.images[s],) for s in USED} | {"localizer": native.localizer, "DWI": native.diffusion}
        for kind, parts in images.items():
            for one, part in zip(taken_for(study, kind), parts, strict=True):
                found, wanted = read_series(one)[0].canonical(), part.volume.canonical()
                assert found.grid.matches(wanted.grid)
                np.testing.assert_array_equal(found.data, wanted.data)
                assert one.tags.thickness_mm == part.thickness_mm


def test_heads_are_recognised(heads):
    _, _, (study,) = heads
    assert recognised(study) == PLANNED


def recognised(study):
    return sorted(verdict.kind for verdict in verdicts(study))


def verdicts(study):
    return recognise_study([series.tags for series in study])


def taken_for(study, kind):
    """Return the stacks of a study that are recognised as a kind."""
    return [series for series, verdict in zip(study, verdicts(study), strict=True) if verdict.kind == kind]


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("seed", range(4))
def test_every_study_is_recognised_and_of_one_vendor(written, seed, protocol):
    _, _, studies = written(seed, protocol)
    assert [recognised(study) for study in studies] == [PLANNED] * 3
    makers = [{(s.tags.manufacturer, s.tags.model, s.tags.field_t) for s in study} for study in studies]
    assert all(len(one) == 1 for one in makers)
    known = {next(v for v in VENDORS if v[:2] == s.tags.manufacturer[:2].upper().replace("TO", "CA")) for s in
             (study[0] for study in studies)}  # fmt: skip
    assert len(known) == 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_of_many_more_studies_the_sequences_are_recognised_and_nothing_is_taken_for_another(written, seed):
    _, _, studies = written(seed, sorted(PROTOCOLS)[seed % 3])
    for study in studies:
        found = Counter(recognised(study))
        assert [found[s.value] for s in USED] == [1] * len(USED)
        assert not found - Counter(PLANNED) - Counter(unsure=found["unsure"])
        assert found["unsure"] <= 1


def test_the_t1_comes_before_the_injection_and_the_t1c_after_it(written):
    _, _, studies = written(5)
    for study in studies:
        (t1,), (t1c,), (derived,) = (taken_for(study, kind) for kind in ("T1", "T1C", "derived"))
        start = t1c.tags.contrast_start_s
        assert t1c.tags.contrast_agent
        assert t1.tags.acquired_s < start < t1c.tags.acquired_s < derived.tags.acquired_s
        assert all(not s.tags.contrast_agent for s in study if s.tags.acquired_s < start)
        alike = [(t.tr_ms, t.te_ms, t.flip_deg, t.scanning_sequence) for t in (t1.tags, t1c.tags)]
        assert alike[0] == alike[1]


def test_what_real_studies_hold_beside_the_four(written):
    _, folder, (study,) = written(2, studies=1)
    assert len({s.planes[0].orientation for s in taken_for(study, "localizer")}) == 3
    assert [s.tags.b_values for s in taken_for(study, "DWI")] == [(0.0,), (1000.0,)]
    (derived,) = taken_for(study, "derived")
    assert derived.tags.image_type[:2] == ("DERIVED", "SECONDARY")
    (capture,) = taken_for(study, "secondary capture")
    assert not capture.planes
    assert capture.refusal
    (shot,) = (h for h in headers_of(folder) if h.SOPClassUID == SecondaryCaptureImageStorage)
    assert shot.pixel_array.dtype == np.uint8
    assert shot.pixel_array.max() == 255


# whose, when, where


def test_every_file_says_that_it_is_nobody(written):
    _, folder, _ = written(4)
    for header in headers_of(folder):
        assert (header.PatientName, header.PatientID) == ("Digital^Patient", "DIGITAL-4")
        assert header.ImageComments == header.PatientComments == NOTICE
        assert header.StudyDate.startswith("2000")
        assert header.AcquisitionDate == header.SeriesDate == header.StudyDate
        assert header.StudyDescription


def test_uids_part_files_series_and_studies(written):
    _, folder, _ = written(4)
    headers = headers_of(folder)
    assert len({h.SOPInstanceUID for h in headers}) == len(headers)
    assert len({h.SeriesInstanceUID for h in headers}) == 3 * 8
    assert len({(h.StudyInstanceUID, h.StudyDate) for h in headers}) == 3
    frames = {(h.StudyInstanceUID, h.FrameOfReferenceUID) for h in headers if "FrameOfReferenceUID" in h}
    assert len(frames) == 3


def test_files_lie_in_nested_folders_without_endings(written):
    _, folder, _ = written(4)
    for path in files_of(folder):
        patient, study, series, name = path.relative_to(folder / "dicom").parts
        assert (patient[:2], study[:2], series[:2], name[:2], path.suffix) == ("PA", "ST", "SE", "IM", "")
    assert not [p for p in (folder / "truth").rglob("*") if p.is_file() and pydicom.misc.is_dicom(p)]


@pytest.mark.skipif(not DCIODVFY.exists(), reason="dicom3tools is not installed")
@pytest.mark.parametrize("protocol", ["mixed", "3d"])
def test_every_series_is_valid_dicom(written, protocol):
    _, folder, _ = written(6, protocol)
    for path in [path for path in files_of(folder) if path.name == "IM0001"]:
        told = subprocess.run([DCIODVFY, "-new", path], capture_output=True, text=True, check=False)
        assert [line for line in (told.stdout + told.stderr).splitlines() if line.startswith("Error")] == []


# beside the files


def test_truth_lies_on_the_slices_of_the_t1c(heads):
    patient, folder, _ = heads
    study = patient.studies[0]
    slices = study.images[Sequence.T1C].volume.grid
    known = json.loads((folder / "truth" / "ses-01.json").read_text())
    assert set(known["motion"]) == {s.value for s in USED}
    for sequence, matrix in known["motion"].items():
        np.testing.assert_array_equal(matrix, study.images[Sequence(sequence)].motion)
    for name, source in (("dseg", study.truth), ("brain", study.brain)):
        found = read_volume(folder / "truth" / f"ses-01_{name}.nii.gz")
        assert found.grid.matches(slices)
        places = np.argwhere(found.data > 0)
        ijk = np.round(source.grid.to_voxel(slices.to_world(places))).astype(int)
        assert len(places)
        assert (source.data[tuple(ijk.T)] > 0).mean() > 0.99
    for region in ("WT", "TC", "ET"):
        assert known["volume_ml"][region] == pytest.approx(study.truth.volume_ml(region), abs=1e-3)


def test_events_are_those_of_the_patient(written):
    patient, folder, _ = written(4)
    with (folder / "events.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["patient_id"] for row in rows} == {"DIGITAL-4"}
    assert [row["date"] for row in rows] == [event.date.isoformat() for event in patient.events]
    assert [row["event"] for row in rows] == [event.kind.value for event in patient.events]


def test_the_same_patient_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_digital_dicom(tiny(9), tmp_path / name)
    one, two = (
        {p.relative_to(tmp_path / n).as_posix(): p.read_bytes() for p in (tmp_path / n).rglob("*") if p.is_file()}
        for n in ("one", "two")
    )
    assert one == two
