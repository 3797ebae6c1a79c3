"""The raw category of a visit: images, then steroids, clinical state and what else the criterion asks.

Why it exists: "this visit with all its facts", before any window or confirmation. Facts that nobody told are listed,
never guessed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tumorboard.errors import InputError
from tumorboard.respond.criterion import Criterion
from tumorboard.respond.drugs import drug_classes
from tumorboard.respond.engine.findings import Compared, Finding
from tumorboard.respond.engine.lymphoma import lymphoma_level, lymphoma_triggers
from tumorboard.respond.engine.segment import Segment, births, segments
from tumorboard.respond.engine.sizes import size_of
from tumorboard.respond.visits import Compartment, Course, SteroidReason, Trend, Visit
from tumorboard.verdict import BEST_FIRST, Category


class CriterionNotRun(InputError):
    """A criterion that lacks a value which only the user can give."""


@dataclass(slots=True)
class Raw:
    """One visit before windows and confirmation.

    Parameters
    ----------
    visit : Visit
        Which.
    category, images : Category
        With all facts, and from the images alone.
    rule : str
        What made the category.
    triggers : tuple of str
        Rules of progression that are met.
    finding : Finding or None
        Of the compartment that decided; ``None`` at a reference study.
    findings : tuple of Finding
        Of all compartments that count.
    missing : tuple of str
        Facts that the criterion needs and nobody told.
    dose_risen : bool
        Steroids above the dose of the reference.
    """

    visit: Visit
    category: Category
    images: Category
    rule: str
    triggers: tuple[str, ...] = ()
    finding: Finding | None = None
    findings: tuple[Finding, ...] = ()
    missing: tuple[str, ...] = ()
    dose_risen: bool = False
    baseline_dose: float | None = None
    previous_dose: float | None = None
    baseline_date: dt.date | None = None
    immunotherapy: dt.date | None = None
    antiangiogenic: bool = False
    rt_end: dt.date | None = None
    noted: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Treatment:
    """What holds on a day, where a later row may leave out what an earlier one told."""

    immunotherapy: dt.date | None
    antiangiogenic: bool
    rt_end: dt.date | None


def raw_categories(course: Course, criterion: Criterion) -> list[Raw]:
    """Judge every visit of a course for itself.

    Parameters
    ----------
    course : Course
        In order of date.
    criterion : Criterion
        Read from its table.

    Returns
    -------
    list of Raw
        One a visit, in order of date.
    """
    born = births(course)
    treatments = dict(zip((v.date for v in course.visits), _treatments(course), strict=True))
    early, parts = segments(course, criterion)
    out = [Raw(v, Category.NE, Category.NE, "ne.before") for v in early]
    for part in parts:
        out += _judged(part, criterion, born, treatments)
    return out


def _lacking(reference: Visit, criterion: Criterion) -> bool:
    """Return whether there were lesions at the reference, but none of them as the criterion asks."""
    asked = [s for s in reference.lesions if s.compartment in criterion.compartments]
    told = any(s.status is not None or size_of(s, criterion.measure) is not None for s in asked)
    return bool(reference.lesions) and not told


def _treatments(course: Course) -> Iterator[Treatment]:
    started: dt.date | None = None
    drug, rt = "", None
    for visit in course.visits:
        drug = visit.drug or drug
        classes = drug_classes(drug) if drug else frozenset()
        if "immunotherapy" in classes and visit.drug_start is not None:
            started = visit.drug_start
        rt = visit.rt_end or rt
        yield Treatment(started if "immunotherapy" in classes else None, "antiangiogenic" in classes, rt)


def _judged(
    part: Segment,
    criterion: Criterion,
    born: Mapping[str, dt.date],
    treatments: Mapping[dt.date, Treatment],
) -> Iterator[Raw]:
    groups = [criterion.compartments] if criterion.pooled else [(c,) for c in criterion.compartments]
    compared = {group[0]: Compared(part, criterion, group, born) for group in groups}
    _check(compared, criterion)
    leading = _leading(compared, criterion)
    watched = [Compared(part, watching(criterion, c), (c,), born) for c in criterion.watched]
    lacking = _lacking(part.baseline, criterion)
    doses = (part.baseline.dexamethasone_mg, part.baseline.date)
    previous = part.before[-1].dexamethasone_mg
    for visit in part.before:
        yield Raw(visit, Category.BL, Category.BL, "bl", finding=_summed(compared[leading[0]], visit, lacking))
    for visit in part.visits:
        if lacking or not visit.evaluable:
            raw = Raw(visit, Category.NE, Category.NE, "ne.not_measured" if lacking else "ne.images")
        else:
            found = [(c in leading, compared[c].look(visit)) for c in compared]
            raw = _facts(visit, criterion, found, doses[0], treatments[visit.date])
            raw.previous_dose = previous
            previous = visit.dexamethasone_mg
            _watch(raw, [w.look(visit) for w in watched])
            _decide(raw, criterion)
        raw.baseline_date = doses[1]
        yield raw


def _summed(compared: Compared, visit: Visit, lacking: bool) -> Finding | None:
    return None if lacking or not visit.evaluable else compared.at_reference(visit)


def _check(compared: Mapping[Compartment, Compared], criterion: Criterion) -> None:
    """Refuse to choose targets by a number that nobody could verify."""
    most = criterion.most_without
    if most is None or criterion.max_targets is not None:
        return
    if any(of.followed.candidates > most for of in compared.values()):
        raise CriterionNotRun(
            f"at most {most} measurable lesions of a compartment, or {criterion.id}.max_targets",
            got=f"more than {most}",
            where=criterion.title,
            remedy=f"give {criterion.unknown['max_targets']}: --set {criterion.id}.max_targets=NUMBER",
        )


def watching(criterion: Criterion, compartment: Compartment) -> Criterion:
    """Return a criterion for what is only watched: every lesion of it, no targets chosen, the same rises."""
    changed = {"compartments": (compartment,), "watched": (), "size": None, "targets": "all", "max_targets": None}
    return criterion.model_copy(update=changed)


def _leading(compared: Mapping[Compartment, Compared], criterion: Criterion) -> list[Compartment]:
    """Return the compartments whose sums count: those with targets, else the first in which anything is."""
    with_targets = [c for c, of in compared.items() if of.followed.targets]
    some = [c for c, of in compared.items() if not of.empty]
    return with_targets or some[:1] or [criterion.compartments[0]]


def _facts(
    visit: Visit,
    criterion: Criterion,
    found: list[tuple[bool, Finding]],
    baseline_dose: float | None,
    treatment: Treatment,
) -> Raw:
    leading = tuple(f for leads, f in found if leads)
    raw = Raw(visit, Category.NE, Category.NE, "", finding=leading[0], findings=leading)
    raw.immunotherapy, raw.antiangiogenic, raw.rt_end = (
        treatment.immunotherapy,
        treatment.antiangiogenic,
        treatment.rt_end,
    )
    raw.baseline_dose = baseline_dose
    dose = visit.dexamethasone_mg
    rises = criterion.steroids == "all" and dose is not None and baseline_dose is not None
    raw.dose_risen = bool(rises and dose > baseline_dose)  # type: ignore[operator]  # both are numbers here
    raw.triggers = tuple(dict.fromkeys(t for _, f in found for t in f.triggers))
    raw.missing = tuple(_missing(visit, criterion, baseline_dose))
    return raw


def _missing(visit: Visit, criterion: Criterion, baseline_dose: float | None) -> Iterator[str]:
    if criterion.steroids != "none" and visit.dexamethasone_mg is None:
        yield "steroid dose"
    if criterion.steroids == "all" and baseline_dose is None:
        yield "steroid dose at the reference study"
    if criterion.clinical and visit.clinical is None:
        yield "clinical state"
    if criterion.t2flair == "always" and visit.t2flair is None:
        yield "T2/FLAIR"
    if criterion.eye_csf and visit.eye is None:
        yield "eye examination"
    if criterion.eye_csf and visit.csf is None:
        yield "cerebrospinal fluid"


def _watch(raw: Raw, findings: list[Finding]) -> None:
    if any(f.triggers for f in findings):
        raw.triggers = (*raw.triggers, "pd.watched")


def _decide(raw: Raw, criterion: Criterion) -> None:
    """Set the category from images alone, then that with all facts."""
    level, rule = _combined(raw.findings)
    triggers = list(raw.triggers)
    if not criterion.new_alone_in_immunotherapy and triggers == ["pd.new_lesion"] and _under_immunotherapy(raw):
        triggers = []
        raw.noted.append("A new lesion alone is no progression under immunotherapy.")
    t2flair = _t2flair_counts(raw, criterion)
    worse = t2flair and raw.visit.t2flair is Trend.WORSE
    raw.images = Category.PD if triggers or worse else level
    if worse and _dose_held(raw):
        triggers.append("pd.t2flair")
    if criterion.eye_csf:
        triggers += lymphoma_triggers(raw.visit)
        if level is not Category.NE or (rule == "ne.unknown" and raw.findings[0].minimal):
            level, rule = lymphoma_level(level, rule, raw.findings[0], raw.visit)
    if criterion.clinical and raw.visit.clinical is Trend.WORSE:
        triggers.append("pd.clinical")
    raw.triggers = tuple(triggers)
    raw.category, raw.rule = _with_facts(raw, criterion, level, rule, bool(worse))


def _with_facts(raw: Raw, criterion: Criterion, level: Category, rule: str, worse: bool) -> tuple[Category, str]:
    if raw.triggers:
        reduced = criterion.progression_needs_steroids and not _dose_held(raw)
        return (Category.SD, "sd.dose_reduced") if reduced else (Category.PD, raw.triggers[0])
    if level is Category.NE:
        return level, rule
    if raw.dose_risen or worse:
        return Category.NE, "ne.dose" if raw.dose_risen else "ne.t2flair"
    if level is Category.CR and criterion.steroids != "none" and _on_steroids(raw.visit):
        return (Category.CRU, "cru.steroids") if criterion.eye_csf else (Category.PR, "pr.steroids")
    return level, rule


def _under_immunotherapy(raw: Raw) -> bool:
    return raw.immunotherapy is not None and raw.visit.date >= raw.immunotherapy


def _t2flair_counts(raw: Raw, criterion: Criterion) -> bool:
    return criterion.t2flair == "always" or (criterion.t2flair == "antiangiogenic" and raw.antiangiogenic)


def _dose_held(raw: Raw) -> bool:
    """Return whether the dose is not below those of the nadir and of the study before; unknown ones are not."""
    dose, before = raw.visit.dexamethasone_mg, (raw.findings[0].nadir_dose, raw.previous_dose)
    return dose is None or any(other is None or dose >= other for other in before)


def _on_steroids(visit: Visit) -> bool:
    return bool(visit.dexamethasone_mg) and visit.steroid_reason is not SteroidReason.REPLACEMENT


def _combined(findings: tuple[Finding, ...]) -> tuple[Category, str]:
    """Combine the levels of mixed disease: the lesser of the two, but stable disease does not undo a response.

    A complete response of one and stable disease of the other is stable disease (table of RANO 2.0, read in a
    secondary source).
    """
    first = findings[0]
    if len(findings) == 1:
        return first.level, first.rule
    levels = [f.level for f in findings]
    if Category.NE in levels:
        return Category.NE, findings[levels.index(Category.NE)].rule
    ranked = sorted(findings, key=lambda f: BEST_FIRST.index(f.level))
    best, last = ranked[0], ranked[-1]
    keeps = last.level is Category.SD and best.level in (Category.PR, Category.MR)
    chosen = best if keeps else last
    return chosen.level, chosen.rule
