"""Rules: a small decision tree that imitates a model, and how faithfully it does.

Why it exists: a rule can be read aloud and disputed. A tree that only half follows its model explains another model, so
its fidelity is measured on patients whom the tree has not seen, and printed with every rule.

Source: Craven MW, Shavlik JW. NIPS 1996;8:24-30; Breiman L et al. Classification and regression trees, 1984.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tumorboard.errors import InputError
from tumorboard.explain.explanation import About, Explanation, Scope
from tumorboard.explain.tables.inputs import Floats, Predict, Rows, one_answer
from tumorboard.explain.words import column_words
from tumorboard.metrics.estimate import Estimate
from tumorboard.metrics.resampling import Groups, bootstrap, group_codes

CITES = "Craven MW, Shavlik JW. NIPS 1996;8:24-30"
DEPTH, LEAF_SHARE, FOLDS = 3, 0.05, 5
FAITHFUL = 0.8
"""Share of a model's spread that its rules must follow to speak for it; chosen."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One leaf: its conditions, what the model answers there, and for how many rows."""

    conditions: tuple[str, ...]
    answer: float
    rows: int


@dataclass(frozen=True, kw_only=True)
class Rules(Explanation):
    """A surrogate tree.

    Parameters
    ----------
    rules : tuple of Rule
        Leaves, from left to right.
    fidelity : Estimate
        Share of the spread of the model's answers that the tree follows, on rows it was not grown on; 1 is all.
    text : str
        The tree, indented.
    """

    rules: tuple[Rule, ...]
    fidelity: Estimate
    text: str = field(repr=False)


def surrogate_rules(
    predict: Predict,
    rows: Rows,
    *,
    depth: int = DEPTH,
    seed: int = 0,
    about: About | None = None,
) -> Rules:
    """Return rules that imitate a model.

    Parameters
    ----------
    predict : callable
        From rows to one number each.
    rows : Rows
        Where it is asked; NaN goes the way that the tree learned. No patient is on both sides when fidelity is
        measured.
    depth : int
        Conditions in a rule, at most.
    seed : int
        Of the tree's ties and of draws.
    about : About, optional
        What is explained.

    Returns
    -------
    Rules
        Global; warned of below a fidelity of 0.8.

    Raises
    ------
    InputError
        Shapes do not fit, fewer than 10 rows, or a depth below 1.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> found = surrogate_rules(lambda x: (x[:, 1] > 0) * 1.0, Rows(x, ("age", "volume")), depth=1)
    >>> [r.answer for r in found.rules], found.fidelity.value > 0.9
    ([0.0, 1.0], True)
    """
    x = rows.at_least(10)
    if depth < 1:
        raise InputError("one condition at least", got=str(depth), where="rules")
    told, about = one_answer(predict, x), about or About()
    leaf = max(3, math.ceil(LEAF_SHARE * len(x)))
    tree = _grown(x, told, depth, leaf, seed)
    rules: list[Rule] = []
    lines: list[str] = []
    _walk(tree.tree_, rows.names, 0, (), rules, lines)
    fidelity = _fidelity(x, told, (depth, leaf, seed), rows.groups)
    faithful = fidelity.known and fidelity.value >= FAITHFUL
    followed = f"{100 * max(fidelity.value, 0):.0f} %" if fidelity.known else "an unknown share"
    said = "" if faithful else f"the rules follow {followed} of the model's spread: they do not speak for it"
    return Rules(
        method="rules", cites=CITES, about=about, scope=Scope.GLOBAL, unit="answer", rules=tuple(rules),
        fidelity=fidelity, text="\n".join(lines), sentence=_sentence(rules, followed, about),
    ).warned(said)  # fmt: skip


def _grown(rows: Floats, told: Floats, depth: int, leaf: int, seed: int) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(max_depth=depth, min_samples_leaf=leaf, random_state=seed).fit(rows, told)


def _walk(
    tree: Any, names: Sequence[str], node: int, path: tuple[str, ...], rules: list[Rule], lines: list[str]
) -> None:
    """Write a branch into rules and lines, left before right."""
    indent = "  " * len(path)
    if tree.children_left[node] < 0:
        rules.append(Rule(path, float(tree.value[node].ravel()[0]), int(tree.n_node_samples[node])))
        lines.append(f"{indent}→ {rules[-1].answer:.3g} ({rules[-1].rows} rows)")
        return
    name, cut = names[int(tree.feature[node])], float(tree.threshold[node])
    for child, sign in ((tree.children_left[node], "≤"), (tree.children_right[node], ">")):
        condition = f"{name} {sign} {cut:.4g}"
        lines.append(f"{indent}{condition}")
        _walk(tree, names, int(child), (*path, condition), rules, lines)


def _fidelity(x: Floats, told: Floats, how: tuple[int, int, int], patients: Groups | None) -> Estimate:
    codes = group_codes(patients, len(x))
    if float(np.ptp(told)) <= 1e-12:
        return Estimate.missing("the model gives every row the same answer", len(x))
    order = np.random.default_rng(how[2]).permutation(int(codes.max()) + 1)
    fold = order[codes] % FOLDS
    if len(np.unique(fold)) < 2:
        return Estimate.missing("rows of one patient only", len(x))
    out = np.empty(len(x))
    for f in np.unique(fold):
        out[fold == f] = _grown(x[fold != f], told[fold != f], *how).predict(x[fold == f])

    def followed(at: np.ndarray) -> float:
        spread = float(((told[at] - told[at].mean()) ** 2).sum())
        return 1 - float(((told[at] - out[at]) ** 2).sum()) / spread if spread > 0 else math.nan

    return bootstrap(followed, len(x), patients, draws=200, seed=how[2])


def _sentence(rules: Sequence[Rule], followed: str, about: About) -> str:
    top = max(rules, key=lambda r: (r.answer, r.rows))
    if not top.conditions:
        return f"No rule: one answer for all, {about.outcome}{about.ending}."
    told = [f"{column_words(c.split(' ')[0])} {' '.join(c.split(' ')[1:])}" for c in top.conditions]
    answer = f"{top.answer:.2g} in {top.rows} rows"
    return f"Highest for {about.outcome} ({answer}) where {' and '.join(told)}; rules follow {followed}{about.ending}."
