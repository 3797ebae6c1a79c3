"""Ways to keep patients apart: who trains, who is tested.

Why it exists: most published optimism is a patient, or a choice made with a patient, on both sides. All splits draw
patients, never rows, and every split is checked before anything runs: a patient on both sides is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.lab.parts import Parts
from tumorboard.lab.recipe import Validation

Rows = NDArray[np.int64]

LEAST_LEFT = 2 / 3
"""Share of each stratum that must be left for training when folds are balanced, or else they are not; chosen."""


@dataclass(frozen=True)
class Fold:
    """Rows that train and rows that are tested.

    Parameters
    ----------
    name : str
        Printed: ``2/5``, or the site.
    repeat : int
        Of the whole split, from 1.
    train, test : ndarray of int
        Row numbers, ascending.
    """

    name: str
    repeat: int
    train: Rows = field(repr=False)
    test: Rows = field(repr=False)


@dataclass(frozen=True)
class Rowwise:
    """What a split may know of each row.

    Parameters
    ----------
    patients : sequence of str
        Whose it is.
    strata : ndarray of int
        Of the outcome.
    sites : sequence of str
        Where it was measured; ``""`` where unknown.
    order : ndarray of float
        Of time; NaN where unknown.
    external : ndarray of bool
        Rows of another cohort.
    """

    patients: Sequence[str]
    strata: NDArray[np.int64]
    sites: Sequence[str]
    order: NDArray[np.float64]
    external: NDArray[np.bool_]


def make_folds(how: Validation, rows: Rowwise, seed: int) -> tuple[Fold, ...]:
    """Draw the folds of a validation and check them.

    Parameters
    ----------
    how : Validation
        Of the recipe.
    rows : Rowwise
        What is known of each row.
    seed : int
        Of the draw.

    Returns
    -------
    tuple of Fold

    Raises
    ------
    InputError
        Too few patients, one site only, no order in time, or a patient on both sides.

    Examples
    --------
    >>> who = ["A", "A", "B", "C", "D"]
    >>> nothing = np.full(5, np.nan)
    >>> rows = Rowwise(who, np.array([0, 0, 1, 0, 1]), [""] * 5, nothing, np.zeros(5, dtype=bool))
    >>> [fold.test.tolist() for fold in make_folds(Validation(name="leave_one_out"), rows, 1)]
    [[0, 1], [2], [3], [4]]
    """
    folds = SPLITS.make(how.name, {})(how, rows, seed)
    return checked(folds, rows.patients)


def inner_folds(strata: NDArray[np.int64], patients: Sequence[str], folds: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Return training and test rows of k folds inside training rows; all rows of a patient stay together.

    Parameters
    ----------
    strata : ndarray of int, shape (n,)
        Of the outcome of each row.
    patients : sequence of str, length n
        Whose each row is; empty: each row is a patient.
    folds : int
        How many; fewer where there are fewer patients.
    seed : int
        Of the draw.

    Raises
    ------
    InputError
        One patient only.

    Examples
    --------
    >>> [test.tolist() for _, test in inner_folds(np.zeros(4, dtype=np.int64), ["A", "A", "B", "B"], 5, 0)]
    [[2, 3], [0, 1]]
    """
    n = len(strata)
    who = list(patients) or [str(row) for row in range(n)]
    how = Validation(name="kfold", folds=max(2, min(folds, len(set(who)))))
    none = np.zeros(n)
    made = make_folds(how, Rowwise(who, strata, [""] * n, none, none.astype(bool)), seed)
    return [(fold.train, fold.test) for fold in made]


def balanced(folds: Sequence[Fold], strata: NDArray[np.int64], seed: int) -> tuple[Fold, ...]:
    """Return folds that all train on the same number of rows of each stratum: the fewest that any of them has.

    Leaving a patient out makes the patient's class rarer in training, which pulls what is predicted away from the
    truth: on chance data the area lies far below 0.5. So rows of the other classes go as well, drawn at random.

    Parameters
    ----------
    folds : sequence of Fold
        Each leaves one patient out.
    strata : ndarray of int, shape (n,)
        Of the outcome of each row.
    seed : int
        Of the draw.

    Returns
    -------
    tuple of Fold
        As they were, where more than a third of a stratum would have to go.

    Notes
    -----
    Source: Parker BJ, Günter S, Bedo J. BMC Bioinformatics 2007;8:326.

    Examples
    --------
    >>> left_out = [Fold("", 1, np.delete(np.arange(6), n), np.array([n])) for n in range(6)]
    >>> [len(fold.train) for fold in balanced(left_out, np.array([0, 0, 0, 1, 1, 1]), 1)]
    [4, 4, 4, 4, 4, 4]
    """
    every = np.unique(strata)
    fewest = {s: min(int((strata[f.train] == s).sum()) for f in folds) for s in every}
    if any(fewest[s] < LEAST_LEFT * int((strata == s).sum()) for s in every):
        return tuple(folds)
    return tuple(_cut(fold, strata, fewest, seed) for fold in folds)


def _cut(fold: Fold, strata: NDArray[np.int64], fewest: dict[int, int], seed: int) -> Fold:
    chance, gone = np.random.default_rng([seed, int(fold.test[0])]), list[int]()
    for stratum, kept in fewest.items():
        there = fold.train[strata[fold.train] == stratum]
        gone += chance.choice(there, len(there) - kept, replace=False).tolist()
    return replace(fold, train=np.setdiff1d(fold.train, gone))


