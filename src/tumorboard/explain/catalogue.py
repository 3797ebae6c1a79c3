"""All explanations by name: what they need, how far they reach, whom they cite.

Why it exists: a recipe or a page names an explanation; whoever makes it needs one door, and common tests walk through
the table so that none escapes without its taxonomy and its source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tumorboard.errors import InputError, did_you_mean
from tumorboard.explain.explanation import Explanation, Scope, Stage
from tumorboard.explain.images import cam, grad_cam, guided, integrated, lime, occlusion, rise
from tumorboard.explain.tables import attention, cases, effects, permutation, prototypes, shapley, surrogate

Kind = Literal["table", "network", "model"]


@dataclass(frozen=True, slots=True)
class Explainer:
    """An explanation and what is to be known of it.

    Parameters
    ----------
    name, title : str
        In recipes, in tables.
    of : str
        ``table``: any model of columns; ``network``: one that reads images; ``model``: what it gives out itself.
    scope : Scope
        Local: one patient; global: the model.
    stage : Stage
        Post-hoc or ante-hoc.
    needs : tuple of str
        In words.
    cites : str
        Where it was published.
    function : callable
        Makes it.
    """

    name: str
    title: str
    of: Kind
    scope: Scope
    stage: Stage
    needs: tuple[str, ...]
    cites: str
    function: Callable[..., Explanation]


def _table(name: str, title: str, scope: Scope, needs: tuple[str, ...], made: tuple[str, Any]) -> Explainer:
    return Explainer(name, title, "table", scope, Stage.POST_HOC, needs, *made)


def _network(name: str, title: str, needs: tuple[str, ...], made: tuple[str, Any]) -> Explainer:
    return Explainer(name, title, "network", Scope.LOCAL, Stage.POST_HOC, ("image", *needs), *made)


_LOCAL, _GLOBAL = Scope.LOCAL, Scope.GLOBAL
_PREDICT, _ROWS, _LABELS = "prediction function", "rows", "labels"

_ALL = (
    _table(
        *("permutation", "permutation importance of groups of columns", _GLOBAL, (_PREDICT, _ROWS, "outcome")),
        (permutation.CITES, permutation.permutation_importance),
    ),
    _table(
        *("shap", "Shapley values", _LOCAL, ("estimator or prediction function", _ROWS)),
        (shapley.CITES, shapley.shapley),
    ),
    _table(
        *("partial-dependence", "partial dependence", _GLOBAL, (_PREDICT, _ROWS, "column")),
        (effects.PD_CITES, effects.partial_dependence),
    ),
    _table(
        *("accumulated-local-effects", "accumulated local effects", _GLOBAL, (_PREDICT, _ROWS, "column")),
        (effects.ALE_CITES, effects.local_effects),
    ),
    _table(
        *("rules", "rules of a surrogate tree", _GLOBAL, (_PREDICT, _ROWS)),
        (surrogate.CITES, surrogate.surrogate_rules),
    ),
    _table(
        *("nearest-cases", "cases like this one", _LOCAL, ("case", "training rows", _LABELS)),
        (cases.CITES, cases.nearest_cases),
    ),
    _table(
        *("contrastive-cases", "like this one, but another class", _LOCAL, ("case", "training rows", _LABELS)),
        (cases.CONTRAST_CITES, cases.contrastive_cases),
    ),
    _table(
        *("prototypes", "patients that stand for a class", _GLOBAL, ("training rows", _LABELS)),
        (prototypes.CITES, prototypes.prototypes),
    ),
    Explainer(
        *("attention", "the model's own attention weights", "model", _LOCAL, Stage.ANTE_HOC, ("weights",)),
        *(attention.CITES, attention.attention_weights),
    ),
    _network(
        *("cam", "class activation map", ("global average pooling before one linear layer",)), (cam.CITES, cam.cam)
    ),
    _network(
        *("grad-cam", "gradient-weighted class activation map", ("gradients", "a layer with places")),
        (grad_cam.CITES, grad_cam.grad_cam),
    ),
    _network(
        *("guided-backprop", "guided back-propagation", ("gradients", "rectifiers as modules")),
        (guided.CITES, guided.guided_backprop),
    ),
    _network(
        *("integrated-gradients", "integrated gradients", ("gradients", "baseline")),
        (integrated.CITES, integrated.integrated_gradients),
    ),
    _network("rise", "random covers (RISE)", ("baseline",), (rise.CITES, rise.rise)),
    _network("lime", "linear model of supervoxels (LIME)", ("baseline",), (lime.CITES, lime.lime)),
    _network("occlusion", "occlusion by blocks", ("baseline",), (occlusion.CITES, occlusion.occlusion)),
    _network(
        *("sequence-ablation", "occlusion of whole sequences", ("baseline", "names of sequences")),
        (occlusion.SEQUENCES_CITES, occlusion.sequence_ablation),
    ),
)

EXPLAINERS: dict[str, Explainer] = {explainer.name: explainer for explainer in _ALL}
"""Every explanation."""


def find_explainer(name: str, of: Kind | None = None) -> Explainer:
    """Return an explanation by name.

    Parameters
    ----------
    name : str
        In :data:`EXPLAINERS`.
    of : str, optional
        What it must explain: ``table``, ``network`` or ``model``.

    Raises
    ------
    InputError
        There is none of that name (the nearest is proposed), or it explains something else.

    Examples
    --------
    >>> find_explainer("grad-cam", "network").scope.value
    'local'
    """
    if name not in EXPLAINERS:
        remedy = did_you_mean(name, EXPLAINERS)
        raise InputError(f"one of {', '.join(EXPLAINERS)}", got=repr(name), where="explanation", remedy=remedy)
    found = EXPLAINERS[name]
    if of is not None and found.of != of:
        fitting = ", ".join(n for n, e in EXPLAINERS.items() if e.of == of)
        raise InputError(f"an explanation of a {of}: {fitting}", got=repr(name), where="explanation")
    return found
