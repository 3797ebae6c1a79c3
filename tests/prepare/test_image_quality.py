"""What is measured of native images: each fault raises its own number and its own sentence."""

import numpy as np
import pytest

from tumorboard.errors import InputError, MissingDependency
from tumorboard.prepare import skull
from tumorboard.prepare.bias import without_bias
from tumorboard.prepare.brainers import deepbet, learned
from tumorboard.prepare.native import sampled
from tumorboard.prepare.quality import assess
from tumorboard.prepare.skull import OURS, check_brain, head_mask, is_head
from tumorboard.prepare.subtract import subtraction
from tumorboard.sequences import Sequence
from tumorboard.simulate.body.shell import distance_from
from tumorboard.volume import Volume


@pytest.fixture(scope="module")
def clean():
    """A smooth head of 24 slices in quiet air."""
    i, j, k = np.meshgrid(*(np.linspace(-1.6, 1.6, n) for n in (64, 64, 24)), indexing="ij")
    data = np.where(i**2 + j**2 + (0.55 * k) ** 2 < 1, 500.0 + 60.0 * np.cos(3 * i) * np.cos(2 * j), 0.0)
    return data + np.random.default_rng(0).normal(0, 4, data.shape)


def told(data, thickness=3.0):
    return " ".join(assess(Volume.of(data.astype(np.float32), np.diag([3.5, 3.5, thickness, 1.0]))).warnings)


def test_a_clean_head_is_not_complained_about(clean):
    assert told(clean, 3.6) == ""


FAULTS = {
    "noisy": lambda d: d + np.random.default_rng(1).normal(0, 120, d.shape),
    "ghosts": lambda d: d + 0.15 * np.roll(d, 32, axis=1),
    "brightness jumps": lambda d: d * np.where(np.arange(d.shape[2]) % 2, 1.2, 0.85),
    "1 slices are copies": lambda d: np.concatenate([d[:, :, :10], d[:, :, 9:10], d[:, :, 11:]], axis=2),
    "2 slices are empty": lambda d: np.concatenate([d[:, :, :-2], np.zeros((64, 64, 2))], axis=2),
    "saturated": lambda d: np.minimum(d, 480.0),
}


@pytest.mark.parametrize("words", FAULTS)
def test_each_fault_is_told(clean, words):
    assert words in told(FAULTS[words](clean), 3.6)


def test_thick_slices_are_told(clean):
    assert "slices of 7.0 mm are too thick" in told(clean, 7.0)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 3, 1), (2, 40, 40)])
def test_tiny_and_empty_images_are_measured_without_a_fault_of_ours(shape):
    for data in (np.zeros(shape, np.float32), np.ones(shape, np.float32)):
        assess(Volume.of(data, np.eye(4)))


# --- bias -------------------------------------------------------------------------------------------------------


def test_a_known_bias_field_is_taken_out_and_the_mean_stays():
    rng = np.random.default_rng(0)
    tissue = rng.choice([300.0, 600.0], (40, 40, 40)) + rng.normal(0, 8, (40, 40, 40))
    field = np.exp(0.1 * np.sin(np.linspace(-1.5, 1.5, 40)))[:, None, None]
    brain = np.ones(tissue.shape, bool)
    flat, spread = without_bias(Volume.of(tissue * field, np.diag([5.0, 5.0, 5.0, 1.0])), brain)
    left = np.log(flat.data / tissue)
    assert left.std() < 0.05 * np.log(field).std()
    assert spread == pytest.approx(np.log(field).std(), rel=0.05)
    assert flat.data.dtype == np.float32


def test_an_image_without_a_field_is_left_nearly_as_it_is():
    data = np.random.default_rng(0).choice([300.0, 600.0], (30, 30, 30))
    flat, spread = without_bias(Volume.of(data, np.diag([6.0, 6.0, 6.0, 1.0])), np.ones(data.shape, bool))
    assert spread < 0.03
    assert np.abs(flat.data / data - 1).max() < 0.1


@pytest.mark.parametrize("shape", [(1, 1, 1), (8, 8, 8), (40, 40, 1), (200, 3, 3)])
def test_images_too_small_for_a_field_are_left_as_they_are(shape):
    data = np.random.default_rng(0).uniform(1, 9, shape).astype(np.float32)
    flat, spread = without_bias(Volume.of(data, np.eye(4)), np.ones(shape, bool))
    assert np.array_equal(flat.data, data)
    assert spread == 0


