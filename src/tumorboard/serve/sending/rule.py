"""The rule by which results go back to a PACS, and what the PACS said.

Why it exists: nothing leaves unless the rule names a peer. What holds is sent once; what was refused is tried again by
the job, and in the end shown to a person. Superseded results are never sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tumorboard.serve.audit import SYSTEM, record
from tumorboard.serve.data.base import now
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Result, Sent, Study
from tumorboard.serve.data.words import ResultState, SentState
from tumorboard.serve.node.call import PeerError
from tumorboard.serve.queue.board import Claim
from tumorboard.serve.sending.commitment import ask_commitment
from tumorboard.serve.sending.store import store
from tumorboard.serve.sending.stow import stow
from tumorboard.serve.settings import DepartmentSettings, Route
from tumorboard.serve.shelf.admit import file_of
from tumorboard.serve.shelf.files import shelf_of


@dataclass(frozen=True)
class Outgoing:
    """A result that has to go: its row, its UIDs, its file."""

    result_id: int
    sop_class: str
    sop_uid: str
    transfer_syntax: str
    file: Path


def send_results(settings: DepartmentSettings, db: Database, claim: Claim) -> int:
    """Send what holds of a study and has not been sent; return how many objects went.

    Parameters
    ----------
    settings : DepartmentSettings
        The rule, and the peers.
    db : Database
        The department's.
    claim : Claim
        The job; its study is sent.

    Raises
    ------
    PeerError
        The peer does not answer, or refused an object; what it took is remembered.
    """
    if not settings.returning.to:
        return 0
    peer = settings.peer(settings.returning.to)
    going = outgoing(settings, db, claim.study_id)
    if not going:
        return 0
    by = store if settings.returning.how is Route.STORE else stow
    said = by(settings, peer, going)
    refused = [status for _, status in said if status]
    with db.begin() as session:
        for one, status in said:
            row = session.query(Sent).filter_by(result_id=one.result_id, peer=peer.name).one_or_none()
            row = row or Sent(result_id=one.result_id, peer=peer.name, how=settings.returning.how.value)
            row.state, row.status = SentState.REFUSED if status else SentState.SENT, status[:64]
            row.sent_at = now()
            session.add(row)
        study = session.get_one(Study, claim.study_id)
        detail = {"peer": peer.name, "objects": len(said) - len(refused), "refused": len(refused)}
        record(session, SYSTEM, "results sent", study.key, **detail)
    if refused:
        remedy = "see what the peer keeps, then let the job be tried again"
        raise PeerError(
            "a peer that keeps our results", got=f"a refusal ({refused[0]})", where=peer.name, remedy=remedy
        )
    if settings.returning.commitment and settings.returning.how is Route.STORE:
        ask_commitment(settings, db, peer, going)
    return len(said)


def outgoing(settings: DepartmentSettings, db: Database, study_id: int) -> list[Outgoing]:
    """Return the results of a study that hold, are of the rule's kinds, and have not been taken by its peer."""
    shelf, rule = shelf_of(settings), settings.returning
    with db.read() as session:
        wanted = session.query(Result).filter_by(study_id=study_id, state=ResultState.CURRENT).order_by(Result.id)
        fit = [r for r in wanted if r.kind in {kind.value for kind in rule.kinds}]
        new = [r for r in fit if not any(s.peer == rule.to and s.state is not SentState.REFUSED for s in r.sent)]
        return [
            Outgoing(r.id, r.instance.sop_class, r.uid, r.instance.transfer_syntax, file_of(shelf, r.instance))
            for r in new
        ]
