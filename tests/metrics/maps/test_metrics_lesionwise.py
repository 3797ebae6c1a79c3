"""Lesion-wise scores by hand, and against the procedure of BraTS told step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError
from scipy import ndimage as ndi

from tumorboard.errors import GeometryError
from tumorboard.metrics.maps.lesionwise import BRATS_2023_GLI, BRATS_2023_MET, LesionRules, LesionWise, lesion_wise
from tumorboard.metrics.maps.overlap import dice
from tumorboard.metrics.maps.surface import image_diagonal_mm, surface_distances

MM = (1.0, 1.0, 1.0)
FINE = LesionRules(dilations=1, least_ml=0.0)


def image(*cubes, shape=(40, 20, 20)):
    """Cubes of 5 voxels, or of the size that stands fourth."""
    mask = np.zeros(shape, bool)
    for i, j, k, *size in cubes:
        n = size[0] if size else 5
        mask[i : i + n, j : j + n, k : k + n] = True
    return mask


def counts(found):
    return found.answered, found.missed, found.invented, found.ignored


def test_one_found_one_missed_one_invented():
    """Dice 1, 0 and 0; HD95 0, 374 and 374: means over three."""
    ref, pred = image((2, 2, 2), (20, 2, 2)), image((2, 2, 2), (30, 14, 14))
    found = lesion_wise(ref, pred, MM)
    assert counts(found) == (1, 1, 1, 0)
    assert found.dice == pytest.approx(1 / 3)
    assert found.hd95_mm == pytest.approx(2 * 374 / 3)
    assert [s.answered_by for s in found.lesions] == [1, 0]
    assert [s.volume_ml for s in found.lesions] == pytest.approx([0.125, 0.125])


def test_the_score_of_a_shifted_lesion_is_its_own():
    """Moved by one voxel: 4/5 shared; the far face lies 1 mm away, 16 of 98 surface voxels at least."""
    found = lesion_wise(image((2, 2, 2), (20, 2, 2)), image((3, 2, 2), (20, 2, 2)), MM)
    assert [s.dice for s in found.lesions] == [0.8, 1.0]
    assert [s.hd95_mm for s in found.lesions] == [1.0, 0.0]
    assert (found.dice, found.hd95_mm) == (0.9, 0.5)


@pytest.mark.parametrize(("gap", "lesions"), [(1, 1), (6, 1), (7, 2)])
def test_pieces_up_to_twice_the_dilation_apart_are_one_lesion(gap, lesions):
    ref = image((2, 2, 2), (7 + gap, 2, 2))
    assert len(lesion_wise(ref, ref, MM).lesions) == lesions
    assert lesion_wise(ref, ref, MM).dice == 1.0


@pytest.mark.parametrize(("gap", "answered"), [(2, 1), (3, 0)])
def test_what_meets_only_the_dilation_answers_with_dice_0_and_its_distance(gap, answered):
    found = lesion_wise(image((2, 2, 2)), image((7 + gap, 2, 2)), MM)
    assert found.answered == answered
    assert found.dice == 0.0
    # 7 + gap - 2 = 5 + gap mm from face to face of two equal cubes
    assert found.hd95_mm == (5.0 + gap if answered else 374.0)


def test_small_lesions_are_ignored_with_what_answers_them():
    ref, pred = image((2, 2, 2), (20, 2, 2, 3)), image((2, 2, 2), (20, 2, 2, 2))
    assert counts(lesion_wise(ref, pred, MM)) == (1, 0, 0, 1)
    assert lesion_wise(ref, pred, MM).dice == 1.0
    assert counts(lesion_wise(ref, pred, MM, BRATS_2023_MET)) == (2, 0, 0, 0)
    only_small = lesion_wise(image((20, 2, 2, 3)), image(), MM)
    assert (only_small.dice, only_small.hd95_mm, *counts(only_small)) == (1.0, 0.0, 0, 0, 0, 1)


def test_a_lesion_of_just_the_least_volume_is_ignored():
    ref = np.zeros((20, 20, 20), bool)
    ref[2:7, 2:7, 2:4] = True  # 50 voxels
    assert counts(lesion_wise(ref, ref, MM)) == (0, 0, 0, 1)
    ref[7, 2, 2] = True
    assert counts(lesion_wise(ref, ref, MM)) == (1, 0, 0, 0)
    assert counts(lesion_wise(ref, ref, (1.0, 1.0, 0.98))) == (0, 0, 0, 1)


def test_what_an_empty_mask_means():
    empty, one = image(), image((2, 2, 2))
    assert (lesion_wise(empty, empty, MM).dice, lesion_wise(empty, empty, MM).hd95_mm) == (1.0, 0.0)
    for pair, told in (((one, empty), (0, 1, 0, 0)), ((empty, one), (0, 0, 1, 0))):
        found = lesion_wise(*pair, MM)
        assert (found.dice, found.hd95_mm) == (0.0, 374.0)
        assert counts(found) == told
    diagonal = lesion_wise(one, empty, (1.0, 1.0, 5.0), LesionRules(penalty_mm=None)).hd95_mm
    assert diagonal == pytest.approx(image_diagonal_mm((40, 20, 20), (1.0, 1.0, 5.0)))


def test_a_single_voxel_at_the_corner_of_thick_slices():
    ref = np.zeros((6, 6, 6), bool)
    ref[0, 0, 0] = True
    found = lesion_wise(ref, np.roll(ref, 1, axis=2), (0.5, 0.5, 5.0), FINE)
    assert (found.answered, found.dice, found.hd95_mm) == (1, 0.0, 5.0)
    assert found.lesions[0].volume_ml == pytest.approx(0.00125)


def test_one_part_of_the_prediction_can_answer_two_lesions():
    ref, pred = image((2, 2, 2), (20, 2, 2)), image()
    pred[2:25, 2:7, 2:7] = True
    found = lesion_wise(ref, pred, MM)
    assert counts(found) == (2, 0, 0, 0)
    assert found.dice == pytest.approx(2 * 125 / (125 + 23 * 25))


def told(a, b, spacing, rules):
    """The published steps over whole images, one component after the other."""
    eighteen, every = ndi.generate_binary_structure(3, 2), np.ones((3, 3, 3))
    grown = ndi.binary_dilation(a, eighteen, iterations=rules.dilations)
    groups, n = ndi.label(grown, every)
    parts, m = ndi.label(b, every)
    scores, answers = [], set()
    for group in range(1, n + 1):
        lesion = a & (groups == group)
        reach = ndi.binary_dilation(lesion, eighteen, iterations=rules.dilations)
        mine = set(np.unique(parts[reach])) - {0}
        answers |= mine
        if lesion.sum() * np.prod(spacing) <= rules.least_ml * 1000:
            continue
        answer = np.isin(parts, list(mine))
        hd95 = surface_distances(lesion, answer, spacing).hd95_mm if mine else rules.penalty_mm
        scores.append((dice(lesion, answer), hd95))
    scores += [(0.0, rules.penalty_mm)] * (m - len(answers))
    return tuple(np.mean(scores, axis=0)) if scores else (1.0, 0.0)


@given(
    st.integers(0, 9999),
    st.sampled_from([MM, (1.0, 0.5, 4.0)]),
    st.sampled_from([0.003, 0.02]),
    st.sampled_from([FINE, LesionRules(dilations=2, least_ml=0.002)]),
)
def test_the_scores_follow_the_published_steps(seed, spacing, density, rules):
    rng = np.random.default_rng(seed)
    a, b = (ndi.binary_dilation(rng.random((16, 14, 12)) < density) for _ in range(2))
    b |= np.roll(a, 1, axis=0)
    found = lesion_wise(a, b, spacing, rules)
    assert (found.dice, found.hd95_mm) == pytest.approx(told(a, b, spacing, rules))


@given(hnp.arrays(bool, (5, 6, 4)), st.sampled_from([FINE, BRATS_2023_MET, LesionRules(dilations=0, least_ml=0.0)]))
def test_a_mask_agrees_with_itself_when_all_its_parts_are_lesions(mask, rules):
    found = lesion_wise(mask, mask, MM, rules)
    assert found.missed == found.invented == 0
    if rules.dilations == 0:
        assert (found.dice, found.hd95_mm) == (1.0, 0.0)
    assert 0.0 <= found.dice <= 1.0


def test_grids_spacings_and_rules_that_cannot_be_are_refused():
    with pytest.raises(GeometryError, match="shape"):
        lesion_wise(image(), np.zeros((2, 2, 2)), MM)
    with pytest.raises(GeometryError, match="voxel size above zero"):
        lesion_wise(image(), image(), (1.0, 1.0, 0.0))
    with pytest.raises(ValidationError):
        LesionRules(dilations=-1)
    with pytest.raises(ValidationError):
        BRATS_2023_GLI.dilations = 2


def test_the_result_survives_json():
    found = lesion_wise(image((2, 2, 2)), image((3, 2, 2)), MM)
    assert LesionWise.model_validate_json(found.model_dump_json()) == found
