"""What a representation is: from units of a cohort to numbers, and what of it may only be learned inside a fold.

Why it exists: half of published leakage happens before the folds, in a PCA or a dictionary that saw every patient. Here
a representation says which of its numbers follow from each unit alone, and hands over the raw material of the rest with
something that learns from the rows of a fold.

The protocol, for whoever runs a recipe::

    made = represent("clusters", cohort, units, sequences=("ADC", "CBV"), regions=("WT",), settings={"count": 4})
    made.table                # Table of ``units``: columns that follow from each unit alone; may have no column
    made.gaps                 # which unit lacks what, and why
    made.learned              # None, or Learned: material of each unit in the same order, None where it is missing
    step = made.learned.make(seed)                  # a new, unfitted FoldTransformer
    step.fit([material[i] for i in training rows])  # sees nothing else
    step.transform(material of any rows)            # (rows, len(step.names)), NaN where material is missing

:class:`~tumorboard.lab.represent.assembled.Assembled` does both inside a scikit-learn pipeline whose ``X`` are row
numbers: everything after it sees features, and nothing before the folds does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tumorboard.lab.table import Floats, Table, Unit
from tumorboard.sequences import Sequence as Kind

if TYPE_CHECKING:
    from tumorboard.lab.cohort import Cohort

Material = NDArray[Any]
"""What a unit brings to a representation that learns: voxels, patches or genes, shape (items, channels)."""


class Settings(BaseModel):
    """Settings of a representation; a key that it does not have is refused.

    Parameters
    ----------
    prefix : str
        In front of every column, so that two of one representation can stand side by side.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefix: str = ""


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class Gap:
    """Something that a unit lacks.

    Parameters
    ----------
    unit : Unit
        Whose.
    what : str
        First words of the columns that are missing: ``T2.ET``.
    why : str
        The reason, in words that identify nobody.
    """

    unit: Unit
    what: str
    why: str


class FoldTransformer(Protocol):
    """Learns from the material of a fold's training units, and gives numbers for any.

    Attributes
    ----------
    names : tuple of str
        Columns; known once it is fitted.
    """

    names: tuple[str, ...]

    def fit(self, material: Sequence[Material | None]) -> Self:
        """Learn from these units and no others; None is a unit that has none."""

    def transform(self, material: Sequence[Material | None]) -> Floats:
        """Return numbers, shape (units, names); NaN where there is no material."""


@dataclass(frozen=True)
class Learned:
    """Raw material of every unit, and how to make what learns from it.

    Parameters
    ----------
    material : tuple of ndarray or None
        One for each unit, in their order.
    make : callable of int to FoldTransformer
        From a seed to a new one that has learned nothing.
    """

    material: tuple[Material | None, ...] = field(repr=False)
    make: Callable[[int], FoldTransformer]

    def __deepcopy__(self, memo: object) -> Self:  # scikit-learn copies parameters of every clone; this never changes
        return self


@dataclass(frozen=True)
class Represented:
    """What a representation gives.

    Parameters
    ----------
    name : str
        Of the representation.
    table : Table
        A row for each unit asked for; columns that follow from each unit alone.
    learned : Learned or None
        What has to be fitted inside the folds.
    gaps : tuple of Gap
        What is missing, and why.
    words : mapping of str to tuple of str
        Columns of the cohort's tables that were read, and the words that became columns; none for numbers.
    """

    name: str
    table: Table
    learned: Learned | None = None
    gaps: tuple[Gap, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __deepcopy__(self, memo: object) -> Self:
        return self

    @property
    def units(self) -> tuple[Unit, ...]:
        """Rows."""
        return self.table.units


@dataclass(frozen=True)
class Job(Generic[S]):
    """What a representation is asked for.

    Parameters
    ----------
    cohort : Cohort
        Whose images and tables.
    units : tuple of Unit
        Rows wanted.
    sequences : tuple of Sequence
        Images, by name.
    regions : tuple of str
        By name (see :mod:`tumorboard.lab.regions`).
    settings : Settings
        Of this representation.
    cache : Path or None
        Folder where finished rows are kept.
    workers : int
        Processes.
    tell : callable, optional
        Called with the number of units done.
    """

    cohort: Cohort
    units: tuple[Unit, ...]
    sequences: tuple[Kind, ...]
    regions: tuple[str, ...]
    settings: S
    cache: Path | None = None
    workers: int = 1
    tell: Callable[[int], None] | None = None


class Representation(ABC, Generic[S]):
    """One way from units to numbers.

    Attributes
    ----------
    name, title, source : str
        On the command line, in words, and the paper.
    version : str
        Changes whenever its numbers may; part of every key in the cache.
    settings : type of Settings
        What it takes.
    learns : bool
        Whether anything is fitted inside the folds.
    images : bool
        Whether it reads images.
    needs : tuple of str
        ``sequences``, ``regions``: of which at least one must be named.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    version: ClassVar[str] = "1"
    settings: ClassVar[type[Settings]]
    learns: ClassVar[bool] = False
    images: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("sequences", "regions")

    @abstractmethod
    def represent(self, job: Job[S]) -> Represented:
        """Return the numbers of the units of a job."""
