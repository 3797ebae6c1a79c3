"""The printable page of one patient and one model: prediction, confidence, drivers, similar patients.

Why it exists: GliomaPredict put a patient beside the six subtypes of its training set on one sheet that could be taken
to the board. Here is that sheet for any model, with what it lacked: a validity check, a set that keeps its promise, and
figures that name their world.

Source: Li A et al., Cancer Res 2009;69:2091-2099 (D26).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from tumorboard.csv_text import table_text
from tumorboard.lab.apply import words
from tumorboard.lab.apply.ask import tested_values
from tumorboard.lab.apply.cases import TrainingCases
from tumorboard.lab.apply.rows import new_rows
from tumorboard.lab.apply.shelf import Ready
from tumorboard.lab.apply.told import AppliedModel, DriverTold, PatientModels, Told
from tumorboard.lab.cohort import Cohort
from tumorboard.lab.recipe import Outcomes
from tumorboard.report.model import DIGITAL_BANNER, RESEARCH_BANNER, Picture
from tumorboard.report.pdf import PdfResult, pdf_of

if TYPE_CHECKING:
    from jinja2 import Template

_COLUMNS = (
    *(
        "patient",
        "model",
        "world",
        "status",
        "study",
        "lesion",
        "outcome",
        "value",
        "percentile",
        "among",
        "low",
        "high",
    ),
    *("coverage", "like", "like_percentile", "missing"),
)


@dataclass(frozen=True)
class Bar:
    """A bar on the page: words, length from 0 to 1, and text beside it."""

    words: str
    length: float
    text: str
    marked: bool = False


@dataclass(frozen=True)
class Strip:
    """Tested rows along the chance of a class, per cent: those that had it, the others, and this patient."""

    words: str
    here: float
    yes: tuple[float, ...]
    no: tuple[float, ...]


MOST_DRIVERS, MOST_FIGURES, MOST_TICKS = 6, 6, 400
"""What fits the page."""


def page_pdf(ready: Ready, cohort: Cohort, model: AppliedModel, cache: Path | None = None) -> PdfResult:
    """Return the pages of a model's answers, one A4 page each.

    Parameters
    ----------
    ready : Ready
        The model.
    cohort : Cohort
        Of the patient.
    model : AppliedModel
        What it said; see :func:`tumorboard.lab.apply.ask.ask`.
    cache : Path, optional
        Folder where features were kept; pictures of networks need them again.

    Returns
    -------
    PdfResult
        The file, or why there is none.
    """
    (patient,) = cohort.patients
    pictures = _pictures(ready, cohort, model, cache)
    cases = ready.model.cases
    return pdf_of(lambda: page_html(patient, model, digital=cohort.digital, pictures=pictures, cases=cases))


def page_html(
    patient: str,
    model: AppliedModel,
    *,
    digital: bool,
    pictures: tuple[Picture | None, ...] = (),
    cases: TrainingCases | None = None,
) -> str:
    """Return the pages as HTML that loads nothing.

    Parameters
    ----------
    patient : str
        Pseudonym.
    model : AppliedModel
        With answers.
    digital : bool
        Whether the patient is digital.
    pictures : tuple of Picture or None
        One for each answer; empty: none.
    cases : TrainingCases, optional
        Rows that the model was tested on, which the patient is put among.
    """
    from tumorboard import __version__

    shown = pictures or (None,) * len(model.answers)
    return _template().render(
        patient=patient,
        model=model,
        banners=[RESEARCH_BANNER, *([DIGITAL_BANNER] if digital else [])],
        sheets=[_sheet(model, a, p, strip_of(model, a, cases)) for a, p in zip(model.answers, shown, strict=True)],
        training=words.training_words(model),
        figures=words.figures(model, MOST_FIGURES),
        how=words.how_words(model),
        version=__version__,
    )


def models_csv(told: PatientModels) -> str:
    """Return one line for each number that a model gave, and one for each model that gave none."""
    rows: list[tuple[Any, ...]] = []
    for m in told.models:
        start = (told.patient, m.card, m.world, m.status)
        if not m.answers:
            rows.append((*start, *[""] * 11, "; ".join(m.missing)))
        for a in m.answers:
            low, high = a.interval or ("", "")
            end = (" | ".join(a.among), low, high, "" if a.coverage is None else a.coverage)
            for name, value in a.values.items():
                percentile = a.percentile.get(name, "")
                known = (name, value, percentile, *end, "yes" if a.like else "no", a.like_percentile)
                rows.append((*start, a.study, a.lesion, *known, "; ".join(a.missing)))
    return table_text(_COLUMNS, rows)


def _sheet(model: AppliedModel, told: Told, picture: Picture | None, strip: Strip | None) -> dict[str, Any]:
    why = told.why
    most = max((abs(d.effect) for d in why.drivers), default=1.0)
    unit = "" if why.drivers_unit in ("", "1", "output") else f", {why.drivers_unit}"
    return {
        "told": told,
        "of": words.where_words(model, told),
        "answer": words.headline(model, told),
        "bars": _bars(model, told),
        "place": _place(model, told),
        "among": words.among_words(model, told),
        "validity": words.validity_words(told),
        "hits": words.hits_words(model, told),
        "drivers": [
            (shorten(d.words, 56, placeholder=" …"), d.effect, value_of(d), abs(d.effect) / most)
            for d in why.drivers[:MOST_DRIVERS]
        ],
        "drivers_of": f"{why.drivers_of}{unit}",
        "drivers_note": why.drivers_note,
        "sequences": why.drivers_method == "sequence-ablation",
        "similar": [(c, shorten(c.differs[0], 44, placeholder=" …") if c.differs else "") for c in why.similar],
        "similar_usual": why.similar_usual,
        "similar_note": why.similar_note,
        "picture": picture,
        "strip": strip,
    }


def strip_of(model: AppliedModel, told: Told, cases: TrainingCases | None) -> Strip | None:
    """Return where tested rows with and without a class lie along its chance; None for other kinds of answer."""
    if cases is None or not told.best or not len(cases.tested):
        return None
    chance = tested_values(Outcomes(model.kind), model.outcome, cases.tested)[told.best]
    has = cases.truth[:, 0].astype(int) == model.outcome.index(told.best)
    at = 100.0 * chance
    yes, no = (tuple(sorted(at[side].tolist()))[:MOST_TICKS] for side in (has, ~has))
    return Strip(words.class_words(model, told.best), 100.0 * told.values[told.best], yes, no)


def value_of(driver: DriverTold) -> str:
    """Return the patient's value of a column and its place, as they stand below its name."""
    return words.value_words(driver).removeprefix(" = ")


