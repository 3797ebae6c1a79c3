"""Numbers of representations against closed forms, scipy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from tumorboard.errors import InputError
from tumorboard.lab.cohort import NotThere
from tumorboard.lab.represent.clusters import VoxelClusters
from tumorboard.lab.represent.columns import coded
from tumorboard.lab.represent.curves import summary
from tumorboard.lab.represent.dictionary import PatchDictionary
from tumorboard.lab.represent.expression import Components
from tumorboard.lab.represent.histogram import HistogramSet, histogram
from tumorboard.lab.represent.stockwell import bands, dost, dost2, inverse_dost, inverse_dost2, ring_energy
from tumorboard.lab.represent.stransform import StockwellSet, texture
from tumorboard.lab.table import Unit
from tumorboard.volume import Volume

NUMBERS = st.floats(-1e3, 1e3, allow_nan=False)


@given(power=st.integers(2, 8), seed=st.integers(0, 99))
def test_the_s_transform_is_orthonormal(power: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(3, 2**power))
    there = dost(x)
    np.testing.assert_allclose((np.abs(there) ** 2).sum(axis=1), (x**2).sum(axis=1), rtol=1e-10)
    np.testing.assert_allclose(inverse_dost(there), x, atol=1e-10)


@pytest.mark.parametrize("length", [4, 8, 64])
def test_its_matrix_is_unitary(length: int) -> None:
    matrix = dost(np.eye(length))
    np.testing.assert_allclose(matrix @ matrix.conj().T, np.eye(length), atol=1e-12)


@pytest.mark.parametrize("length", [8, 16, 128])
def test_bands_tile_all_frequencies(length: int) -> None:
    covered = [n for start, width, _ in bands(length) for n in range(start, start + width)]
    assert covered == list(range(length))


def test_a_basis_vector_is_that_of_stockwell() -> None:
    # Stockwell 2007, equation 17: (1/sqrt(beta)) sum over the band of exp(2 pi i k f / N) exp(-2 pi i tau f / beta)
    n, start, width = 32, 8, 8  # the band of frequencies 8 to 15
    k, f = np.arange(n), np.arange(start, start + width)
    for tau in range(width):
        wave = np.exp(2j * np.pi * np.outer(k, f) / n) * np.exp(-2j * np.pi * tau * f / width)
        expected = wave.sum(axis=1) / np.sqrt(width * n)
        coefficients = np.abs(dost(expected))
        place = n // 2 + start + tau
        assert coefficients[place] == pytest.approx(1.0)
        assert np.delete(coefficients, place).max() < 1e-10


@settings(max_examples=25)
@given(x=hnp.arrays(np.float64, (16, 16), elements=NUMBERS))
def test_in_two_dimensions_energy_is_kept_by_rings(x: np.ndarray) -> None:
    np.testing.assert_allclose(inverse_dost2(dost2(x)).real, x, atol=1e-6)
    rings = ring_energy(x)
    assert rings.sum() == pytest.approx((x**2).sum(), rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(rings.sum(axis=(1, 2)), ring_energy(x.T).sum(axis=(1, 2)), rtol=1e-8, atol=1e-6)
    np.testing.assert_allclose(rings.sum(axis=(1, 2)), ring_energy(x[::-1]).sum(axis=(1, 2)), rtol=1e-8, atol=1e-6)


@pytest.mark.parametrize(("cycles", "ring"), [(1, 1), (3, 2), (6, 3), (12, 4)])
def test_a_wave_lies_in_the_ring_of_its_frequency(cycles: int, ring: int) -> None:
    wave = np.cos(2 * np.pi * cycles * np.arange(32) / 32)[None, :] * np.ones((32, 1))
    energy = ring_energy(wave).sum(axis=(1, 2))
    assert energy.argmax() == ring
    assert energy[ring] == pytest.approx(energy.sum())


def test_a_length_that_is_no_power_of_two_is_refused() -> None:
    with pytest.raises(InputError, match="a power of two"):
        dost(np.zeros(12))


@settings(max_examples=10)
@given(scale=st.floats(0.1, 50.0), shift=st.floats(-100.0, 100.0))
def test_shares_of_texture_do_not_know_the_unit(scale: float, shift: float) -> None:
    rng = np.random.default_rng(3)
    image = Volume.of(rng.normal(size=(20, 20, 3)), np.diag([2.0, 2.0, 5.0, 1.0]))
    mask = np.zeros((20, 20, 3), bool)
    mask[5:15, 6:14, :2] = True
    how = StockwellSet(size=32, pixel_mm=1.0)
    plain = texture(image, mask, how)
    other = texture(image.with_data(scale * image.data + shift), mask, how)
    for name in ("ring1", "ring3", "mean_ring", "entropy"):
        assert other[name] == pytest.approx(plain[name], rel=1e-6)
    assert other["energy"] == pytest.approx(plain["energy"] * scale**2, rel=1e-6)
    assert all(np.isnan(v) for v in texture(image.with_data(np.ones((20, 20, 3))), mask, how).values())


@given(x=hnp.arrays(np.float64, st.integers(3, 60), elements=NUMBERS, unique=True))
def test_histograms_are_those_of_scipy(x: np.ndarray) -> None:
    found = histogram(x, HistogramSet(percentiles=(10.0, 50.0), bins=7, low=-10.0, high=10.0))
    if np.ptp(x) > 1e-3:
        assert found["skewness"] == pytest.approx(stats.skew(x), rel=1e-6, abs=1e-6)
        assert found["kurtosis"] == pytest.approx(stats.kurtosis(x), rel=1e-6, abs=1e-6)
    assert found["p50"] == pytest.approx(np.median(x))
    assert sum(found[f"bin{n:03d}"] for n in range(1, 8)) == pytest.approx(1.0)


def test_what_has_no_spread_has_no_skewness() -> None:
    found = histogram(np.full(9, 4.0), HistogramSet())
    assert found["mean"] == 4.0
    assert np.isnan(found["skewness"])
    assert np.isnan(found["kurtosis"])
    with pytest.raises(NotThere, match="fewer than 3 voxels"):
        histogram(np.array([1.0, np.nan, 2.0]), HistogramSet())


def test_a_bolus_of_known_form_gives_its_own_numbers() -> None:
    t, step = np.arange(0.0, 90.0, 0.5), 0.5
    start = int(20.0 / step)
    passed = np.clip((t - 20.0) / 8.0, 0.0, None)
    gamma = 0.6 * passed * np.exp(1.0 - passed)  # a gamma variate: largest 0.6 at 28 s, area 0.6 e 8 = 13.05
    found = summary(200.0 * (1.0 + gamma), start, step, points=5)
    assert found["ttp_s"] == pytest.approx(8.0 + step, abs=step)
    assert found["height"] == pytest.approx(0.6, rel=1e-3)
    assert found["area"] == pytest.approx(0.6 * np.e * 8.0, rel=0.01)
    assert found["psr"] == pytest.approx(100.0, abs=1.0)
    assert found["p01"] == pytest.approx(0.0, abs=1e-9)
    half = summary(200.0 * (1.0 + 0.5 * gamma), start, step, normal=200.0 * (1.0 + gamma))
    assert half["height"] == pytest.approx(0.5)
    assert half["area"] == pytest.approx(0.5)


def test_a_curve_that_stays_up_has_not_recovered() -> None:
    curve = np.r_[np.ones(5), np.full(20, 1.5)]
    assert summary(curve, 5, 1.0)["psr"] == pytest.approx(0.0)


def test_components_are_those_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    x = np.random.default_rng(0).normal(size=(12, 40)) @ np.diag(np.linspace(5, 1, 40))
    mine = Components(0, count=4).fit([r[None] for r in x[:9]]).transform([r[None] for r in x])
    scale = StandardScaler().fit(x[:9])
    theirs = PCA(4).fit(scale.transform(x[:9])).transform(scale.transform(x))
    np.testing.assert_allclose(np.abs(mine), np.abs(theirs), atol=1e-9)
    assert np.isnan(Components(0, count=4).fit([r[None] for r in x[:3]]).transform([None])).all()
    assert (Components(0, count=4).fit([r[None] for r in x[:3]]).transform([x[5][None]])[0, 3]) == 0.0


def test_clusters_of_three_clouds_have_their_volumes() -> None:
    rng = np.random.default_rng(0)
    centres, counts = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]]), (50, 30, 20)
    clouds = [c + rng.normal(0, 0.3, (n, 2)) for c, n in zip(centres, counts, strict=True)]
    unit = np.c_[np.vstack(clouds), np.full(100, 0.02)]
    step = VoxelClusters(0, count=3).fit([unit, unit[:60]])
    found = dict(zip(step.names, step.transform([unit])[0], strict=True))
    shares = [found[f"cluster{n}.share"] for n in (1, 2, 3)]
    assert sorted(shares) == pytest.approx([0.2, 0.3, 0.5])
    assert sum(found[f"cluster{n}.ml"] for n in (1, 2, 3)) == pytest.approx(2.0)
    with pytest.raises(InputError, match="at least 3 items"):
        VoxelClusters(0, count=3).fit([unit[:2], None])


def test_a_dictionary_finds_the_atoms_that_patches_are_made_of() -> None:
    rng = np.random.default_rng(1)
    atoms = np.linalg.qr(rng.normal(size=(27, 3)))[0].T
    codes = rng.laplace(size=(400, 3)) * (rng.random((400, 3)) < 0.4)
    patches = codes @ atoms + 1e-3 * rng.normal(size=(400, 27))
    step = PatchDictionary(0, atoms=3, nonzero=3).fit([patches])
    z = step.scale(patches)
    left = z - step.model.transform(z) @ step.model.components_
    assert (left**2).sum() < 0.05 * (z**2).sum()


@given(st.lists(st.sampled_from(["GTR", "partial", "biopsy", ""]), min_size=1, max_size=12))
def test_words_become_columns_that_add_up(words: list[str]) -> None:
    units = [Unit(str(n)) for n in range(len(words))]
    table = coded(units, "resection", words)
    if not any(words):
        assert table is None
        return
    known = np.array([bool(w) for w in words])
    assert np.isnan(table.values[~known]).all()
    assert not np.isnan(table.values[known]).any()
    if len({w for w in words if w}) > 2:
        np.testing.assert_array_equal(table.values[known].sum(axis=1), 1.0)


def test_yes_and_no_are_numbers() -> None:
    units = [Unit(c) for c in "ABCD"]
    assert coded(units, "mgmt", ["methylated", "no", "", "1"]).values.ravel()[[0, 1, 3]].tolist() == [1.0, 0.0, 1.0]
