"""One study through the chain: its input gathered, the chain run, bad earlier studies left out.

Why it exists: the department runs the same chain as the command line. One earlier study that cannot be used must not
keep the new one from being read, so it is left out and that is told.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tumorboard.errors import InputError, OutputError, SequenceError
from tumorboard.serve.jobs.gather import Gathered, leave_out
from tumorboard.serve.outlines.into_chain import with_corrections
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.stages import Step
from tumorboard.store import CaseFolder


@dataclass(frozen=True)
class Ran:
    """What a run left behind.

    Parameters
    ----------
    case : CaseFolder
        Of the patient.
    session : str
        ``ses-…`` of the study that was worked on.
    cards : list of str
        Methods and models with their versions.
    notes : tuple of str
        What has to be told; no identifiers.
    digital : bool
        The patient is simulated.
    """

    case: CaseFolder
    session: str
    cards: list[str]
    notes: tuple[str, ...]
    digital: bool


def run_chain(gathered: Gathered, settings: DepartmentSettings, listen: Callable[[str], None]) -> Ran:
    """Run the chain on what was gathered, up to report and objects.

    Parameters
    ----------
    gathered : Gathered
        Study and earlier ones.
    settings : DepartmentSettings
        Where case folders lie, what outlines the tumour.
    listen : callable
        Hears the name of every stage.

    Raises
    ------
    InputError
        The study itself cannot be used.
    """
    notes: list[str] = []
    while True:
        trail = _Trail(listen)
        try:
            return _run(gathered, settings, trail, notes)
        except OutputError:
            raise
        except InputError:
            blamed = _blamed(gathered, trail)
            if not blamed:
                raise
            for key in blamed:
                leave_out(gathered, key)
            notes.append(f"{len(blamed)} earlier {'study' if len(blamed) == 1 else 'studies'} could not be used")


@dataclass
class _Trail:
    """Where a run stands, so that a refusal can be blamed on a study."""

    listen: Callable[[str], None]
    sessions: dict[str, str] | None = None
    at: str = ""

    def __call__(self, step: Step) -> None:
        if step.state == "start":
            self.at = step.study
            self.listen(step.stage)


def _run(gathered: Gathered, settings: DepartmentSettings, trail: _Trail, notes: list[str]) -> Ran:
    from tumorboard.chain import run_intake
    from tumorboard.intake import IntakeRequest, take_in
    from tumorboard.settings import RunSettings

    request = IntakeRequest(inputs=(gathered.folder,), patient=gathered.patient)
    intake = with_corrections(take_in(request), gathered.corrections, settings.home)
    keys = {uid: key for key, uid in gathered.uids.items()}
    trail.sessions = {}
    for study in intake.patients[0].studies:
        uids = {choice.series.study_uid for choice in study.files.values() if choice.series is not None}
        trail.sessions[study.id] = keys.get(next(iter(uids), ""), "")
    session = next((s for s, key in trail.sessions.items() if gathered.uids.get(key) == gathered.study_uid), "")
    if not session:
        told = "; ".join(sorted({d.reason for d in intake.decisions if not d.study}))[:300]
        raise SequenceError("at least one MR sequence in the study", got=told or "none", where="study")
    done = run_intake(intake, request, settings.cases, RunSettings(segmenter=settings.jobs.segmenter), trail)
    case = done.folders[0]
    digital = bool(json.loads((case.root / "patient.json").read_text())["digital"])
    return Ran(case, session, _cards(case, session), (*notes, *done.warnings), digital)


def _cards(case: CaseFolder, session: str) -> list[str]:
    side = json.loads(case.seg(session, "dseg.json").read_text())
    return [f"{side['Method']['id']} {side['Method']['version']}"]


def _blamed(gathered: Gathered, trail: _Trail) -> list[str]:
    """Return the earlier studies to leave out: the one that a run stood at, else what no intake takes, else all."""
    earlier = [key for key, uid in gathered.uids.items() if uid != gathered.study_uid]
    at = (trail.sessions or {}).get(trail.at, "")
    if at:
        return [at] if at in earlier else []
    return [key for key in earlier if not _is_usable(gathered.folder / key)] or earlier


def _is_usable(folder: Path) -> bool:
    from tumorboard.intake import IntakeRequest, take_in

    with contextlib.suppress(InputError):
        take_in(IntakeRequest(inputs=(folder,)))
        return True
    return False
