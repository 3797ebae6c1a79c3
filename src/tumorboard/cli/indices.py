"""``index``: a prognostic index, or the integrated diagnosis, from facts that are typed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tumorboard.errors import InputError

if TYPE_CHECKING:
    from tumorboard.respond.indices.base import IndexResult
    from tumorboard.respond.indices.who2021 import IntegratedDiagnosis

WHO = "who-2021"
"""The integrated diagnosis, beside the indices of the tables."""

Name = Annotated[str, typer.Argument(help="Index, for example gpa-renal-2018; none lists them all.")]
Facts = Annotated[list[str] | None, typer.Argument(help="What is known: factor=value.", show_default=False)]
Months = Annotated[bool, typer.Option("--months", help="Tell the median survival of the group in the source too.")]
Who2016 = Annotated[bool, typer.Option("--who2016", help="Name the WHO diagnosis as in 2016 too.")]
TableFile = Annotated[
    Path | None, typer.Option("--table", help="Your own tables (TOML) instead of ours.", show_default=False)
]
Json = Annotated[Path | None, typer.Option("--json", help="Write the result here too.", show_default=False)]


def _index(
    name: Name = "",
    facts: Facts = None,
    months: Months = False,
    who2016: Who2016 = False,
    table: TableFile = None,
    json: Json = None,
) -> None:
    """Compute a prognostic index (GPA, RPA, RANO resect, BMV), or the WHO 2021 diagnosis, from what is known."""
    from tumorboard.respond.indices import assess
    from tumorboard.respond.indices.who2021 import integrated_diagnosis
    from tumorboard.store import write_json

    if not name:
        _show_all(table)
        return
    if name == WHO:
        diagnosis = integrated_diagnosis(_pairs(facts or []), who2016=who2016)
        _show_diagnosis(diagnosis)
        held = diagnosis.as_dict()
    else:
        result = assess(name, _pairs(facts or []), months=months, table=table)
        _show_index(result)
        held = result.as_dict()
    if json is not None:
        write_json(json, held)


def _pairs(texts: list[str]) -> dict[str, str]:
    """Return facts by factor from ``factor=value``."""
    pairs: dict[str, str] = {}
    for text in texts:
        factor, sign, value = text.partition("=")
        if not sign or not factor.strip() or factor.strip() in pairs:
            got = "a factor twice" if sign and factor.strip() else "other text"
            remedy = "write for example kps=80"
            raise InputError("factor=value, each factor once", got=got, where="index", remedy=remedy)
        pairs[factor.strip()] = value.strip()
    return pairs


def _print(*lines: str) -> None:
    from rich.console import Console

    for line in lines:
        Console().print(line, soft_wrap=True, highlight=False, markup=False)


def _show_index(result: IndexResult) -> None:
    """Print the sentence, the facts with their points, and the source."""
    from rich.console import Console
    from rich.table import Table

    _print(result.sentence)
    table = Table("factor", "told", "points")
    for name, fact in result.facts.items():
        told = "?" if fact is None else f"{fact:g}" if isinstance(fact, float) else fact
        points = result.points.get(name)
        table.add_row(name, told, "" if points is None else f"{points:g}")
    Console().print(table)
    _print(f"{result.source}; version {result.version}")


def _show_diagnosis(result: IntegratedDiagnosis) -> None:
    """Print the sentence, the other possibilities, and what each missing marker could change."""
    from rich.console import Console
    from rich.table import Table

    _print(result.sentence)
    if result.who2016 is not None:
        _print(f"WHO 2016: {result.who2016 or 'open'}")
    if len(result.possible) > 1:
        _print("Possible:", *(f"  {name}" for name in result.possible))
    if result.would_change:
        table = Table("marker", "if positive", "if negative", title="What is missing", title_justify="left")
        for name, answers in result.would_change.items():
            table.add_row(name, answers["positive"], answers["negative"])
        Console().print(table)
    _print(*(f"Unverified: {text}" for text in result.unverified), f"{result.source}; version {result.version}")


def _show_all(path: Path | None) -> None:
    """Print what can be computed and what it asks, and what is not shipped."""
    from rich.console import Console
    from rich.table import Table

    from tumorboard.respond.indices import factors_of
    from tumorboard.respond.indices.tables import shipped
    from tumorboard.respond.indices.who2021 import words

    asked: Mapping[str, tuple[str, ...]] = factors_of(path)
    asked = asked if path is not None else {**asked, WHO: tuple(words().markers)}
    table = Table("index", "asks", title="Indices", title_justify="left")
    for name, factors in asked.items():
        table.add_row(name, ", ".join(factors))
    Console().print(table)
    if path is None:
        left_out = shipped().not_shipped.items()
        _print(*(f"not shipped: {name} ({why}); give your own with --table" for name, why in left_out))


def register_indices(app: typer.Typer) -> None:
    """Enrol the command."""
    app.command("index")(_index)
