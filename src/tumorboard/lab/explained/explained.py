"""Explanations beside the model of a run: made, judged, and kept so that a run that was killed goes on.

Why it exists: a number without a reason is not discussed at a board, and a reason that nobody tested is worse than
none. Every run is explained by the same rules, whatever learned; what cannot be explained is told with why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

from tumorboard.lab.explained.asked import OfColumns
from tumorboard.lab.explained.questions import questions
from tumorboard.lab.explained.refitted import OutOfFold, refitted
from tumorboard.lab.explained.shown import Keeper, Made, Missing, Shown
from tumorboard.lab.explained.tables import explain_alone, explain_classes, explain_columns
from tumorboard.lab.fold import fold_key
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.run import Run
from tumorboard.store import digest

VERSION = "1"
"""Changes whenever an explanation may."""

DEEP = "what a deep feature stands for is not known: its columns are named by their channel, not by what they see"

Step = tuple[str, Callable[[], Made]]
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Explained:
    """What explains a run.

    Parameters
    ----------
    parts : tuple of Shown
        Explanations, in the order of the page.
    missing : tuple of Missing
        What is not explained, and why.
    world : str
        Whose rows.
    """

    parts: tuple[Shown, ...]
    missing: tuple[Missing, ...]
    world: str

    def of(self, group: str) -> tuple[Shown, ...]:
        """Return the explanations of one group."""
        return tuple(part for part in self.parts if part.group == group)


def explain_run(run: Run, cache: Path | None = None, tell: Tell | None = None) -> Explained:
    """Explain the model of a run.

    Parameters
    ----------
    run : Run
        That ended.
    cache : Path, optional
        Folder where finished steps are kept.
    tell : callable, optional
        Called with steps done and steps in all.

    Returns
    -------
    Explained
        Equal for equal runs.

    Examples
    --------
    >>> import numpy as np
    >>> from tumorboard.lab import Dataset, Outcome, Table, Unit, run_recipe
    >>> x = np.random.default_rng(0).normal(size=(40, 2))
    >>> table = Table.of([Unit(f"P{n}") for n in range(40)], {"size": x[:, 0], "noise": x[:, 1]})
    >>> found = explain_run(run_recipe("example", Dataset.of(table, Outcome.binary(x[:, 0] > 0))))
    >>> [part.slug for part in found.of("columns")]
    ['shap', 'importance', 'effects', 'rules']
    """
    keeper = Keeper(cache, _key(run))
    made = keeper.made("all", lambda: _all(run, keeper, tell))
    return Explained(made.parts, made.missing, run.world)


def _all(run: Run, keeper: Keeper, tell: Tell | None) -> Made:
    steps = _steps(run)
    parts: list[Shown] = []
    missing: list[Missing] = []
    for number, (name, make) in enumerate(steps, 1):
        made = keeper.made(name, make)
        parts += made.parts
        missing += made.missing
        if tell is not None:
            tell(number, len(steps))
    return Made(parts=tuple(parts), missing=(*missing, *_not_made(run)))


def _key(run: Run) -> str:
    folds = [fold_key(run.recipe, run.data, r.fold) for r in run.folds]
    return digest(VERSION, version("shap"), run.recipe.as_yaml(), run.world, *folds)


def _steps(run: Run) -> list[Step]:
    if run.fitted.pipeline.learner.takes_images:
        return _network_steps(run)
    source = cache(partial(refitted, run))
    asked = questions(run.recipe.endpoint, run.data.outcome)
    steps: list[Step] = [
        (f"columns-{n + 1}", partial(_columns, run, source, n, len(asked) > 1)) for n in range(len(asked))
    ]
    of_all = questions(run.recipe.endpoint, run.training.outcome)[0]
    return [*steps, ("prototypes", partial(explain_classes, run, of_all))]


def _columns(run: Run, source: Callable[[], OutOfFold], number: int, several: bool) -> Made:
    return explain_columns(_of_columns(run, source(), number, several))


def _of_columns(run: Run, source: OutOfFold, number: int, several: bool) -> OfColumns:
    asked = questions(run.recipe.endpoint, run.data.outcome.take(source.rows))
    column = questions(run.recipe.endpoint, run.data.outcome)[number].column
    question = next(q for q in asked if q.column == column)
    return OfColumns(run, source, question, number, several)


def _network_steps(run: Run) -> list[Step]:
    from tumorboard.lab.explained.networks import steps_of
    from tumorboard.lab.explained.seen import OfImages

    source = refitted(run, alone=True)
    asked = questions(run.recipe.endpoint, run.data.outcome.take(source.rows))
    steps = steps_of(OfImages(run, source, asked))
    if source.names:
        steps.append(("beside", lambda: explain_alone(OfColumns(run, source, asked[0]))))
    return steps


def _not_made(run: Run) -> tuple[Missing, ...]:
    found = []
    if any(p.name == "deep" for p in run.recipe.representation):
        found.append(Missing(what="deep features", why=DEEP))
    if run.data.outcome.kind in (Outcomes.MULTICLASS, Outcomes.MULTILABEL):
        names = len(run.data.outcome.names)
        asked = len(questions(run.recipe.endpoint, run.data.outcome))
        if asked < names:
            found.append(Missing(what=f"{names - asked} of {names} classes", why="those with fewest patients"))
    return tuple(found)
