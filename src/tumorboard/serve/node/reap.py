"""Ending connections that broke inside, and clearing up after those that were cut: both come of damaged bytes.

Why it exists: pynetdicom's reader raises on some orders of damaged PDUs (its state machine has no such transition), and
the connection's own thread then waits for it for ever. Each would hold one of the few places that there are; a handful
of broken messages could close the node. So dead readers are looked for, and their connections ended. What was sent in
part lies in an open file that is closed only when Python happens to collect it; a node has some hundreds of these.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from queue import Empty
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


def tidy(assoc: Any) -> None:
    """Close and remove the files of objects that nobody will take any more.

    Parameters
    ----------
    assoc : pynetdicom.association.Association
        One that has ended; it may have sent an object in part, or objects that it did not wait for.
    """
    message, assoc.dimse.message = assoc.dimse.message, None
    files = [] if message is None else [message._data_set_file]
    with contextlib.suppress(Empty):
        while True:
            files.append(getattr(assoc.dimse.msg_queue.get_nowait()[1], "_dataset_file", None))
    for file in files:
        if file is not None:
            file.close()
            Path(file.name).unlink(missing_ok=True)


def is_over(assoc: Any) -> bool:
    """Tell whether neither a connection's reader nor its own thread will do anything more."""
    return assoc.ident is not None and not assoc.is_alive() and not assoc.dul.is_alive()
