"""Recipes on the shelf, results side by side, and the text of a new recipe.

Why it exists: the command line only prints; what it prints is made here, so that a notebook has the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorboard.errors import InputError
from tumorboard.lab.recipe import Recipe, parse_recipe, read_recipe, recipe_names


@dataclass(frozen=True)
class Listed:
    """A recipe in one line.

    Parameters
    ----------
    id, title : str
        Of the recipe.
    outcome : str
        Kind and columns.
    needs : tuple of str
        Sequences.
    sentence : str
        Representation, learner and validation.
    """

    id: str
    title: str
    outcome: str
    needs: tuple[str, ...]
    sentence: str


def list_recipes(names: Iterable[str] | None = None) -> tuple[Listed, ...]:
    """Return the recipes of the package, or those that are named.

    Raises
    ------
    InputError
        There is none of a name.

    Examples
    --------
    >>> list_recipes(["example"])[0].sentence
    'clinical → logistic, kfold'
    """
    return tuple(_listed(read_recipe(n)) for n in (recipe_names() if names is None else names))


def _listed(recipe: Recipe) -> Listed:
    parts = " + ".join(p.name for p in recipe.representation)
    outcome = f"{recipe.endpoint.kind.value}: {', '.join(recipe.endpoint.sources)}"
    sentence = f"{parts} → {recipe.learner.name}, {recipe.validation.name}"
    return Listed(recipe.id, recipe.title, outcome, recipe.sequences, sentence)


def show_recipe(name: str | Path) -> str:
    """Return a recipe as YAML with every default written out.

    Raises
    ------
    InputError
        There is none of that name.

    Examples
    --------
    >>> show_recipe("example").splitlines()[0]
    'id: example'
    """
    return read_recipe(name).as_yaml()


def new_recipe(
    name: str,
    kind: str = "binary",
    column: str = "idh",
    representation: Sequence[str] = ("clinical",),
    sequences: Sequence[str] = (),
) -> str:
    """Return the text of a new recipe that runs as it is; what may be changed is told in comments.

    Parameters
    ----------
    name : str
        Its id.
    kind : str
        ``binary``, ``multiclass``, ``survival`` or ``regression``.
    column : str
        Of the outcome; of survival ``DAYS,EVENT``.
    representation : sequence of str
        What is computed.
    sequences : sequence of str
        Of images; their region then is the tumour core.

    Raises
    ------
    InputError
        A kind or a part that does not exist.

    Examples
    --------
    >>> parse_recipe(new_recipe("mine", "survival", "survival_days,dead")).learner.name
    'cox'
    """
    learners = {"binary": "logistic", "multiclass": "logistic", "survival": "cox", "regression": "ridge"}
    if kind not in learners:
        raise InputError(f"a kind of {', '.join(learners)}", got=repr(kind), where="new recipe")
    days, _, event = column.partition(",")
    if kind == "survival" and not event:
        raise InputError("two columns, as survival_days,dead", got="one", where="new recipe")
    ends = {"survival": f"days: {days}, event: {event}", "binary": f'column: {column}, positive: "1", negative: "0"'}
    lines = [
        f"id: {name}",
        f"title: {column} from {' and '.join(representation)}",
        "cites: none",
        "question: What is asked, in one sentence?",
        f"endpoint: {{kind: {kind}, {ends.get(kind, f'column: {column}')}}}",
        "unit: patient                     # or lesion; lesions of one patient stay together",
        f"sequences: [{', '.join(sequences)}]",
        f"region: [{'TC' if sequences else 'none'}]",
        "representation:",
        *(f"  - {{name: {r}}}" for r in representation),
        "prepare:                          # in this order, all inside the folds",
        "  - {name: impute, how: mean}",
        "  - {name: variance}",
        "  - {name: zscore}",
        f"learner: {{name: {learners[kind]}}}",
        "validation: {name: kfold, folds: 5}",
    ]
    text = "\n".join(lines) + "\n"
    parse_recipe(text)
    return text


@dataclass(frozen=True)
class Compared:
    """One metric of one run.

    Parameters
    ----------
    recipe, metric, world : str
        Of the run.
    published : str
        What the paper reports; empty where nothing.
    value, low, high : float or None
        Measured.
    n : int
        Rows or patients.
    """

    recipe: str
    metric: str
    world: str
    published: str
    value: float | None
    low: float | None
    high: float | None
    n: int


def compare(folders: Iterable[Path], leading: bool = True) -> tuple[Compared, ...]:
    """Return results of several runs, each line with its world.

    Parameters
    ----------
    folders : iterable of Path
        Results of runs.
    leading : bool
        Only the leading metric and those that were published.

    Raises
    ------
    InputError
        A folder holds no results.
    """
    out: list[Compared] = []
    for folder in folders:
        try:
            raw: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
            metrics, published = raw["metrics"], raw["published"]
            first = raw["leading"]
            wanted = [n for n in metrics if not leading or n in published or n == first]
            out += [
                Compared(
                    *(raw["recipe"], n, raw["world"], str(published.get(n, ""))),
                    *(metrics[n][k] for k in ("value", "low", "high", "n")),
                )
                for n in wanted
            ]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError("a folder that `tumorboard lab run` wrote", got="another", where="compare") from error
    return tuple(out)
