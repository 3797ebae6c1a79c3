"""The section of a report that says what the studies show together: verdicts, first progression, operations.

Why it exists: the board asks "progression on which date, by which criterion, why". The latest categories come first,
in a sentence; then one line a criterion, then why. Where steroid or clinical facts are missing, the category is NE and
the images' category stands in brackets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence as Many

from tumorboard.report.canvas import encode_png
from tumorboard.report.course import caption, course_figure
from tumorboard.report.model import Matrix, Operation, Response
from tumorboard.report.words import number, unit_text
from tumorboard.respond import Judged, read_criterion
from tumorboard.respond.case.course import CaseCourse
from tumorboard.verdict import RESPONSES, Category, Confirmed, TimeToProgression, Verdict

CAUTION = "Research: categories come from outlines made by software and are for a reader to confirm."

CATEGORY_WORDS: dict[Category, str] = {
    Category.PD: "progressive disease",
    Category.SD: "stable disease",
    Category.MR: "minor response",
    Category.PR: "partial response",
    Category.CRU: "unconfirmed complete response",
    Category.CR: "complete response",
    Category.BL: "reference study",
    Category.NE: "not evaluable",
}
"""Categories in words, what matters most first."""

_COMPARED = re.compile(r"([+-]\d+ %) against (\S+) at the baseline and ([+-]\d+ %) against the nadir (\S+) of ")
"""Numbers of a verdict's sentence; read from it, so that table and sentence never differ."""


def response_section(found: CaseCourse, judged: Judged, operations: Many[Operation] = (), *, digital: bool) -> Response:
    """Return the section of one patient.

    Parameters
    ----------
    found : CaseCourse
        Two visits or more, and what has to be told with them.
    judged : Judged
        By every criterion that could be run.
    operations : sequence of Operation
        In order of date.
    digital : bool
        A simulated patient.

    Returns
    -------
    Response
    """
    latest = _latest(judged)
    summary = _summary(found, latest)
    figure = course_figure(found.course, judged.verdicts, digital=digital)
    alternative = f"Sums, treatment and verdicts over time. {summary}"
    return Response(
        summary=summary,
        picture=encode_png(figure, caption(found.course), alternative),
        verdicts=_verdicts(latest, judged),
        reasons=_reasons(latest),
        operations=tuple(operations),
        notes=(CAUTION, *dict.fromkeys(found.warnings)),
    )


def _latest(judged: Judged) -> list[Verdict]:
    return list({v.criterion: v for v in judged.verdicts}.values())


def short_title(criterion: str) -> str:
    """Return a criterion's title without what stands in brackets.

    Examples
    --------
    >>> short_title("ipcg"), short_title("recist-1.1")
    ('IPCG', 'RECIST 1.1')
    """
    return read_criterion(criterion).title.partition(" (")[0]


def category_text(verdict: Verdict) -> str:
    """Return a category for reading: where facts are missing, NE with the images' category.

    Examples
    --------
    >>> import datetime as dt
    >>> two = Category.PD, Category.NE
    >>> category_text(Verdict("P", dt.date(2020, 1, 1), "mrano", *two, Confirmed.NOT_REQUIRED, Category.PD, 4.0, "mm2",
    ...                       None, "pd.sum", ""))
    'NE (images alone: PD)'
    """
    if verdict.category is Category.NE and verdict.imaging_only is not Category.NE:
        return f"NE (images alone: {verdict.imaging_only.value})"
    return verdict.category.value


def confirmation_text(verdict: Verdict) -> str:
    """Return what became of a progression or response that has to be seen again; empty where nothing has.

    Examples
    --------
    >>> import datetime as dt
    >>> known = Category.PD, Category.SD, Confirmed.PENDING, Category.PD
    >>> one = Verdict("P", dt.date(2020, 1, 1), "rano-hgg", *known, 4.0, "mm2", None, "pd.sum", "")
    >>> confirmation_text(one)
    'suspected PD: confirmation required'
    """
    raw = verdict.raw.value
    said = {
        Confirmed.YES: f"{raw} confirmed",
        Confirmed.NO: f"{raw} not confirmed",
        Confirmed.PENDING: f"suspected {raw}: confirmation required",
        Confirmed.NOT_REQUIRED: "",
    }
    return said[verdict.confirmed]


def _summary(found: CaseCourse, latest: Many[Verdict]) -> str:
    """Return what the latest study says: which criteria see what, and which progression waits."""
    if not latest:
        return "No criterion could be run."
    groups: dict[str, list[str]] = {}
    for category, words in CATEGORY_WORDS.items():
        for verdict in (v for v in latest if v.category is category):
            said = f"{words.capitalize()} ({category_text(verdict).replace(' (', '; ').rstrip(')')})"
            groups.setdefault(said, []).append(short_title(verdict.criterion))
    told = [f"{words} by {', '.join(names)}" for words, names in groups.items()]
    waiting = [short_title(v.criterion) for v in latest if _waits(v)]
    if waiting:
        told.insert(0, f"Suspected progression, confirmation required, by {', '.join(waiting)}")
    return f"{found.studies[-1]} of {latest[0].date.isoformat()}. {'. '.join(told)}."


def _waits(verdict: Verdict) -> bool:
    """Return whether a progression is suspected in a patient who has not progressed already."""
    suspected = verdict.raw is Category.PD and verdict.confirmed is Confirmed.PENDING
    return suspected and verdict.category is not Category.PD


def _verdicts(latest: Many[Verdict], judged: Judged) -> Matrix:
    """Return one line a criterion."""
    times = {t.criterion: t for t in judged.times}
    rows = tuple(
        (
            f"{short_title(v.criterion)} {read_criterion(v.criterion).version}",
            "; ".join(filter(None, (category_text(v), confirmation_text(v)))),
            *_sum_texts(v),
            "" if v.probability is None else f"{v.raw.value} {v.probability:.2f}",
            _progression(times.get(v.criterion)),
        )
        for v in latest
    )
    header = ("Criterion", "Category", "Sum", "Change", "Probability", "First progression")
    start = next((f" Days count from {t.start.isoformat()}." for t in judged.times), "")
    notes = (
        f"First progression: the first study that shows it, once it is confirmed where that is asked.{start}",
        "Probability: of the category before windows and confirmation, under the errors of measurement alone.",
        *(f"Not run: {short_title(n.criterion)}: {n.reason}" for n in judged.not_run),
    )
    return Matrix(title="Latest study by criterion", header=header, rows=rows, notes=notes)


def _sum_texts(verdict: Verdict) -> tuple[str, str]:
    """Return the sum, and how it changed against what it is compared with; empty where there is no one number."""
    total = "" if verdict.total is None else f"{number(verdict.total, verdict.unit)} {unit_text(verdict.unit)}"
    compared = _COMPARED.findall(verdict.reason)
    if len(compared) != 1 or verdict.reference is None:
        return total, ""
    fall, baseline, rise, nadir = compared[0]
    change, start = (fall, baseline) if verdict.raw in RESPONSES else (rise, nadir)
    return total, f"{change.replace('-', '−')} from {start} on {verdict.reference.isoformat()}"


def _progression(time: TimeToProgression | None) -> str:
    if time is None:
        return "no reference study"
    if time.progression is not None:
        return f"{time.progression.isoformat()} (day {time.days})"
    return f"none by day {time.days}" if time.days else "could not be judged"


def _reasons(latest: Many[Verdict]) -> Matrix:
    rows = tuple((short_title(v.criterion), v.reason.replace(" mm2", " mm²")) for v in latest)
    return Matrix(title="Why, by criterion", header=("Criterion", "Verdict in words"), rows=rows)
