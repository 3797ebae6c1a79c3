"""A bar that moves while a representation goes through a cohort.

Why it exists: an hour without a word looks like a program that hangs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(title: str, units: int) -> Iterator[Callable[[int], None]]:
    """Show a bar; what is yielded is for ``tell`` of :func:`~tumorboard.lab.represent.represent`.

    Parameters
    ----------
    title : str
        What is being computed.
    units : int
        How many there are.

    Yields
    ------
    callable of int
        To be called with the number of units done.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=units)
        yield lambda done: progress.update(task, completed=done)
