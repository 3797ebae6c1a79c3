"""What a run found beside its metrics: one file, one line here.

Why it exists: everything that a run can honestly know reaches its files, its page and the checklists by one way.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tumorboard.errors import InputError
from tumorboard.lab.findings.base import Asked, Finding
from tumorboard.lab.findings.calibrated import calibrated
from tumorboard.lab.findings.decision import decision
from tumorboard.lab.findings.learning import learning
from tumorboard.lab.findings.missing import missing
from tumorboard.lab.findings.needed import needed
from tumorboard.lab.findings.operating import confusion, operating, wrong
from tumorboard.lab.findings.over_time import over_time
from tumorboard.lab.findings.people import people
from tumorboard.lab.findings.predictors import predictors
from tumorboard.lab.findings.subgroups import subgroups
from tumorboard.lab.run import Run

__all__ = ["FINDINGS", "Asked", "Finding", "findings_of"]

FINDINGS: dict[str, Callable[[Asked], Finding | None]] = {
    "characteristics": people,
    "missing": missing,
    "sample_size": needed,
    "calibration": calibrated,
    "decision_curve": decision,
    "operating": operating,
    "confusion": confusion,
    "wrong": wrong,
    "over_time": over_time,
    "subgroups": subgroups,
    "learning_curve": learning,
    "predictors": predictors,
}
"""By the name of their file, in the order of the page."""


def findings_of(run: Run, cache: Path | None = None) -> tuple[Finding, ...]:
    """Return what a run found beside its metrics; what cannot be had says why.

    Parameters
    ----------
    run : Run
        That ended.
    cache : Path, optional
        Folder of finished folds, so that the learning curve is not computed twice.

    Returns
    -------
    tuple of Finding
        Those that suit the kind of outcome.
    """
    asked = Asked(run, cache)
    found = []
    for name, make in FINDINGS.items():
        try:
            one = make(asked)
        except InputError as refused:
            one = Finding(name, name.replace("_", " ").capitalize(), note=f"Not computed: expected {refused.expected}.")
        if one is not None:
            found.append(one)
    return tuple(found)
