"""What a reader changed in an outline, beside the mask: which method it corrects, what that could not see, lines drawn.

Why it exists: a corrected mask is measured like the user's own masks, but is not drawn from nothing. What the method
could not look for stays not assessable (a class that nobody painted is not 0 mL); the report says what was corrected.
It names no reader; who it was stands in the department's database.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tumorboard.chain.saved import Outlined
from tumorboard.errors import InputError
from tumorboard.labels import REGIONS
from tumorboard.measure.by_hand import HandDiameters


class Correction(BaseModel):
    """What is known of a corrected mask.

    Parameters
    ----------
    corrects : str
        Method that outlined first, and its version.
    not_assessable : dict of str to str
        Regions that it could not look for, and why.
    by_hand : tuple of HandDiameters
        Diameters drawn by the reader.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    corrects: str
    not_assessable: dict[str, str] = Field(default_factory=dict)
    by_hand: tuple[HandDiameters, ...] = ()


def read_correction(path: Path) -> Correction:
    """Read a correction.

    Raises
    ------
    InputError
        The file is absent or holds something else.

    Examples
    --------
    >>> read_correction(Path("nowhere"))
    Traceback (most recent call last):
    tumorboard.errors.InputError: correction: expected what is known of a corrected mask; got FileNotFoundError...
    """
    try:
        return Correction.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        told = "what is known of a corrected mask"
        raise InputError(
            told, got=type(error).__name__, where="correction", remedy="correct the outline anew"
        ) from error


def corrected(own: Outlined, correction: Correction) -> Outlined:
    """Return a reader's mask as a correction of a method's.

    Parameters
    ----------
    own : Outlined
        The mask, read like the user's own.
    correction : Correction
        What is known of it.

    Returns
    -------
    Outlined
        What the method could not look for, and the reader did not paint, stays not assessable.
    """
    labels = own.segmented.labels
    unseen = {
        region: why
        for region, why in correction.not_assessable.items()
        if region in REGIONS and not labels.region(region).any()
    }
    told = own.told | {
        "id": "corrected",
        "version": correction.corrects,
        "title": "Outline corrected by a reader",
        "text": f"The tumour was outlined by {correction.corrects} and corrected and accepted by a reader.",
        "origin": f"{correction.corrects}, corrected by a reader",
    }
    segmented = replace(
        own.segmented, not_assessable={**own.segmented.not_assessable, **unseen}, by_hand=correction.by_hand
    )
    return Outlined(segmented, told)
