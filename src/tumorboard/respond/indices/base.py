"""What every prognostic index shares: its factors, the facts of a patient, and the result.

Why it exists: the published calculators fill in what nobody told, and forget which table they used. Here a fact is
checked against its range, a missing one is never a zero, and the result names its table, its version and what in that
table was not read in the source. Months of survival are medians of a group of past patients: off unless asked for, and
refused for digital patients.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tumorboard.errors import InputError, did_you_mean

Fact = float | str | None
"""A number, a word, or None where it is not known."""

UNKNOWN = ("", "unknown")
"""Texts that say nothing."""

_BOOLEANS = {True: "yes", False: "no"}


class Frozen(BaseModel):
    """A part of a table: frozen, and without keys that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Factor(Frozen):
    """One thing that an index asks.

    Examples
    --------
    >>> kps = Factor(label="KPS", low=0, high=100, step=10)
    >>> kps.read("80", "kps"), kps.read("unknown", "kps")
    (80.0, None)
    """

    label: str = Field(description="in words")
    unit: str = Field(default="", description="of a number")
    low: float = Field(default=0.0, description="least number that can be")
    high: float = Field(default=math.inf, description="greatest number that can be")
    step: float | None = Field(default=None, gt=0, description="numbers are whole multiples of it")
    words: tuple[str, ...] = Field(default=(), description="what may be said instead of a number")

    def read(self, given: object, name: str) -> Fact:
        """Return a fact as it was meant.

        Parameters
        ----------
        given : object
            A number, a word, yes or no as a bool; None, an empty text and ``unknown`` say nothing.
        name : str
            Of the factor, for messages.

        Raises
        ------
        InputError
            It is neither a number in range nor one of the words.
        """
        if given is None or (isinstance(given, str) and given.strip().lower() in UNKNOWN):
            return None
        return self._word(given, name) if self.words else self._number(given, name)

    def _word(self, given: object, name: str) -> str:
        word = _BOOLEANS[given] if isinstance(given, bool) else str(given).strip().lower()
        if word not in self.words:
            raise InputError(f"{', '.join(self.words)} or unknown", got="another word", where=name)
        return word

    def _number(self, given: object, name: str) -> float:
        if isinstance(given, bool) or not isinstance(given, str | Real):
            raise InputError("a number", got="something else", where=name)
        try:
            value = float(given)
        except ValueError as error:
            remedy = "write it with a decimal point and without a unit"
            raise InputError("a number", got="other text", where=name, remedy=remedy) from error
        if not self.low <= value <= self.high:
            unit = f" {self.unit}" if self.unit else ""
            raise InputError(f"{self.low:g} to {self.high:g}{unit}", got=f"{value:g}", where=name)
        if self.step is not None and not math.isclose(value, round(value / self.step) * self.step, abs_tol=1e-9):
            raise InputError(f"a multiple of {self.step:g}", got=f"{value:g}", where=name)
        return value

    def shown(self, fact: Fact) -> str:
        """Return label, value and unit as a reader sees them."""
        value = "unknown" if fact is None else f"{fact:g}" if isinstance(fact, float) else fact
        return f"{self.label} {value}" + (f" {self.unit}" if self.unit and fact is not None else "")


class Limit(Frozen):
    """Up to where something holds: ``below`` without its end, ``up_to`` with it, or everything that is left."""

    below: float | None = None
    up_to: float | None = None

    def holds(self, value: float) -> bool:
        """Say whether a number lies under the limit; the last of a list has none."""
        if self.below is not None:
            return value < self.below
        return self.up_to is None or value <= self.up_to

    @property
    def ends(self) -> bool:
        """Whether there is a limit."""
        return self.below is not None or self.up_to is not None


class Group(Limit):
    """A group of patients with one outlook; the limit is one of its score, where there is a score."""

    name: str
    label: str = Field(default="", description="in words")
    months: float | None = Field(default=None, gt=0, description="median survival in the source")


def check_limits(limits: tuple[Limit, ...], what: str) -> None:
    """Refuse limits that do not rise, or that leave a rest.

    Raises
    ------
    ValueError
        For the message of the table that holds them.
    """
    ends = [e for one in limits for e in (one.below, one.up_to) if e is not None]
    both = any(one.below is not None and one.up_to is not None for one in limits)
    if both or not limits or limits[-1].ends or not all(one.ends for one in limits[:-1]) or sorted(set(ends)) != ends:
        raise ValueError(f"{what}: limits that rise, and a last entry without one")


