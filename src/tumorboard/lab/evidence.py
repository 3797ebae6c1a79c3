"""Facts of a run for the checklists: what really ran, and nothing else.

Why it exists: TRIPOD and its kin ask what was done. The frame knows, because it did it; what it cannot know (who
recruited, which hospital, whether code is public) stays unknown for the author.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, cast

import numpy as np

from tumorboard.appraise.facts import RunFacts
from tumorboard.appraise.fields import (
    DataFacts,
    Design,
    FeatureFacts,
    ImageFacts,
    MetricFact,
    ModelFacts,
    OpenFacts,
    PerformanceFacts,
    QuestionFacts,
    ValidationFacts,
)
from tumorboard.lab.checks import can_find_twins, events_of
from tumorboard.lab.evidence_parts import feature_facts, image_facts, network_facts, why_metrics
from tumorboard.lab.explained import Explained, explanation_facts
from tumorboard.lab.findings.base import Finding
from tumorboard.lab.findings.horizon import horizon_of
from tumorboard.lab.recipe import Outcomes, Recipe
from tumorboard.lab.run import Run
from tumorboard.metrics.estimate import Estimate

_RADIOMIC = ("radiomics", "delta", "shape", "histogram", "clusters", "stransform", "dictionary", "curves")
_TABLES = ("clinical", "molecular", "table", "expression", "signs")
_REDUCE = ("variance", "correlation", "univariate", "mrmr", "lasso", "stability", "pca")
_OUTPUT: dict[Outcomes, Literal["risk", "value"]] = {Outcomes.SURVIVAL: "risk", Outcomes.REGRESSION: "value"}
_PACKAGES = ("numpy", "scipy", "scikit-learn", "imbalanced-learn")


def packages() -> dict[str, str]:
    """Return versions of the packages that learn.

    Examples
    --------
    >>> "scikit-learn" in packages()
    True
    """
    out = {}
    for name in _PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out


def facts_of(
    run: Run,
    drawn: tuple[str, ...] = (),
    findings: Iterable[Finding] = (),
    explained: Explained | None = None,
) -> RunFacts:
    """Return what is known of a run.

    Parameters
    ----------
    run : Run
        That ended.
    drawn : tuple of str
        Titles of the pictures on its page.
    findings : iterable of Finding
        What it found beside its metrics; each brings its facts.
    explained : Explained, optional
        What explains its model.

    Returns
    -------
    RunFacts
    """
    facts = _frame_facts(run, drawn)
    sections: dict[str, dict[str, Any]] = facts.model_dump()
    for one in findings:
        for path, value in one.facts.items():
            section, _, name = path.partition(".")
            sections[section][name] = value
    if explained is not None:
        sections["performance"] |= explanation_facts(explained)
    return RunFacts.model_validate(sections)


def _frame_facts(run: Run, drawn: tuple[str, ...]) -> RunFacts:
    """Return what the frame itself knows."""
    return RunFacts(
        question=_question(run),
        data=_data(run),
        images=_images(run.recipe),
        features=_features(run),
        model=_model(run),
        validation=_validation(run),
        performance=_performance(run, drawn),
        open=OpenFacts(),
    )


def _given(**facts: Any) -> dict[str, Any]:
    """Return facts without those that are empty words or empty lists: these are unknown."""
    return {k: v for k, v in facts.items() if v is not None and v not in ("", ())}


def _question(run: Run) -> QuestionFacts:
    recipe = run.recipe
    names = ", ".join(recipe.endpoint.sources)
    day = horizon_of(run.predicted) if run.data.outcome.kind is Outcomes.SURVIVAL else None
    told = _given(endpoint=names, cites=recipe.cites, hypothesis=recipe.question, horizon_days=day)
    return QuestionFacts(kind=recipe.endpoint.kind.value, develops=True, **told)


def _data(run: Run) -> DataFacts:
    data, table = run.data, run.data.table
    sites = len(set(data.sites.tolist()) - {""})
    missing = float(np.isnan(table.values).mean()) if table.values.size else None
    impute = [p.settings.get("how", "mean") for p in run.recipe.prepare if p.name == "impute"]
    survival = data.outcome.kind is Outcomes.SURVIVAL
    told = _given(
        sites=sites or None,
        missing_share=missing,
        missing_method=f"{impute[0]} of training rows" if impute else None,
        follow_up_days=float(np.median(data.outcome.days)) if survival else None,
        eligibility="; ".join(f"{k} is {' or '.join(v)}" for k, v in run.recipe.where.items()),
        events=None if data.outcome.kind is Outcomes.REGRESSION else _events(run),
        excluded=data.left_out,
        sharing_checked=can_find_twins(data) or None,
    )
    patients = len(set(table.patients))
    return DataFacts(digital=data.digital, shuffled=data.permuted, patients=patients, rows=len(data), **told)


def _events(run: Run) -> int:
    outcome = run.data.outcome
    if outcome.kind is Outcomes.BINARY:
        return int(outcome.values.sum())
    return events_of(outcome)[0]


def _images(recipe: Recipe) -> ImageFacts:
    regions = tuple(r for r in recipe.region if r != "none")
    return ImageFacts(**_given(sequences=recipe.sequences, regions=regions), **image_facts(recipe))


def _features(run: Run) -> FeatureFacts:
    recipe, names = run.recipe, [p.name for p in run.recipe.representation]
    scaled = [p.name for p in recipe.prepare if p.name in ("zscore", "log")]
    sites = [p.name for p in recipe.prepare if p.name in ("combat", "zscore_site")]
    told = _given(
        reduction=tuple(p.name for p in recipe.prepare if p.name in _REDUCE),
        scaling=" and ".join(scaled),
        harmonised=" and ".join(sites),
        non_radiomic=tuple(n for n in names if n in _TABLES),
    )
    candidates = len(run.fitted.names)
    if candidates:  # images alone have no columns to count
        told |= {"candidates": candidates, "selected": len(run.fitted.pipeline.names_)}
    return FeatureFacts(
        hand_crafted=any(n in _RADIOMIC for n in names),
        deep="deep" in names,
        end_to_end="network" in names,
        tabular=candidates > 0,
        settings_saved=True,
        **told,
        **feature_facts(recipe),
    )


def _model(run: Run) -> ModelFacts:
    recipe, kind = run.recipe, run.data.outcome.kind
    settings = recipe.learner.settings
    balance = "SMOTE in training rows" if settings.get("smote") else "weights" if settings.get("balanced") else ""
    tuning = f"{recipe.validation.inner} folds inside the training rows" if recipe.learner.tune else ""
    how = "settings tuned" if tuning else "one model, named beforehand"
    told = _given(tuning=tuning, imbalance=balance, missing_input=_missing_input(recipe))
    told |= {"balanced": bool(balance), "selection": f"{how}, then fitted on all {len(run.training)} training rows"}
    if kind is Outcomes.SURVIVAL:
        told |= {
            "groups": True,
            "risk_groups": 2,
            "threshold": "median of the risks out of fold, which no outcome has seen",
        }
    return ModelFacts(
        learner=recipe.learner.name,
        settings_saved=True,
        seed=recipe.seed,
        software=tuple(f"{n} {v}" for n, v in packages().items()),
        ensembled=False,
        output=_OUTPUT.get(kind, "probability"),
        specification=True,
        card=True,
        **(told | network_facts(recipe)),
    )


def _missing_input(recipe: Recipe) -> str:
    """Return what the model does without an input; its answer names a column that it lacks."""
    impute = [p.settings.get("how", "mean") for p in recipe.prepare if p.name == "impute"]
    values = (
        f"a missing value is filled in as in training ({impute[0]})" if impute else "a missing value is not filled in"
    )
    return f"{values}, a missing column is refused by its name"


def _validation(run: Run) -> ValidationFacts:
    how, data = run.recipe.validation, run.data
    folded = how.name in ("kfold", "nested")
    other = data.external.any()
    held_out = how.name in ("split", "temporal", "external")
    tested = len(set(run.predicted.patients))
    sites = len(set(data.sites[run.rows].tolist()) - {""}) if how.name == "external" else 0
    told = _given(
        folds=how.folds if folded else None,
        repeats=how.repeats if folded or how.name == "split" else None,
        test_patients=tested if held_out else None,
        external_patients=tested if how.name == "external" else None,
        external_sites=sites or None,
        external_events=_external_events(run) if how.name == "external" else None,
    )
    return ValidationFacts(
        design=cast(Design, how.name),
        grouped=True,
        inside_folds=True,
        external=bool(other) or how.name == "external",
        **told,
    )


def _external_events(run: Run) -> int | None:
    outcome = run.predicted.outcome
    if outcome.kind is Outcomes.BINARY:
        return int(outcome.values.sum())
    return int(outcome.events.sum()) if outcome.kind is Outcomes.SURVIVAL else None


def _rounded(e: Estimate) -> Estimate:
    """Return an estimate whose interval holds its value where rounding alone had put it outside."""
    near = 1e-9
    low = e.value if e.value < e.low <= e.value + near else e.low
    high = e.value if e.value > e.high >= e.value - near else e.high
    return replace(e, low=low, high=high)


def _compared(run: Run) -> str:
    if run.against is None or not run.against.difference.known:
        return ""
    more, p = run.against.difference.value, run.against.p
    test = "" if np.isnan(p) else f", p = {p:.3g}"
    return f"{more:+.3f} against a plain model of {', '.join(run.recipe.compare)}{test}"


def _performance(run: Run, drawn: tuple[str, ...]) -> PerformanceFacts:
    on: Literal["internal", "external"] = "external" if run.recipe.validation.name == "external" else "internal"
    metrics = tuple(MetricFact.of(n, _rounded(e), on) for n, e in run.metrics.items() if e.known)
    resampled = run.recipe.validation.name in ("kfold", "nested", "leave_one_out")
    compared = _compared(run)
    names = {p.name for p in run.recipe.representation}
    pictured = bool(names & {*_RADIOMIC, "deep", "network"})
    return PerformanceFacts(
        resampled=resampled,
        simple=bool(run.reference),
        chance_p=None if np.isnan(run.chance_p) else run.chance_p,
        multivariable=bool(names & set(_RADIOMIC)) and bool(names & set(_TABLES)),
        by_site=run.recipe.validation.name == "leave_site_out" or None,
        clinical=pictured and bool(run.reference),
        one_sequence=len(run.recipe.sequences) == 1,
        rationale=why_metrics(run.recipe),
        **_given(metrics=metrics, comparison=compared, curves=drawn),
    )
