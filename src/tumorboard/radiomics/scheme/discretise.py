"""Grey levels of a region: bins of a fixed number or a fixed width, of equal content, or the intensities themselves.

Why it exists: textures count how often grey levels meet, and a count needs levels. The choice changes almost every
texture, so each way has its own function and its edges are told exactly. Level 1 is the lowest bin; 0 is outside.

Source: IBSI reference manual, arXiv:1612.07003, "Fixed bin number" (K15C), "Fixed bin size" (Q3RU), "Other methods";
van Griethuysen JJM et al., Cancer Res 2017;77:e104-e107 (PyRadiomics: ``imageoperations.getBinEdges``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.radiomics.region import Binned, Float, Mask
from tumorboard.radiomics.scheme.bins import edged_levels, numbered_levels, scanned, sized_levels
from tumorboard.radiomics.settings import Discretisation

MOST = 2**31 - 2
"""Highest grey level that can be kept."""


def discretised(image: NDArray[Any], mask: Mask, how: Discretisation, lowest: float | None = None) -> Binned:
    """Return the grey levels that settings ask for.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Intensities.
    mask : ndarray of bool, shape (i, j, k)
        Intensity mask.
    how : Discretisation
        Method, number and width of bins.
    lowest : float, optional
        Lower edge of the first bin of a fixed size, unless the settings name one.

    Returns
    -------
    Binned
        From the function of the method.

    Raises
    ------
    InputError
        The intensities do not fit the method; the message says why.

    Examples
    --------
    >>> image = np.array([[[0.0, 1.0, 2.0, 4.0]]])
    >>> discretised(image, image >= 0, Discretisation(method="fbs", width=2.0)).count
    3
    """
    try:
        if how.method == "fbs":
            return fixed_bin_size(image, mask, how.width, lowest if how.lowest is None else how.lowest)
        if how.method == "pyradiomics":
            return pyradiomics_bin_width(image, mask, how.width)
        if how.method == "none":
            return as_levels(image, mask)
        return (fixed_bin_number if how.method == "fbn" else equalised)(image, mask, how.count)
    except ValueError as error:
        raise InputError(f"intensities fit for {how.method}", got=str(error), where="grey levels") from error


def ivh_levels(image: NDArray[Any], mask: Mask, how: Discretisation, lowest: float | None = None) -> Binned:
    """Return the grey levels of an intensity-volume histogram: bins of a fixed number are read as numbers.

    Parameters, and what is raised, are those of :func:`discretised`.

    Examples
    --------
    >>> image = np.array([[[0.0, 1.0, 2.0, 4.0]]])
    >>> ivh_levels(image, image >= 0, Discretisation(method="fbn", count=1000)).width
    nan
    """
    binned = discretised(image, mask, how, lowest)
    return as_numbers(binned) if how.method == "fbn" else binned


def fixed_bin_number(image: NDArray[Any], mask: Mask, count: int) -> Binned:
    """Divide the range of a region into bins of one width; the maximum belongs to the last bin.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Intensities.
    mask : ndarray of bool, shape (i, j, k)
        Intensity mask.
    count : int
        Number of bins.

    Returns
    -------
    Binned
        ``count`` levels; one level, a unit wide, where all intensities are equal.

    Raises
    ------
    ValueError
        No bins, or an intensity that is not finite.

    Examples
    --------
    >>> image = np.array([[[0.0, 1.0, 2.0, 4.0]]])
    >>> fixed_bin_number(image, image >= 0, 4).levels
    array([[[1, 2, 3, 4]]], dtype=int32)
    """
    _positive("count", count)
    x, inside = _flat(image, mask)
    n, low, high = _extent(x, inside)
    if n == 0 or low == high:
        return _one_level(inside, mask.shape, n, low)
    levels = numbered_levels(x, inside, low, high, int(count))
    return Binned(levels.reshape(mask.shape), int(count), (high - low) / count, low)


def fixed_bin_size(image: NDArray[Any], mask: Mask, width: float, lowest: float | None = None) -> Binned:
    """Divide intensities into bins of a given width; a lower edge belongs to its bin.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Intensities.
    mask : ndarray of bool, shape (i, j, k)
        Intensity mask.
    width : float
        Of a bin, in units of intensity.
    lowest : float, optional
        Lower edge of the first bin, such as the lower bound of re-segmentation; the minimum of the region if omitted.

    Returns
    -------
    Binned
        As many levels as the highest that occurs.

    Raises
    ------
    ValueError
        A width that is not positive, an intensity below ``lowest`` or not finite, or more levels than 32 bits hold.

    Examples
    --------
    >>> image = np.array([[[-500.0, -475.1, -475.0, 400.0]]])
    >>> fixed_bin_size(image, image < 500, 25.0, -500.0).levels
    array([[[ 1,  1,  2, 37]]], dtype=int32)
    """
    _positive("width", width)
    x, inside = _flat(image, mask)
    n, low, high = _extent(x, inside)
    if n == 0:
        return _one_level(inside, mask.shape, n, low)
    edge = low if lowest is None else float(lowest)
    if low < edge:
        raise ValueError(f"expected no intensity below the first bin at {edge}; got {low}; re-segment first")
    _holds(high - edge, width)
    levels, count = sized_levels(x, inside, edge, float(width))
    return Binned(levels.reshape(mask.shape), int(count), float(width), edge)


def pyradiomics_bin_width(image: NDArray[Any], mask: Mask, width: float) -> Binned:
    """Divide intensities as PyRadiomics does for ``binWidth``: edges are multiples of the width.

    The first bin is the one that holds the minimum. A maximum that is itself a multiple of the width opens a bin.
    Edges are those of ``numpy.arange``, to the last bit; one intensity gives one level.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Intensities.
    mask : ndarray of bool, shape (i, j, k)
        Intensity mask.
    width : float
        Of a bin, in units of intensity.

    Returns
    -------
    Binned
        As many levels as the highest that occurs.

    Raises
    ------
    ValueError
        A width that is not positive, an intensity that is not finite, or more levels than 32 bits hold.

    Examples
    --------
    >>> image = np.array([[[54.0, 75.0, 166.0, 175.0]]])
    >>> pyradiomics_bin_width(image, image > 0, 25.0).levels
    array([[[1, 2, 5, 6]]], dtype=int32)
    """
    _positive("width", width)
    x, inside = _flat(image, mask)
    n, low, high = _extent(x, inside)
    if n == 0:
        return _one_level(inside, mask.shape, n, low)
    edge = low - low % float(width)
    step = (edge + width) - edge
    _positive("width that intensities can be told apart by", step)
    _holds(high - edge, step)
    levels, count = edged_levels(x, inside, edge, step, MOST)
    return Binned(levels.reshape(mask.shape), int(count), float(width), edge)


def equalised(image: NDArray[Any], mask: Mask, count: int) -> Binned:
    """Divide a region into levels that hold similar numbers of voxels (histogram equalisation).

    With n voxels, of which b are darker than a voxel, its level is ``floor(count * b / n) + 1``: bins begin at the
    quantiles, equal intensities share a level, and only their order matters.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Intensities.
    mask : ndarray of bool, shape (i, j, k)
        Intensity mask.
    count : int
        Number of levels asked for; ties may leave some of them empty.

    Returns
    -------
    Binned
        As many levels as the highest that occurs; their width is NaN.

    Raises
    ------
    ValueError
        No levels, or an intensity that is not finite.

    Examples
    --------
    >>> image = np.array([[[1.0, 2.0, 30.0, 400.0, 400.0, 400.0]]])
    >>> equalised(image, image > 0, 3).levels
    array([[[1, 1, 2, 2, 2, 2]]], dtype=int32)
    """
    _positive("count", count)
    x, inside = _flat(image, mask)
    n, low, _ = _extent(x, inside)
    if n == 0:
        return _one_level(inside, mask.shape, n, low)
    values = x[inside]
    darker = np.searchsorted(np.sort(values), values, side="left")
    levels = np.zeros(x.size, dtype=np.int32)
    levels[inside] = darker * int(count) // n + 1
    return Binned(levels.reshape(mask.shape), int(levels.max()), float("nan"), low)


def as_levels(image: NDArray[Any], mask: Mask) -> Binned:
    """Take intensities that are grey levels already: whole numbers from 1.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Grey levels.
    mask : ndarray of bool, shape (i, j, k)
        Intensity mask.

    Returns
    -------
    Binned
        As many levels as the highest that occurs, each a unit wide.

    Raises
    ------
    ValueError
        An intensity that is not a whole number from 1.

    Examples
    --------
    >>> image = np.array([[[1, 3, 6, 9]]])
    >>> as_levels(image, image < 9).levels
    array([[[1, 3, 6, 0]]], dtype=int32)
    """
    x, inside = _flat(image, mask)
    n, low, high = _extent(x, inside)
    if n == 0:
        return _one_level(inside, mask.shape, n, low)
    values = x[inside]
    if low < 1.0 or high > MOST or not np.array_equal(values, np.rint(values)):
        raise ValueError(f"expected whole numbers from 1 as grey levels; got {low} to {high}; discretise them first")
    levels = np.zeros(x.size, dtype=np.int32)
    levels[inside] = values
    return Binned(levels.reshape(mask.shape), int(high), 1.0, 0.5)


def as_numbers(binned: Binned) -> Binned:
    """Return the same levels as numbers that stand for no intensity: their width is NaN.

    An intensity-volume histogram of 1000 bins is read in bin numbers, one of bins of a fixed size in bin centres.

    Parameters
    ----------
    binned : Binned
        Of any kind.

    Returns
    -------
    Binned
        Without a way back to intensities.

    Examples
    --------
    >>> image = np.array([[[0.0, 1.0]]])
    >>> as_numbers(fixed_bin_number(image, image >= 0, 1000)).width
    nan
    """
    return replace(binned, width=float("nan"), lowest=float("nan"))


def _positive(what: str, value: float) -> None:
    if not value > 0 or not np.isfinite(value):
        raise ValueError(f"expected a {what} above 0; got {value}")


def _holds(span: float, width: float) -> None:
    if span / width >= MOST:
        raise ValueError(f"expected at most {MOST} grey levels; got a range of {span} in bins of {width}")


def _flat(image: NDArray[Any], mask: Mask) -> tuple[Float, Mask]:
    """Image and mask as rows in the same order."""
    x = np.ascontiguousarray(image, dtype=np.float64).ravel()
    inside = np.ascontiguousarray(mask, dtype=np.bool_).ravel()
    if image.shape != mask.shape:
        raise ValueError(f"expected a mask of shape {image.shape}; got {mask.shape}")
    return x, inside


def _one_level(inside: Mask, shape: tuple[int, ...], n: int, value: float) -> Binned:
    """Level 1 all over the region: no range to divide, or no region."""
    levels = inside.astype(np.int32).reshape(shape)
    return Binned(levels, 1, 1.0, value - 0.5) if n else Binned(levels, 0, float("nan"), float("nan"))


def _extent(x: Float, inside: Mask) -> tuple[int, float, float]:
    """Find the number of voxels of the region, lowest and highest intensity."""
    n, low, high = scanned(x, inside)
    if n < 0:
        raise ValueError("expected finite intensities inside the region; got NaN or infinity; leave those voxels out")
    return int(n), float(low), float(high)
