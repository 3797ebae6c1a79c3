"""The section of a run's page that explains its model, and what checklists may know of it.

Why it exists: the page shows what a reader can discuss; every verdict of a test stands beside its picture.
"""

from __future__ import annotations

from typing import Any

from tumorboard.explain.catalogue import EXPLAINERS
from tumorboard.lab.explained.explained import Explained
from tumorboard.lab.explained.write import CAUSES

HEADS = {
    "columns": "What the model uses",
    "images": "Where the network looks",
    "patients": "Single patients",
}
"""Groups, in the order of the page."""


def section(explained: Explained) -> dict[str, Any]:
    """Return what the template ``explained.html.j2`` prints.

    Parameters
    ----------
    explained : Explained
        Of a run.

    Examples
    --------
    >>> section(Explained((), (), "patients"))["groups"]
    []
    """
    groups = [(head, explained.of(group)) for group, head in HEADS.items() if explained.of(group)]
    return {"groups": groups, "missing": explained.missing, "world": explained.world, "causes": CAUSES}


def explanation_facts(explained: Explained) -> dict[str, Any]:
    """Return the facts of performance that explanations give for checklists; without any there are none.

    Parameters
    ----------
    explained : Explained
        Of a run.

    Returns
    -------
    dict
        ``explanation``: methods by name; ``explanation_checked``: which tests were made, and how many passed;
        ``failures``: that patients who were told wrong are shown.

    Examples
    --------
    >>> explanation_facts(Explained((), (), "patients"))
    {}
    """
    methods = tuple(dict.fromkeys(part.method for part in explained.parts))
    if not methods:
        return {}
    facts: dict[str, Any] = {"explanation": tuple(EXPLAINERS[m].title if m in EXPLAINERS else m for m in methods)}
    checks: dict[str, list[bool]] = {}
    for part in explained.parts:
        for check in part.checks:
            checks.setdefault(check.ground, []).append(check.passed)
    if checks:
        told = [f"{ground} ({sum(passed)} of {len(passed)} passed)" for ground, passed in checks.items()]
        facts["explanation_checked"] = ", ".join(told)
    if any("wrong:" in part.title for part in explained.parts):
        facts["failures"] = True
    return facts
