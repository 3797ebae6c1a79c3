"""A planted effect is learned by every network, and shuffled outcomes by none."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tumorboard.lab.nets import NETS, Images, image_network
from tumorboard.lab.outcome import Outcome

SIDE = 12
HEAVY = ("resnet18", "resnet34", "resnet50", "densenet", "multitask", "pretrained")
PLAIN = {"turn_deg": 0, "zoom": 0, "shift": 0, "noise": 0, "gain": 0.05, "dropout": 0.0, "hold": 0.0}
EACH = [pytest.param(n, marks=[pytest.mark.slow] if n in HEAVY else []) for n in NETS]


def volumes(rows, seed):
    """Noise; those with outcome 1 have a bright blob somewhere in the first channel."""
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % 2
    x = 0.5 * rng.normal(size=(rows, 2, SIDE, SIDE, SIDE)).astype(np.float32)
    places = np.indices((SIDE,) * 3)
    for n in range(rows):
        centre = rng.uniform(4, SIDE - 4, 3)[:, None, None, None]
        x[n, 0] += 3 * y[n] * np.exp(-((places - centre) ** 2).sum(axis=0) / 8)
    return Images.of(x, ("T1C", "FLAIR")), y


def curves(rows, seed):
    """A bolus that comes later with outcome 1."""
    rng = np.random.default_rng(seed)
    y, t = np.arange(rows) % 2, np.arange(20)
    x = np.stack([[np.exp(-((t - 6 - 3 * one) ** 2) / 8) + 0.1 * rng.normal(size=20)] for one in y])
    return Images.of(x.astype(np.float32), ("DSC.ET",), "curve"), y


def material(name, rows, seed):
    return (curves if NETS[name].views == ("curve",) else volumes)(rows, seed)


def fitted(name, images, y):
    heavy = {"pretrained": {"epochs": 5, "frozen": 2}, "multitask": {"epochs": 25, "pool": "max"}}
    how = {"net": name, "width": 4, "epochs": 10, "rate": 5e-3, "device": "cpu", "seed": 1, **PLAIN}
    learner = image_network(**(how | heavy.get(name, {})))
    return learner.fit_images(images, np.empty((len(y), 0)), Outcome.binary(y))


def auc(learner, images, y):
    return roc_auc_score(y, learner.predict_images(images, np.empty((len(y), 0)))[:, 0])


@pytest.mark.parametrize("name", EACH)
def test_learns_a_planted_effect(name):
    images, y = material(name, 30, 0)
    fresh, truth = material(name, 40, 1)
    # chance: 0.5 with a standard error of 0.09; 0.8 lies more than three of them above
    assert auc(fitted(name, images, y), fresh, truth) > 0.8


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n in ("vgg", "attention_lstm") else [pytest.mark.slow]) for n in NETS],
)
def test_learns_nothing_from_shuffled_outcomes(name):
    rng = np.random.default_rng(7)
    images, y = material(name, 30, 0)
    fresh, truth = material(name, 100, 1)
    found = auc(fitted(name, images, rng.permutation(y)), fresh, rng.permutation(truth))
    assert abs(found - 0.5) < 3 * 0.058  # standard error of an area of 0.5 with 50 and 50