# --- brain ------------------------------------------------------------------------------------------------------


def test_a_head_is_told_from_a_stripped_brain(coarse_study, coarse_patient):
    assert is_head(coarse_study.reference)
    assert not any(is_head(v) for v in coarse_patient.studies[0].volumes.values())


def test_without_the_package_our_network_outlines_the_brain(coarse_study, monkeypatch):
    monkeypatch.setattr(deepbet, "find_spec", lambda name: None)
    assert head_mask(coarse_study.volumes).method == OURS.method
    with pytest.raises(MissingDependency, match="pip install --no-deps deepbet"):
        deepbet.outline(coarse_study.reference)


@pytest.mark.parametrize("sequence", [Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR])
def test_our_network_knows_every_sequence(coarse_study, sequence):
    image = coarse_study.images[sequence]
    moved_back = np.linalg.inv(image.motion)
    truth = sampled(coarse_study.head.brain, image.volume.grid, moved_back, 1) > 0.5
    mask = learned.outline(image.volume)
    assert (mask & truth).sum() > 0.96 * truth.sum()
    # fluid around the brain belongs to its masks, not to the truth of digital heads
    near = distance_from(truth, image.volume.grid) <= 8.0
    assert (mask & ~near).sum() < 0.02 * mask.sum()


def test_the_brain_of_a_digital_head_is_found(coarse_study):
    found = head_mask(coarse_study.volumes)
    assert found.sequence is Sequence.T1C
    mask, truth = np.asarray(found.mask.data) > 0, coarse_study.brain
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.9


def test_noise_has_no_brain():
    noise = np.random.default_rng(0).integers(5, 90, (40, 40, 30)).astype(np.float32)
    with pytest.raises(InputError, match="brain"):
        head_mask({Sequence.T1C: Volume.of(noise, np.diag([5.0, 5.0, 5.0, 1.0]))})


def test_a_brain_that_is_cut_off_is_told():
    places = np.indices((40, 44, 22)) - np.array([19.5, 21.5, 0.0]).reshape(3, 1, 1, 1)
    mask = ((places * np.array([4, 4, 5.0]).reshape(3, 1, 1, 1) / [[[[68]]], [[[82]]], [[[100]]]]) ** 2).sum(axis=0) < 1
    notes = check_brain(Volume.of(mask, np.diag([4.0, 4.0, 5.0, 1.0])), "T1C")
    assert notes == tuple(n for n in notes if "cuts the brain off at the bottom" in n)
    assert len(notes) == 1


def test_a_slab_is_refused_for_its_field_of_view():
    with pytest.raises(InputError, match="give a series that covers it"):
        check_brain(Volume.of(np.ones((40, 44, 4), bool), np.diag([4.0, 4.0, 1.0, 1.0])), "T1")


@pytest.mark.parametrize("ml", [skull.PLAUSIBLE_ML[0] / 2, skull.PLAUSIBLE_ML[1] * 1.5])
def test_implausible_brains_are_refused_with_the_numbers(ml):
    side = round((ml * 1000) ** (1 / 3))
    mask = np.zeros((side + 4,) * 3, bool)
    mask[2:-2, 2:-2, 2:-2] = True
    with pytest.raises(InputError, match="--brain-mask FILE"):
        check_brain(Volume.of(mask, np.eye(4)), "T1C")


# --- subtraction ------------------------------------------------------------------------------------------------


def test_subtraction_shows_what_took_up_contrast_and_nothing_else():
    rng = np.random.default_rng(0)
    t1 = rng.normal(size=(20, 20, 20))
    t1c = 1.7 * t1 + 0.4
    t1c[9:11, 9:11, 9:11] += 4.0
    brain = np.ones(t1.shape, bool)
    out = subtraction(*(Volume.of(d.astype(np.float32), np.eye(4)) for d in (t1c, t1)), brain).data
    assert out[9:11, 9:11, 9:11] == pytest.approx(4.0, abs=0.05)
    out[9:11, 9:11, 9:11] = 0
    assert np.abs(out).max() < 0.05
