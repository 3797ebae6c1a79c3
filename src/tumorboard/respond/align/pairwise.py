"""One study laid onto another of the same head, favouring neither.

Why it exists: an image that is resampled for every comparison is blurred and the other is not, so that whatever is
measured afterwards leans to one side. Here both are compared in both directions, and the search moves both by halves:
exchanging the studies gives the inverse motion. The first guess comes from the brains, since scanners' coordinates
know nothing of a head that lay elsewhere. The coarse search uses two sequences where there are two, so that one with
ghosts cannot mislead it; how far their own ends lie apart is an error in mm that a user can judge.

Source: Reuter M, Rosas HD, Fischl B, Highly accurate inverse consistent registration: a robust approach, NeuroImage
2010;53:1181-1196 (the search in the space halfway); mutual information as in :mod:`tumorboard.prepare.information`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.prepare.gate import FitQuality, assess_fit
from tumorboard.prepare.information import Pair
from tumorboard.respond.align.carry import carried
from tumorboard.respond.align.motions import exp, generators, inverse, log, mean, rms_mm
from tumorboard.respond.align.side import Names, Side, compared
from tumorboard.volume import Affine

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

APART_MM = 1.0
"""Sequences whose own ends lie farther apart are searched together; chosen."""

STEP, ROUNDS = 0.2, 6
"""First step of a search as part of the grid, and most times that all directions are searched; chosen."""


@dataclass(frozen=True)
class Search:
    """How the motion is looked for; chosen on digital heads.

    Parameters
    ----------
    turns_deg : tuple of float
        About each axis, all combinations, with the middles of the brains on each other.
    starts : int
        The best of these, from which the coarsest level is searched.
    spacing_mm : tuple of float
        Grid of each level, coarse first.
    enough : tuple of float
        Of each level: relative gain of information below which a search ends.
    """

    turns_deg: tuple[float, ...] = (-24.0, -12.0, 0.0, 12.0, 24.0)
    starts: int = 4
    spacing_mm: tuple[float, ...] = (6.0, 4.0, 2.0)
    enough: tuple[float, ...] = (1e-3, 1e-3, 1e-5)


SEARCH = Search()


@dataclass(frozen=True)
class PairFit:
    """The motion between two studies and how good it is.

    Parameters
    ----------
    matrix : ndarray, shape (4, 4)
        From the world of the first study to that of the second, RAS mm.
    sequences : tuple of (Sequence, Sequence)
        What was compared: of the first study, of the second.
    quality : FitQuality
        Of that which the motion explains best; see :mod:`tumorboard.prepare.gate`.
    apart_mm : float or None
        Root mean square distance in the brain between what two sequences say by themselves; ``None`` where there was
        one.
    middle_mm : ndarray, shape (3,)
        Of the first study's brain, RAS mm: where distances are told.
    """

    matrix: Affine
    sequences: Names
    quality: FitQuality
    apart_mm: float | None
    middle_mm: Floats


def lay(one: Side, two: Side, dof: int = 6, search: Search = SEARCH) -> PairFit:
    """Find the motion from the world of one study to that of another of the same head.

    Parameters
    ----------
    one, two : Side
        Any grids.
    dof : int
        6 rigid, 9 with stretches along the axes, 12 with shears.
    search : Search
        The defaults suit clinical heads.

    Returns
    -------
    PairFit

    Examples
    --------
    >>> from scipy.ndimage import gaussian_filter
    >>> from tumorboard.sequences import Sequence; from tumorboard.study import Study
    >>> from tumorboard.volume import Volume
    >>> texture = gaussian_filter(np.random.default_rng(0).normal(size=(24, 24, 24)), 2.0)
    >>> head = Side.of(Study("ses-01", {Sequence.T1: Volume.of(texture, np.diag([6.0, 6, 6, 1]))}, texture > -1))
    >>> fit = lay(head, head, search=Search(spacing_mm=(6.0,), enough=(1e-4,)))
    >>> bool(np.abs(fit.matrix - np.eye(4)).max() < 0.05), fit.apart_mm
    (True, None)
    """
    names = compared(one, two)
    matrix = _coarse(_Both.of(one, two, names, search.spacing_mm[0]), search)
    for spacing, enough in list(zip(search.spacing_mm, search.enough, strict=True))[1:-1]:
        matrix = _searched(_Both.of(one, two, names, spacing, matrix), matrix, 6, enough)[0]
    last, enough = _Both.of(one, two, names, search.spacing_mm[-1], matrix), search.enough[-1]
    own = [_searched(last.only(n), matrix, dof, enough)[0] for n in range(len(names))]
    found = mean(own)
    apart = rms_mm(inverse(own[0]) @ own[1], one.middle_mm) if len(own) > 1 else None
    if apart is not None and apart > APART_MM:
        found = _searched(last, matrix, dof, enough)[0]
    return PairFit(found, names, _quality(one, two, names, found), apart, one.middle_mm)


def _quality(one: Side, two: Side, names: Names, found: Affine) -> FitQuality:
    """Return the quality of the sequences that a motion explains best."""
    each = [assess_fit(one.volumes[a], two.volumes[b], one.region, found) for a, b in names]
    return max(each, key=lambda quality: quality.shared)


@dataclass(frozen=True)
class _Both:
    """Two studies at one scale, to be compared there and back in each of their sequences."""

    there: tuple[Pair, ...]
    back: tuple[Pair, ...]
    middles: tuple[Floats, Floats]
    spacing_mm: float

    @classmethod
    def of(cls, one: Side, two: Side, names: Names, spacing_mm: float, start: Affine | None = None) -> _Both:
        """With a start, only what may be compared in both studies is."""
        here, there = one.region, two.region
        if start is not None:
            here, there = _common(one, two, start), _common(two, one, inverse(start))
        volumes = [(one.volumes[a], two.volumes[b]) for a, b in names]
        return cls(
            tuple(Pair.of(a, b, here, spacing_mm) for a, b in volumes),
            tuple(Pair.of(b, a, there, spacing_mm) for a, b in volumes),
            (one.middle_mm, two.middle_mm),
            spacing_mm,
        )

    def only(self, n: int) -> _Both:
        """One of the sequences."""
        return _Both((self.there[n],), (self.back[n],), self.middles, self.spacing_mm)

    def information(self, motion: Affine) -> float:
        """Mutual information of all comparisons, nats."""
        back = inverse(motion)
        return sum(p.information(motion)[0] for p in self.there) + sum(p.information(back)[0] for p in self.back)

    def compare(self, start: Affine) -> Callable[[Affine], float]:
        """Return what a search minimises; see :meth:`Pair.compare`."""
        there = [p.compare(start) for p in self.there]
        back = [p.compare(inverse(start)) for p in self.back]

        def cost(motion: Affine) -> float:
            other = inverse(motion)
            return sum(c(motion) for c in there) + sum(c(other) for c in back)

        return cost


def _coarse(both: _Both, search: Search) -> Affine:
    """Look at many turns about the middles of the brains, and search from the best."""
    guesses = _guesses(*both.middles, search.turns_deg)
    order = np.argsort([-both.information(g) for g in guesses], kind="stable")[: search.starts]
    return min((_searched(both, guesses[n], 6, search.enough[0]) for n in order), key=lambda found: found[1])[0]


def _guesses(here: Floats, there: Floats, turns_deg: tuple[float, ...]) -> list[Affine]:
    """Return turns that lay one point on the other; with each its inverse, so that no study is favoured."""
    out = []
    for angles in product(np.radians(turns_deg), repeat=3):
        turn = np.zeros((4, 4))
        turn[:3, :3] = np.cross(np.eye(3), angles)
        guess = exp(turn)
        guess[:3, 3] = there - guess[:3, :3] @ here
        out.append(guess)
    return out


def _searched(both: _Both, start: Affine, dof: int, enough: float) -> tuple[Affine, float]:
    """Search without gradients around a motion (Powell's method), moving both studies by halves."""
    from scipy.optimize import minimize

    half = exp(0.5 * log(start))
    forth, back = half[:3], inverse(half)[:3]
    here, there = (np.append(middle, 1.0) for middle in both.middles)
    parts, cost = generators(dof, 0.5 * (forth @ here + back @ there)), both.compare(start)

    def moved(x: Floats) -> Affine:
        return np.asarray(half @ exp(np.tensordot(x, parts, axes=1)) @ half)

    powell: Any = minimize
    how = {"direc": STEP * both.spacing_mm * np.eye(dof), "xtol": 0.02, "ftol": enough, "maxiter": ROUNDS}
    best = powell(lambda x: cost(moved(x)), np.zeros(dof), method="Powell", options=how)
    return moved(best.x), float(best.fun)


def _common(one: Side, two: Side, motion: Affine) -> Mask:
    """Return where the first study may be compared with the second; all of its region where that is nowhere."""
    both = one.region & (carried(two.region, two.grid, motion, one.grid) > 0.5)
    return both if both.any() else one.region
