"""One explanation as it is kept, written and printed, and what could not be explained.

Why it exists: seventeen kinds of explanation come with types of their own. A folder, a page and a cache need one thing:
a title, the model that was asked, a sentence, what speaks against it, numbers as rows, and pictures.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tumorboard.explain.explanation import Explanation
from tumorboard.report.model import Picture
from tumorboard.store import write_json

Cell = str | int | float
Group = Literal["columns", "patients", "images"]

TABLES: dict[str, tuple[str, ...]] = {
    "importance": ("answer", "method", "unit", "columns", "value", "low", "high", "rows"),
    "shap": ("answer", "unit", "patient", "study", "lesion", "base", "told", "column", "value", "contribution"),
    "effects": ("answer", "method", "column", "at", "value", "low", "high"),
    "rules": ("answer", "conditions", "told", "rows"),
    "prototypes": ("patient", "class", "stands_for"),
    "cases": ("answer", "patient", "why", "kind", "like", "class", "distance"),
    "maps": (
        *("answer", "patient", "method", "region", "share", "by_chance", "lift"),
        *("random_weights_correlation", "random_weights_passed"),
    ),
    "sequences": ("answer", "patient", "method", "part", "value"),
}
"""Files of comma-separated values and their columns."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Check(_Frozen):
    """What a test of an explanation found.

    Parameters
    ----------
    ground : str
        What was tested: ``place``, ``weights``, ``fidelity`` …
    verdict : str
        In words.
    passed : bool
        Whether the explanation may be read.
    """

    ground: str
    verdict: str
    passed: bool


class Shown(_Frozen):
    """One explanation.

    Parameters
    ----------
    slug : str
        Names its pictures; holds no pseudonym.
    title : str
        Above it on the page.
    group : str
        ``columns``: of the model; ``patients``: single ones by columns; ``images``: where a network looked.
    how : str
        Which model was asked, and about which rows.
    method, taxonomy, cites, sentence : str
        As :class:`~tumorboard.explain.Explanation` has them.
    warnings : tuple of str
        What speaks against it.
    checks : tuple of Check
        Tests of it.
    record : mapping
        All of it, as JSON.
    table : str
        Which of :data:`TABLES` its rows belong to.
    rows : tuple of tuple
        As that file has columns.
    pictures : tuple of Picture
        Drawn.
    """

    slug: str
    title: str
    group: Group
    how: str
    method: str
    taxonomy: str
    cites: str
    sentence: str
    warnings: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    record: Mapping[str, Any] = Field(default_factory=dict)
    table: str = ""
    rows: tuple[tuple[Cell, ...], ...] = ()
    pictures: tuple[Picture, ...] = ()


class Missing(_Frozen):
    """What is not explained, and why."""

    what: str
    why: str


class Made(_Frozen):
    """What one step of explaining gave."""

    parts: tuple[Shown, ...] = ()
    missing: tuple[Missing, ...] = ()


def shown(  # noqa: PLR0913 - what an explanation does not know of itself, by name
    found: Explanation,
    *,
    slug: str,
    title: str,
    group: Group,
    how: str,
    table: str = "",
    rows: list[tuple[Cell, ...]] | None = None,
    pictures: tuple[Picture, ...] = (),
    checks: tuple[Check, ...] = (),
) -> Shown:
    """Return an explanation with what it does not know of itself.

    Examples
    --------
    >>> from tumorboard.explain.tables.attention import attention_weights
    >>> shown(attention_weights([1.0], ("day 1",)), slug="a", title="A", group="images", how="final model").taxonomy
    'local, ante-hoc'
    """
    return Shown(
        slug=slug, title=title, group=group, how=how, method=found.method, taxonomy=found.taxonomy, cites=found.cites,
        sentence=found.sentence, warnings=found.warnings, checks=checks, record=found.record(), table=table,
        rows=tuple(rows or ()), pictures=pictures,
    )  # fmt: skip


class Keeper:
    """Finished steps on disk, so that a run that was killed goes on where it was.

    Parameters
    ----------
    folder : Path or None
        Where they lie; None keeps nothing.
    key : str
        Hash of all that the explanations depend on.
    """

    def __init__(self, folder: Path | None, key: str) -> None:
        self.folder, self.key = folder, key

    def made(self, name: str, make: Callable[[], Made]) -> Made:
        """Return what was kept of a step, or make and keep it; what is damaged is made anew."""
        if self.folder is None:
            return make()
        place = self.folder / f"{self.key[:32]}-{name}.json"
        try:
            return Made.model_validate(json.loads(place.read_text(encoding="utf-8")))
        except (OSError, ValueError, ValidationError):
            made = make()
            write_json(place, made.model_dump(mode="json"))
            return Made.model_validate(json.loads(made.model_dump_json()))
