"""Bolus curves: conservation, exact convolution, and fits that find what was put in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import cumulative_trapezoid, trapezoid

from tumorboard.physics.perfusion import (
    TwoCompartments,
    blood_volume,
    dsc_signal,
    extended_tofts,
    fit_extended_tofts,
    population_input,
    relaxation_change,
)

DCE = np.arange(0.0, 360.0, 2.0)
INPUT = population_input(DCE, 24.0)
DSC = np.arange(0.0, 90.0, 1.5)
MEAN = 18.0 * population_input(DSC, 18.0) / population_input(DSC, 18.0).max()


def tissue(k, ve, vp):
    return TwoCompartments(*(np.asarray(v, dtype=float) for v in (k, ve, vp)))


@given(st.floats(0.005, 0.6), st.floats(0.05, 0.8))
def test_the_convolution_is_that_of_fine_steps(k, ve):
    """Against the trapezoid on steps a hundred times as fine, with the same broken line as input."""
    t = np.arange(0.0, 60.0, 2.0)
    cp = population_input(t, 6.0)
    fine = np.arange(0.0, 58.001, 0.02)
    line = np.interp(fine, t, cp)
    rate = k / 60 / ve
    slow = k / 60 * trapezoid(line * np.exp(-rate * (58.0 - fine)), fine)
    assert extended_tofts(t, cp, tissue(k, ve, 0.0))[-1] == pytest.approx(slow, rel=1e-3)


def test_without_exchange_only_plasma_is_seen_and_without_washout_all_stays():
    assert extended_tofts(DCE, INPUT, tissue(0.0, 0.2, 0.05)) == pytest.approx(0.05 * INPUT)
    taken = extended_tofts(DCE, INPUT, tissue(1e-6, 1.0, 0.0))
    assert taken == pytest.approx(1e-6 / 60 * cumulative_trapezoid(INPUT, DCE, initial=0), rel=1e-3, abs=1e-12)


@given(st.floats(0.01, 0.5), st.floats(0.05, 0.6), st.floats(0.0, 0.1), st.floats(0.5, 3.0))
def test_concentration_is_linear_in_the_dose(k, ve, vp, dose):
    one, more = (extended_tofts(DCE, d * INPUT, tissue(k, ve, vp)) for d in (1.0, dose))
    assert more == pytest.approx(dose * one)


@pytest.mark.parametrize(("k", "ve", "vp"), [(0.05, 0.2, 0.02), (0.15, 0.35, 0.05), (0.3, 0.4, 0.01)])
def test_ktrans_at_clinical_noise_is_within_5_percent(k, ve, vp):
    clean = extended_tofts(DCE, INPUT, tissue([k] * 2000, [ve] * 2000, [vp] * 2000))
    noisy = clean + np.random.default_rng(0).normal(0, 0.05 * clean.max(), clean.shape)
    found = fit_extended_tofts(DCE, INPUT, noisy)
    assert np.median(found.ktrans_min) == pytest.approx(k, rel=0.05)
    assert np.median(found.ve) == pytest.approx(ve, rel=0.05)


def test_empty_curves_fit_to_nothing():
    found = fit_extended_tofts(DCE, INPUT, np.zeros((3, DCE.size)))
    assert not found.ktrans_min.any()
    assert np.isfinite(found.ve).all()


# --- DSC --------------------------------------------------------------------------------------------------------


@given(st.floats(10, 2000), st.floats(15, 60), st.floats(0.0, 3.0))
def test_relaxation_comes_back_from_the_signal(s0, te, scale):
    series = dsc_signal([s0], [scale * MEAN], te)
    assert relaxation_change(series, te, 8)[0] == pytest.approx(scale * MEAN, rel=1e-6, abs=1e-6)


@given(st.floats(0.2, 6.0), st.floats(-0.03, 0.03))
def test_leakage_of_either_sign_is_taken_out(volume, leak):
    running = cumulative_trapezoid(MEAN, DSC, initial=0)
    found = blood_volume(volume * MEAN - leak * running, MEAN, 1.5)
    reference = float(blood_volume(MEAN, MEAN, 1.5).plain)
    assert float(found.corrected) / reference == pytest.approx(volume, rel=1e-4, abs=1e-4)
    assert float(found.k2) == pytest.approx(leak, abs=1e-6)


@pytest.mark.parametrize("leak", [0.0, 0.01, -0.01])
def test_corrected_blood_volume_at_clinical_noise_is_within_5_percent(leak):
    """Signal noise of 2 % of the baseline (chosen: usual for gradient-echo EPI); plain values are off by more."""
    rng, te, volume = np.random.default_rng(0), 30.0, 2.5
    running = cumulative_trapezoid(MEAN, DSC, initial=0)
    series = dsc_signal(np.full(4000, 500.0), volume * MEAN - leak * running, te)
    noisy = np.maximum(series + rng.normal(0, 10.0, series.shape), 1.0)
    found = blood_volume(relaxation_change(noisy, te, 10), MEAN, 1.5)
    reference = float(blood_volume(MEAN, MEAN, 1.5).plain)
    assert np.median(found.corrected) / reference == pytest.approx(volume, rel=0.05)
    if leak:
        plain = np.median(found.plain) / reference
        assert abs(plain - volume) > abs(np.median(found.corrected) / reference - volume)


def test_impossible_values_are_refused():
    with pytest.raises(ValueError, match="evenly spaced"):
        extended_tofts([0.0, 1.0, 3.0], np.ones(3), tissue(0.1, 0.2, 0.0))
    with pytest.raises(ValueError, match="ve from 0 to 1"):
        extended_tofts(DCE, INPUT, tissue(0.1, 1.2, 0.0))
    with pytest.raises(ValueError, match="a baseline of 1 to"):
        relaxation_change(np.ones(5), 30.0, 5)
