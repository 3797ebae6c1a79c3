"""Compile a kernel, and keep the result on disk where that is possible.

Why it exists: in a read-only installation without a writable home there is no place for a cache, and
the numbers must come all the same, only a few seconds later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Return the function compiled by Numba, cached on disk if a folder for it can be written.

    Examples
    --------
    >>> @compiled
    ... def twice(x):
    ...     return 2 * x
    >>> twice(21)
    42
    """
    try:
        return cast("F", numba.njit(cache=True)(function))
    except RuntimeError:  # Numba found no folder that it may write to
        return cast("F", numba.njit(function))
