"""How a header is asked: bounded, quiet, and never believed.

Why it exists: real headers are empty where they must not be, hold two values where one belongs, and have
bytes where numbers are due. Every question here has an answer or None; none raises. What pydicom says
about damaged values is silenced, because it repeats them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import math
import warnings
from collections.abc import Iterator
from typing import Any

_LOGGERS = ("pydicom", "openjpeg", "pylibjpeg")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence the warnings and the logs of pydicom and its decoders; they may hold what stands in the header."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def value(dataset: Any, tag: str | tuple[int, int]) -> Any:
    """Return an element's value, or None where it is absent, empty or cannot be decoded.

    Parameters
    ----------
    dataset : pydicom.Dataset or None
        None says nothing.
    tag : str or (int, int)
        Keyword, or group and element of a private tag.
    """
    if dataset is None:
        return None
    try:
        found = dataset.get(tag)
        found = getattr(found, "value", found) if isinstance(tag, tuple) else found
    except Exception:  # damaged elements throw anything when they are decoded
        return None
    return None if found is None or (isinstance(found, str) and not found.strip()) else found


def text(dataset: Any, keyword: str) -> str:
    r"""Return an element as text: several values joined by a backslash; the empty string for none.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset(); header.ImageType = ["ORIGINAL", "PRIMARY"]
    >>> text(header, "ImageType"), text(header, "Modality")
    ('ORIGINAL\\PRIMARY', '')
    """
    found = value(dataset, keyword)
    if found is None or isinstance(found, bytes):
        return ""
    try:
        joined = "\\".join(str(part) for part in found) if is_many(found) else str(found)
    except Exception:  # a value whose own printing fails says nothing
        return ""
    return joined.replace("\x00", "").strip()


def words(dataset: Any, keyword: str) -> tuple[str, ...]:
    """Return the values of a coded element, in upper case, without empty ones."""
    return tuple(part.strip().upper() for part in text(dataset, keyword).split("\\") if part.strip())


def number(dataset: Any, tag: str | tuple[int, int]) -> float | None:
    """Return an element's first value as a finite number, or None."""
    found = value(dataset, tag)
    if is_many(found):
        found = found[0] if len(found) else None
    return _finite(found)


def numbers(dataset: Any, tag: str | tuple[int, int], count: int) -> tuple[float, ...] | None:
    """Return exactly ``count`` finite numbers, or None."""
    found = value(dataset, tag)
    if not is_many(found) or len(found) != count:
        return None
    result = tuple(_finite(part) for part in found)
    return None if None in result else tuple(part for part in result if part is not None)


def whole(dataset: Any, keyword: str, default: int = 0) -> int:
    """Return an element's first value as a whole number of at most 31 bits; the default where there is none."""
    found = number(dataset, keyword)
    return default if found is None else int(max(-(2**31), min(found, 2**31 - 1)))


def _finite(found: Any) -> float | None:
    if isinstance(found, bytes):  # float() would read digits in bytes, which no number of DICOM is
        return None
    try:
        result = float(found)
    except Exception:  # a value of another kind, or one whose conversion fails
        return None
    return result if math.isfinite(result) else None


def is_many(found: Any) -> bool:
    """Whether a value is a list of values or a sequence of items."""
    return hasattr(found, "__len__") and hasattr(found, "__getitem__") and not isinstance(found, str | bytes)


def clock_s(dataset: Any, *keywords: str) -> float | None:
    """Return the first readable time (TM or DT) as seconds since midnight, or None.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset(); header.AcquisitionTime = "101500.5"
    >>> clock_s(header, "ContentTime", "AcquisitionTime")
    36900.5
    """
    for keyword in keywords:
        digits = text(dataset, keyword).split("\\")[0].split("+")[0].split("-")[0].replace(":", "")
        if len(digits.split(".")[0]) >= 14:
            digits = digits[8:]
        try:
            hours, minutes, seconds = int(digits[:2]), int(digits[2:4] or 0), float(digits[4:] or 0)
        except ValueError:
            continue
        if 0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 61:
            return hours * 3600.0 + minutes * 60.0 + seconds
    return None


def date_of(dataset: Any, *keywords: str) -> dt.date | None:
    """Return the first readable date (DA or DT), or None."""
    for keyword in keywords:
        digits = text(dataset, keyword).replace(".", "").replace("-", "")[:8]
        with contextlib.suppress(ValueError):
            return dt.datetime.strptime(digits, "%Y%m%d").date()
    return None


def groups(dataset: Any) -> tuple[Any, list[Any]]:
    """Return the shared functional groups (an item or None) and those of every frame (PS3.3 C.7.6.16)."""
    return item(dataset, "SharedFunctionalGroupsSequence"), items(dataset, "PerFrameFunctionalGroupsSequence")


def items(dataset: Any, keyword: str) -> list[Any]:
    """Return the items of a sequence; none where there is no sequence."""
    found = value(dataset, keyword)
    return [part for part in found if hasattr(part, "get")] if is_many(found) else []


def item(dataset: Any, keyword: str) -> Any:
    """Return the first item of a sequence, or None."""
    return next(iter(items(dataset, keyword)), None)


def macro(shared: Any, frame: Any, keyword: str) -> Any:
    """Return the one item of a functional group macro: the frame's own, else the shared one, else None."""
    own = item(frame, keyword)
    return item(shared, keyword) if own is None else own


class Asked:
    """One frame of a header, classic or enhanced, asked for attributes wherever they stand.

    A classic header, and each frame of an enhanced one, answers alike: the frame's own functional group
    comes first, then the shared one, then the header itself, then what a conversion from a classic
    series could not assign (PS3.3 C.7.6.16.2.25, C.7.6.16.2.26).

    Parameters
    ----------
    dataset : pydicom.Dataset
        The header.
    frame : int
        1-based; ignored where there are no functional groups.
    grouped : tuple, optional
        What :func:`groups` gave, where it is known.
    """

    def __init__(self, dataset: Any, frame: int = 1, grouped: tuple[Any, list[Any]] | None = None) -> None:
        self.dataset = dataset
        self.shared, frames = groups(dataset) if grouped is None else grouped
        self.frame = frames[frame - 1] if 0 < frame <= len(frames) else None

    def group(self, keyword: str) -> Any:
        """Return the item of a functional group macro that holds for this frame, or None."""
        return macro(self.shared, self.frame, keyword)

    def homes(self, *macros: str) -> Iterator[Any]:
        """Yield the datasets in which an attribute of some macros may stand, the nearest first."""
        yield from (self.group(keyword) for keyword in macros)
        yield self.dataset
        yield item(self.frame, "UnassignedPerFrameConvertedAttributesSequence")
        yield item(self.shared, "UnassignedSharedConvertedAttributesSequence")

    def number(self, keyword: str, *macros: str) -> float | None:
        """Return the first finite number found, or None."""
        return next((n for home in self.homes(*macros) if (n := number(home, keyword)) is not None), None)

    def numbers(self, keyword: str, count: int, *macros: str) -> tuple[float, ...] | None:
        """Return the first ``count`` finite numbers found together, or None."""
        return next((n for home in self.homes(*macros) if (n := numbers(home, keyword, count)) is not None), None)

    def words(self, keyword: str, *macros: str) -> tuple[str, ...]:
        """Return the first coded values found."""
        return next((w for home in self.homes(*macros) if (w := words(home, keyword))), ())
