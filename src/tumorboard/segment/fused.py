"""Several segmenters as one segmenter, with one card and, for the shipped joint opinion, one calibration.

Why it exists: what is fused must be told: the card names every member, and a region that only some could look for is
said so. Members that see the same study differently are also the best sign of how good an outline is.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Several
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from tumorboard.errors import InputError
from tumorboard.labels import LabelMap
from tumorboard.metrics.maps.overlap import dice
from tumorboard.segment.base import Card, Segmentation, Segmenter, Validity
from tumorboard.segment.fuse import FUSERS, Fuser
from tumorboard.study import Study

if TYPE_CHECKING:
    from tumorboard.segment.joint import Joint

APART = "{0} and {1} outline different things, and only {0} was used: look at the pictures"


class FusedSegmenter:
    """Several segmenters whose outlines are fused.

    Parameters
    ----------
    segmenters : sequence of Segmenter
        At least two, in order of trust.
    how : str
        A name of :data:`~tumorboard.segment.fuse.FUSERS`.
    joint : Joint, optional
        Calibration of these very members, fused in this way; without it no intervals and no expected Dice are told.

    Raises
    ------
    InputError
        Fewer than two members, or an unknown way.

    Examples
    --------
    >>> from tumorboard.segment.named import segmenter_of
    >>> segmenter_of("majority:fuzzy+fuzzy").card.id
    'fused-majority'
    """

    def __init__(self, segmenters: Several[Segmenter], how: str = "majority", joint: Joint | None = None) -> None:
        if how not in FUSERS:
            raise InputError(f"one of the ways {', '.join(FUSERS)}", got=repr(how), where="fusion")
        if len(segmenters) < 2:
            raise InputError("at least two segmenters", got=f"{len(segmenters)}", where="fusion")
        self.segmenters, self.how, self.joint = tuple(segmenters), how, joint
        self.card = _card([s.card for s in segmenters], how, FUSERS[how])

    def segment(self, study: Study) -> Segmentation:
        """Segment one study with every member and fuse; what a member refuses is refused.

        Raises
        ------
        InputError
            What the members raise.
        """
        return self.fused([s.segment(study) for s in self.segmenters])

    def fused(self, given: Several[Segmentation]) -> Segmentation:
        """Fuse what the members gave, in their order."""
        missing, partly = _missing([g.not_assessable for g in given])
        reasons = [f"{g.card.id}: {r}" for g in given for r in g.validity.reasons] + partly
        way = FUSERS[self.how]
        counted = way.counted(given)
        alone = [g.card.id for g in given if not any(g is c for c in counted)]
        reasons += [APART.format(given[0].card.id, name) for name in alone]
        labels, maps = way.fuse(counted)
        plain = Segmentation(
            labels=labels,
            probabilities=maps,
            validity=Validity(min(g.validity.score for g in given), tuple(dict.fromkeys(reasons))),
            card=self.card,
            not_assessable=missing,
        )
        return plain if self.joint is None else self.joint.judged(plain, hints(given, labels))


def hints(given: Several[Segmentation], fused: LabelMap) -> dict[str, dict[str, float]]:
    """Return what the members tell of how good the fused outlines are, by region.

    Parameters
    ----------
    given : sequence of Segmentation
        What the members gave, in order of trust.
    fused : LabelMap
        What became of it.

    Returns
    -------
    dict of str to dict of str to float
        Each 0 to 1. ``agreement``: mean Dice between the members' outlines in pairs, where two could look for the
        region; ``first``: the Dice that the first member expects of its own outline, where it expects one;
        ``kept``: Dice of the fused outline and the first member's.
    """
    regions = dict.fromkeys(r for g in given for r in g.probabilities)
    return {region: _hints([g for g in given if region not in g.not_assessable], region, fused) for region in regions}


def _hints(looked: Several[Segmentation], region: str, fused: LabelMap) -> dict[str, float]:
    masks = [g.labels.region(region) for g in looked]
    told = {"kept": dice(fused.region(region), masks[0])} if masks else {}
    if masks and region in looked[0].predicted_dice:
        told["first"] = looked[0].predicted_dice[region]
    if len(masks) > 1:
        told["agreement"] = float(np.mean([dice(a, b) for a, b in combinations(masks, 2)]))
    return told


def _card(cards: list[Card], how: str, way: Fuser) -> Card:
    names = ", ".join(f"{c.id} {c.version}" for c in cards)
    return Card(
        id=f"fused-{how}",
        version=f"{way.version} ({names})",
        title=f"{way.title} " + "; ".join(c.title for c in cards),
        citation=" ".join(dict.fromkeys(c.citation for c in cards)),
        method=way.sentence + " " + " ".join(dict.fromkeys(c.method for c in cards)),
        limits="What most members miss is missed. " + " ".join(dict.fromkeys(c.limits for c in cards)),
        needs_any=tuple(dict.fromkeys(s for c in cards for s in c.needs_any)),
    )


def _missing(told: list[Mapping[str, str]]) -> tuple[dict[str, str], list[str]]:
    """Return regions that no member could look for, and sentences on those that only some could."""
    regions = dict.fromkeys(r for t in told for r in t)
    counts = {r: sum(r in t for t in told) for r in regions}
    none = {r: next(t[r] for t in told if r in t) for r in regions if counts[r] == len(told)}
    some = [f"{r} was looked for by {len(told) - n} of {len(told)} methods" for r, n in counts.items() if n < len(told)]
    return none, some
