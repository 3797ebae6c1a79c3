"""What models say as a section of the report: answers with their doubts, and models that did not answer.

Why it exists: the report knows nothing of the laboratory; here its words become rows and sentences.
"""

from __future__ import annotations

from tumorboard.lab.apply.told import AppliedModel, PatientModels, Told
from tumorboard.lab.apply.words import (
    among_words,
    answer_words,
    drivers_words,
    hits_words,
    measured_words,
    similar_words,
    training_words,
    validity_words,
    where_words,
)
from tumorboard.report.model import Matrix, ModelAnswer, Models

CAUTION = (
    "Research output of trained recipes, not for diagnosis: each holds at most for patients like those that it learned "
    "from, and each answer says how like they are."
)
ON_DIGITAL = "This is a digital patient; nothing here says anything of people."


def models_section(told: PatientModels) -> Models:
    """Return the section of one patient.

    Parameters
    ----------
    told : PatientModels
        What every model said, or why it did not.

    Examples
    --------
    >>> models_section(PatientModels(patient="a", world="digital patients", models=())).answers
    ()
    """
    answers = tuple(_answer(m, a) for m in told.models for a in m.answers)
    silent = tuple(
        (m.title, m.card, m.status if not m.answers else "in part", "; ".join(m.missing))
        for m in told.models
        if m.missing
    )
    header = ("Model", "Card", "What became of it", "What is missing, or why")
    left_out = Matrix(title="Without an answer", header=header, rows=silent) if silent else None
    notes = (CAUTION, ON_DIGITAL) if told.world != "patients" else (CAUTION,)
    return Models(notes=notes, answers=answers, left_out=left_out)


def _answer(model: AppliedModel, told: Told) -> ModelAnswer:
    rows = (
        ("Question", model.question),
        ("Among", among_words(model, told)),
        ("Validity", validity_words(told)),
        ("Answers like it", hits_words(model, told)),
        ("Measured", measured_words(model)),
        ("Learned from", training_words(model)),
        ("Driven by", drivers_words(told)),
        ("Similar patients", similar_words(model, told)),
    )
    warnings = list(told.notes)
    if not told.like:
        warnings.append("this patient is unlike those it learned from: do not rely on the answer")
    if model.digital:
        warnings.append("it learned from digital patients: its answer says nothing of people")
    return ModelAnswer(
        title=model.title,
        card=model.card,
        of=where_words(model, told),
        answer=answer_words(model, told),
        rows=tuple((name, text) for name, text in rows if text),
        warnings=tuple(warnings),
        page=model.page,
    )
