"""Maps of change show what appeared and went; volumes never come from resampled masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi
from scipy.spatial.transform import Rotation

from tumorboard.errors import InputError, IntensityError, LabelError, SequenceError
from tumorboard.labels import REGIONS, LabelMap
from tumorboard.respond.align import Alignment
from tumorboard.respond.align.change import (
    CHANGE_NAMES,
    Change,
    ChangeMap,
    Place,
    in_template,
    intensity_change,
    label_change,
    on_later,
)
from tumorboard.sequences import Sequence
from tumorboard.simulate.native import draw_motion
from tumorboard.study import Study
from tumorboard.volume import Grid, Volume

STAY = np.eye(4)
PLAIN = Grid((24, 24, 24), np.eye(4))


def here(grid=PLAIN):
    return Place(grid, STAY, STAY)


def boxed(*boxes, value=3, grid=PLAIN):
    data = np.zeros(grid.shape, np.uint8)
    for box in boxes:
        data[box] = value
    return LabelMap(data, grid)


def turned(spacing_mm, turn_deg, reach_mm=40.0):
    """A grid over a cube around 0."""
    shape = tuple(int(np.ceil(reach_mm / s)) for s in spacing_mm)
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix() @ np.diag(spacing_mm)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def ball(grid, centre_mm, radius_mm, value=3):
    world = grid.to_world(np.argwhere(np.ones(grid.shape, bool)))
    inside = np.linalg.norm(world - centre_mm, axis=1) <= radius_mm
    return LabelMap((value * inside.reshape(grid.shape)).astype(np.uint8), grid)


# --- labels -----------------------------------------------------------------------------------------------------


def test_what_appeared_and_went_is_told_apart():
    one, two = boxed(np.s_[2:8, 2:8, 2:8]), boxed(np.s_[5:11, 2:8, 2:8])
    change = label_change(one, two, here(), "ET")
    for kind, box in (
        (Change.GONE, np.s_[2:5, 2:8, 2:8]),
        (Change.STABLE, np.s_[5:8, 2:8, 2:8]),
        (Change.APPEARED, np.s_[8:11, 2:8, 2:8]),
    ):
        expected = np.zeros(PLAIN.shape, bool)
        expected[box] = True
        assert np.array_equal(change.map.mask(kind), expected)
        assert change.map.map_ml(kind) == pytest.approx(0.108)
    assert change.map.map_ml(Change.UNSEEN) == 0.0
    assert (change.earlier_ml, change.later_ml, change.change_ml) == (0.216, 0.216, 0.0)  # moved, though no mL changed


@given(st.from_type(LabelMap), st.integers(0, 2**32 - 1), st.sampled_from(list(REGIONS)))
@settings(max_examples=60)
def test_exchanging_two_studies_exchanges_what_appeared_and_went(labels, seed, region):
    other = labels.with_data(np.random.default_rng(seed).integers(0, 5, labels.grid.shape))
    there, back = (label_change(*pair, here(labels.grid), region) for pair in ((labels, other), (other, labels)))
    assert np.array_equal(there.map.mask(Change.STABLE), back.map.mask(Change.STABLE))
    assert np.array_equal(there.map.mask(Change.APPEARED), back.map.mask(Change.GONE))
    assert there.change_ml == pytest.approx(-back.change_ml)
    assert np.array_equal(there.map.data > 0, labels.region(region) | other.region(region))
    same = label_change(labels, labels, here(labels.grid), region)
    assert set(np.unique(same.map.data)) <= {0, Change.STABLE}
    assert same.resampled_ml == pytest.approx((same.earlier_ml, same.later_ml))  # on its own grid nothing is resampled


def test_regions_are_those_of_the_field():
    one, two = boxed(np.s_[2:8, 2:8, 2:8], value=2), boxed(np.s_[2:8, 2:8, 2:8], value=3)
    assert set(np.unique(label_change(one, two, here(), "WT").map.data)) == {0, Change.STABLE}
    assert set(np.unique(label_change(one, two, here(), "ET").map.data)) == {0, Change.APPEARED}
    assert set(np.unique(label_change(one, two, here(), "SNFH").map.data)) == {0, Change.GONE}
    with pytest.raises(LabelError, match="a region of"):
        label_change(one, two, here(), "tumour")


def test_volumes_come_from_each_study_s_own_grid():
    """One lesion on thick and on thin slices: the map holds neither volume exactly, and says so."""
    thick, thin = turned((0.9, 0.9, 5.0), (0, 0, 0)), turned((1.0, 1.0, 1.0), (20, -10, 5))
    one, two = ball(thick, (1, 2, 3), 6.0), ball(thin, (1, 2, 3), 6.0)
    change = label_change(one, two, here(thin), "TC")
    assert change.earlier_ml == one.volume_ml("TC")
    assert change.later_ml == two.volume_ml("TC") == change.resampled_ml[1]
    assert change.resampled_ml[0] != change.earlier_ml
    assert change.resampled_ml[0] == pytest.approx(change.earlier_ml, rel=0.05)
    assert f"TC {change.earlier_ml:.2f} mL, then {change.later_ml:.2f} mL, each on its own grid" in change.note
    assert f"({change.resampled_ml[0] - change.earlier_ml:+.2f})" in change.note


def test_the_map_converges_to_the_volumes():
    """Finer maps of the same oblique study: error of a volume at most that of a shell of a quarter of a map's voxel."""
    study = turned((1.3, 1.1, 2.2), (25, 10, -15))
    labels = ball(study, (0, 0, 0), 9.0)
    for spacing in (4.0, 2.0, 1.0, 0.5):
        change = label_change(labels, labels, here(turned((spacing,) * 3, (0, 0, 0))), "ET")
        shell = 4 * np.pi * 9.0**2 * spacing / 4 / 1000
        assert abs(change.resampled_ml[1] - change.later_ml) < shell
        assert set(np.unique(change.map.data)) == {0, Change.STABLE}


