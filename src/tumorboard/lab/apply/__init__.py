"""Trained recipes asked about a patient: features as in training, validity, uncertainty, reasons, one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tumorboard.errors import InputError

if TYPE_CHECKING:
    from tumorboard.lab.apply.told import AppliedModel

__all__ = ["case_page"]


def case_page(model: Path, case: Path, out: Path, tables: Sequence[Path] = ()) -> AppliedModel:
    """Write what a model says of a patient as a PDF, one A4 page for each answer.

    Parameters
    ----------
    model : Path
        Folder with a model of ``tumorboard lab run``.
    case : Path
        Case folder of a patient.
    out : Path
        PDF to write.
    tables : sequence of Path
        Tables by patient.

    Returns
    -------
    AppliedModel
        What it said.

    Raises
    ------
    InputError
        The model or the case cannot be used, the model learned from digital patients and this is none, or the patient
        lacks what it needs, which is named.
    MissingDependency
        There is nothing to lay a PDF out with.
    """
    from tumorboard.errors import MissingDependency
    from tumorboard.lab.apply.ask import ask
    from tumorboard.lab.apply.case import read_case, read_tables
    from tumorboard.lab.apply.page import page_pdf
    from tumorboard.lab.apply.shelf import may_answer, read_ready, refusal
    from tumorboard.store import write_atomic

    ready, cohort = read_ready(model), read_case(case, read_tables(tables))
    if not may_answer(ready.card, cohort.digital):
        raise refusal(ready.card)
    told = ask(ready, cohort)
    if not told.answers:
        remedy = "run with the sequences, or give --clinical with the columns"
        got = f"none of: {'; '.join(told.missing)}"
        raise InputError("a patient with all that the model needs", got=got, where=f"model {told.card}", remedy=remedy)
    made = page_pdf(ready, cohort, told)
    if made.data is None:
        raise MissingDependency("a PDF", got=made.reason)
    write_atomic(out, made.data)
    return told
