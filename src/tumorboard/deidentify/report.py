"""What was done, in numbers: ``deidentification.json`` and ``.md`` beside the files.

Why it exists: whoever receives the data must be able to judge how they were cleaned. It counts; it never
shows what was there before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tumorboard.deidentify.words import METHOD, OPTIONS

MEANING: Mapping[str, str] = {
    "X": "removed",
    "Z": "emptied",
    "D": "a dummy put in",
    "U": "another identifier",
    "C": "words of the field kept, or its items cleaned",
    "K": "kept",
    "S": "date moved, or time kept",
    "A": "age kept, at most 90",
    "P": "pseudonym put in",
}
"""The codes in words."""


def report_of(
    counts: Counter[tuple[str, str]],
    options: tuple[str, ...],
    written: Mapping[str, int],
    left_out: Mapping[str, int],
    unsearchable: int,
) -> dict[str, Any]:
    """Return the report as plain data.

    Parameters
    ----------
    counts : Counter of (keyword, code)
        What was done how often.
    options : tuple of str
        Codes of the profile and its options.
    written : mapping of str to int
        Files a pseudonym.
    left_out : mapping of str to int
        Files a reason.
    unsearchable : int
        Identifiers that the self-check could not search.
    """
    attributes: dict[str, dict[str, int]] = {}
    for (keyword, code), number in sorted(counts.items()):
        attributes.setdefault(keyword, {})[code] = number
    return {
        "method": METHOD,
        "options": {code: OPTIONS[code] for code in options},
        "codes": dict(MEANING),
        "files_written": dict(sorted(written.items())),
        "files_left_out": dict(sorted(left_out.items())),
        "attributes": attributes,
        "self_check": {
            "searched": "the bytes of every file written, for every original identifier of its patient",
            "identifiers_too_short_or_common_to_search": unsearchable,
        },
        "not_done": "Faces in images stay unless 113102 is listed; pixels were not searched for drawn text.",
    }


def as_markdown(report: Mapping[str, Any]) -> str:
    """Return the report as a page."""
    lines = ["# De-identification", "", f"Method: {report['method']}. Research software; not a medical device.", ""]
    lines += [f"- {code}: {meaning}" for code, meaning in report["options"].items()]
    lines += ["", f"{report['not_done']}", "", "## Files", "", "| patient | files |", "|---|---:|"]
    lines += [f"| {name} | {n} |" for name, n in report["files_written"].items()]
    lines += ["", "## Left out", "", "| why | files |", "|---|---:|"]
    lines += [f"| {why} | {n} |" for why, n in report["files_left_out"].items()] or ["| nothing | 0 |"]
    lines += ["", "## Attributes", "", "| attribute | done | times |", "|---|---|---:|"]
    for keyword, done in report["attributes"].items():
        lines += [f"| {keyword} | {MEANING[code]} ({code}) | {n} |" for code, n in done.items()]
    check = report["self_check"]
    lines += ["", "## Self-check", "", f"Searched: {check['searched']}."]
    lines += [f"Too short or too common to be searched: {check['identifiers_too_short_or_common_to_search']}."]
    return "\n".join(lines) + "\n"
