"""What every explanation tells beside its numbers: of what, how far it reaches, when it was made, how far to trust it.

Why it exists: a bar or a coloured cloud persuades whoever looks at it. Each explanation declares whether it speaks of
one patient or of the model, whether the model was built to be understood or was asked afterwards, in what unit its
numbers are, and what speaks against it.

Source: the two axes are those of Arrieta AB et al. Inf Fusion 2020;58:82-115 and Adadi A, Berrada M. IEEE Access
2018;6:52138-52160.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tumorboard.metrics.estimate import Estimate

Floats = NDArray[np.float64]


class Scope(StrEnum):
    """How far an explanation reaches: one patient, or the model as a whole."""

    LOCAL = "local"
    GLOBAL = "global"


class Stage(StrEnum):
    """When it was made: by asking a finished model, or by the model itself."""

    POST_HOC = "post-hoc"
    ANTE_HOC = "ante-hoc"


@dataclass(frozen=True, slots=True)
class About:
    """What is explained.

    Parameters
    ----------
    outcome : str
        What the model tells, in words: ``IDH mutant``.
    model : str
        Its card's id.
    case : str
        Pseudonym of the patient; empty for the model as a whole.
    world : str
        Whose data these are where they are not patients': ``digital patients``. It follows into every sentence.
    quantity : bool
        Whether the model tells a quantity, which is higher or lower rather than more or less likely.

    Examples
    --------
    >>> About("IDH mutant", world="digital patients").ending
    ' (digital patients)'
    """

    outcome: str = "the outcome"
    model: str = ""
    case: str = ""
    world: str = ""
    quantity: bool = False

    @property
    def ending(self) -> str:
        """Words at the end of every sentence."""
        return f" ({self.world})" if self.world else ""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What all explanations have.

    Parameters
    ----------
    method : str
        Name in :data:`~tumorboard.explain.catalogue.EXPLAINERS`.
    cites : str
        Where it was published.
    about : About
        What is explained.
    scope : Scope
        Local or global.
    stage : Stage
        Post-hoc or ante-hoc.
    unit : str
        Of the values; ``1`` for pure numbers.
    sentence : str
        In the clinician's form: what, how much, where.
    warnings : tuple of str
        What speaks against it; empty does not mean that it is right.
    """

    method: str
    cites: str
    about: About
    scope: Scope
    stage: Stage = Stage.POST_HOC
    unit: str = "1"
    sentence: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def taxonomy(self) -> str:
        """Both axes in words."""
        return f"{self.scope.value}, {self.stage.value}"

    def warned(self, *words: str) -> Self:
        """Return the same with further warnings; empty ones and those that are there are left out."""
        new = [w for w in dict.fromkeys(words) if w and w not in self.warnings]
        return dataclasses.replace(self, warnings=(*self.warnings, *new))

    def record(self) -> dict[str, Any]:
        """Return what can be written as JSON: numbers that are not finite become None, maps of voxels their shape."""
        told = {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}
        return told | {"taxonomy": self.taxonomy}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape)} if value.ndim > 2 else _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return {str(k): _plain(v) for k, v in value.items()} if isinstance(value, dict) else value


@dataclass(frozen=True, slots=True)
class Driver:
    """One column, or several that go together, and what it does to the answer.

    Parameters
    ----------
    names : tuple of str
        Columns.
    effect : Estimate
        Importance (global; never a direction) or contribution (local; signed).
    value : float
        Of this patient, in the column's own unit; NaN where there is none or several columns stand together.
    percentile : float
        Where that lies among the rows of comparison, in per cent; NaN where there are none.
    """

    names: tuple[str, ...]
    effect: Estimate
    value: float = math.nan
    percentile: float = math.nan

    @property
    def title(self) -> str:
        """The first column, and how many stand with it."""
        more = len(self.names) - 1
        return self.names[0] + (f" and {more} like it" if more else "")


@dataclass(frozen=True, kw_only=True)
class Drivers(Explanation):
    """Columns by what they do, the strongest first.

    Parameters
    ----------
    drivers : tuple of Driver
        Sorted by the size of their effect.
    base : float
        Answer without knowledge of the columns, or score of the model as it is; NaN where that has no meaning.
    answer : float
        What the model says of this patient (local), in ``unit``; else NaN.
    """

    drivers: tuple[Driver, ...]
    base: float = math.nan
    answer: float = math.nan

    def leading(self, count: int = 10) -> tuple[Driver, ...]:
        """Return the strongest ones."""
        return self.drivers[:count]


def by_size(drivers: list[Driver]) -> tuple[Driver, ...]:
    """Return drivers with the largest effect first; unknown effects last, equal ones by name.

    Examples
    --------
    >>> found = by_size([Driver(("a",), Estimate(0.1, 0, 0, 9)), Driver(("b",), Estimate(-0.4, 0, 0, 9))])
    >>> [d.title for d in found]
    ['b', 'a']
    """
    return tuple(sorted(drivers, key=lambda d: (-abs(d.effect.value) if d.effect.known else math.inf, d.names)))
