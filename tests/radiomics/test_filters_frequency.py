"""Gabor, Simoncelli and Riesz: known frequencies, sums of squares, and the straight Fourier transform."""

from __future__ import annotations

import numpy as np
import pytest

from tumorboard.radiomics.filters.boundary import NUMPY
from tumorboard.radiomics.filters.gabor import Gabor
from tumorboard.radiomics.filters.log import Log
from tumorboard.radiomics.filters.riesz import RieszLog, RieszSimoncelli
from tumorboard.radiomics.filters.simoncelli import Simoncelli
from tumorboard.radiomics.filters.spectrum import frequencies, transfer

RANDOM = np.random.default_rng(21)
CUBES = (1.0, 1.0, 1.0)


def test_gabor_of_an_impulse_is_the_gaussian():
    image = np.zeros((41, 41, 3))
    image[20, 20, 1] = 1.0
    theta = np.deg2rad(60.0)
    one = Gabor(sigma_mm=4.0, wavelength_mm=4.0, gamma=0.5, theta_deg=60.0, boundary="zero")
    found = one.apply(image, (2.0, 2.0, 2.0))
    x, y = (np.indices((41, 41)) - 20) * 2.0
    along, across = x * np.cos(theta) + y * np.sin(theta), -x * np.sin(theta) + y * np.cos(theta)
    np.testing.assert_allclose(found[:, :, 1], np.exp(-(along**2 + (0.5 * across) ** 2) / 32), atol=1e-14)
    np.testing.assert_allclose(found[:, :, [0, 2]], 0.0, atol=1e-15)


@pytest.mark.parametrize("wavelength", [4.0, 5.0, 6.0])
@pytest.mark.parametrize("theta", [0.0, 30.0, 135.0])
def test_gabor_answers_to_its_wave(wavelength, theta):
    sigma, gamma, angle = 3.0, 1.5, np.deg2rad(theta)
    x, y = np.indices((61, 61)) - 30
    wave = np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / wavelength)[:, :, None]
    one = Gabor(sigma_mm=sigma, wavelength_mm=5.0, gamma=gamma, theta_deg=theta)
    found = one.apply(wave, CUBES, (slice(25, 36), slice(25, 36), slice(0, 1)))
    off = 1 / wavelength - 1 / 5.0
    expected = np.pi * sigma**2 / gamma * np.exp(-2 * (np.pi * sigma * off) ** 2)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("boundary", ["zero", "nearest", "periodic", "mirror"])
@pytest.mark.parametrize("apart", [0, 1, 2])
def test_gabor_is_a_convolution_in_every_plane(boundary, apart):
    image = RANDOM.normal(size=(7, 8, 9))
    one = Gabor(sigma_mm=0.7, wavelength_mm=2.0, gamma=1.5, theta_deg=25.0, boundary=boundary)
    swapped = np.ascontiguousarray(np.moveaxis(image, apart, 2))
    padded = np.pad(swapped, [(5, 5), (5, 5), (0, 0)], mode=NUMPY[boundary])
    x, y = np.indices((11, 11)) - 5
    angle = np.deg2rad(25.0)
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    kernel = np.exp(-(along**2 + (1.5 * across) ** 2) / (2 * 0.49) + 1j * np.pi * along)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (11, 11), axis=(0, 1))
    expected = np.abs((windows * kernel[::-1, ::-1]).sum(axis=(3, 4)))
    np.testing.assert_allclose(one.apply(swapped, CUBES), expected, atol=1e-12)
    if apart == 0:
        total = sum(
            np.moveaxis(one.apply(np.ascontiguousarray(np.moveaxis(image, axis, 2)), CUBES), 2, axis)
            for axis in range(3)
        )
        pooled = one.model_copy(update={"planes": True}).apply(image, CUBES)
        np.testing.assert_allclose(pooled, total / 3, atol=1e-12)


@pytest.mark.parametrize("pooling", ["mean", "max", "min"])
def test_gabor_pools_directions(pooling):
    image = RANDOM.normal(size=(12, 12, 2))
    settings = {"sigma_mm": 1.0, "wavelength_mm": 3.0, "gamma": 2.0}
    every = [Gabor(**settings, theta_deg=10 + 72.0 * n).apply(image, CUBES) for n in range(5)]
    expected = {"max": np.max, "min": np.min, "mean": np.mean}[pooling](every, axis=0)
    found = Gabor(**settings, theta_deg=10, step_deg=72.0, pooling=pooling).apply(image, CUBES)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_simoncelli_levels_share_the_energy():
    line = frequencies(33)
    squares = sum(transfer((line, line, line), level) ** 2 for level in range(1, 8))
    length = np.sqrt(line[0][:, None, None] ** 2 + line[0][:, None] ** 2 + line[0] ** 2)
    inside = (length > 0) & (length <= 0.5)
    np.testing.assert_allclose(squares[inside], 1.0, atol=1e-12)
    assert squares[0, 0, 0] == 0.0


