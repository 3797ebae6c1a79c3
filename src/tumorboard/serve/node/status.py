"""What the node answers to a C-STORE request. Source: PS3.4 B.2.3 (C-STORE statuses).

Why it exists: the status decides whether the sender tries again, gives up, or forgets its copy.
"""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Statuses of C-STORE.

    Examples
    --------
    >>> f"{Status.OUT_OF_RESOURCES:04X}"
    'A700'
    """

    SUCCESS = 0x0000
    OUT_OF_RESOURCES = 0xA700
    DOES_NOT_MATCH = 0xA900
    NOT_UNDERSTOOD = 0xC000
