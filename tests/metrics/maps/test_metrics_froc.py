"""FROC by hand, by size, and against counting at every threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tumorboard.errors import InputError
from tumorboard.metrics.maps.detection import Case, Found, match
from tumorboard.metrics.maps.froc import FrocRules, froc
from tumorboard.volume import Grid

GRID = Grid((40, 20, 20), np.eye(4))
QUICK = FrocRules(resamples=20)
FAR = (0.0, 19.0, 19.0)


def patient(sizes, scores, false=()):
    """Lesions of so many voxels a side in a row, each with the score of its hit (None: missed)."""
    numbers = np.zeros(GRID.shape, int)
    found = [Found(s, centre_mm=FAR) for s in false]
    at = 1
    for n, (size, score) in enumerate(zip(sizes, scores, strict=True), 1):
        numbers[at : at + size, :size, :size] = n
        if score is not None:
            found.append(Found(score, centre_mm=(at + (size - 1) / 2, (size - 1) / 2, (size - 1) / 2)))
        at += size + 3
    return Case(numbers, GRID, tuple(found))


@st.composite
def cohorts(draw):
    score = st.sampled_from([0.1, 0.2, 0.5, 0.7, 0.9])
    people = []
    for _ in range(draw(st.integers(1, 5))):
        sizes = draw(st.lists(st.sampled_from([1, 2, 4, 9]), max_size=3))
        scores = [draw(st.none() | score) for _ in sizes]
        people.append(patient(sizes, scores, draw(st.lists(score, max_size=3))))
    return people


def test_the_curve_by_hand():
    """Two patients, four lesions.

    Falling scores: 0.9 hit, 0.8 false, 0.7 hit, 0.6 false, 0.5 hit; one lesion is never found.
    """
    people = [patient([4, 4], [0.9, 0.5], [0.8]), patient([4, 4], [0.7, None], [0.6])]
    curve = froc(people, QUICK).get()
    assert curve.thresholds.tolist() == [np.inf, 0.9, 0.8, 0.7, 0.6, 0.5]
    assert curve.sensitivity.tolist() == [0.0, 0.25, 0.25, 0.5, 0.5, 0.75]
    assert curve.false_positives.tolist() == [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]
    assert [curve.sensitivity_at(r) for r in (0.0, 0.49, 0.5, 1.0, 8.0)] == [0.25, 0.25, 0.5, 0.75, 0.75]
    # 1/8 and 1/4: 0.25; 1/2: 0.5; 1, 2, 4 and 8: 0.75
    assert curve.cpm == pytest.approx((2 * 0.25 + 0.5 + 4 * 0.75) / 7)
    assert curve.lesions == 4


def test_each_size_has_its_own_sensitivity_and_shares_the_false_positives():
    """Balls of the volume of cubes of 1, 4 and 9 mm: 1.24, 4.96 and 11.2 mm."""
    found = froc([patient([1, 4, 9], [None, 0.4, 0.9], [0.6])], QUICK)
    assert [(c.size, c.lesions) for c in found.curves] == [("all", 3), ("< 3 mm", 1), ("3-10 mm", 1), (">= 10 mm", 1)]
    assert [c.sensitivity_at(0.5) for c in found.curves] == [pytest.approx(1 / 3), 0.0, 0.0, 1.0]
    assert [c.sensitivity_at(1.0) for c in found.curves] == [pytest.approx(2 / 3), 0.0, 1.0, 1.0]
    assert all(c.false_positives[-1] == 1.0 for c in found.curves)


def test_the_diameter_decides_the_class_through_the_spacing():
    numbers = np.zeros(GRID.shape, int)
    numbers[4, 4, 4] = 1
    thick = Grid(GRID.shape, np.diag([2.0, 2.0, 5.0, 1.0]))  # 20 mm³: 3.37 mm
    assert froc([Case(numbers, GRID)], QUICK).get("< 3 mm").lesions == 1
    assert froc([Case(numbers, thick)], QUICK).get("3-10 mm").lesions == 1


def test_a_lesion_of_just_an_edge_is_in_the_upper_class():
    numbers = np.zeros(GRID.shape, int)
    numbers[4, 4, 4] = 1
    size = float(match(Case(numbers, GRID)).diameters_mm[0])
    assert froc([Case(numbers, GRID)], FrocRules(edges_mm=(size,), resamples=1)).curves[-1].lesions == 1


def test_a_class_without_lesions_has_no_sensitivity():
    found = froc([patient([9], [0.9]), patient([], [], [0.3])], QUICK)
    small = found.get("< 3 mm")
    assert (small.lesions, small.cpm, small.cpm_interval, small.intervals) == (0, None, None, None)
    assert small.sensitivity_at(1.0) is None
    assert np.isnan(small.sensitivity).all()
    assert found.get().false_positives[-1] == 0.5
    with pytest.raises(KeyError, match="tiny"):
        found.get("tiny")


@given(cohorts())
def test_the_curve_rises_and_equals_counting(people):
    found = froc(people, FrocRules(resamples=2))
    hits = [match(p) for p in people]
    assert sum(c.lesions for c in found.curves[1:]) == found.get().lesions == sum(len(h.scores) for h in hits)
    for curve in found.curves:
        assert (np.diff(curve.thresholds) < 0).all()
        assert (np.diff(curve.false_positives) >= 0).all()
        assert not curve.lesions or (np.diff(curve.sensitivity) >= 0).all()
    for threshold, seen, wrong in zip(*(getattr(found.get(), n) for n in _AXES), strict=True):
        assert wrong == pytest.approx(np.mean([(h.false_scores >= threshold).sum() for h in hits]))
        if found.get().lesions:
            assert seen == pytest.approx(np.concatenate([h.scores >= threshold for h in hits]).mean())


_AXES = ("thresholds", "sensitivity", "false_positives")


@given(cohorts())
def test_a_rising_map_of_the_scores_changes_nothing(people):
    shifted = [
        Case(p.numbers, p.grid, tuple(Found(f.score**3 - 5, None, f.centre_mm) for f in p.found)) for p in people
    ]
    one, two = froc(people, QUICK), froc(shifted, QUICK)
    for a, b in zip(one.curves, two.curves, strict=True):
        assert a.false_positives.tolist() == b.false_positives.tolist()
        assert (a.cpm, a.cpm_interval, a.intervals) == (b.cpm, b.cpm_interval, b.intervals)


@given(cohorts())
def test_copies_of_the_patients_change_nothing(people):
    one, two = froc(people, FrocRules(resamples=1)), froc(people * 2, FrocRules(resamples=1))
    assert two.patients == 2 * one.patients
    for a, b in zip(one.curves, two.curves, strict=True):
        assert a.cpm == b.cpm or a.cpm == pytest.approx(b.cpm)


def test_the_interval_is_that_of_drawing_patients():
    """Ten patients of ten lesions, five found whole and five missed: sensitivity is a share of ten patients."""
    people = [patient([1] * 10, [0.9 if n % 2 else None] * 10) for n in range(10)]
    curve = froc(people, FrocRules(resamples=4000, seed=3)).get()
    assert (curve.cpm, curve.sensitivity_at(1.0)) == (0.5, 0.5)
    low, high = curve.cpm_interval
    # binomial(10, 0.5): 2.5 % and 97.5 % are 2 and 8 of 10; drawing lesions would give 0.4 and 0.6
    assert (low, high) == pytest.approx((0.2, 0.8))
    assert curve.intervals == ((0.2, 0.8),) * 7


def test_the_seed_decides_the_draws():
    people = [patient([4, 4], [0.1 * n, None], [0.05 * n]) for n in range(1, 8)]
    one, again, other = (froc(people, FrocRules(resamples=50, seed=s)).get() for s in (1, 1, 2))
    assert (one.intervals, one.cpm_interval) == (again.intervals, again.cpm_interval)
    assert one.intervals != other.intervals
    assert one.cpm == other.cpm


def test_a_single_patient_without_lesions_or_detections():
    curve = froc([patient([], [])], QUICK).get()
    assert (curve.lesions, curve.false_positives.tolist(), curve.cpm) == (0, [0.0], None)


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="at least one patient"):
        froc([])
    for wrong in ({"edges_mm": (10.0, 3.0)}, {"edges_mm": (0.0,)}, {"rates": ()}, {"rates": (-1.0,)}, {"resamples": 0}):
        with pytest.raises(ValidationError):
            FrocRules(**wrong)
    assert FrocRules(edges_mm=()).classes == ("all",)
