"""Prognostic indices and the integrated diagnosis: tables with their source, read by two small engines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tumorboard.errors import InputError
from tumorboard.respond.indices.base import IndexResult, check_names
from tumorboard.respond.indices.gpa import score
from tumorboard.respond.indices.rpa import classify
from tumorboard.respond.indices.tables import read_tables, shipped
from tumorboard.respond.indices.velocity import velocity, velocity_table

VELOCITY = ("new_metastases", "years")
"""What the velocity of metastases asks."""


def factors_of(table: Path | None = None) -> dict[str, tuple[str, ...]]:
    """Return what each index asks.

    Parameters
    ----------
    table : Path, optional
        A file of one's own; its indices alone are then returned.

    Returns
    -------
    dict of str to tuple of str
        Names of the factors, by the id of the index.

    Examples
    --------
    >>> factors_of()["rano-resect"]
    ('surgery', 'residual_ce_ml', 'residual_nce_ml')
    """
    book = shipped() if table is None else read_tables(table)
    own = {t.id: tuple(t.factors) for t in book.tables()}
    return own if table is not None else {**own, velocity_table().id: VELOCITY}


def assess(
    name: str,
    facts: Mapping[str, object],
    *,
    months: bool = False,
    digital: bool = False,
    table: Path | None = None,
) -> IndexResult:
    """Compute an index by its name.

    Parameters
    ----------
    name : str
        For example ``gpa-renal-2018``; see :func:`factors_of` for all of them.
    facts : mapping of str to object
        By factor; one that is absent, None or ``unknown`` is missing.
    months : bool
        Tell the median survival of the group too; never for a document of the patient.
    digital : bool
        The patient is simulated; months are then refused.
    table : Path, optional
        A file of one's own that holds the index.

    Returns
    -------
    IndexResult
        Value, group, points and what is missing.

    Raises
    ------
    InputError
        No such index, an unknown factor, a value that cannot be, or months of a digital patient.

    Examples
    --------
    >>> assess("gpa-renal-2018", {"kps": 90, "extracranial": "no", "brain_metastases": 2}).sentence
    'Renal GPA not assessable: haemoglobin unknown. The score lies between 3 and 4 of 4 (KPS 90: 2; extracranial
     metastases no: 0.5; brain metastases 2: 0.5). Unverified: points: not read in the source.'
    """
    book = shipped() if table is None else read_tables(table)
    if name in book.points:
        return score(book.points[name], book.factors, facts, months=months, digital=digital)
    if name in book.classes:
        return classify(book.classes[name], book.factors, facts, months=months, digital=digital)
    if table is None and name == velocity_table().id:
        check_names(VELOCITY, facts)
        return velocity(*(facts.get(factor) for factor in VELOCITY), months=months, digital=digital)
    if name in book.not_shipped:
        remedy = "give a file with your own table of it: --table FILE"
        raise InputError("an index that is shipped", got=book.not_shipped[name], where="index", remedy=remedy)
    known = ", ".join(factors_of(table))
    raise InputError(f"one of {known}", got="another name", where="index", remedy="choose one of them")
