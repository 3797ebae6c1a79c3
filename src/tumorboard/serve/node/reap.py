"""Ending connections that broke inside: damaged or hostile bytes may end the thread that reads them.

Why it exists: pynetdicom's reader raises on some orders of damaged PDUs (its state machine has no such transition), and
the connection's own thread then waits for it for ever. Each would hold one of the few places that there are; a handful
of broken messages could close the node. So dead readers are looked for, and their connections ended.
"""

from __future__ import annotations

import contextlib
from typing import Any

from tumorboard.serve.log import tell


def reap(connections: list[Any]) -> int:
    """End the connections whose reader is dead; return how many.

    Parameters
    ----------
    connections : list of pynetdicom.association.Association
        Those that a server holds.

    Examples
    --------
    >>> reap([])
    0
    """
    dead = [assoc for assoc in connections if assoc.dul.ident is not None and not assoc.dul.is_alive()]
    for assoc in dead:
        assoc.dul.to_user_queue.put(None)  # what its thread waits for
        assoc._kill = True
        with contextlib.suppress(Exception):  # it may be closed already
            assoc.dul.socket.close()
    if dead:
        tell("node", "broken connections ended", count=len(dead))
    return len(dead)
