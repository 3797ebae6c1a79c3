"""Cases like this one, and cases that look like it but are something else.

Why it exists: clinicians reason from patients. A similar patient with the same diagnosis supports an answer; one that
looks the same and was something else shows where the model, or anyone, could err, and in which column the two differ.

Source: Caruana R et al. Proc AMIA Symp 1999:212-215 (case-based explanation of models); Chang P et al. AJNR
2018;39:1201-1207 (prototypes of genotypes). Contrast: Miller T. Artif Intell 2019;267:1-38.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.explain.explanation import About, Explanation, Scope
from tumorboard.explain.tables.inputs import Floats, Rows, standardised
from tumorboard.explain.words import column_words

CITES = "Caruana R et al. Proc AMIA Symp 1999:212-215"
CONTRAST_CITES = "Miller T. Artif Intell 2019;267:1-38"
COUNT = 5
FAR = 95.0
"""Percentile of distances among training rows beyond which 'similar' is no longer the word; chosen."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case of comparison.

    Parameters
    ----------
    name : str
        Pseudonym.
    label : str
        Its known outcome.
    distance : float
        In standard deviations a column (root mean square).
    differs : tuple of (str, float)
        Columns that differ most, and by how many standard deviations: that case less this one.
    """

    name: str
    label: str
    distance: float
    differs: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class Cases(Explanation):
    """Cases, the nearest first; ``usual`` is the median distance of a training row to its nearest other one."""

    cases: tuple[Case, ...]
    usual: float


def nearest_cases(
    case: ArrayLike,
    rows: Rows,
    labels: Sequence[str],
    *,
    weights: ArrayLike | None = None,
    count: int = COUNT,
    about: About | None = None,
) -> Cases:
    """Return the training cases that are most like a case.

    Parameters
    ----------
    case : array_like of float, shape (columns,)
        NaN where missing: such a column does not count.
    rows : Rows
        Training rows with their patients; a patient with several rows comes once, with the nearest.
    labels : sequence of str, length n
        Their outcomes.
    weights : array_like of float, shape (columns,), optional
        Importance of columns, so that 'like' means what the model looks at; by default all count the same.
    count : int
        How many cases.
    about : About, optional
        What is explained; its ``case`` is left out of the comparison.

    Returns
    -------
    Cases
        Local; warned of when even the nearest is far.

    Raises
    ------
    InputError
        Shapes do not fit, no weight is above 0, or no other case is left.

    Examples
    --------
    >>> rows = Rows([[0.0], [1.1], [5.0]], ("age",), ("P1", "P2", "P3"))
    >>> found = nearest_cases([1.0], rows, ["a", "a", "b"], count=2)
    >>> [c.name for c in found.cases]
    ['P2', 'P1']
    """
    about = about or About()
    space = _Space(case, rows, labels, weights, about.case)
    cases = space.nearest(np.ones(len(space.ids), dtype=np.bool_), count)
    seen = {c.label: sum(d.label == c.label for d in cases) for c in cases}
    told = ", ".join(f"{n} {label}" for label, n in seen.items())
    first = cases[0]
    sentence = f"Of the {len(cases)} most similar cases: {told}; the nearest is {first.name} ({first.label})"
    return Cases(
        method="nearest-cases", cites=CITES, about=about, scope=Scope.LOCAL, unit="standard deviations",
        cases=cases, usual=space.usual, sentence=f"{sentence}{about.ending}.",
    ).warned(space.warning(first))  # fmt: skip


def contrastive_cases(
    case: ArrayLike,
    rows: Rows,
    labels: Sequence[str],
    *,
    label: str,
    weights: ArrayLike | None = None,
    count: int = COUNT,
    about: About | None = None,
) -> Cases:
    """Return the training cases that look most like a case but belong to another class.

    Parameters
    ----------
    case, rows, labels, weights, count, about
        As :func:`nearest_cases`.
    label : str
        What the model says, or what is known, of this case.

    Returns
    -------
    Cases
        Local; warned of when one of another class is nearer than any of the same.

    Raises
    ------
    InputError
        As :func:`nearest_cases`; or there is no other class.

    Examples
    --------
    >>> rows = Rows([[0.0, 3.0], [1.0, 9.0], [5.0, 3.0]], ("age", "volume"), ("P1", "P2", "P3"))
    >>> found = contrastive_cases([0.0, 3.0], rows, ["a", "b", "b"], label="a", count=1)
    >>> found.cases[0].name, found.cases[0].differs[0][0]
    ('P2', 'volume')
    """
    about = about or About()
    space = _Space(case, rows, labels, weights, about.case)
    other = np.array([told != label for told in space.labels])
    if not other.any():
        raise InputError("a case of another class", got=f"only {label}", where="contrastive cases")
    cases, first = space.nearest(other, count), ""
    if (~other).any() and space.nearest(~other, 1)[0].distance > cases[0].distance:
        first = f"the most similar case of all is {cases[0].label}, not {label}"
    column, by = cases[0].differs[0]
    way = "higher" if by > 0 else "lower"
    unlike = f"where {column_words(column)} is {abs(by):.1f} standard deviations {way}"
    sentence = f"Looks like {cases[0].name}, which was {cases[0].label} rather than {label}, {unlike}{about.ending}."
    return Cases(
        method="contrastive-cases", cites=CONTRAST_CITES, about=about, scope=Scope.LOCAL, unit="standard deviations",
        cases=cases, usual=space.usual, sentence=sentence,
    ).warned(first, space.warning(cases[0]))  # fmt: skip


class _Space:
    """Training rows and one case, standardised and weighted, without rows of the case's own patient."""

    def __init__(self, case: ArrayLike, rows: Rows, labels: Sequence[str], weights: ArrayLike | None, own: str) -> None:
        if not len(rows) == len(labels) == len(rows.patients):
            got = f"{len(labels)} labels and {len(rows.patients)} pseudonyms"
            raise InputError(f"a label and a pseudonym for each of {len(rows)} rows", got=got, where="cases")
        told = Rows(np.atleast_2d(np.asarray(case, dtype=np.float64)), rows.names).values[0]
        ids = rows.patients
        kept = np.array([i for i, name in enumerate(ids) if name != own], dtype=np.intp)
        if not len(kept):
            raise InputError("another case", got="none", where="cases")
        self.names, x = rows.names, rows.values[kept]
        self.labels, self.ids = [labels[i] for i in kept], [ids[i] for i in kept]
        share = _shares(weights, len(self.names)) * ~np.isnan(told)
        if not share.sum() > 0:
            raise InputError("a column that counts and is known", got="none", where="cases")
        self.share = share / share.sum()
        self.rows = standardised(x, x)
        self.case = standardised(told[None], x)[0]
        self.distances = np.sqrt((self.share * (self.rows - self.case) ** 2).sum(axis=1))
        self.apart = self._apart()
        self.usual = float(np.median(self.apart)) if len(self.apart) else float("nan")

    def _apart(self) -> Floats:
        """Return each row's distance to the nearest row of another patient."""
        weighted = self.rows * np.sqrt(self.share)
        square = (weighted**2).sum(axis=1)
        between = np.sqrt(np.maximum(square[:, None] + square - 2 * weighted @ weighted.T, 0))
        who = np.unique(np.array(self.ids, dtype=np.str_), return_inverse=True)[1]
        between[who[:, None] == who] = np.inf
        nearest = between.min(axis=1)
        return np.asarray(nearest[np.isfinite(nearest)])

    def nearest(self, among: np.ndarray, count: int) -> tuple[Case, ...]:
        if count < 1:
            raise InputError("one case at least", got=str(count), where="cases")
        out: dict[str, Case] = {}
        for row in np.argsort(self.distances, kind="stable"):
            if among[row] and self.ids[row] not in out:
                out[self.ids[row]] = self._case(int(row))
            if len(out) == count:
                break
        return tuple(out.values())

    def _case(self, row: int) -> Case:
        by = self.rows[row] - self.case
        most = np.argsort(-np.sqrt(self.share) * np.abs(by), kind="stable")[:3]
        differs = tuple((self.names[c], float(by[c])) for c in most)
        return Case(self.ids[row], self.labels[row], float(self.distances[row]), differs)

    def warning(self, first: Case) -> str:
        if len(self.apart) < 5 or first.distance <= np.percentile(self.apart, FAR):
            return ""
        return "even this case is far: there is nothing like it among the training cases"


def _shares(weights: ArrayLike | None, columns: int) -> Floats:
    found = np.ones(columns) if weights is None else np.asarray(weights, dtype=np.float64)
    if found.shape != (columns,) or not np.isfinite(found).all() or (found < 0).any():
        raise InputError(f"{columns} weights of 0 or more", got=f"shape {found.shape}", where="cases")
    return found
