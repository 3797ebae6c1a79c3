"""Facts of the parts that a recipe names: how images became features, and how a network was trained.

Why it exists: settings are told by what ran, defaults included, and not by what a file happened to spell out.
"""

from __future__ import annotations

from typing import Any

from tumorboard.lab.recipe import Outcomes, Part, Recipe

STANDARD = ("radiomics", "delta", "shape")
"""Representations whose features are those of IBSI."""

WHY: dict[Outcomes, str] = {
    Outcomes.BINARY: "discrimination, classes at a threshold, overall error and calibration",
    Outcomes.MULTICLASS: "discrimination, agreement of classes and overall error",
    Outcomes.MULTILABEL: "of each label discrimination, classes at a threshold, overall error and calibration",
    Outcomes.SURVIVAL: "concordance, discrimination over time and overall error",
    Outcomes.REGRESSION: "explained variance, error in the quantity's unit and correlation",
}
"""What the usual metrics of each kind of outcome are for."""


def why_metrics(recipe: Recipe) -> str:
    """Return why a run is judged by these metrics.

    Examples
    --------
    >>> from tumorboard.lab.recipe import read_recipe
    >>> why_metrics(read_recipe("example"))[:39]
    'set beforehand for every binary outcome'
    """
    kind = recipe.endpoint.kind
    if recipe.metrics:
        return "named by the recipe beforehand"
    return f"set beforehand for every {kind.value} outcome: {WHY[kind]}"


def image_facts(recipe: Recipe) -> dict[str, Any]:
    """Return how images were prepared for features by name of the fact; empty without radiomics.

    Examples
    --------
    >>> from tumorboard.lab.recipe import read_recipe
    >>> image_facts(read_recipe("example"))
    {}
    """
    from tumorboard import __version__
    from tumorboard.lab.represent.radiomics import RadiomicsSet, settings_for
    from tumorboard.sequences import Sequence

    part = _part(recipe, "radiomics")
    if part is None:
        return {}
    settings = {k: v for k, v in part.settings.items() if k not in ("sequences", "region")}
    how = RadiomicsSet.model_validate(settings)
    names = part.settings.get("sequences", recipe.sequences)
    every = [settings_for(Sequence(s), how) for s in ((names,) if isinstance(names, str) else names)]
    steps = dict.fromkeys(step for one in every for step in _steps(one))
    told = {
        "steps": tuple(steps),
        "software": f"tumorboard {__version__}",
        "resampling": "; ".join(dict.fromkeys(_resampled(one) for one in every if one.interpolation)),
        "discretisation": "; ".join(dict.fromkeys(_discretised(one) for one in every)),
        "filters": tuple(dict.fromkeys(n for one in every for n in ("original", *(f.kind for f in one.filters)))),
    }
    return {k: v for k, v in told.items() if v}


def _part(recipe: Recipe, name: str) -> Part | None:
    return next((p for p in recipe.representation if p.name == name), None)


def _steps(settings: Any) -> list[str]:
    out = []
    if settings.normalisation is not None:
        out.append(f"z-scores over the {settings.normalisation.over}")
    if settings.interpolation is not None:
        out.append("resampling")
    if settings.resegmentation.sigma is not None:
        out.append(f"resegmentation at {settings.resegmentation.sigma:g} standard deviations")
    out.append("discretisation")
    return out


def _resampled(settings: Any) -> str:
    mm = " × ".join("as it is" if s is None else f"{s:g}" for s in settings.interpolation.spacing_mm)
    return f"{mm} mm, {settings.interpolation.image} (images), {settings.interpolation.mask} (masks)"


def _discretised(settings: Any) -> str:
    texture = settings.texture
    kinds = {"fbn": f"{texture.count} bins", "equalised": f"{texture.count} equalised bins", "none": "none"}
    return f"{settings.name}: {kinds.get(texture.method, f'bins of width {texture.width:g}')}"


def feature_facts(recipe: Recipe) -> dict[str, Any]:
    """Return what computed the features and which they are, by name of the fact.

    Examples
    --------
    >>> from tumorboard.lab.recipe import read_recipe
    >>> feature_facts(read_recipe("E1"))["standard"]
    True
    """
    from tumorboard import __version__
    from tumorboard.lab.represent.radiomics import RadiomicsSet
    from tumorboard.radiomics.families import families_of

    names = [p.name for p in recipe.representation]
    out: dict[str, Any] = {}
    if any(n not in ("clinical", "molecular", "table") for n in names):
        out["software"] = f"tumorboard {__version__}"
    if any(n in STANDARD for n in names):
        out["standard"] = True
    part = _part(recipe, "radiomics")
    if part is not None:
        settings = {k: v for k, v in part.settings.items() if k not in ("sequences", "region")}
        asked = RadiomicsSet.model_validate(settings).families
        out["families"] = tuple(f.title for f in families_of(asked))
    return out


def network_facts(recipe: Recipe) -> dict[str, Any]:
    """Return how a network was trained, defaults included; empty for other learners.

    Examples
    --------
    >>> from tumorboard.lab.recipe import read_recipe
    >>> network_facts(read_recipe("example"))
    {}
    """
    from tumorboard.lab.nets.settings import NetworkSet

    if recipe.learner.name != "network":
        return {}
    how = NetworkSet.model_validate(recipe.learner.settings)
    training = f"at most {how.epochs} epochs of batches of {how.batch}, AdamW at {how.rate:g} falling as a cosine"
    training += f", decay {how.decay:g}, stopped after {how.patience} epochs without gain" if how.hold else ""
    drawn = [f"turned up to {how.turn_deg:g}°", f"zoomed by up to {how.zoom:.0%}"] if how.turn_deg else []
    training += f"; crops {'mirrored, ' if how.flip else ''}{', '.join(drawn)}" if drawn or how.flip else ""
    start = f"at random, seed {recipe.seed}"
    if how.net.startswith("pretrained"):
        start = f"the bundle {how.transfer}, the rest {start}"
    out: dict[str, Any] = {"training": training, "initialisation": start}
    classes = recipe.endpoint.kind in (Outcomes.BINARY, Outcomes.MULTICLASS, Outcomes.MULTILABEL)
    if how.balance and classes:
        out |= {"imbalance": "rare classes weigh more in training; chances are corrected for it", "balanced": True}
    return out
