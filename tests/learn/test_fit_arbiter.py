"""The arbiter of two detectors: the same chances as scikit-learn's, points from patients it was not fitted on."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from tumorboard.detect import detector_of
from tumorboard.detect.arbiter import clue_names
from tumorboard.errors import InputError
from tumorboard.learn.arbiter import DEPTH, LEAF, RATE, TREES, Heard, calibrate_arbiter, fitted
from tumorboard.learn.holdout import held_out_patient
from tumorboard.learn.operating import BUDGET
from tumorboard.sequences import Sequence
from tumorboard.simulate.subject import Kind

NAMES = ("first", "second", "diameter", "bright T1C", "around T1C")


def patients(count: int, seed: int = 0) -> list[Heard]:
    """Candidates whose truth follows from both scores together."""
    rng, out = np.random.default_rng(seed), []
    for _ in range(count):
        rows = np.column_stack([rng.random((60, 2)), rng.uniform(1, 14, 60), rng.normal(2, 1, (60, 2))])
        true = rows[:, 0] * rows[:, 1] + rng.normal(0, 0.05, 60) > 0.35
        out.append(Heard(rows, tuple(frozenset({n}) if t else frozenset() for n, t in enumerate(true))))
    return out


def test_chances_are_those_of_scikit_learn() -> None:
    studies = patients(8)
    rows, right = np.concatenate([s.rows for s in studies]), np.concatenate([s.right for s in studies])
    peer = GradientBoostingClassifier(
        n_estimators=TREES, max_depth=DEPTH, learning_rate=RATE, min_samples_leaf=LEAF, random_state=0
    ).fit(rows, right)
    new = patients(2, seed=1)[0].rows
    own = fitted(studies, NAMES)
    assert np.allclose(own.chances(new), peer.predict_proba(new)[:, 1], atol=1e-12)
    assert own.patients == 8


def test_a_file_keeps_every_chance() -> None:
    own, new = fitted(patients(6), NAMES), patients(1, seed=2)[0].rows
    again = type(own).model_validate_json(own.model_dump_json())
    assert (again.chances(new) == own.chances(new)).all()
    assert own.chances(np.empty((0, len(NAMES)))).shape == (0,)


def test_points_keep_to_the_budget_on_patients_that_were_not_fitted_on() -> None:
    own, others = fitted(patients(20), NAMES), patients(40, seed=3)
    wrong = sum(
        not a.lesions and a.score >= own.thresholds[a.size] for s in others for a in s.alarms(own.chances(s.rows))
    )
    assert wrong / len(others) < 3 * sum(BUDGET)


def test_two_scores_together_tell_more_than_the_better_one() -> None:
    own, others = fitted(patients(12), NAMES), patients(10, seed=4)
    rows, right = np.concatenate([s.rows for s in others]), np.concatenate([s.right for s in others])

    def area(score) -> float:
        return float((score[right][:, None] > score[~right][None]).mean())

    assert area(own.chances(rows)) > max(area(rows[:, 0]), area(rows[:, 1])) + 0.1


def test_candidates_of_one_kind_are_refused() -> None:
    only = [Heard(s.rows, tuple(frozenset() for _ in s.lesions)) for s in patients(3)]
    with pytest.raises(InputError, match="candidates"):
        fitted(only, NAMES)


def test_an_arbiter_is_fitted_on_studies_without_and_with_black_blood(tiny_detector, monkeypatch) -> None:
    case = held_out_patient(5, 0, Kind.METASTASES, 2.0, extras=(Sequence.BB,))
    seen = []
    monkeypatch.setattr("tumorboard.learn.arbiter.fitted", lambda studies, names: seen.append((studies, names)))
    template = detector_of("template")
    calibrate_arbiter(template, template, [(case.study, case.lesions)])
    (plain, short), (with_bb, long) = seen
    assert len(short) == 5
    assert long == clue_names(case.study)
    assert plain[0].rows.shape[1] == 5
    assert with_bb[0].rows.shape[1] == 7
    assert len(plain[0].rows) == len(plain[0].lesions)
