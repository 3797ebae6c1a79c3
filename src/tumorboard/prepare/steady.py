"""ITK on one thread: sums over threads would make results depend on the machine, and on the day.

Why it exists: setting the number of threads of a filter does not reach the filters inside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Run ITK filters that are made inside on one thread.

    Examples
    --------
    >>> import SimpleITK as sitk
    >>> with one_thread():
    ...     sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    1
    """
    import SimpleITK as sitk

    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
