"""The states of a work item, and what each request does in each of them: one table.

Why it exists: who may do what with a work item is decided by its state and by who knows the transaction UID, which
nobody is ever told. As a table it can be laid beside the standard's, line by line.

Source: PS3.4 Table CC.1.1-2 (state transitions) and CC.2.1, CC.2.2 (status codes); PS3.18 11.7.3 and 11.8.3 (HTTP).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tumorboard.serve.data.words import WorkState
from tumorboard.serve.ups.refused import INCONSISTENT, MISSING_UID, WRONG_UID, Refused

S, P, D, X = WorkState.SCHEDULED, WorkState.IN_PROGRESS, WorkState.COMPLETED, WorkState.CANCELED


@dataclass(frozen=True)
class Answer:
    """What a request comes to: the state after it, or the status by which it is refused.

    Parameters
    ----------
    becomes : WorkState or None
        None where nothing changes.
    dimse : int
        Status: 0, a warning (Bxxx) or a failure (Cxxx).
    http : int
        Status of the answer by UPS-RS.
    warning : str
        Warning header field, where there is one.
    """

    becomes: WorkState | None = None
    dimse: int = 0
    http: int = 200
    warning: str = ""


def _no(dimse: int, warning: str = INCONSISTENT) -> Answer:
    return Answer(None, dimse, 409, warning)


def _already(state: WorkState, dimse: int) -> Answer:
    return Answer(None, dimse, 200, f"The UPS is already in the requested state of {state.value}.")


CHANGES: Final[dict[WorkState, dict[WorkState, Answer]]] = {
    S: {S: _no(0xC303), P: Answer(P), D: _no(0xC310), X: _no(0xC310)},
    P: {S: _no(0xC303), P: _no(0xC302), D: Answer(D), X: Answer(X)},
    D: {S: _no(0xC303), P: _no(0xC300), D: _already(D, 0xB306), X: _no(0xC300)},
    X: {S: _no(0xC303), P: _no(0xC300), D: _no(0xC300), X: _already(X, 0xB304)},
}
"""A request to change the state (asked for, by state now), made with the right transaction UID."""

CANCELS: Final[dict[WorkState, Answer]] = {
    S: Answer(X, 0, 202),
    P: _no(0xC312, "The performer cannot be contacted."),
    D: _no(0xC311, "The UPS is already COMPLETED."),
    X: Answer(None, 0xB304, 202, "The UPS is already in the requested state of CANCELED."),
}
"""A request to cancel by somebody who has not claimed it. Performers are not told: there are no subscriptions."""


def change(now: WorkState, asked: WorkState, locked_by: str, transaction_uid: str) -> Answer:
    """Return what a request to change the state comes to.

    Parameters
    ----------
    now, asked : WorkState
        The state that is, and the one that is asked for.
    locked_by : str
        Transaction UID of who claimed it; empty where nobody did.
    transaction_uid : str
        That of the request.

    Returns
    -------
    Answer
        Of one that is carried out, or that changes nothing with a warning.

    Raises
    ------
    Refused
        The request is against the table, or the transaction UID is missing or another.

    Examples
    --------
    >>> change(WorkState.SCHEDULED, WorkState.IN_PROGRESS, "", "1.2.3").becomes.value
    'IN PROGRESS'
    >>> change(WorkState.IN_PROGRESS, WorkState.COMPLETED, "1.2.3", "1.2.4")
    Traceback (most recent call last):
    tumorboard.serve.ups.refused.Refused: 400: The Transaction UID is incorrect.
    """
    if asked is S:  # before anything else: CC.1.1-2 gives one answer for any transaction UID
        raise _refused(CHANGES[now][S])
    if not transaction_uid:
        raise Refused(400, MISSING_UID, 0xC301)
    if locked_by and locked_by != transaction_uid and not (now is P and asked is P):
        raise Refused(400, WRONG_UID, 0xC301)
    answer = CHANGES[now][asked]
    if answer.http >= 400:
        raise _refused(answer)
    return answer


def cancel(now: WorkState) -> Answer:
    """Return what a request to cancel comes to, by somebody who does not own the work item.

    Raises
    ------
    Refused
        It was completed, or is being worked on by somebody who cannot be told.
    """
    answer = CANCELS[now]
    if answer.http >= 400:
        raise _refused(answer)
    return answer


def _refused(answer: Answer) -> Refused:
    return Refused(answer.http, answer.warning, answer.dimse)
