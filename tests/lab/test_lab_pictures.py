"""Pictures of predictions: what stands on them, what is said when there is nothing to draw."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.lab import forest, picture_frame, pictures
from tumorboard.metrics.calibrate.smooth import calibration_curve
from tumorboard.metrics.classify.decision_curve import decision_curve
from tumorboard.metrics.classify.precision_recall import precision_recall_curve
from tumorboard.metrics.classify.roc import roc_auc, roc_curve
from tumorboard.metrics.estimate import Estimate
from tumorboard.metrics.plan.learning_curve import CurvePoint
from tumorboard.metrics.subgroups import subgroup_table

RNG = np.random.default_rng(0)
LOGIT = RNG.normal(-0.4, 1.3, 90)
TRUTH = RNG.random(90) < 1 / (1 + np.exp(-LOGIT))
SAID = 1 / (1 + np.exp(-1.6 * LOGIT))
DAYS, DIED = np.ceil(RNG.exponential(300, 90)), RNG.random(90) < 0.7
SITES = [f"site {n % 3}" for n in range(90)]


def table(rows):
    return roc_auc(TRUTH[rows], SAID[rows])


ALL = {
    "roc": lambda world: pictures.roc_picture({"model": roc_curve(TRUTH, SAID)}, world=world),
    "pr": lambda world: pictures.precision_recall_picture(
        {"model": precision_recall_curve(TRUTH, SAID)}, 0.4, world=world
    ),
    "calibration": lambda world: pictures.calibration_picture(calibration_curve(TRUTH, SAID), world=world),
    "decision": lambda world: pictures.decision_picture({"model": decision_curve(TRUTH, SAID)}, world=world),
    "survival": lambda world: pictures.risk_group_picture(
        DAYS, DIED, (LOGIT > 0).astype(int), ["low", "high"], world=world
    ),
    "learning": lambda world: pictures.learning_picture(
        [CurvePoint(20, (0.6, 0.7)), CurvePoint(80, (0.8, math.nan))], "AUC", world=world, chance=0.5
    ),
    "forest": lambda world: forest.subgroup_picture(subgroup_table(table, SITES), "AUC", world=world),
}


@pytest.fixture
def written(monkeypatch):
    """Every text that a figure holds when it is encoded, and its labels."""
    from matplotlib.text import Text

    found = []

    def png(figure, world):
        data = picture_frame.png(figure, world)
        found.extend(text.get_text() for text in figure.findobj(Text) if text.get_text())
        return data

    monkeypatch.setattr(pictures, "png", png)
    monkeypatch.setattr(forest, "png", png)
    return found


def pixels(data):
    from matplotlib.image import imread

    return np.asarray(imread(io.BytesIO(data)))


@pytest.mark.parametrize("name", ALL)
def test_every_picture_says_whose_patients_it_shows_and_is_whole(name, written):
    shuffled = "patients, outcomes shuffled (null cohort)"
    digital = pixels(ALL[name]("digital patients"))
    assert "digital patients" in written
    assert "digital patients" not in (written.clear(), ALL[name](shuffled), written)[2]
    assert shuffled in written
    written.clear()
    real = pixels(ALL[name]("patients"))
    assert not {"patients", "digital patients", shuffled} & set(written)
    assert digital.shape == real.shape
    for side in (digital[0], digital[-1], digital[:, 0], digital[:, -1]):
        assert (side[..., :3] == 1).all()  # nothing is cut off at the edge


def test_the_same_picture_again_is_the_same_to_the_byte():
    assert ALL["learning"](True) == ALL["learning"](True)


def test_areas_and_reasons_stand_on_the_curves(written):
    pictures.roc_picture(
        {"model": roc_curve(TRUTH, SAID), "none": roc_curve([1, 1], [0.1, 0.2])}, world="digital patients"
    )
    assert any(text.startswith(f"model: AUC {roc_auc(TRUTH, SAID).value:.2f} (") for text in written)
    assert "none: patients of one class only" in written


def test_numbers_at_risk_and_the_test_stand_below_survival(written):
    ALL["survival"](True)
    assert {"at risk", "low", "high"} <= set(written)
    assert str(int((LOGIT > 0).sum())) in written
    assert any(text.startswith("log-rank p") for text in written)


def test_a_forest_tells_how_many_and_how_different(written):
    ALL["forest"](True)
    assert {"all (90)", "site 0 (30)"} <= set(written)
    assert any("Q " in text for text in written)
    written.clear()
    forest.subgroup_picture(subgroup_table(table, SITES), "AUC", world="digital patients", most=1)
    assert any("2 smaller ones are not drawn" in text for text in written)


def test_what_cannot_be_drawn_says_why(written, monkeypatch):
    said = []
    monkeypatch.setattr(pictures, "refusal", lambda reason, digital: said.append(reason) or b"")
    pictures.calibration_picture(calibration_curve([1] * 20, [0.2] * 20), world="digital patients")
    pictures.decision_picture({"model": decision_curve([1, 1], [0.2, 0.3])}, world="digital patients")
    assert said == ["patients of one class only"] * 2


def test_estimates_in_words():
    assert picture_frame.told(Estimate(-0.5, -0.75, 0.25, 9)) == "−0.50 (−0.75 to 0.25)"
    assert picture_frame.told(Estimate.bare(1.0, "all pairs go one way", 9)) == "1.00"


@pytest.mark.parametrize(
    "call",
    [
        lambda: pictures.roc_picture({}, world="digital patients"),
        lambda: pictures.roc_picture({str(n): roc_curve(TRUTH, SAID) for n in range(5)}, world="digital patients"),
        lambda: pictures.decision_picture({}, world="digital patients"),
        lambda: pictures.risk_group_picture([], [], [], ["low"], world="digital patients"),
        lambda: pictures.risk_group_picture([1, 2], [1, 1], [0, 2], ["low", "high"], world="digital patients"),
        lambda: pictures.learning_picture([], "AUC", world="digital patients"),
    ],
)
def test_what_is_no_picture_is_refused(call):
    with pytest.raises(InputError):
        call()
