"""Hearing what an archive commits to. Source: PS3.4 J.3.3 (N-EVENT-REPORT of Storage Commitment).

Why it exists: the answer to a request for commitment comes when the archive likes, mostly over a connection that it
opens to our node.
"""

from __future__ import annotations

from typing import Any

from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Result, Sent
from tumorboard.serve.data.words import SentState
from tumorboard.serve.log import tell

PUSH_MODEL = "1.2.840.10008.1.20.1"
"""Storage Commitment Push Model."""


def heard(db: Database, event: Any) -> tuple[int, None]:
    """Keep what an archive reports about a transaction (N-EVENT-REPORT), and return the status to answer."""
    from tumorboard.io.dicom.header import text, value

    told = event.event_information
    transaction = text(told, "TransactionUID")
    kept = {text(i, "ReferencedSOPInstanceUID") for i in value(told, "ReferencedSOPSequence") or ()}
    failed = {
        text(i, "ReferencedSOPInstanceUID"): text(i, "FailureReason") for i in value(told, "FailedSOPSequence") or ()
    }
    with db.begin() as session:
        found = session.query(Sent, Result.uid).join(Result).filter(Sent.transaction_uid == transaction)
        for row, uid in found if transaction else ():
            if uid in failed:
                row.state, row.status = SentState.REFUSED, f"not committed, reason {failed[uid]}"[:64]
            elif uid in kept:
                row.state = SentState.COMMITTED
    tell("node", "commitment heard", kept=len(kept), failed=len(failed))
    return 0x0000, None
