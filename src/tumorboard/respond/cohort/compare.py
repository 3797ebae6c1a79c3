"""How well two criteria agree on the same patients: whether and when they progressed, and what each visit was.

Why it exists: criteria are exchanged for each other in trials, and a date that depends on the criterion is a result
that depends on it. Patients are compared only where both criteria say something; what is missing has its reason.

Source: quantities as Kickingereder P et al. Lancet Oncol 2019;20:728-740 (same time to progression) and Vollmuth P et
al. Neuro Oncol 2023;25:533-543 (concordance correlation of time to progression) reported them; formulas in
:mod:`tumorboard.metrics.agreement`.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tumorboard.csv_text import table_text
from tumorboard.errors import InputError
from tumorboard.metrics.agreement import bland_altman, concordance_correlation, kappa, share
from tumorboard.metrics.estimate import Estimate
from tumorboard.verdict import BEST_FIRST, Category, TimeToProgression, Verdict

COLUMNS = (
    "digital",
    "criterion",
    "other",
    "quantity",
    "value",
    "lower",
    "upper",
    "n",
    "status",
    "reason",
    "unit",
    "method",
)
"""Of ``agreement.csv``; ``digital`` is 1 where the patients are simulated."""

LEAST_PATIENTS = 5
"""Below so many patients nothing is computed; chosen."""

METHODS = {
    "same_outcome": ("1", "share of patients with the same date of progression by both, or without it by both"),
    "same_date": ("1", "share with the same date by both, of patients who progressed by either"),
    "ccc": ("1", "Lin's concordance correlation of days to progression, of patients who progressed by both"),
    "bias": ("d", "mean of days to progression by criterion minus by other, of patients who progressed by both"),
    "limit_lower": ("d", "lower limit of agreement: bias - 1.96 standard deviations of the differences"),
    "limit_upper": ("d", "upper limit of agreement: bias + 1.96 standard deviations of the differences"),
    "judged_by_both": ("1", "share of visits with a category by both, of visits with one by either"),
    "kappa": ("1", "Cohen's kappa of categories visit by visit, interval from drawing patients"),
    "kappa_linear": ("1", "kappa with linear weights from CR to PD, interval from drawing patients"),
    "kappa_imaging": ("1", "Cohen's kappa of imaging-only categories, interval from drawing patients"),
    "kappa_imaging_linear": (
        "1",
        "kappa of imaging-only categories with linear weights, interval from drawing patients",
    ),
}
"""Unit and method of each quantity."""

_ALWAYS = (Category.CR, Category.PR, Category.SD, Category.PD)
"""Categories that keep their place in the order although nobody was given them."""

_Days = dict[str, TimeToProgression]
_Visits = dict[tuple[str, dt.date], Verdict]


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One quantity of agreement between two criteria.

    Parameters
    ----------
    criterion, other : str
        Between which.
    quantity : str
        A key of :data:`METHODS`, which holds its unit and method.
    estimate : Estimate
        With its interval, or the reason why it is not assessable; ``n`` counts patients, for categories visits.
    """

    criterion: str
    other: str
    quantity: str
    estimate: Estimate


def agreement(times: Sequence[TimeToProgression], verdicts: Sequence[Verdict] = ()) -> tuple[AgreementRow, ...]:
    """Compare each pair of criteria.

    Parameters
    ----------
    times : sequence of TimeToProgression
        Of many patients by several criteria; a pair of criteria is compared on the patients that both have.
    verdicts : sequence of Verdict
        Of the same, for the agreement of categories; reference studies and visits that one of the two could not
        judge do not count in it.

    Returns
    -------
    tuple of AgreementRow
        All quantities of each pair, criteria in the order in which they first occur.

    Raises
    ------
    InputError
        A patient has a criterion twice, or two verdicts of it on one day.

    Examples
    --------
    >>> start, later = dt.date(2020, 1, 1), dt.date(2020, 4, 10)
    >>> times = [TimeToProgression(f"P{n}", c, start, later, 100, True) for n in range(6) for c in ("a", "b")]
    >>> rows = agreement(times)
    >>> rows[0].quantity, rows[0].estimate.value, rows[2].estimate.reason
    ('same_outcome', 1.0, 'one of the two does not vary')
    """
    by_times = times_by_criterion(times)
    by_visits: dict[str, _Visits] = {}
    for v in verdicts:
        visits = by_visits.setdefault(v.criterion, {})
        if (v.patient, v.date) in visits:
            raise InputError("one verdict a visit and criterion", got="two", where="verdicts")
        visits[v.patient, v.date] = v
    rows: list[AgreementRow] = []
    for one, other in itertools.combinations(by_times, 2):
        found = dict(_of_times(by_times[one], by_times[other]))
        found.update(_of_categories(by_visits.get(one, {}), by_visits.get(other, {})))
        rows += [AgreementRow(one, other, quantity, found[quantity]) for quantity in METHODS]
    return tuple(rows)