def checked(folds: Sequence[Fold], patients: Sequence[str]) -> tuple[Fold, ...]:
    """Return the folds if no patient stands on both sides of one.

    Raises
    ------
    InputError
        A patient does, or a side is empty.

    Examples
    --------
    >>> checked([Fold("1/1", 1, np.array([0]), np.array([1]))], ["A", "A"])
    Traceback (most recent call last):
    tumorboard.errors.InputError: fold 1/1: expected each patient on one side; got 1 patient on both sides. ...
    """
    who = np.asarray(patients)
    for fold in folds:
        if not len(fold.train) or not len(fold.test):
            side = "training" if not len(fold.train) else "test"
            raise InputError("patients on both sides", got=f"no {side} rows", where=f"fold {fold.name}")
        both = set(who[fold.train].tolist()) & set(who[fold.test].tolist())
        if both:
            got = f"{len(both)} patient{'s' if len(both) > 1 else ''} on both sides"
            remedy = "keep all rows of a patient together"
            raise InputError("each patient on one side", got=got, where=f"fold {fold.name}", remedy=remedy)
    return tuple(folds)


def _by_patient(rows: Rowwise) -> tuple[NDArray[np.str_], NDArray[np.int64], Rows]:
    """Return patients in order of appearance, the highest stratum of each, and the patient's number of each row."""
    names, first, at = np.unique(np.asarray(rows.patients), return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    at = rank[at]
    strata = np.zeros(len(names), dtype=np.int64)
    np.maximum.at(strata, at, rows.strata)
    return names[order], strata, at


def _fold(name: str, repeat: int, test: NDArray[np.bool_], train: NDArray[np.bool_] | None = None) -> Fold:
    return Fold(name, repeat, np.flatnonzero(~test if train is None else train), np.flatnonzero(test))


def _kfold(how: Validation, rows: Rowwise, seed: int) -> list[Fold]:
    from sklearn.model_selection import KFold, StratifiedKFold

    names, strata, at = _by_patient(rows)
    rarest = int(np.bincount(strata).clip(0)[np.unique(strata)].min())
    if len(names) < how.folds:
        raise InputError(f"{how.folds} patients at least", got=f"{len(names)}", where="validation.folds")
    out = []
    for repeat in range(how.repeats):
        kind = StratifiedKFold if how.stratify and rarest >= how.folds else KFold
        splitter = kind(how.folds, shuffle=True, random_state=seed + repeat)
        for n, (_, test) in enumerate(splitter.split(names, strata), 1):
            out.append(_fold(f"{n}/{how.folds}", repeat + 1, np.isin(at, test)))
    return out


def _split(how: Validation, rows: Rowwise, seed: int) -> list[Fold]:
    from sklearn.model_selection import train_test_split

    names, strata, at = _by_patient(rows)
    stratify = strata if how.stratify and np.bincount(strata)[np.unique(strata)].min() >= 2 else None
    chosen = np.arange(len(names))
    out = []
    for repeat in range(how.repeats):
        _, test = train_test_split(chosen, test_size=how.test_share, random_state=seed + repeat, stratify=stratify)
        out.append(_fold("split", repeat + 1, np.isin(at, test)))
    return out


def _leave_one_out(how: Validation, rows: Rowwise, seed: int) -> list[Fold]:
    names, _, at = _by_patient(rows)
    return [_fold(f"{n + 1}/{len(names)}", 1, at == n) for n in range(len(names))]


def _leave_site_out(how: Validation, rows: Rowwise, seed: int) -> list[Fold]:
    sites = np.asarray(rows.sites)
    names = np.unique(sites)
    if "" in names or len(names) < 2:
        got = "rows without a site" if "" in names else "one"
        raise InputError("two sites at least, and a site for each row", got=got, where=f"column {how.by}")
    return [_fold(str(name), 1, sites == name) for name in names]


def _temporal(how: Validation, rows: Rowwise, seed: int) -> list[Fold]:
    names, _, at = _by_patient(rows)
    if np.isnan(rows.order).any():
        raise InputError("an order in time for each row", got="rows without one", where=f"column {how.by}")
    first = np.array([rows.order[at == n].min() for n in range(len(names))])
    later = np.argsort(first, kind="stable")[len(names) - max(1, round(how.test_share * len(names))) :]
    return [_fold("later", 1, np.isin(at, later))]


def _external(how: Validation, rows: Rowwise, seed: int) -> list[Fold]:
    if rows.external.any():
        return [_fold("external", 1, rows.external)]
    test = np.isin(np.asarray(rows.sites), how.test)
    if not test.any():
        remedy = "give another cohort, or name sites of this one in validation.test"
        raise InputError("rows of another cohort or of the sites to test", got="none", remedy=remedy)
    return [_fold("external", 1, test)]


Split = Callable[[Validation, Rowwise, int], list[Fold]]

SPLITS: Parts[Split] = Parts("validation")
"""One line enrols another; ``nested`` are k folds whose tuning has folds of its own."""

SPLITS.add("split", lambda: _split, source="split sample")
SPLITS.add("kfold", lambda: _kfold, source="Stone 1974")
SPLITS.add("nested", lambda: _kfold, source="Varma 2006")
SPLITS.add("leave_one_out", lambda: _leave_one_out, source="Lachenbruch 1968")
SPLITS.add("leave_site_out", lambda: _leave_site_out, source="Steyerberg 2016")
SPLITS.add("temporal", lambda: _temporal, source="Altman 2000")
SPLITS.add("external", lambda: _external, source="Altman 2000")
