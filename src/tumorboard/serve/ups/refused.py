"""A request on a worklist that was refused: the status of either world, and a sentence.

Why it exists: DIMSE says why by a code, HTTP by a status and a warning; both come from one place, so that they agree.
Source: PS3.4 CC.2 (status codes C300 to C314); PS3.18 11.4 to 11.9 (status codes, Warning header fields).
"""

from __future__ import annotations

MISSING_UID = "The Transaction UID is missing."
WRONG_UID = "The Transaction UID is incorrect."
INCONSISTENT = "The submitted request is inconsistent with the state of the UPS Instance."


class Refused(Exception):
    """A request that is not carried out.

    Parameters
    ----------
    http : int
        Status of the answer by UPS-RS.
    warning : str
        What its Warning header field says.
    dimse : int
        Status of the answer by DIMSE.
    """

    def __init__(self, http: int, warning: str, dimse: int = 0x0110) -> None:
        self.http, self.warning, self.dimse = http, warning, dimse
        super().__init__(f"{http}: {warning}")
