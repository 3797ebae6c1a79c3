"""Response over the studies of a patient: the stage between measuring and reporting, and what others take from it.

Why it exists: verdicts need every study and every event of a patient; what they rest on is read back from the case
folder, the same way as ``tumorboard respond`` reads it.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from tumorboard.chain.trip import StudyTrip
from tumorboard.errors import InputError
from tumorboard.measurement import Measurement
from tumorboard.report.model import Operation, Picture, Response
from tumorboard.report.surgery_table import operation_section
from tumorboard.respond import CRITERIA, Judged, Judging, judge_all, read_criterion
from tumorboard.respond.align import Alignment
from tumorboard.respond.card import card
from tumorboard.respond.case.course import CaseCourse, course_of
from tumorboard.respond.case.fits import FITS, write_fits
from tumorboard.respond.criterion import UNITS
from tumorboard.respond.surgery import Operated, Surgery, surgery_of
from tumorboard.respond.surgery.blood import find_blood
from tumorboard.respond.table.write import write_times, write_verdicts
from tumorboard.respond.visits import Course
from tumorboard.stages import STAGES, Listener, forget_stage, run_stage
from tumorboard.store import StageRecord, write_json
from tumorboard.study import Event, EventKind
from tumorboard.verdict import Category, Confirmed, Verdict

VERDICTS, TIMES, CRITERIA_CARD, SURGERY = "verdicts.csv", "ttp.csv", "criteria.json", "surgery.json"

COURSE = ".stages/response.json"
"""The course that was judged, kept so that a report that is made anew needs no alignment."""


@dataclass(frozen=True)
class Responded:
    """What a patient's studies say together.

    Parameters
    ----------
    course : CaseCourse
        Visits, and what has to be told with them.
    judged : Judged
        By every criterion.
    surgeries : tuple of Surgery
        One an operation.
    """

    course: CaseCourse
    judged: Judged
    surgeries: tuple[Surgery, ...]


class _Kept(BaseModel):
    """A course as it lies on disk."""

    model_config = ConfigDict(frozen=True)

    course: Course
    studies: tuple[str, ...]
    t2flair: tuple[Measurement, ...]
    warnings: tuple[str, ...]
    digital: bool
    to_template: dict[str, list[list[float]]]


class ResponseTrip:
    """A patient's studies judged together: what is written, and the section of the report.

    Parameters
    ----------
    root : Path
        The patient's folder.
    trips : sequence of StudyTrip
        Measured studies.
    events : sequence of Event
        What happened to the patient.
    digital : bool
        A simulated patient.
    listen : callable
        Hears the stage.
    """

    def __init__(
        self, root: Path, trips: Sequence[StudyTrip], events: Sequence[Event], digital: bool, listen: Listener
    ) -> None:
        self.root, self.digital = root, digital
        self.warnings: list[str] = []
        self._trips, self._events, self._listen = trips, events, listen
        self._made: Responded | None = None

    def go(self, key: Sequence[str]) -> dict[str, StageRecord]:
        """Judge two studies or more, unless the same was judged before; what can no longer be judged is removed.

        Parameters
        ----------
        key : sequence of str
            Digests of dates, events and everything that was measured.

        Returns
        -------
        dict of str to StageRecord
            Empty where studies cannot be judged together: a single one, no dates, one day. The report stands without.
        """
        stage = STAGES["respond"]
        if len(self._trips) > 1:
            try:
                return {"respond": run_stage(stage, "patient", self.root, key, self._write, self._listen)}
            except InputError as error:
                self.warnings.append(f"response over time was not judged: {error}")
        forget_stage(stage, "patient", self.root)
        return {}

    def section(self) -> Response:
        """Return the section of the report; what was judged in another run is read back."""
        from tumorboard.report.response import response_section

        made = self._made or read_response(self.root)
        return response_section(made.course, made.judged, tuple(self._operations(made)), digital=self.digital)

    def _write(self) -> list[Path]:
        self._made = respond_to(self.root)
        return write_response(self.root, self._made)

    def _operations(self, made: Responded) -> Iterator[Operation]:
        days = sorted({e.date for e in self._events if e.kind is EventKind.SURGERY})
        studies = {t.id: t.date for t in self._trips if t.date is not None}
        for surgery in made.surgeries:
            pictures = self._pictures(surgery, made.course.alignment)
            yield operation_section(surgery, days[surgery.number - 1], studies, pictures)

    def _pictures(self, surgery: Surgery, alignment: Alignment) -> tuple[Picture, ...]:
        """Draw an operation that took more than a sample, where there is a study on both sides; two are in memory."""
        from tumorboard.report.surgery_picture import surgery_pictures

        if surgery.kind == "biopsy" or not (surgery.before and surgery.after):
            return ()
        first, second = (next(t for t in self._trips if t.id == name) for name in (surgery.before, surgery.after))
        both = {first.id, second.id} <= set(alignment.to_template)
        motion = alignment.between(second.id, first.id) if both else None
        known = surgery.get("blood_volume", "blood").value is not None
        blood = find_blood(_operated(second)) if known else None
        mask = None if blood is None else blood.certain
        pictures = surgery_pictures(first.bundle(()), second.bundle(()), mask, motion)
        for trip in (first, second):
            trip.release()
        return pictures


def _operated(trip: StudyTrip) -> Operated:
    return Operated(trip.study(), trip.date, trip.outlined().segmented.labels, trip.measured()[1])


def respond_to(root: Path) -> Responded:
    """Judge a measured case folder.

    Raises
    ------
    InputError
        Studies without dates, or on one day.
    """
    found = course_of(root)
    return Responded(found, judge_all([found.course]), surgery_of(root))


def write_response(root: Path, responded: Responded) -> list[Path]:
    """Write verdicts, times, criteria and operations into the case folder; return the files."""
    write_verdicts(root / VERDICTS, responded.judged.verdicts)
    write_times(root / TIMES, responded.judged.times)
    criteria = [read_criterion(name) for name in CRITERIA]
    told = {"warnings": list(responded.course.warnings)}
    write_json(root / CRITERIA_CARD, card(criteria, Judging(), responded.judged.not_run) | told)
    found = responded.course
    places = {study: matrix.tolist() for study, matrix in found.alignment.to_template.items()}
    kept = _Kept(
        course=found.course,
        studies=found.studies,
        t2flair=found.t2flair,
        warnings=found.warnings,
        digital=found.digital,
        to_template=places,
    )
    write_json(root / COURSE, kept.model_dump(mode="json"))
    write_fits(root / FITS, found.alignment.fits, found.digests)
    written = [root / VERDICTS, root / TIMES, root / CRITERIA_CARD, root / COURSE, root / FITS]
    if responded.surgeries:
        write_json(root / SURGERY, [s.model_dump(mode="json") for s in responded.surgeries])
        written.append(root / SURGERY)
    return written


def read_response(root: Path) -> Responded:
    """Read back what :func:`write_response` wrote; the verdicts are made again, which takes no time."""
    kept = _Kept.model_validate_json((root / COURSE).read_text(encoding="utf-8"))
    alignment = Alignment({study: np.array(matrix) for study, matrix in kept.to_template.items()})
    found = CaseCourse(kept.course, kept.studies, kept.t2flair, kept.warnings, kept.digital, alignment)
    listed = json.loads((root / SURGERY).read_text(encoding="utf-8")) if (root / SURGERY).is_file() else []
    surgeries = tuple(Surgery.model_validate(surgery) for surgery in listed)
    return Responded(found, judge_all([found.course]), surgeries)


def read_verdicts(root: Path) -> tuple[Verdict, ...]:
    """Read the verdicts of a case folder back; none where its studies were not judged together."""
    path = root / VERDICTS
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(_verdict(row) for row in csv.DictReader(file))


def _verdict(row: dict[str, str]) -> Verdict:
    raw = Category(row["raw_category"])
    return Verdict(
        patient=row["patient_id"],
        date=dt.date.fromisoformat(row["date"]),
        criterion=row["criterion"],
        raw=raw,
        category=Category(row["category"]),
        confirmed=Confirmed(row["confirmed"]),
        imaging_only=Category(row["imaging_only"]),
        total=float(row["sum"]) if row["sum"] else None,
        unit=UNITS[read_criterion(row["criterion"]).measure],
        reference=dt.date.fromisoformat(row["reference"]) if row["reference"] else None,
        rule=row["rule"],
        reason=row["reason"],
        probabilities={raw: float(row["probability"])} if row["probability"] else {},
    )
