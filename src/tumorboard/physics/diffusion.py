"""Diffusion weighting: signals of an ADC and of a tensor, and both fitted back.

Why it exists: ADC and fractional anisotropy are what a board reads of diffusion.
Source: Basser PJ et al., J Magn Reson B 1994;103:247-254 (tensor); Salvador R et al., Hum Brain Mapp
2005;24:144-155 (weights of the logarithm's noise). Diffusivities in 10⁻³ mm²/s, b-values in s/mm².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
_ORDER = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Elements of a symmetric tensor in the order in which they are fitted."""


@dataclass(frozen=True)
class TensorMaps:
    """What is read of a tensor.

    Parameters
    ----------
    md, ad, rd : ndarray, shape (...)
        Mean, axial and radial diffusivity, 10⁻³ mm²/s.
    fa : ndarray, shape (...)
        Fractional anisotropy, 0 to 1.
    direction : ndarray, shape (..., 3)
        Of the largest diffusivity; its sign is arbitrary.
    """

    md: Array
    ad: Array
    rd: Array
    fa: Array
    direction: Array


def weighted(s0: ArrayLike, adc: ArrayLike, b_value: float) -> Array:
    """Return the signal at a b-value: s0 exp(-b ADC).

    Examples
    --------
    >>> round(float(weighted(1000.0, 0.7, 1000.0)), 2)
    496.59
    """
    return np.asarray(np.asarray(s0) * np.exp(-b_value * np.asarray(adc, dtype=np.float64) * 1e-3))


def fit_adc(signals: ArrayLike, b_values: ArrayLike) -> tuple[Array, Array]:
    """Fit ADC and the unweighted signal by least squares on logarithms, weighted by the squared signal.

    Parameters
    ----------
    signals : array_like, shape (..., n)
        One for each b-value; values of 0 and below count as very small ones.
    b_values : array_like, shape (n,)
        At least two different ones.

    Returns
    -------
    adc, s0 : ndarray, shape (...)
        ADC in 10⁻³ mm²/s.

    Raises
    ------
    ValueError
        Fewer than two different b-values, or another number of signals.

    Examples
    --------
    >>> b = np.array([0.0, 500.0, 1000.0])
    >>> adc, s0 = fit_adc(np.stack([weighted(800.0, 1.1, x) for x in b]), b)
    >>> round(float(adc), 6), round(float(s0), 3)
    (1.1, 800.0)
    """
    b = np.asarray(b_values, dtype=np.float64)
    y = _positive(signals, b.size)
    if np.unique(b).size < 2:
        raise ValueError(f"expected at least two different b-values; got {np.unique(b).tolist()}")
    found = _solve(np.stack([np.ones_like(b), -b * 1e-3], axis=1), y)
    return found[..., 1], np.exp(found[..., 0])


def tensor_signal(s0: ArrayLike, tensor: ArrayLike, b_value: float, direction: ArrayLike) -> Array:
    """Return the signal along a gradient direction: s0 exp(-b g·D g).

    Parameters
    ----------
    s0 : array_like, shape (...)
        Without weighting.
    tensor : array_like, shape (..., 3, 3)
        10⁻³ mm²/s.
    b_value : float
        s/mm².
    direction : array_like, shape (3,)
        Of any length but 0.

    Returns
    -------
    ndarray of float64, shape (...)

    Examples
    --------
    >>> along = tensor_signal(1.0, np.diag([1.7, 0.3, 0.3]), 1000.0, [1, 0, 0])
    >>> round(float(along), 4), round(float(np.exp(-1.7)), 4)
    (0.1827, 0.1827)
    """
    g = np.asarray(direction, dtype=np.float64)
    g = g / np.linalg.norm(g)
    projected = np.einsum("i,...ij,j->...", g, np.asarray(tensor, dtype=np.float64), g)
    return weighted(s0, projected, b_value)


