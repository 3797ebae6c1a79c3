"""Columns of tables as features: clinical, molecular, or any others.

Why it exists: age alone is the model that images have to beat. Numbers stay numbers, words become one column each, and
what is not known is missing.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from tumorboard.errors import InputError
from tumorboard.lab.cohort import Cohort
from tumorboard.lab.represent.base import Gap, Job, Representation, Represented, Settings
from tumorboard.lab.table import Table, Unit, one_hot

CLINICAL = ("age", "sex", "kps", "resection")
MOLECULAR = (
    *("idh", "1p_19q", "mgmt", "tert_promoter", "atrx", "tp53", "pten", "nf1", "rb1", "pdgfra", "cic"),
    *("egfr_amplification", "cdkn2a_deletion", "methylation_class"),
    *("alk", "braf", "egfr", "her2", "kras", "vhl"),
)
"""Columns that are taken where none are named, as far as a cohort has them."""

YES, NO = frozenset({"yes", "true", "positive", "mutant", "methylated"}), frozenset({"no", "false", "negative"})


class ColumnsSet(Settings):
    """Settings of :class:`Columns`.

    Parameters
    ----------
    columns : tuple of str
        Names, with their table where need be (``visits.kps``), or patterns (``T1C_*``); empty: the usual ones.
    words : bool
        Whether columns of words are taken; each word becomes a column.
    """

    columns: tuple[str, ...] = Field(default=())
    words: bool = True


class Columns(Representation[ColumnsSet]):
    """Columns of the cohort's tables."""

    usual: ClassVar[tuple[str, ...]]
    settings = ColumnsSet
    images = False
    needs = ()

    def represent(self, job: Job[ColumnsSet]) -> Represented:
        """Return the columns of a job's units.

        Raises
        ------
        InputError
            A column is not there, or none is left.
        """
        tables, gaps, read = [], [], {}
        for name in chosen(job.cohort, job.settings.columns, self.usual):
            words = job.cohort.values(name, job.units)
            made = coded(job.units, name, words, job.settings.words)
            if made is not None:
                tables.append(made)
                read[name] = () if made.names == (name,) else tuple(sorted({w for w in words if w}))
                gaps += [Gap(u, name, "not told in the tables") for u, w in zip(job.units, words, strict=True) if not w]
        if not tables:
            raise InputError("at least one column with values", got="none", where=self.name)
        whole = tables[0]
        for made in tables[1:]:
            whole = whole.beside(made)
        return Represented(self.name, whole, None, tuple(gaps), read)


class Clinical(Columns):
    """Age, sex, performance status, extent of resection, or the columns that are named."""

    name = "clinical"
    title = "clinical columns of the tables"
    source = "the cohort's tables"
    usual = CLINICAL


class Molecular(Columns):
    """Markers, or the columns that are named."""

    name = "molecular"
    title = "molecular markers of the tables"
    source = "the cohort's tables"
    usual = MOLECULAR


class Named(Columns):
    """Columns by name or pattern: features that others computed."""

    name = "table"
    title = "any columns of the tables, by name or pattern"
    source = "the cohort's tables"
    usual = ()


def chosen(cohort: Cohort, wanted: Sequence[str], usual: Sequence[str]) -> tuple[str, ...]:
    """Return columns by name and pattern, or those of the usual ones that a cohort has.

    Raises
    ------
    InputError
        A column is not there, a pattern fits none, or nothing is named where nothing is usual.
    """
    if not wanted:
        found = tuple(c for c in usual if c in cohort.columns)
        if not found:
            remedy = "name them: columns: [age]"
            raise InputError(f"columns among {', '.join(usual) or 'the tables'}", got="none", where="representation",
                             remedy=remedy)  # fmt: skip
        return found
    out: list[str] = []
    for name in wanted:
        fits = fnmatch.filter(cohort.columns, name) if any(c in name for c in "*?[") else [name]
        if not fits:
            raise InputError("a pattern that fits a column", got=repr(name), where="representation")
        out += [f for f in fits if f not in out]
    cohort.require(columns=out)
    return tuple(out)


def coded(units: Sequence[Unit], name: str, words: Sequence[str], with_words: bool = True) -> Table | None:
    """Return a column as numbers, or one column for each of its words; None for an empty one, or for words unwanted.

    Yes and no become 1 and 0; of two words one column is enough, that of the second.

    Examples
    --------
    >>> units = [Unit("A"), Unit("B"), Unit("C")]
    >>> coded(units, "age", ["60", "", "44.5"]).values.ravel().tolist()
    [60.0, nan, 44.5]
    >>> coded(units, "sex", ["F", "M", "F"]).names, coded(units, "grade", ["2", "3", "IV"]).names
    (('sex=M',), ('grade=2', 'grade=3', 'grade=IV'))
    """
    told = {w for w in words if w}
    if not told:
        return None
    numbers = _numbers(words)
    if numbers is not None:
        return Table.of(units, {name: numbers})
    if not with_words:
        return None
    table = one_hot(units, name, words, missing=("",))
    return table.columns(table.names[1:]) if len(told) == 2 else table


def coded_as(units: Sequence[Unit], name: str, words: Sequence[str], known: Sequence[str]) -> Table:
    """Return a column coded as it was for other rows.

    Parameters
    ----------
    units : sequence of Unit
        Rows.
    name : str
        Of the column.
    words : sequence of str
        One for each row; empty where it is not known.
    known : sequence of str
        Words of the other rows (:attr:`Represented.words`); none: numbers.

    Raises
    ------
    InputError
        A word that the other rows did not have, which would be taken for one of theirs.

    Examples
    --------
    >>> coded_as([Unit("A")], "sex", ["F"], ("F", "M")).values.tolist()
    [[0.0]]
    >>> coded_as([Unit("A")], "sex", ["male"], ("F", "M"))
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: column sex: expected one of F, M; got another word. What to do: write it as ...
    """
    if known:
        if not {w for w in words if w} <= set(known):
            remedy = "write it as the training patients' table does"
            expected = f"one of {', '.join(known)}"
            raise InputError(expected, got="another word", where=f"column {name}", remedy=remedy)
        gone = np.array([not w for w in words], dtype=bool)
        coded = {f"{name}={k}": np.where(gone, np.nan, [float(w == k) for w in words]) for k in sorted(known)}
        return Table.of(units, dict(list(coded.items())[1:]) if len(coded) == 2 else coded)
    numbers = _numbers(words)
    if numbers is None:
        raise InputError("a number", got="a word", where=f"column {name}")
    return Table.of(units, {name: numbers})


def _numbers(words: Iterable[str]) -> list[float] | None:
    out = []
    for word in words:
        small = word.lower()
        if not word:
            out.append(float("nan"))
        elif small in YES or small in NO:
            out.append(float(small in YES))
        else:
            try:
                out.append(float(word))
            except ValueError:
                return None
    return out
