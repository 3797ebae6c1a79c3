"""A checklist as a table: its items, what each asks of a run's facts, its points, and how sure the table is.

Why it exists: a checklist written into code cannot be compared with its paper. A new one is one TOML file in
``checklists/``; what it declares of itself (number of items, least and most points) is checked against its items when
it is read. The wording is ours and brief: the papers' own words count.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tumorboard.appraise.expression import Ask
from tumorboard.appraise.words import known_path
from tumorboard.errors import InputError, did_you_mean

CHECKLISTS = ("tripod-2015", "tripod-ai", "claim-2020", "claim-2024", "rqs", "metrics", "clear")
"""Reporting of prediction models, of artificial intelligence in imaging, of radiomics."""

_ROUNDING = 1e-6


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scope(_Frozen):
    """A kind of study that some items are not for.

    Parameters
    ----------
    words : str
        For whom the items are.
    not_applicable_when : Ask
        When they are not.
    """

    words: str = Field(min_length=1)
    not_applicable_when: Ask


class Part(_Frozen):
    """One way to earn points in an item that has several.

    Parameters
    ----------
    text : str
        What is asked.
    ask : Ask or None
        Of the facts; ``None``: the author answers.
    points : float
        Earned by it.
    """

    text: str = Field(min_length=1)
    ask: Ask | None = None
    points: float = Field(default=1.0, gt=0)


class Item(_Frozen):
    """One item of a checklist.

    Parameters
    ----------
    number : str
        As the paper counts: ``10a``.
    section : str
        Of the paper's table.
    text : str
        What it asks, in our words.
    ask : Ask or None
        Of the facts; without it and without parts the author answers.
    parts : tuple of Part
        Several ways to earn points, instead of ``ask``.
    combine : str
        ``sum`` of the parts' points, or the ``best`` of them.
    also : tuple of str
        Facts that are told beside the evidence, where they are known.
    scope : tuple of str
        Kinds of study that it is for; see :class:`Scope`.
    points : float
        Of a yes.
    otherwise : float
        Of anything less.
    essential : bool
        Whether it counts; one that is only recommended is answered and not counted.
    unverified : str
        What of it was not read in the paper; empty where all was.
    """

    number: str = Field(min_length=1)
    section: str = Field(min_length=1)
    text: str = Field(min_length=1)
    ask: Ask | None = None
    parts: tuple[Part, ...] = ()
    combine: Literal["sum", "best"] = "sum"
    also: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    points: float = Field(default=1.0, gt=0)
    otherwise: float = Field(default=0.0, le=0)
    essential: bool = True
    unverified: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.ask is not None and self.parts:
            raise ValueError("an item has a question or parts")
        return self

    @property
    def ways(self) -> tuple[Part, ...]:
        """Its parts; an item without any is one part of its own."""
        return self.parts or (Part(text=self.text, ask=self.ask, points=self.points),)

    @property
    def most(self) -> float:
        """Most points that it gives; 0 where it does not count."""
        points = [part.points for part in self.ways]
        return (sum(points) if self.combine == "sum" else max(points)) if self.essential else 0.0


class Band(_Frozen):
    """A name for scores below a limit."""

    below: float
    name: str


class Checklist(_Frozen):
    """One checklist; see the files in ``checklists/``.

    Parameters
    ----------
    id, title, version, source : str
        What it is, and where it was published.
    reading : str
        From what our table was made, and what was not read.
    unverified : mapping of str to str
        Rules of the whole table that were not read in the paper, and what is known of them.
    score : str
        ``points`` summed; ``count`` of items of those that apply; ``percent`` of the points of those that apply.
    least, most : float
        Of the score, over all items, as the paper gives them.
    count : int
        Number of items, as the paper gives it.
    bands : tuple of Band
        Names of scores, lowest first.
    scopes : mapping of str to Scope
        Kinds of study.
    items : tuple of Item
        In the paper's order.
    """

    id: str
    title: str
    version: str
    source: str
    reading: str
    unverified: Mapping[str, str] = Field(default_factory=dict)
    score: Literal["points", "count", "percent"]
    least: float = 0.0
    most: float
    count: int
    bands: tuple[Band, ...] = ()
    scopes: Mapping[str, Scope] = Field(default_factory=dict)
    items: tuple[Item, ...] = Field(alias="item")

    @model_validator(mode="after")
    def _as_declared(self) -> Self:
        if len(self.items) != self.count:
            raise ValueError(f"{self.count} items are declared and {len(self.items)} are there")
        if len({item.number for item in self.items}) != self.count:
            raise ValueError("an item's number stands twice")
        if abs(sum(item.most for item in self.items) - self.most) > _ROUNDING:
            raise ValueError(f"the items do not sum to {self.most:g} points")
        if abs(sum(item.otherwise for item in self.items) - self.least) > _ROUNDING:
            raise ValueError(f"the items do not sum to {self.least:g} points at least")
        unknown = {name for item in self.items for name in item.scope} - set(self.scopes)
        if unknown:
            raise ValueError(f"no such kind of study: {', '.join(sorted(unknown))}")
        return self

    @property
    def sections(self) -> tuple[str, ...]:
        """Sections in the order of the items."""
        return tuple(dict.fromkeys(item.section for item in self.items))

    def paths(self) -> tuple[str, ...]:
        """Return every fact that it asks for or tells, once."""
        asks = [part.ask for item in self.items for part in item.ways if part.ask is not None]
        asks += [scope.not_applicable_when for scope in self.scopes.values()]
        told = [path for item in self.items for path in item.also]
        return tuple(dict.fromkeys([path for ask in asks for path in ask.paths] + told))


@cache
def read_checklist(name: str) -> Checklist:
    """Read a checklist that we ship.

    Parameters
    ----------
    name : str
        One of :data:`CHECKLISTS`.

    Returns
    -------
    Checklist

    Raises
    ------
    InputError
        There is none of that name; the nearest is proposed.

    Examples
    --------
    >>> rqs = read_checklist("rqs")
    >>> len(rqs.items), rqs.least, rqs.most
    (16, -8.0, 36.0)
    """
    if name not in CHECKLISTS:
        remedy = did_you_mean(name, CHECKLISTS)
        raise InputError(f"a checklist of {', '.join(CHECKLISTS)}", got=repr(name), remedy=remedy)
    text = (files("tumorboard.appraise") / "checklists" / f"{name}.toml").read_text(encoding="utf-8")
    return parse_checklist(text)


def parse_checklist(text: str) -> Checklist:
    """Read a checklist of one's own.

    Parameters
    ----------
    text : str
        TOML, as the files in ``checklists/``.

    Returns
    -------
    Checklist

    Raises
    ------
    InputError
        The table is no checklist, asks for a fact that does not exist, or does not sum to what it declares.

    Examples
    --------
    >>> parse_checklist('''
    ... id = "mine"
    ... title = "Mine"
    ... version = "1"
    ... source = "ours"
    ... reading = "ours"
    ... score = "count"
    ... count = 1
    ... most = 1
    ... item = [{number = "1", section = "Data", text = "Number of patients", ask = "data.patients"}]
    ... ''').id
    'mine'
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
        checklist = Checklist.model_validate(table)
    except tomllib.TOMLDecodeError as error:
        raise InputError("a table in TOML", got="something else", where="checklist") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        why = str(first["msg"]).removeprefix("Value error, ")
        remedy = "see the tables of appraise/checklists"
        raise InputError("a checklist", got=why, where=f"checklist {where}".strip(), remedy=remedy) from error
    for path in checklist.paths():
        known_path(path)
    return checklist
