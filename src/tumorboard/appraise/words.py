"""Facts by their path (``data.sites``): which there are, what each is called, and the sentence that it makes.

Why it exists: checklists name facts by path, and every answer is told in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from tumorboard.appraise.fields import SECTIONS
from tumorboard.errors import InputError, did_you_mean

DESIGNS = {
    "apparent": "on its own training patients",
    "split": "patients held out at random",
    "kfold": "k-fold cross-validation",
    "nested": "nested cross-validation",
    "bootstrap": "bootstrap",
    "leave_one_out": "leave one patient out",
    "leave_site_out": "leave one hospital out",
    "temporal": "later patients held out",
    "external": "patients of other hospitals alone",
}
"""Words of each design."""

MOST_SHOWN = 6
"""Parts of a list that stand in a sentence."""

DERIVED = {
    "tripod_type": ("TRIPOD type of the study", "TRIPOD type {}"),
    "events_per_predictor": ("outcomes per candidate predictor", "{:.1f} outcomes per candidate predictor"),
    "intervals": ("an interval for each measure of performance", "each with an interval"),
    "discrimination": ("a measure of discrimination (AUC, concordance)", "discrimination measured"),
    "external_metrics": (
        "measures on other hospitals' patients",
        "measured on other hospitals' patients",
    ),
}
"""Facts that follow from others, as ``derived.NAME``: the noun and the sentence."""


@cache
def paths() -> tuple[str, ...]:
    """Return the path of every fact, in their order, derived ones last."""
    told = [f"{section}.{name}" for section, model in SECTIONS.items() for name in model.model_fields]
    return (*told, *(f"derived.{name}" for name in DERIVED))


def known_path(path: str) -> str:
    """Return the path if there is such a fact.

    Parameters
    ----------
    path : str
        ``section.fact`` or ``derived.fact``.

    Returns
    -------
    str
        The same.

    Raises
    ------
    InputError
        There is none; the nearest is proposed.

    Examples
    --------
    >>> known_path("data.patients")
    'data.patients'
    """
    every = paths()
    if path not in every:
        remedy = did_you_mean(path, every, "see docs/reference/checklists.md")
        raise InputError("a fact of a run", got=repr(path), where="checklist", remedy=remedy)
    return path


def noun(path: str) -> str:
    """Return what a fact is called where it is missing.

    Examples
    --------
    >>> noun("data.sites")
    'number of hospitals'
    """
    return _words(path)[0]


@cache
def about_world(path: str) -> bool:
    """Return whether a fact is about hospitals and people, which digital patients cannot show."""
    section, _, name = path.partition(".")
    return name == "external_metrics" if section == "derived" else bool(_extra(section, name)["world"])


def sentence(path: str, value: object) -> str:
    """Return a known fact in words, with its number.

    Parameters
    ----------
    path : str
        ``section.fact`` or ``derived.fact``.
    value : object
        Its value, never ``None``.

    Returns
    -------
    str

    Examples
    --------
    >>> sentence("data.prospective", False), sentence("data.sites", 3)
    ('a retrospective design', '3 hospitals')
    """
    name, says = noun(path), _words(path)[1]
    if isinstance(value, bool):
        return (says or name) if value else _denied(path)
    if isinstance(value, tuple):
        value = _listed(value)
    if isinstance(value, str):
        value = DESIGNS.get(value, value) if path == "validation.design" else value
    return (says or f"{name}: {{}}").format(value)


def _listed(values: tuple[object, ...]) -> str:
    """Return a list in words; a long one ends with how many more there are."""
    shown = [str(value) for value in values[:MOST_SHOWN]]
    more = len(values) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more else [])]) or "none"


def _denied(path: str) -> str:
    section, _, name = path.partition(".")
    words = "" if section == "derived" else str(_extra(section, name)["no"])
    return words or f"no: {noun(path)}"


@cache
def _words(path: str) -> tuple[str, str]:
    section, _, name = path.partition(".")
    if section == "derived":
        return DERIVED[name]
    return str(SECTIONS[section].model_fields[name].description), str(_extra(section, name)["says"])


def _extra(section: str, name: str) -> Mapping[str, Any]:
    extra: Any = SECTIONS[section].model_fields[name].json_schema_extra
    return dict(extra)
