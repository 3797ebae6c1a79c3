"""Sizes of one lesion at one visit: what it adds to a sum, whether it is there, whether it is measurable.

Why it exists: 0 mm means that a lesion vanished, an empty cell that nobody measured it; the two must never meet.
"""

from __future__ import annotations

import math

from tumorboard.respond.criterion import Measure, SizeRule
from tumorboard.respond.visits import Seen, Status

BALL_ML_OF_MM3 = math.pi / 6000.0
"""Volume of a ball from the product of its diameters, mL."""

_CLOSE = 1e-9
"""Relative tolerance at a threshold, which itself counts."""


def size_of(seen: Seen | None, measure: Measure) -> float | None:
    """Return what a lesion adds to a sum, or ``None`` where that is unknown.

    Examples
    --------
    >>> from tumorboard.respond.visits import Compartment
    >>> size_of(Seen("A", Compartment.CE, 20.0, 10.0), Measure.PRODUCT)
    200.0
    """
    if seen is None:
        return None
    if seen.status is Status.ABSENT:
        return 0.0
    if measure is Measure.VOLUME:
        return seen.volume_ml
    long, perp = seen.long_mm, seen.perp_mm
    if long == 0 or (long is None and perp == 0):
        return 0.0
    if measure is Measure.LONGEST:
        return long if perp is None or long is None else max(long, perp)
    return None if long is None or perp is None else long * perp


def present(seen: Seen | None) -> bool | None:
    """Return whether a lesion is there; ``None`` where nobody looked.

    Examples
    --------
    >>> from tumorboard.respond.visits import Compartment
    >>> present(Seen("A", Compartment.CE, 0.0)), present(Seen("A", Compartment.CE)), present(None)
    (False, None, None)
    """
    if seen is None:
        return None
    if seen.status is Status.ABSENT:
        return False
    sizes = [s for s in (seen.long_mm, seen.perp_mm, seen.volume_ml) if s is not None]
    if sizes:
        return max(sizes) > 0
    return None if seen.status is None else True


def is_measurable(seen: Seen | None, rule: SizeRule | None, measure: Measure) -> bool:
    """Return whether a lesion meets a size rule at this visit.

    Without diameters a volume is measured against the ball of the least ones.

    Examples
    --------
    >>> from tumorboard.respond.visits import Compartment
    >>> rule = SizeRule()
    >>> [is_measurable(Seen("A", Compartment.CE, 11.0, 10.0, slice_mm=s), rule, Measure.PRODUCT) for s in (5.0, 6.0)]
    [True, False]
    """
    if seen is None or not present(seen):
        return False
    if seen.measurable is not None:
        return seen.measurable
    if rule is None:
        return True
    slices = seen.slice_mm or 0.0
    if measure is Measure.VOLUME and seen.long_mm is None:
        least = max(rule.long_mm, rule.slices * slices)
        return at_least(seen.volume_ml or 0.0, BALL_ML_OF_MM3 * least**3)
    long, perp = seen.long_mm or 0.0, seen.perp_mm or 0.0
    if long < perp:
        long, perp = perp, long
    long_enough = at_least(long, max(rule.long_mm, rule.slices * slices))
    return long_enough and at_least(perp, max(rule.perp_mm, rule.perp_slices * slices))


def at_least(value: float, threshold: float) -> bool:
    """Return whether a value reaches a threshold from below, which itself counts.

    Examples
    --------
    >>> at_least(0.1 + 0.2, 0.3), at_least(0.3, 0.1 + 0.2)
    (True, True)
    """
    return value >= threshold - _CLOSE * abs(threshold)


def at_most(value: float, threshold: float) -> bool:
    """Return whether a value reaches a threshold from above, which itself counts."""
    return value <= threshold + _CLOSE * abs(threshold)
