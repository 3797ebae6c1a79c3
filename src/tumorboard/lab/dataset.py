"""What a recipe learns from: features, outcome, sites and time of the same rows.

Why it exists: a cohort becomes rows once, here, with every patient left out for a reason that is counted. A dataset
knows whose rows it holds (patients' or digital patients') and whether their outcomes were shuffled, which is another
question; every result repeats both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.lab.outcome import Outcome, numbers, outcome_of
from tumorboard.lab.parts import several
from tumorboard.lab.recipe import Recipe
from tumorboard.lab.splits import Rowwise
from tumorboard.lab.step import Floats, Words
from tumorboard.lab.table import Table, Unit
from tumorboard.sequences import Sequence as Kind
from tumorboard.store import digest

if TYPE_CHECKING:
    from tumorboard.lab.cohort import Cohort

DIGITAL, REAL = "digital patients", "patients"
"""Whose rows: simulated, or of people."""

SHUFFLED = "{}, outcomes shuffled (null cohort)"
"""The world of rows whose outcomes were dealt out anew, whosever they are."""

USUAL_SUBGROUPS = (("sex", "gender"), ("age", "age_years"), ("scanner", "scanner_model", "field_strength"))
"""Columns that subgroups are formed of where a recipe names none; of each the first that is there. Sites count too."""


@dataclass(frozen=True)
class Material:
    """What a representation brings that has to be learned inside the folds.

    Parameters
    ----------
    name : str
        Of the representation.
    rows : tuple
        Raw material of each row; None where there is none.
    make : callable of int to object
        A new thing with ``fit``, ``transform`` and ``names`` from a seed.
    """

    name: str
    rows: tuple[Any, ...] = field(repr=False)
    make: Callable[[int], Any] = field(repr=False)


@dataclass(frozen=True)
class Origin:
    """What one representation gave, so that the same can be made of a new patient.

    Parameters
    ----------
    count : int
        Columns of the table; those of the representations stand one after another.
    words : tuple of (str, tuple of str)
        See :attr:`tumorboard.lab.represent.base.Represented.words`; in their order, which matters where genes are read.
    """

    count: int
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the cohort's tables that were read."""
        return tuple(name for name, _ in self.words)


