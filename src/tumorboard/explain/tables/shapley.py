"""Shapley values: what each column adds to the answer for one patient; together they are the answer.

Why it exists: a board asks why for *this* patient. Of all ways to share an answer among columns this is the only one
that adds up, treats equal columns equally, and gives nothing to a column that does nothing. Linear models and trees are
computed exactly; any other function is sampled.

Source: Lundberg SM, Lee SI. NeurIPS 2017 (kernel, linear); Lundberg SM et al. Nat Mach Intell 2020;2:56-67 (trees);
Shapley LS. Contributions to the theory of games II, 1953:307-317. Computed by the package shap.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tumorboard.errors import InputError
from tumorboard.explain.explanation import About, Driver, Drivers, Explanation, Scope, by_size
from tumorboard.explain.tables.inputs import Floats, Rows, answers
from tumorboard.explain.words import drivers_sentence
from tumorboard.metrics.estimate import Estimate
from tumorboard.metrics.resampling import bootstrap

CITES = "Lundberg SM, Lee SI. NeurIPS 2017; Lundberg SM et al. Nat Mach Intell 2020;2:56-67"

BACKGROUND = 50
"""Rows that stand for 'unknown' in the sampled way; drawn from those given."""

GAP = 1e-3
"""Part of the answers' spread by which contributions may miss their sum before it is said."""

_TREES = ("Forest", "Tree", "GradientBoosting", "ExtraTrees")


@dataclass(frozen=True, kw_only=True)
class Shapley(Explanation):
    """Contributions of columns to the answers for rows.

    Parameters
    ----------
    rows, background : Rows
        What was explained, and what it was compared with.
    values : ndarray of float64, shape (rows, columns)
        Contributions, in ``unit``.
    base : float
        Mean answer where nothing is known.
    answers : ndarray of float64, shape (rows,)
        Of the model, in ``unit``.
    how : str
        ``linear``, ``tree`` (both exact) or ``kernel`` (sampled).
    """

    rows: Rows
    background: Rows
    values: Floats = field(repr=False)
    base: float
    answers: Floats = field(repr=False)
    how: str

    @property
    def gap(self) -> float:
        """Largest difference of base and contributions from the answer; 0 but for rounding."""
        return float(np.abs(self.base + self.values.sum(axis=1) - self.answers).max())

    def case(self, row: int, case: str = "") -> Drivers:
        """Return what drove the answer for one row.

        Parameters
        ----------
        row : int
            Which.
        case : str
            Pseudonym.

        Raises
        ------
        InputError
            There is no such row.
        """
        if not 0 <= row < len(self.rows):
            raise InputError(f"a row from 0 to {len(self.rows) - 1}", got=str(row), where="Shapley values")
        drivers = []
        columns = zip(self.rows.names, self.values[row], self.rows.values[row], self.background.values.T, strict=True)
        for name, value, told, seen in columns:
            effect = Estimate.bare(float(value), "one patient: no interval", 1)
            drivers.append(Driver((name,), effect, float(told), percentile_of(float(told), seen)))
        return self._drivers(Scope.LOCAL, drivers, dataclasses.replace(self.about, case=case or self.about.case), row)

    def overall(self, draws: int = 500, seed: int = 0) -> Drivers:
        """Return mean absolute contributions with intervals over patients.

        Parameters
        ----------
        draws, seed : int
            Of patients, and the seed.
        """
        size = np.abs(self.values)
        drivers = [
            Driver((name,), bootstrap(_mean_of(column), len(size), self.rows.groups, draws=draws, seed=seed))
            for name, column in zip(self.rows.names, size.T, strict=True)
        ]
        return self._drivers(Scope.GLOBAL, drivers, self.about, None)

    def _drivers(self, scope: Scope, drivers: list[Driver], about: About, row: int | None) -> Drivers:
        found = Drivers(
            method="shap", cites=CITES, about=about, scope=scope, unit=self.unit, warnings=self.warnings,
            drivers=by_size(drivers), base=self.base, answer=float("nan") if row is None else float(self.answers[row]),
        )  # fmt: skip
        return dataclasses.replace(found, sentence=drivers_sentence(found))


def _mean_of(column: Floats) -> Callable[[np.ndarray], float]:
    return lambda at: float(column[at].mean())


def percentile_of(value: float, seen: Floats) -> float:
    """Return the share of known values below one, in per cent; half of equal ones; NaN where there is nothing.

    Examples
    --------
    >>> percentile_of(2.0, np.array([1.0, 2.0, 3.0, np.nan]))
    50.0
    """
    known = seen[~np.isnan(seen)]
    if np.isnan(value) or not len(known):
        return float("nan")
    return float(100 * ((known < value).mean() + (known == value).mean() / 2))


