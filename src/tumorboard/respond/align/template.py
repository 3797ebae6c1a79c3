"""The studies of a patient in one space that lies in the middle of them all.

Why it exists: whoever aligns all studies with the first one blurs all but the first. Each study is laid onto the next
two in order of name; ways that contradict each other are reconciled by least squares, and the template is where the
mean of all motions is none: no study lies nearer to it by rule, and the order in which they are given is nothing.
Volumes and diameters are read on each study's own grid; the template serves matching and pictures.

Sources: Reuter M, Fischl B, Avoiding asymmetry-induced bias in longitudinal image processing, NeuroImage 2011;57:19-21;
Reuter M et al., Within-subject template estimation for unbiased longitudinal image analysis, NeuroImage
2012;61:1402-1418; reconciliation: Govindu VM, Lie-algebraic averaging for globally consistent motion estimation,
Proc CVPR 2004;1:684-691.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from tumorboard.errors import InputError
from tumorboard.labels import LabelMap
from tumorboard.respond.align.motions import DOFS, exp, inverse, log, mean, rms_mm
from tumorboard.respond.align.pairwise import PairFit, lay
from tumorboard.respond.align.side import Side
from tumorboard.study import Study
from tumorboard.volume import Affine

REACH = 2
"""Each study is laid onto so many that follow; with two, every study but one of a pair is met from two sides."""

DOUBT_MM = 1.0
"""A larger error is told; chosen: small lesions are not much larger."""

ROUNDS = 20
ENOUGH = 1e-8
"""When ways count as reconciled."""

Fits = dict[tuple[str, str], PairFit]


@dataclass(frozen=True)
class AlignedPair:
    """Two studies that were laid onto each other.

    Parameters
    ----------
    one, two : str
        Names of the studies.
    compared : tuple of str
        Sequences, ``"T1C"``, or ``"T1C with FLAIR"`` across contrasts.
    shared, drop, cover : float
        See :class:`tumorboard.prepare.gate.Limits`.
    apart_mm : float or None
        Distance between what two sequences say by themselves; ``None`` where there was one.
    off_mm : float
        Distance between what this pair says and the way through the template; 0 for two studies.
    """

    one: str
    two: str
    compared: tuple[str, ...]
    shared: float
    drop: float
    cover: float
    apart_mm: float | None
    off_mm: float


@dataclass(frozen=True)
class Alignment:
    """Where the studies of a patient lie in a space that favours none of them.

    Parameters
    ----------
    to_template : mapping of str to ndarray, shape (4, 4)
        By study: from its world to that of the template, RAS mm. Studies that could not be aligned are not in it.
    dof : int
        6 rigid, 9, 12.
    pairs : tuple of AlignedPair
        What it rests on.
    warnings : tuple of str
        Studies left out and errors above ``DOUBT_MM``.
    fits : mapping of pairs of str to PairFit
        All pairs that were tried, refused ones too: what :func:`align_sides` takes to try none of them again.
    """

    to_template: Mapping[str, Affine]
    dof: int = 6
    pairs: tuple[AlignedPair, ...] = ()
    warnings: tuple[str, ...] = ()
    fits: Mapping[tuple[str, str], PairFit] = field(default_factory=dict, repr=False)

    @property
    def error_mm(self) -> float | None:
        """Largest root mean square distance in the brain that was seen between two ways of aligning the same studies.

        ``None`` where there was only one way: a single study, or two with one sequence in common.
        """
        apart = [pair.apart_mm for pair in self.pairs if pair.apart_mm is not None]
        off = [pair.off_mm for pair in self.pairs] if len(self.to_template) > 2 else []
        return max([*apart, *off], default=None)

    def between(self, one: str, two: str) -> Affine:
        """Return the motion from the world of one study to that of another, RAS mm.

        Raises
        ------
        InputError
            One of them was not aligned.
        """
        for study in (one, two):
            if study not in self.to_template:
                raise InputError("two aligned studies", got="one that is not", where=study, remedy="see the warnings")
        return inverse(self.to_template[two]) @ self.to_template[one]

    def as_json(self) -> dict[str, Any]:
        """Return plain numbers."""
        return {
            "to_template": {study: matrix.tolist() for study, matrix in self.to_template.items()},
            "dof": self.dof,
            "error_mm": self.error_mm,
            "pairs": [vars(pair) | {"compared": list(pair.compared)} for pair in self.pairs],
            "warnings": list(self.warnings),
        }


def align(studies: Sequence[Study], labels: Mapping[str, LabelMap] | None = None, dof: int = 6) -> Alignment:
    """Bring the studies of a patient into one space.

    Parameters
    ----------
    studies : sequence of Study
        Prepared; any grids, any sequences, any order.
    labels : mapping of str to LabelMap, optional
        Tumour and cavity by study, left out of the comparison.
    dof : int
        6 rigid; 9 with stretches along the axes and 12 with shears only where scanners are known to differ in scale.

    Returns
    -------
    Alignment

    Raises
    ------
    InputError
        No study, two of one name, an empty brain mask, or another number of degrees of freedom.
    GeometryError
        Labels lie on another grid than their study.

    Examples
    --------
    >>> from tumorboard.sequences import Sequence; from tumorboard.volume import Volume
    >>> image = Volume.of(np.ones((8, 8, 8)), np.eye(4))
    >>> found = align([Study("ses-01", {Sequence.T1: image}, np.ones((8, 8, 8), bool))])
    >>> found.to_template["ses-01"].tolist() == np.eye(4).tolist(), found.error_mm
    (True, None)
    """
    if dof not in DOFS:
        raise InputError("6, 9 or 12 degrees of freedom", got=f"{dof}", where="alignment")
    names = sorted(study.id for study in studies)
    if not names or len(set(names)) < len(names):
        got = f"{len(names)} studies of {len(set(names))} names"
        raise InputError("at least one study, each of its own name", got=got, where="alignment")
    known = labels or {}
    sides = {study.id: Side.of(study, known.get(study.id)) for study in studies}
    return align_sides(names, sides.__getitem__, dof)


def align_sides(
    names: Sequence[str],
    side_of: Callable[[str], Side],
    dof: int = 6,
    kept: Mapping[tuple[str, str], PairFit] | None = None,
) -> Alignment:
    """Bring studies into one space, each read only where a pair of it was not laid onto each other before.

    Parameters
    ----------
    names : sequence of str
        Of the studies, in order of name, each once.
    side_of : callable
        Gives a study as it is compared; asked at most once for each.
    dof : int
        As for :func:`align`.
    kept : mapping of pairs of str to PairFit, optional
        Of the same images with the same number of degrees of freedom: :attr:`Alignment.fits` of another time.

    Returns
    -------
    Alignment

    Examples
    --------
    >>> align_sides(["ses-01"], lambda name: None).to_template["ses-01"].tolist() == np.eye(4).tolist()
    True
    """
    tried = dict(kept or {})
    fits, refused = _fits(list(names), cache(side_of), dof, tried)
    together = _largest(list(names), fits)
    fits = {pair: fit for pair, fit in fits.items() if pair[0] in together}
    placed = _reconciled(together, fits)
    pairs = tuple(_told(pair, fit, placed) for pair, fit in fits.items())
    return Alignment(placed, dof, pairs, (*_left_out(names, together, refused), *_doubts(pairs)), tried)


def _fits(
    names: list[str], side: Callable[[str], Side], dof: int, tried: Fits
) -> tuple[Fits, dict[tuple[str, str], str]]:
    """Lay each study onto the next ones, and onto others only where these are refused; new fits are added."""
    fits: Fits = {}
    refused: dict[tuple[str, str], str] = {}
    for i, j in sorted(combinations(range(len(names)), 2), key=lambda pair: (pair[1] - pair[0], pair[0])):
        one, two = names[i], names[j]
        if j - i > REACH and two in _reached(one, fits):
            continue
        if (one, two) not in tried:
            tried[one, two] = lay(side(one), side(two), dof)
        fit = tried[one, two]
        why = fit.quality.refusal()
        if why:
            refused[one, two] = why
        else:
            fits[one, two] = fit
    return fits, refused


def _reached(start: str, fits: Fits) -> dict[str, Affine]:
    """Return what can be reached from a study, with the motion from the world of each to that of the start."""
    ways = {start: np.eye(4)}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for (one, two), fit in fits.items():
            if one == here and two not in ways:
                ways[two] = ways[here] @ inverse(fit.matrix)
                waiting.append(two)
            elif two == here and one not in ways:
                ways[one] = ways[here] @ fit.matrix
                waiting.append(one)
    return ways


def _largest(names: list[str], fits: Fits) -> list[str]:
    """Return the most studies that hang together; of equal ones those with the first study."""
    groups = [sorted(_reached(name, fits)) for name in names]
    return max(groups, key=len)


def _reconciled(names: list[str], fits: Fits) -> dict[str, Affine]:
    """Place all studies so that they contradict the pairs least and the mean of their motions is none."""
    ways = _reached(names[0], fits)
    placed = [ways[name] for name in names]
    edges = [(names.index(one), names.index(two), fit.matrix) for (one, two), fit in fits.items()]
    steps = np.zeros((len(edges) + 1, len(names)))
    for row, (i, j, _) in enumerate(edges):
        steps[row, i], steps[row, j] = 1.0, -1.0
    steps[-1] = 1.0  # all moved alike is no improvement
    for _ in range(ROUNDS):
        off = [log(placed[j] @ m @ inverse(placed[i])).ravel() for i, j, m in edges]
        change = np.linalg.lstsq(steps, np.array([*off, np.zeros(16)]), rcond=None)[0]
        placed = [exp(c.reshape(4, 4)) @ p for c, p in zip(change, placed, strict=True)]
        if np.abs(change).max() < ENOUGH:
            break
    centred = mean([inverse(p) for p in placed])
    return {name: centred @ p for name, p in zip(names, placed, strict=True)}


def _told(pair: tuple[str, str], fit: PairFit, placed: Mapping[str, Affine]) -> AlignedPair:
    one, two = pair
    through = inverse(placed[two]) @ placed[one]
    compared = tuple(a.value if a is b else f"{a.value} with {b.value}" for a, b in fit.sequences)
    off = rms_mm(inverse(fit.matrix) @ through, fit.middle_mm)
    quality = fit.quality
    return AlignedPair(one, two, compared, quality.shared, quality.drop, quality.cover, fit.apart_mm, off)


def _left_out(names: Sequence[str], together: list[str], refused: Mapping[tuple[str, str], str]) -> list[str]:
    told = []
    for name in names:
        if name not in together:
            why = next(reason for pair, reason in refused.items() if name in pair)
            told.append(f"{name} was not aligned: {why}")
    return told


def _doubts(pairs: tuple[AlignedPair, ...]) -> list[str]:
    told = []
    for pair in pairs:
        if pair.apart_mm is not None and pair.apart_mm > DOUBT_MM:
            both = " and ".join(pair.compared)
            told.append(f"{pair.one} and {pair.two}: {both} are aligned {pair.apart_mm:.1f} mm apart by themselves")
        if pair.off_mm > DOUBT_MM:
            told.append(f"{pair.one} and {pair.two}: other studies contradict their alignment by {pair.off_mm:.1f} mm")
    return told
