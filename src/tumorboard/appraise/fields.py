"""The facts of a run, section by section: each one with what it means and the words in which it is evidence.

Why it exists: a checklist asks in many places for the same thing. A fact is declared once, here, with its noun phrase
(for what is missing) and its sentence (for what was done); checklists only point at it. Every fact may be unknown
(``None``), which is neither yes nor no. A fact about the *world* (hospitals, a prospective design, other hospitals'
patients) never counts on digital patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tumorboard.metrics.estimate import Estimate


def fact(noun: str, says: str = "", *, no: str = "", world: bool = False, **limits: Any) -> Any:
    """Declare a fact that may be unknown.

    Parameters
    ----------
    noun : str
        What it is, printed where it is missing.
    says : str
        Its words where it is evidence; ``{}`` is the value. By default the noun, with the value behind it unless it
        is a yes.
    no : str
        Its words where it is known to be false.
    world : bool
        Whether it is about hospitals and people, so that digital patients cannot show it.
    **limits
        Of the value (``ge``, ``le``, ``gt``), checked.

    Returns
    -------
    FieldInfo
        For a pydantic model.

    Examples
    --------
    >>> fact("patients (number)", "{} patients", ge=1).description
    'patients (number)'
    """
    return Field(default=None, description=noun, json_schema_extra={"says": says, "no": no, "world": world}, **limits)


class Facts(BaseModel):
    """Base of all sections: frozen, strict, and no fact that nobody declared."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class MetricFact(Facts):
    """One measure of performance with its interval.

    Parameters
    ----------
    name : str
        As printed: ``AUC``, ``Harrell's C``.
    value : float
        Its value.
    low, high : float or None
        Ends of its interval, where it has one.
    n : int
        From how many patients or lesions.
    level : float
        Of the interval.
    on : str
        ``internal`` (resampling or held out patients of the same source) or ``external``.
    """

    name: str = Field(min_length=1)
    value: float
    low: float | None = None
    high: float | None = None
    n: int = Field(ge=0)
    level: float = Field(default=0.95, gt=0, lt=1)
    on: Literal["internal", "external"] = "internal"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two ends")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise ValueError("a value lies within its interval")
        return self

    @classmethod
    def of(cls, name: str, estimate: Estimate, on: Literal["internal", "external"] = "internal") -> Self:
        """Return the fact of an estimate; an interval with an infinite or missing end is left out.

        Examples
        --------
        >>> str(MetricFact.of("AUC", Estimate(0.8, 0.7, 0.9, 60)))
        'AUC 0.80 (95 % interval 0.70 to 0.90, n = 60)'
        """
        ends = (estimate.low, estimate.high)
        whole = all(abs(e) < float("inf") for e in ends)  # NaN compares false as well
        low, high = ends if whole else (None, None)
        return cls(name=name, value=estimate.value, low=low, high=high, n=estimate.n, on=on)

    def __str__(self) -> str:
        interval = "" if self.low is None else f"{self.level * 100:g} % interval {self.low:.2f} to {self.high:.2f}, "
        where = " on other hospitals' patients" if self.on == "external" else ""
        return f"{self.name.replace('_', ' ')} {self.value:.2f}{where} ({interval}n = {self.n})"


class QuestionFacts(Facts):
    """What is asked."""

    endpoint: str | None = fact("the outcome that is predicted", "outcome: {}", min_length=1)
    kind: Literal["binary", "multiclass", "multilabel", "survival", "regression"] | None = fact(
        "kind of the outcome", "a {} outcome"
    )
    horizon_days: float | None = fact("time horizon of the prediction", "predicted at {:g} days", gt=0)
    develops: bool | None = fact("a model is developed", no="no model is developed")
    cites: str | None = fact("the published system that is followed", "after {}", min_length=1)
    rationale: str | None = fact("why this outcome", "why this outcome: {}", min_length=1)
    hypothesis: str | None = fact("the question in words", "question: {}", min_length=1)


