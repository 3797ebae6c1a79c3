"""Rows of a new patient for a model: made as those of the training patients were, or what they lack by name.

Why it exists: a column that is coded otherwise, a gene in another order or a sequence that was never acquired gives a
number like any other. Columns are found again by what the card kept of the training rows; whatever is missing is named
and the model does not answer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from tumorboard.errors import InputError, TumorboardError
from tumorboard.lab.apply.shelf import Ready
from tumorboard.lab.cohort import Cohort, NotThere
from tumorboard.lab.cohort.cohort import derivable
from tumorboard.lab.dataset import Dataset, Material, Origin
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes, Part, Recipe
from tumorboard.lab.represent import REPRESENTATIONS, check_settings, represent
from tumorboard.lab.represent.base import Job, Represented
from tumorboard.lab.represent.columns import Columns, coded_as
from tumorboard.lab.represent.learned import prefixed
from tumorboard.lab.represent.rows import OfImages
from tumorboard.lab.table import Table, Unit
from tumorboard.sequences import Sequence as Kind

_COUNTED = re.compile(r" \(\d+ times\)")
"""What a message says of several units, and is wrong of one."""

Lacks = dict[Unit, list[str]]
"""What each unit lacks, in words that identify nobody."""


@dataclass(frozen=True)
class NewRows:
    """What a model can be asked.

    Parameters
    ----------
    data : Dataset or None
        Rows with everything; their outcomes are not known and never read.
    missing : tuple of (Unit, tuple of str)
        Units that lack something.
    studies : mapping of Unit to str
        Study that a row's images are of; empty where it has none.
    why : str
        Why there is no row at all, where that is no unit's fault.
    """

    data: Dataset | None
    missing: tuple[tuple[Unit, tuple[str, ...]], ...] = ()
    studies: Mapping[Unit, str] = field(default_factory=dict)
    why: str = ""


def new_rows(ready: Ready, cohort: Cohort, cache: Path | None = None) -> NewRows:
    """Return the rows of a patient for a model.

    Parameters
    ----------
    ready : Ready
        Model and recipe.
    cohort : Cohort
        Of the patient; see :func:`tumorboard.lab.apply.case.read_case`.
    cache : Path, optional
        Folder where features are kept, so that models share them.

    Returns
    -------
    NewRows
    """
    recipe = ready.recipe
    try:
        units = cohort.units(recipe.unit, recipe.study)
    except InputError as error:
        return NewRows(None, why=f"a {recipe.unit} is needed; there is {error.got}")
    lacks: Lacks = defaultdict(list)
    _beforehand(ready, cohort, units, lacks)
    able = tuple(u for u in units if not lacks[u])
    made: list[Represented] = []
    if able:
        made = _made(ready, cohort, able, cache, lacks)
    kept = tuple(u for u in able if not lacks[u])
    data = _joined(ready, cohort, able, made, kept) if kept else None
    if data is not None:
        data = _complete(ready, data, lacks)
    studies = {u: _study(cohort, u, recipe) for u in units}
    return NewRows(data, tuple((u, tuple(dict.fromkeys(w))) for u, w in lacks.items() if w), studies)


def _beforehand(ready: Ready, cohort: Cohort, units: Sequence[Unit], lacks: Lacks) -> None:
    """Note what can be seen without computing anything: columns, sequences, who the model is for."""
    recipe = ready.recipe
    for unit in units:
        for column, words in recipe.where.items():
            told = _told(cohort, column, unit)
            if not told:
                lacks[unit].append(f"column {column}")
            elif told.lower() not in {w.lower() for w in words}:
                lacks[unit].append(f"it was trained where {column} is {' or '.join(words)}, and here it is not")
        for part, origin in zip(recipe.representation, ready.card.origins, strict=True):
            what = REPRESENTATIONS[part.name]
            if isinstance(what, Columns):
                lacks[unit] += [f"column {c}" for c in origin.columns if not _told(cohort, c, unit)]
            elif isinstance(what, OfImages):
                lacks[unit] += _no_images(what, _job(part, recipe, cohort, (unit,)), unit)


def _told(cohort: Cohort, column: str, unit: Unit) -> str:
    try:
        return cohort.values(column, (unit,))[0].strip()
    except InputError:
        return ""


def _job(part: Part, recipe: Recipe, cohort: Cohort, units: tuple[Unit, ...]) -> Job[Any]:
    told = part.settings
    names = told.pop("sequences", recipe.sequences)
    sequences = tuple(Kind[s] if s in Kind.__members__ else Kind.of(s) for s in names)
    regions = tuple(told.pop("region", recipe.region))
    return Job(cohort, units, sequences, regions, check_settings(part.name, told))


def _no_images(what: OfImages[Any], job: Job[Any], unit: Unit) -> list[str]:
    try:
        ids = what.studies(unit, job)
    except NotThere as error:
        return [f"images: {error.why}"]
    visits = job.cohort.visits(unit.patient)
    out = []
    for number, name in enumerate(ids):
        has = set(visits[name].images) | derivable([visits[name]])
        which = " of the earlier study" if number else ""
        out += [f"sequence {s.value}{which}" for s in job.sequences if s not in has]
    return out


def _made(ready: Ready, cohort: Cohort, units: tuple[Unit, ...], cache: Path | None, lacks: Lacks) -> list[Represented]:
    """Return every representation of the recipe; what turns out to be missing is noted."""
    out = []
    for part, origin in zip(ready.recipe.representation, ready.card.origins, strict=True):
        try:
            made = _one(part, origin, ready.recipe, cohort, units, cache)
        except TumorboardError as error:
            why = f"{part.name}: {_COUNTED.sub('', error.got or error.expected)}"
            for unit in units:
                lacks[unit].append(why if not isinstance(REPRESENTATIONS[part.name], Columns) else str(error))
            continue
        regions = tuple(part.settings.get("region", ready.recipe.region))
        for unit, words in _gone(part.name, made, regions):
            lacks[unit].append(words)
        out.append(made)
    return out


def _one(
    part: Part, origin: Origin, recipe: Recipe, cohort: Cohort, units: tuple[Unit, ...], cache: Path | None
) -> Represented:
    settings = part.settings
    sequences = tuple(settings.pop("sequences", recipe.sequences))
    regions = tuple(settings.pop("region", recipe.region))
    if isinstance(REPRESENTATIONS[part.name], Columns):
        return _columns(part.name, origin, cohort, units, str(settings.get("prefix", "")))
    if part.name == "expression":
        cohort = _with_genes(cohort, check_settings(part.name, settings), origin.columns)
    return represent(part.name, cohort, units, sequences=sequences, regions=regions, settings=settings, cache=cache)


def _columns(name: str, origin: Origin, cohort: Cohort, units: tuple[Unit, ...], prefix: str) -> Represented:
    table = Table(units, (), np.empty((len(units), 0)))
    for column, known in origin.words:
        table = table.beside(coded_as(units, column, cohort.values(column, units), known))
    return prefixed(Represented(name, table), prefix)


def _with_genes(cohort: Cohort, settings: Any, genes: tuple[str, ...]) -> Cohort:
    """Return the cohort with the genes of training in their order, from whichever table holds them all."""
    for sheet in cohort.sheets.values():
        if set(genes) <= set(sheet.columns):
            return replace(cohort, sheets={**cohort.sheets, settings.table: replace(sheet, columns=genes)})
    nearest = max((len(set(genes) & set(s.columns)) for s in cohort.sheets.values()), default=0)
    got = f"no table with all {len(genes)} genes of the training patients; the best has {nearest}"
    raise InputError("a table of expression", got=got, where="expression")


def _gone(name: str, made: Represented, regions: tuple[str, ...]) -> list[tuple[Unit, str]]:
    """Return regions that units lack, and units without anything; a network takes the first region that is there."""
    out = []
    for gap in made.gaps:
        region = next((r for r in regions if gap.what in (r, f"earlier {r}") or gap.what.endswith(f".{r}")), "")
        if region and name != "network":
            out.append((gap.unit, f"region {region}: {gap.why}"))
        elif gap.what in ("images", "pc"):
            out.append((gap.unit, f"{name}: {gap.why}"))
    rows = made.table.values
    for number, unit in enumerate(made.units):
        nothing = made.learned is None or made.learned.material[number] is None
        if nothing and not (rows.shape[1] and np.isfinite(rows[number]).any()) and unit not in {u for u, _ in out}:
            out.append((unit, f"{name}: nothing could be computed"))
    return out


def _joined(
    ready: Ready, cohort: Cohort, units: tuple[Unit, ...], made: Sequence[Represented], kept: tuple[Unit, ...]
) -> Dataset:
    """Return rows with the columns of training, in their order; one that a unit does not have is NaN."""
    parts, start = [], 0
    card, material = ready.card, []
    for part, origin, one in zip(ready.recipe.representation, card.origins, made, strict=True):
        wanted = card.inputs[start : start + origin.count]
        start += origin.count
        own = {n: one.table.values[:, i] for i, n in enumerate(one.table.names)}
        gone = np.full(len(units), np.nan)
        parts += [own.get(w, own.get(w.removeprefix(f"{part.name}:"), gone)) for w in wanted]
        if one.learned is not None:
            material.append(Material(part.name, one.learned.material, one.learned.make))
    values = np.stack(parts, axis=1) if parts else np.empty((len(units), 0))
    table = Table(units, card.inputs[:start], values)
    unknown = Outcome(Outcomes.REGRESSION, np.zeros((len(units), 1)))
    sites = [cohort.sites.get(u.patient, "") for u in units]
    data = Dataset.of(table, unknown, sites, digital=cohort.digital)
    return replace(data, material=tuple(material)).take([units.index(u) for u in kept])


def _complete(ready: Ready, data: Dataset, lacks: Lacks) -> Dataset | None:
    """Leave out rows with a missing value, where neither a step nor the learner can bear one."""
    if ready.model.fitted.pipeline.learner.takes_missing or any(p.name == "impute" for p in ready.recipe.prepare):
        return data
    x = ready.model.fitted.features(data)
    for unit, row in zip(data.table.units, x, strict=True):
        names = [n for n, v in zip(ready.card.inputs, row, strict=True) if np.isnan(v)]
        lacks[unit] += [f"feature {n}" for n in names[:5]] + ([f"{len(names) - 5} more"] if len(names) > 5 else [])
    whole = ~np.isnan(x).any(axis=1)
    return data.take(whole) if whole.any() else None


def _study(cohort: Cohort, unit: Unit, recipe: Recipe) -> str:
    for part in recipe.representation:
        what = REPRESENTATIONS[part.name]
        if isinstance(what, OfImages):
            try:
                return what.studies(unit, _job(part, recipe, cohort, (unit,)))[0]
            except NotThere:
                return unit.study
    return unit.study