def test_a_study_that_did_not_look_there_says_nothing():
    short = Grid((24, 24, 10), np.eye(4))
    one, two = boxed(np.s_[2:8, 2:8, 2:8], grid=short), boxed(np.s_[2:8, 2:8, 2:8], np.s_[2:8, 2:8, 12:18])
    change = label_change(one, two, here(), "ET")
    assert change.map.mask(Change.UNSEEN).nonzero()[2].min() == 12
    assert change.map.map_ml(Change.UNSEEN) == 0.216
    assert not change.map.mask(Change.APPEARED).any()
    back = label_change(two, one, here(), "ET")
    assert np.array_equal(back.map.data, change.map.data)


def test_a_single_voxel_and_nothing_at_all():
    one, none = boxed(np.s_[3:4, 3:4, 3:4]), boxed()
    assert label_change(one, none, here(), "ET").map.data[3, 3, 3] == Change.GONE
    assert not label_change(none, none, here(), "ET").map.data.any()


# --- through an alignment ---------------------------------------------------------------------------------------


def laid_apart():
    """One lesion that grows, in two studies that lie elsewhere on grids of their own, and where the template is."""
    poses = [draw_motion(np.random.default_rng(n), 30, 20, np.zeros(3)) for n in (1, 2)]
    grids = [turned((1.0, 1.0, 1.0), (0, 0, 0)), turned((0.8, 1.2, 1.0), (15, 0, -20))]
    labels = []
    for grid, pose, radius in zip(grids, poses, (6.0, 9.0), strict=True):
        drawn = ball(grid, (2, -1, 3), radius)
        labels.append(LabelMap(drawn.data, Grid(grid.shape, pose @ grid.affine)))
    alignment = Alignment({"ses-01": np.linalg.inv(poses[0]), "ses-02": np.linalg.inv(poses[1])})
    return labels, alignment


@pytest.mark.parametrize("where", ["later", "template"])
def test_the_alignment_lays_a_lesion_on_itself(where):
    (one, two), alignment = laid_apart()
    place = (
        on_later(alignment, "ses-01", "ses-02", two.grid)
        if where == "later"
        else in_template(alignment, "ses-01", "ses-02", turned((1.0, 1.0, 1.0), (0, 0, 0)))
    )
    change = label_change(one, two, place, "ET")
    assert change.map.map_ml(Change.STABLE) == pytest.approx(one.volume_ml("ET"), rel=0.03)
    assert change.map.map_ml(Change.APPEARED) == pytest.approx(change.change_ml, rel=0.03)
    assert not change.map.mask(Change.GONE).any()
    assert not change.map.mask(Change.UNSEEN).any()
    unaligned = label_change(one, two, Place(place.grid, STAY, STAY), "ET")
    assert unaligned.map.map_ml(Change.STABLE) < 0.5 * one.volume_ml("ET")


@pytest.mark.parametrize("function", [on_later, in_template])
def test_studies_that_were_not_aligned_are_not_compared(function):
    with pytest.raises(InputError, match="two aligned studies"):
        function(Alignment({"ses-01": STAY}), "ses-01", "ses-02", PLAIN)


@pytest.mark.parametrize("data", [np.full((2, 2, 2), 5), np.zeros((2, 2, 2), float)])
def test_a_map_holds_changes_only(data):
    with pytest.raises(LabelError, match="map of changes"):
        ChangeMap.of(data, np.eye(4))


def test_every_change_has_words():
    assert set(CHANGE_NAMES) == set(Change)


# --- signal -----------------------------------------------------------------------------------------------------


