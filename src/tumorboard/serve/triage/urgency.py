"""How urgent a study is: points, priority, and a sentence for every number behind it.

Why it exists: a list that moves a study up without saying why is not believed, and one that says nothing about what it
could not see is believed too much. Points only raise: what was ordered is the least. Source of the idea: Titano JJ et
al., Nat Med 2018;24:1337-1341 (triage of CT by a network; read in secondary sources).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tumorboard.serve.data.priority import Priority
from tumorboard.serve.triage.facts import READERS, CaseFacts, Fact, read_facts
from tumorboard.serve.triage.table import Finding, Table, TableStep, read_table
from tumorboard.store import CaseFolder

UNTOLD = Priority.MEDIUM
"""What an order counts as that says nothing of its priority, and the least for a study that could not be processed."""

NOTHING = (
    "No finding of the table reached its first step. This is not a normal study: the table looks for {kinds} only, and "
    "nothing else was looked for."
)
DIGITAL = "Digital patient: simulated images, no real person."


@dataclass(frozen=True)
class Reason:
    """A finding that gave points.

    Parameters
    ----------
    finding, kind : str
        Its id in the table, and what it is a sign of.
    value, unit : float, str
        The number.
    points : float
        What it gave.
    sentence : str
        For people, with the number and the step.
    source : str
        Of the step, or ``unverified``.
    """

    finding: str
    kind: str
    value: float
    unit: str
    points: float
    sentence: str
    source: str


@dataclass(frozen=True)
class Urgency:
    """How urgent a study is.

    Parameters
    ----------
    study : str
        ``ses-01`` …
    score : float
        Points: the highest of each kind of finding, added up.
    priority : Priority
        The higher of what was ordered and what the score reaches.
    ordered : Priority or None
        What the order said.
    reasons : tuple of Reason
        Most points first; of those of one kind only the first is in the score.
    not_assessable : tuple of str
        What could not be looked at, and why; a sentence each, dangers first.
    notes : tuple of str
        What a reader must know: that nothing was found is not normal, that the patient is digital.
    table : str
        Version of the table.
    """

    study: str
    score: float
    priority: Priority
    ordered: Priority | None
    reasons: tuple[Reason, ...]
    not_assessable: tuple[str, ...]
    notes: tuple[str, ...]
    table: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything in words: reasons, notes, and what could not be assessed."""
        return (*(r.sentence for r in self.reasons), *self.notes, *self.not_assessable)

    @property
    def reading_key(self) -> tuple[int, float]:
        """Sort by this, then by arrival: the most urgent first."""
        return (-int(self.priority), -self.score)

    def as_json(self) -> dict[str, Any]:
        """Return plain values, for the database and for pages."""
        return {
            "study": self.study,
            "score": self.score,
            "priority": self.priority.name,
            "ups_priority": self.priority.ups,
            "ordered": self.ordered.name if self.ordered else None,
            "reasons": [vars(r) for r in self.reasons],
            "not_assessable": list(self.not_assessable),
            "notes": list(self.notes),
            "table": self.table,
        }


