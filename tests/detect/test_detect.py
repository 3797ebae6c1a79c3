"""Detectors on phantoms: balls are found where they are, tubes are trusted less, nothing is found in nothing."""

from __future__ import annotations

import numpy as np
import pytest

from tumorboard.detect import DETECTORS
from tumorboard.detect.base import Detected, Scored, ball_diameter_mm, ranked, size_class, unseen
from tumorboard.detect.joined import JoinedDetector, joined
from tumorboard.detect.learned import LearnedDetector, instances
from tumorboard.detect.template import TemplateDetector, TemplateSettings, correlation
from tumorboard.detect.tubes import tubeness
from tumorboard.segment.base import Validity
from tumorboard.segment.learned import Options
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Grid, Volume

SHAPE = (48, 52, 44)


def phantom(centres, radius_mm: float, spacing=(1.0, 1.0, 1.0), turn=None, tubes: bool = False) -> Study:
    """A brain of noise with bright balls, and bright tubes if asked for."""
    rng = np.random.default_rng(0)
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if turn is None else turn) @ np.diag(spacing)
    grid = Grid(SHAPE, affine)
    at = np.indices(SHAPE) * np.array(spacing)[:, None, None, None]
    image = rng.normal(0, 0.4, SHAPE)
    for centre in centres:
        distance = np.sqrt(((at - np.array(centre)[:, None, None, None]) ** 2).sum(axis=0))
        image += 4 * np.clip(radius_mm + 0.5 - distance, 0, 1)
    if tubes:
        distance = np.sqrt((at[1] - 40) ** 2 + (at[2] - 12) ** 2)
        image += 4 * np.clip(1.5 + 0.5 - distance, 0, 1)
    brain = np.zeros(SHAPE, bool)
    brain[2:-2, 2:-2, 2:-2] = True
    return Study("ses-01", {Sequence.T1C: Volume((image * brain).astype(np.float32), grid)}, brain)


@pytest.mark.parametrize("radius_mm", [1.5, 3.0, 5.0])
def test_balls_are_found_where_they_are(radius_mm: float) -> None:
    centres = [(14.0, 20.0, 16.0), (34.0, 30.0, 30.0)]
    found = TemplateDetector().detect(phantom(centres, radius_mm))
    top = sorted(d.centre_mm for d in found.found[:2])
    assert np.abs(np.array(top) - np.array(sorted(centres))).max() < 1.0
    assert len(found.reported()) == 2


def test_a_turned_grid_gives_the_place_in_mm() -> None:
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    found = TemplateDetector().detect(phantom([(14.0, 20.0, 16.0)], 3.0, turn=turn))
    assert np.allclose(found.found[0].centre_mm, turn @ [14.0, 20.0, 16.0], atol=1.0)


def test_anisotropic_voxels_find_the_same_ball() -> None:
    found = TemplateDetector().detect(phantom([(14.0, 20.0, 40.0)], 5.0, spacing=(1.0, 1.0, 2.0)))
    assert np.allclose(found.found[0].centre_mm, (14.0, 20.0, 40.0), atol=1.5)


def test_a_tube_is_trusted_less_than_a_ball() -> None:
    found = TemplateDetector().detect(phantom([(14.0, 20.0, 30.0)], 2.0, tubes=True))
    assert np.allclose(found.found[0].centre_mm, (14.0, 20.0, 30.0), atol=1.0)


def test_tubeness_tells_tubes_from_balls_in_any_direction() -> None:
    at = np.indices((24, 24, 24)) - 11.5
    every = np.ones((24, 24, 24), bool)
    ball = 4 * np.clip(3 - np.sqrt((at**2).sum(axis=0)), 0, 1).astype(np.float32)
    for axis in [*np.eye(3).tolist(), [0.6, 0.8, 0.0], [0.577, 0.577, 0.577]]:
        along = np.tensordot(np.array(axis), at, axes=1)
        away = np.sqrt(np.maximum((at**2).sum(axis=0) - along**2, 0))
        tube = 4 * np.clip(2.5 - away, 0, 1).astype(np.float32)
        assert tubeness(tube, every)[11:13, 11:13, 11:13].mean() > 2 * tubeness(ball, every)[11:13, 11:13, 11:13].mean()


def test_nothing_is_found_without_t1c_and_that_is_said() -> None:
    study = phantom([], 1.0)
    other = Study("ses-01", {Sequence.FLAIR: study.volumes[Sequence.T1C]}, study.brain)
    found = TemplateDetector().detect(other)
    assert not found.found
    assert "T1C" in found.not_assessable


def test_an_empty_brain_and_a_single_voxel_are_no_accident() -> None:
    study = phantom([(14.0, 20.0, 16.0)], 3.0)
    for brain in (np.zeros(SHAPE, bool), np.pad(np.ones((1, 1, 1), bool), [(20, n - 21) for n in SHAPE])):
        found = TemplateDetector().detect(Study("ses-01", study.volumes, brain))
        assert not found.reported()


def test_correlation_is_bounded_and_blind_to_scale() -> None:
    image = np.random.default_rng(0).normal(size=(20, 20, 20)).astype(np.float32)
    one = correlation(image, 4.0)
    assert np.abs(one).max() <= 1 + 1e-4
    assert np.abs(correlation(3 * image, 4.0) - one)[5:-5, 5:-5, 5:-5].max() < 0.02


