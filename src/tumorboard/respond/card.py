"""What was run: every criterion with its source, its settings, and what in it nobody has verified.

Why it exists: a category without the table it came from cannot be repeated. The card lies beside the verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tumorboard import __version__
from tumorboard.respond.criterion import Criterion
from tumorboard.respond.judging import Judging, NotRun
from tumorboard.store import write_json

CARD = "criteria.json"


def card(criteria: Iterable[Criterion], how: Judging, not_run: Sequence[NotRun]) -> dict[str, Any]:
    """Return what was run, as data for JSON.

    Parameters
    ----------
    criteria : iterable of Criterion
        As they were used.
    how : Judging
        Errors of measurement; whether images stand for all.
    not_run : sequence of NotRun
        Patients that a criterion could not judge.

    Returns
    -------
    dict

    Examples
    --------
    >>> from tumorboard.respond.criterion import read_criterion
    >>> made = card([read_criterion("mrano")], Judging(), [])
    >>> made["criteria"][0]["id"], "product" in made["criteria"][0]["unverified"]
    ('mrano', True)
    """
    return {
        "software": f"tumorboard {__version__}",
        "imaging_only": how.imaging_only,
        "errors_of_measurement": {
            "diameter_sd_mm": how.errors.diameter_mm,
            "volume_sd_part": how.errors.volume_part,
            "origin": "chosen; the table's own where it has them",
        },
        "criteria": [c.model_dump(mode="json", exclude_none=True) for c in criteria],
        "not_run": [{"patient_id": n.patient, "criterion": n.criterion, "reason": n.reason} for n in not_run],
    }


def write_card(out: Path, criteria: Iterable[Criterion], how: Judging, not_run: Sequence[NotRun]) -> Path:
    """Write the card into a folder; return its path."""
    write_json(out / CARD, card(criteria, how, not_run))
    return out / CARD
