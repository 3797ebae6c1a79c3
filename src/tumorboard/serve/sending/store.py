"""Sending by C-STORE. Source: PS3.4 B.2 (Storage Service Class), PS3.7 9.1.1.

Why it exists: it is what every PACS understands. Objects go at normal priority, in the transfer syntax they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tumorboard.serve.node.call import IMPLICIT, calling, status_of
from tumorboard.serve.settings import DepartmentSettings, Peer

if TYPE_CHECKING:
    from tumorboard.serve.sending.rule import Outgoing


def store(settings: DepartmentSettings, peer: Peer, going: Sequence[Outgoing]) -> list[tuple[Outgoing, str]]:
    """Send objects over one connection.

    Parameters
    ----------
    settings : DepartmentSettings
        Ours.
    peer : Peer
        Where to.
    going : sequence of Outgoing
        What.

    Returns
    -------
    list of (Outgoing, str)
        Each with the refusal in words; empty where the peer has it.

    Raises
    ------
    PeerError
        The peer does not answer, or the connection broke.
    """
    import pydicom

    from tumorboard.io.dicom.header import quiet

    said = []
    with calling(settings, peer, store_contexts((one.sop_class, one.transfer_syntax) for one in going)) as assoc:
        able = {context.abstract_syntax for context in assoc.accepted_contexts}
        for one in going:
            if one.sop_class not in able:
                said.append((one, "class of object not accepted"))
                continue
            with quiet():
                answer = assoc.send_c_store(pydicom.dcmread(one.file))
            status = status_of(answer, peer)
            said.append((one, "" if _is_kept(status) else f"status {status:#06x}"))
    return said


def store_contexts(objects: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Return what is proposed for objects, given by class and transfer syntax: theirs, and what everybody knows.

    Examples
    --------
    >>> store_contexts([("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.1.2.1")])
    [('1.2.840.10008.5.1.4.1.1.66.4', ['1.2.840.10008.1.2.1', '1.2.840.10008.1.2'])]
    """
    wanted: dict[str, list[str]] = {}
    for sop_class, syntax in objects:
        syntaxes = wanted.setdefault(sop_class, [])
        syntaxes += [s for s in (syntax, IMPLICIT) if s not in syntaxes]
    return list(wanted.items())


def _is_kept(status: int) -> bool:
    """Whether an object was kept: success, or a warning of B0xx (coerced, does not match its class)."""
    return status == 0x0000 or status & 0xFF00 == 0xB000
