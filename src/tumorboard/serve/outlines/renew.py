"""After a correction was accepted or taken back: the study's results are made anew, and those that rest on them.

Why it exists: a later study is judged against this one, so its verdicts are no longer true either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tumorboard.serve.data.words import StudyState
from tumorboard.serve.node.complete import close

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tumorboard.serve.data.tables import Study


def renew(session: Session, study: Study) -> int:
    """Enqueue a study with its correction, and the later ones of its patient; return how many.

    Parameters
    ----------
    session : Session
        In a transaction that writes.
    study : Study
        Whose accepted correction changed; one that still waits for images is left to that.
    """
    return 0 if study.state is StudyState.RECEIVING else len(close(session, study))