def shapley(
    model: Any,
    rows: Rows,
    *,
    background: Rows | None = None,
    target: int = 1,
    samples: int = 0,
    seed: int = 0,
    about: About | None = None,
) -> Shapley:
    """Return the contributions of columns to a model's answers.

    Parameters
    ----------
    model : object
        A fitted estimator of scikit-learn (linear and tree ones exactly), or any function from rows to one number
        each, which is sampled.
    rows : Rows
        To explain, prepared as the model sees them.
    background : Rows, optional
        Training rows: what 'not knowing a column' means; by default the rows themselves.
    target : int
        Class that is explained where there are several.
    samples : int
        Of sets of columns in the sampled way; 0 leaves it to the package.
    seed : int
        Of the sampled way.
    about : About, optional
        What is explained.

    Returns
    -------
    Shapley
        In log-odds for logistic models and boosted trees, in probability for forests, else as the function answers.

    Raises
    ------
    InputError
        Shapes do not fit, or the model is neither an estimator that is known nor a function.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    >>> found = shapley(LinearRegression().fit(x, 3 * x[:, 0]), Rows(x, ("a", "b")))
    >>> found.values[2].round(6).tolist(), found.how
    ([3.0, 0.0], 'linear')
    """
    seen = rows if background is None else background
    if seen.names != rows.names:
        raise InputError("a background of the same columns", got="others", where="Shapley values")
    how, values, base, told, unit = _computed(model, rows.values, seen.values, _Sampling(target, samples, seed))
    found = Shapley(
        method="shap", cites=CITES, about=about or About(), scope=Scope.LOCAL, unit=unit, rows=rows,
        background=seen, values=values, base=base, answers=told, how=how,
    )  # fmt: skip
    spread = max(float(np.ptp(told)), float(np.abs(values).max()), 1e-9)
    missed = f"contributions miss the answer by up to {found.gap:.2g} {unit}" if found.gap > GAP * spread else ""
    sampled = "sampled, not exact" if how == "kernel" else ""
    return dataclasses.replace(found.warned(missed, sampled), sentence=found.overall(draws=1).sentence)


_Computed = tuple[str, Floats, float, Floats, str]


@dataclass(frozen=True, slots=True)
class _Sampling:
    target: int
    samples: int
    seed: int


def _computed(model: Any, rows: Floats, seen: Floats, how: _Sampling) -> _Computed:
    if _is_linear(model):
        return _linear(model, rows, seen, how.target)
    if type(model).__name__.startswith(("Hist", "Random", "Extra", "Gradient", "Decision")) and any(
        word in type(model).__name__ for word in _TREES
    ):
        return _tree(model, rows, how.target)
    if hasattr(model, "predict_proba"):
        return (*_kernel(lambda z: model.predict_proba(z)[:, how.target], rows, seen, how), "probability")
    if hasattr(model, "predict") or callable(model):
        function = model.predict if hasattr(model, "predict") else model
        return (*_kernel(function, rows, seen, how), "1")
    raise InputError("a fitted estimator or a function", got=type(model).__name__, where="Shapley values")


def _is_linear(model: Any) -> bool:
    kinds = ("LogisticRegression", "LinearRegression", "Ridge", "Lasso", "ElasticNet")
    return type(model).__name__ in kinds and hasattr(model, "coef_")


def _linear(model: Any, rows: Floats, seen: Floats, target: int) -> _Computed:
    shap = load_shap()
    masker = shap.maskers.Independent(seen, max_samples=len(seen))
    explainer = shap.LinearExplainer(model, masker)
    values, base = _of_class(explainer.shap_values(rows), explainer.expected_value, target)
    logistic = hasattr(model, "predict_proba")
    told = np.asarray(model.decision_function(rows) if logistic else model.predict(rows), dtype=np.float64)
    told = told[:, target] if told.ndim == 2 else told
    sign = -1.0 if logistic and len(model.classes_) == 2 and target == 0 else 1.0
    return "linear", sign * values, sign * base, sign * told, "log-odds" if logistic else "1"


def _tree(model: Any, rows: Floats, target: int) -> _Computed:
    explainer = load_shap().TreeExplainer(model)
    values, base = _of_class(explainer.shap_values(rows), explainer.expected_value, target)
    classes = len(getattr(model, "classes_", ()))
    if hasattr(model, "decision_function"):
        told = np.asarray(model.decision_function(rows), dtype=np.float64)
        sign = -1.0 if classes == 2 and target == 0 else 1.0
        told = told[:, target] if told.ndim == 2 else told
        return "tree", sign * values, sign * base, sign * told, "log-odds"
    if classes:
        return "tree", values, base, np.asarray(model.predict_proba(rows)[:, target], dtype=np.float64), "probability"
    return "tree", values, base, np.asarray(model.predict(rows), dtype=np.float64), "1"


def _kernel(
    function: Callable[[Floats], Any], rows: Floats, seen: Floats, how: _Sampling
) -> tuple[str, Floats, float, Floats]:
    rng = np.random.default_rng(how.seed)
    few = seen if len(seen) <= BACKGROUND else seen[np.sort(rng.choice(len(seen), BACKGROUND, replace=False))]
    if np.isnan(rows).any() or np.isnan(few).any():
        raise InputError("rows without missing values", got="some", where="sampled Shapley values", remedy="impute")
    explainer = load_shap().KernelExplainer(lambda z: answers(function, np.asarray(z)), few, seed=how.seed)
    values = explainer.shap_values(rows, nsamples=how.samples or "auto", silent=True)
    told = answers(function, rows)
    return "kernel", np.asarray(values, dtype=np.float64), float(explainer.expected_value), told


def _of_class(values: Any, base: Any, target: int) -> tuple[Floats, float]:
    """Return values and base of one class, whatever the package made of one output or of several."""
    found, bases = np.asarray(values, dtype=np.float64), np.atleast_1d(np.asarray(base, dtype=np.float64))
    if found.ndim == 3:
        if not 0 <= target < found.shape[2]:
            raise InputError(f"a class from 0 to {found.shape[2] - 1}", got=str(target), where="Shapley values")
        return np.ascontiguousarray(found[:, :, target]), float(bases[target])
    return found, float(bases[0])


def load_shap() -> Any:
    """Return the package shap; what its import deprecates of matplotlib's colour maps is not our user's concern."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=r"The set_(bad|over|under) function", category=PendingDeprecationWarning
        )
        import shap

    return shap