def test_ranked_counts_and_sizes() -> None:
    grid = Grid((10, 10, 10), np.diag([1.0, 2.0, 1.0, 1.0]))
    numbers = np.zeros((10, 10, 10), int)
    numbers[1, 1, 1], numbers[4:7, 4:7, 4:7] = 5, 2
    volume, found = ranked(Scored(numbers, {5: 0.3, 2: 0.9}), grid)
    assert [d.number for d in found] == [1, 2]
    assert found[0].volume_ml == pytest.approx(0.054)
    assert found[0].diameter_mm == pytest.approx(ball_diameter_mm(0.054))
    assert found[0].centre_mm == pytest.approx((5.0, 10.0, 5.0))
    assert volume.data.dtype == np.uint16
    assert (volume.data > 0).sum() == 28


def test_size_classes_have_their_borders() -> None:
    assert [size_class(x) for x in (0.1, 2.999, 3.0, 9.999, 10.0)] == [0, 0, 1, 1, 2]


def test_probabilities_are_cut_into_lesions() -> None:
    p = np.zeros((20, 20, 20), np.float32)
    p[3:6, 3:6, 3:6], p[12:14, 12:14, 12:14], p[17, 17, 17] = 0.9, 0.2, 0.05
    scored = instances(p, np.zeros_like(p), np.ones(p.shape, bool), (1.0, 1.0, 1.0))
    assert sorted(round(s, 2) for s in scored.scores.values()) == [0.2, 0.9]
    assert (scored.numbers > 0).sum() == 27 + 8


def test_the_learned_detector_is_the_same_twice(tiny_detector) -> None:
    bundle = tiny_detector(1.0)
    study = phantom([(14.0, 20.0, 16.0)], 3.0)
    one, two = (LearnedDetector(bundle, Options(backend="torch-float32")).detect(study) for _ in range(2))
    assert (one.numbers.data == two.numbers.data).all()
    assert one.found == two.found
    less = Study("ses-01", {Sequence.T2: study.volumes[Sequence.T1C]}, study.brain)
    assert LearnedDetector(bundle).detect(less).not_assessable


def _told(boxes, thresholds, spacing=1.0) -> Detected:
    """Detections as boxes with scores, as a method would give them."""
    grid = Grid((30, 30, 30), np.diag([spacing] * 3 + [1.0]))
    numbers, scores = np.zeros(grid.shape, int), {}
    for n, (corner, side, score) in enumerate(boxes, start=1):
        numbers[tuple(slice(c, c + side) for c in corner)] = n
        scores[n] = score
    shown, found = ranked(Scored(numbers, scores), grid)
    return Detected(shown, found, thresholds, Validity(1.0), TemplateDetector().card)


def test_joined_takes_what_either_finds_and_the_first_outline_of_both() -> None:
    study = Study(
        "ses-01",
        {Sequence.T1C: Volume(np.zeros((30, 30, 30)), Grid((30, 30, 30), np.eye(4)))},
        np.ones((30, 30, 30), bool),
    )
    first = _told([((2, 2, 2), 4, 0.3), ((20, 20, 20), 3, 0.1)], (0.2, 0.2, 0.2))
    second = _told([((3, 3, 3), 2, 0.9), ((12, 12, 12), 2, 0.7)], (0.8, 0.8, 0.8))
    made = joined(first, second, study, TemplateDetector().card)
    assert [round(d.score, 4) for d in made.found] == [0.75, 0.4375, 0.25]
    assert [round(d.volume_ml * 1000) for d in made.found] == [64, 8, 27]
    assert [d.number for d in made.reported()] == [1]
    assert len(made.found) == len(set(np.unique(made.numbers.data)) - {0})


def test_joined_is_what_one_finds_where_the_other_cannot_look() -> None:
    study = phantom([(14.0, 20.0, 16.0)], 3.0)
    template = TemplateDetector()
    found = template.detect(study)
    blind = unseen(study, (0.5, 0.5, 0.5), template.card, "blind")
    assert joined(found, blind, study, template.card) is found
    assert joined(blind, found, study, template.card) is found
    assert JoinedDetector(template, template).detect(study).reported()


def test_black_blood_has_its_own_operating_point() -> None:
    study = phantom([(14.0, 20.0, 16.0)], 3.0)
    image = study.volumes[Sequence.T1C]
    both = Study("ses-01", {Sequence.T1C: image, Sequence.BB: image}, study.brain)
    template = TemplateDetector(TemplateSettings(thresholds=(0.1, 0.1, 0.1), thresholds_bb=(0.9, 0.9, 0.9)))
    assert template.detect(study).thresholds == (0.1, 0.1, 0.1)
    assert template.detect(both).thresholds == (0.9, 0.9, 0.9)


@pytest.mark.parametrize("name", list(DETECTORS))
def test_every_enrolled_method_looks_and_says_what_it_is(name: str) -> None:
    method = DETECTORS.make(name)
    assert method.card.limits
    assert Sequence.T1C in method.card.needs_any
    found = method.detect(phantom([(14.0, 20.0, 16.0)], 5.0))
    assert not found.not_assessable
    assert all(0 <= d.score <= 1 for d in found.found)


def test_registry_lists_what_can_be_run() -> None:
    assert list(DETECTORS) == ["joined", "metastases", "template"]
