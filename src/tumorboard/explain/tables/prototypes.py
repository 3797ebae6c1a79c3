"""Prototypes: the patients that best stand for a class.

Why it exists: the mean of a class is nobody. A medoid is a real patient whose images can be looked at.

Source: Kaufman L, Rousseeuw PJ. Finding groups in data, 1990, chapter 2 (partitioning around medoids); prototypes of
genotypes as in Chang P et al. AJNR 2018;39:1201-1207.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tumorboard.errors import InputError
from tumorboard.explain.explanation import About, Explanation, Scope
from tumorboard.explain.tables.inputs import Floats, Rows, standardised

CITES = "Kaufman L, Rousseeuw PJ. Finding groups in data, 1990; Chang P et al. AJNR 2018;39:1201-1207"
_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Prototype:
    """A patient that stands for others of its class, and for what share of them."""

    name: str
    label: str
    stands_for: float


@dataclass(frozen=True, kw_only=True)
class Prototypes(Explanation):
    """Prototypes by class, and the share of rows whose nearest prototype is of their own class (``told_apart``)."""

    prototypes: tuple[Prototype, ...]
    told_apart: float


def prototypes(
    rows: Rows,
    labels: Sequence[str],
    *,
    count: int = 2,
    about: About | None = None,
) -> Prototypes:
    """Return medoids of each class.

    Parameters
    ----------
    rows : Rows
        With their patients; missing values count as the mean.
    labels : sequence of str, length n
        Outcomes.
    count : int
        Prototypes of a class; fewer where it has fewer rows.
    about : About, optional
        What is explained.

    Returns
    -------
    Prototypes
        Global; warned of where prototypes do not tell classes apart better than the commonest class does.

    Raises
    ------
    InputError
        Shapes do not fit, or the count is below 1.

    Examples
    --------
    >>> rows = Rows([[0.0], [1.0], [2.0], [9.0]], ("age",), ("P1", "P2", "P3", "P4"))
    >>> found = prototypes(rows, ["a", "a", "a", "b"], count=1)
    >>> [p.name for p in found.prototypes]
    ['P2', 'P4']
    """
    about, ids = about or About(), rows.patients
    if not len(rows) == len(labels) == len(ids) or count < 1:
        got = f"{len(labels)} and {len(ids)}, {count} of a class"
        raise InputError(f"{len(rows)} labels and pseudonyms, one prototype at least", got=got, where="prototypes")
    z = standardised(rows.values, rows.values)
    found: list[Prototype] = []
    at: list[int] = []
    for label in sorted(set(labels)):
        own = np.array([i for i, told in enumerate(labels) if told == label], dtype=np.intp)
        between = distances(z[own], z[own])
        chosen = medoids(between, min(count, len(own)))
        nearest = between[:, chosen].argmin(axis=1)
        found += [Prototype(ids[own[m]], label, float((nearest == p).mean())) for p, m in enumerate(chosen)]
        at += [int(own[m]) for m in chosen]
    of = np.array([p.label for p in found])[distances(z, z[at]).argmin(axis=1)]
    told = float((of == np.array(labels)).mean())
    commonest = max(Counter(labels).values())
    dull = len(set(labels)) > 1 and told <= commonest / len(rows)
    words = "; ".join(f"{p.name} stands for {100 * p.stands_for:.0f} % of {p.label}" for p in found)
    return Prototypes(
        method="prototypes", cites=CITES, about=about, scope=Scope.GLOBAL, unit="standard deviations",
        prototypes=tuple(found), told_apart=told, sentence=f"{words}{about.ending}.",
    ).warned("prototypes do not tell the classes apart" if dull else "")  # fmt: skip


def distances(a: Floats, b: Floats) -> Floats:
    """Return Euclidean distances, shape (rows of a, rows of b).

    Examples
    --------
    >>> distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])).tolist()
    [[5.0]]
    """
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(a, b))


def medoids(between: Floats, count: int) -> list[int]:
    """Return the rows that are nearest to all: built greedily, then swapped while that helps.

    Parameters
    ----------
    between : ndarray of float64, shape (n, n)
        Distances.
    count : int
        How many, at most n.

    Examples
    --------
    >>> at = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    >>> medoids(distances(at, at), 2)
    [1, 4]
    """
    chosen = [int(between.sum(axis=0).argmin())]
    while len(chosen) < count:
        now = between[:, chosen].min(axis=1)
        gain = np.maximum(now[:, None] - between, 0).sum(axis=0)
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
    for _ in range(_ROUNDS):
        cost, swap = between[:, chosen].min(axis=1).sum(), None
        for place in range(len(chosen)):
            rest = [c for n, c in enumerate(chosen) if n != place]
            now = between[:, rest].min(axis=1) if rest else np.full(len(between), np.inf)
            costs = np.minimum(now[:, None], between).sum(axis=0)
            best = int(costs.argmin())
            if costs[best] < cost - 1e-12:
                cost, swap = costs[best], (place, best)
        if swap is None:
            break
        chosen[swap[0]] = swap[1]
    return sorted(chosen)
