"""``validate``: would a run be sound? A table of every check, before any time is spent.

Why it exists: users ask for it in every tool of the field. It reads and checks what a run would, and
writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from rich.markup import escape
from rich.table import Table

from tumorboard.chain.outline import placed_on, read_masks
from tumorboard.cli.show import console, show_decisions
from tumorboard.errors import InputError, PartialFailure
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.io.images import read_volume
from tumorboard.prepare.brain import brain_mask
from tumorboard.prepare.prepare import read_study
from tumorboard.prepare.quality import assess
from tumorboard.prepare.skull import head_mask, is_head, own_brain_mask
from tumorboard.prepare.unify import unify
from tumorboard.sequences import REFERENCE_ORDER, USED, Sequence
from tumorboard.stages import STAGES
from tumorboard.study import StudyInput
from tumorboard.volume import Grid, Volume


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
    for patient in intake.patients:
        for study in patient.studies:
            _show_protocol(f"{patient.pseudonym} {study.id}", study.protocol)
    bad = {c.study for c in checks if not c.fine}
    good = {c.study for c in checks} - bad
    if bad:
        told = f"{len(bad)} of {len(bad | good)} that are not"
        raise (PartialFailure if good and len(intake.patients) > 1 else InputError)(
            "studies that can be run soundly", got=told, remedy="see the table"
        )


def _show_protocol(study: str, lines: tuple[tuple[str, str, str, str], ...]) -> None:
    """Print how a study compares with the consensus protocols; nothing for images that have no headers."""
    if not lines:
        return
    table = Table("protocol", "asked", "answer", "seen", title=f"{study}: consensus protocols (unverified)")
    for name, asked, answer, seen in lines:
        table.add_row(name, asked, answer, escape(seen))
    console.print(table)


def checks_of(source: StudyInput) -> Iterator[Check]:
    """Yield the checks of one study, in the order in which a run would meet them."""
    try:
        volumes = read_study(source)
        yield Check(source.id, "files", True, ", ".join(s.value for s in volumes))
        reference = next(s for s in REFERENCE_ORDER if s in volumes)
        native = source.brain_mask is not None or any(is_head(volume) for volume in volumes.values())
        yield from _heads(source, volumes, reference) if native else _prepared(source, volumes)
        if source.labels is not None:
            yield _labels(source, volumes[reference])
        yield from _sequences(source)
        need = STAGES["measure"].memory_mib(max(volume.data.size for volume in volumes.values()))
        yield Check(source.id, "memory", True, f"about {need:.0f} MiB for the largest stage")
    except InputError as error:
        yield Check(source.id, "input", False, str(error))


def _prepared(source: StudyInput, volumes: Mapping[Sequence, Volume]) -> Iterator[Check]:
    """Check images that are stripped and co-registered."""
    unified = unify(volumes)
    grid = unified.volumes[unified.reference].grid
    yield Check(source.id, "grid", True, "; ".join([f"{unified.reference.value}: {_size(grid)}", *unified.notes]))
    brain = brain_mask(unified.volumes, grid)
    yield Check(source.id, "brain", True, f"{float(brain.sum()) * grid.voxel_volume_ml:.0f} mL, skull-stripped")


def _heads(source: StudyInput, volumes: Mapping[Sequence, Volume], reference: Sequence) -> Iterator[Check]:
    """Check native heads: size and quality of every image, and the brain mask."""
    for sequence, volume in volumes.items():
        told = assess(volume).warnings
        yield Check(source.id, sequence.value, True, "; ".join([_size(volume.grid), *told]))
    yield Check(source.id, "way", True, f"whole heads: sequences will be moved onto {reference.value}")
    if source.brain_mask is None:
        found = head_mask(volumes, source.id)
        ml = float(np.count_nonzero(found.mask.data)) * found.mask.grid.voxel_volume_ml
        yield Check(source.id, "brain", True, f"{ml:.0f} mL on {found.sequence.value}, {found.method}")
    else:
        own = own_brain_mask(read_volume(source.brain_mask, "brain mask"), volumes[reference].grid)
        ml = float(np.count_nonzero(own)) * volumes[reference].grid.voxel_volume_ml
        yield Check(source.id, "brain", True, f"{ml:.0f} mL, given by the user")


def _labels(source: StudyInput, reference: Volume) -> Check:
    """Check that the user's masks lie on the reference."""
    if source.labels is None:
        raise AssertionError("only called with labels")
    own, _ = read_masks(source.labels)
    fits = placed_on(own, reference.grid) is not None
    told = "" if fits else reference.grid.explain_mismatch(own.grid, ("the reference", "labels"))
    return Check(source.id, "labels", fits, told or f"scheme {source.labels.scheme}")


def _size(grid: Grid) -> str:
    return " x ".join(str(n) for n in grid.shape) + " of " + " x ".join(f"{s:.3g}" for s in grid.spacing_mm) + " mm"


def _sequences(source: StudyInput) -> Iterator[Check]:
    missing = [s for s in USED if s not in source.files]
    if Sequence.T1C in missing:
        yield Check(source.id, "T1C", True, "missing: enhancing quantities will be not assessable")
    if Sequence.FLAIR in missing:
        told = "missing: T2 takes its place" if Sequence.T2 in source.files else "missing: no tumour can be outlined"
        yield Check(source.id, "FLAIR", True, told)