class DataFacts(Facts):
    """On whom, and how they were seen."""

    digital: bool | None = fact("simulated (digital) patients", no="real patients")
    shuffled: bool | None = fact("outcomes shuffled among the patients (a null cohort)", no="outcomes as they were")
    patients: int | None = fact("number of patients", "{} patients", ge=1)
    rows: int | None = fact("number of rows (studies or lesions)", "{} rows", ge=1)
    events: int | None = fact("number of patients with the outcome", "{} with the outcome", ge=0)
    sites: int | None = fact("number of hospitals", "{} hospitals", world=True, ge=1)
    scanners: int | None = fact("number of scanners", "{} scanners", world=True, ge=1)
    sources: tuple[str, ...] | None = fact("sources of the data", "data from {}")
    public: bool | None = fact("data from a public source", no="data that are not public", world=True)
    prospective: bool | None = fact("a prospective design", no="a retrospective design", world=True)
    consecutive: bool | None = fact("consecutive patients", world=True)
    eligibility: str | None = fact("rules of inclusion and exclusion", "included: {}", min_length=1)
    excluded: int | None = fact("number of patients left out, with reasons", "{} left out, with reasons", ge=0)
    dates: bool | None = fact("dates of the first and last patient", world=True)
    follow_up_days: float | None = fact("length of follow-up", "median follow-up {:.0f} days", ge=0)
    treatments: bool | None = fact("treatments, tabulated", world=True)
    characteristics: bool | None = fact("a table of the patients' characteristics")
    by_part: bool | None = fact("characteristics of each part of the data")
    acquisition: bool | None = fact("a table of the acquisition parameters", world=True)
    public_protocol: bool | None = fact("a public imaging protocol", world=True)
    time_points: int | None = fact("number of studies a patient", "{} studies a patient", world=True, ge=1)
    interval_days: float | None = fact(
        "days between the images and the reference standard",
        "median {:.0f} days between images and reference",
        world=True,
        ge=0,
    )
    reference: str | None = fact("what the reference standard is", "reference standard: {}", min_length=1)
    reference_gold: bool | None = fact("a reference standard from tissue or follow-up", world=True)
    deidentified: bool | None = fact("de-identified data")
    missing_share: float | None = fact("share of values that are missing", "{:.1%} of values missing", ge=0, le=1)
    missing_method: str | None = fact("how missing values were handled", "missing values: {}", min_length=1)
    sharing_checked: bool | None = fact("a search for patients that appear twice")
    sample_size: str | None = fact("a calculation of the sample size", "sample size: {}", min_length=1)
    needed: int | None = fact("patients that the calculation asks for", "{} patients needed", ge=1)
    enough: bool | None = fact("at least as many patients as the calculation asks for")


class ImageFacts(Facts):
    """From which images and regions."""

    sequences: tuple[str, ...] | None = fact("sequences", "sequences {}")
    regions: tuple[str, ...] | None = fact("regions", "regions {}")
    segmentation: Literal["none", "manual", "semi-automated", "automated"] | None = fact(
        "how regions were outlined", "{} segmentation"
    )
    segmenter: str | None = fact("method, software and version of the segmentation", "outlined by {}", min_length=1)
    operators: str | None = fact("who outlined, with what experience", "readers: {}", min_length=1)
    dice: float | None = fact(
        "overlap of the automated segmentation with readers", "mean Dice {:.2f} against readers", ge=0, le=1
    )
    segmentations: int | None = fact("number of segmentations of each region", "{} segmentations of each region", ge=1)
    single_test_mask: bool | None = fact("test masks by a single reader or tool")
    reliability: str | None = fact("reliability of features between segmentations", "reliability: {}", min_length=1)
    steps: tuple[str, ...] | None = fact("steps of preparing the images", "prepared by {}")
    software: str | None = fact("software that prepared the images, with its version", "software {}", min_length=1)
    resampling: str | None = fact("resampling and its parameters", "resampled: {}", min_length=1)
    discretisation: str | None = fact("discretisation and its parameters", "grey levels: {}", min_length=1)
    filters: tuple[str, ...] | None = fact("image types (original, filtered)", "image types: {}")
    phantom: bool | None = fact("a phantom study on all scanners", world=True)


