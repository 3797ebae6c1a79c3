"""Calibration: intervals that cover, a temperature that is found again, nothing claimed from too few patients."""

from __future__ import annotations

import numpy as np
import pytest

from tumorboard.learn.calibrate import calibrate, fitted_temperature
from tumorboard.learn.holdout import held_out
from tumorboard.learn.judged import Judged, dice_weights, stretch
from tumorboard.networks.architectures import Architecture
from tumorboard.networks.bundle import Bundle, Calibration, Pass, seeded
from tumorboard.segment.calibrated import OFFSET_ML, bounds_ml
from tumorboard.segment.learned import Options
from tumorboard.segment.likeness import usual
from tumorboard.simulate.subject import Kind


def rows(count: int, seed: int, middle: float = 3) -> tuple[Judged, ...]:
    """Patients whose volumes are wrong by as much as their width says, more often too small."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(count):
        true, width = float(np.exp(rng.normal(middle, 1))), float(rng.uniform(0.1, 0.5))
        found = true * float(np.exp(width * (rng.normal(-0.3, 0.7))))
        expected = float(rng.uniform(0.5, 1.0))
        agreement = float(rng.uniform(0, 1))
        dice = float(np.clip(expected - 0.2 + 0.1 * agreement + rng.normal(0, 0.03), 0, 1))
        clues = {"expected": expected, "unsure": width, "size": float(np.log(found)), "agreement": agreement}
        out.append(Judged("WT", true, found, clues, dice))
    return tuple(out)


@pytest.mark.parametrize("middle", [3, 0, -2])
def test_intervals_cover_nine_in_ten_new_patients_however_small_the_lesion(middle: float) -> None:
    low, high = stretch(rows(400, 0, middle))
    how = Calibration(volume_low=low, volume_high=high, offset_ml=OFFSET_ML)
    covered = []
    for r in rows(2000, 1, middle):
        least, most = bounds_ml("WT", r.found_ml, r.clues["unsure"], how)
        covered.append(least <= r.true_ml <= most)
    assert np.mean(covered) == pytest.approx(0.9, abs=0.03)
    assert high["WT"] > low["WT"]  # volumes were too small more often


def test_dice_is_predicted_from_what_tells_of_it() -> None:
    weights = dice_weights(rows(400, 0))["WT"]
    assert weights["expected"] == pytest.approx(1.0, abs=0.05)
    assert weights["agreement"] == pytest.approx(0.1, abs=0.02)
    assert weights["intercept"] == pytest.approx(-0.2, abs=0.05)
    assert abs(weights["size"]) < 0.01


def test_nothing_is_claimed_from_few_patients() -> None:
    assert stretch(rows(5, 0)) == ({}, {})
    assert dice_weights(rows(5, 0)) == {}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_is_found_again(temperature: float) -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(0, 2, (3, 20_000)).astype(np.float32)
    p = np.exp(true) / np.exp(true).sum(axis=0)
    classes = (rng.random(20_000) > p.cumsum(axis=0)).sum(axis=0).clip(0, 2).astype(np.uint8)
    assert fitted_temperature(true * np.float32(temperature), classes) == pytest.approx(temperature, rel=0.05)


def test_usual_intensities_have_a_least_spread() -> None:
    assert usual([np.zeros(3)] * 4) == ((0.0, 0.05),) * 3


def test_a_bundle_is_calibrated_on_digital_studies(tiny_metadata) -> None:
    small = Architecture(name="dynunet-blocks", channels=4, classes=5, filters=(8, 8, 8))
    told = tiny_metadata(passes=(Pass(name="coarse", spacing_mm=8.0, window=(16, 24, 16), architecture=small),))
    bundle = Bundle(told, {f"coarse.{k}": v for k, v in seeded(small).items()})
    cases = [(c.study, c.truth) for c in held_out(3, 3, Kind.GLIOMA, 8.0)]
    found = calibrate(bundle, cases, Options(backend="torch-float32"))
    assert found.calibration.patients == 3
    assert len(found.rows) == 12
    assert set(found.calibration.quantiles) == {"T1", "T1C", "T2", "FLAIR"}
    assert found.calibration.temperature["coarse"] > 0
    assert found.calibration.volume_low == {}
