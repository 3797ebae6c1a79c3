"""Operating points of a detector: the lowest score that keeps to the budget of false alarms, size by size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.detect import DETECTORS
from tumorboard.detect.template import TemplateDetector, TemplateSettings
from tumorboard.learn.holdout import held_out
from tumorboard.learn.operating import BUDGET, LEAST, Alarm, alarms, calibrate_detectors, operating_points, worth
from tumorboard.segment.learned import Options
from tumorboard.sequences import Sequence
from tumorboard.simulate.subject import Kind

ALARMS = st.builds(Alarm, st.integers(0, 2), st.floats(0, 1), st.frozensets(st.integers(1, 3), max_size=2))


@given(st.lists(st.lists(ALARMS, max_size=6), min_size=1, max_size=12))
def test_the_budget_is_kept_in_every_class(studies: list[list[Alarm]]) -> None:
    points = operating_points(studies)
    for size, (point, budget) in enumerate(zip(points, BUDGET, strict=True)):
        wrong = sum(a.score >= point and a.size == size and not a.lesions for s in studies for a in s)
        assert wrong <= budget * len(studies) or point >= 1
        assert point >= LEAST


def test_more_false_alarms_never_lower_a_point() -> None:
    quiet = [[Alarm(1, 0.5)], [], [], []]
    loud = [[Alarm(1, 0.5), Alarm(1, 0.7)], [Alarm(1, 0.6)], [], []]
    assert operating_points(loud)[1] >= operating_points(quiet)[1]


@pytest.fixture(scope="module")
def case():
    return next(held_out(5, 1, Kind.METASTASES, 2.0, extras=(Sequence.BB,)))


def test_hold_out_patients_know_their_lesions_and_have_black_blood(case) -> None:
    assert Sequence.BB in case.study.volumes
    assert case.lesions is not None
    assert case.lesions.any()
    assert not (case.lesions[~case.truth.region("TC")]).any()


def test_alarms_know_right_from_wrong(case) -> None:
    found = DETECTORS.make("template").detect(case.study)
    told = alarms(found, case.lesions)
    assert len(told) == len(found.found)
    assert not any(a.lesions for a in alarms(found, np.zeros_like(case.lesions)))
    whole = np.ones_like(case.lesions)
    assert all(a.lesions == {1} for a in alarms(found, whole))


def test_a_detector_is_calibrated(case, tiny_detector) -> None:
    bundle = tiny_detector(2.0)
    cases = [(case.study, case.lesions)] * 3
    template = TemplateDetector(TemplateSettings(spacing_mm=3.0, diameters_mm=(9.0,)))  # coarse, but soon done
    calibration, told = calibrate_detectors(bundle, (template,), cases, Options(backend="torch-float32"))
    assert calibration.patients == 3
    assert set(calibration.quantiles) == {"T1C", "BB"}
    assert calibration.thresholds == operating_points(told[0].plain)
    assert calibration.thresholds_bb == operating_points(told[0].with_bb)
    assert len(told[1].plain) == len(told[1].with_bb) == 3
    assert told[1].with_bb[0] != told[1].plain[0]
    assert told[0].lesions == 3 * len(set(np.unique(case.lesions)) - {0})


@given(st.lists(st.lists(ALARMS, max_size=6), min_size=1, max_size=12), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_point_finds_less_and_alarms_less(studies: list[list[Alarm]], one: float, other: float) -> None:
    low, high = (worth(studies, 3 * len(studies), (p, p, p)) for p in sorted((one, other)))
    assert high.sensitivity <= low.sensitivity <= 1
    assert high.false_alarms <= low.false_alarms
