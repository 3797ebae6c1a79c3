"""Asking a PACS to commit to what it took, and hearing its answer. Source: PS3.4 J (Storage Commitment Push Model).

Why it exists: "received" is not "kept". Only an archive that commits can be relied on. The answer comes later, over the
same connection or one that the archive opens to our node.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tumorboard.io.dicom.uids import uid_from
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Sent
from tumorboard.serve.node.call import PLAIN, PeerError, calling, status_of
from tumorboard.serve.node.commitment import PUSH_MODEL, heard
from tumorboard.serve.settings import DepartmentSettings, Peer

if TYPE_CHECKING:
    from tumorboard.serve.sending.rule import Outgoing

INSTANCE = "1.2.840.10008.1.20.1.1"
"""Its well-known SOP instance."""

COMMITMENT_CONTEXTS = [(PUSH_MODEL, PLAIN)]


def ask_commitment(settings: DepartmentSettings, db: Database, peer: Peer, going: Sequence[Outgoing]) -> str:
    """Ask for commitment to some objects, and return the transaction's UID.

    Raises
    ------
    PeerError
        The peer does not answer, or does not know the service.
    """
    from pydicom import Dataset
    from pydicom.sequence import Sequence as Items
    from pynetdicom import evt

    asked = Dataset()
    asked.TransactionUID = uid_from("commitment", peer.name, *(one.sop_uid for one in going))
    items = []
    for one in going:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = one.sop_class, one.sop_uid
        items.append(item)
    asked.ReferencedSOPSequence = Items(items)
    with db.begin() as session:
        ids = [one.result_id for one in going]
        for row in session.query(Sent).filter(Sent.result_id.in_(ids), Sent.peer == peer.name):
            row.transaction_uid = asked.TransactionUID

    def report(event: Any) -> tuple[int, None]:
        return heard(db, event)

    with calling(settings, peer, COMMITMENT_CONTEXTS, handlers=[(evt.EVT_N_EVENT_REPORT, report)]) as assoc:
        answer, _ = assoc.send_n_action(asked, 1, PUSH_MODEL, INSTANCE)
        status = status_of(answer, peer)
        if status:
            raise PeerError("a commitment", got=f"a refusal ({status:#06x})", where=peer.name)
    return str(asked.TransactionUID)
