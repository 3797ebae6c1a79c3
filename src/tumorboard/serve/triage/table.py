"""The table of what makes a study urgent, read and checked.

Why it exists: weights are opinions, so they stand in a file that a department can read, argue about and replace, each
with its source or the word *unverified*.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tumorboard.errors import FileFormatError
from tumorboard.serve.data.priority import Priority


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TableStep(_Strict):
    """From which value on a finding gives how many points, and who says so."""

    at: float
    points: float = Field(gt=0)
    source: str = Field(min_length=1)


class Finding(_Strict):
    """A line of the table.

    Parameters
    ----------
    id : str
        Which fact is looked at, see :data:`tumorboard.serve.triage.facts.READERS`.
    title, kind : str
        In words: what is named, and what it is a sign of.
    unit : str
        UCUM, of the steps.
    danger : bool
        Whether it may kill within hours: nothing else makes a study STAT, and what of it could not be assessed is told
        first.
    seen : bool
        Whether it is seen in the images; what was ordered is not.
    step : tuple of TableStep
        In rising order.
    """

    id: str
    title: str
    kind: str
    unit: str
    danger: bool
    seen: bool = True
    step: tuple[TableStep, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rising(self) -> Finding:
        pairs = [(s.at, s.points) for s in self.step]
        if any(a[0] >= b[0] or a[1] >= b[1] for a, b in pairwise(pairs)):
            raise ValueError("steps rise in value and in points")
        return self

    def reached(self, value: float) -> TableStep | None:
        """Return the highest step that a value reaches; None below the first."""
        return next((s for s in reversed(self.step) if value >= s.at), None)


class Table(_Strict):
    """The whole table: points from which a priority is reached, and the findings.

    Examples
    --------
    >>> table = read_table()
    >>> table.priority_of(12.0, danger=True).name, table.priority_of(12.0, danger=False).name
    ('STAT', 'HIGH')
    """

    version: str
    priority: dict[Literal["STAT", "HIGH"], float]
    finding: tuple[Finding, ...]

    @model_validator(mode="after")
    def _sound(self) -> Table:
        from tumorboard.serve.triage.facts import READERS

        unknown = sorted({f.id for f in self.finding} - set(READERS))
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}")
        if len({f.id for f in self.finding}) != len(self.finding):
            raise ValueError("each finding stands once")
        return self

    def priority_of(self, score: float, danger: bool) -> Priority | None:
        """Return the highest priority that a score reaches; None where it reaches none, STAT only with a danger."""
        reached = [Priority[name] for name, least in self.priority.items() if score >= least]
        return max((p for p in reached if danger or p is not Priority.STAT), default=None)


def read_table(path: Path | None = None) -> Table:
    """Read a table of urgency.

    Parameters
    ----------
    path : Path, optional
        A department's own; ours where there is none.

    Returns
    -------
    Table

    Raises
    ------
    FileFormatError
        Not such a table; the message names the first line that is wrong.
    """
    return _ours() if path is None else _read(path.read_bytes)


@lru_cache(maxsize=1)
def _ours() -> Table:
    return _read((files("tumorboard.serve.triage") / "table.toml").read_bytes)


def _read(content: Callable[[], bytes]) -> Table:
    expected = "a table of urgency as docs/concepts/triage.md tells"
    try:
        raw: dict[str, Any] = tomllib.loads(content().decode())
        return Table.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise FileFormatError(expected, got=f"{first['msg']} at {place or 'the top'}", where="triage table") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FileFormatError(expected, got="no TOML file that can be read", where="triage table") from error
