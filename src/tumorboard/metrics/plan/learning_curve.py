"""How performance grows with the number of training patients.

Why it exists: whether more patients of the same kind would help is the first question about a weak model. Patients are
drawn without replacement, all rows of each, several times for each size.

Source: Figueroa RL et al. BMC Med Inform Decis Mak 2012;12:8; Beleites C et al. Anal Chim Acta 2013;760:25-33.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tumorboard.errors import InputError
from tumorboard.metrics.resampling import Groups, Rows, rows_by_group

FitAndScore = Callable[[Rows, Rows], float]
"""From training rows and test rows to a score; NaN where it does not exist."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Scores at one size.

    Parameters
    ----------
    patients : int
        In training.
    scores : tuple of float
        One a repeat; NaN where there was none.
    """

    patients: int
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean of the scores there are; NaN where there is none."""
        known = [s for s in self.scores if not np.isnan(s)]
        return float(np.mean(known)) if known else float("nan")

    @property
    def spread(self) -> tuple[float, float]:
        """10th and 90th percentile of the scores there are; NaN where there are fewer than two."""
        known = [s for s in self.scores if not np.isnan(s)]
        if len(known) < 2:
            return float("nan"), float("nan")
        low, high = np.percentile(known, [10, 90])
        return float(low), float(high)


def learning_curve(
    fit_and_score: FitAndScore,
    n: int,
    sizes: Sequence[int],
    groups: Groups | None = None,
    repeats: int = 10,
    test_share: float = 0.25,
    seed: int = 0,
) -> tuple[CurvePoint, ...]:
    """Train on ever more patients and score on patients that were held out.

    Parameters
    ----------
    fit_and_score : callable
        Trains on rows and scores on others; everything that learns happens inside.
    n : int
        Of rows.
    sizes : sequence of int
        Numbers of training patients.
    groups : sequence, optional
        To which patient each row belongs.
    repeats : int
        Of drawing a test set and, from the others, nested training sets.
    test_share : float
        Of patients, held out.
    seed : int
        Of the generator.

    Returns
    -------
    tuple of CurvePoint
        By size.

    Raises
    ------
    InputError
        A size that is below 1 or leaves no patients to test, or another test share.

    Examples
    --------
    >>> points = learning_curve(lambda train, test: float(len(train)), 20, [5, 10], repeats=2)
    >>> [(p.patients, p.mean) for p in points]
    [(5, 5.0), (10, 10.0)]
    """
    members = rows_by_group(groups, n)
    held = round(test_share * len(members))
    if not 0 < test_share < 1 or not 1 <= held < len(members):
        expected = "a share of patients that leaves some on both sides"
        raise InputError(expected, got=f"{test_share:g} of {len(members)}", where="learning curve")
    if not sizes or min(sizes) < 1 or max(sizes) > len(members) - held:
        raise InputError(f"sizes from 1 to {len(members) - held} patients", got="another one", where="learning curve")
    rng = np.random.default_rng(seed)
    scores: dict[int, list[float]] = {size: [] for size in sorted(set(sizes))}
    for _ in range(repeats):
        order = rng.permutation(len(members))
        test = np.concatenate([members[g] for g in order[:held]])
        for size, found in scores.items():
            train = np.concatenate([members[g] for g in order[held : held + size]])
            found.append(fit_and_score(train, test))
    return tuple(CurvePoint(size, tuple(found)) for size, found in scores.items())