def times_by_criterion(times: Sequence[TimeToProgression]) -> dict[str, dict[str, TimeToProgression]]:
    """Return times by criterion and patient, both in the order in which they first occur.

    Raises
    ------
    InputError
        A patient has a criterion twice.

    Examples
    --------
    >>> times_by_criterion([TimeToProgression("P1", "a", dt.date(2020, 1, 1), None, 90, False)])["a"]["P1"].days
    90
    """
    found: dict[str, dict[str, TimeToProgression]] = {}
    for t in times:
        patients = found.setdefault(t.criterion, {})
        if t.patient in patients:
            raise InputError("one time to progression a patient and criterion", got="two", where="times to progression")
        patients[t.patient] = t
    return found


def both_progressed(one: _Days, other: _Days) -> tuple[list[int], list[int]]:
    """Return days to progression by each of two criteria, of the patients who progressed by both.

    Examples
    --------
    >>> both_progressed({}, {})
    ([], [])
    """
    both = [p for p, t in one.items() if p in other and t.event and other[p].event]
    return [one[p].days for p in both], [other[p].days for p in both]


def _of_times(one: _Days, other: _Days) -> Iterator[tuple[str, Estimate]]:
    pairs = [(t, other[p]) for p, t in one.items() if p in other]
    either = [(a, b) for a, b in pairs if a.event or b.event]
    first, second = both_progressed(one, other)
    same = sum(a.event and b.event and a.progression == b.progression for a, b in pairs)
    yield (
        "same_outcome",
        _if_enough(len(pairs), "with both criteria") or share(same + len(pairs) - len(either), len(pairs)),
    )
    yield "same_date", _if_enough(len(either), "who progressed by either") or share(same, len(either))
    few = _if_enough(len(first), "who progressed by both")
    limits = bland_altman(first, second)
    yield "ccc", few or concordance_correlation(first, second)
    yield "bias", few or limits.bias
    yield "limit_lower", few or limits.lower
    yield "limit_upper", few or limits.upper


def _if_enough(patients: int, who: str) -> Estimate | None:
    """Return the refusal where there are too few patients."""
    if patients >= LEAST_PATIENTS:
        return None
    return Estimate.missing(f"{patients} patients {who}; at least {LEAST_PATIENTS} are needed", patients)


def _of_categories(one: _Visits, other: _Visits) -> Iterator[tuple[str, Estimate]]:
    visits = [at for at in one if at in other]
    said = [(_judged(one[at].category), _judged(other[at].category)) for at in visits]
    few = _if_enough(len({patient for patient, _ in visits}), "with verdicts of both criteria")
    yield "judged_by_both", few or share(sum(a and b for a, b in said), sum(a or b for a, b in said))
    for stem, attribute in (("kappa", "category"), ("kappa_imaging", "imaging_only")):
        views = [(at[0], getattr(one[at], attribute), getattr(other[at], attribute)) for at in visits]
        judged = [view for view in views if _judged(view[1]) and _judged(view[2])]
        patients, first, second = ([view[n] for view in judged] for n in range(3))
        order = [c for c in BEST_FIRST if c in _ALWAYS or c in first or c in second]
        few = _if_enough(len(set(patients)), "with categories of both criteria")
        yield stem, few or kappa(first, second, order, "unweighted", patients)
        yield f"{stem}_linear", few or kappa(first, second, order, "linear", patients)


def _judged(category: Category) -> bool:
    return category in BEST_FIRST


def agreement_csv(rows: Sequence[AgreementRow], *, digital: bool) -> str:
    """Return ``agreement.csv``.

    Parameters
    ----------
    rows : sequence of AgreementRow
        From :func:`agreement`.
    digital : bool
        Whether the patients are simulated; stands in every row.

    Examples
    --------
    >>> row = AgreementRow("rano-2.0", "volumetric", "ccc", Estimate.missing("2 patients", 2))
    >>> agreement_csv([row], digital=True).splitlines()[1][:59]
    '1,rano-2.0,volumetric,ccc,,,,2,not_assessable,2 patients,1,'
    """
    told = (
        (int(digital), row.criterion, row.other, row.quantity, *estimate_cells(row.estimate), *METHODS[row.quantity])
        for row in rows
    )
    return table_text(COLUMNS, told)


def estimate_cells(estimate: Estimate) -> list[float | int | str | None]:
    """Return value, lower, upper, n, status and reason as cells; what is missing is empty.

    Examples
    --------
    >>> estimate_cells(Estimate(412.0, 300.0, float("inf"), 30))
    [412.0, 300.0, None, 30, 'ok', 'upper end not reached']
    """
    reason = estimate.reason or ("upper end not reached" if math.isinf(estimate.high) else "")
    numbers = [x if math.isfinite(x) else None for x in (estimate.value, estimate.low, estimate.high)]
    return [*numbers, estimate.n, "ok" if estimate.known else "not_assessable", reason]
