"""Tables of indices: those that are shipped, and files of one's own in the same format.

Why it exists: some published tables could not be verified and are not shipped; whoever has the paper writes its points
into a file and uses them at once. Nothing in a table is executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from tumorboard.errors import InputError
from tumorboard.respond.indices.base import Factor, Frozen
from tumorboard.respond.indices.gpa import PointsTable
from tumorboard.respond.indices.rpa import ClassTable
from tumorboard.settings import read_model

HERE = Path(__file__).parent
SHIPPED = ("factors.toml", "gpa.toml", "rpa.toml", "rano_resect.toml")


class NotShipped(Frozen):
    """A published index that is left out, and why."""

    id: str
    why: str


class IndexFile(Frozen):
    """What a file of indices holds."""

    factors: dict[str, Factor] = Field(default_factory=dict)
    points: tuple[PointsTable, ...] = ()
    classes: tuple[ClassTable, ...] = ()
    not_shipped: tuple[NotShipped, ...] = ()


class Book(Frozen):
    """Indices by their ids, and the factors they ask for."""

    factors: Mapping[str, Factor]
    points: Mapping[str, PointsTable]
    classes: Mapping[str, ClassTable]
    not_shipped: Mapping[str, str]

    def tables(self) -> tuple[PointsTable | ClassTable, ...]:
        """Return all tables."""
        return (*self.points.values(), *self.classes.values())

    @model_validator(mode="after")
    def _sound(self) -> Book:
        for table in self.tables():
            lacking = [name for name in table.factors if name not in self.factors]
            if lacking:
                raise ValueError(f"{table.id}: factors that are described; got {', '.join(lacking)}")
            table.check_words(self.factors)
        return self


def _bound(files: list[IndexFile]) -> Book:
    return Book(
        factors={name: factor for file in files for name, factor in file.factors.items()},
        points={t.id: t for file in files for t in file.points},
        classes={t.id: t for file in files for t in file.classes},
        not_shipped={n.id: n.why for file in files for n in file.not_shipped},
    )


@cache
def shipped() -> Book:
    """Return the indices that come with the product.

    Returns
    -------
    Book
        Read once.

    Examples
    --------
    >>> list(shipped().classes)
    ['rpa-brain-metastases', 'rpa-glioblastoma-eortc', 'rano-resect']
    """
    return _bound([read_model(HERE / name, IndexFile, "a table of indices") for name in SHIPPED])


def read_tables(path: Path) -> Book:
    """Read indices from a file of one's own; factors that are shipped need not be described again.

    Parameters
    ----------
    path : Path
        TOML: ``[[points]]`` and ``[[classes]]`` as in ``gpa.toml`` and ``rpa.toml``, ``[factors.NAME]`` as in
        ``factors.toml``.

    Returns
    -------
    Book
        The file's indices, with its factors and the shipped ones.

    Raises
    ------
    InputError
        The file cannot be read, or its tables are not sound.
    """
    where = "--table"
    try:
        file = read_model(path, IndexFile, "a table of indices")
    except InputError as error:
        raise InputError(error.expected, got=error.got, where=where, remedy="see docs/how-to/indices.md") from error
    try:
        return _bound([IndexFile(factors=dict(shipped().factors)), file])
    except ValidationError as error:
        text = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InputError("sound tables", got=text, where=where, remedy="see docs/how-to/indices.md") from error
