"""Files of a study that a browser shows as they are: the report, its pictures.

Why it exists: the report carries its own style inside; its digest is named in the policy, so that this style and no
other holds, and the page can run nothing and load nothing. No address is ever joined to a path: a file is one of few.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from tumorboard.report.model import Picture
from tumorboard.serve.data.words import Role
from tumorboard.serve.web.cases import Case, case_of
from tumorboard.serve.web.doors import allow
from tumorboard.serve.web.found import study_by_key
from tumorboard.serve.web.logins import Visitor
from tumorboard.serve.web.refusals import NotFound
from tumorboard.serve.web.show import TheSite
from tumorboard.serve.web.site import Site

router = APIRouter()

_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)


@router.get("/studies/{study_key}/report.html")
def report_html(
    study_key: str, site: TheSite, _visitor: Annotated[Visitor, allow(Role.READER, "report opened")]
) -> Response:
    """Return the patient's report as a page that can do nothing."""
    path = _file(site, study_key, "report.html")
    return Response(path.read_bytes(), media_type="text/html", headers={"content-security-policy": report_policy(path)})


@router.get("/studies/{study_key}/report.pdf")
def report_pdf(
    study_key: str, site: TheSite, _visitor: Annotated[Visitor, allow(Role.READER, "report opened")]
) -> FileResponse:
    """Return the patient's report as PDF."""
    path = _file(site, study_key, "report.pdf")
    name = {"content-disposition": f'inline; filename="report-{study_key}.pdf"'}
    return FileResponse(path, media_type="application/pdf", headers=name)


@router.get("/studies/{study_key}/pictures/{number}")
def picture(
    study_key: str, number: int, site: TheSite, _visitor: Annotated[Visitor, allow(Role.READER, "picture seen")]
) -> Response:
    """Return a picture that the report shows of a study; the first is number 1."""
    section = _case(site, study_key).section
    if section is None or not 1 <= number <= len(section.pictures):
        raise NotFound("a picture of the report")
    return _shown(section.pictures[number - 1])


@router.get("/studies/{study_key}/course")
def course(study_key: str, site: TheSite, _visitor: Annotated[Visitor, allow(Role.READER, "picture seen")]) -> Response:
    """Return the picture of the course: sums, treatment and verdicts over time."""
    report = _case(site, study_key).report
    if report is None or report.response is None:
        raise NotFound("a course of two studies or more")
    return _shown(report.response.picture)


def report_policy(path: Path) -> str:
    """Return the content policy of a report: its own style, its own pictures, nothing else."""
    return _policy(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _policy(path: Path, _written: int) -> str:
    digests = [hashlib.sha256(style).digest() for style in _STYLE.findall(path.read_bytes())]
    styles = " ".join(f"'sha256-{base64.b64encode(d).decode()}'" for d in digests) or "'none'"
    return f"default-src 'none'; img-src data:; style-src {styles}; base-uri 'none'; frame-ancestors 'none'; sandbox"


def _shown(one: Picture) -> Response:
    return Response(base64.b64decode(one.data), media_type=one.media_type)


def _case(site: Site, study_key: str) -> Case:
    with site.db.read() as session:
        study = study_by_key(session, study_key)
        patient, series = study.patient.key, {s.uid for s in study.series}
    case = case_of(site.settings, patient, series)
    if case is None:
        raise NotFound("a study that was processed")
    return case


def _file(site: Site, study_key: str, name: str) -> Path:
    path = _case(site, study_key).folder.root / name
    if not path.is_file():
        raise NotFound("a study with a report")
    return path
