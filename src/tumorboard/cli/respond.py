"""``respond``: visits judged by the criteria of the field, and when each of them sees progression."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tumorboard.errors import InputError, PartialFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tumorboard.respond import Course, Criterion, Judged
    from tumorboard.respond.table.outcomes import Outcome
    from tumorboard.verdict import TimeToProgression

Source = Annotated[
    Path, typer.Argument(help="A table of visits (CSV), or the case folder(s) of a run.", show_default=False)
]
Criteria = Annotated[str, typer.Option("--criteria", "-c", help="all, or names with commas between.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for verdicts.csv and ttp.csv.", show_default=False)]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="CRITERION.KEY=VALUE", help="A setting of a criterion, like rano-2.0.max_targets=2."),
]
Outcomes = Annotated[
    Path | None,
    typer.Option("--outcomes", help="Table of survival (CSV): is time to progression a surrogate?", show_default=False),
]
ImagingOnly = Annotated[
    bool,
    typer.Option("--imaging-only", help="Images stand for all; for cohorts without clinical facts, never for care."),
]
Digital = Annotated[bool, typer.Option("--digital", help="The patients are simulated; pictures say so.")]

COURSE_PICTURES = 12
"""Most patients whose courses are drawn one by one."""

LEAST_PATIENTS = 10
"""Fewest patients over whom criteria are compared."""


@dataclass(frozen=True)
class _Read:
    courses: tuple[Course, ...]
    warnings: tuple[str, ...]
    digital: bool = False
    from_cases: bool = False
    failed: tuple[str, ...] = ()


def _respond(
    source: Source,
    out: Out,
    criteria: Criteria = "all",
    settings: Settings = None,
    outcomes: Outcomes = None,
    imaging_only: ImagingOnly = False,
    digital: Digital = False,
) -> None:
    """Judge visits by Macdonald, the RANO family, RECIST 1.1, IPCG and volumes; write verdicts and times."""
    from tumorboard.cli.show import console, show_warnings
    from tumorboard.respond import Judging, judge_all
    from tumorboard.respond.card import write_card
    from tumorboard.respond.table.outcomes import read_outcomes
    from tumorboard.respond.table.write import write_times, write_verdicts, write_visits
    from tumorboard.store import write_atomic

    chosen = _criteria(criteria, settings or [])
    survival = read_outcomes(outcomes) if outcomes is not None else None
    with console.status("reading"):
        read = _read(source)
    how = Judging(imaging_only=imaging_only)
    with console.status(f"judging {sum(len(c.visits) for c in read.courses)} visits"):
        judged = judge_all(read.courses, chosen, how)
    with console.status("drawing"):  # what is refused here is refused before anything is written
        simulated = digital or read.digital
        made = _courses(judged, read, simulated) | _cohort(judged, survival.rows if survival else None, simulated)
    write_verdicts(out / "verdicts.csv", judged.verdicts)
    write_times(out / "ttp.csv", judged.times)
    write_card(out, chosen, how, judged.not_run)
    if read.from_cases:
        write_visits(out / "visits.csv", read.courses)
    for name, content in made.items():
        write_atomic(out / name, content)
    show_warnings((*read.warnings, *(survival.warnings if survival else ())))
    _show(judged, chosen, len(read.courses))
    written = ["verdicts.csv", "ttp.csv", "criteria.json", *(["visits.csv"] if read.from_cases else [])]
    written += dict.fromkeys(re.sub(r"_.+(?=\.png)", "_*", name) for name in made)
    console.print(f"{', '.join(written)}: {out}", highlight=False, markup=False)
    if read.failed:
        total = len(read.courses) + len(read.failed)
        raise PartialFailure(f"all of {total} patients", got=f"{len(read.failed)} that failed", where="respond")


def _criteria(names: str, settings: list[str]) -> list[Criterion]:
    from tumorboard.csv_text import unknown_word
    from tumorboard.respond import CRITERIA, parse_settings, read_criterion

    given = parse_settings(settings)
    wanted = list(CRITERIA) if names.strip() == "all" else [n.strip() for n in names.split(",") if n.strip()]
    if not wanted:
        remedy = "name one, or leave --criteria out"
        raise InputError(f"all, or some of {', '.join(CRITERIA)}", got="nothing", where="--criteria", remedy=remedy)
    for name in wanted:
        if name not in CRITERIA:
            words = {known: known for known in CRITERIA}
            raise unknown_word(name, words, f"all, or some of {', '.join(CRITERIA)}", "--criteria", InputError)
    left = [name for name in given if name not in wanted]
    if left:
        remedy = "add it to --criteria, or leave the setting out"
        raise InputError("settings of criteria that are run", got=", ".join(left), where="--set", remedy=remedy)
    return [read_criterion(name, given.get(name)) for name in dict.fromkeys(wanted)]


def _read(source: Path) -> _Read:
    """Read a table of visits, or every case folder in a place; of several, one that fails is told."""
    from tumorboard.cli.show import console
    from tumorboard.respond.case.course import CaseCourse, course_of
    from tumorboard.respond.table.read import read_visits

    if not source.is_dir():
        table = read_visits(source)
        return _Read(table.courses, table.warnings)
    cases = _cases(source)
    found: list[CaseCourse] = []
    failed: list[str] = []
    for case in cases:
        try:
            found.append(course_of(case))
        except InputError as error:
            if len(cases) == 1:
                raise
            failed.append(case.name)
            console.print(f"not judged: {case.name}: {error}", highlight=False, markup=False)
    if not found:
        remedy = "see above what each of them lacks"
        raise InputError("a patient who can be judged", got=f"none of {len(cases)}", where="respond", remedy=remedy)
    warnings = tuple(dict.fromkeys(w for f in found for w in f.warnings))
    return _Read(tuple(f.course for f in found), warnings, any(f.digital for f in found), True, tuple(failed))


def _cases(source: Path) -> list[Path]:
    if (source / "patient.json").is_file():
        return [source]
    cases = sorted(p.parent for p in source.glob("sub-*/patient.json"))
    if not cases:
        remedy = "give visits.csv, or the folder that `tumorboard run` wrote"
        raise InputError("a table of visits or case folders", got="neither", where="respond", remedy=remedy)
    return cases


def _show(judged: Judged, criteria: list[Criterion], patients: int) -> None:
    """Print how often each criterion said what, when a single patient progressed, and what was not run."""
    from collections import Counter

    from rich.table import Table

    from tumorboard.cli.show import console
    from tumorboard.verdict import Category

    counts = Counter((v.criterion, v.category) for v in judged.verdicts)
    shown = [c for c in Category if any(counts[k.id, c] for k in criteria)]
    table = Table("criterion", *(c.value for c in shown), "progressed", title="Verdicts by visit", title_justify="left")
    told = _told(judged)
    for criterion in criteria:
        mine = [t for t in judged.times if t.criterion == criterion.id and criterion.id in told]
        table.add_row(criterion.id, *(str(counts[criterion.id, c] or "") for c in shown), _progressed(mine))
    console.print(table)
    for reason, n in Counter((n.criterion, n.reason) for n in judged.not_run).items():
        console.print(f"not run: {reason[0]}, {n} of {patients} patients: {reason[1]}", highlight=False, markup=False)
    lacking = sum(v.category is Category.NE and v.raw is not Category.NE for v in judged.verdicts)
    if lacking:
        most = f"{lacking} of {len(judged.verdicts)} verdicts are NE for what was not told"
        console.print(f"{most}; their reason says what, imaging_only what the images alone show", highlight=False)


def _progressed(times: list[TimeToProgression]) -> str:
    """Return how many progressed; of a single patient, on which day."""
    if len(times) != 1:
        return f"{sum(t.event for t in times)} of {len(times)}" if times else ""
    return f"on day {times[0].days}" if times[0].event else f"not by day {times[0].days}"


def _courses(judged: Judged, read: _Read, digital: bool) -> dict[str, str | bytes]:
    """Draw courses one by one where there are few; file names carry no name of a patient."""
    from tumorboard.report.course import course_picture

    if len(read.courses) > COURSE_PICTURES:
        return {}
    made: dict[str, str | bytes] = {}
    for n, course in enumerate(read.courses, 1):
        mine = [v for v in judged.verdicts if v.patient == course.patient]
        if mine:
            made[f"course_{n:02d}.png"] = course_picture(course, mine, digital=digital)
    return made


def _cohort(judged: Judged, survival: Sequence[Outcome] | None, digital: bool) -> dict[str, str | bytes]:
    """Tell how far the criteria agree and, with outcomes, whether time to progression stands for survival."""
    from tumorboard.cli.show import show_warnings
    from tumorboard.respond.cohort.compare import agreement, agreement_csv
    from tumorboard.respond.cohort.curves import landmark_curves, progression_curves
    from tumorboard.respond.cohort.surrogate import surrogate, surrogate_csv

    told = _told(judged)
    times = [t for t in judged.times if t.criterion in told]
    criteria = list(dict.fromkeys(t.criterion for t in times))
    if len({t.patient for t in times}) < LEAST_PATIENTS:
        if survival is not None:
            show_warnings([f"criteria and survival are compared over {LEAST_PATIENTS} patients at least"])
        return {}
    made: dict[str, str | bytes] = {"progression.png": progression_curves(times, digital=digital)}
    if len(criteria) > 1:
        made["agreement.csv"] = agreement_csv(agreement(times, judged.verdicts), digital=digital)
    if survival is not None:
        made["surrogate.csv"] = surrogate_csv(surrogate(times, survival), digital=digital)
        for name in criteria:
            made[f"landmark_{name}.png"] = landmark_curves(times, survival, name, digital=digital)
    return made


def _told(judged: Judged) -> set[str]:
    """Return the criteria that could judge any visit; the others say nothing about progression."""
    from tumorboard.verdict import Category

    return {v.criterion for v in judged.verdicts if v.category not in (Category.BL, Category.NE)}


def register_respond(app: typer.Typer) -> None:
    """Enrol ``respond``."""
    app.command("respond")(_respond)
