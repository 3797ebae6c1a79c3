"""Extent of resection in percent, its interval, and the category it gives.

Why it exists: a percentage near a threshold says less than it seems; so the categories at both ends of its interval
stand beside the one that is given.
"""

from __future__ import annotations

import math

from tumorboard.measure.study import CALIBRATED
from tumorboard.measurement import Measurement
from tumorboard.respond.surgery.categories import (
    BIOPSY,
    COMPLETE,
    KARSCHNIA_2021,
    SUPRAMAXIMAL,
    T2FLAIR_2021,
    told,
)

Interval = tuple[float, float]

TABLES = {"ET": KARSCHNIA_2021, "WT": T2FLAIR_2021}
"""Which table judges which region: enhancing tumour, and everything seen on T2/FLAIR."""

NO_LESS = "what was outlined did not get less; if only a sample was taken, write biopsy as the value of the operation"

AS_TOLD = "As the events tell."

SWELLING = "Oedema that the operation itself made is counted as T2/FLAIR tumour."


def extent(before: Measurement, residual: Measurement, region: str) -> Measurement:
    """Return the part of a volume that was removed, in percent.

    Parameters
    ----------
    before, residual : Measurement
        Volumes of the same region, mL.
    region : str
        Which.

    Examples
    --------
    >>> from tumorboard.measurement import Source
    >>> told = {"unit": "mL", "method": "counted", "source": Source(file="dseg.nii.gz")}
    >>> before = Measurement(name="volume_before", region="ET", value=20.0, **told)
    >>> extent(before, Measurement(name="residual_volume", region="ET", value=0.5, **told), "ET").value
    97.5
    """
    reason = "; ".join(dict.fromkeys(r for r in (residual.reason, before.reason) if r))
    if not reason and not before.value:
        reason = f"there was no {region} before the operation"
    if reason or before.value is None or residual.value is None:
        return Measurement.missing("extent_of_resection", region, "%", reason)
    was, left = float(before.value), float(residual.value)
    interval = _interval(was, before.interval, left, residual.interval)
    method = "(before - residual) / before; each on its own grid."
    if region not in ("ET", "TC"):
        method += f" {SWELLING}"
    if interval is not None:
        known = CALIBRATED in before.method and CALIBRATED in residual.method
        method += " Interval: errors of both volumes taken as independent, "
        method += "each calibrated to 90 % on digital patients." if known else "not calibrated."
    return Measurement(
        name="extent_of_resection",
        region=region,
        value=100.0 * (was - left) / was,
        unit="%",
        method=method,
        source=residual.source,
        interval=interval,
    )


def _interval(was: float, around_was: Interval | None, left: float, around_left: Interval | None) -> Interval | None:
    """Combine the errors of two volumes into one of their ratio; None unless both are known."""
    if around_was is None or around_left is None or around_was[0] <= 0:
        return None
    ratio = left / was
    up = math.hypot((around_left[1] - left) / was, left / around_was[0] - ratio)
    down = math.hypot((left - around_left[0]) / was, ratio - left / around_was[1])
    return 100.0 * (1 - ratio - up), 100.0 * (1 - max(0.0, ratio - down))


def category(found: Measurement, residual: Measurement, resect: Measurement, biopsy: Measurement | None) -> Measurement:
    """Return the category of an extent.

    Parameters
    ----------
    found, residual : Measurement
        Extent and residue of one region.
    resect : Measurement
        RANO resect class: class 1 makes a complete resection of enhancing tumour supramaximal.
    biopsy : Measurement or None
        Where the operation is recorded as one: a measurement whose source the category takes.
    """
    region, table = found.region, TABLES[found.region]
    if biopsy is not None:
        return _word(region, BIOPSY, AS_TOLD, biopsy)
    if found.value is None or residual.value is None:
        return Measurement.missing("resection_category", region, "1", found.reason)
    percent, left = float(found.value), float(residual.value)
    if percent <= 0:
        return Measurement.missing("resection_category", region, "1", NO_LESS)
    word, method = table.category(percent, left), told(table)
    if region == "ET":
        method += f" A complete resection of RANO resect class 1 is called {SUPRAMAXIMAL}."
        word = SUPRAMAXIMAL if word == COMPLETE and resect.value == 1 else word
    if found.interval is not None and residual.interval is not None:
        worst = table.category(found.interval[0], residual.interval[1])
        best = table.category(found.interval[1], residual.interval[0])
        method += f" At the ends of the interval: {worst}, {best}."
    return _word(region, word, method, found)


def _word(region: str, word: str, method: str, like: Measurement) -> Measurement:
    return Measurement(
        name="resection_category", region=region, value=word, unit="1", method=method, source=like.source
    )


def resect(found: Measurement, residual: Measurement, rest: Measurement, biopsy: Measurement | None) -> Measurement:
    """Return the RANO resect class, 1 to 4.

    Parameters
    ----------
    found, residual : Measurement
        Extent and residue of enhancing tumour.
    rest : Measurement
        Residue that does not enhance.
    biopsy : Measurement or None
        As of :func:`category`.
    """
    from tumorboard.respond.indices.resect import resect_class

    name = "rano_resect_class"
    if biopsy is None and (found.value is None or residual.value is None):
        return Measurement.missing(name, "study", "1", found.reason)
    if biopsy is None and found.value is not None and float(found.value) <= 0:
        return Measurement.missing(name, "study", "1", NO_LESS)
    done = "resection" if biopsy is None else BIOPSY
    result = resect_class(_ml(residual), _ml(rest), surgery=done)
    if result.group is None:
        possible = " or ".join(result.possible_groups)
        told_why = f"class {possible}: what is left of tumour that does not enhance is not known ({rest.reason})"
        return Measurement.missing(name, "study", "1", told_why)
    method = f"{result.title} {result.version} ({result.source}), made for newly diagnosed glioblastoma; unverified: "
    method += f"{'; '.join(result.unverified)}."
    source = (biopsy or found).source
    return Measurement(name=name, region="study", value=int(result.group), unit="1", method=method, source=source)


def _ml(found: Measurement) -> float | None:
    """Return a volume without the dust that sums of voxels leave."""
    return None if found.value is None else round(float(found.value), 9)
