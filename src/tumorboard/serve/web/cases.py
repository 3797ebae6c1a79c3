"""What the chain left in a patient's case folder, found for a study and read for its pages.

Why it exists: sessions are numbered by date and shift when an earlier study comes, so a study finds its session by the
series that went into it. What cannot be read is not there; a page never fails because of a folder.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tumorboard.chain.patient import REPORT_MODEL
from tumorboard.measurement import StudyMeasurements
from tumorboard.report.model import Report, StudySection
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.store import CaseFolder


@dataclass(frozen=True)
class Case:
    """A study's place in its patient's case folder.

    Parameters
    ----------
    folder : CaseFolder
        Of the patient.
    session : str
        ``ses-01`` …
    """

    folder: CaseFolder
    session: str

    @property
    def measured(self) -> StudyMeasurements | None:
        """Every number of the study."""
        return _measured(*_stamped(self.folder.session(self.session) / "measurements.json"))

    @property
    def report(self) -> Report | None:
        """The patient's report."""
        return report_of(self.folder)

    @property
    def section(self) -> StudySection | None:
        """What the report says of this study."""
        report = self.report
        return None if report is None else next((s for s in report.studies if s.id == self.session), None)

    @property
    def method(self) -> dict[str, Any]:
        """What outlined it, with its validity and warnings; empty where that is not there."""
        said = _json(*_stamped(self.folder.seg(self.session, "dseg.json")))
        return said.get("Method", {}) if isinstance(said, dict) else {}

    @property
    def quality(self) -> dict[str, Any]:
        """What was noticed about the images; empty where that is not there."""
        said = _json(*_stamped(self.folder.session(self.session) / "quality.json"))
        return said if isinstance(said, dict) else {}

    @property
    def date(self) -> str:
        """Date of the session as ``2020-01-31``; empty where it has none."""
        card = _json(*_stamped(self.folder.root / "patient.json")) or {}
        return next((str(s["date"] or "") for s in card.get("studies", ()) if s["id"] == self.session), "")


def folder_of(settings: DepartmentSettings, patient_key: str) -> CaseFolder:
    """Return the case folder of a patient, which need not be there."""
    return CaseFolder(settings.cases, patient_key)


def case_of(settings: DepartmentSettings, patient_key: str, series_uids: set[str]) -> Case | None:
    """Return the place of a study, found by the UIDs of its series; None where the chain left nothing.

    Parameters
    ----------
    settings : DepartmentSettings
        The department's.
    patient_key : str
        Of the patient.
    series_uids : set of str
        All series of the study.
    """
    folder = folder_of(settings, patient_key)
    for source in sorted(folder.root.glob("ses-*/source.json")):
        if _series_in(*_stamped(source)) & series_uids:
            return Case(folder, source.parent.name)
    return None


def report_of(folder: CaseFolder) -> Report | None:
    """Return the report of a patient; None where there is none that can be read."""
    return _report(*_stamped(folder.root / REPORT_MODEL))


def verdicts_of(folder: CaseFolder) -> dict[str, dict[str, str]]:
    """Return the category by date (``2020-01-31``) and criterion; empty where none was judged."""
    try:
        with (folder.root / "verdicts.csv").open(newline="", encoding="utf-8") as stream:
            rows = [(r["date"], r["criterion"], r["category"]) for r in csv.DictReader(stream)]
    except (OSError, KeyError, UnicodeDecodeError, csv.Error):
        return {}
    out: dict[str, dict[str, str]] = {}
    for date, criterion, category in rows:
        out.setdefault(date, {})[criterion] = category
    return out


def _stamped(path: Path) -> tuple[Path, int]:
    """Return a path and the moment it was last written, which together name its content."""
    try:
        return path, path.stat().st_mtime_ns
    except OSError:
        return path, 0


@lru_cache(maxsize=512)
def _json(path: Path, _written: int) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=2048)
def _series_in(path: Path, _written: int) -> frozenset[str]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return frozenset(str(card["SeriesInstanceUID"]) for card in said.values() if "SeriesInstanceUID" in card)
    except (OSError, ValueError, AttributeError, TypeError):
        return frozenset()


@lru_cache(maxsize=512)
def _measured(path: Path, _written: int) -> StudyMeasurements | None:
    try:
        return StudyMeasurements.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


@lru_cache(maxsize=8)
def _report(path: Path, _written: int) -> Report | None:
    try:
        return Report.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
