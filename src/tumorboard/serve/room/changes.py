"""What a page may change: save an outline, accept or reject it, allow its use for training.

Why it exists: each is one transaction that first checks that the page had seen the newest version. The slow part, to
read a mask and to measure it, is done before; whoever was slower is told, and keeps their painting.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from tumorboard.chain.correction import Correction
from tumorboard.errors import GeometryError, TumorboardError
from tumorboard.io.images import read_volume
from tumorboard.labels import LabelMap
from tumorboard.measure.by_hand import HandDiameters
from tumorboard.serve.audit import record
from tumorboard.serve.data.tables import Study
from tumorboard.serve.data.words import EditState
from tumorboard.serve.outlines.masks import largest_body, read_mask
from tumorboard.serve.outlines.places import Place, place_of
from tumorboard.serve.outlines.pool import put_into_pool, take_out_of_pool
from tumorboard.serve.outlines.renew import renew
from tumorboard.serve.outlines.versions import (
    LONGEST_COMMENT,
    Head,
    StaleVersion,
    accepted_of,
    add_version,
    check_newest,
    correction_of,
    decide,
    head_of,
    mask_file,
    read_edit,
)
from tumorboard.serve.room.drafts import changes_between, measure_draft, numbers_of
from tumorboard.serve.room.pictures import grid_of
from tumorboard.serve.room.state import edit_json, unseen_of
from tumorboard.serve.web.refusals import NotFound
from tumorboard.volume import Grid

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tumorboard.serve.data.people import Edit
    from tumorboard.serve.web.logins import Visitor
    from tumorboard.serve.web.site import Site

MOST_LINES = 60
Answer = tuple[int, dict[str, Any]]
"""Status (0 for the usual one) and what is said."""

Token = Annotated[str, Field(min_length=1, max_length=64)]
Comment = Annotated[str, Field(max_length=LONGEST_COMMENT)]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Changed(_Asked):
    """A changed outline: on which version, the mask as NIfTI in base64, lines drawn by hand."""

    base: Token
    mask: str
    by_hand: Annotated[tuple[HandDiameters, ...], Field(max_length=MOST_LINES)] = ()
    comment: Comment = ""


class Decision(_Asked):
    """What becomes of the newest version."""

    base: Token
    state: Literal["accepted", "rejected"]
    comment: Comment = ""


class Teaching(_Asked):
    """Whether corrections of the study may train networks."""

    allowed: bool


def change(site: Site, study_key: str, visitor: Visitor, asked: Changed) -> Answer:
    """Save a changed outline as a new version; see :class:`Changed`."""
    with site.db.read() as session:
        study = study_of(session, study_key)
        place, stale = place_in(site, study), _stale(session, study, asked.base)
        before = None if stale else _before(site, place, head_of(session, study))
    if stale is not None:
        return stale
    try:
        labels = _labels(asked.mask, grid_of(place), place)
    except TumorboardError as error:
        return 422, {"detail": str(error)}
    correction = _correction(place, asked.by_hand)
    numbers = measure_draft(place, labels, correction)
    changes = changes_between(before, labels) | {"numbers": numbers, "by_hand": len(asked.by_hand)}
    file = mask_file(site.settings, study, labels, correction)
    with site.db.begin() as session:
        study = study_of(session, study_key)
        if (stale := _stale(session, study, asked.base)) is not None:
            return stale
        edit = add_version(session, study, visitor.user_id, file, changes, asked.comment)
        record(session, visitor.name, "outline changed", study.key, version=edit.number)
        said = {"token": head_of(session, study).token, "numbers": numbers, "edit": edit_json(edit)}
    return 0, said


def decision(site: Site, study_key: str, visitor: Visitor, asked: Decision) -> Answer:
    """Accept or reject the newest version; what was accepted makes results anew and may go into the pool."""
    state = EditState(asked.state)
    with site.db.begin() as session:
        study = study_of(session, study_key)
        place, stale = place_in(site, study), _stale(session, study, asked.base)
        if stale is not None:
            return stale
        before = correction_of(session, study)
        edit = _decided(session, site, study, place, visitor, state, asked.comment)
        record(session, visitor.name, f"outline {state.value}", study.key, version=edit.number)
        count = renew(session, study) if correction_of(session, study) is not before else 0
        accepted = accepted_of(session, study)
        said = {"token": head_of(session, study).token, "edit": edit_json(edit), "renewed": count}
        take_out_of_pool(site.settings, study)
        said["pool"] = accepted is not None and put_into_pool(site.settings, study, accepted, place)
    return 0, said


def teaching(site: Site, study_key: str, visitor: Visitor, asked: Teaching) -> Answer:
    """Allow or forbid the use of a study's corrections for training; what was copied is removed when forbidden."""
    with site.db.begin() as session:
        study = study_of(session, study_key)
        study.teaching = asked.allowed
        record(session, visitor.name, "training allowed" if asked.allowed else "training forbidden", study.key)
        take_out_of_pool(site.settings, study)
        edit, place = accepted_of(session, study), place_of(site.settings, study)
        there = edit is not None and place is not None and put_into_pool(site.settings, study, edit, place)
    return 0, {"teaching": asked.allowed, "pool": there}