def _bars(model: AppliedModel, told: Told) -> list[Bar]:
    """Return chances, the highest first; none for a risk or a quantity."""
    if model.kind in (Outcomes.SURVIVAL.value, Outcomes.REGRESSION.value):
        return []
    order = sorted(told.values.items(), key=lambda pair: -pair[1])[:8]
    return [Bar(words.class_words(model, n), v, words.percent(v), n == told.best or n in told.among) for n, v in order]


def _place(model: AppliedModel, told: Told) -> float | None:
    """Return where a risk or a quantity lies among those that were tested, per cent; None for chances."""
    if model.kind not in (Outcomes.SURVIVAL.value, Outcomes.REGRESSION.value):
        return None
    return next(iter(told.percentile.values()), None)


def _pictures(ready: Ready, cohort: Cohort, model: AppliedModel, cache: Path | None) -> tuple[Picture | None, ...]:
    """Return where a network looked, for each answer; nothing for other learners."""
    if not ready.model.fitted.pipeline.learner.takes_images:
        return ()
    from tumorboard.lab.apply.explained import Case
    from tumorboard.lab.apply.network import map_of

    data = new_rows(ready, cohort, cache).data
    if data is None or len(data) != len(model.answers):
        return ()
    return tuple(map_of(Case(ready, data, n), told) for n, told in enumerate(model.answers))


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    text = files("tumorboard.lab").joinpath("templates", "patient.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(text)
