"""How many of many runs did what makes evidence: external tests, prospective patients, calibration, sample size.

Why it exists: the reviews of the field counted this by hand, and found little. Over runs of our own the same table
costs nothing and is as honest as their facts: what a run does not tell is its own column, never a yes, and digital
patients cannot show what is about hospitals.

Source: the questions are those of Park JE et al. Eur Radiol 2020;30:523-536 (77 studies) and Kim DW et al. Korean J
Radiol 2019;20:405-410 (516 studies), as the reviews cite them; their numbers stand in ``audit.toml``.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from tumorboard.appraise.answer import Appraisal, appraise
from tumorboard.appraise.checklist import CHECKLISTS, read_checklist
from tumorboard.appraise.expression import Ask
from tumorboard.appraise.facts import RunFacts
from tumorboard.appraise.words import known_path
from tumorboard.errors import InputError

TRIPOD_PUBLISHED = "18.5 ± 4.0 items in 77 radiomics studies"


class Question(BaseModel):
    """One line of the audit's table.

    Parameters
    ----------
    text : str
        What is counted.
    ask : Ask
        Of each run's facts.
    published : str
        What reviews counted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=1)
    ask: Ask
    published: str = ""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One question over all runs.

    Parameters
    ----------
    question : Question
        What was counted.
    yes, no, unknown : tuple of str
        Names of the runs with each answer.
    """

    question: Question
    yes: tuple[str, ...]
    no: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """The table of :func:`audit`.

    Parameters
    ----------
    rows : tuple of AuditRow
        One a question.
    scores : mapping of str to mapping of str to Appraisal
        Each checklist's appraisals, by run.
    digital : tuple of str
        Names of the runs on digital patients.
    """

    rows: tuple[AuditRow, ...]
    scores: Mapping[str, Mapping[str, Appraisal]]
    digital: tuple[str, ...]

    @property
    def runs(self) -> tuple[str, ...]:
        """Names of all runs."""
        return tuple(next(iter(self.scores.values())))

    def mean(self, checklist: str) -> tuple[float, float]:
        """Return the mean of a checklist's settled scores and their standard deviation (NaN for one run)."""
        low = [a.score.low for a in self.scores[checklist].values()]
        mean = sum(low) / len(low)
        if len(low) == 1:
            return mean, math.nan
        return mean, math.sqrt(sum((x - mean) ** 2 for x in low) / (len(low) - 1))


@cache
def questions() -> tuple[Question, ...]:
    """Return the questions of the audit, from ``audit.toml``."""
    table = tomllib.loads((files("tumorboard.appraise") / "audit.toml").read_text(encoding="utf-8"))
    found = tuple(Question.model_validate(row) for row in table["row"])
    for question in found:
        for path in question.ask.paths:
            known_path(path)
    return found


def audit(runs: Mapping[str, RunFacts]) -> Audit:
    """Count over many runs.

    Parameters
    ----------
    runs : mapping of str to RunFacts
        By the name of the run.

    Returns
    -------
    Audit

    Raises
    ------
    InputError
        There are no runs.

    Examples
    --------
    >>> from tumorboard.appraise import DataFacts, ValidationFacts
    >>> real = DataFacts(digital=False)
    >>> runs = {"D2": RunFacts(data=real, validation=ValidationFacts(external=True)), "D3": RunFacts(data=real)}
    >>> row = audit(runs).rows[0]
    >>> row.question.text, row.yes, row.unknown
    ('tested on patients of other hospitals', ('D2',), ('D3',))
    """
    if not runs:
        raise InputError("one run at least", got="none", where="audit")
    rows = []
    for question in questions():
        truth = {name: question.ask.of(facts).truth for name, facts in runs.items()}
        by = [tuple(n for n, t in truth.items() if t is kind) for kind in (True, False, None)]
        rows.append(AuditRow(question, by[0], by[1], by[2]))
    scores = {c: {n: appraise(facts, read_checklist(c)) for n, facts in runs.items()} for c in CHECKLISTS}
    return Audit(tuple(rows), scores, tuple(n for n, facts in runs.items() if facts.data.digital))


def audit_markdown(found: Audit) -> str:
    """Return an audit as two tables: what was done, and the checklists' scores.

    Parameters
    ----------
    found : Audit
        From :func:`audit`.

    Returns
    -------
    str
        Markdown.
    """
    n = len(found.runs)
    lines = [
        f"{n} runs, {len(found.digital)} of them on digital patients, which cannot show what is about hospitals.",
        "",
    ]
    lines += ["| question | yes | no | not told | published |", "| --- | --- | --- | --- | --- |"]
    for row in found.rows:
        share = f"{len(row.yes)} ({100 * len(row.yes) / n:.0f} %)"
        lines.append(
            f"| {row.question.text} | {share} | {len(row.no)} | {len(row.unknown)} | {row.question.published} |"
        )
    lines += ["", "| checklist | mean ± SD of what the runs settle | open to the author (mean) | published |"]
    lines += ["| --- | --- | --- | --- |"]
    for name, appraisals in found.scores.items():
        mean, deviation = found.mean(name)
        spread = "" if math.isnan(deviation) else f" ± {deviation:.1f}"
        room = sum(a.score.high - a.score.low for a in appraisals.values()) / n
        published = TRIPOD_PUBLISHED if name == "tripod-2015" else ""
        lines.append(f"| {read_checklist(name).title} | {mean:.1f}{spread} | {room:.1f} | {published} |")
    return "\n".join(lines) + "\n"
