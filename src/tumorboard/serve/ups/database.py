"""Work items in the department's database.

Why it exists: a claim must hold across processes. Each change is one transaction that locks before it reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tumorboard.serve.data.session import Database
from tumorboard.serve.ups.store import RANK, Change
from tumorboard.serve.ups.workitem import Workitem

if TYPE_CHECKING:
    from tumorboard.serve.data.people import WorkItem


@dataclass(frozen=True)
class DatabaseWorklist:
    """A worklist on the table ``work_item``; see :class:`tumorboard.serve.ups.store.Worklist`.

    Parameters
    ----------
    database : Database
        Of the department.
    """

    database: Database

    def add(self, item: Workitem) -> bool:
        """Keep a new work item; False where its UID is taken."""
        from sqlalchemy import select

        from tumorboard.serve.data.people import WorkItem
        from tumorboard.serve.data.tables import Study

        with self.database.begin() as session:
            if session.scalar(select(WorkItem.id).where(WorkItem.uid == item.uid)) is not None:
                return False
            study = session.scalar(select(Study.id).where(Study.uid == item.study_uid)) if item.study_uid else None
            row = WorkItem(uid=item.uid, study_id=study)
            fill(row, item)
            session.add(row)
            return True

    def get(self, uid: str) -> Workitem | None:
        """Return a work item; None where there is none."""
        from sqlalchemy import select

        from tumorboard.serve.data.people import WorkItem

        with self.database.read() as session:
            row = session.scalar(select(WorkItem).where(WorkItem.uid == uid))
            return None if row is None else item_of(row)

    def change(self, uid: str, how: Change) -> Workitem | None:
        """Replace a work item by what ``how`` makes of it, in one transaction; None where there is none."""
        from sqlalchemy import select

        from tumorboard.serve.data.people import WorkItem

        with self.database.begin() as session:
            row = session.scalar(select(WorkItem).where(WorkItem.uid == uid).with_for_update())
            if row is None:
                return None
            item = how(item_of(row))
            fill(row, item)
            return item

    def all(self) -> list[Workitem]:
        """Return all work items: the most urgent first, of equal ones that which was made first."""
        from sqlalchemy import select

        from tumorboard.serve.data.people import WorkItem

        with self.database.read() as session:
            items = [item_of(row) for row in session.scalars(select(WorkItem).order_by(WorkItem.id))]
        return sorted(items, key=lambda item: RANK[item.priority])


def item_of(row: WorkItem) -> Workitem:
    """Return the work item of a row."""
    return Workitem(row.uid, dict(row.content), row.state, row.transaction_uid, row.claimed_by)


def fill(row: WorkItem, item: Workitem) -> None:
    """Write a work item into its row."""
    row.state, row.priority, row.label = item.state, item.priority, item.label[:64]
    row.transaction_uid, row.claimed_by, row.content = item.transaction_uid, item.claimed_by, item.content
