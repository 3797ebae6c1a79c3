"""The Laplacian of Gaussian of PyRadiomics, in a box of the image, bit by bit as SimpleITK computes it on all of it.

Why it exists: nine recursive passes over a whole head cost more than every feature of a tumour. A recursive filter sees
the whole line, but what lies :data:`REACH` standard deviations away is below its rounding: the passes run over the box
and that margin, each of them only where the next one looks.

SimpleITK keeps intermediate images in single precision and adds the terms of a recursion in one order; both are kept,
since a voxel that crosses the edge of a bin changes textures.

Source: Deriche R, Recursively implementing the Gaussian and its derivatives, INRIA RR-1893, 1993; Farnebäck G, Westin
CF, Improving Deriche-style recursive Gaussian filters, J Math Imaging Vis 2006;26:293-299 (constants and scaling);
``LaplacianRecursiveGaussianImageFilter`` of ITK (order of passes, borders, precision).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled
from tumorboard.errors import InputError
from tumorboard.radiomics.region import Float

Single = NDArray[np.float32]
Box = tuple[slice, slice, slice]
Spacing = tuple[float, float, float]

REACH = 20.0
"""Standard deviations beyond which a voxel has no weight in double precision that single precision shows."""

WIDTH = 128
"""Lines that are filtered side by side."""

BORDER = 4
"""Rows that a recursion looks back."""

DECAY = (-1.3932, -1.3732)
FREQUENCY = (0.6681, 2.0787)
COSINE = ((1.3530, -0.3531), (-1.3563, 0.3446))
SINE = ((1.8151, 0.0902), (5.2318, -2.2355))
"""Deriche's fits to the Gaussian and its second derivative: two damped waves each."""


def _numerator(sigma: float, order: int) -> tuple[list[float], list[float]]:
    """Return the taps of the causal filter before scaling, and their sums weighted with 1, n and n squared."""
    (a1, a2), (b1, b2) = COSINE[order], SINE[order]
    (sin1, sin2), (cos1, cos2) = ([f(w / sigma) for w in FREQUENCY] for f in (math.sin, math.cos))
    exp1, exp2 = (math.exp(d / sigma) for d in DECAY)
    first = exp2 * (b2 * sin2 - (a2 + 2 * a1) * cos2) + exp1 * (b1 * sin1 - (a1 + 2 * a2) * cos1)
    second = ((a1 + a2) * cos2 * cos1 - (b1 * cos2 * sin1 + b2 * cos1 * sin2)) * (2 * exp1 * exp2)
    second += a2 * exp1 * exp1 + a1 * exp2 * exp2
    third = exp2 * exp1 * exp1 * (b2 * sin2 - a2 * cos2) + exp1 * exp2 * exp2 * (b1 * sin1 - a1 * cos1)
    taps = [a1 + a2, first, second, third]
    return taps, _sums(taps)


def _denominator(sigma: float) -> tuple[list[float], list[float]]:
    """Return the feedback of the recursion, and its sums weighted with 1, n and n squared."""
    cos1, cos2 = (math.cos(w / sigma) for w in FREQUENCY)
    exp1, exp2 = (math.exp(d / sigma) for d in DECAY)
    third = -2 * cos1 * exp1 * exp2 * exp2 + -2 * cos2 * exp2 * exp1 * exp1
    second = 4 * cos2 * cos1 * exp1 * exp2 + (exp1 * exp1 + exp2 * exp2)
    taps = [1.0, -2 * (exp2 * cos2 + exp1 * cos1), second, third, exp1 * exp1 * exp2 * exp2]
    return taps[1:], _sums(taps)


def _sums(taps: list[float]) -> list[float]:
    return [_in_turn([n**power * tap for n, tap in enumerate(taps)]) for power in range(3)]


def _in_turn(terms: list[float]) -> float:
    total = terms[0]
    for term in terms[1:]:
        total += term
    return total


