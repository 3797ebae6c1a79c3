"""One operation, judged from the studies before and after it.

Why it exists: all that a report on an operation tells (as Raidionics does: tumour, T2/FLAIR, necrosis, cavity, brain,
their changes, extent and category) comes from one call, and what may not be told is missing with its reason.

Source: Bouget D et al., Sci Rep 2023, doi 10.1038/s41598-023-42048-7 (Raidionics; what it reports, by its code).
There the brain changes by (before - after) / before; here by (after - before) / before.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Many

from tumorboard.measurement import Measurement, Source
from tumorboard.respond.surgery.blood import find_blood
from tumorboard.respond.surgery.categories import BIOPSY
from tumorboard.respond.surgery.extent import AS_TOLD, TABLES, category, extent, resect
from tumorboard.respond.surgery.model import Operated, Surgery
from tumorboard.respond.surgery.volumes import (
    NCE,
    around_volumes,
    blood_volumes,
    residual_volumes,
    volumes_before,
)
from tumorboard.respond.surgery.when import ABSENT, WINDOW_DAYS, WINDOW_H, is_biopsy, why_not
from tumorboard.sequences import Sequence
from tumorboard.study import Event, EventKind

EXTENTS = ("ET", "TC", NCE, "WT")
"""Regions of which it is told how much was removed."""

WITHOUT_T1C = "no T1C before the operation: enhancing tumour was not seen"

LITTLE_BRAIN = "too little normal brain to tell blood from enhancement by"

EVENTS_FILE = "patient.json"
"""Where dates and operations stand in a case folder."""


def assess_surgery(
    before: Operated | None, after: Operated | None, surgery: Event | None, events: Many[Event] = ()
) -> Surgery:
    """Judge one operation.

    Parameters
    ----------
    before, after : Operated or None
        The last study before and the first one after it, where there are any.
    surgery : Event or None
        The operation.
    events : sequence of Event
        All of the patient's: tells whether another operation lies in between, and what was done earlier.

    Returns
    -------
    Surgery
        Extents and categories only from a study within 72 h after the operation that has T1 and T1C; else each is
        missing with the reason.

    Examples
    --------
    >>> assess_surgery(None, None, None).get("residual_volume", "ET").reason
    "no operation is recorded among the patient's events"
    """
    reasons = why_not(before, after, surgery, events)
    blood = None if reasons or after is None else find_blood(after)
    if not reasons and blood is None:
        reasons = (LITTLE_BRAIN,)
    reason = "; ".join(reasons)
    was = volumes_before(before)
    if before is not None and Sequence.T1C not in before.study.volumes:
        was = [_unseen(m) for m in was]
    left = residual_volumes(after, blood, reason)
    biopsy = _recorded() if is_biopsy(surgery) else None
    made = [
        *was,
        *left,
        *blood_volumes(after, blood, reason),
        *_extents(was, left, biopsy),
        *around_volumes(before, after),
        *_burdens(before, after, was, left),
        *_midline(before, after),
        *_days(before, after, surgery),
    ]
    return Surgery(
        number=_number(surgery, events),
        kind="operation" if biopsy is None else "biopsy",
        before=before.study.id if before else "",
        after=after.study.id if after else "",
        measurements=tuple(made),
        cautions=tuple(_cautions(before, after, surgery, events)),
    )


def _unseen(found: Measurement) -> Measurement:
    """Return a volume before the operation, missing where it hangs on enhancement and T1C was not there."""
    if found.region not in ("ET", "TC", "NETC", NCE):
        return found
    return Measurement.missing(found.name, found.region, found.unit, WITHOUT_T1C)


def _extents(was: Many[Measurement], left: Many[Measurement], biopsy: Measurement | None) -> list[Measurement]:
    before = {m.region: m for m in was}
    after = {m.region: m for m in left}
    extents = {region: extent(before[region], after[region], region) for region in EXTENTS}
    number = resect(extents["ET"], after["ET"], after[NCE], biopsy)
    categories = [category(extents[r], after[r], number, biopsy) for r in TABLES]
    return [*extents.values(), *categories, number]


def _burdens(
    before: Operated | None, after: Operated | None, was: Many[Measurement], left: Many[Measurement]
) -> Iterator[Measurement]:
    """Yield the tumour core as a part of the brain on both sides."""
    for when, side, amounts in (("before", before, was), ("after", after, left)):
        name, core = f"tumour_to_brain_{when}", next(m for m in amounts if m.region == "TC")
        brain = None if side is None else side.measured("volume", "brain", "mL")
        reason = core.reason or ("" if brain is None else brain.reason)
        if core.value is None or brain is None or not brain.value:
            yield Measurement.missing(name, "TC", "%", reason or "the brain mask is empty")
            continue
        yield Measurement(
            name=name,
            region="TC",
            value=100.0 * float(core.value) / float(brain.value),
            unit="%",
            method="Volume of the tumour core over that inside the brain mask.",
            source=core.source,
        )


def _midline(before: Operated | None, after: Operated | None) -> Iterator[Measurement]:
    """Yield the midline shift on both sides, and by how much it became less."""
    pair = []
    for when, side in (("before", before), ("after", after)):
        missing = Measurement.missing("midline_shift", "brain", "mm", ABSENT[when])
        found = missing if side is None else side.measured("midline_shift", "brain", "mm")
        pair.append(found.model_copy(update={"name": f"midline_shift_{when}"}))
    yield from pair
    first, second = pair
    if first.value is None or second.value is None:
        yield Measurement.missing("midline_shift_change", "brain", "mm", first.reason or second.reason)
        return
    yield Measurement(
        name="midline_shift_change",
        region="brain",
        value=abs(float(second.value)) - abs(float(first.value)),
        unit="mm",
        method=f"Shift after less shift before, to whichever side. {second.method}",
        source=second.source,
        quality=second.quality,
    )


def _days(before: Operated | None, after: Operated | None, surgery: Event | None) -> Iterator[Measurement]:
    for when, side, sign in (("before", before, -1), ("after", after, 1)):
        if surgery is None or side is None or side.date is None:
            told = "the operation or the study has no date"
            yield Measurement.missing(f"days_{when}", "study", "d", told)
            continue
        days = sign * (side.date - surgery.date).days
        told = f"Days between the operation and the study {when} it."
        yield Measurement(
            name=f"days_{when}", region="study", value=days, unit="d", method=told, source=Source(file=EVENTS_FILE)
        )


def _recorded() -> Measurement:
    """Return that the operation was a biopsy, as a measurement whose source a category can take."""
    source = Source(file=EVENTS_FILE)
    return Measurement(name="operation", region="study", value=BIOPSY, unit="1", method=AS_TOLD, source=source)


def _number(surgery: Event | None, events: Many[Event]) -> int:
    if surgery is None:
        return 0
    dates = {e.date for e in events if e.kind is EventKind.SURGERY and e.date < surgery.date}
    return 1 + len(dates)


def _cautions(
    before: Operated | None, after: Operated | None, surgery: Event | None, events: Many[Event]
) -> Iterator[str]:
    if surgery is None or before is None or after is None:
        return
    if after.date is not None and (after.date - surgery.date).days == WINDOW_DAYS:
        yield f"by its date the study may have been made 48 to 96 h after the operation; within {WINDOW_H} h is asked"
    if before.measurements.segmenter != after.measurements.segmenter:
        yield "tumour was outlined by different methods before and after; a difference may be theirs"
    earlier = {e.kind for e in events if e.date < surgery.date} & {EventKind.SURGERY, EventKind.RADIOTHERAPY}
    if earlier:
        words = " and ".join(sorted(kind.value for kind in earlier))
        yield f"earlier {words}: the RANO resect class was made for newly diagnosed glioblastoma"
    cavity = after.measured("volume", "RC", "mL")
    if not is_biopsy(surgery) and cavity.value is not None and not float(cavity.value):
        yield "no cavity was outlined after the operation"
