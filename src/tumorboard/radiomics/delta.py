"""How features change between studies of one patient.

Why it exists: what treatment does is a change, not a state. A change of a feature that does not even agree with itself
in two scans of one day is noise, so features can be left out by their intraclass correlation.

Source: Fave X et al., Sci Rep 2017;7:588 (delta features); slopes by least squares.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tumorboard.errors import InputError
from tumorboard.radiomics.region import Float
from tumorboard.radiomics.stability.icc import Icc
from tumorboard.radiomics.stability.repeat import stable

Values = Mapping[str, float]

FEWEST_VISITS = 3
"""That a slope needs: through two points there is always a line."""


def delta(
    first: Values,
    second: Values,
    days: float | None = None,
    table: Mapping[str, Icc] | None = None,
    least: float = 0.75,
) -> dict[str, float]:
    """Return how features changed from one study to a later one.

    Parameters
    ----------
    first, second : mapping of str to float
        Features by name, of the same settings.
    days : float, optional
        Between the studies.
    table : mapping of str to Icc, optional
        Features that it does not call stable are left out.
    least : float
        Intraclass correlation that stability takes.

    Returns
    -------
    dict of str to float
        For each feature: ``.delta`` in its unit; ``.delta_relative``, that over the size of the first value, NaN where
        it is 0; with days ``.delta_per_day``.

    Raises
    ------
    InputError
        Names differ, or days are not above 0.

    Examples
    --------
    >>> delta({"original.stat_mean": -4.0}, {"original.stat_mean": -2.0}, days=10)
    {'original.stat_mean.delta': 2.0, 'original.stat_mean.delta_relative': 0.5, 'original.stat_mean.delta_per_day': 0.2}
    """
    if days is not None and not days > 0:
        raise InputError("more than 0 days between two studies", got=f"{days:g}", where="delta")
    found = {}
    for name in _names([first, second], table, least):
        change = second[name] - first[name]
        found[f"{name}.delta"] = change
        found[f"{name}.delta_relative"] = change / abs(first[name]) if first[name] else math.nan
        if days is not None:
            found[f"{name}.delta_per_day"] = change / days
    return found


def slopes(
    visits: Sequence[Values], days: Sequence[float], table: Mapping[str, Icc] | None = None, least: float = 0.75
) -> dict[str, float]:
    """Return how fast features change over three visits or more, by least squares.

    Parameters
    ----------
    visits : sequence of mapping of str to float
        Features by name, of the same settings.
    days : sequence of float
        Of each visit, from any day on.
    table : mapping of str to Icc, optional
        Features that it does not call stable are left out.
    least : float
        Intraclass correlation that stability takes.

    Returns
    -------
    dict of str to float
        ``.slope_per_day`` of each feature, in its unit a day; NaN where fewer than three visits on different days have
        a value.

    Raises
    ------
    InputError
        There are fewer than three visits, numbers of visits and days differ, or names do.

    Examples
    --------
    >>> slopes([{"a": 1.0}, {"a": 2.0}, {"a": 6.0}], [0, 10, 20])
    {'a.slope_per_day': 0.25}
    """
    if len(visits) < FEWEST_VISITS or len(visits) != len(days):
        got = f"{len(visits)} visits and {len(days)} days"
        raise InputError(f"at least {FEWEST_VISITS} visits and the day of each", got=got, where="slopes")
    when = np.asarray(days, dtype=np.float64)
    return {
        f"{name}.slope_per_day": _slope(when, np.array([v[name] for v in visits], dtype=np.float64))
        for name in _names(visits, table, least)
    }


def _slope(when: Float, values: Float) -> float:
    known = np.isfinite(values) & np.isfinite(when)
    t, x = when[known], values[known]
    if len(np.unique(t)) < FEWEST_VISITS:
        return math.nan
    away = t - t.mean()
    return float((away * (x - x.mean())).sum() / (away**2).sum())


def _names(visits: Sequence[Values], table: Mapping[str, Icc] | None, least: float) -> list[str]:
    """Return the features that are compared."""
    if any(set(v) != set(visits[0]) for v in visits):
        odd = set().union(*visits) - set(visits[0]).intersection(*visits)
        raise InputError("the same features in all studies", got=f"{len(odd)} that not all have", where="delta")
    good = None if table is None else set(stable(table, least))
    return [name for name in visits[0] if good is None or name in good]