class FeatureFacts(Facts):
    """What was computed from the images and which of it was kept."""

    hand_crafted: bool | None = fact("hand-crafted features")
    deep: bool | None = fact("deep features")
    end_to_end: bool | None = fact("a network from images to the outcome")
    tabular: bool | None = fact("features in a table")
    software: str | None = fact("software that extracted features, with its version", "features by {}", min_length=1)
    standard: bool | None = fact("features that follow the IBSI standard")
    families: tuple[str, ...] | None = fact("feature classes", "classes: {}")
    candidates: int | None = fact("number of candidate predictors", "{} candidate predictors", ge=1)
    selected: int | None = fact("number of predictors in the final model", "{} in the final model", ge=0)
    non_radiomic: tuple[str, ...] | None = fact("predictors that are not from images", "other predictors: {}")
    settings_saved: bool | None = fact("settings of the extraction in a file")
    defaults_stated: bool | None = fact("a statement on settings left at their defaults")
    robust: str | None = fact("removal of features that are not robust", "not robust ones removed: {}", min_length=1)
    reduction: tuple[str, ...] | None = fact("reduction of redundant features", "reduced by {}")
    adjusted: str | None = fact("adjustment for multiple testing", "adjusted by {}", min_length=1)
    scaling: str | None = fact("scaling of features", "scaled by {}", min_length=1)
    harmonised: str | None = fact("harmonisation between sites", "harmonised by {}", min_length=1)
    statistics: bool | None = fact("a table of the selected features")
    univariable: bool | None = fact("association of each predictor alone")


class ModelFacts(Facts):
    """What was fitted."""

    learner: str | None = fact("type of model", "model: {}", min_length=1)
    rationale: str | None = fact("why this type of model", "why: {}", min_length=1)
    settings_saved: bool | None = fact("all settings of the model in a file")
    tuning: str | None = fact("how hyperparameters were tuned", "tuned by {}", min_length=1)
    selection: str | None = fact("how the final model was chosen", "final model: {}", min_length=1)
    training: str | None = fact("details of the training", "training: {}", min_length=1)
    initialisation: str | None = fact("initialisation of parameters", "initialised: {}", min_length=1)
    seed: int | None = fact("the seed", "seed {}")
    software: tuple[str, ...] | None = fact("packages with versions", "packages {}")
    ensemble: str | None = fact("how models were joined", "joined by {}", min_length=1)
    ensembled: bool | None = fact("several models joined")
    imbalance: str | None = fact("how class imbalance was handled", "imbalance: {}", min_length=1)
    balanced: bool | None = fact("a method against class imbalance")
    output: Literal["probability", "class", "risk", "value"] | None = fact("what the model gives", "gives a {}")
    threshold: str | None = fact("how the threshold was chosen", "threshold: {}", min_length=1)
    risk_groups: int | None = fact("number of risk groups", "{} risk groups", ge=2)
    groups: bool | None = fact("risk groups")
    specification: bool | None = fact("the full model, written to a file")
    card: bool | None = fact("a card that tells how to use the model")
    missing_input: str | None = fact("what is done when an input is missing", "missing input: {}", min_length=1)
    updated: bool | None = fact("an update or recalibration after external tests")


Design = Literal[
    "apparent",
    "split",
    "kfold",
    "nested",
    "bootstrap",
    "leave_one_out",
    "leave_site_out",
    "temporal",
    "external",
]
"""How a model was tested; ``apparent`` is on its own patients, ``external`` without development."""


