"""The gate: right motions pass, wrong ones do not, whatever makes them wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tumorboard.prepare.bias import without_bias, without_rough_bias
from tumorboard.prepare.gate import LIMITS, FitQuality, assess_fit, nudges
from tumorboard.sequences import Sequence
from tumorboard.simulate.native import centre_of
from tumorboard.volume import Volume

MOVED = (Sequence.T1, Sequence.T2, Sequence.FLAIR)


@pytest.fixture(scope="module")
def told(coarse_study):
    """Judge a motion of one image; returns what the gate says."""
    even = without_bias(coarse_study.reference, coarse_study.region)[0]

    def go(volume, matrix):
        return assess_fit(even, without_rough_bias(volume), coarse_study.region, matrix).refusal()

    return go


@pytest.mark.parametrize("sequence", MOVED)
def test_the_true_motion_passes(coarse_study, told, sequence):
    assert told(coarse_study.volumes[sequence], coarse_study.images[sequence].motion) == ""


@pytest.mark.parametrize("sequence", MOVED)
@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("size", [-12.0, 8.0])
def test_a_shift_is_refused(coarse_study, told, sequence, axis, size):
    wrong = coarse_study.images[sequence].motion.copy()
    wrong[axis, 3] += size
    assert told(coarse_study.volumes[sequence], wrong)


@pytest.mark.parametrize("axis", "xyz")
def test_a_turn_is_refused(coarse_study, told, axis):
    centre, turn = centre_of(coarse_study.head), np.eye(4)
    turn[:3, :3] = Rotation.from_euler(axis, 12.0, degrees=True).as_matrix()
    turn[:3, 3] = centre - turn[:3, :3] @ centre
    assert told(coarse_study.volumes[Sequence.FLAIR], coarse_study.images[Sequence.FLAIR].motion @ turn)


@pytest.mark.parametrize("sequence", MOVED)
def test_another_patient_and_a_mirrored_image_are_refused(coarse_study, coarse_stranger, told, sequence):
    stranger = coarse_stranger.images[sequence]
    assert told(stranger.volume, stranger.motion)
    mine = coarse_study.images[sequence]
    assert told(Volume(mine.volume.data[::-1, ::-1].copy(), mine.volume.grid), mine.motion)


def test_noise_is_refused(coarse_study, told):
    image = coarse_study.volumes[Sequence.T1]
    noise = np.random.default_rng(0).normal(100, 20, image.grid.shape)
    assert "information" in told(image.with_data(noise), np.eye(4))


def test_an_image_beside_the_brain_is_refused_for_its_cover(coarse_study, told):
    away = np.eye(4)
    away[0, 3] = 500.0
    assert "0 % of the brain lies inside it" in told(coarse_study.volumes[Sequence.T1], away)


fractions = st.floats(0, 1)


@given(fractions, fractions, fractions, fractions)
def test_what_is_better_in_all_numbers_never_fails_where_the_worse_passes(shared, drop, cover, more):
    worse = FitQuality(shared, drop, cover, 0.0, 0.0)
    better = FitQuality(*(min(1.0, v + more) for v in (shared, drop, cover)), 0.0, 0.0)
    if not worse.refusal():
        assert not better.refusal()


@pytest.mark.parametrize("number", ["shared", "drop", "cover"])
def test_each_number_is_enough_to_refuse(number):
    fine = {"shared": 0.5, "drop": 0.5, "cover": 1.0}
    assert FitQuality(**fine, moved_mm=0.0, turned_deg=0.0).refusal() == ""
    bad = fine | {number: 0.99 * getattr(LIMITS, number)}
    assert FitQuality(**bad, moved_mm=0.0, turned_deg=0.0).refusal().count("(least") == 1


def test_nudges_go_both_ways_along_and_about_each_axis():
    centre = np.array([10.0, -20.0, 30.0])
    made = nudges(centre)
    assert len({m.tobytes() for m in made}) == 12
    turns = [m for m in made if not np.allclose(m[:3, :3], np.eye(3))]
    assert len(turns) == 6
    assert all(np.allclose(m[:3, :3] @ centre + m[:3, 3], centre) for m in turns)
