"""A study: how urgent and why, its key facts and pictures, its results and their states, what was done with it.

Why it exists: from here a reader goes to the report or the reading room; everything needed to decide which stands here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import case as either
from sqlalchemy import func, select

from tumorboard.report.model import Row as Fact
from tumorboard.serve.data.people import Audit, Edit, User
from tumorboard.serve.data.tables import Instance, Sent, Series, Study
from tumorboard.serve.data.words import InstanceState, Origin, Role
from tumorboard.serve.web.cases import Case, case_of
from tumorboard.serve.web.doors import allow
from tumorboard.serve.web.found import study_by_key
from tumorboard.serve.web.logins import Visitor
from tumorboard.serve.web.show import TheSite, show
from tumorboard.serve.web.worklist import rows_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

router = APIRouter()


@router.get("/studies/{study_key}")
def study_page(
    request: Request, study_key: str, site: TheSite, visitor: Annotated[Visitor, allow(Role.READER, "study opened")]
) -> Response:
    """Show a study."""
    with site.db.read() as session:
        study = study_by_key(session, study_key)
        (row,) = rows_of(session, [study])
        series = series_rows(session, study)
        sent = session.scalars(select(Sent).where(Sent.result_id.in_([r.id for r in study.results]))).all()
        edits = session.execute(
            select(Edit, User).join(User, Edit.author_id == User.id).where(Edit.study_id == study.id).order_by(Edit.id)
        )
        changes = [(edit, user.shown_name or user.name) for edit, user in edits]
        lines = select(Audit).where(Audit.on == study.key).order_by(Audit.id.desc()).limit(30)
        trail = session.scalars(lines).all() if visitor.may(Role.ADMIN) else []
    case = case_of(site.settings, study.patient.key, {s.uid for s in study.series})
    return show(
        request,
        "study.html",
        visitor,
        here="worklist",
        row=row,
        study=study,
        patient=study.patient,
        series=series,
        results=sorted(study.results, key=lambda r: (-r.version, r.kind, r.name)),
        sent={result.id: [s for s in sent if s.result_id == result.id] for result in study.results},
        edits=changes,
        trail=trail,
        case=case,
        section=case.section if case else None,
        facts=_facts(case),
        files={name for name in ("report.html", "report.pdf") if case and (case.folder.root / name).is_file()},
        room=request.app.state.rooms,
    )


def _facts(case: Case | None) -> list[Fact]:
    """Return the key facts: those of the report for its latest study, else the table of volumes."""
    report, section = (case.report, case.section) if case else (None, None)
    if report is None or section is None:
        return []
    if report.studies[-1].id == section.id:
        return list(report.facts)
    return list(section.tables[0].rows[:6]) if section.tables else []


def series_rows(session: Session, study: Study) -> list[dict[str, object]]:
    """Return what came of a study, one row a series; the database counts, so that thousands of slices cost nothing."""
    counts = (
        func.count(),
        func.sum(either((Instance.state == InstanceState.STORED, 1), else_=0)),
        func.max(Instance.columns),
        func.max(Instance.rows),
        func.sum(either((Instance.origin == Origin.PRIOR, 1), else_=0)),
    )
    came = select(Series.number, Series.modality, Series.description, *counts).join(Instance.series)
    came = came.where(Series.study_id == study.id, Instance.origin != Origin.RESULT)
    return [
        {
            "number": number,
            "modality": modality,
            "description": description,
            "count": count,
            "stored": stored,
            "size": f"{columns} × {rows}" if rows and columns else "",
            "prior": bool(prior),
        }
        for number, modality, description, count, stored, columns, rows, prior in session.execute(
            came.group_by(Series.id).order_by(Series.number, Series.id)
        )
    ]
