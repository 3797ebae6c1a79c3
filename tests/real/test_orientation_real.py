"""One real study, stored in three orientations and once with a turned affine."""

import numpy as np
import pytest

from tumorboard.chain import run
from tumorboard.intake import IntakeRequest
from tumorboard.io.images import read_volume, write_volume
from tumorboard.measurement import StudyMeasurements
from tumorboard.sequences import Sequence
from tumorboard.volume import Volume

NAMES = {Sequence.T1: "t1", Sequence.T1C: "t1ce", Sequence.T2: "t2", Sequence.FLAIR: "flair"}


def measured(volumes, folder):
    sequences = {}
    for sequence, volume in volumes.items():
        sequences[sequence] = folder / "in" / f"{sequence.value}.nii.gz"
        write_volume(volume, sequences[sequence])
    case = run(IntakeRequest(sequences=sequences, patient="A"), folder / "out").folders[0]
    labels = read_volume(case.native("ses-01", "dseg.nii.gz"))
    text = (case.session("ses-01") / "measurements.json").read_text()
    return labels, StudyMeasurements.model_validate_json(text).measurements


@pytest.fixture(scope="module")
def given(tumour):
    stem = tumour / "brats18-2013_21_1" / "Brats18_2013_21_1_"
    return {s: read_volume(stem.with_name(f"{stem.name}{n}.nii.gz")) for s, n in NAMES.items()}


@pytest.fixture(scope="module")
def first(given, tmp_path_factory):
    return measured(given, tmp_path_factory.mktemp("first"))


@pytest.mark.slow
@pytest.mark.parametrize("axcodes", ["RAS", "LAS"])
def test_orientations_give_the_same_patient(given, first, tmp_path, axcodes):
    labels, numbers = measured({s: v.reoriented(axcodes) for s, v in given.items()}, tmp_path)
    assert labels.grid.axcodes == axcodes
    np.testing.assert_array_equal(labels.canonical().data, first[0].canonical().data)
    assert numbers == first[1]


@pytest.mark.slow
def test_a_turned_affine_changes_no_measurement(given, first, tmp_path):
    angle = np.radians(7)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    labels, numbers = measured({s: Volume.of(v.data, turn @ v.affine) for s, v in given.items()}, tmp_path)
    np.testing.assert_array_equal(labels.data, first[0].data)
    for one, other in zip(numbers, first[1], strict=True):
        assert (one.name, one.region, one.unit) == (other.name, other.region, other.unit)
        if isinstance(one.value, float):
            assert one.value == pytest.approx(other.value, rel=1e-6, abs=1e-6)
        else:
            assert one.value == other.value
