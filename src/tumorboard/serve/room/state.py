"""Everything that the viewer must know of a study, as one JSON answer; images come by the addresses in it.

Why it exists: a page that asks ten times shows ten moments. One answer is one moment, named by its token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tumorboard.chain.response import read_verdicts
from tumorboard.labels import TISSUE_NAMES, Tissue
from tumorboard.serve.data.people import Edit, Running
from tumorboard.serve.data.tables import Job, Study
from tumorboard.serve.data.words import EditState, JobState, Role, Step
from tumorboard.serve.outlines.places import Place, place_of
from tumorboard.serve.outlines.versions import Head, head_of, read_edit
from tumorboard.serve.room.drafts import numbers_of
from tumorboard.serve.room.pictures import OUTLINE, UNCERTAINTY, Onto, grid_of, motion_between, picture_key

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tumorboard.serve.settings import DepartmentSettings
    from tumorboard.serve.web.logins import Visitor

ELSEWHERE = "a correction was made on other images of this study and is not shown"
STAGES_SHOWN = {"prepare": 1, "segment": 2, "measure": 3, "respond": 4, "report": 5, "dicom": 6}
"""How far a run is, for the bar that the page shows."""


@dataclass(frozen=True)
class Reading:
    """One study, opened by one visitor.

    Parameters
    ----------
    session : Session
        Of the database; it is only read.
    settings : DepartmentSettings
        The department's.
    study : Study
        What is read.
    place : Place
        Its results.
    """

    session: Session
    settings: DepartmentSettings
    study: Study
    place: Place

    def as_json(self, visitor: Visitor) -> dict[str, Any]:
        """Return what the viewer must know."""
        head = head_of(self.session, self.study)
        grid = grid_of(self.place)
        shown, warnings = self._shown(head)
        return {
            "study": self._study(),
            "me": {"name": visitor.shown_name, "admin": visitor.may(Role.ADMIN)},
            "token": head.token,
            "grid": {"shape": list(grid.shape), "affine": grid.affine.tolist(), "spacing_mm": list(grid.spacing_mm)},
            "classes": self.classes(),
            "pictures": self._pictures(),
            "uncertainty": self._uncertainty(),
            "outline": self._outline(shown),
            "numbers": shown.changes["numbers"] if shown else numbers_of(self.place),
            "method": self.place.outline["Method"],
            "edits": self._edits(),
            "verdicts": self._verdicts(),
            "others": list(self._others()),
            "job": job_of(self.session, self.study),
            "warnings": warnings,
        }

    def classes(self) -> list[dict[str, Any]]:
        """Return our classes, and which of them cannot be seen in this study."""
        unseen = self.place.outline.get("NotAssessable", {})
        return [{"value": int(t), "name": t.name, "title": TISSUE_NAMES[t], "unseen": _why(t, unseen)} for t in Tissue]

    def _study(self) -> dict[str, Any]:
        study, patient = self.study, self.study.patient
        return {
            "key": study.key,
            "patient_key": patient.key,
            "patient": patient.name,
            "patient_id": patient.patient_id,
            "date": study.date,
            "description": study.description,
            "digital": study.digital,
            "teaching": study.teaching,
            "state": study.state.value,
            "version": study.version,
        }

    def _shown(self, head: Head) -> tuple[Edit | None, list[str]]:
        """Return the correction that is shown, and what has to be told."""
        if head.shown is None or "numbers" not in head.shown.changes:
            return None, []
        if read_edit(self.settings, head.shown, grid_of(self.place)) is None:
            return None, [ELSEWHERE]
        return head.shown, []

    def _address(self, what: str, key: str, prior: str = "") -> str:
        middle = f"/beside/{prior}" if prior else ""
        return f"/room/{self.study.key}{middle}/image/{what}?v={key[:16]}"

    def _pictures(self) -> list[dict[str, str]]:
        return [
            {"name": s.value, "url": self._address(s.value, picture_key(self.place, s.value))}
            for s in self.place.sequences
        ]

    def _uncertainty(self) -> str | None:
        if not self.place.outline.get("Memberships"):
            return None
        return self._address(UNCERTAINTY, picture_key(self.place, UNCERTAINTY))

    def _outline(self, shown: Edit | None) -> dict[str, Any]:
        if shown is None:
            return {"url": self._address(OUTLINE, picture_key(self.place, OUTLINE)), "number": 0, "state": "method"}
        url = f"/room/{self.study.key}/edits/{shown.number}/mask?v={shown.digest[:16]}"
        return {"url": url, "number": shown.number, "state": shown.state.value}

    def _edits(self) -> list[dict[str, Any]]:
        rows = select(Edit).where(Edit.study_id == self.study.id).order_by(Edit.number.desc())
        return [edit_json(edit) for edit in self.session.scalars(rows)]

    def _verdicts(self) -> list[dict[str, Any]]:
        from tumorboard.respond.criterion import read_criterion

        day = self.study.date
        iso = f"{day[:4]}-{day[4:6]}-{day[6:8]}"
        return [
            {
                "criterion": v.criterion,
                "title": read_criterion(v.criterion).title,
                "category": v.category.value,
                "imaging_only": v.imaging_only.value,
                "reason": v.reason,
                "total": v.total,
                "unit": v.unit,
            }
            for v in read_verdicts(self.place.folder.root)
            if v.date.isoformat() == iso
        ]

    def _others(self) -> Any:
        """Yield the other studies of the patient, the latest first."""
        for other in sorted(self.study.patient.studies, key=lambda s: (s.date, s.time), reverse=True):
            place = None if other.id == self.study.id else place_of(self.settings, other)
            if place is None:
                continue
            onto = onto_of(self.place, place)
            names = [*(s.value for s in place.sequences), OUTLINE]
            urls = {name: self._address(name, picture_key(place, name, onto[0]), other.key) for name in names}
            yield {
                "key": other.key,
                "date": other.date,
                "description": other.description,
                "earlier": (other.date, other.time) < (self.study.date, self.study.time),
                "aligned": onto[1],
                "outline": urls.pop(OUTLINE),
                "pictures": [{"name": name, "url": url} for name, url in urls.items()],
            }


def _why(tissue: Tissue, unseen: dict[str, str]) -> str:
    """Return why a class cannot be painted; without T1C only ET cannot be seen."""
    return unseen.get(tissue.name, "") if tissue is Tissue.ET else ""


def unseen_of(place: Place) -> tuple[Tissue, ...]:
    """Return the classes that nobody can see in a study: enhancing tumour, where T1C is missing."""
    return tuple(t for t in Tissue if _why(t, place.outline.get("NotAssessable", {})))


def onto_of(place: Place, other: Place) -> tuple[Onto, bool]:
    """Return how another study of the patient comes onto the grid of one, and whether they were aligned."""
    import numpy as np

    motion = motion_between(place, other)
    return Onto(place, np.eye(4) if motion is None else motion), motion is not None


def edit_json(edit: Edit) -> dict[str, Any]:
    """Return a version for a page; its numbers only where it is the one that is shown."""
    return {
        "number": edit.number,
        "state": edit.state.value,
        "author": edit.author.shown_name or edit.author.name,
        "at": edit.created_at.isoformat(timespec="seconds"),
        "comment": edit.comment,
        "volume_ml": edit.changes.get("volume_ml", {}),
        "changed_ml": edit.changes.get("changed_ml"),
        "by_hand": edit.changes.get("by_hand", 0),
    }


def job_of(session: Session, study: Study) -> dict[str, Any] | None:
    """Return how far the last run of a study is; None where there never was one."""
    jobs = select(Job).where(Job.study_id == study.id, Job.step == Step.CHAIN).order_by(Job.id.desc())
    job = next((j for j in session.scalars(jobs) if j.input_digest == study.input_digest), None)
    if job is None:
        return None
    waiting = job.state in (JobState.QUEUED, JobState.RUNNING)
    workers = session.query(Running).filter(Running.part == "worker").count() if waiting else 0
    return {
        "state": job.state.value,
        "stage": job.stage,
        "step": STAGES_SHOWN.get(job.stage, 0),
        "steps": len(STAGES_SHOWN),
        "reason": job.reason,
        "waiting": waiting,
        "worker": bool(workers) or not waiting,
    }


def is_decided(edit: Edit) -> bool:
    """Whether a version was accepted or rejected.

    Examples
    --------
    >>> is_decided(Edit(state=EditState.DRAFT))
    False
    """
    return edit.state is not EditState.DRAFT
