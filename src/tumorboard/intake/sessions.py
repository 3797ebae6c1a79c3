"""Studies by name and by date: which folder is one study, when it was, and in which order studies stand.

Why it exists: a date in a folder's name may be a study's or a birthday, so only a folder that is named
by a date *alone* is a dated study. No date ever becomes part of a study's id.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Sequence as Row
from pathlib import Path

from tumorboard.intake.scan import natural

_DATE = r"(?P<y>(?:19|20)\d{2})(?P<sep>[-_.]?)(?P<m>\d{2})(?P=sep)(?P<d>\d{2})"
_STUDY_WORD = r"(?:ses(?:sion)?|visit|tp|time[-_ ]?point)"
_DATED = re.compile(
    rf"(?:(?:{_STUDY_WORD}|study|scan|exam|mri?)[-_ ]?)?{_DATE}(?:[-_ ]?(?:mr|mri|study|scan|brain|head))*", re.I
)
_NAMED = (
    re.compile(r"ses-[^\W_]+", re.I),
    re.compile(rf"{_STUDY_WORD}[-_ ]?\d{{1,4}}", re.I),
    re.compile(r"(?:week|month|day|year)[-_ ]?\d{1,4}(?:[-_]\d)?", re.I),
    re.compile(
        r"(?:baseline|initial|(?:pre|post)[-_ ]?op\w*|follow[-_ ]?up|fu|recurrence|nadir)(?:[-_ ]?\d{1,3})?", re.I
    ),
)
_CONTAINER = re.compile(r"nii|nifti|niftis|nrrd|anat|images?|img|raw|data|mri?|input", re.I)
_ISO_START = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?")


def is_study_folder(name: str) -> bool:
    """Whether a folder's name is that of one study of a patient, not that of a patient.

    Examples
    --------
    >>> [is_study_folder(n) for n in ("2021-03-04", "ses-02", "followup_1", "DOE_1961-03-04", "case_0")]
    [True, True, True, False, False]
    """
    return date_of_folder(name) is not None or any(pattern.fullmatch(name) for pattern in _NAMED)


def is_container(name: str) -> bool:
    """Whether a folder only holds files of the folder above it (``anat``, ``nifti``)."""
    return _CONTAINER.fullmatch(name) is not None


def date_of_folder(name: str) -> dt.date | None:
    """Return the date a folder is named by, or None.

    Examples
    --------
    >>> date_of_folder("20210304"), date_of_folder("2021-02-30")
    (datetime.date(2021, 3, 4), None)
    """
    found = _DATED.fullmatch(name)
    if found is None:
        return None
    try:
        return dt.date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        return None


def read_sessions_tsv(path: Path) -> dict[str, dt.date]:
    """Return dates by session label from a BIDS ``sub-X_sessions.tsv`` (``session_id``, ``acq_time``).

    Rows without a readable ISO date are left out; the caller says how many studies have no date.
    Source: BIDS specification, "Sessions file".
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}
    dates: dict[str, dt.date] = {}
    for row in rows:
        label = (row.get("session_id") or "").strip().removeprefix("ses-")
        found = _ISO_START.fullmatch((row.get("acq_time") or "").strip())
        if label and found:
            try:
                dates[label] = dt.date.fromisoformat(found[1])
            except ValueError:
                continue
    return dates


def order(keys: Row[str], dates: Row[dt.date | None]) -> list[int]:
    """Return the places of studies in order of date; in natural order of name unless every date is known."""
    if all(dates):
        return sorted(range(len(keys)), key=lambda i: (dates[i] or dt.date.min, natural(keys[i])))
    return sorted(range(len(keys)), key=lambda i: natural(keys[i]))


def study_ids(labels: Row[str]) -> list[str]:
    """Return the ids of studies that are already in order.

    Parameters
    ----------
    labels : sequence of str
        BIDS session labels, empty where there is none.

    Returns
    -------
    list of str
        ``ses-<label>`` where every study has a label of its own that cannot be a date; else
        ``ses-01``, ``ses-02`` …

    Examples
    --------
    >>> study_ids(["baseline", "3months"]), study_ids(["20210304", "20210611"])
    (['ses-baseline', 'ses-3months'], ['ses-01', 'ses-02'])
    """
    plain = [re.sub(r"[^A-Za-z0-9]", "", label) for label in labels]
    own = all(plain) and len({p.casefold() for p in plain}) == len(plain)
    undated = not any(re.search(r"\d{4}", p) for p in plain)
    return [f"ses-{p}" for p in plain] if own and undated else [f"ses-{n:02d}" for n in range(1, len(plain) + 1)]
