"""What is known of a run, from which checklists are answered: :class:`RunFacts`.

Why it exists: a checklist that an author fills in says what the author remembers. Here it is answered from what ran,
and only from that: a fact is true, false, or unknown, and contradictions are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field, model_validator

from tumorboard.appraise.fields import (
    SECTIONS,
    DataFacts,
    FeatureFacts,
    ImageFacts,
    ModelFacts,
    OpenFacts,
    PerformanceFacts,
    QuestionFacts,
    ValidationFacts,
)
from tumorboard.appraise.fields import Facts as _Facts
from tumorboard.appraise.words import about_world, sentence
from tumorboard.errors import InputError

RESAMPLED = ("kfold", "nested", "bootstrap", "leave_one_out")
DISCRIMINATION = ("auc", "auroc", "harrell", "uno's", "uno c", "concordance", "c-index", "c index", "hand till")
"""Words in the name of a measure that tells how well patients are set apart."""

RAN = ("features", "model", "validation", "performance")
"""Sections that a run knows completely: what it did not do there was not done."""

DONE: Mapping[str, tuple[str, ...]] = {
    "features": ("reduction", "non_radiomic"),
    "model": (),
    "validation": (),
    "performance": ("metrics", "calibration", "curves", "subgroups", "explanation"),
}
"""Lists of these sections that tell what was done, so that an untold one is empty."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one fact.

    Parameters
    ----------
    value : object
        ``None`` where it is unknown.
    barred : bool
        Whether it is about the world and the patients are digital: it counts as false, whatever its value.
    """

    value: object
    barred: bool = False


class RunFacts(_Facts):
    """Everything that is known of a run; see :mod:`tumorboard.appraise.fields` for each fact.

    Raises
    ------
    InputError
        Through :meth:`read`: facts that contradict one another. The constructor raises pydantic's own error.

    Examples
    --------
    >>> facts = RunFacts(data=DataFacts(patients=60, events=24, digital=False), features=FeatureFacts(candidates=12))
    >>> facts.say("data.patients"), facts.say("derived.events_per_predictor")
    ('60 patients', '2.0 outcomes per candidate predictor')
    """

    question: QuestionFacts = Field(default_factory=QuestionFacts)
    data: DataFacts = Field(default_factory=DataFacts)
    images: ImageFacts = Field(default_factory=ImageFacts)
    features: FeatureFacts = Field(default_factory=FeatureFacts)
    model: ModelFacts = Field(default_factory=ModelFacts)
    validation: ValidationFacts = Field(default_factory=ValidationFacts)
    performance: PerformanceFacts = Field(default_factory=PerformanceFacts)
    open: OpenFacts = Field(default_factory=OpenFacts)

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        for wrong, why in _contradictions(self):
            if wrong:
                raise ValueError(why)
        return self

    @classmethod
    def read(cls, text: str) -> Self:
        """Read facts from JSON, as :meth:`model_dump_json` writes them.

        Parameters
        ----------
        text : str
            One object with the sections.

        Returns
        -------
        RunFacts

        Raises
        ------
        InputError
            An unknown fact, a value of another kind, or facts that contradict one another.

        Examples
        --------
        >>> RunFacts.read('{"data": {"patients": 60}}').data.patients
        60
        """
        try:
            return cls.model_validate_json(text)
        except ValueError as error:
            first = getattr(error, "errors", lambda: [{"loc": (), "msg": "no JSON"}])()[0]
            where = ".".join(str(part) for part in first["loc"])
            why = str(first["msg"]).removeprefix("Value error, ")
            raise InputError("facts as a run writes them", got=why, where=f"facts {where}".strip()) from error

    def closed(self) -> Self:
        """Return the same facts where what the run would know, and did not tell, was not done.

        Returns
        -------
        RunFacts
            With no unknown yes or no in the sections of :data:`RAN`, and no unknown list of :data:`DONE`; numbers and
            words stay unknown.

        Examples
        --------
        >>> RunFacts().closed().performance.decision_curve
        False
        """
        changed: dict[str, Any] = {}
        for name in RAN:
            section: _Facts = getattr(self, name)
            none: dict[str, object] = {**dict.fromkeys(_flags(type(section)), False), **dict.fromkeys(DONE[name], ())}
            gaps = {fact: value for fact, value in none.items() if getattr(section, fact) is None}
            changed[name] = section.model_copy(update=gaps)
        return self.model_copy(update=changed)

    def without(self, path: str) -> Self:
        """Return the same facts but one, which is unknown.

        Parameters
        ----------
        path : str
            ``section.fact``.

        Returns
        -------
        RunFacts
        """
        section, _, name = path.partition(".")
        return self.model_copy(update={section: getattr(self, section).model_copy(update={name: None})})

    def look(self, path: str) -> Known:
        """Return what is known of a fact.

        Parameters
        ----------
        path : str
            ``section.fact`` or ``derived.fact``.

        Returns
        -------
        Known
            A fact about the world is unknown until the patients are known to be real, and barred when they are not.
        """
        if about_world(path):
            if self.data.digital is None:
                return Known(None)
            if self.data.digital:
                return Known(None, barred=True)
        return Known(self._raw(path))

    def _raw(self, path: str) -> object:
        section, _, name = path.partition(".")
        if section == "derived":
            return _DERIVE[name](self)
        value: object = getattr(getattr(self, section), name)
        if path == "model.risk_groups" and value is None and self.model.groups is False:
            return 0
        return value

    def say(self, path: str) -> str:
        """Return a fact in words, with its number; empty when it is unknown.

        Parameters
        ----------
        path : str
            ``section.fact`` or ``derived.fact``.

        Returns
        -------
        str
        """
        value = self.look(path).value
        return "" if value is None else sentence(path, value)

    def known(self) -> Iterator[str]:
        """Yield the path of every fact that is told (derived ones left out)."""
        for section in SECTIONS:
            for name in type(getattr(self, section)).model_fields:
                if getattr(getattr(self, section), name) is not None:
                    yield f"{section}.{name}"


def _contradictions(facts: RunFacts) -> Iterator[tuple[bool, str]]:
    """Yield each rule as whether it is broken and in words; an unknown fact breaks none."""
    d, i, f, v = facts.data, facts.images, facts.features, facts.validation
    largest = max(d.patients or 0, d.rows or 0)
    yield _above(d.events, largest or None), "there are no more outcomes than patients or rows"
    yield _above(d.patients, d.rows), "there are no fewer rows than patients"
    yield _above(f.selected, f.candidates), "no more predictors are kept than there were"
    outside = (v.external_patients, v.external_sites, v.external_events)
    yield v.external is False and any(outside), "without an external test there are no external patients"
    yield v.design == "external" and v.external is False, "a design that is external has an external test"
    yield _above(v.external_events, v.external_patients), "there are no more external outcomes than patients"
    external = any(m.on == "external" for m in facts.performance.metrics or ())
    yield v.external is False and external, "without an external test nothing is measured on external patients"
    yield bool(d.digital) and bool(d.prospective), "digital patients are not gathered prospectively"
    yield i.segmentation == "none" and i.dice is not None, "without a segmentation there is no overlap"
    yield i.segmentation in ("manual", "none") and i.dice is not None, "only an automated segmentation is evaluated"
    yield (
        facts.model.groups is False and bool(facts.model.risk_groups),
        "without risk groups there is no number of them",
    )
    short = d.patients is not None and d.needed is not None and d.patients < d.needed
    yield bool(d.enough) and short, "fewer patients than the calculation asks for are not enough"


def _above(value: float | None, most: float | None) -> bool:
    return value is not None and most is not None and value > most


def _flags(section: type[_Facts]) -> list[str]:
    return [name for name, field in section.model_fields.items() if field.annotation == (bool | None)]


def _tripod_type(facts: RunFacts) -> str | None:
    """Return the type (Collins 2015): 1a apparent, 1b resampled, 2a and 2b split, 3 other data, 4 validation only."""
    validation = facts.validation
    external = False if facts.data.digital else facts.look("validation.external").value
    develops, design = facts.question.develops, validation.design
    if external is None or develops is None or design is None:
        return None
    if not develops:
        return "4"
    if external:
        return "3"
    kinds = {"apparent": "1a", "split": "2a", "temporal": "2b", "leave_site_out": "2b"} | dict.fromkeys(RESAMPLED, "1b")
    return kinds.get(design)


def _events_per_predictor(facts: RunFacts) -> float | None:
    events, candidates = facts.data.events, facts.features.candidates
    return None if events is None or candidates is None else events / candidates


def _intervals(facts: RunFacts) -> bool | None:
    metrics = facts.performance.metrics
    return None if metrics is None else bool(metrics) and all(m.low is not None for m in metrics)


def _discrimination(facts: RunFacts) -> bool | None:
    metrics = facts.performance.metrics
    if metrics is None:
        return None
    names = [m.name.casefold().replace("_", " ") for m in metrics]
    return any(word in name for name in names for word in DISCRIMINATION)


def _external_metrics(facts: RunFacts) -> bool | None:
    metrics = facts.performance.metrics
    return None if metrics is None else any(m.on == "external" for m in metrics)


_DERIVE = {
    "tripod_type": _tripod_type,
    "events_per_predictor": _events_per_predictor,
    "intervals": _intervals,
    "discrimination": _discrimination,
    "external_metrics": _external_metrics,
}
