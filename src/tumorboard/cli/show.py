"""What a run shows: why each file was taken, a bar while it works, costs and results at the end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tumorboard.chain import Done, PatientsFailed, check_output, run_intake
from tumorboard.chain.trip import STAGES_OF
from tumorboard.cli.keyboard import stop_if_asked
from tumorboard.intake import Intake, IntakeRequest, take_in
from tumorboard.provenance import Cost
from tumorboard.settings import RunSettings
from tumorboard.stages import Step

MAX_ROWS = 60
"""Most rows of a table of decisions; the rest is counted."""

console = Console(soft_wrap=False)


def run_and_show(request: IntakeRequest, out: Path, settings: RunSettings, until: str) -> Done:
    """Run the chain on a request, showing decisions, progress, costs and where results lie.

    Raises
    ------
    InputError
        The input is refused.
    PartialFailure
        Some patients failed; they are tabulated first.
    """
    check_output(out, request)
    intake = take_in(request)
    show_decisions(intake)
    steps: list[Step] = []
    stages = len(STAGES_OF[until])
    asks = bool(settings.models)
    total = sum(
        stages * len(p.studies) + (until == "report") * (1 + (len(p.studies) > 1) + asks) for p in intake.patients
    )
    try:
        with _progress() as progress:
            task = progress.add_task("starting", total=total)

            def listen(step: Step) -> None:
                stop_if_asked()
                progress.update(task, description=f"{step.study} {step.stage}")
                if step.state != "start":
                    steps.append(step)
                    progress.advance(task)

            done = run_intake(intake, request, out, settings, listen, until)
    except PatientsFailed as error:
        show_costs(steps)
        _show_done(error.done, until, said=len(intake.warnings))
        _show_failures(error.done)
        raise
    show_costs(steps)
    _show_done(done, until, said=len(intake.warnings))
    return done


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} stages"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def show_decisions(intake: Intake) -> None:
    """Print why each file was taken for its role, and intake's warnings."""
    table = Table("patient", "study", "taken for", title="What was recognised", title_justify="left")
    table.add_column("file", overflow="fold")
    table.add_column("because", overflow="fold")
    for d in intake.decisions[:MAX_ROWS]:
        table.add_row(d.patient, d.study, d.role, escape(d.name), escape(d.reason))
    console.print(table)
    if len(intake.decisions) > MAX_ROWS:
        console.print(f"... and {len(intake.decisions) - MAX_ROWS} more.")
    show_warnings(intake.warnings)


def show_costs(steps: list[Step]) -> None:
    """Print CPU time and peak memory of every stage; ``kept`` were whole already."""
    table = Table("study", "stage", "state", title="Cost", title_justify="left")
    table.add_column("CPU s", justify="right")
    table.add_column("peak MiB", justify="right")
    for step in steps[-MAX_ROWS:]:
        cost = step.cost or Cost()
        table.add_row(step.study, step.stage, step.state, f"{cost.cpu_s:.1f}", f"{cost.peak_mib:.0f}")
    total = sum(s.cost.cpu_s for s in steps if s.cost and s.state == "done")
    table.add_row("", "", "sum of done", f"{total:.1f}", "")
    console.print(table)


def _show_failures(done: Done) -> None:
    table = Table("patient", "why not", title="Patients that failed", title_justify="left")
    for pseudonym, message in done.failures:
        table.add_row(pseudonym, escape(message))
    console.print(table)


def show_warnings(warnings: Iterable[str]) -> None:
    """Print warnings, one a line."""
    for warning in warnings:
        console.print(f"[yellow]warning:[/] {escape(warning)}", highlight=False)


def _show_done(done: Done, until: str, said: int) -> None:
    """Print where results lie, and the warnings after the first ``said``, which intake's table held."""
    show_warnings(done.warnings[said:])
    for folder in done.folders:
        name = f"{folder.root.name}/report.html" if until == "report" else folder.root.name
        console.print(f"[green]done:[/] {name} in the output folder", highlight=False)
    if until == "report" and len(done.folders) == 1:
        opened = f"open {done.folders[0].root / 'report.html'}"
        console.print(opened, soft_wrap=True, highlight=False, markup=False)
