"""The learned segmenter around networks with random weights: what holds whatever they have learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorboard.errors import InputError, IntensityError
from tumorboard.labels import Tissue
from tumorboard.networks.architectures import Architecture
from tumorboard.networks.bundle import Bundle, Calibration, Pass, seeded
from tumorboard.segment.calibrated import clues, expected_dice, predicted_dice, unsureness, volume_interval
from tumorboard.segment.decision import decided
from tumorboard.segment.learned import LearnedSegmenter, Options, log_softmax, softmax
from tumorboard.segment.likeness import QUANTILES, likeness
from tumorboard.sequences import Sequence

SMALL = Architecture(name="dynunet-blocks", channels=4, classes=5, filters=(8, 8, 8))
PLAIN = Options(backend="torch-float32")


@pytest.fixture(scope="module")
def bundle(tiny_metadata):
    """Make a bundle of two passes."""

    def made(calibration: Calibration | None = None) -> Bundle:
        passes = (
            Pass(name="coarse", spacing_mm=8.0, window=(16, 24, 16), architecture=SMALL),
            Pass(name="fine", spacing_mm=4.0, window=(24, 24, 24), architecture=SMALL),
        )
        needs = (Sequence.FLAIR, Sequence.T2)
        told = tiny_metadata(passes=passes, needs_any=needs, calibration=calibration or Calibration())
        weights = {f"{p.name}.{k}": v for n, p in enumerate(passes) for k, v in seeded(SMALL, n).items()}
        return Bundle(told, weights)

    return made


@pytest.fixture(scope="module")
def study(coarse_prepared):
    return coarse_prepared.study


def test_same_input_gives_identical_maps(study, bundle) -> None:
    one, two = (LearnedSegmenter(bundle(), PLAIN).segment(study) for _ in range(2))
    assert (one.labels.data == two.labels.data).all()
    for region, volume in one.probabilities.items():
        assert (volume.data == two.probabilities[region].data).all()


def test_a_warm_segmenter_gives_what_a_fresh_one_gives(study, bundle) -> None:
    warm = LearnedSegmenter(bundle(), PLAIN)
    first, second = warm.segment(study), warm.segment(study)
    assert (first.labels.data == second.labels.data).all()


def test_nothing_is_outlined_outside_the_brain_and_probabilities_are_some(study, bundle) -> None:
    found = LearnedSegmenter(bundle(), PLAIN).segment(study)
    assert not found.labels.data[~study.brain].any()
    for volume in found.probabilities.values():
        assert volume.data.min() >= 0
        assert volume.data.max() <= 1 + 1e-6
    inside = found.probabilities["WT"].data >= found.probabilities["TC"].data - 1e-6
    assert inside.all()


def test_without_t1c_no_enhancing_tumour_is_claimed(study, bundle) -> None:
    less = replace(study, volumes={s: v for s, v in study.volumes.items() if s is not Sequence.T1C})
    found = LearnedSegmenter(bundle(), PLAIN).segment(less)
    assert "ET" in found.not_assessable
    assert not (found.labels.data == 3).any()
    assert any("T1C was not given" in reason for reason in found.validity.reasons)


@pytest.mark.parametrize("kept", [(Sequence.T1,), (Sequence.T1, Sequence.T1C)])
def test_without_any_needed_sequence_everything_is_unknown(study, bundle, kept: tuple[Sequence, ...]) -> None:
    less = replace(study, volumes={s: study.volumes[s] for s in kept})
    found = LearnedSegmenter(bundle(), PLAIN).segment(less)
    assert set(found.not_assessable) >= {"WT", "TC", "ET"}
    assert not found.labels.data.any()


@pytest.mark.parametrize(("value", "told"), [(np.nan, "finite"), (3.0, "contrast")])
def test_images_that_cannot_be_images_are_refused(study, bundle, value: float, told: str) -> None:
    flair = study.volumes[Sequence.FLAIR]
    broken = flair.with_data(np.full(flair.data.shape, value, np.float32))
    with pytest.raises(IntensityError, match=told):
        LearnedSegmenter(bundle(), PLAIN).segment(replace(study, volumes={**study.volumes, Sequence.FLAIR: broken}))


def test_an_empty_brain_is_refused(study, bundle) -> None:
    with pytest.raises(InputError, match="brain"):
        LearnedSegmenter(bundle(), PLAIN).segment(replace(study, brain=np.zeros_like(study.brain)))


def test_mirroring_makes_a_mirror_image_of_a_mirror_image(study, bundle) -> None:
    both = LearnedSegmenter(bundle(), replace(PLAIN, mirror=True))
    flipped = replace(
        study,
        volumes={s: v.with_data(v.data[::-1].copy()) for s, v in study.volumes.items()},
        brain=study.brain[::-1].copy(),
    )
    one, two = both.segment(study).probabilities["WT"].data, both.segment(flipped).probabilities["WT"].data
    assert np.abs(one - two[::-1]).mean() < 0.02  # windows of the fine pass need not lie on each other


def test_calibrated_bundles_give_intervals_and_predicted_dice(study, bundle) -> None:
    how = Calibration(
        volume_low={"WT": 1.0}, volume_high={"WT": 1.0}, dice={"WT": {"intercept": 0.1, "expected": 0.8}}, patients=10
    )
    found = LearnedSegmenter(bundle(how), PLAIN).segment(study)
    if found.labels.region("WT").any():
        low, high = found.intervals["WT"]
        assert low < found.labels.volume_ml("WT") < high
    assert 0 <= found.predicted_dice["WT"] <= 1
    assert set(found.intervals) <= {"WT"}


def test_softmax_and_its_logarithm_agree() -> None:
    logits = np.random.default_rng(0).normal(0, 30, (4, 50)).astype(np.float32)
    assert np.allclose(np.exp(log_softmax(logits)), softmax(logits), atol=1e-6)
    assert np.allclose(softmax(logits).sum(axis=0), 1, atol=1e-5)


def test_crumbs_are_dropped_and_lesions_kept() -> None:
    p = np.zeros((5, 12, 12, 12), np.float32)
    p[0] = 1
    for at in ((slice(0, 2),) * 3, (slice(5, 9),) * 3):
        p[(0, *at)], p[(3, *at)] = 0.2, 0.8
    found = decided(p, p[0] < 0.5, (1.0, 1.0, 1.0))
    assert (found > 0).sum() == 64


def test_drops_of_cavity_become_what_is_next_likely_and_cavities_stay() -> None:
    p = np.zeros((5, 30, 12, 12), np.float32)
    p[0] = 1
    for place, told in ((slice(1, 10), (0.1, 0, 0.2, 0.1, 0.6)), (slice(12, 16), (0.1, 0, 0.3, 0.1, 0.5))):
        p[:, place, 1:10, 1:10] = np.array(told, np.float32)[:, None, None, None]
    p[:, 20:24, 1:5, 1:5] = np.array((0.35, 0, 0.1, 0.1, 0.45), np.float32)[:, None, None, None]
    found = decided(p, p[0] < 0.5, (1.0, 1.0, 1.0))
    assert (found[1:10, 1:10, 1:10] == Tissue.RC).all()
    assert (found[12:16, 1:10, 1:10] == Tissue.SNFH).all()
    assert not found[20:24].any()
    assert (decided(p, p[0] < 0.5, (1.0, 1.0, 2.0))[12:16, 1:10, 1:10] == Tissue.RC).all()


def test_wider_probabilities_make_wider_intervals() -> None:
    how = Calibration(volume_low={"WT": 1.0}, volume_high={"WT": 1.0})
    sure, unsure = np.zeros(1000, np.float32), np.zeros(1000, np.float32)
    sure[:300], unsure[:200], unsure[200:400] = 0.95, 0.95, 0.5
    widths = []
    for p in (sure, unsure):
        low, high = volume_interval("WT", p, p > 0.6, 0.001, how)
        widths.append(high / low)
    assert widths[1] > widths[0]
    assert unsureness(unsure, 0.001) > unsureness(sure, 0.001)
    assert expected_dice(sure, sure > 0.5) > expected_dice(unsure, unsure > 0.4)


def test_what_was_not_calibrated_is_not_given() -> None:
    p = np.ones(10, np.float32)
    assert volume_interval("WT", p, p > 0.5, 1.0, Calibration()) is None
    assert predicted_dice("WT", clues(p, p > 0.5, 1.0), Calibration()) is None


def test_strange_intensities_lower_the_score_and_are_named() -> None:
    rng = np.random.default_rng(0)
    usual = rng.normal(size=(1, 20, 20, 20)).astype(np.float32)
    brain = np.ones((20, 20, 20), bool)
    known = tuple((float(q), 0.1) for q in np.percentile(usual, QUANTILES))
    how = Calibration(quantiles={"T1": known})
    assert likeness(usual, brain, (Sequence.T1,), how).score > 0.9
    strange = likeness(np.exp(2 * usual), brain, (Sequence.T1,), how)
    assert strange.score < 0.2
    assert "T1" in strange.reasons[0]


def test_the_fine_pass_changes_nothing_far_from_what_may_be_tumour(study, bundle, monkeypatch) -> None:
    both = LearnedSegmenter(bundle(Calibration(fine_weight=1.0)), PLAIN)
    fine = both.look(study)
    monkeypatch.setattr("tumorboard.segment.learned._suspect", lambda p, brain, spacing: np.zeros_like(brain))
    coarse = both.look(study)
    here = np.zeros_like(study.brain[fine.box])
    here[2:4, 2:4, 2:4] = True
    monkeypatch.setattr("tumorboard.segment.learned._suspect", lambda p, brain, spacing: here)
    part = both.look(study)
    changed = (part.logits != coarse.logits).any(axis=0)
    assert changed.any()
    assert changed[2:4, 2:4, 2:4].all()
    assert not changed[4:].any()
    assert (fine.logits != coarse.logits).any()
