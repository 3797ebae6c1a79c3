"""``validate``: would a run be sound? A table of every check, before any time is spent.

Why it exists: users ask for it in every tool of the field. It reads and checks what a run would, and
writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from rich.markup import escape
from rich.table import Table

from tumorboard.cli.show import console, show_decisions
from tumorboard.errors import InputError, PartialFailure
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.io.images import read_volume
from tumorboard.labels import LabelMap
from tumorboard.prepare.brain import brain_mask
from tumorboard.prepare.prepare import read_study
from tumorboard.prepare.unify import unify
from tumorboard.sequences import USED, Sequence
from tumorboard.stages import STAGES
from tumorboard.study import StudyInput


@dataclass(frozen=True)
class Check:
    """One row: what was looked at, whether it is fine, and what was seen."""

    study: str
    what: str
    fine: bool
    seen: str


def preflight(request: IntakeRequest) -> None:
    """Check a request and print a table.

    Raises
    ------
    InputError
        No study would run soundly (exit code 2).
    PartialFailure
        Some would not (exit code 3).
    """
    intake = take_in(request)
    show_decisions(intake)
    checks = [
        replace(c, study=f"{p.pseudonym} {c.study}") for p in intake.patients for s in p.studies for c in checks_of(s)
    ]
    table = Table("study", "check", "", "what was seen", title="Pre-flight", title_justify="left")
    for check in checks:
        table.add_row(check.study, check.what, "[green]fine[/]" if check.fine else "[red]no[/]", escape(check.seen))
    console.print(table)
    bad = {c.study for c in checks if not c.fine}
    good = {c.study for c in checks} - bad
    if bad:
        told = f"{len(bad)} of {len(bad | good)} that are not"
        raise (PartialFailure if good and len(intake.patients) > 1 else InputError)(
            "studies that can be run soundly", got=told, remedy="see the table"
        )


def checks_of(source: StudyInput) -> Iterator[Check]:
    """Yield the checks of one study, in the order in which a run would meet them."""
    try:
        volumes = read_study(source)
        yield Check(source.id, "files", True, ", ".join(s.value for s in volumes))
        unified = unify(volumes)
        grid = unified.volumes[unified.reference].grid
        size = " x ".join(str(n) for n in grid.shape) + " of " + " x ".join(f"{s:g}" for s in grid.spacing_mm) + " mm"
        yield Check(source.id, "grid", True, "; ".join([f"{unified.reference.value}: {size}", *unified.notes]))
        brain = brain_mask(unified.volumes, grid)
        yield Check(source.id, "brain", True, f"{float(brain.sum()) * grid.voxel_volume_ml:.0f} mL, skull-stripped")
        if source.labels is not None:
            own = LabelMap.from_scheme(read_volume(source.labels.path, "labels"), source.labels.scheme).canonical()
            told = grid.explain_mismatch(own.grid, (unified.reference.value, "labels"))
            yield Check(source.id, "labels", not told, told or f"scheme {source.labels.scheme}")
        yield from _sequences(source)
        need = STAGES["measure"].memory_mib(int(brain.size))
        yield Check(source.id, "memory", True, f"about {need:.0f} MiB for the largest stage")
    except InputError as error:
        yield Check(source.id, "input", False, str(error))


def _sequences(source: StudyInput) -> Iterator[Check]:
    missing = [s for s in USED if s not in source.files]
    if Sequence.T1C in missing:
        yield Check(source.id, "T1C", True, "missing: enhancing quantities will be not assessable")
    if Sequence.FLAIR in missing:
        told = "missing: T2 takes its place" if Sequence.T2 in source.files else "missing: no tumour can be outlined"
        yield Check(source.id, "FLAIR", True, told)