class ValidationFacts(Facts):
    """How it was tested."""

    design: Design | None = fact("design of the validation", "validation: {}")
    folds: int | None = fact("number of folds", "{} folds", ge=2)
    repeats: int | None = fact("number of repeats", "repeats: {}", ge=1)
    grouped: bool | None = fact("no patient on both sides of a split")
    inside_folds: bool | None = fact("every fitted step inside the folds")
    test_patients: int | None = fact("patients held out", "{} patients held out", ge=1)
    external: bool | None = fact(
        "a test on patients of other hospitals", no="no test on patients of other hospitals", world=True
    )
    external_patients: int | None = fact("patients of the external test", "{} external patients", world=True, ge=1)
    external_events: int | None = fact("outcomes in the external test", "{} external outcomes", world=True, ge=0)
    external_sites: int | None = fact("hospitals of the external test", "{} external hospitals", world=True, ge=1)
    compared: bool | None = fact("development and test patients compared")
    earlier_model: bool | None = fact("a test of an earlier published model", world=True)


class PerformanceFacts(Facts):
    """What came out, and against what."""

    metrics: tuple[MetricFact, ...] | None = fact("measures of performance", "{}")
    rationale: str | None = fact("why these measures", "why these measures: {}", min_length=1)
    chance_p: float | None = fact("a test against chance", "p = {:.3g} against chance", ge=0, le=1)
    resampled: bool | None = fact("performance from resampling")
    confusion: bool | None = fact("a confusion matrix")
    curves: tuple[str, ...] | None = fact("curves, drawn", "drawn: {}")
    calibration: tuple[str, ...] | None = fact("calibration", "calibration: {}")
    calibration_interval: bool | None = fact("intervals of the calibration")
    calibration_resampled: bool | None = fact("calibration from resampling")
    decision_curve: bool | None = fact("a decision curve")
    comparison: str | None = fact("a comparison with models of other predictors", "compared: {}", min_length=1)
    clinical: bool | None = fact("a comparison with non-radiomic predictors")
    simple: bool | None = fact("a comparison with a simple model")
    one_sequence: bool | None = fact("one sequence, or a comparison with single ones")
    multivariable: bool | None = fact("imaging and other predictors in one model")
    subgroups: tuple[str, ...] | None = fact("performance in subgroups", "subgroups: {}")
    by_site: bool | None = fact("performance by hospital", world=True)
    fairness: str | None = fact("how fairness was addressed", "fairness: {}", min_length=1)
    confounders: str | None = fact("how confounders were handled", "confounders: {}", min_length=1)
    robustness: str | None = fact("an analysis of robustness", "robustness: {}", min_length=1)
    failures: bool | None = fact("the cases that were predicted wrongly")
    explanation: tuple[str, ...] | None = fact("explanations", "explained by {}")
    explanation_checked: str | None = fact("how explanations were checked", "checked by {}", min_length=1)
    biology: str | None = fact("biological correlates", "biology: {}", world=True, min_length=1)
    gold_standard: str | None = fact("a comparison with the current standard", "{}", world=True, min_length=1)
    cost: str | None = fact("a cost-effectiveness analysis", "cost: {}", world=True, min_length=1)


class OpenFacts(Facts):
    """What others can have."""

    images: bool | None = fact("images, public", no="images not public", world=True)
    segmentations: bool | None = fact("segmentations, public", no="segmentations not public", world=True)
    features: bool | None = fact("features and outcomes, public", no="features and outcomes not public", world=True)
    settings: bool | None = fact("settings of preparation and extraction, public")
    code: bool | None = fact("code, public", no="code not public")
    model: bool | None = fact("the fitted model, public", no="the fitted model not public")
    tool: bool | None = fact("a ready tool, public")
    protocol: str | None = fact("a study protocol", "protocol: {}", min_length=1)
    registration: str | None = fact("a registration", "registered: {}", min_length=1)


SECTIONS: Mapping[str, type[Facts]] = {
    "question": QuestionFacts,
    "data": DataFacts,
    "images": ImageFacts,
    "features": FeatureFacts,
    "model": ModelFacts,
    "validation": ValidationFacts,
    "performance": PerformanceFacts,
    "open": OpenFacts,
}
"""Sections of :class:`tumorboard.appraise.facts.RunFacts`, in their order."""