def _decided(
    session: Session, site: Site, study: Study, place: Place, visitor: Visitor, state: EditState, comment: str
) -> Edit:
    """Return the version that is decided on: the newest draft or accepted one, else the method's own outline."""
    shown = head_of(session, study).shown
    if shown is not None:
        decide(shown, state, comment)
        return shown
    read = read_volume(place.folder.seg(place.session, "dseg.nii.gz"), "outline")
    labels = LabelMap(read.data, read.grid)
    correction = _correction(place, ())
    changes = changes_between(labels, labels) | {"numbers": numbers_of(place), "by_hand": 0, "as_is": True}
    file = mask_file(site.settings, study, labels, correction)
    return add_version(session, study, visitor.user_id, file, changes, comment, state)


def _correction(place: Place, by_hand: tuple[HandDiameters, ...]) -> Correction:
    """Return what is known of a mask; what is corrected twice still corrects the first method."""
    method = place.outline["Method"]
    first = method["version"] if method["id"] == "corrected" else f"{method['id']} {method['version']}"
    return Correction(corrects=first, not_assessable=place.outline.get("NotAssessable", {}), by_hand=by_hand)


def _labels(coded: str, grid: Grid, place: Place) -> LabelMap:
    if len(coded) > 4 * (largest_body(grid) + 2) / 3 + 4:
        raise GeometryError(f"a mask of at most {largest_body(grid)} bytes", got="a larger one", where="mask")
    try:
        body = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise GeometryError("a mask in base64", got="something else", where="mask") from error
    return read_mask(body, grid, unseen_of(place))


def _before(site: Site, place: Place, head: Head) -> LabelMap | None:
    """Return the outline that was changed: the newest version, else the method's."""
    grid = grid_of(place)
    if head.shown is not None and (read := read_edit(site.settings, head.shown, grid)) is not None:
        return read
    return LabelMap(read_volume(place.folder.seg(place.session, "dseg.nii.gz"), "outline").data, grid)


def _stale(session: Session, study: Study, token: str) -> Answer | None:
    try:
        check_newest(session, study, token)
    except StaleVersion as stale:
        return 409, {"detail": "expected the newest version", "by": stale.by, "token": head_of(session, study).token}
    return None


def study_of(session: Session, study_key: str) -> Study:
    """Return a study by its key; raises ``NotFound``."""
    found = session.scalars(select(Study).where(Study.key == study_key)).one_or_none()
    if found is None:
        raise NotFound("a study that is there")
    return found


def place_in(site: Site, study: Study) -> Place:
    """Return where a study's results lie; raises ``NotFound`` before it was worked on."""
    place = place_of(site.settings, study)
    if place is None:
        raise NotFound("a study that was worked on")
    return place
