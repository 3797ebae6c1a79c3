"""The contract of every segmenter: what it needs, what it gives, and how sure it is.

Why it exists: an unsupervised method today and a network tomorrow are called alike. A result never
leaves without the card of its method, a check whether this input suits the method, and membership or
probability maps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tumorboard.labels import LabelMap
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Volume


@dataclass(frozen=True)
class Card:
    """What a method is, for the methods paragraph and every output.

    Parameters
    ----------
    id : str
        Name on the command line and in outputs.
    version : str
        Changes whenever the result may change.
    title, citation, method, limits : str
        Sentences for people.
    needs_any : tuple of Sequence
        At least one of these must be there, or nothing is segmented.
    """

    id: str
    version: str
    title: str
    citation: str
    method: str
    limits: str
    needs_any: tuple[Sequence, ...]


@dataclass(frozen=True)
class Validity:
    """How much this input looks like what the method was made for.

    ``score`` runs from 0 (not at all) to 1; ``reasons`` say what lowered it.
    """

    score: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Segmentation:
    """What a segmenter gives.

    Parameters
    ----------
    labels : LabelMap
        On the study's grid, our classes.
    probabilities : mapping of str to Volume
        Membership or probability by region (``"WT"``, ``"ET"``), float32, 0 to 1.
    validity : Validity
        Whether the input suits the method.
    card : Card
        The method.
    not_assessable : mapping of str to str
        Regions that could not be looked for, and why. They are not zero: they are unknown.
    intervals : mapping of str to (float, float)
        90 % intervals of volumes by region, mL, where the method has calibrated ones.
    predicted_dice : mapping of str to float
        What Dice the method expects of itself, by region, 0 to 1.
    """

    labels: LabelMap
    probabilities: Mapping[str, Volume]
    validity: Validity
    card: Card
    not_assessable: Mapping[str, str] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    predicted_dice: Mapping[str, float] = field(default_factory=dict)


class Segmenter(Protocol):
    """A method that turns a prepared study into a label map."""

    card: Card

    def segment(self, study: Study) -> Segmentation:
        """Segment one study; the same study gives the same bytes."""
        ...
