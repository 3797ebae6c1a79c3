"""The same patient stored in another way is the same patient: label maps and every number agree."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tumorboard.volume import Volume


@pytest.fixture(scope="module")
def usual(tmp_path_factory, make_study, travel):
    """The run of the study as it was written: RAS, int16."""
    place = tmp_path_factory.mktemp("usual")
    return travel(make_study(place / "in"), place / "out")


@pytest.fixture
def copy_run(tmp_path, make_study, travel):
    def go(edit, ending=".nii.gz"):
        return travel(make_study(tmp_path / "in", edit=edit, ending=ending), tmp_path / "out")

    return go


def _listed(ran):
    return ran.measurements()["measurements"]


def _assert_same_but_for_rounding(one, other):
    assert [(m["name"], m["region"]) for m in one] == [(m["name"], m["region"]) for m in other]
    for a, b in zip(one, other, strict=True):
        assert (a["unit"], a["status"], a["source"], a["method"]) == (b["unit"], b["status"], b["source"], b["method"])
        if isinstance(a["value"], float):
            assert b["value"] == pytest.approx(a["value"], rel=1e-6, abs=1e-6), a["name"]
        else:
            assert a["value"] == b["value"], a["name"]
        if a["interval"] is not None:
            assert b["interval"] == pytest.approx(a["interval"], rel=1e-6, abs=1e-6), a["name"]


def test_there_is_something_to_compare(usual):
    told = {m["name"] for m in _listed(usual) if m["status"] == "ok"}
    assert {"volume", "longest_diameter_ce_only", "midline_shift", "centroid_mni_x", "lobe", "depth_to_cortex"} <= told


@pytest.mark.parametrize("axcodes", ["LPS", "LAS"])
def test_stored_orientation_changes_nothing(usual, copy_run, axcodes):
    ran = copy_run(lambda v: v.reoriented(axcodes))
    np.testing.assert_array_equal(ran.labels().data, usual.labels().data)
    np.testing.assert_array_equal(ran.labels().affine, usual.labels().affine)
    assert ran.measurements() == usual.measurements()


def test_sequences_in_different_orientations_are_one_study(usual, copy_run):
    turns = iter(["RAS", "LPS", "PSR", "ASR"])
    ran = copy_run(lambda v: v.reoriented(next(turns)))
    np.testing.assert_array_equal(ran.labels().data, usual.labels().data)
    assert ran.measurements() == usual.measurements()


def _rotated(volume):
    turn = np.eye(4)
    axis = np.array([1.0, 2.0, 3.0]) / np.sqrt(14.0)
    turn[:3, :3] = Rotation.from_rotvec(np.radians(7.0) * axis).as_matrix()
    turn[:3, 3] = 11.0, -5.0, 3.0
    return Volume.of(volume.data, turn @ volume.affine)


def test_an_affine_that_alone_is_rotated_changes_no_number(usual, copy_run):
    ran = copy_run(_rotated)
    np.testing.assert_array_equal(ran.labels().data, usual.labels().data)
    assert abs(ran.labels().affine[0, 1]) > 0.1  # it was rotated, and the label map knows
    _assert_same_but_for_rounding(_listed(usual), _listed(ran))


@pytest.mark.parametrize("dtype", [np.float32])
def test_storage_type_changes_nothing(usual, copy_run, dtype):
    ran = copy_run(lambda v: v.with_data(v.data.astype(dtype)))
    np.testing.assert_array_equal(ran.labels().data, usual.labels().data)
    assert ran.measurements() == usual.measurements()


@pytest.mark.parametrize("ending", [".nrrd"])
def test_file_format_changes_nothing(usual, copy_run, ending):
    ran = copy_run(lambda v: v, ending)
    np.testing.assert_array_equal(ran.labels().data, usual.labels().data)
    _assert_same_but_for_rounding(_listed(usual), _listed(ran))
