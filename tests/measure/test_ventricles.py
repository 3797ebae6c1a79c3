"""Ventricles on digital heads whose ventricles are known, from narrow to wide; and what must not be measured."""

from functools import lru_cache

import numpy as np
import pytest
from scipy import ndimage as ndi

from tumorboard.atlas.icbm152 import icbm152
from tumorboard.labels import LabelMap
from tumorboard.measure.sources import Files
from tumorboard.measure.study import Segmented
from tumorboard.measure.ventricles import evans, find_ventricles, ventricle_measurements
from tumorboard.prepare.prepare import prepare
from tumorboard.sequences import Sequence
from tumorboard.simulate.body.anatomy import AnatomyParameters, draw_anatomy
from tumorboard.study import Study
from tumorboard.transform import Frame, Plane
from tumorboard.volume import Volume

SPACING_MM = 3.0


def _atlas_frame(atlas):
    spacing = atlas.grid.spacing_mm
    to_mni = atlas.grid.affine @ np.diag([*(1 / s for s in spacing), 1.0])
    return Frame(Plane((1.0, 0.0, 0.0), float(-to_mni[0, 3])), to_mni)


@lru_cache
def head_of(swelling, seed=1):
    """Return a digital head with ventricles swollen so much, and its T1 and FLAIR, prepared."""
    drawn = AnatomyParameters(ventricles=(swelling, 0.0))
    head = draw_anatomy(np.random.default_rng(seed), SPACING_MM, drawn)
    noise = np.random.default_rng(0).normal(0, 2.0, head.gm.shape)
    t1 = (100 * head.wm + 75 * head.gm + 25 * head.csf + noise) * head.brain
    flair = (70 * head.wm + 85 * head.gm + 15 * head.csf + noise[::-1]) * head.brain
    volumes = {
        Sequence.T1: Volume(t1.astype(np.float32), head.grid),
        Sequence.FLAIR: Volume(flair.astype(np.float32), head.grid),
    }
    return head, prepare("ses-01", volumes).study


@pytest.fixture(scope="module", params=[0.1, 0.9])
def head(request):
    return head_of(request.param)


def test_volume_and_index_are_those_of_the_head(head):
    truth, study = head
    found = find_ventricles(study, np.zeros(study.grid.shape, bool))
    assert not isinstance(found, str)
    wanted_ml = truth.ventricles.sum() * study.grid.voxel_volume_ml
    assert found.sum() * study.grid.voxel_volume_ml == pytest.approx(wanted_ml, rel=0.2)
    wanted = evans(truth.ventricles, truth.brain, study.grid, study.frame).index
    assert evans(found, study.brain, study.grid, study.frame).index == pytest.approx(wanted, abs=0.03)


def test_a_change_between_two_heads_is_theirs():
    truths, found = [], []
    for swelling in (0.1, 0.9):
        head, study = head_of(swelling)
        labels = LabelMap.of(np.zeros(study.grid.shape, np.uint8), study.grid.affine)
        volume, index = ventricle_measurements(study, Segmented(labels), Files())
        assert (volume.quality, index.unit) == ("proxy", "1")
        truths.append(head.ventricles.sum())
        found.append(volume.value)
    assert truths[1] > 1.2 * truths[0]
    assert found[1] / found[0] == pytest.approx(truths[1] / truths[0], rel=0.1)


@pytest.mark.parametrize("widened_mm", [0.0, 4.0, 8.0])
def test_ventricles_widened_by_so_much_are_found_as_wide(widened_mm):
    atlas, frame = icbm152(2.0), _atlas_frame(icbm152(2.0))
    wide = ndi.distance_transform_edt(~atlas.ventricles.data, sampling=2.0) <= widened_mm
    t1 = Volume(np.where(wide, np.float32(0.1), atlas.t1.data), atlas.grid)
    study = Study("ses-01", {Sequence.T1: t1}, atlas.brain.data, frame=frame)
    found = find_ventricles(study, np.zeros(atlas.grid.shape, bool))
    assert not isinstance(found, str)
    wanted, seen = (evans(mask, atlas.brain.data, atlas.grid, frame).index for mask in (wide, found))
    assert seen == pytest.approx(wanted, abs=0.03)
    assert (seen > 0.3) == (widened_mm > 0)


def test_a_tumour_on_the_ventricles_hides_them():
    _, study = head_of(0.1)
    data = np.zeros(study.grid.shape, np.uint8)
    middle = tuple(n // 2 for n in data.shape)
    data[tuple(slice(m - 12, m + 12) for m in middle)] = 2
    volume, index = ventricle_measurements(study, Segmented(LabelMap.of(data, study.grid.affine)), Files())
    assert volume.status == index.status == "not_assessable"
    assert "tumour" in volume.reason


def test_a_brain_without_contrast_gives_nothing():
    atlas = icbm152(4.0)
    flat = Volume(np.where(atlas.brain.data, 1.0, 0.0).astype(np.float32), atlas.grid)
    study = Study("ses-01", {Sequence.T1: flat}, atlas.brain.data, frame=_atlas_frame(atlas))
    assert find_ventricles(study, np.zeros(atlas.grid.shape, bool)) == "fluid cannot be told from tissue on T1"


def test_the_average_brain_is_found_in_itself():
    atlas = icbm152(2.0)
    frame = _atlas_frame(atlas)
    study = Study("ses-01", {Sequence.T1: atlas.t1}, atlas.brain.data, frame=frame)
    found = find_ventricles(study, np.zeros(atlas.grid.shape, bool))
    assert not isinstance(found, str)
    overlap = 2 * (found & atlas.ventricles.data).sum() / (found.sum() + atlas.ventricles.data.sum())
    assert overlap > 0.75
    assert 0.18 < evans(found, atlas.brain.data, atlas.grid, frame).index < 0.30  # young adults


def test_a_study_without_a_frame_gives_nothing():
    data = np.zeros((4, 4, 4), np.float32)
    grid = LabelMap.of(data.astype(np.uint8), np.eye(4)).grid
    study = Study("ses-01", {Sequence.T1: Volume(data, grid)}, data == 0)
    assert list(ventricle_measurements(study, Segmented(LabelMap(data.astype(np.uint8), grid)), Files())) == []