@dataclass(frozen=True)
class Dataset:
    """Rows with everything that a run may know of them.

    Parameters
    ----------
    table : Table
        Features.
    outcome : Outcome
        Of the same rows.
    sites : ndarray of str, shape (n,)
        ``""`` where unknown.
    order : ndarray of float, shape (n,)
        Of time; NaN where unknown.
    external : ndarray of bool, shape (n,)
        Rows of another cohort, only tested.
    digital : bool
        Whether these are simulated patients.
    permuted : bool
        Whether outcomes were shuffled among them: whatever is found then is chance.
    material : tuple of Material
        Of representations that learn.
    notes : tuple of str
        Who was left out and why, counted.
    reference : Table, optional
        Columns whose plain model has to be beaten.
    origins : tuple of Origin
        One for each representation of the recipe; empty where rows did not come from a cohort.
    described : mapping of str to tuple of str
        Words of each row that nothing learns from, as sex and scanner; subgroups are formed of them.
    left_out : int, optional
        Patients of the cohort that have no row; the notes say why.

    Examples
    --------
    >>> table = Table.of([Unit("A"), Unit("B")], {"age": [60, 70]})
    >>> Dataset.of(table, Outcome.binary([0, 1])).world
    'patients'
    """

    table: Table
    outcome: Outcome
    sites: Words = field(repr=False)
    order: Floats = field(repr=False)
    external: NDArray[np.bool_] = field(repr=False)
    digital: bool = False
    permuted: bool = False
    material: tuple[Material, ...] = ()
    notes: tuple[str, ...] = ()
    reference: Table | None = None
    origins: tuple[Origin, ...] = ()
    described: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    left_out: int | None = None

    @classmethod
    def of(
        cls,
        table: Table,
        outcome: Outcome,
        sites: Sequence[str] | None = None,
        order: ArrayLike | None = None,
        digital: bool = False,
    ) -> Self:
        """Return a dataset from a table and outcomes of the same rows.

        Raises
        ------
        InputError
            Lengths differ.
        """
        n = len(table.units)
        where = np.array(list(sites) if sites is not None else [""] * n, dtype=np.str_)
        time = np.full(n, np.nan) if order is None else np.asarray(order, dtype=np.float64)
        if not len(outcome) == len(where) == len(time) == n:
            raise InputError(f"{n} outcomes, sites and times, one a row", got="another number", where="dataset")
        return cls(table, outcome, where, time, np.zeros(n, dtype=bool), digital)

    def __len__(self) -> int:
        return len(self.table.units)

    @property
    def world(self) -> str:
        """Whose rows these are, and whether their outcomes were shuffled, as every result names it."""
        whose = DIGITAL if self.digital else REAL
        return SHUFFLED.format(whose) if self.permuted else whose

    @property
    def rowwise(self) -> Rowwise:
        """What a split may know."""
        return Rowwise(self.table.patients, self.outcome.strata, self.sites.tolist(), self.order, self.external)

    @cached_property
    def digest(self) -> str:
        """Hash of everything that is learned from."""
        raw = [str(len(m.rows)) + m.name + _hash_rows(m.rows) for m in self.material]
        sites = "\n".join(self.sites.tolist())
        return digest(self.table.digest, self.outcome.kind.value, self.outcome.values.tobytes(), sites, *raw)

    def take(self, rows: ArrayLike) -> Self:
        """Return some rows, by number or by a mask."""
        at = np.arange(len(self))[np.asarray(rows)]
        material = tuple(replace(m, rows=tuple(m.rows[i] for i in at)) for m in self.material)
        return replace(
            self,
            table=self.table.take(at),
            outcome=self.outcome.take(at),
            sites=self.sites[at],
            order=self.order[at],
            external=self.external[at],
            material=material,
            reference=None if self.reference is None else self.reference.take(at),
            described={name: tuple(words[i] for i in at) for name, words in self.described.items()},
        )

    def shuffled(self, seed: int) -> Self:
        """Return the null cohort: outcomes dealt out anew among patients, all rows of one patient moving together.

        Rows of a patient that gets another's outcomes take them in turn.
        """
        rng = np.random.default_rng(seed)
        patients = np.array(self.table.patients)
        names = np.unique(patients)
        other = dict(zip(names.tolist(), rng.permutation(names).tolist(), strict=True))
        rows = {n: np.flatnonzero(patients == n) for n in names.tolist()}
        source = np.empty(len(self), dtype=np.int64)
        for name, at in rows.items():
            source[at] = np.resize(rows[other[name]], len(at))
        return replace(self, outcome=self.outcome.take(source), permuted=True)

    def with_external(self, other: Self) -> Self:
        """Return this dataset with another cohort's rows below it, only to be tested.

        Raises
        ------
        InputError
            Columns or classes differ, a representation learns from material, or one is of digital patients only.
        """
        if self.material or other.material:
            raise InputError("representations that learn nothing", got="one that learns", where="external validation")
        if self.outcome.names != other.outcome.names or self.outcome.kind != other.outcome.kind:
            raise InputError("the same outcome in both cohorts", got="another", where="external validation")
        if self.digital != other.digital:
            remedy = "a model of digital patients is never tested on patients"
            raise InputError("two cohorts of one world", got="patients and digital ones", remedy=remedy)
        units = tuple(Unit(f"external/{u.patient}", u.study, u.lesion) for u in other.table.units)
        theirs = other.table.columns(self.table.names)
        table = Table(self.table.units + units, self.table.names, np.vstack([self.table.values, theirs.values]))
        return type(self)(
            table,
            Outcome(self.outcome.kind, np.vstack([self.outcome.values, other.outcome.values]), self.outcome.names),
            np.concatenate([self.sites, other.sites]),
            np.concatenate([self.order, other.order]),
            np.concatenate([self.external, np.ones(len(other), dtype=bool)]),
            self.digital,
            self.permuted or other.permuted,
            notes=self.notes + other.notes,
            origins=self.origins,
            described=_both(self, other),
            left_out=None if None in (self.left_out, other.left_out) else (self.left_out or 0) + (other.left_out or 0),
        )


def _both(ours: Dataset, theirs: Dataset) -> dict[str, tuple[str, ...]]:
    """Return the words of two cohorts' rows, one below the other; what one lacks is empty."""
    names = dict.fromkeys([*ours.described, *theirs.described])
    return {n: tuple(w for d in (ours, theirs) for w in d.described.get(n, ("",) * len(d))) for n in names}


def _hash_rows(rows: tuple[Any, ...]) -> str:
    return digest(*(b"" if r is None else np.ascontiguousarray(r).tobytes() for r in rows))


