"""Registries of the parts of a recipe: a name, its maker, what it serves, and where it was published.

Why it exists: a recipe names parts in words that people type. A name or a setting that does not exist is answered with
the nearest that does, before anything runs; makers import what they need only when they are called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Generic, TypeVar

from tumorboard.errors import InputError
from tumorboard.lab.recipe import nearest

T = TypeVar("T")


@dataclass(frozen=True)
class Entry(Generic[T]):
    """One part.

    Parameters
    ----------
    maker : callable or str
        Its keyword parameters are the settings of the part; a string names it as ``module:function`` and is imported
        when the part is wanted.
    serves : frozenset of str
        Kinds of outcome it can learn from; empty: it asks nothing.
    source : str
        Where the method was published.
    joint : bool
        Whether it learns several labels at once.
    """

    maker: Callable[..., T] | str
    serves: frozenset[str] = frozenset()
    source: str = ""
    joint: bool = False

    @property
    def make(self) -> Callable[..., T]:
        """What makes the part."""
        if not isinstance(self.maker, str):
            return self.maker
        module, _, name = self.maker.partition(":")
        found: Callable[..., T] = getattr(import_module(module), name)
        return found

    @property
    def settings(self) -> tuple[str, ...]:
        """Names that may stand beside the part's name; ``seed`` and ``kind`` are given by the run."""
        return tuple(n for n in inspect.signature(self.make).parameters if n not in ("seed", "kind"))


class Parts(Generic[T]):
    """Named parts of one sort.

    Parameters
    ----------
    sort : str
        What they are, for messages.

    Examples
    --------
    >>> halves = Parts[float]("number")
    >>> halves.add("half", lambda of=1.0: of / 2, source="arithmetic")
    >>> halves.make("half", {"of": 3.0})
    1.5
    """

    def __init__(self, sort: str) -> None:
        self.sort = sort
        self._entries: dict[str, Entry[T]] = {}

    def add(
        self, name: str, make: Callable[..., T] | str, serves: str = "", source: str = "", joint: bool = False
    ) -> None:
        """Enrol a part; ``serves`` lists kinds of outcome separated by spaces."""
        self._entries[name] = Entry(make, frozenset(serves.split()), source, joint)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def entry(self, name: str) -> Entry[T]:
        """Return what is enrolled under a name.

        Raises
        ------
        InputError
            Nothing is; the nearest name is proposed.
        """
        if name not in self._entries:
            raise InputError(f"a {self.sort} that exists", got=f"{name!r}{nearest(name, list(self))}", where="recipe")
        return self._entries[name]

    def check(self, name: str, settings: Mapping[str, Any]) -> None:
        """Refuse a name or a setting that does not exist.

        Raises
        ------
        InputError
            With the nearest that does.
        """
        entry = self.entry(name)
        for key in settings:
            if key not in entry.settings:
                near = nearest(key, entry.settings) if entry.settings else "; it has none"
                raise InputError(f"a setting of the {self.sort} {name}", got=f"{key!r}{near}", where="recipe")

    def make(self, name: str, settings: Mapping[str, Any], seed: int = 0) -> T:
        """Return a new part with these settings.

        Raises
        ------
        InputError
            As :meth:`check`, or a value that the part refuses.
        """
        entry = self.entry(name)
        self.check(name, {k: v for k, v in settings.items() if k != "kind"})
        extra = {"seed": seed} if "seed" in inspect.signature(entry.make).parameters else {}
        return entry.make(**settings, **extra)


def several(value: Any) -> tuple[str, ...]:
    """Return what may be one word or several as several.

    Examples
    --------
    >>> several("T1C"), several(["T1C", "FLAIR"])
    (('T1C',), ('T1C', 'FLAIR'))
    """
    return (value,) if isinstance(value, str) else tuple(value)
