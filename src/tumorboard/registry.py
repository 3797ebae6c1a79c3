"""Explicit registries: one line enrols a method, and a name that is not there is explained.

Why it exists: no folder is scanned and no class is looked up by its spelling; what can be chosen is a
table that common tests walk through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from tumorboard.errors import InputError

T = TypeVar("T")


class Registry(Generic[T]):
    """Named makers of one kind of thing.

    Parameters
    ----------
    kind : str
        What is made, for messages.

    Examples
    --------
    >>> colours = Registry[int]("colour"); colours.add("red", lambda: 1); colours.make("red"), list(colours)
    (1, ['red'])
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._makers: dict[str, Callable[[], T]] = {}

    def add(self, name: str, maker: Callable[[], T]) -> None:
        """Enrol a maker under a name; the maker is called only when the thing is wanted."""
        self._makers[name] = maker

    def make(self, name: str) -> T:
        """Return a new thing of that name.

        Raises
        ------
        InputError
            The name is not enrolled; the message lists those that are.
        """
        if name not in self._makers:
            raise InputError(
                f"one of the {self._kind}s {', '.join(self._makers)}", got=repr(name), remedy="choose one of them"
            )
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)