def assess(facts: CaseFacts, ordered: Priority | None = None, table: Table | None = None) -> Urgency:
    """Judge how urgent a study is.

    Parameters
    ----------
    facts : CaseFacts
        What was measured.
    ordered : Priority, optional
        What the order said; the result is never below it.
    table : Table, optional
        A department's own; ours by default.

    Returns
    -------
    Urgency

    Examples
    --------
    >>> from tumorboard.measurement import Measurement, Source, StudyMeasurements
    >>> shift = Measurement(name="midline_shift", region="brain", value=-7.2, unit="mm", method="m",
    ...                     source=Source(file="brain.nii.gz"), quality="proxy")
    >>> listed = StudyMeasurements(patient="P1", study="ses-01", sequences=(), segmenter="s", measurements=(shift,))
    >>> found = assess(CaseFacts("ses-01", listed), Priority.LOW)
    >>> found.score, found.priority.name, found.reasons[0].sentence
    (10.0, 'STAT', 'Midline shift: 7.2 mm (proxy); 10 points from 5 mm on.')
    """
    table, facts = table or read_table(), replace(facts, ordered=ordered)
    read = [(finding, READERS[finding.id](facts)) for finding in table.finding]
    reached = [(f, fact, f.reached(fact.value)) for f, fact in read if fact.value is not None]
    reasons = [_reason(f, fact, step) for f, fact, step in reached if step is not None]
    reasons.sort(key=lambda r: -r.points)
    score = sum({r.kind: r.points for r in reversed(reasons)}.values())
    danger = any(f.danger and step is not None for f, _, step in reached)
    missing = sorted((f for f in read if f[1].value is None and f[1].applies), key=lambda f: not f[0].danger)
    return Urgency(
        study=facts.study,
        score=score,
        priority=max(ordered or UNTOLD, table.priority_of(score, danger) or Priority.LOW),
        ordered=ordered,
        reasons=tuple(reasons),
        not_assessable=tuple(f"{f.title}: not assessable, {fact.reason}." for f, fact in missing),
        notes=_notes(facts, table, reasons, ordered),
        table=table.version,
    )


def not_processed(study: str, why: str, ordered: Priority | None = None) -> Urgency:
    """Return the urgency of a study that the chain could not process: at least ``MEDIUM``, never put last.

    Parameters
    ----------
    study : str
        ``ses-01`` …
    why : str
        In words, without identifiers.
    ordered : Priority, optional
        What the order said.

    Examples
    --------
    >>> not_processed("ses-01", "the T1C ends early", Priority.LOW).priority.name
    'MEDIUM'
    """
    told = f"The study could not be processed ({why}): nothing was looked for, and a reader has to look at all of it."
    priority = max(ordered or UNTOLD, UNTOLD)
    return Urgency(study, 0.0, priority, ordered, (), (), (told,), read_table().version)


def urgency_of(
    folder: CaseFolder, study: str = "", ordered: Priority | None = None, table: Table | None = None
) -> Urgency:
    """Judge how urgent a study of a case folder is; see :func:`read_facts` and :func:`assess`.

    Raises
    ------
    InputError, FileFormatError
        As :func:`tumorboard.serve.triage.facts.read_facts`.
    """
    return assess(read_facts(folder, study), ordered, table)


def _reason(finding: Finding, fact: Fact, step: TableStep) -> Reason:
    value = 0.0 if fact.value is None else fact.value
    unit = "" if finding.unit == "1" else f" {finding.unit}"
    beside = f" ({fact.note})" if fact.note else ""
    told = f"{finding.title}: {_short(value)}{unit}{beside}; {step.points:g} points from {step.at:g}{unit} on."
    told = f"{finding.title}: {fact.word}; {step.points:g} points." if fact.word else told
    return Reason(finding.id, finding.kind, value, finding.unit, step.points, told, step.source)


def _short(value: float) -> str:
    return (
        f"{value:.0f}"
        if value == round(value) or abs(value) >= 100
        else f"{value:.2f}"
        if value < 1
        else f"{value:.1f}"
    )


def _notes(facts: CaseFacts, table: Table, reasons: list[Reason], ordered: Priority | None) -> tuple[str, ...]:
    notes: list[str] = []
    kinds = list(dict.fromkeys(f.kind for f in table.finding if f.seen))
    if not any(r.kind in kinds for r in reasons):
        notes.append(NOTHING.format(kinds=f"{', '.join(kinds[:-1])} and {kinds[-1]}"))
    if ordered is None:
        notes.append(f"The order told no priority; it counts as {UNTOLD.name}.")
    notes += [f"Segmentation: {w}." for w in facts.latest.warnings]
    return (*notes, DIGITAL) if facts.digital else tuple(notes)
