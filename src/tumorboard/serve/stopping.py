"""How a process of the department hears that it is asked to end.

Why it exists: the supervisor, node, worker and pages all end in order on Ctrl-C and on the system's own signal, and the
handlers that were there before are put back.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def hearing(ended: threading.Event) -> Iterator[None]:
    """Set an event when this process is asked to end; outside the main thread nothing is heard.

    Parameters
    ----------
    ended : threading.Event
        Set on SIGINT and SIGTERM.

    Examples
    --------
    >>> ended = threading.Event()
    >>> with hearing(ended):
    ...     signal.raise_signal(signal.SIGTERM)
    >>> ended.is_set()
    True
    """

    def hear(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
