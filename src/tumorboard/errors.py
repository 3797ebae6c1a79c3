"""The exception tree: every refusal a user can meet, and the exit code it ends in.

Why it exists: a hospital user sees only the message, so a message must say what was expected, what
came, where, and what to do. It never carries a patient's name, a date or a path that could hold one;
files are named by role or by a redacted name (see :func:`tumorboard.intake.redact.shown_name`).

::

    TumorboardError
    ├── InputError            exit 2   what the user gave cannot be used soundly
    │   ├── FileFormatError            not an image, truncated, unreadable
    │   ├── GeometryError              affine, shape or grid
    │   ├── IntensityError             NaN, Inf, constant
    │   ├── LabelError                 label values or scheme
    │   ├── SequenceError              which sequence is which
    │   ├── EventsError                events.csv
    │   ├── VisitsError                visits.csv
    │   └── OutputError                the output folder: read-only, full, another patient's
    ├── PartialFailure        exit 3   some patients failed, the rest is written
    └── MissingDependency     exit 2   an optional part is not installed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest_name(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the known name that is spelled most like a name, in either case; empty where none is like it.

    Parameters
    ----------
    name : str
        As the user wrote it.
    known : iterable of str
        What it may be.
    cutoff : float
        Likeness from 0 to 1 that is asked for.

    Examples
    --------
    >>> nearest_name("Forrest", ["forest", "cox"])
    'forest'
    """
    spelled = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), spelled, n=1, cutoff=cutoff)
    return spelled[near[0]] if near else ""


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "choose one of them", cutoff: float = 0.6) -> str:
    """Return the remedy for an unknown name: the nearest one as a question, or what else to do.

    Examples
    --------
    >>> did_you_mean("forrest", ["forest", "cox"])
    "did you mean 'forest'?"
    """
    near = nearest_name(name, known, cutoff)
    return f"did you mean {near!r}?" if near else otherwise


class TumorboardError(Exception):
    """Base of all errors raised on purpose; anything else is our defect (exit code 1).

    Parameters
    ----------
    expected : str
        What would have been right.
    got : str, optional
        What came instead.
    where : str, optional
        The role of the file, table row or option (never an identifier).
    remedy : str, optional
        What the user can do.

    Examples
    --------
    >>> print(InputError("a 3-D volume", got="a single slice", where="T1C", remedy="give the series"))
    T1C: expected a 3-D volume; got a single slice. What to do: give the series.
    """

    exit_code = 1

    def __init__(self, expected: str, *, got: str = "", where: str = "", remedy: str = "") -> None:
        self.expected, self.got, self.where, self.remedy = expected, got, where, remedy
        text = f"{where}: " if where else ""
        text += f"expected {expected}"
        text += f"; got {got}" if got else ""
        text += "."
        text += f" What to do: {remedy}{'' if remedy.endswith('?') else '.'}" if remedy else ""
        super().__init__(text)


class InputError(TumorboardError):
    """The input cannot be used soundly."""

    exit_code = 2


class FileFormatError(InputError):
    """A file that is not what its name says, or that ends early."""


class GeometryError(InputError):
    """An affine, a shape or a pair of grids that cannot be used."""


class IntensityError(InputError):
    """Voxel values that cannot be an image: NaN, infinite or all equal."""


class LabelError(InputError):
    """Label values that the named scheme does not know, or an unknown scheme."""


class SequenceError(InputError):
    """No file, or two equal ones, for what a sequence needs."""


class EventsError(InputError):
    """A table of events that cannot be read as one."""


class VisitsError(InputError):
    """A table of visits that cannot be read as one, or whose visits cannot be one course."""


class OutputError(InputError):
    """An output folder that cannot or must not be written."""


class MissingDependency(TumorboardError):
    """An optional part that is not installed; the message holds the install hint."""

    exit_code = 2


class PartialFailure(TumorboardError):
    """Some patients failed; everything else has been written."""

    exit_code = 3
