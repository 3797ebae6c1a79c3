"""The digital patient: reproducible, skull-stripped, with the course it claims."""

from __future__ import annotations

import csv
import json

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage as ndi

from tumorboard.errors import GeometryError
from tumorboard.labels import LabelMap
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.body.background import draw_background
from tumorboard.simulate.files.tree import write_digital_patient
from tumorboard.simulate.patient import STUDY_DAYS, digital_patient
from tumorboard.simulate.scanner.mixture import State, mixed
from tumorboard.simulate.scanner.render import scan
from tumorboard.study import EventKind


def in_white_units(study, sequence, head):
    """Intensities with healthy white matter of the same image at 1."""
    data = study.volumes[sequence].data.astype(float)
    return data / np.median(data[(head.wm > 0.9) & (study.truth.data == 0)])


def test_same_seed_same_bits_other_seed_other_bits():
    one, two, other = (digital_patient(seed, 5.0) for seed in (11, 11, 12))
    for a, b in zip(one.studies, two.studies, strict=True):
        assert a.date == b.date
        np.testing.assert_array_equal(a.truth.data, b.truth.data)
        for sequence in USED:
            assert a.volumes[sequence].data.tobytes() == b.volumes[sequence].data.tobytes()
    assert not np.array_equal(one.studies[0].volumes[Sequence.T1].data, other.studies[0].volumes[Sequence.T1].data)


@pytest.mark.parametrize("spacing_mm", [4.5, 6.0])
def test_other_spacings_work(spacing_mm):
    made = digital_patient(2, spacing_mm)
    assert made.studies[0].volumes[Sequence.T1].spacing_mm == (spacing_mm,) * 3
    assert made.studies[2].truth.volume_ml("TC") > made.studies[1].truth.volume_ml("TC")
    assert 25 < made.studies[0].truth.volume_ml("TC") < 40


def test_four_sequences_on_one_ras_grid_zero_exactly_outside_the_brain(patient):
    for study in patient.studies:
        assert set(study.volumes) == set(USED)
        for volume in (*study.volumes.values(), study.truth):
            assert volume.grid.matches(patient.head.grid)
            assert volume.grid.axcodes == "RAS"
        for volume in study.volumes.values():
            assert volume.data.dtype == np.int16
            np.testing.assert_array_equal(volume.data > 0, patient.head.brain)
            assert volume.data.min() == 0


def test_dates_are_those_of_the_course(patient):
    days = [(s.date - patient.studies[0].date).days for s in patient.studies]
    assert tuple(days) == STUDY_DAYS
    assert [s.id for s in patient.studies] == ["ses-01", "ses-02", "ses-03"]


@pytest.mark.parametrize("seed", [1, 7, 21])
def test_course_is_what_the_docstring_says(seed):
    first, second, third = (s.truth for s in digital_patient(seed, 4.0).studies)
    assert 25 <= first.volume_ml("TC") <= 40
    assert 50 <= first.volume_ml("WT") <= 90
    assert ndi.label(first.region("TC"))[1] == 1
    assert 0.42 <= second.volume_ml("TC") / first.volume_ml("TC") <= 0.62
    assert second.volume_ml("WT") < first.volume_ml("WT")
    assert third.volume_ml("TC") > 1.4 * second.volume_ml("TC")
    assert set(np.unique(first.data)) == {0, 1, 2, 3}


def test_satellite_is_new_measurable_and_a_few_centimetres_away(patient):
    second, third = patient.studies[1].truth, patient.studies[2].truth
    parts, found = ndi.label(third.region("TC"))
    assert found == 2
    sizes = np.bincount(parts.ravel())[1:]
    small, large = parts == 1 + sizes.argmin(), parts == 1 + sizes.argmax()
    spacing = third.spacing_mm
    extent = [(np.ptp(axis) + 1) * s for axis, s in zip(np.nonzero(small), spacing, strict=True)]
    assert max(extent) >= 10
    gap = ndi.distance_transform_edt(~large, sampling=spacing)[small].min()
    assert 12 < gap < 45
    assert not (small & second.region("WT")).any()
    assert ndi.label(third.region("WT"))[1] == 2


def test_tumour_is_not_in_fluid(patient):
    for study in patient.studies:
        whole = study.truth.region("WT")
        assert not (whole & patient.head.ventricles).any()
        assert patient.head.csf[whole].mean() < 0.1
        assert not (whole & ~patient.head.brain).any()


def test_necrosis_lies_inside_enhancement(patient):
    for study in patient.studies:
        necrosis = study.truth.region("NETC")
        around = ndi.binary_dilation(necrosis) & ~necrosis
        assert (study.truth.data[around] == 3).mean() > 0.99


def test_oedema_follows_white_matter(patient):
    head, truth = patient.head, patient.studies[0].truth
    away = ndi.distance_transform_edt(~truth.region("TC"), sampling=truth.spacing_mm)
    ring = (away > 0) & (away < 12)
    oedema = truth.region("SNFH")
    assert oedema[ring & (head.wm > 0.8)].mean() > 2 * oedema[ring & (head.gm > 0.8)].mean()


def test_enhancement_is_seen_in_the_difference(patient):
    for study in patient.studies:
        difference = in_white_units(study, Sequence.T1C, patient.head) - in_white_units(
            study, Sequence.T1, patient.head
        )
        enhancing, necrosis, oedema = (study.truth.region(n) for n in ("ET", "NETC", "SNFH"))
        assert np.median(difference[enhancing]) > 0.4
        assert abs(np.median(difference[oedema & (ndi.binary_erosion(oedema))])) < 0.15
        healthy = (study.truth.data == 0) & (patient.head.wm > 0.9)
        assert abs(np.median(difference[healthy])) < 0.03
        assert np.median(difference[enhancing]) > np.median(difference[necrosis]) + 0.2


