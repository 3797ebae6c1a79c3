"""Rotation invariance of separable filters: 24 right angles in three dimensions, 4 in two, pooled.

Why it exists: the standard turns the kernel every way and pools the responses. A turned separable kernel is the same
one-dimensional kernels on other axes, some of them flipped, so nothing is rotated: equal turns are computed once, and
the mean over all turns, being linear, is a handful of products of the kernels' symmetric and antisymmetric parts.

Source: IBSI reference manual for image filters, arXiv:2006.05470, rotation invariance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import permutations, product
from typing import Literal

import numpy as np

from tumorboard.radiomics.filters.boundary import Boundary, Index
from tumorboard.radiomics.filters.separable import LEFT, Line, Term, responses
from tumorboard.radiomics.region import Float

Pooling = Literal["mean", "max", "min"]

Chains = Mapping[str, Sequence[Float]]
"""Kernels one after another (first to last) by letter: ``{"L": [low], "H": [low, high]}``."""

FLIPPED, EVEN, UNEVEN = "~", "+", "-"
"""Before a letter: its kernel flipped, its symmetric part, its antisymmetric part."""


@cache
def turns(dimensions: int) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """Return the right-angle rotations: where each axis takes its kernel from, and whether it is flipped (-1) or not.

    Examples
    --------
    >>> len(turns(3)), turns(2)
    (24, (((0, 1), (1, 1)), ((0, 1), (-1, -1)), ((1, 0), (1, -1)), ((1, 0), (-1, 1))))
    """
    found = []
    for order in permutations(range(dimensions)):
        for signs in product((1, -1), repeat=dimensions):
            if _parity(order) * int(np.prod(signs)) == 1:
                found.append((order, signs))
    return tuple(found)


def _parity(order: Sequence[int]) -> int:
    swaps = sum(a > b for at, a in enumerate(order) for b in order[at + 1 :])
    return -1 if swaps % 2 else 1


def mean_terms(letters: Sequence[str]) -> dict[Term, float]:
    """Return the mean over all turns as weighted products of even and uneven parts, without those that cancel.

    Examples
    --------
    >>> mean_terms("LH")
    {('+L', '+H'): 0.5, ('-L', '-H'): 0.5, ('+H', '+L'): 0.5, ('-H', '-L'): -0.5}
    >>> mean_terms("HHH")
    {('+H', '+H', '+H'): 1.0}
    """
    orders = list(permutations(range(len(letters))))
    counts: dict[Term, int] = {}
    for order in orders:
        for mark, sign in ((EVEN, 1), (UNEVEN, _parity(order))):
            term = tuple(mark + letters[at] for at in order)
            counts[term] = counts.get(term, 0) + sign
    return {term: count / len(orders) for term, count in counts.items() if count}


def turned_terms(letters: Sequence[str], symmetry: Mapping[str, int]) -> dict[Term, set[int]]:
    """Return the different terms over all turns and the signs each comes with.

    Parameters
    ----------
    letters : sequence of str
        Kernel of each axis.
    symmetry : dict of str to int
        1 for a letter whose flipped kernel is the same, -1 where it is the negative, 0 otherwise.

    Examples
    --------
    >>> turned_terms(["L5", "E5"], {"L5": 1, "E5": -1})
    {('L5', 'E5'): {1, -1}, ('E5', 'L5'): {1, -1}}
    """
    found: dict[Term, set[int]] = {}
    for order, flips in turns(len(letters)):
        sign, term = 1, []
        for at, flip in zip(order, flips, strict=True):
            letter = letters[at]
            if flip < 0 and symmetry[letter]:
                sign *= symmetry[letter]
            term.append(FLIPPED + letter if flip < 0 and not symmetry[letter] else letter)
        found.setdefault(tuple(term), set()).add(sign)
    return found


def separable_response(
    image: Float,
    rows: tuple[Index, Index, Index],
    letters: Sequence[str],
    chains: Chains,
    boundary: Boundary,
    pooling: Pooling | None,
) -> Float:
    """Return the response to a separable kernel, as it is or pooled over its turns.

    Parameters
    ----------
    image : ndarray of float64, shape (i, j, k)
        All of it.
    rows : three ndarrays of int
        Voxels that are wanted along each axis.
    letters : sequence of str
        Kernel along i, j and, in three dimensions, k.
    chains : dict of str to sequence of ndarray
        Kernels of each letter, of odd length.
    boundary : {"zero", "nearest", "periodic", "mirror"}
        What lies beyond the image.
    pooling : {"mean", "max", "min"} or None
        Over turns; None: the kernel as it is.

    Returns
    -------
    ndarray of float64, shape of the rows

    Examples
    --------
    >>> image = np.zeros((3, 3, 1)); image[1, 1] = 1.0
    >>> three = (np.arange(3), np.arange(3), np.arange(1))
    >>> chains = {"S": [np.array([0.0, 1.0, 0.0])], "D": [np.array([1.0, 0.0, -1.0])]}
    >>> separable_response(image, three, "SD", chains, "zero", "max")[1, :, 0].tolist()
    [1.0, 0.0, 1.0]
    """
    lines = [Line(size, row, boundary) for size, row in zip(image.shape, rows, strict=True)]
    if pooling == "mean":
        return _mean(image, lines, letters, chains)
    symmetry = {letter: _symmetry(kernels) for letter, kernels in chains.items()}
    terms = {tuple(letters): {1}} if pooling is None else turned_terms(letters, symmetry)
    for axis, line in enumerate(lines[: len(letters)]):
        for name in {term[axis] for term in terms}:
            kernels = chains[name.removeprefix(FLIPPED)]
            line.add(name, [k[::-1] for k in kernels] if name.startswith(FLIPPED) else kernels)
    signs = {_filled(term): found for term, found in terms.items()}
    pool = np.minimum if pooling == "min" else np.maximum
    out: Float | None = None
    for term, response in responses(image, lines, signs):
        for sign in sorted(signs[term], reverse=True):
            signed = response if sign > 0 else 0.0 - response
            out = signed.copy() if out is None else pool(out, signed, out=out)
    return np.zeros([len(row) for row in rows]) if out is None else out


def _mean(image: Float, lines: Sequence[Line], letters: Sequence[str], chains: Chains) -> Float:
    weights = mean_terms(letters)
    for axis, line in enumerate(lines[: len(letters)]):
        for letter in {term[axis][1:] for term in weights}:
            straight, turned = line.chain(chains[letter]), line.chain([k[::-1] for k in chains[letter]])
            line.operators[EVEN + letter] = (straight + turned) / 2
            line.operators[UNEVEN + letter] = (straight - turned) / 2
    kept = {
        _filled(term): weight
        for term, weight in weights.items()
        if all(lines[axis].operators[name].any() for axis, name in enumerate(term))
    }
    out = np.zeros([len(line.rows) for line in lines])
    for term, response in responses(image, lines, kept):
        out += kept[term] * response
    return out


def _filled(term: Term) -> Term:
    return (*term, *(LEFT,) * (3 - len(term)))


def _symmetry(kernels: Sequence[Float]) -> int:
    sign = 1
    for kernel in kernels:
        if np.array_equal(kernel, -kernel[::-1]):
            sign = -sign
        elif not np.array_equal(kernel, kernel[::-1]):
            return 0
    return sign
