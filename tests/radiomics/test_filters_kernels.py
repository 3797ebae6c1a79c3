"""Mean, Laplacian of Gaussian, Laws: kernels, boundaries and rotations against straight computations."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from scipy import ndimage

from tumorboard.radiomics.filters.boundary import NUMPY, SCIPY, sources
from tumorboard.radiomics.filters.laws import TAPS, Laws
from tumorboard.radiomics.filters.log import Log
from tumorboard.radiomics.filters.mean import Mean
from tumorboard.radiomics.filters.rotate import separable_response, turns
from tumorboard.radiomics.filters.separable import along, convolution

BOUNDARIES = ("zero", "nearest", "periodic", "mirror")
CUBES = (1.0, 1.0, 1.0)
RANDOM = np.random.default_rng(11)


def _impulse(n: int) -> np.ndarray:
    image = np.zeros((n, n, n))
    image[n // 2, n // 2, n // 2] = 1.0
    return image


def _turned(image: np.ndarray) -> list[tuple[np.ndarray, tuple[int, ...], tuple[int, ...]]]:
    """All 24 right-angle rotations of a cube, by the determinant of the signed permutation."""
    found = []
    for order in permutations(range(3)):
        for signs in product((1, -1), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if np.linalg.det(matrix) > 0:
                flips = tuple(axis for axis in range(3) if signs[axis] < 0)
                found.append((np.flip(image.transpose(order), flips), order, flips))
    return found


def _back(image: np.ndarray, order: tuple[int, ...], flips: tuple[int, ...]) -> np.ndarray:
    return np.flip(image, flips).transpose(np.argsort(order))


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("size", [2, 5, 9])
def test_boundaries_are_those_of_numpy(boundary, size):
    line = np.arange(1.0, size + 1)
    found = sources(np.arange(-7, size + 7), size, boundary)
    expected = np.pad(line, 7, mode=NUMPY[boundary])
    np.testing.assert_array_equal(np.where(found < 0, 0.0, line[found]), expected)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(("size", "taps"), [(9, 3), (9, 7), (3, 9), (150, 5)])
def test_matrix_is_the_convolution_of_scipy(boundary, size, taps):
    kernel = RANDOM.normal(size=taps)
    data = RANDOM.normal(size=(4, size, 3))
    expected = ndimage.convolve1d(data, kernel, axis=1, mode=SCIPY[boundary])
    found = along(data, convolution(kernel, size, boundary, np.arange(size)), 1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_blocks_of_a_long_axis_meet(axis):
    shape = [3, 4, 5]
    shape[axis] = 201
    data, matrix = RANDOM.normal(size=shape), np.triu(np.tril(RANDOM.normal(size=(201, 201)), 3), -3)
    expected = np.moveaxis(np.tensordot(matrix, data, (1, axis)), 0, axis)
    np.testing.assert_allclose(along(data, matrix, axis), expected, rtol=0, atol=1e-12)


def test_mean_of_a_checkerboard():
    board = 1.0 - 2.0 * (np.indices((9, 9, 9)).sum(axis=0) % 2)
    found = Mean(support=3, boundary="periodic").apply(board[:8, :8, :8], CUBES)
    # 13 of 27 voxels are of the colour of the middle one, 14 of the other
    np.testing.assert_allclose(found, -board[:8, :8, :8] / 27, atol=1e-15)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_mean_is_that_of_a_window(boundary):
    image = RANDOM.normal(size=(7, 9, 8))
    padded = np.pad(image, 2, mode=NUMPY[boundary])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5, 5))
    found = Mean(support=5, boundary=boundary).apply(image, CUBES)
    np.testing.assert_allclose(found, windows.mean(axis=(3, 4, 5)), atol=1e-14)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_log_of_an_impulse_is_its_kernel(dimensions):
    sigma, radius = 1.5, 6
    found = Log(sigma_mm=3.0, dimensions=dimensions, boundary="zero").apply(_impulse(21), (2.0, 2.0, 2.0))
    offsets = np.indices((21, 21, 21)[:dimensions]) - 10
    squared = (offsets**2).sum(axis=0) / sigma**2
    kernel = -(dimensions - squared) / sigma**2 * np.exp(-squared / 2) / (np.sqrt(2 * np.pi) * sigma) ** dimensions
    kernel[(np.abs(offsets) > radius).any(axis=0)] = 0.0
    expected = kernel if dimensions == 3 else np.zeros((21, 21, 21))
    if dimensions == 2:
        expected[:, :, 10] = kernel
    np.testing.assert_allclose(found, expected, atol=1e-16)


def test_log_of_a_gaussian_is_that_of_a_wider_one():
    offsets = np.indices((41, 41, 41)) - 20
    squared = (offsets**2).sum(axis=0)
    found = Log(sigma_mm=2.0, cutoff=8.0).apply(np.exp(-squared / (2 * 9.0)), CUBES)
    variance = 4.0 + 9.0
    scale = (9.0 / variance) ** 1.5
    expected = -scale / variance * (3 - squared / variance) * np.exp(-squared / (2 * variance))
    inner = (slice(10, 31),) * 3
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-6)


def test_log_sees_a_sphere_in_millimetres():
    spacing = (1.0, 0.5, 2.0)
    found = Log(sigma_mm=3.0).apply(_impulse(61), spacing)
    centre, apart = found[30, 30, 30], 4
    same = [found[30 + apart, 30, 30], found[30, 30 + 2 * apart, 30], found[30, 30, 30 + apart // 2]]
    np.testing.assert_allclose(same, same[0], rtol=1e-12)
    assert centre < 0 < found[30 + 7, 30, 30]


def test_laws_of_an_impulse_is_its_kernel():
    found = Laws(kernels="E3W5R5", boundary="zero").apply(_impulse(7), CUBES)
    parts = [np.array(TAPS[name]) / np.linalg.norm(TAPS[name]) for name in ("E3", "W5", "R5")]
    expected = np.einsum("i,j,k->ijk", *parts)
    np.testing.assert_allclose(found[2:5, 1:6, 1:6], expected, atol=1e-15)
    assert np.count_nonzero(np.abs(found) > 1e-15) == np.count_nonzero(expected)


@pytest.mark.parametrize("kernels", ["L5E5E5", "E3W5R5", "S5S5S5"])
@pytest.mark.parametrize("pooling", ["max", "min", "mean"])
def test_pooled_laws_turn_with_the_image(kernels, pooling):
    image = RANDOM.normal(size=(9, 9, 9))
    plain = Laws(kernels=kernels)
    every = [_back(plain.apply(np.ascontiguousarray(i), CUBES), o, f) for i, o, f in _turned(image)]
    assert len(every) == len(turns(3)) == 24
    expected = {"max": np.max, "min": np.min, "mean": np.mean}[pooling](every, axis=0)
    found = Laws(kernels=kernels, pooling=pooling).apply(image, CUBES)
    np.testing.assert_allclose(found, expected, atol=1e-13)


@pytest.mark.parametrize("pooling", ["max", "min", "mean"])
@pytest.mark.parametrize("letters", ["ABC", "AAB", "ABB", "AB", "BB"])
def test_uneven_kernels_of_two_steps_turn_with_the_image(letters, pooling):
    chains = {name: [RANDOM.normal(size=3), RANDOM.normal(size=5)] for name in "ABC"}
    image, rows = RANDOM.normal(size=(8, 8, 8)), (np.arange(8),) * 3
    turned = _turned(image) if len(letters) == 3 else [(np.rot90(image, n), n) for n in range(4)]
    every = []
    for one in turned:
        response = separable_response(np.ascontiguousarray(one[0]), rows, letters, chains, "mirror", None)
        every.append(_back(response, *one[1:]) if len(letters) == 3 else np.rot90(response, -one[1]))
    expected = {"max": np.max, "min": np.min, "mean": np.mean}[pooling](every, axis=0)
    found = separable_response(image, rows, letters, {n: chains[n] for n in set(letters)}, "mirror", pooling)
    np.testing.assert_allclose(found, expected, atol=1e-11)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_energy_is_the_mean_of_the_absolute_response(boundary):
    image = RANDOM.normal(size=(10, 9, 11))
    response = np.abs(Laws(kernels="L5E5E5", pooling="max", boundary=boundary).apply(image, CUBES))
    expected = ndimage.uniform_filter(response, 7, mode=SCIPY[boundary])
    found = Laws(kernels="L5E5E5", pooling="max", energy=3, boundary=boundary).apply(image, CUBES)
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_a_ball_looks_the_same_all_ways_round():
    ball = ((np.indices((15, 15, 15)) - 7) ** 2).sum(axis=0) < 30
    for one in (Log(sigma_mm=1.5), Laws(kernels="L5E5S5", pooling="max", energy=2)):
        response = one.apply(ball.astype(np.float64), CUBES)
        for turned, _, _ in _turned(response):
            np.testing.assert_allclose(turned, response, atol=1e-12)


@pytest.mark.parametrize("boundary", ["nearest", "periodic", "mirror"])
def test_a_constant_has_no_texture(boundary):
    image = np.full((8, 9, 10), 7.0)
    assert np.abs(Laws(kernels="L5E5S5", pooling="max", energy=2, boundary=boundary).apply(image, CUBES)).max() < 1e-13
    # the sampled kernel is not renormalised: what is left of a constant is its sum
    assert np.abs(Log(sigma_mm=2.0, boundary=boundary).apply(image, CUBES)).max() < 0.02
