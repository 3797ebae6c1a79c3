"""Separable wavelets and those of PyRadiomics: reconstruction, energy, names, and the direct way with PyWavelets."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import pywt
import SimpleITK as sitk
from scipy import ndimage

from tumorboard.errors import InputError
from tumorboard.radiomics.filters.pyradiomics import (
    PyRadiomicsLog,
    PyRadiomicsWavelet,
    pyradiomics_log,
    pyradiomics_wavelet,
)
from tumorboard.radiomics.filters.wavelet import Wavelet, bands

RANDOM = np.random.default_rng(3)
CUBES = (1.0, 1.0, 1.0)
EVERY = pywt.wavelist(kind="discrete")


@pytest.mark.parametrize("wavelet", EVERY)
def test_bands_of_every_family_add_up_to_the_image(wavelet):
    image = RANDOM.normal(size=(24, 5, 6))
    family = pywt.Wavelet(wavelet)
    found = bands(image, wavelet=wavelet, boundary="periodic", dimensions=2)
    kernels = {"L": np.array(family.rec_lo), "H": np.array(family.rec_hi)}
    total = np.zeros_like(image)
    for name, band in found.items():
        total += _delayed(_delayed(band, kernels[name[0]], 0), kernels[name[1]], 1)
    delay = family.dec_len - 1 - family.dec_len // 2
    expected = 4 * np.roll(image, (delay, delay), axis=(0, 1))
    # the filters of dmey, alone of all, are cut off
    np.testing.assert_allclose(total, expected, atol=0.2 if wavelet == "dmey" else 1e-9)


def _delayed(data: np.ndarray, kernel: np.ndarray, axis: int) -> np.ndarray:
    """Sum over taps of the data moved on by their index, periodically."""
    return sum(tap * np.roll(data, at, axis=axis) for at, tap in enumerate(kernel))


@pytest.mark.parametrize("wavelet", ["haar", "db3", "sym4", "coif1", "coif17"])
def test_orthogonal_bands_keep_the_energy(wavelet):
    image = RANDOM.normal(size=(10, 12, 9))
    found = bands(image, wavelet=wavelet, boundary="periodic")
    assert len(found) == 8
    energy = sum((band**2).sum() for band in found.values())
    assert energy == pytest.approx(8 * (image**2).sum(), rel=1e-6)


def test_haar_of_a_checkerboard():
    board = 1.0 - 2.0 * (np.indices((8, 8, 8)).sum(axis=0) % 2)
    found = bands(board, wavelet="haar", boundary="periodic")
    np.testing.assert_allclose(np.abs(found["HHH"]), 2**1.5, atol=1e-13)
    for name in set(found) - {"HHH"}:
        np.testing.assert_allclose(found[name], 0.0, atol=1e-13)


@pytest.mark.parametrize("boundary", ["zero", "nearest", "periodic", "mirror"])
@pytest.mark.parametrize(("wavelet", "level"), [("db3", 1), ("coif1", 2), ("haar", 3)])
def test_a_band_is_what_scipy_makes_of_it(wavelet, level, boundary):
    modes = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}
    image = RANDOM.normal(size=(9, 12, 10))
    family = pywt.Wavelet(wavelet)
    low, high = np.append(family.dec_lo, 0.0), np.append(family.dec_hi, 0.0)
    expected = image
    for at in range(1, level + 1):
        for axis, letter in enumerate("LHH"):
            taps = high if at == level and letter == "H" else low
            holes = np.zeros((len(taps) - 1) * 2 ** (at - 1) + 1)
            holes[:: 2 ** (at - 1)] = taps
            expected = ndimage.convolve1d(expected, holes, axis=axis, mode=modes[boundary])
    found = Wavelet(wavelet=wavelet, band="LHH", level=level, boundary=boundary).apply(image, CUBES)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_array_equal(bands(image, None, wavelet, level, boundary)["LHH"], found)


def _as_pyradiomics(image: np.ndarray, wavelet: str, level: int) -> dict[str, np.ndarray]:
    """What PyRadiomics does, on arrays (k, j, i): even by wrapping, one level of swtn again and again, cut back."""
    data = np.pad(image.T, [(0, n % 2) for n in image.T.shape], mode="wrap")
    found = {}
    for at in range(1, level + 1):
        parts = pywt.swtn(data, wavelet, level=1, start_level=0, axes=(2, 1, 0))[0]
        data = parts["aaa"]
        for name, part in parts.items():
            if name != "aaa" or at == level:
                key = f"wavelet{'' if at == 1 else at}-{name.replace('a', 'L').replace('d', 'H')}"
                found[key] = part[tuple(slice(0, n) for n in image.T.shape)].T
    return found


@pytest.mark.parametrize("shape", [(12, 10, 8), (13, 10, 7), (11, 9, 15)])
@pytest.mark.parametrize(("wavelet", "level"), [("coif1", 1), ("haar", 2), ("db3", 3), ("bior2.4", 1), ("sym5", 2)])
def test_pyradiomics_wavelets_are_those_of_pywt(shape, wavelet, level):
    image = RANDOM.normal(size=shape) * 100
    expected = _as_pyradiomics(image, wavelet, level)
    found = pyradiomics_wavelet(image, wavelet, level)
    assert set(found) == set(expected) == set(PyRadiomicsWavelet(wavelet=wavelet, level=level).names)
    box = (slice(0, 4), slice(3, 9), slice(5, 7))
    boxed = pyradiomics_wavelet(image, wavelet, level, box)
    for name, band in expected.items():
        np.testing.assert_allclose(found[name], band, atol=1e-9)
        np.testing.assert_allclose(boxed[name], band[box], atol=1e-9)


def test_pyradiomics_names():
    names = {f"wavelet-{''.join(letters)}" for letters in product("LH", repeat=3)}
    assert set(pyradiomics_wavelet(np.ones((6, 6, 6)))) == names
    assert "wavelet2-LLL" in PyRadiomicsWavelet(level=2).names
    assert "wavelet-LLL" not in PyRadiomicsWavelet(level=2).names
    assert PyRadiomicsLog(sigma_mm=1).name == "log-sigma-1-0-mm-3D"


@pytest.mark.parametrize("sigma", [1.0, 2.5])
def test_pyradiomics_log_is_that_of_simpleitk(sigma):
    image, spacing = RANDOM.normal(size=(14, 12, 10)) * 100, (1.0, 1.5, 2.0)
    volume = sitk.GetImageFromArray(image.T.copy())
    volume.SetSpacing(spacing)
    expected = sitk.LaplacianRecursiveGaussian(volume, sigma, True)
    found = pyradiomics_log(image, spacing, sigma)
    np.testing.assert_array_equal(found, sitk.GetArrayFromImage(expected).T)


def test_pyradiomics_log_refuses_what_pyradiomics_leaves_out():
    with pytest.raises(InputError, match="sigma of 5 mm"):
        pyradiomics_log(np.zeros((20, 20, 5)), CUBES, 5.0)
    with pytest.raises(InputError):
        pyradiomics_log(np.zeros((20, 20, 3)), CUBES, 1.0)


def test_pyradiomics_log_of_a_box_is_that_of_the_image():
    image = RANDOM.normal(size=(50, 46, 40))
    box = (slice(22, 28), slice(20, 26), slice(0, 5))
    one = PyRadiomicsLog(sigma_mm=1.0)
    whole = one.apply(image, CUBES)
    np.testing.assert_allclose(one.apply(image, CUBES, box), whole[box], atol=1e-6 * np.abs(whole).max())
