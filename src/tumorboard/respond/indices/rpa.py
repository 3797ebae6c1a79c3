"""Indices that are classes: recursive partitioning (RPA), and whatever else is a list of rules.

Why it exists: a tree is a list of rules that a reader can compare with the paper. Not every factor decides every
patient: below KPS 70 the age does not matter in brain metastases, and a class that is certain without a factor is told
without it. Else the classes that are still possible are told.

Source: Gaspar L et al. 1997 and Mirimanoff RO et al. 2006; see ``rpa.toml``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from itertools import pairwise

from pydantic import Field, field_validator, model_validator

from tumorboard.respond.indices.base import (
    Fact,
    Factor,
    Frozen,
    Group,
    IndexResult,
    Table,
    check_months,
    read_facts,
    told,
)

_COMPARED = re.compile(r"(<=|>=|<|>) (\d+(?:\.\d+)?)")
_SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def _holds(condition: str, fact: float | str) -> bool:
    found = _COMPARED.fullmatch(condition)
    if found is None or isinstance(fact, str):
        return fact == condition
    return bool(_SIGNS[found[1]](fact, float(found[2])))


class Rule(Frozen):
    """A class and its conditions, all of which hold; each is a word or a comparison such as ``< 70``."""

    group: str
    detail: str = Field(default="", description="which part of the class, in words")
    when: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="by factor; empty always holds")

    def undecided(self, facts: Mapping[str, Fact]) -> str | None:
        """Return the first factor that the rule needs and that is unknown."""
        return next((name for name in self.when if facts[name] is None), None)

    def fails(self, facts: Mapping[str, Fact]) -> bool:
        """Say whether a known fact breaks the rule."""
        known = ((conditions, facts[name]) for name, conditions in self.when.items())
        return any(fact is not None and not _holds(c, fact) for conditions, fact in known for c in conditions)


class ClassTable(Table):
    """An index of classes: the first rule that holds gives the class."""

    factors: tuple[str, ...]
    groups: tuple[Group, ...]
    rules: tuple[Rule, ...] = Field(min_length=1)

    @field_validator("groups")
    @classmethod
    def _named_once(cls, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        if any(g.ends for g in groups) or len({g.name for g in groups}) < len(groups):
            raise ValueError("each class once, without limits")
        return groups

    @model_validator(mode="after")
    def _sound(self) -> ClassTable:
        names = {g.name for g in self.groups}
        wrong = [r.group for r in self.rules if r.group not in names]
        wrong += [name for r in self.rules for name in r.when if name not in self.factors]
        if wrong:
            raise ValueError(f"rules of classes and factors that the table names; got {', '.join(wrong)}")
        return self

    def check_words(self, factors: Mapping[str, Factor]) -> None:
        """Refuse conditions that are neither a comparison of a number nor a word of their factor.

        Raises
        ------
        ValueError
            With the factor's name.
        """
        for rule in self.rules:
            for name, conditions in rule.when.items():
                words = factors[name].words
                if any(c not in words if words else not _COMPARED.fullmatch(c) for c in conditions):
                    raise ValueError(f"{self.id}: words of {name}, or comparisons such as '< 70'")

    def named(self, group: str) -> Group:
        """Return a class by its name."""
        return next(g for g in self.groups if g.name == group)


def classify(
    table: ClassTable,
    factors: Mapping[str, Factor],
    given: Mapping[str, object],
    *,
    months: bool = False,
    digital: bool = False,
) -> IndexResult:
    """Find the class of a patient.

    Parameters
    ----------
    table : ClassTable
        Of the index.
    factors : mapping of str to Factor
        What its factors are; others may be among them.
    given : mapping of str to object
        Facts by factor.
    months : bool
        Tell the median survival of the class too.
    digital : bool
        The patient is simulated; months are then refused.

    Returns
    -------
    IndexResult
        Not assessable where the missing factors could change the class, or where the table has none.

    Raises
    ------
    InputError
        A fact that cannot be, a name that is not asked for, or months of a digital patient.

    Examples
    --------
    >>> from tumorboard.respond.indices.tables import shipped
    >>> book = shipped()
    >>> rpa = book.classes["rpa-brain-metastases"]
    >>> classify(rpa, book.factors, {"kps": 60}).group
    'III'
    >>> classify(rpa, book.factors, {"kps": 90, "age": 50}).possible_groups
    ('I', 'II')
    """
    check_months(months, digital)
    asked = {name: factors[name] for name in table.factors}
    facts = read_facts(asked, given)
    ends = _ends(table.rules, facts, {name: _representatives(table, name, f) for name, f in asked.items()})
    reached = {None if rule is None else rule.group for rule in ends}
    group = table.named(name) if len(reached) == 1 and (name := next(iter(reached))) is not None else None
    told_months = group.months if group is not None and months else None
    return IndexResult(
        index=table.id,
        title=table.title,
        value=None,
        unit="",
        group=None if group is None else group.name,
        facts=facts,
        points={},
        missing=() if group is not None else tuple(name for name, fact in facts.items() if fact is None),
        possible=None,
        possible_groups=tuple(g.name for g in table.groups if g.name in reached),
        months=told_months,
        source=table.source,
        version=table.version,
        unverified=table.doubts(months),
        sentence=told(table, _text(table, asked, facts, ends), told_months, months),
    )


def _representatives(table: ClassTable, name: str, factor: Factor) -> tuple[float | str, ...]:
    """Return values of a factor of which one lies in each range that the rules tell apart."""
    if factor.words:
        return factor.words
    conditions = (c for rule in table.rules for c in rule.when.get(name, ()))
    cuts = sorted({float(found[2]) for c in conditions if (found := _COMPARED.fullmatch(c))})
    gaps = [b - a for a, b in pairwise(cuts)]
    beside = factor.step or min([1.0, *gaps]) / 2
    values = (v for cut in cuts for v in (cut - beside, cut, cut + beside))
    return tuple(sorted({min(max(v, factor.low), factor.high) for v in values}))


def _ends(
    rules: tuple[Rule, ...], facts: Mapping[str, Fact], representatives: Mapping[str, tuple[float | str, ...]]
) -> list[Rule | None]:
    """Return the rules that can fire, in their order, whatever the unknown facts are; None: none of them."""
    for rule in rules:
        if rule.fails(facts):
            continue
        name = rule.undecided(facts)
        if name is None:
            return [rule]
        found = [r for v in representatives[name] for r in _ends(rules, {**facts, name: v}, representatives)]
        order: list[Rule | None] = [*rules, None]
        return [r for r in order if r in found]
    return [None]


def _text(table: ClassTable, asked: Mapping[str, Factor], facts: Mapping[str, Fact], ends: list[Rule | None]) -> str:
    parts = "; ".join(asked[n].shown(fact) for n, fact in facts.items() if fact is not None)
    known = f" ({parts})" if parts else ""
    fired = {None if rule is None else rule.group for rule in ends}
    reached = [name for name in (*(g.name for g in table.groups), None) if name in fired]
    if reached == [None]:
        return f"{table.title} not assessable: the table has no class for these facts{known}."
    if len(reached) > 1:
        missing = " and ".join(asked[n].label for n, fact in facts.items() if fact is None)
        possible = " or ".join(name if name is not None else "none" for name in reached)
        return f"{table.title} not assessable: {missing} unknown. Possible: class {possible}{known}."
    group = table.named(str(reached[0]))
    detail = ends[0].detail if len(ends) == 1 and ends[0] is not None else ""
    words = ", ".join(w for w in (group.label, detail) if w)
    return f"{table.title}: class {group.name}{f', {words}' if words else ''}{known}."