def coefficients(sigma: float, order: int, gain: float = 1.0) -> Float:
    """Return the recursion for a Gaussian or its second derivative.

    Parameters
    ----------
    sigma : float
        Of the Gaussian, in voxels.
    order : int
        0: Gaussian; 1: second derivative.
    gain : float
        That the response is multiplied by.

    Returns
    -------
    ndarray of float64, shape (5, 4)
        Taps of the causal and the anticausal filter, feedback, and feedback at the border of either.

    Examples
    --------
    >>> n, m, d, *_ = coefficients(2.0, 0)
    >>> round(float((n.sum() + m.sum()) / (1 + d.sum())), 9)  # a Gaussian keeps what is constant
    1.0
    """
    feedback, (sd, dd, ed) = _denominator(sigma)
    taps, (sn, dn, en) = _numerator(sigma, 0)
    if order == 0:
        scale = 2 * sn / sd - taps[0]
    else:
        other, (sn2, dn2, en2) = _numerator(sigma, 1)
        beta = -(2 * sn2 - sd * other[0]) / (2 * sn - sd * taps[0])
        taps = [b + beta * a for a, b in zip(taps, other, strict=True)]
        sn, dn, en = sn2 + beta * sn, dn2 + beta * dn, en2 + beta * en
        scale = (en * sd * sd - ed * sn * sd - 2 * dn * dd * sd + 2 * dd * dd * sn) / (sd * sd * sd)
    return _with_borders([tap * (gain / scale) for tap in taps], feedback)


def _with_borders(taps: list[float], feedback: list[float]) -> Float:
    back = [t - d * taps[0] for t, d in zip([*taps[1:], 0.0], feedback, strict=True)]
    constant = _in_turn([1.0, *feedback])
    return np.array([taps, back, feedback, [_in_turn(taps) / constant, _in_turn(back) / constant, 0.0, 0.0]])


@compiled
def _lines(x: Float, y: Float, z: Float, c: Float, first: int, last: int) -> None:
    """Filter columns of x, four rows of border before and after them, and leave the result between two rows in y."""
    n0, n1, n2, n3 = c[0]
    m1, m2, m3, m4 = c[1]
    d1, d2, d3, d4 = c[2]
    for i in range(4, last + 4):
        for w in range(WIDTH):
            y[i, w] = x[i, w] * n0 + x[i - 1, w] * n1 + x[i - 2, w] * n2 + x[i - 3, w] * n3
        for w in range(WIDTH):
            y[i, w] -= y[i - 1, w] * d1 + y[i - 2, w] * d2 + y[i - 3, w] * d3 + y[i - 4, w] * d4
    for i in range(len(x) - 5, first + 3, -1):
        for w in range(WIDTH):
            z[i, w] = x[i + 1, w] * m1 + x[i + 2, w] * m2 + x[i + 3, w] * m3 + x[i + 4, w] * m4
        for w in range(WIDTH):
            z[i, w] -= z[i + 1, w] * d1 + z[i + 2, w] * d2 + z[i + 3, w] * d3 + z[i + 4, w] * d4
    for i in range(first + 4, last + 4):
        for w in range(WIDTH):
            y[i, w] += z[i, w]


@compiled
def _bordered(x: Float, y: Float, z: Float, c: Float) -> None:
    """Let lines go on as they begin and end, and their results with them."""
    end = len(x) - 5
    for i in range(BORDER):
        for w in range(WIDTH):
            x[i, w], x[end + 1 + i, w] = x[BORDER, w], x[end, w]
            y[i, w], z[end + 1 + i, w] = x[BORDER, w] * c[3, 0], x[end, w] * c[3, 1]


@compiled
def _across(image: Any, c: Float, first: int, last: int) -> Single:
    """Filter the middle axis and keep some of its rows."""
    planes, rows, columns = image.shape
    out = np.empty((planes, last - first, columns), np.float32)
    x, y, z = (
        np.zeros((rows + 2 * BORDER, WIDTH)),
        np.empty((rows + 2 * BORDER, WIDTH)),
        np.empty((rows + 2 * BORDER, WIDTH)),
    )
    for p in range(planes):
        for start in range(0, columns, WIDTH):
            width = min(WIDTH, columns - start)
            for i in range(rows):
                for w in range(width):
                    x[i + BORDER, w] = image[p, i, start + w]
            _bordered(x, y, z, c)
            _lines(x, y, z, c, first, last)
            for i in range(first, last):
                for w in range(width):
                    out[p, i - first, start + w] = y[i + BORDER, w]
    return out


