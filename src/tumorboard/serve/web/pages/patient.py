"""A patient's time line: studies, volumes, verdicts and reports, the latest first.

Why it exists: a tumour board asks what changed. The numbers are those of the chain; nothing is computed anew here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tumorboard.respond.criterion import read_criterion
from tumorboard.serve.data.tables import Study
from tumorboard.serve.data.words import Role
from tumorboard.serve.web.cases import Case, case_of, folder_of, report_of, verdicts_of
from tumorboard.serve.web.charts import Value, time_chart
from tumorboard.serve.web.doors import allow
from tumorboard.serve.web.found import patient_by_key, series_of
from tumorboard.serve.web.logins import Visitor
from tumorboard.serve.web.show import TheSite, show
from tumorboard.serve.web.templating import day
from tumorboard.serve.web.worklist import Row, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tumorboard.serve.settings import DepartmentSettings

router = APIRouter()

REGIONS = (("WT", "wt", "whole tumour"), ("TC", "tc", "tumour core"), ("ET", "et", "enhancing"))
"""Regions whose volumes are followed: name, class on a chart, words."""


@dataclass(frozen=True)
class Visit:
    """A study on the time line; ``volumes`` are words by region, ``verdicts`` categories by criterion."""

    row: Row
    case: Case | None
    volumes: dict[str, str]
    verdicts: dict[str, str]


@router.get("/patients/{patient_key}")
def patient_page(
    request: Request, patient_key: str, site: TheSite, visitor: Annotated[Visitor, allow(Role.READER, "patient opened")]
) -> Response:
    """Show a patient's time line."""
    with site.db.read() as session:
        patient = patient_by_key(session, patient_key)
        series = series_of(session, [study.id for study in patient.studies])
        rows = [(row, series[row.study.id]) for row in rows_of(session, patient.studies)]
    folder = folder_of(site.settings, patient.key)
    judged = verdicts_of(folder)
    visits = [_visit(site.settings, row, uids, judged) for row, uids in rows]
    criteria = list(dict.fromkeys(c for v in judged.values() for c in v))
    report = report_of(folder)
    return show(
        request,
        "patient.html",
        visitor,
        here="worklist",
        patient=patient,
        visits=visits[::-1],
        chart=time_chart("Volumes over time", "mL", [(w, m, _values(visits, r)) for r, m, w in REGIONS]),
        regions=REGIONS,
        criteria=[(name, _title(name)) for name in criteria],
        response=report.response if report else None,
        digital=any(row.study.digital for row, _ in rows),
    )


def _visit(settings: DepartmentSettings, row: Row, series: set[str], judged: dict[str, dict[str, str]]) -> Visit:
    case = case_of(settings, row.patient.key, series)
    verdicts = judged.get(case.date or day(row.study.date), {}) if case else {}
    return Visit(row, case, {region: volume_words(case, region) for region, _, _ in REGIONS}, verdicts)


def volume_words(case: Case | None, region: str) -> str:
    """Return a volume with its unit, why it could not be measured, or a dash where nothing was run."""
    measured = case.measured if case else None
    if measured is None:
        return "–"
    try:
        m = measured.get("volume", region)
    except KeyError:
        return "–"
    return f"{m.value:.1f} mL" if isinstance(m.value, int | float) else f"not assessable: {m.reason}"


def _values(visits: Sequence[Visit], region: str) -> list[Value]:
    out = []
    for visit in visits:
        measured = visit.case.measured if visit.case else None
        date = _date(visit.row.study)
        if measured is None or date is None:
            continue
        for m in measured.measurements:
            if (m.name, m.region) == ("volume", region) and isinstance(m.value, int | float):
                out.append(Value(date, float(m.value), m.interval, f"/studies/{visit.row.study.key}"))
    return sorted(out, key=lambda v: v.date)


def _date(study: Study) -> dt.date | None:
    try:
        return dt.datetime.strptime(study.date, "%Y%m%d").date()
    except ValueError:
        return None


def _title(criterion: str) -> str:
    from tumorboard.errors import InputError

    try:
        return read_criterion(criterion).title.partition(" (")[0]
    except (InputError, KeyError):
        return criterion
