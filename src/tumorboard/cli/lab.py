"""``lab``: recipes of published systems – listed, shown, run on a cohort, compared, written anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tumorboard.errors import InputError

if TYPE_CHECKING:
    from tumorboard.appraise import RunFacts
    from tumorboard.lab.cohort import Cohort
    from tumorboard.lab.run import Run

app = typer.Typer(
    no_args_is_help=True,
    help="Run published systems as recipes on a cohort, validated without leakage.",
)

Recipe = Annotated[str, typer.Argument(help="Id of a recipe (see `lab list`), or a YAML file.", show_default=False)]
Place = Annotated[
    Path,
    typer.Argument(help="Cohort: of simulate, BIDS, BraTS, results of run, or a CSV table.", show_default=False),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for results.", show_default=False)]
Tables = Annotated[
    list[Path] | None, typer.Option("--table", help="Further tables by patient; may be repeated.", show_default=False)
]
External = Annotated[
    Path | None, typer.Option("--external", help="Another cohort, which is only tested.", show_default=False)
]
Null = Annotated[bool, typer.Option("--null", help="Shuffle outcomes first: what is found then is optimism.")]
Scheme = Annotated[str | None, typer.Option("--scheme", help="Scheme of the masks' values.", show_default=False)]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes.")]
Folders = Annotated[list[Path], typer.Argument(help="Results of `lab run`.", show_default=False)]
Every = Annotated[bool, typer.Option("--every", help="Every metric, not only the leading and the published ones.")]
Results = Annotated[Path, typer.Argument(help="Results of `lab run`.", show_default=False)]
Checklists = Annotated[
    list[str] | None, typer.Option("--checklist", help="Print its items; may be repeated.", show_default=False)
]
Authors = Annotated[Path | None, typer.Option("--authors", help="What the author tells, as YAML.", show_default=False)]
Studies = Annotated[
    list[Path], typer.Argument(help="CSV of studies, one a line; or results of `lab run`.", show_default=False)
]
Trained = Annotated[Path, typer.Argument(help="Folder with a model of `lab run`.", show_default=False)]
Case = Annotated[Path, typer.Argument(help="Case folder of a patient: OUT/sub-… of `run`.", show_default=False)]
PageOut = Annotated[Path, typer.Option("--out", "-o", help="PDF to write.", show_default=False)]
Clinical = Annotated[
    list[Path] | None,
    typer.Option("--clinical", help="Table by patient (CSV or TSV); may be repeated.", show_default=False),
]
New = Annotated[Path, typer.Argument(help="YAML file to write.", show_default=False)]
Kind = Annotated[str, typer.Option("--kind", help="binary, multiclass, survival or regression.")]
Column = Annotated[str, typer.Option("--column", help="Of the outcome; of survival DAYS,EVENT.")]
From = Annotated[list[str] | None, typer.Option("--from", help="Representation; may be repeated.", show_default=False)]
Sequences = Annotated[
    list[str] | None, typer.Option("--sequence", help="Of images; may be repeated.", show_default=False)
]


def register_lab(root: typer.Typer) -> None:
    """Add the command to the table of commands."""
    root.add_typer(app, name="lab")


@app.command("list")
def _list() -> None:
    """List the recipes that come with tumorboard."""
    from rich.table import Table

    from tumorboard.cli.show import console
    from tumorboard.lab.shelf import list_recipes

    table = Table("id", "title", "outcome", "sequences", "sentence")
    for one in list_recipes():
        table.add_row(one.id, one.title, one.outcome, " ".join(one.needs), one.sentence)
    console.print(table)


@app.command("show")
def _show(recipe: Recipe) -> None:
    """Print a recipe with every default written out."""
    from tumorboard.lab.shelf import show_recipe

    typer.echo(show_recipe(recipe), nl=False)


@app.command("run")
def _run(  # each parameter is an option of the command line
    recipe: Recipe,
    cohort: Place,
    out: Out,
    table: Tables = None,
    external: External = None,
    null: Null = False,
    scheme: Scheme = None,
    workers: Workers = 1,
) -> None:
    """Run a recipe on a cohort: predictions out of fold, metrics with intervals, the model, facts and a page."""
    from rich.progress import Progress

    from tumorboard.cli.show import console, show_warnings
    from tumorboard.lab import read_recipe, run_recipe

    asked = read_recipe(recipe)
    people = _cohort(cohort, scheme, table or [])
    others = None if external is None else _cohort(external, scheme, [])
    with Progress(console=console) as progress:
        task = progress.add_task(f"{asked.id}: folds, then explanations", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        made = run_recipe(asked, people, out, external=others, null=null, workers=workers, tell=tell)
    _show_run(made)
    show_warnings(made.warnings)
    console.print(f"page: {out / 'page.html'}", highlight=False)


def _cohort(place: Path, scheme: str | None, tables: list[Path]) -> Cohort:
    from tumorboard.lab.cohort import read_cohort

    return read_cohort(place, scheme, tables)


def _show_run(run: Run) -> None:
    """Print metrics with intervals beside what was published, under the name of their world."""
    from rich.table import Table

    from tumorboard.cli.show import console
    from tumorboard.lab.page import in_words

    title = f"{run.recipe.id} on {run.world}: {len(run.rows)} rows, {run.recipe.validation.name}"
    table = Table("metric", "measured (95 %)", "plain model", "published", title=title, title_justify="left")
    for name, found in run.metrics.items():
        plain = in_words(run.reference[name]) if name in run.reference else ""
        table.add_row(name, in_words(found), plain, str(run.recipe.published.get(name, "")))
    console.print(table)


@app.command("compare")
def _compare(folders: Folders, every: Every = False) -> None:
    """Print results of several runs side by side, each with its world."""
    from rich.table import Table

    from tumorboard.cli.show import console
    from tumorboard.lab.shelf import compare

    table = Table("recipe", "world", "metric", "measured (95 %)", "n", "published")
    for line in compare(folders, leading=not every):
        measured = "not assessable" if line.value is None else f"{line.value:.3f}"
        if line.low is not None and line.high is not None:
            measured += f" ({line.low:.3f} to {line.high:.3f})"
        table.add_row(line.recipe, line.world, line.metric, measured, str(line.n), line.published)
    console.print(table)


@app.command("appraise")
def _appraise(results: Results, checklist: Checklists = None, authors: Authors = None) -> None:
    """Answer the checklists of a run again, with what its author tells in authors.yaml (made where there is none)."""
    from rich.table import Table

    from tumorboard.appraise import Answer
    from tumorboard.appraise.beside import appraise_again
    from tumorboard.appraise.text import range_words
    from tumorboard.cli.show import console

    found = appraise_again(results, authors, checklist or [])
    table = Table("checklist", *(a.value for a in Answer), "score")
    for one in found.appraisals:
        title = f"{one.checklist.id} ({one.checklist.version})"
        table.add_row(title, *(str(one.count(a)) for a in Answer), range_words(one.score))
    console.print(table)
    if checklist:
        items = Table("item", "asks", "answer", "evidence, or what is missing")
        for a in (a for one in found.appraisals for a in one.answers):
            items.add_row(a.item.number, a.item.text, a.answer.value, a.evidence or a.missing)
        console.print(items)
    console.print(f"page: {found.page}", highlight=False)
    if not found.told:
        console.print(f"what only you know: {found.form}; fill it in and call this again", highlight=False)


@app.command("audit")
def _audit(table: Studies, out: Out) -> None:
    """Count what studies did (external tests, calibration, sample size …), and score them by every checklist."""
    from tumorboard.appraise.audit import audit
    from tumorboard.appraise.audit_write import write_audit
    from tumorboard.appraise.beside import facts_of_folder
    from tumorboard.appraise.studies import read_studies
    from tumorboard.cli.show import console

    found: dict[str, RunFacts] = {}
    for place in table:
        found |= {place.name: facts_of_folder(place)} if place.is_dir() else read_studies(place)
    console.print(f"page: {write_audit(audit(found), out)}", highlight=False)


@app.command("page")
def _page(model: Trained, case: Case, out: PageOut, clinical: Clinical = None) -> None:
    """Print what a model says of a patient on one A4 page: prediction, confidence, drivers, similar patients."""
    from tumorboard.cli.show import console, show_warnings
    from tumorboard.lab.apply import case_page

    made = case_page(model, case, out, clinical or [])
    show_warnings(f"without an answer: {line}" for line in made.missing)
    console.print(f"page: {out}", highlight=False)


@app.command("new")
def _new(
    file: New,
    kind: Kind = "binary",
    column: Column = "idh",
    representation: From = None,
    sequence: Sequences = None,
) -> None:
    """Write a new recipe that runs as it is; comments tell what may be changed."""
    from tumorboard.cli.show import console
    from tumorboard.lab.shelf import new_recipe
    from tumorboard.store import write_atomic

    if file.exists():
        raise InputError("the name of a new file", got="one that is there", where="lab new", remedy="give another name")
    text = new_recipe(file.stem, kind, column, representation or ["clinical"], sequence or [])
    write_atomic(file, text)
    console.print(f"recipe: {file}; run it with `tumorboard lab run {file} COHORT --out RESULTS`", highlight=False)
