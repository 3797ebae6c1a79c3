"""Pictures of many courses: that they are drawn of anything, and say when patients are digital."""

from __future__ import annotations

import datetime as dt
import functools
import io

import numpy as np
import pytest
from PIL import Image

from tumorboard.errors import InputError
from tumorboard.respond.cohort.curves import MOST_IN_ONE, bland_altman_plots, landmark_curves, progression_curves
from tumorboard.respond.table.outcomes import Outcome
from tumorboard.verdict import TimeToProgression

START = dt.date(2020, 1, 1)
CRITERIA = ("macdonald", "rano-hgg", "mrano", "rano-2.0", "recist-1.1", "volumetric")
RED = np.array([0xB0, 0x00, 0x20])


def cohort(criteria, n=24):
    """Every third patient never progresses; criteria differ by some days."""
    times = []
    for late, criterion in enumerate(criteria):
        for k in range(n):
            days = 60 + 11 * k + 7 * late * (k % 4) if k % 3 else 300 + 10 * k
            seen = START + dt.timedelta(days) if k % 3 else None
            times.append(TimeToProgression(f"P{k}", criterion, START, seen, days, seen is not None))
    return times


OUTCOMES = [Outcome(f"P{k}", 600.0 + 20 * (k % 7), None, k % 5 > 0) for k in range(24)]


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def reds(picture):
    return int((np.abs(picture - RED).sum(axis=2) < 12).sum())


PAIRS = [("macdonald", "mrano"), ("rano-hgg", "mrano")]
DRAW = {
    "together": lambda digital: progression_curves(cohort(CRITERIA[:3]), digital=digital),
    "panels": lambda digital: progression_curves(cohort(CRITERIA), digital=digital),
    "limits": lambda digital: bland_altman_plots(cohort(CRITERIA[:3]), PAIRS, digital=digital),
    "refusal": lambda digital: landmark_curves(cohort(CRITERIA[:1], 5), OUTCOMES, "macdonald", digital=digital),
    "landmark": lambda digital: landmark_curves(cohort(CRITERIA[:1]), OUTCOMES, "macdonald", digital=digital),
}


@functools.cache
def drawn(kind, digital):
    return DRAW[kind](digital)


@pytest.mark.parametrize("kind", DRAW)
def test_digital_patients_are_named_on_the_picture_alone(kind):
    """In a strip of its own at the top, where nothing else is drawn."""
    real, digital = pixels(drawn(kind, False)), pixels(drawn(kind, True))
    strip = int(0.3 * 150) - 2
    assert reds(real) == 0
    assert reds(digital[:strip]) == reds(digital) > 200
    assert (real[:strip] == 255).all()
    assert (real[strip:] == digital[strip:]).all()


@pytest.mark.parametrize("kind", DRAW)
def test_nothing_is_cut_off_at_the_edge(kind):
    """Not a gap between two letters either: four pixels are white all round."""
    picture = pixels(drawn(kind, False))
    for edge in (picture[:4], picture[-4:], picture[:, :4], picture[:, -4:]):
        assert (edge == 255).all()


def test_the_same_courses_give_the_same_bytes():
    assert DRAW["landmark"](True) == drawn("landmark", True)


def test_more_criteria_than_can_be_told_apart_get_panels():
    made = (progression_curves(cohort(CRITERIA[:n]), digital=False) for n in (MOST_IN_ONE, MOST_IN_ONE + 1))
    few, more = (int((pixels(png) == 0xBD).all(axis=2).sum()) for png in made)
    assert few < 200
    assert more > 1000


@pytest.mark.parametrize(
    "times",
    [
        cohort(CRITERIA[:1], 1),
        cohort(CRITERIA[:1], 2),
        [TimeToProgression("P0", "volumetric", START, START, 0, True)],
        [TimeToProgression("P0", "volumetric", START, None, 0, False)],
        [TimeToProgression(f"P{n}", "volumetric", START, None, 9000, False) for n in range(3)],
        [TimeToProgression(f"P{n}", "volumetric", START, START + dt.timedelta(90), 90, True) for n in range(3)],
    ],
)
def test_odd_cohorts_are_drawn(times):
    picture = pixels(progression_curves(times, digital=False))
    assert (picture < 100).any()


def test_limits_are_drawn_for_enough_patients_only():
    few = bland_altman_plots(cohort(CRITERIA[:2], 6), [CRITERIA[:2]], digital=False)
    enough = bland_altman_plots(cohort(CRITERIA[:2], 24), [CRITERIA[:2]], digital=False)
    orange = [int((np.abs(pixels(p) - [0xD5, 0x5E, 0x00]).sum(axis=2) < 12).sum()) for p in (few, enough)]
    assert orange[0] == 0 < orange[1]
    assert bland_altman_plots(cohort(CRITERIA[:2], 1), [CRITERIA[:2]], digital=False)


def test_a_landmark_with_too_few_patients_has_a_reason_instead_of_curves():
    few, enough = (pixels(drawn(kind, False)) for kind in ("refusal", "landmark"))
    assert len(few) < len(enough) / 2
    blue = [int((np.abs(p - [0x00, 0x72, 0xB2]).sum(axis=2) < 12).sum()) for p in (few, enough)]
    assert blue[0] == 0
    assert blue[1] > 500


@pytest.mark.parametrize(
    "call",
    [
        lambda: progression_curves([], digital=True),
        lambda: bland_altman_plots(cohort(CRITERIA[:2]), [], digital=True),
        lambda: bland_altman_plots(cohort(CRITERIA[:2]), [("macdonald", "volumetric")], digital=True),
        lambda: landmark_curves(cohort(CRITERIA[:1]), OUTCOMES, "volumetric", digital=True),
    ],
)
def test_what_cannot_be_drawn_is_refused(call):
    with pytest.raises(InputError):
        call()