@pytest.mark.parametrize("waves", [3, 5, 8])
def test_simoncelli_scales_a_pure_wave(waves):
    wave = np.cos(2 * np.pi * waves * np.arange(33) / 33)[:, None, None] * np.ones((1, 33, 33))
    frequency = waves / 16
    for level in (1, 2):
        share = frequency * 2 ** (level - 1)
        factor = np.cos(np.pi / 2 * np.log2(2 * share)) if 0.25 <= share <= 1 else 0.0
        np.testing.assert_allclose(Simoncelli(level=level).apply(wave, CUBES), factor * wave, atol=1e-12)


@pytest.mark.parametrize("shape", [(8, 8, 8), (9, 9, 9), (8, 9, 11)])
@pytest.mark.parametrize("level", [1, 2])
def test_simoncelli_is_the_real_part_of_the_whole_transform(shape, level):
    image = RANDOM.normal(size=shape)
    expected = _straight(image, level, (0, 0, 0))
    np.testing.assert_allclose(Simoncelli(level=level).apply(image, CUBES), expected, atol=1e-12)
    flat = np.stack([_straight(image[:, :, [k]], level, (0, 0, 0))[:, :, 0] for k in range(shape[2])], axis=2)
    np.testing.assert_allclose(Simoncelli(level=level, dimensions=2).apply(image, CUBES), flat, atol=1e-12)


def _straight(image: np.ndarray, level: int | None, order: tuple[int, int, int]) -> np.ndarray:
    lines = [np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in image.shape]
    grid = np.meshgrid(*lines, indexing="ij")
    length = np.sqrt(sum(axis**2 for axis in grid))
    safe = np.where(length > 0, length, 1.0)
    function = np.ones(image.shape, dtype=np.complex128)
    if level is not None:
        highest = 0.5 ** (level - 1)
        band = np.cos(np.pi / 2 * np.log2(2 * safe / highest))
        function *= np.where((length >= highest / 4) & (length <= highest), band, 0.0)
    total = sum(order)
    if total:
        weights = {(1, 0, 0): 1.0, (0, 2, 0): 1.0, (1, 1, 0): np.sqrt(2.0), (1, 1, 1): np.sqrt(6.0)}
        product = grid[0] ** order[0] * grid[1] ** order[1] * grid[2] ** order[2]
        function *= (-1j) ** total * weights[order] * np.where(length > 0, product / safe**total, 0.0)
    return np.fft.ifftn(np.fft.fftn(image) * np.fft.ifftshift(function)).real


@pytest.mark.parametrize("shape", [(8, 8, 8), (9, 8, 7)])
@pytest.mark.parametrize("order", [(1, 0, 0), (0, 2, 0), (1, 1, 0), (1, 1, 1)])
def test_riesz_of_simoncelli_is_the_straight_transform(shape, order):
    image = RANDOM.normal(size=shape)
    found = RieszSimoncelli(order=order, level=1).apply(image, CUBES)
    np.testing.assert_allclose(found, _straight(image, 1, order), atol=1e-12)


@pytest.mark.parametrize("boundary", ["zero", "mirror", "periodic"])
def test_riesz_of_log_is_that_of_the_continued_image(boundary):
    image = RANDOM.normal(size=(9, 10, 11))
    found = RieszLog(order=(1, 0, 0), sigma_mm=1.0, boundary=boundary).apply(image, CUBES)
    padded = np.pad(image, 4, mode=NUMPY[boundary])
    response = Log(sigma_mm=1.0, boundary="periodic").apply(padded, CUBES)
    inner = (slice(4, -4),) * 3
    np.testing.assert_allclose(found, _straight(response, None, (1, 0, 0))[inner], atol=1e-12)


def test_riesz_transforms_of_one_sum_share_the_energy():
    axes = (frequencies(9), frequencies(11), frequencies(7))
    whole = transfer(axes, 1) ** 2
    first = sum(transfer(axes, 1, order) ** 2 for order in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    np.testing.assert_allclose(first, whole, atol=1e-12)
    second = [(2, 0, 0), (0, 2, 0), (0, 0, 2), (1, 1, 0), (1, 0, 1), (0, 1, 1)]
    np.testing.assert_allclose(sum(transfer(axes, 1, order) ** 2 for order in second), whole, atol=1e-12)


def test_a_ball_looks_the_same_along_all_axes():
    ball = (((np.indices((17, 17, 17)) - 8) ** 2).sum(axis=0) < 30).astype(np.float64)
    response = Simoncelli(level=2).apply(ball, CUBES)
    along = RieszSimoncelli(order=(2, 0, 0), level=2).apply(ball, CUBES)
    for order in ((1, 0, 2), (2, 1, 0)):
        np.testing.assert_allclose(response.transpose(order), response, atol=1e-12)
    across = RieszSimoncelli(order=(0, 2, 0), level=2).apply(ball, CUBES)
    np.testing.assert_allclose(along.transpose(1, 0, 2), across, atol=1e-12)
