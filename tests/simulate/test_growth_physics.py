"""Growth against closed forms: a front of the known speed, an exact wave, and swelling that never folds."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.simulate.body.bulge import LARGEST, Bulge, before_swelling, bulged
from tumorboard.simulate.disease.diffusion import FIBRES, along_fibres, conductances
from tumorboard.simulate.disease.growth import GrowthParameters, advance

_spec = importlib.util.spec_from_file_location("simulate_fronts", Path(__file__).with_name("fronts.py"))
assert _spec is not None
assert _spec.loader is not None
_fronts = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fronts)
front_speed, wave_error = _fronts.front_speed, _fronts.wave_error

WHITE, RATE = GrowthParameters().white_mm2_day, GrowthParameters().proliferation_day


@pytest.mark.parametrize(("diffusivity", "rate", "h_mm"), [(WHITE, RATE, 1.0), (WHITE, RATE, 2.0), (0.5, 0.025, 2.0)])
def test_fronts_run_at_twice_the_root_of_diffusion_and_growth(diffusivity, rate, h_mm):
    assert front_speed(diffusivity, rate, h_mm, 1800) == pytest.approx(2 * np.sqrt(diffusivity * rate), rel=0.10)


def test_the_solver_converges_with_the_square_of_the_spacing():
    errors = [wave_error(n) for n in (50, 100, 200)]
    assert np.log2(np.divide(errors[:-1], errors[1:])) == pytest.approx([2.0, 2.0], abs=0.15)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_cells_stay_between_none_and_full(seed):
    rng = np.random.default_rng(seed)
    density = rng.random((6, 5, 4)).astype(np.float32)
    conduct = along_fibres(conductances(rng.random((6, 5, 4)).astype(np.float32), (1.0, 1.0, 1.0)))
    for _ in range(20):
        advance(density, conduct, np.full_like(density, 0.02), 0.4 / (2 * sum(FIBRES)))
    assert density.min() >= 0
    assert density.max() <= 1.0001


@settings(max_examples=60, deadline=None)
@given(st.floats(-LARGEST, LARGEST), st.floats(5.0, 60.0), st.floats(5.0, 60.0), st.floats(5.0, 60.0))
def test_no_swelling_folds(amount, a, b, c):
    axes = np.linspace(-90, 90, 61, dtype=np.float32)
    mm = np.stack(np.meshgrid(axes, axes[:30], axes[:20], indexing="ij"))
    moved = bulged(mm, Bulge((0.0, 0.0, 0.0), (a, b, c), amount)).astype(np.float64)
    rows = [np.stack(np.gradient(moved[i], 3.0, 3.0, 3.0), axis=-1) for i in range(3)]
    assert np.linalg.det(np.stack(rows, axis=-2)).min() > 0


@pytest.mark.parametrize("wrong", [{"amount": 0.6}, {"radius_mm": (0.0, 1.0, 1.0)}, {"amount": float("nan")}])
def test_impossible_swellings_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        Bulge(**{"centre_mm": (0, 0, 0), "radius_mm": (1.0, 1.0, 1.0), "amount": 0.1, **wrong})


@given(st.floats(1.0, 150.0), st.floats(0.0, 0.33))
def test_a_ball_swells_to_the_volume_that_was_wanted(volume, amount):
    before = before_swelling(volume, amount)
    radius = (3 * before * 1000 / (4 * np.pi)) ** (1 / 3)
    after = (3 * volume * 1000 / (4 * np.pi)) ** (1 / 3)
    swelling = Bulge((0, 0, 0), (1.6 * radius + 8.0,) * 3, amount)
    came_from = bulged(np.array([[after], [0.0], [0.0]], np.float32), swelling)[0, 0]
    assert came_from == pytest.approx(radius, rel=1e-3)