def fit_tensor(signals: ArrayLike, b_values: ArrayLike, directions: ArrayLike) -> tuple[Array, Array]:
    """Fit a tensor by weighted least squares on logarithms.

    Parameters
    ----------
    signals : array_like, shape (..., n)
        One for each measurement.
    b_values : array_like, shape (n,)
        s/mm²; 0 for the unweighted ones.
    directions : array_like, shape (n, 3)
        Of any length; ignored where the b-value is 0.

    Returns
    -------
    tensor : ndarray, shape (..., 3, 3)
        10⁻³ mm²/s.
    s0 : ndarray, shape (...)
        Without weighting.

    Raises
    ------
    ValueError
        Directions that do not determine a tensor (six that differ, and an unweighted signal or a second shell).

    Examples
    --------
    >>> g = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]])
    >>> b, truth = np.array([0] + [1000] * 6), np.diag([1.7, 0.4, 0.3])
    >>> measured = [float(tensor_signal(500.0, truth, x, d if x else [1, 0, 0])) for x, d in zip(b, g)]
    >>> np.allclose(fit_tensor(measured, b, g)[0], truth)
    True
    """
    b, g = np.asarray(b_values, dtype=np.float64), np.asarray(directions, dtype=np.float64)
    y = _positive(signals, b.size)
    length = np.linalg.norm(g, axis=1, keepdims=True)
    g = np.divide(g, length, out=np.zeros_like(g), where=length > 0)
    columns = [(1 if i == j else 2) * g[:, i] * g[:, j] for i, j in _ORDER]
    design = np.stack([np.ones_like(b), *(-b * 1e-3 * column for column in columns)], axis=1)
    if np.linalg.matrix_rank(design) < 7:
        raise ValueError("expected six directions that determine a tensor, and an unweighted signal; got fewer")
    found = _solve(design, y)
    tensor = np.empty((*found.shape[:-1], 3, 3))
    for n, (i, j) in enumerate(_ORDER):
        tensor[..., i, j] = tensor[..., j, i] = found[..., n + 1]
    return tensor, np.exp(found[..., 0])


def tensor_maps(tensor: ArrayLike) -> TensorMaps:
    """Return diffusivities, anisotropy and main direction of a tensor.

    Parameters
    ----------
    tensor : array_like, shape (..., 3, 3)
        Symmetric; negative eigenvalues, which only noise makes, count as 0.

    Returns
    -------
    TensorMaps

    Examples
    --------
    >>> maps = tensor_maps(np.diag([1.0, 1.0, 1.0])), tensor_maps(np.diag([1.0, 0.0, 0.0]))
    >>> [round(float(m.fa), 6) for m in maps], round(float(maps[1].md), 4)
    ([0.0, 1.0], 0.3333)
    """
    values, vectors = np.linalg.eigh(np.asarray(tensor, dtype=np.float64))
    values = np.maximum(values, 0.0)
    md = values.mean(axis=-1)
    spread = ((values - md[..., None]) ** 2).sum(axis=-1)
    total = (values**2).sum(axis=-1)
    fa = np.sqrt(1.5 * np.divide(spread, total, out=np.zeros_like(spread), where=total > 0))
    return TensorMaps(md, values[..., 2], values[..., :2].mean(axis=-1), fa, vectors[..., :, 2])


def _positive(signals: ArrayLike, count: int) -> Array:
    y = np.asarray(signals, dtype=np.float64)
    if y.shape[-1:] != (count,):
        raise ValueError(f"expected {count} signals along the last axis; got {y.shape}")
    return np.maximum(y, 1e-6 * max(float(np.abs(y).max()), 1e-30))


def _solve(design: Array, signals: Array) -> Array:
    """Solve least squares of log signals, each weighted by its signal (twice: the second time by the fit)."""
    logs, weight = np.log(signals), signals
    for _ in range(2):
        left = np.einsum("...n,ni,nj->...ij", weight**2, design, design)
        right = np.einsum("...n,ni,...n->...i", weight**2, design, logs)
        found = np.linalg.solve(left, right[..., None])[..., 0]
        weight = np.exp(np.minimum(found @ design.T, 50.0))
    return np.asarray(found)