@compiled
def _along(image: Any, c: Float, first: int, last: int) -> Single:
    """Filter the last of two axes and keep some of its columns."""
    lines, rows = image.shape
    out = np.empty((lines, last - first), np.float32)
    x, y, z = (
        np.zeros((rows + 2 * BORDER, WIDTH)),
        np.empty((rows + 2 * BORDER, WIDTH)),
        np.empty((rows + 2 * BORDER, WIDTH)),
    )
    for start in range(0, lines, WIDTH):
        width = min(WIDTH, lines - start)
        for i in range(rows):
            for w in range(width):
                x[i + BORDER, w] = image[start + w, i]
        _bordered(x, y, z, c)
        _lines(x, y, z, c, first, last)
        for i in range(first, last):
            for w in range(width):
                out[start + w, i - first] = y[i + BORDER, w]
    return out


def _pass(image: NDArray[Any], axis: int, c: Float, kept: slice) -> Single:
    i, j, k = image.shape
    if axis == 2:
        return _along(image.reshape(i * j, k), c, kept.start, kept.stop).reshape(i, j, -1)
    shape = (1, i, j * k) if axis == 0 else (i, j, k)
    out = _across(image.reshape(shape), c, kept.start, kept.stop)
    return out.reshape(-1, j, k) if axis == 0 else out


def check_size(shape: tuple[int, ...], spacing_mm: Spacing, sigma_mm: float) -> None:
    """Refuse what PyRadiomics leaves out with a warning.

    Raises
    ------
    InputError
        The image is too small for this sigma.

    Examples
    --------
    >>> check_size((20, 20, 5), (1.0, 1.0, 1.0), 5.0)
    Traceback (most recent call last):
    tumorboard.errors.InputError: LoG: expected at least 6 x 6 x 6 voxels for a sigma of 5 mm; got 20 x 20 x 5. ...
    """
    least = [max(4, math.ceil(sigma_mm / step) + 1) for step in spacing_mm]
    if any(size < need for size, need in zip(shape, least, strict=True)):
        need, got = (" x ".join(str(n) for n in numbers) for numbers in (least, shape))
        expected = f"at least {need} voxels for a sigma of {sigma_mm:g} mm"
        raise InputError(expected, got=got, where="LoG", remedy="use a smaller one, or none")


def laplacian(image: NDArray[Any], spacing_mm: Spacing, sigma_mm: float, box: Box) -> Single:
    """Return the Laplacian of Gaussian in a box.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        All of the image, four voxels at least along each axis; any real dtype.
    spacing_mm : (float, float, float)
        Voxel size.
    sigma_mm : float
        Of the Gaussian; the response is multiplied by its square.
    box : three slices
        Where the response is wanted, with start and stop.

    Returns
    -------
    ndarray of float32, shape of the box

    Examples
    --------
    >>> image = np.zeros((20, 20, 20)); image[10, 10, 10] = 1.0
    >>> laplacian(image, (1.0, 1.0, 1.0), 2.0, (slice(10, 11),) * 3).round(4)
    array([[[-0.0242]]], dtype=float32)
    """
    around, inner = [], []
    for part, size, step in zip(box, image.shape, spacing_mm, strict=True):
        margin = math.ceil(REACH * sigma_mm / step)
        start = max(part.start - margin, 0)
        around.append(slice(start, max(min(part.stop + margin, size), start + 4)))
        inner.append(slice(part.start - start, part.stop - start))
    cut = image[tuple(around)]
    precision = np.float32 if np.can_cast(cut.dtype, np.float32) else np.float64
    data = np.ascontiguousarray(cut, dtype=precision)
    total = np.zeros([part.stop - part.start for part in box], dtype=np.float32)
    for axis in range(3):
        response: NDArray[Any] = data
        for other in (axis, *(a for a in range(3) if a != axis)):
            second = other == axis
            c = coefficients(sigma_mm / spacing_mm[other], int(second), sigma_mm**2 if second else 1.0)
            response = _pass(response, other, c, inner[other])
        total = (total + response.astype(np.float64) * (1.0 / spacing_mm[axis] ** 2)).astype(np.float32)
    return total
