"""The whole chain: studies in, report out. Every door calls :func:`run`.

Why it exists: the command line, a server and a notebook must not do three different things. It refuses
nothing that intake or a stage accepts, and hides nothing that they say.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tumorboard.chain.models import read_asked
from tumorboard.chain.patient import PatientTrip
from tumorboard.errors import InputError, OutputError, PartialFailure
from tumorboard.intake import Intake, IntakeRequest, take_in
from tumorboard.settings import RunSettings
from tumorboard.stages import Listener, silent
from tumorboard.store import CaseFolder, write_shared_json

__all__ = ["Done", "run", "run_intake"]


@dataclass(frozen=True)
class Done:
    """What a run wrote.

    Parameters
    ----------
    folders : tuple of CaseFolder
        One a patient that was finished.
    failures : tuple of (str, str)
        Pseudonym and message of each patient that was not.
    warnings : tuple of str
        Printed by the doors.
    """

    folders: tuple[CaseFolder, ...]
    failures: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


def run(request: IntakeRequest, out: Path, settings: RunSettings | None = None, listen: Listener = silent) -> Done:
    """Run the whole chain on what the user gave.

    Parameters
    ----------
    request : IntakeRequest
        Folders, files, and what the user says about them.
    out : Path
        Output folder, outside every input folder.
    settings : RunSettings, optional
        What to do; the defaults suit most.
    listen : callable
        Hears every stage.

    Returns
    -------
    Done

    Raises
    ------
    InputError
        The only patient cannot be used (exit code 2).
    PartialFailure
        Some patients could not be used; the others are written (exit code 3).

    Examples
    --------
    >>> run(IntakeRequest(inputs=(Path("nowhere"),)), Path("results"))
    Traceback (most recent call last):
    tumorboard.errors.SequenceError: input 1: expected a folder or a file; got nothing there...
    """
    return run_intake(take_in(request), request, out, settings or RunSettings(), listen)


def run_intake(
    intake: Intake,
    request: IntakeRequest,
    out: Path,
    settings: RunSettings,
    listen: Listener = silent,
    until: str = "report",
) -> Done:
    """Run the chain on what intake has found, up to a stage; see :func:`run`."""
    check_output(out, request)
    asked = read_asked(settings, intake.patients) if until == "report" else None
    finished: list[CaseFolder] = []
    failures: list[tuple[str, str]] = []
    warnings: list[str] = list(intake.warnings)
    for patient in intake.patients:
        trip = PatientTrip(out, patient, intake.decisions, settings, listen, asked)
        try:
            trip.go(until)
        except InputError as error:
            if len(intake.patients) == 1:
                raise
            failures.append((patient.pseudonym, str(error)))
            continue
        finished.append(trip.folder)
        warnings += trip.warnings
    write_shared_json(out / "dataset_description.json", _description())
    done = Done(tuple(finished), tuple(failures), tuple(warnings))
    if failures:
        raise PatientsFailed(done)
    return done


class PatientsFailed(PartialFailure):
    """Some patients failed; ``done`` tells which, and what was written for the others.

    The exit code is 3, and 2 where no patient at all could be used.
    """

    def __init__(self, done: Done) -> None:
        self.done = done
        self.exit_code = 3 if done.folders else 2
        super().__init__(
            "every patient to be usable",
            got=f"{len(done.failures)} of {len(done.failures) + len(done.folders)} that were not",
            remedy="see the table" + ("; the other patients are written" if done.folders else ""),
        )


def check_output(out: Path, request: IntakeRequest) -> None:
    """Refuse an output folder that lies in an input folder, or that is a case folder itself.

    Raises
    ------
    OutputError
        The next run would take its own results for input, or the folder is one patient's.
    """
    place = out.resolve()
    for given in request.inputs:
        root = given.resolve()
        if root.is_dir() and (place == root or root in place.parents):
            raise OutputError(
                "an output folder outside the input",
                got="one inside it",
                where="output",
                remedy="choose another --out, so that results are never taken for input",
            )
    if (out / "patient.json").exists():
        raise OutputError(
            "an output folder that holds case folders",
            got="the case folder of one patient",
            where="output",
            remedy="give the folder above it",
        )


def _description() -> dict[str, object]:
    from tumorboard import __version__

    return {
        "Name": "tumorboard derivatives",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "tumorboard", "Version": __version__, "Description": "research software"}],
    }
