"""What learners inside folds share: stacking material, standardising it, and refusing to learn from nothing.

Why it exists: three representations pool voxels, patches or genes of the training units; each unit must count, and
what is missing must stay missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.represent.base import FoldTransformer, Material, Represented
from tumorboard.lab.table import Floats


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of channels, from training units alone.

    Parameters
    ----------
    mean, sd : ndarray, shape (channels,)
        A channel without spread has 1.
    """

    mean: Floats
    sd: Floats

    @classmethod
    def of(cls, pooled: Floats) -> Scaler:
        """Measure pooled material, shape (items, channels)."""
        sd = pooled.std(axis=0)
        return cls(pooled.mean(axis=0), np.where(sd > 1e-12, sd, 1.0))

    def __call__(self, material: Material) -> Floats:
        """Return material with mean 0 and standard deviation 1 in the training units."""
        return np.asarray((material - self.mean) / self.sd, dtype=np.float64)


_PASSED_ON = ("images", "regions", "channels", "view")


class Prefixed:
    """A transformer whose columns have something in front; see :class:`~tumorboard.lab.represent.base.FoldTransformer`.

    Parameters
    ----------
    seed : int
        For the transformer.
    make : callable of int to FoldTransformer
        What makes it.
    prefix : str
        In front of its names.
    """

    def __init__(self, seed: int, make: Callable[[int], FoldTransformer], prefix: str) -> None:
        self.inner = make(seed)
        self.names = tuple(prefix + n for n in self.inner.names)

    def fit(self, material: Sequence[Material | None]) -> Self:
        """Learn from these units."""
        self.inner.fit(material)
        return self

    def __getattr__(self, name: str) -> Any:
        """Return what the transformer has beside: one that hands images over does so behind a prefix too."""
        if name not in _PASSED_ON:
            raise AttributeError(name)
        return getattr(self.inner, name)

    def transform(self, material: Sequence[Material | None]) -> Floats:
        """Return numbers."""
        return self.inner.transform(material)


def prefixed(made: Represented, prefix: str) -> Represented:
    """Return a representation with something in front of every column.

    Examples
    --------
    >>> from tumorboard.lab.table import Table, Unit
    >>> prefixed(Represented("shape", Table.of([Unit("A")], {"volume_ml": [3.0]})), "late.").table.names
    ('late.volume_ml',)
    """
    if not prefix:
        return made
    table = replace(made.table, names=tuple(prefix + n for n in made.table.names))
    learned = made.learned
    if learned is not None:
        learned = replace(learned, make=partial(Prefixed, make=learned.make, prefix=prefix))
    return replace(made, table=table, learned=learned)


def pooled(material: Sequence[Material | None], least: int, where: str, most: int = 0) -> Floats:
    """Return the items of all units below each other, float64, shape (items, channels).

    Parameters
    ----------
    material : sequence of ndarray or None
        Of the training units.
    least : int
        Items that learning takes.
    where : str
        For the message.
    most : int
        Of one unit, evenly spread over its items; 0: all.

    Raises
    ------
    InputError
        Too few items in the training units.

    Examples
    --------
    >>> pooled([np.ones((5, 2)), None, np.zeros((3, 2))], 4, "clusters", most=2).shape
    (4, 2)
    """
    parts = [thinned(np.asarray(m, dtype=np.float64), most) for m in material if m is not None and len(m)]
    count = sum(len(p) for p in parts)
    if count < least:
        raise InputError(f"at least {least} items in the training units", got=str(count), where=where)
    return np.concatenate(parts)


def thinned(items: Material, most: int) -> Material:
    """Return at most so many items, evenly spread; all where ``most`` is 0.

    Examples
    --------
    >>> thinned(np.arange(10), 4).tolist()
    [0, 3, 6, 9]
    """
    if not most or len(items) <= most:
        return items
    return items[np.linspace(0, len(items) - 1, most).round().astype(np.int64)]
