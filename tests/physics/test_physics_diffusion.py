"""ADC and tensors: fitted back exactly without noise, within 5 % at clinical noise, as dipy would."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tumorboard.physics.diffusion import fit_adc, fit_tensor, tensor_maps, tensor_signal, weighted

SNR = 30.0
"""Of the unweighted image: usual in clinical diffusion imaging (chosen)."""

eigenvalues = st.tuples(*[st.floats(0.1, 2.5)] * 3)
angles = st.tuples(*[st.floats(-180, 180)] * 3)


def directions(count, seed=0):
    """Evenly spread directions (a Fibonacci half sphere)."""
    n = np.arange(count) + 0.5
    z, turn = n / count, np.pi * (1 + 5**0.5) * n
    r = np.sqrt(1 - z**2)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)


def made(values, turn):
    rotation = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    return rotation @ np.diag(values) @ rotation.T


def rician(signal, sigma, rng):
    return np.hypot(signal + rng.normal(0, sigma, signal.shape), rng.normal(0, sigma, signal.shape))


SCHEME = np.concatenate([np.zeros((2, 3)), directions(30)])
B = np.array([0.0] * 2 + [1000.0] * 30)


def measured(tensor, s0=1000.0):
    return np.stack([tensor_signal(s0, tensor, b, g if b else (1, 0, 0)) for b, g in zip(B, SCHEME, strict=True)], -1)


@given(st.floats(0.05, 3.2), st.floats(1, 5000), st.lists(st.floats(0, 1500), min_size=2, max_size=5))
def test_adc_without_noise_is_exact(adc, s0, more):
    b = np.array([0.0, 1000.0, *more])
    found, first = fit_adc(np.stack([weighted(s0, adc, x) for x in b]), b)
    assert float(found) == pytest.approx(adc, rel=1e-4, abs=1e-5)
    assert float(first) == pytest.approx(s0, rel=1e-4)


@pytest.mark.parametrize("adc", [0.6, 0.8, 1.2, 1.6])
def test_mean_adc_at_clinical_noise_is_within_5_percent(adc):
    rng, b = np.random.default_rng(0), np.array([0.0, 500.0, 1000.0])
    clean = np.stack([np.full(4000, float(weighted(1000.0, adc, x))) for x in b], -1)
    found, _ = fit_adc(rician(clean, 1000.0 / SNR, rng), b)
    assert found.mean() == pytest.approx(adc, rel=0.05)


@given(eigenvalues, angles)
def test_a_tensor_without_noise_is_found_whatever_its_direction(values, turn):
    tensor = made(values, turn)
    found, s0 = fit_tensor(measured(tensor), B, SCHEME)
    assert found == pytest.approx(tensor, abs=1e-4)
    assert float(s0) == pytest.approx(1000.0, rel=1e-4)


@given(eigenvalues, angles, angles)
def test_maps_do_not_turn_with_the_head(values, turn, other):
    one, two = (tensor_maps(made(values, t)) for t in (turn, other))
    assert float(one.fa) == pytest.approx(float(two.fa), abs=1e-7)
    assert float(one.md) == pytest.approx(np.mean(values), rel=1e-7)
    assert 0 <= float(one.fa) <= 1 + 1e-9
    assert float(one.ad) >= float(one.rd) - 1e-12


def test_anisotropy_is_that_of_its_formula():
    """Basser and Pierpaoli 1996, written out for (1.7, 0.3, 0.3): FA = sqrt(3/2) |D - md| / |D|."""
    values = np.array([1.7, 0.3, 0.3])
    by_hand = np.sqrt(1.5 * ((values - values.mean()) ** 2).sum() / (values**2).sum())
    assert float(tensor_maps(np.diag(values)).fa) == pytest.approx(by_hand)
    assert np.abs(tensor_maps(np.diag(values)).direction[0]) == pytest.approx(1.0)


def test_mean_tensor_maps_at_clinical_noise_are_within_5_percent():
    rng, tensor = np.random.default_rng(0), made((1.6, 0.45, 0.35), (20, 40, 60))
    truth = tensor_maps(tensor)
    noisy = rician(np.broadcast_to(measured(tensor), (4000, B.size)), 1000.0 / SNR, rng)
    found = tensor_maps(fit_tensor(noisy, B, SCHEME)[0])
    assert found.md.mean() == pytest.approx(float(truth.md), rel=0.05)
    assert found.fa.mean() == pytest.approx(float(truth.fa), rel=0.05)
    cosine = np.abs(found.direction @ truth.direction)
    assert np.degrees(np.arccos(np.clip(np.median(cosine), 0, 1))) < 5


def test_dark_and_empty_voxels_do_not_fail():
    found, _ = fit_tensor(np.zeros((2, 2, B.size)), B, SCHEME)
    maps = tensor_maps(found)
    assert np.isfinite(maps.fa).all()


def test_what_does_not_determine_a_fit_is_refused():
    with pytest.raises(ValueError, match="two different b-values"):
        fit_adc([1.0, 1.0], [1000.0, 1000.0])
    with pytest.raises(ValueError, match="six directions"):
        fit_tensor(np.ones(5), B[:5], SCHEME[:5])
    with pytest.raises(ValueError, match="3 signals"):
        fit_adc([1.0, 1.0], [0.0, 500.0, 1000.0])