def study_of(data, name="ses-01", brain=None, grid=PLAIN, sequence=Sequence.FLAIR):
    inside = np.ones(grid.shape, bool) if brain is None else brain
    return Study(name, {sequence: Volume(np.where(inside, data, 0.0), grid)}, inside)


TEXTURE = ndi.gaussian_filter(np.random.default_rng(3).normal(size=PLAIN.shape), 2.0) * 20


@given(st.floats(0.2, 5.0), st.floats(-3.0, 3.0))
def test_another_scale_is_no_change(gain, offset):
    change = intensity_change(study_of(TEXTURE), study_of(gain * TEXTURE + offset), here(), Sequence.FLAIR)
    assert (change.gain, change.offset) == (pytest.approx(gain, rel=1e-4), pytest.approx(offset, abs=1e-4))
    assert np.abs(change.difference.data).max() < 1e-3
    assert change.seen.all()


def test_a_lesion_that_grew_brighter_is_seen_with_its_sign():
    later = 2.0 * TEXTURE + 1.0
    later[4:10, 4:10, 4:10] += 7.0
    later[14:18, 14:18, 14:18] -= 4.0
    labels = boxed(np.s_[4:10, 4:10, 4:10], np.s_[14:18, 14:18, 14:18])
    change = intensity_change(study_of(TEXTURE), study_of(later), here(), Sequence.FLAIR, (None, labels))
    assert change.difference.data[4:10, 4:10, 4:10] == pytest.approx(np.full((6, 6, 6), 7.0), abs=1e-4)
    assert change.difference.data[14:18, 14:18, 14:18] == pytest.approx(np.full((4, 4, 4), -4.0), abs=1e-4)
    assert np.abs(change.difference.data[labels.data == 0]).max() < 1e-4


@pytest.mark.parametrize("which", [0, 1])
def test_tumour_of_either_study_does_not_set_the_scale(which):
    """Half of the brain is tumour; left in, it would take half of the change for scale."""
    images = [TEXTURE.copy(), TEXTURE.copy()]
    images[which][:12] += 30.0
    labels = [None, None]
    labels[which] = boxed(np.s_[:12])
    one, two = (study_of(image) for image in images)
    free = intensity_change(one, two, here(), Sequence.FLAIR, tuple(labels))
    assert np.abs(free.difference.data[13:]).max() < 1e-3
    assert np.abs(intensity_change(one, two, here(), Sequence.FLAIR).difference.data[13:]).max() > 1.0


def test_outside_either_brain_nothing_is_known():
    brain = np.ones(PLAIN.shape, bool)
    brain[:, :, 20:] = False
    oblique = turned((1.5, 1.5, 1.5), (10, 20, 0), 60.0)
    one = study_of(TEXTURE, brain=brain)
    change = intensity_change(one, study_of(TEXTURE, "ses-02"), here(), Sequence.FLAIR)
    assert np.array_equal(change.seen, brain)
    assert not change.difference.data[~change.seen].any()
    off_grid = intensity_change(one, study_of(TEXTURE, "ses-02"), here(oblique), Sequence.FLAIR)
    inside = PLAIN.to_voxel(oblique.to_world(np.argwhere(off_grid.seen)))
    assert inside.min() >= -0.01
    assert inside[:, 2].max() <= 19.01  # a voxel that is partly made of what lies outside is not brain
    assert np.abs(off_grid.difference.data).max() < 1e-3


def test_the_same_head_laid_elsewhere_has_not_changed():
    pose = draw_motion(np.random.default_rng(5), 30, 20, np.zeros(3))
    moved = Grid(PLAIN.shape, pose @ PLAIN.affine)
    alignment = Alignment({"ses-01": STAY, "ses-02": np.linalg.inv(pose)})
    one, two = study_of(TEXTURE), study_of(TEXTURE, "ses-02", grid=moved)
    for place in (
        on_later(alignment, "ses-01", "ses-02", moved),
        in_template(alignment, "ses-01", "ses-02", PLAIN),
    ):
        change = intensity_change(one, two, place, Sequence.FLAIR)
        assert change.seen.mean() > 0.8
        assert np.abs(change.difference.data).max() < 1e-3


def test_signals_that_cannot_be_compared_are_refused():
    one = study_of(TEXTURE)
    with pytest.raises(SequenceError, match="ses-02: expected FLAIR at both visits"):
        intensity_change(one, study_of(TEXTURE, "ses-02", sequence=Sequence.T1C), here(), Sequence.FLAIR)
    away = Grid(PLAIN.shape, np.array([[1, 0, 0, 99], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    with pytest.raises(IntensityError, match="brain that both visits show"):
        intensity_change(one, study_of(TEXTURE, grid=away), here(), Sequence.FLAIR)
    with pytest.raises(IntensityError, match="no spread"):
        intensity_change(study_of(np.ones(PLAIN.shape)), one, here(), Sequence.FLAIR)