def gather(recipe: Recipe, cohort: Cohort, cache: Path | None = None, workers: int = 1) -> Dataset:
    """Compute what a recipe learns from.

    Parameters
    ----------
    recipe : Recipe
        What to compute.
    cohort : Cohort
        Of whom.
    cache : Path, optional
        Folder where finished rows of images are kept.
    workers : int
        Processes for images.

    Returns
    -------
    Dataset
        Rows with an outcome, and with at least one feature.

    Raises
    ------
    InputError
        A column or a sequence is missing; it is named.
    """
    cohort.require([*recipe.endpoint.sources, *recipe.where], [Kind(s) for s in recipe.sequences])
    units = cohort.units(recipe.unit, recipe.study)
    units, notes = _wanted(recipe, cohort, units)
    words = {c: cohort.values(c, units) for c in recipe.endpoint.sources}
    outcome, known = outcome_of(recipe.endpoint, words)
    if not known.all():
        notes += (f"{int((~known).sum())} of {len(known)} rows have no outcome and are left out",)
    rows = tuple(u for u, k in zip(units, known, strict=True) if k)
    if not rows:
        raise InputError("rows with an outcome", got="none", where=f"column {', '.join(recipe.endpoint.sources)}")
    table, material, origins, more = _represented(recipe, cohort, rows, cache, workers)
    sites = cohort.values(recipe.validation.by, rows) if _names_sites(recipe, cohort) else _sites(cohort, rows)
    data = Dataset.of(table, outcome, sites, _order(recipe, cohort, rows), cohort.digital)
    data = replace(data, material=material, notes=notes + more + cohort.notes, origins=origins)
    data = replace(data, reference=_rival(recipe, cohort, rows), described=_described(recipe, cohort, rows))
    empty = np.isnan(table.values).all(axis=1) if table.names else np.zeros(len(rows), dtype=bool)
    for m in material:
        empty &= np.array([r is None for r in m.rows])
    if empty.any():
        told = f"{int(empty.sum())} of {len(rows)} rows have no feature and are left out"
        data = replace(data.take(~empty), notes=(*data.notes, told))
    return replace(data, left_out=len(cohort.patients) - len(set(data.table.patients)))


def _wanted(recipe: Recipe, cohort: Cohort, units: Sequence[Unit]) -> tuple[tuple[Unit, ...], tuple[str, ...]]:
    kept = np.ones(len(units), dtype=bool)
    for column, words in recipe.where.items():
        allowed = {w.lower() for w in words}
        kept &= np.array([v.strip().lower() in allowed for v in cohort.values(column, units)], dtype=bool)
    told = f"{int((~kept).sum())} of {len(units)} rows are outside {', '.join(recipe.where)}"
    chosen = tuple(u for u, k in zip(units, kept, strict=True) if k)
    return chosen, () if kept.all() else (told,)


def _represented(
    recipe: Recipe, cohort: Cohort, rows: tuple[Unit, ...], cache: Path | None, workers: int
) -> tuple[Table, tuple[Material, ...], tuple[Origin, ...], tuple[str, ...]]:
    from tumorboard.lab.represent import represent

    table = Table(rows, (), np.empty((len(rows), 0)))
    material: list[Material] = []
    origins: list[Origin] = []
    notes: list[str] = []
    for part in recipe.representation:
        settings = part.settings
        made = represent(
            part.name,
            cohort,
            rows,
            sequences=several(settings.pop("sequences", recipe.sequences)),
            regions=several(settings.pop("region", recipe.region)),
            settings=settings,
            cache=cache,
            workers=workers,
        )
        table = table.beside(_apart(made.table, part.name, table.names))
        origins.append(Origin(len(made.table.names), tuple(made.words.items())))
        if made.learned is not None:
            material.append(Material(part.name, made.learned.material, made.learned.make))
        if made.gaps:
            notes.append(f"{part.name}: {len({g.unit for g in made.gaps})} of {len(rows)} rows lack something")
    return table, tuple(material), tuple(origins), tuple(notes)


def _apart(table: Table, name: str, taken: Sequence[str]) -> Table:
    """Return the table with the representation's name before columns whose name another one has."""
    return Table(table.units, tuple(f"{name}:{n}" if n in taken else n for n in table.names), table.values)


def _rival(recipe: Recipe, cohort: Cohort, rows: Sequence[Unit]) -> Table | None:
    from tumorboard.lab.represent import represent

    if not recipe.compare:
        return None
    return represent("table", cohort, rows, settings={"columns": recipe.compare}).table


def _described(recipe: Recipe, cohort: Cohort, rows: Sequence[Unit]) -> dict[str, tuple[str, ...]]:
    """Return the words that subgroups are formed of: those of the recipe, else the usual ones that the cohort has."""
    if recipe.subgroups:
        cohort.require(recipe.subgroups)
        return {name: cohort.values(name, rows) for name in recipe.subgroups}
    by_name = {c.lower(): c for c in reversed(cohort.columns)}
    found = [next((by_name[name] for name in names if name in by_name), None) for names in USUAL_SUBGROUPS]
    return {name: cohort.values(name, rows) for name in found if name is not None}


def _names_sites(recipe: Recipe, cohort: Cohort) -> bool:
    how = recipe.validation
    return how.name in ("leave_site_out", "external") and how.by in cohort.columns


def _sites(cohort: Cohort, rows: Sequence[Unit]) -> list[str]:
    return [cohort.sites.get(u.patient, "") for u in rows]


def _order(recipe: Recipe, cohort: Cohort, rows: Sequence[Unit]) -> Floats:
    if recipe.validation.name != "temporal":
        return np.full(len(rows), np.nan)
    if recipe.validation.by in cohort.columns and recipe.validation.by != "site":
        return numbers(cohort.values(recipe.validation.by, rows), recipe.validation.by)
    first = {
        p: min(d.toordinal() for d in cohort.dates(p).values()) for p in {u.patient for u in rows} if cohort.dates(p)
    }
    return np.array([float(first.get(u.patient, np.nan)) for u in rows])
