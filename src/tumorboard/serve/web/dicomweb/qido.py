"""QIDO-RS: searching for studies, series and objects. Source: PS3.18 10.6.

Why it exists: viewers and other nodes find here what ours holds, results among it. Counts and modalities are those of
stored objects; what was purged is not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Select, func, select

from tumorboard.serve.data.tables import Instance, Patient, Series, Study
from tumorboard.serve.data.words import InstanceState
from tumorboard.serve.web.dicomweb.asked import Asked, read_asked
from tumorboard.serve.web.dicomweb.attributes import LEVELS, MODALITIES, element
from tumorboard.serve.web.dicomweb.common import JSON, ROOT, Searcher, Uid, read_dataset
from tumorboard.serve.web.show import TheSite

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tumorboard.serve.web.site import Site

router = APIRouter(prefix=ROOT)

READ_MOST = 100
"""Results whose files are read for attributes that stand in no column."""

Limit = Query(default=None, description="at most so many", pattern=r"^\d{1,9}$")
Offset = Query(default=None, description="after so many", pattern=r"^\d{1,9}$")
Fuzzy = Query(default=None, description="names by their words", pattern="^(true|false)$")
Fields = Query(default=None, description="attributes beside the usual ones, or all", max_length=1024)


@router.get("/studies")
def search_studies(
    request: Request,
    site: TheSite,
    _visitor: Searcher,
    limit: str | None = Limit,
    offset: str | None = Offset,
    fuzzymatching: str | None = Fuzzy,
    includefield: str | None = Fields,
) -> Response:
    """Search for studies."""
    return search(request, site, "studies", {})


@router.get("/series")
def search_all_series(request: Request, site: TheSite, _visitor: Searcher) -> Response:
    """Search for series of all studies."""
    return search(request, site, "series", {})


@router.get("/studies/{study_uid}/series")
def search_series(request: Request, study_uid: Uid, site: TheSite, _visitor: Searcher) -> Response:
    """Search for series of a study."""
    return search(request, site, "series", {"study": study_uid})


@router.get("/instances")
def search_all_instances(request: Request, site: TheSite, _visitor: Searcher) -> Response:
    """Search for objects of all studies."""
    return search(request, site, "instances", {})


@router.get("/studies/{study_uid}/instances")
def search_instances_of_study(request: Request, study_uid: Uid, site: TheSite, _visitor: Searcher) -> Response:
    """Search for objects of a study."""
    return search(request, site, "instances", {"study": study_uid})


@router.get("/studies/{study_uid}/series/{series_uid}/instances")
def search_instances(request: Request, study_uid: Uid, series_uid: Uid, site: TheSite, _visitor: Searcher) -> Response:
    """Search for objects of a series."""
    return search(request, site, "instances", {"study": study_uid, "series": series_uid})


def search(request: Request, site: Site, level: str, within: dict[str, str]) -> Response:
    """Answer a search at a level, within a study or series.

    Parameters
    ----------
    request : Request
        Its address asks.
    site : Site
        Where.
    level : str
        ``studies``, ``series`` or ``instances``.
    within : dict
        UIDs by ``study`` and ``series``.
    """
    asked = read_asked(level, request.query_params.multi_items())
    base = str(request.base_url).rstrip("/")
    with site.db.read() as session:
        found = session.execute(_query(level, within, asked).limit(asked.limit + 1)).all()
        more, found = len(found) > asked.limit, found[: asked.limit]
        answers = [_answer(level, row, base) for row in found]
        _count(session, level, [row[0] for row in found], answers)
        wanted = _files(session, site, level, found) if asked.more and found else []
    warnings = [*asked.warnings, *(["there are more results"] if more else [])]
    if asked.more and len(found) > READ_MOST:
        warnings.append("not all fields were included")
    for answer, file in zip(answers, wanted, strict=False):
        _include(answer, file, asked.more)
    headers = {"warning": ", ".join(f'299 tumorboard "{w}"' for w in warnings)} if warnings else {}
    if not answers:
        return Response(status_code=204, headers=headers)
    return JSONResponse(answers, headers=headers, media_type=JSON)


_TABLES: dict[str, Any] = {"studies": Study, "series": Series, "instances": Instance}


def _query(level: str, within: dict[str, str], asked: Asked) -> Select[Any]:
    """Return rows of (id, columns …); studies and series only where an object is stored."""
    columns = [a.column for a in LEVELS[level]]
    extra = {"studies": (), "series": (), "instances": ()}[level]
    query = select(_TABLES[level].id, *columns, *extra).select_from(Study).join(Patient, Study.patient_id == Patient.id)
    stored = Instance.state == InstanceState.STORED
    if level == "studies":
        within_study = select(Instance.id).join(Series).where(Series.study_id == Study.id, stored)
        query = query.where(within_study.exists()).order_by(Study.date.desc(), Study.time.desc(), Study.id)
    else:
        query = query.join(Series, Series.study_id == Study.id)
        if level == "series":
            query = query.where(select(Instance.id).where(Instance.series_id == Series.id, stored).exists())
        else:
            query = query.join(Instance, Instance.series_id == Series.id).where(stored)
        query = query.order_by(
            Study.id, Series.number, Series.id, *((Instance.number, Instance.id) if level == "instances" else ())
        )
    if "study" in within:
        query = query.where(Study.uid == within["study"])
    if "series" in within:
        query = query.where(Series.uid == within["series"])
    return query.where(*asked.conditions).offset(asked.offset)


def _answer(level: str, row: Any, base: str) -> dict[str, Any]:
    said = dict(zip([a.keyword for a in LEVELS[level]], row[1:], strict=True))
    answer = {a.tag: element(a.vr, said[a.keyword]) for a in LEVELS[level]}
    answer = {tag: e for tag, e in answer.items() if "Value" in e or level == "studies"}
    place = f"{base}{ROOT}/studies/{said['StudyInstanceUID']}"
    place += f"/series/{said['SeriesInstanceUID']}" if level != "studies" else ""
    place += f"/instances/{said['SOPInstanceUID']}" if level == "instances" else ""
    answer["00080056"] = element("CS", "ONLINE")
    answer["00081190"] = element("UR", place)
    return answer


def _count(session: Session, level: str, ids: list[int], answers: list[dict[str, Any]]) -> None:
    """Add how many series and objects there are, and the modalities of a study."""
    if level == "instances" or not ids:
        return
    stored = Instance.state == InstanceState.STORED
    if level == "series":
        query = select(Instance.series_id, func.count()).where(Instance.series_id.in_(ids), stored)
        counts = dict(session.execute(query.group_by(Instance.series_id)).all())
        for one, answer in zip(ids, answers, strict=True):
            answer["00201209"] = element("IS", counts.get(one, 0))
        return
    rows = session.execute(
        select(Series.study_id, Series.modality, func.count(Series.id.distinct()), func.count(Instance.id))
        .join(Instance, Instance.series_id == Series.id)
        .where(Series.study_id.in_(ids), stored)
        .group_by(Series.study_id, Series.modality)
        .order_by(Series.modality)
    )
    said: dict[int, list[tuple[str, int, int]]] = {}
    for study_id, modality, series, objects in rows:
        said.setdefault(study_id, []).append((modality, series, objects))
    for one, answer in zip(ids, answers, strict=True):
        parts = said.get(one, [])
        answer[MODALITIES] = element("CS", *(modality for modality, _, _ in parts))
        answer["00201206"] = element("IS", sum(series for _, series, _ in parts))
        answer["00201208"] = element("IS", sum(objects for _, _, objects in parts))


def _files(session: Session, site: Site, level: str, found: Sequence[Any]) -> list[Any]:
    """Return the file of the first stored object of each result."""
    out = []
    for row in found[:READ_MOST]:
        query = select(Instance).join(Series).where(Instance.state == InstanceState.STORED)
        owner = {"studies": Series.study_id, "series": Series.id, "instances": Instance.id}[level]
        first = session.scalars(query.where(owner == row[0]).order_by(Instance.id).limit(1)).first()
        known = first is not None
        out.append(site.shelf.path(first.series.study.key, first.series.key, first.key) if known and first else None)
    return out


def _include(answer: dict[str, Any], file: Any, more: tuple[str, ...]) -> None:
    if file is None or not file.is_file():
        return
    said = read_dataset(file, pixels=False).to_json_dict(
        bulk_data_element_handler=lambda _: "", suppress_invalid_tags=True
    )
    for tag, told in said.items():
        if ("all" in more or tag in more) and "BulkDataURI" not in told:
            answer.setdefault(tag, told)
