"""Models of the laboratory asked about a patient: the stage between measuring, judging and reporting.

Why it exists: what a model needs lies in the case folder by now. Whether it may answer at all, and whether it is whole,
is found out before anything is computed; what it says is written once, and report, page and table read that.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tumorboard.errors import InputError
from tumorboard.report.bundle import MethodSentence
from tumorboard.report.model import Models
from tumorboard.settings import RunSettings
from tumorboard.stages import STAGES, Listener, forget_stage, run_stage
from tumorboard.store import StageRecord, digest, write_atomic, write_json
from tumorboard.study import PatientInput

if TYPE_CHECKING:  # the laboratory is large, and most runs ask no model
    from tumorboard.lab.apply.shelf import Ready
    from tumorboard.lab.apply.told import AppliedModel, PatientModels
    from tumorboard.lab.cohort import Cohort, Sheet

MODELS, TABLE, PAGES = "models.json", "models.csv", "models"

FEATURES = ".stages/features"
"""Features while models are asked, so that they share them; gone when the stage is done."""


@dataclass(frozen=True)
class Asked:
    """Models that are asked for, and tables by patient.

    Parameters
    ----------
    models : tuple of Ready
        Whole and of this version.
    tables : tuple of Sheet
        Clinical columns; may be none.
    """

    models: tuple[Ready, ...]
    tables: tuple[Sheet, ...] = ()

    def key(self, pseudonym: str) -> str:
        """Return the digest of the models and of what tables say of a patient."""
        rows = [f"{s.name} {u} {dict(r)}" for s in self.tables for u, r in s.rows.items() if u.patient == pseudonym]
        columns = [f"{s.name} {s.columns}" for s in self.tables]
        return digest(*(r.digest for r in self.models), *columns, *sorted(rows))


def read_asked(settings: RunSettings, patients: Sequence[PatientInput]) -> Asked | None:
    """Read the models of a run, and refuse those that may answer for none of its patients.

    Parameters
    ----------
    settings : RunSettings
        Which models and tables.
    patients : sequence of PatientInput
        Of the run.

    Returns
    -------
    Asked or None
        None where no model is asked for.

    Raises
    ------
    InputError
        A model is damaged, of another format or version, given twice, or may answer for nobody here; or a table cannot
        be read, or stands without models.
    """
    if not settings.models:
        if settings.clinical:
            raise InputError("--clinical with --models", got="no model", where="--clinical", remedy="add --models")
        return None
    from tumorboard.lab.apply.case import read_tables
    from tumorboard.lab.apply.shelf import may_answer, read_all, refusal

    tables = read_tables([Path(t) for t in settings.clinical])
    models = read_all([Path(f) for f in settings.models])
    for ready in models:
        if not any(may_answer(ready.card, settings.digital or p.digital) for p in patients):
            raise refusal(ready.card)
    return Asked(models, tables)


class ModelsTrip:
    """Models asked about one patient.

    Parameters
    ----------
    root : Path
        The patient's folder.
    asked : Asked or None
        Which; None removes what an earlier run wrote.
    listen : callable
        Hears the stage.
    """

    def __init__(self, root: Path, asked: Asked | None, listen: Listener) -> None:
        self.root, self.asked = root, asked
        self.warnings: list[str] = []
        self._listen = listen

    def go(self, key: Sequence[str]) -> dict[str, StageRecord]:
        """Ask every model, unless the same was asked before.

        Parameters
        ----------
        key : sequence of str
            Digests of all that was prepared, outlined and measured, of dates and events.

        Returns
        -------
        dict of str to StageRecord
            Empty where no model is asked for.
        """
        stage = STAGES["models"]
        if self.asked is None:
            forget_stage(stage, "patient", self.root)
            return {}
        parts = [self.asked.key(self.root.name.removeprefix("sub-")), *key]
        record = run_stage(stage, "patient", self.root, parts, self._write, self._listen)
        for model in self.read().models:
            if model.status != "answered":
                self.warnings.append(f"model {model.card} was {model.status}: {'; '.join(model.missing)}")
            elif not all(a.like for a in model.answers):
                self.warnings.append(f"model {model.card}: this patient is unlike those it learned from")
        return {"models": record}

    def read(self) -> PatientModels:
        """Return what was written."""
        from tumorboard.lab.apply.told import PatientModels

        return PatientModels.model_validate_json((self.root / MODELS).read_text(encoding="utf-8"))

    def section(self) -> Models:
        """Return the section of the report."""
        from tumorboard.chain.models_section import models_section

        return models_section(self.read())

    def sentences(self) -> list[MethodSentence]:
        """Return what was asked, as sentences, each with the work it cites."""
        from tumorboard.lab.apply.words import methods_words

        return [MethodSentence(methods_words(m), m.cites) for m in self.read().models if m.status == "answered"]

    def _write(self) -> list[Path]:
        if self.asked is None:
            return []
        from tumorboard.lab.apply.case import read_case
        from tumorboard.lab.apply.page import models_csv, page_pdf
        from tumorboard.lab.apply.told import PatientModels

        cohort = read_case(self.root, self.asked.tables)
        written, models = [], []
        for ready in self.asked.models:
            model = _asked(ready, cohort, self.root / FEATURES)
            pdf = page_pdf(ready, cohort, model, self.root / FEATURES) if model.answers else None
            if pdf is not None and pdf.data is not None:
                model = model.model_copy(update={"page": f"{PAGES}/{ready.slug}.pdf"})
                written.append(self.root / model.page)
                write_atomic(written[-1], pdf.data)
            elif pdf is not None:
                self.warnings.append(pdf.reason)
            models.append(model)
        world = "digital patients" if cohort.digital else "patients"
        told = PatientModels(patient=self.root.name.removeprefix("sub-"), world=world, models=tuple(models))
        write_json(self.root / MODELS, told.model_dump(mode="json"))
        write_atomic(self.root / TABLE, models_csv(told))
        shutil.rmtree(self.root / FEATURES, ignore_errors=True)
        return [self.root / MODELS, self.root / TABLE, *written]


def _asked(ready: Ready, cohort: Cohort, cache: Path) -> AppliedModel:
    """Return what a model says; one that fails on this patient costs neither the others nor the report."""
    from tumorboard.lab.apply.ask import applied, ask

    try:
        return ask(ready, cohort, cache)
    except InputError as error:
        return applied(ready, "not applied", (str(error),))