class Table(Frozen):
    """What the table of every index says of itself."""

    id: str
    title: str
    version: str
    source: str
    unverified: Mapping[str, str] = Field(default_factory=dict, description="what was not read in the source")

    def doubts(self, months: bool) -> tuple[str, ...]:
        """Return what in a result of this table is unverified; months only where they are told."""
        return tuple(f"{key}: {why}" for key, why in self.unverified.items() if months or key != "months")


@dataclass(frozen=True, slots=True)
class IndexResult:
    """An index of one patient.

    Parameters
    ----------
    index, title : str
        Which.
    value : float or None
        The score; ``None`` for an index without one, and where it is not assessable.
    unit : str
        Of the score.
    group : str or None
        Class or group; ``None`` where it is not assessable.
    facts : mapping of str to (float, str or None)
        What was told, by factor.
    points : mapping of str to (float or None)
        Of each factor, in an index of points.
    missing : tuple of str
        Factors without which the index cannot be told.
    possible : (float, float) or None
        Least and greatest score, whatever the missing factors are.
    possible_groups : tuple of str
        Groups that are possible, likewise.
    months : float or None
        Median survival of the group in the source; only where it was asked for.
    source, version : str
        Of the table.
    unverified : tuple of str
        What in it was not read in the source.
    sentence : str
        All of this in words.
    """

    index: str
    title: str
    value: float | None
    unit: str
    group: str | None
    facts: Mapping[str, Fact]
    points: Mapping[str, float | None]
    missing: tuple[str, ...]
    possible: tuple[float, float] | None
    possible_groups: tuple[str, ...]
    months: float | None
    source: str
    version: str
    unverified: tuple[str, ...]
    sentence: str

    @property
    def assessable(self) -> bool:
        """Whether enough was told."""
        return self.group is not None

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return plain(self)


def plain(result: Any) -> dict[str, Any]:
    """Return the fields of a result as JSON can hold them: tuples as lists, mappings as dicts.

    Parameters
    ----------
    result : dataclass
        Frozen, of texts, numbers, tuples and mappings.
    """
    held = {one.name: getattr(result, one.name) for one in fields(result)}
    return {
        name: list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value
        for name, value in held.items()
    }


def read_facts(factors: Mapping[str, Factor], given: Mapping[str, object]) -> dict[str, Fact]:
    """Check what was told against what an index asks.

    Parameters
    ----------
    factors : mapping of str to Factor
        By name.
    given : mapping of str to object
        Numbers, words or None by name; a factor that is absent is unknown.

    Returns
    -------
    dict of str to (float, str or None)
        A fact for every factor, in their order.

    Raises
    ------
    InputError
        An unknown name, or a value that cannot be.

    Examples
    --------
    >>> read_facts({"age": Factor(label="age", high=120)}, {"age": 61})
    {'age': 61.0}
    """
    check_names(tuple(factors), given)
    return {name: factor.read(given.get(name), name) for name, factor in factors.items()}


def check_names(known: tuple[str, ...], given: Mapping[str, object]) -> None:
    """Refuse a name that an index does not ask for.

    Raises
    ------
    InputError
        With the nearest name that it does.
    """
    for name in given:
        if name not in known:
            remedy = did_you_mean(name, known, "use one of those", cutoff=0.4)
            raise InputError(f"the factors {', '.join(known)}", got="another name", where="index", remedy=remedy)


def check_months(months: bool, digital: bool) -> None:
    """Refuse months of survival for a digital patient.

    Raises
    ------
    InputError
        Both are asked for.
    """
    if months and digital:
        raise InputError("an index without months", got="a digital patient", where="months", remedy="leave them out")


def told(table: Table, text: str, months: float | None, asked: bool) -> str:
    """Return the sentence of a result, with months where they are told and doubts where there are any."""
    if months is not None:
        text += f" Median survival of that group in the source: {months:g} months; no forecast for one patient."
    doubts = table.doubts(asked)
    return text + (f" Unverified: {'; '.join(doubts)}." if doubts else "")
