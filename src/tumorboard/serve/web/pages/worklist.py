"""The worklist page: what to read next, and what needs a person.

Why it exists: what is looked for is a name, and a name does not belong into an address. So filters are posted.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from tumorboard.serve.audit import record
from tumorboard.serve.data.tables import Study
from tumorboard.serve.data.words import JobState, Role, Step, StudyState
from tumorboard.serve.queue.board import again
from tumorboard.serve.web.doors import allow
from tumorboard.serve.web.logins import Visitor
from tumorboard.serve.web.refusals import NotFound
from tumorboard.serve.web.show import TheSite, show
from tumorboard.serve.web.worklist import MOST, SHOWN, Filter, Page, latest, worklist
from tumorboard.store import digest

router = APIRouter()


def _wanted(
    shown: Annotated[str, Form(max_length=16)] = "open",
    text: Annotated[str, Form(max_length=100)] = "",
    days: Annotated[int, Form(ge=0, le=36500)] = 0,
    page: Annotated[int, Form(ge=1, le=10_000)] = 1,
) -> Filter:
    return Filter(shown if shown in SHOWN else "open", "".join(c for c in text if c.isprintable()), days, page)


Wanted = Annotated[Filter, Depends(_wanted)]


@router.get("/worklist")
def worklist_page(
    request: Request, site: TheSite, visitor: Annotated[Visitor, allow(Role.READER, "worklist opened")]
) -> Response:
    """Show what is to be read."""
    return _shown(request, site, visitor, Filter(), "worklist.html")


@router.post("/worklist")
def worklist_filtered(
    request: Request, site: TheSite, wanted: Wanted, visitor: Annotated[Visitor, allow(Role.READER, "worklist opened")]
) -> Response:
    """Show what a form asked for; the whole page, or its rows for htmx."""
    part = request.headers.get("hx-request") == "true"
    return _shown(request, site, visitor, wanted, "worklist_rows.html" if part else "worklist.html")


@router.post("/worklist/poll")
def worklist_poll(
    request: Request,
    site: TheSite,
    wanted: Wanted,
    visitor: Annotated[Visitor, allow(Role.READER, wakes=False)],
    seen: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Return the rows if they changed; asked for by the page itself, which keeps nobody logged in."""
    return _shown(request, site, visitor, wanted, "worklist_rows.html", seen)


@router.post("/studies/{study_key}/again")
def study_again(study_key: str, site: TheSite, visitor: Annotated[Visitor, allow(Role.ADMIN)]) -> RedirectResponse:
    """Let the jobs of a study that need attention be tried anew."""
    with site.db.begin() as session:
        study = session.scalars(select(Study).where(Study.key == study_key)).one_or_none()
        jobs = [job for job in latest(study.jobs) if job.state is JobState.ATTENTION] if study else []
        if study is None or not jobs:
            raise NotFound("a study with a job that needs attention")
        for job in jobs:
            again(job)
        if study.state is StudyState.ATTENTION and any(job.step is Step.CHAIN for job in jobs):
            study.state, study.reason = StudyState.QUEUED, ""
        record(session, visitor.name, "jobs tried again", study.key, jobs=len(jobs))
    return RedirectResponse(f"/studies/{study_key}", 303)


def _shown(
    request: Request, site: TheSite, visitor: Visitor, wanted: Filter, template: str, seen: str | None = None
) -> Response:
    with site.db.read() as session:
        page = worklist(session, wanted, site.clock())
    mark = _mark(page)
    if seen == mark:
        return Response(status_code=204)
    pages = max(1, -(-page.total // MOST))
    return show(
        request, template, visitor, here="worklist", page=page, wanted=wanted, words=SHOWN, mark=mark, pages=pages
    )


def _mark(page: Page) -> str:
    """Return a digest of what rows say, so that an unchanged list is not drawn anew."""
    said = [
        (
            r.study.key,
            r.study.state,
            r.study.version,
            str(r.study.last_at),
            r.priority,
            r.score,
            r.stage,
            r.why,
            r.kinds,
        )
        for r in page.rows
    ]
    more = [(r.reading, r.edits, r.patient.name) for r in page.rows]
    return digest(repr((said, more, page.total, sorted(page.counts.items()))))