def test_healthy_things_enhance_too(patient):
    study, head = patient.studies[0], patient.head
    difference = in_white_units(study, Sequence.T1C, head) - in_white_units(study, Sequence.T1, head)
    assert np.median(difference[head.vessels > 0.8]) > 0.3


@pytest.mark.parametrize(
    ("sequence", "order"),
    [
        (Sequence.T1, ("csf", "NETC", "gm", "wm")),
        (Sequence.T2, ("wm", "gm", "SNFH", "NETC", "csf")),
        (Sequence.FLAIR, ("csf", "wm", "gm", "SNFH")),
    ],
)
def test_tissues_stand_in_the_order_of_the_sequence(patient, sequence, order):
    study, head = patient.studies[0], patient.head
    image = in_white_units(study, sequence, head)
    healthy = study.truth.data == 0
    masks = {
        "csf": head.ventricles & (head.csf > 0.95) & (head.plexus == 0),
        "gm": healthy & (head.gm > 0.9),
        "wm": healthy & (head.wm > 0.9),
        "NETC": study.truth.region("NETC"),
        "SNFH": study.truth.region("SNFH"),
    }
    medians = [float(np.median(image[masks[name]])) for name in order]
    assert medians == sorted(medians)
    assert min(np.diff(medians)) > 0.02  # necrosis and grey matter lie near each other on T1, as in patients


def test_anatomy_stays_noise_and_bias_do_not(patient):
    first, second = (s.volumes[Sequence.T2].data.astype(float) for s in patient.studies[:2])
    untouched = patient.head.brain & (patient.studies[0].truth.data == 0) & (patient.studies[1].truth.data == 0)
    assert np.corrcoef(first[untouched], second[untouched])[0, 1] > 0.9
    assert (first[untouched] != second[untouched]).mean() > 0.9


def test_a_head_without_tumour_can_be_scanned_and_shows_ageing_on_flair(head):
    rng = np.random.default_rng(5)
    background = draw_background(head, rng)
    healthy = LabelMap(np.zeros(head.grid.shape, dtype=np.uint8), head.grid)
    flair = scan(head, mixed(head, background, State(healthy, {})), rng)[Sequence.FLAIR].data.astype(float)
    white = head.wm > 0.8
    assert flair[white & (background.ageing > 0.5)].mean() > 1.2 * flair[white & (background.ageing < 0.02)].mean()


def test_events_fit_the_course(patient):
    dates = [e.date for e in patient.events]
    assert dates == sorted(dates)
    assert {e.kind for e in patient.events} == set(EventKind)
    treatment = [e for e in patient.events if e.kind in {EventKind.RADIOTHERAPY, EventKind.SURGERY}]
    first, second = patient.studies[0].date, patient.studies[1].date
    assert all(first < e.date < second for e in treatment)
    assert all(e.end_date is None or e.end_date >= e.date for e in patient.events)


def test_no_place_for_the_tumour_is_said():
    with pytest.raises(GeometryError):
        digital_patient(7, spacing_mm=9.0)


def test_tree_is_complete_and_reads_back(patient, tmp_path):
    write_digital_patient(patient, tmp_path)
    endings = ("T1w", "ce-gadolinium_T1w", "T2w", "FLAIR")
    images = {f"sub-digital/ses-0{n}/anat/sub-digital_ses-0{n}_{e}.nii.gz" for n in (1, 2, 3) for e in endings}
    truth = {f"derivatives/truth/sub-digital/ses-0{n}/seg/sub-digital_ses-0{n}_dseg.nii.gz" for n in (1, 2, 3)}
    tables = {
        "sub-digital/sub-digital_sessions.tsv", "events.csv", "dataset_description.json",
        "derivatives/truth/dataset_description.json", "derivatives/truth/dseg.tsv",
    }  # fmt: skip
    written = {str(f.relative_to(tmp_path)) for f in tmp_path.rglob("*") if f.is_file()}
    assert written == images | truth | tables
    stored = nib.load(tmp_path / "sub-digital/ses-02/anat/sub-digital_ses-02_T2w.nii.gz")
    np.testing.assert_array_equal(np.asarray(stored.dataobj), patient.studies[1].volumes[Sequence.T2].data)
    np.testing.assert_allclose(stored.affine, patient.head.grid.affine)


def test_tables_say_dates_events_and_that_it_is_digital(patient, tmp_path):
    write_digital_patient(patient, tmp_path)
    with (tmp_path / "events.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["patient_id", "date", "end_date", "event", "value", "unit", "detail"]
    assert [r["date"] for r in rows] == [e.date.isoformat() for e in patient.events]
    assert {r["patient_id"] for r in rows} == {"digital"}
    sessions = (tmp_path / "sub-digital/sub-digital_sessions.tsv").read_text(encoding="utf-8").splitlines()
    assert sessions[0] == "session_id\tacq_time"
    assert sessions[2] == f"ses-02\t{patient.studies[1].date.isoformat()}T00:00:00"
    for place in (tmp_path, tmp_path / "derivatives" / "truth"):
        said = json.loads((place / "dataset_description.json").read_text(encoding="utf-8"))
        assert "not a patient" in said["GeneratedBy"][0]["Description"]


def test_writing_twice_gives_the_same_bytes(patient, tmp_path):
    for name in ("a", "b"):
        write_digital_patient(patient, tmp_path / name)
    files = sorted(f.relative_to(tmp_path / "a") for f in (tmp_path / "a").rglob("*") if f.is_file())
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)
