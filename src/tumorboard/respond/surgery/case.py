"""The operations of a patient, read from a case folder.

Why it exists: which study shows the tumour before an operation and which one what is left is a choice, made here by
dates alone; a study that could be either is left out, and that is told.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorboard.errors import InputError
from tumorboard.io.images import read_volume
from tumorboard.labels import LabelMap
from tumorboard.measure.sources import Files
from tumorboard.measurement import StudyMeasurements
from tumorboard.respond.surgery.assess import assess_surgery
from tumorboard.respond.surgery.model import Operated, Surgery
from tumorboard.respond.surgery.when import WINDOW_DAYS, is_biopsy
from tumorboard.sequences import Sequence
from tumorboard.store import CaseFolder
from tumorboard.study import Event, EventKind, Study

NEEDED = (Sequence.T1, Sequence.T1C)
"""Images that are read: they tell blood from enhancement."""

UNDATED = "a study without a date was left out"

EITHER = "a study of the day of the operation was left out: it may be from before or after it"


@dataclass(frozen=True)
class _Listed:
    """A study with its date and what was measured, before its images are read."""

    id: str
    date: dt.date
    measurements: StudyMeasurements

    @property
    def cavity(self) -> bool:
        return any(m.name == "volume" and m.region == "RC" and m.value for m in self.measurements.measurements)

    @property
    def complete(self) -> bool:
        return all(s.value in self.measurements.sequences for s in NEEDED)


def surgery_of(case: Path) -> tuple[Surgery, ...]:
    """Judge every operation that the events of a case folder hold, in order of date.

    Parameters
    ----------
    case : Path
        The patient's folder, ``OUT/sub-<pseudonym>``, measured.

    Returns
    -------
    tuple of Surgery
        Empty where no operation is recorded.

    Raises
    ------
    InputError
        The folder is no case folder.
    """
    try:
        card = json.loads((case / "patient.json").read_text(encoding="utf-8"))
        folder = CaseFolder(case.parent, str(card["pseudonym"]))
        events = tuple(_event(row) for row in card["events"])
        dates = {str(s["id"]): s["date"] and dt.date.fromisoformat(s["date"]) for s in card["studies"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "a case folder",
            got="no patient.json that can be read",
            where="case folder",
            remedy="name OUT/sub-<pseudonym>",
        ) from error
    listed = [_listed(case, study, date) for study, date in dates.items() if date and _measured(case, study)]
    undated = (UNDATED,) if not all(dates.values()) else ()
    operations = sorted({e for e in events if e.kind is EventKind.SURGERY}, key=lambda e: (e.date, e.value, e.detail))
    return tuple(_judged(folder, operation, events, listed, undated) for operation in operations)


def _judged(
    folder: CaseFolder, surgery: Event, events: Many[Event], listed: Many[_Listed], cautions: tuple[str, ...]
) -> Surgery:
    before, after, left_out = _chosen(listed, surgery, events)
    made = assess_surgery(
        None if before is None else read_operated(folder, before.id, before.date),
        None if after is None else read_operated(folder, after.id, after.date),
        surgery,
        events,
    )
    more = (*made.cautions, *cautions, *((EITHER,) if left_out else ()))
    return made.model_copy(update={"cautions": more})


def _chosen(listed: Many[_Listed], surgery: Event, events: Many[Event]) -> tuple[_Listed | None, _Listed | None, bool]:
    """Return the studies before and after an operation, and whether one of its day could be either."""
    others = sorted({e.date for e in events if e.kind is EventKind.SURGERY and e.date != surgery.date})
    today = [s for s in listed if s.date == surgery.date]
    again = any(date < surgery.date for date in others)
    first = [] if again else [s for s in today if not s.cavity]
    then = [] if again or is_biopsy(surgery) else [s for s in today if s.cavity]
    before = sorted([*(s for s in listed if s.date < surgery.date), *first], key=lambda s: (s.date, s.id))
    after = sorted([*(s for s in listed if s.date > surgery.date), *then], key=lambda s: (s.date, s.id))
    until = next((date for date in others if date > surgery.date), dt.date.max)
    soon = [s for s in after if s.complete and s.date < until and (s.date - surgery.date).days <= WINDOW_DAYS]
    best = next(iter([*soon, *after]), None)
    return (before[-1] if before else None), best, len(today) > len(first) + len(then)


def _measured(case: Path, study: str) -> bool:
    return (case / study / "measurements.json").is_file()


def _listed(case: Path, study: str, date: dt.date) -> _Listed:
    return _Listed(study, date, _measurements(case / study))


def read_operated(folder: CaseFolder, study: str, date: dt.date | None) -> Operated:
    """Read what is needed of one study from a case folder.

    Parameters
    ----------
    folder : CaseFolder
        The patient's.
    study : str
        ``ses-01`` …
    date : date or None
        When it was acquired.
    """
    session = folder.session(study)
    quality = json.loads((session / "quality.json").read_text(encoding="utf-8"))
    there = [Sequence(name) for name in quality["sequences"]]
    wanted = [s for s in there if s in NEEDED] or there[:1]
    volumes = {s: read_volume(folder.anat(study, s.bids_suffix), s.value) for s in wanted}
    brain = folder.anat(study, "desc-brain_mask")
    labels, necrosis = folder.seg(study, "dseg.nii.gz"), folder.seg(study, "desc-necrosis_mask.nii.gz")
    grid = next(iter(volumes.values())).grid
    return Operated(
        study=Study(study, volumes, read_volume(brain, "brain mask").data > 0),
        date=date,
        labels=LabelMap(read_volume(labels, "labels").data, grid),
        measurements=_measurements(session),
        necrosis=read_volume(necrosis, "necrosis").data > 0 if necrosis.is_file() else None,
        files=Files(labels=folder.relative(labels), brain=folder.relative(brain)),
        t1_file=folder.relative(folder.anat(study, Sequence.T1.bids_suffix)),
        necrosis_file=folder.relative(necrosis),
    )


def _measurements(session: Path) -> StudyMeasurements:
    return StudyMeasurements.model_validate_json((session / "measurements.json").read_text(encoding="utf-8"))


def _event(row: dict[str, Any]) -> Event:
    end = row.get("end_date")
    return Event(
        date=dt.date.fromisoformat(row["date"]),
        kind=EventKind(row["event"]),
        end_date=dt.date.fromisoformat(end) if end else None,
        value=row.get("value", ""),
        unit=row.get("unit", ""),
        detail=row.get("detail", ""),
    )
