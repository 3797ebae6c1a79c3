"""Indices that add points: the graded prognostic assessments (GPA) of brain metastases.

Why it exists: the tables differ by primary tumour and by year, and open calculators mix them. A table is data with
its source (``gpa.toml``, or a file of one's own); this page only adds. With a factor missing it says which scores are
still possible, by bounding what the missing factors can give.

Source: the diagnosis-specific GPAs, Sperduto PW et al.; see each table.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, model_validator

from tumorboard.respond.indices.base import (
    Fact,
    Factor,
    Group,
    IndexResult,
    Limit,
    Table,
    check_limits,
    check_months,
    read_facts,
    told,
)

DIGITS = 6
"""Decimals that sums are rounded to, so that 0.1 + 0.2 meets its limit."""


class Band(Limit):
    """Points of a factor: under a limit, for a word, or for the rest."""

    word: str | None = None
    points: float


class PointsTable(Table):
    """An index that adds points, and the groups of its sums.

    Examples
    --------
    >>> PointsTable.model_validate({
    ...     "id": "mine", "title": "Mine", "version": "1", "source": "here", "maximum": 1.0,
    ...     "factors": {"kps": [{"below": 70, "points": 0.0}, {"points": 1.0}]},
    ...     "groups": [{"name": "poor", "below": 1.0}, {"name": "good"}],
    ... }).group_of(1.0).name
    'good'
    """

    maximum: float = Field(description="the greatest sum; checked against the points")
    factors: dict[str, tuple[Band, ...]] = Field(min_length=1)
    groups: tuple[Group, ...] = Field(description="by rising score")

    @model_validator(mode="after")
    def _sound(self) -> PointsTable:
        check_limits(self.groups, "groups")
        for name, bands in self.factors.items():
            if not any(b.word for b in bands):
                check_limits(bands, name)
        best = round(sum(max(b.points for b in bands) for bands in self.factors.values()), DIGITS)
        if best != self.maximum:
            raise ValueError(f"points whose best add up to the maximum of {self.maximum:g}; they add up to {best:g}")
        return self

    def check_words(self, factors: Mapping[str, Factor]) -> None:
        """Refuse bands that do not give points for exactly the words of their factor.

        Raises
        ------
        ValueError
            With the factor's name.
        """
        for name, bands in self.factors.items():
            words = tuple(b.word for b in bands if b.word)
            mixed = bool(words) and any(b.word is None or b.ends for b in bands)
            if mixed or sorted(words) != sorted(factors[name].words):
                raise ValueError(f"{self.id}: points for each word of {name}, or for ranges of a number")

    def points_of(self, name: str, fact: Fact) -> float:
        """Return the points of a fact that is known."""
        bands = self.factors[name]
        if isinstance(fact, float):
            return next(b.points for b in bands if b.holds(fact))
        return next(b.points for b in bands if b.word == fact)

    def group_of(self, total: float) -> Group:
        """Return the group of a sum."""
        return next(g for g in self.groups if g.holds(total))


def score(
    table: PointsTable,
    factors: Mapping[str, Factor],
    given: Mapping[str, object],
    *,
    months: bool = False,
    digital: bool = False,
) -> IndexResult:
    """Add the points of a patient.

    Parameters
    ----------
    table : PointsTable
        Of the index.
    factors : mapping of str to Factor
        What its factors are; others may be among them.
    given : mapping of str to object
        Facts by factor.
    months : bool
        Tell the median survival of the group too.
    digital : bool
        The patient is simulated; months are then refused.

    Returns
    -------
    IndexResult
        Not assessable with a factor missing; the scores that are possible are told.

    Raises
    ------
    InputError
        A fact that cannot be, a name that is not asked for, or months of a digital patient.

    Examples
    --------
    >>> from tumorboard.respond.indices.tables import shipped
    >>> book = shipped()
    >>> known = {"kps": 80, "age": 55, "extracranial": "no"}
    >>> r = score(book.points["gpa-gi-2019"], book.factors, known)
    >>> r.value, r.missing, r.possible, r.possible_groups
    (None, ('brain_metastases',), (2.0, 3.0), ('1.5-2.0', '2.5-3.0'))
    >>> r = score(book.points["gpa-gi-2019"], book.factors, {**known, "brain_metastases": 1})
    >>> r.value, r.group, r.months
    (3.0, '2.5-3.0', None)
    """
    check_months(months, digital)
    asked = {name: factors[name] for name in table.factors}
    facts = read_facts(asked, given)
    points = {name: None if fact is None else table.points_of(name, fact) for name, fact in facts.items()}
    missing = tuple(name for name, fact in facts.items() if fact is None)
    totals = _totals(table, points)
    group = None if missing else table.group_of(totals[0])
    told_months = group.months if group is not None and months else None
    return IndexResult(
        index=table.id,
        title=table.title,
        value=None if group is None else totals[0],
        unit="1",
        group=None if group is None else group.name,
        facts=facts,
        points=points,
        missing=missing,
        possible=(totals[0], totals[-1]),
        possible_groups=tuple(dict.fromkeys(table.group_of(t).name for t in totals)),
        months=told_months,
        source=table.source,
        version=table.version,
        unverified=table.doubts(months),
        sentence=told(table, _text(table, asked, facts, points, totals), told_months, months),
    )


def _totals(table: PointsTable, points: Mapping[str, float | None]) -> list[float]:
    """Return all sums that are possible, rising; one where nothing is missing."""
    totals = {0.0}
    for name, known in points.items():
        here = {b.points for b in table.factors[name]} if known is None else {known}
        totals = {round(t + p, DIGITS) for t in totals for p in here}
    return sorted(totals)


def _text(
    table: PointsTable,
    asked: Mapping[str, Factor],
    facts: Mapping[str, Fact],
    points: Mapping[str, float | None],
    totals: list[float],
) -> str:
    parts = "; ".join(f"{asked[n].shown(fact)}: {points[n]:g}" for n, fact in facts.items() if fact is not None)
    missing = [asked[n].label for n, fact in facts.items() if fact is None]
    if not missing:
        return f"{table.title}: {totals[0]:g} of {table.maximum:g} ({parts}), group {table.group_of(totals[0]).name}."
    so_far = f" ({parts})" if parts else ""
    between = f"between {totals[0]:g} and {totals[-1]:g} of {table.maximum:g}"
    return f"{table.title} not assessable: {' and '.join(missing)} unknown. The score lies {between}{so_far}."
