"""What a checklist item asks of the facts, in a small language that can only look, count and compare.

Why it exists: items are tables, and a table must not run code. There is no negation of what is unknown: whatever is
asked can only become less true when a fact is taken away, so that no answer is ever a yes by ignorance.

::

    ask = "performance.decision_curve"              true, or words or a list that are not empty
    ask = {any = ["features.reduction", "features.adjusted"]}
    ask = {all = ["data.patients", {at_least = {"data.sites" = 2}}]}
    ask = {known = ["data.missing_share"]}          known, whatever it is (a count of 0, no, none)
    ask = {is = {"images.segmentation" = ["manual", "semi-automated"]}}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tumorboard.appraise.facts import RunFacts

Value = bool | float | str


@dataclass(frozen=True, slots=True)
class Found:
    """What the facts say to a question.

    Parameters
    ----------
    truth : bool or None
        ``None``: the facts do not tell.
    shown : tuple of str
        Paths of the facts that speak for it.
    lacking : tuple of str
        Paths of those that are false or unknown.
    """

    truth: bool | None
    shown: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


class Ask(BaseModel):
    """A question to the facts; every clause that is given must hold.

    Parameters
    ----------
    all, any : tuple of Ask
        All of them, or one of them at least.
    true : tuple of str
        Facts that are true, or words or a list that are not empty.
    known : tuple of str
        Facts that are known, whatever they are.
    at_least, at_most : mapping of str to float
        Numbers with their limits.
    one_of : mapping of str to tuple
        Facts with the values that they may have (written ``is``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    all: tuple[Ask, ...] = ()
    any: tuple[Ask, ...] = ()
    true: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    at_least: Mapping[str, float] = Field(default_factory=dict)
    at_most: Mapping[str, float] = Field(default_factory=dict)
    one_of: Mapping[str, tuple[Value, ...]] = Field(default_factory=dict, alias="is")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        """Take a bare path as the question whether it is true."""
        return {"true": (given,)} if isinstance(given, str) else given

    @field_validator("one_of", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {path: tuple(v) if isinstance(v, list | tuple) else (v,) for path, v in given.items()}

    @model_validator(mode="after")
    def _asks_something(self) -> Ask:
        if not self.paths:
            raise ValueError("a question asks for one fact at least")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """Every fact that is asked for, once."""
        own = (*self.true, *self.known, *self.at_least, *self.at_most, *self.one_of)
        below = (path for ask in (*self.all, *self.any) for path in ask.paths)
        return tuple(dict.fromkeys((*own, *below)))

    def of(self, facts: RunFacts) -> Found:
        """Ask the facts.

        Parameters
        ----------
        facts : RunFacts
            Of one run.

        Returns
        -------
        Found

        Examples
        --------
        >>> from tumorboard.appraise import DataFacts
        >>> ask = Ask.model_validate({"at_least": {"data.patients": 100}})
        >>> [ask.of(RunFacts(data=DataFacts(patients=n))).truth for n in (150, 50, None)]
        [True, False, None]
        """
        found = [*self._clauses(facts), *(ask.of(facts) for ask in self.all)]
        if self.any:
            found.append(_either([ask.of(facts) for ask in self.any]))
        return _together(found)

    def _clauses(self, facts: RunFacts) -> Iterator[Found]:
        yield from (_one(facts, path, _is_true) for path in self.true)
        yield from (_one(facts, path, lambda _: True) for path in self.known)
        yield from (_one(facts, path, _no_less(limit)) for path, limit in self.at_least.items())
        yield from (_one(facts, path, _no_more(limit)) for path, limit in self.at_most.items())
        yield from (_one(facts, path, _among(values)) for path, values in self.one_of.items())


def _one(facts: RunFacts, path: str, holds: Callable[[Any], bool]) -> Found:
    known = facts.look(path)
    if known.barred:
        return Found(False, (), (path,))
    if known.value is None:
        return Found(None, (), (path,))
    return Found(True, (path,)) if holds(known.value) else Found(False, (), (path,))


def _is_true(value: Any) -> bool:
    """Return whether a known value is a yes; any number is (``at_least`` asks for more)."""
    return bool(value) if isinstance(value, bool | str | tuple) else True


def _no_less(limit: float) -> Callable[[Any], bool]:
    return lambda value: bool((len(value) if isinstance(value, tuple) else value) >= limit)


def _no_more(limit: float) -> Callable[[Any], bool]:
    return lambda value: bool((len(value) if isinstance(value, tuple) else value) <= limit)


def _among(values: tuple[Value, ...]) -> Callable[[Any], bool]:
    return lambda value: any(type(value) is type(v) and value == v for v in values)


def _together(found: list[Found]) -> Found:
    truth = _least([f.truth for f in found])
    return Found(truth, _joined(f.shown for f in found), _lacking(truth, found))


def _either(found: list[Found]) -> Found:
    yes = [f for f in found if f.truth]
    if yes:
        return Found(True, _joined(f.shown for f in yes))
    truth = None if any(f.truth is None for f in found) else False
    return Found(truth, (), _lacking(truth, found))


def _lacking(truth: bool | None, found: list[Found]) -> tuple[str, ...]:
    """Return what decides: what is false where the whole is, else what is unknown."""
    return () if truth else _joined(f.lacking for f in found if f.truth is truth)


def _joined(paths: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for some in paths for path in some))


def _least(truths: list[bool | None]) -> bool | None:
    if False in truths:
        return False
    return None if None in truths else True
