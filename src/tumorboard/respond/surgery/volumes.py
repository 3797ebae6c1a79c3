"""Volumes on both sides of an operation: tumour before, residue without blood, cavity, brain, necrosis.

Why it exists: an extent of resection is one volume over another, and both must be of the same thing. What enhances is
counted without blood; what cannot be told after the operation stays a reason and never becomes 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import REGIONS
from tumorboard.measure.sources import source_of
from tumorboard.measure.study import VOLUME_METHOD
from tumorboard.measurement import Measurement
from tumorboard.respond.surgery.blood import METHOD as BLOOD_METHOD
from tumorboard.respond.surgery.blood import OFF_MM, Blood
from tumorboard.respond.surgery.model import Operated
from tumorboard.respond.surgery.when import ABSENT

Mask = NDArray[np.bool_]

NCE = "NCE"
"""Tumour that does not enhance: whole tumour without what enhances (NETC and SNFH)."""

TUMOUR = ("ET", "NETC", "SNFH", "TC", "WT", NCE)
"""Regions whose residue is told."""

BLOODY = ("ET", "TC", "WT")
"""Regions in which blood may have been outlined as enhancing tumour."""

TISSUE = "brain tissue"
"""Inside the brain mask without tumour and cavity."""

BOUNDS = (
    "Blood is taken from both ends of the outline's interval; for the lower end it is looked for up to "
    f"{OFF_MM:g} mm off as well, as T1 may lie so far off T1C."
)


def mask_of(side: Operated, region: str) -> Mask:
    """Return a region of a label map, also ``NCE``."""
    if region == NCE:
        return np.asarray(side.labels.region("WT") & ~side.labels.region("ET"))
    return side.labels.region(region)


def values_of(region: str) -> tuple[int, ...]:
    """Return the label values of a region, also of ``NCE``."""
    tissues = set(REGIONS["WT"]) - set(REGIONS["ET"]) if region == NCE else REGIONS[region]
    return tuple(sorted(int(t) for t in tissues))


def volume(side: Operated, region: str) -> Measurement:
    """Return the volume of a region as it was measured; of ``NCE`` as whole tumour less what enhances."""
    if region != NCE:
        return side.measured("volume", region, "mL")
    for part in ("WT", "ET"):
        found = side.measured("volume", part, "mL")
        if found.value is None:
            return Measurement.missing("volume", NCE, "mL", found.reason)
    return _counted(side, "volume", NCE, mask_of(side, NCE), VOLUME_METHOD)


def volumes_before(before: Operated | None) -> list[Measurement]:
    """Return the tumour's volumes before the operation."""
    if before is None:
        return [Measurement.missing("volume_before", region, "mL", ABSENT["before"]) for region in TUMOUR]
    return [volume(before, region).model_copy(update={"name": "volume_before"}) for region in TUMOUR]


def residual_volumes(after: Operated | None, blood: Blood | None, reason: str) -> list[Measurement]:
    """Return what is left of every region; all missing where ``reason`` says why.

    Parameters
    ----------
    after : Operated or None
        The study after the operation.
    blood : Blood or None
        What is not counted as enhancing tumour.
    reason : str
        Why a residue cannot be told; empty when it can.
    """
    if after is None or blood is None or reason:
        return [Measurement.missing("residual_volume", region, "mL", reason) for region in TUMOUR]
    return [_residual(after, blood, region) for region in TUMOUR]


def _residual(after: Operated, blood: Blood, region: str) -> Measurement:
    found = volume(after, region)
    if found.value is None:
        return Measurement.missing("residual_volume", region, "mL", found.reason)
    if region not in BLOODY:
        return found.model_copy(update={"name": "residual_volume"})
    outlined, ml = after.labels.region("ET"), after.study.grid.voxel_volume_ml
    taken, most = (float((outlined & part).sum()) * ml for part in (blood.certain, blood.possible))
    kept = mask_of(after, region) & ~(outlined & blood.certain)
    value = float(kept.sum()) * ml
    whole = float(found.value)
    interval = None
    if found.interval is not None or most > taken:
        low, high = found.interval or (whole, whole)
        interval = (max(0.0, min(low, whole) - most), max(value, high - taken))
    method = f"{found.method} Without blood that was outlined as enhancing. {BLOOD_METHOD} {BOUNDS}"
    made = _counted(after, "residual_volume", region, kept, method)
    return made.model_copy(update={"interval": interval})


def blood_volumes(after: Operated | None, blood: Blood | None, reason: str) -> list[Measurement]:
    """Return how much blood there is, and how much of it had been outlined as enhancing tumour."""
    if after is None or blood is None:
        return [Measurement.missing("blood_volume", region, "mL", reason) for region in ("blood", "ET")]
    outlined = blood.certain & after.labels.region("ET")
    told = f"{BLOOD_METHOD} Only what had been outlined as enhancing tumour."
    made = [
        _counted(after, "blood_volume", "blood", blood.certain, BLOOD_METHOD),
        _counted(after, "blood_volume", "ET", outlined, told),
    ]
    return [m.model_copy(update={"source": m.source and m.source.model_copy(update=_from(after))}) for m in made]


def _from(after: Operated) -> dict[str, object]:
    return {"file": after.t1_file, "labels": ()}


def _counted(side: Operated, name: str, region: str, mask: Mask, method: str) -> Measurement:
    labels = values_of(region) if region in (*TUMOUR, "RC") else ()
    return Measurement(
        name=name,
        region=region,
        value=float(mask.sum()) * side.study.grid.voxel_volume_ml,
        unit="mL",
        method=method,
        source=source_of(mask, side.files.labels, labels),
    )


def around_volumes(before: Operated | None, after: Operated | None) -> Iterator[Measurement]:
    """Yield cavity, brain, brain tissue and necrosis before and after, and how they changed."""
    sides = {"before": before, "after": after}
    for region in ("RC", "brain", TISSUE, "necrosis"):
        pair = []
        for when, side in sides.items():
            found = Measurement.missing("volume", region, "mL", ABSENT[when]) if side is None else _around(side, region)
            pair.append(found.model_copy(update={"name": f"volume_{when}"}))
        if region == "RC":
            yield pair[1]
            continue
        yield from pair
        yield change(pair[0], pair[1], region)


def _around(side: Operated, region: str) -> Measurement:
    if region == TISSUE:
        return _tissue(side)
    if region != "necrosis":
        return volume(side, region)
    if side.necrosis is None:
        return Measurement.missing("volume", region, "mL", "necrosis was not outlined apart from other core")
    made = _counted(side, "volume", region, side.necrosis, "Voxels of the mask of necrosis times the voxel volume.")
    return made.model_copy(update={"source": source_of(side.necrosis, side.necrosis_file)})


def _tissue(side: Operated) -> Measurement:
    found = side.measured("volume", "WT", "mL")
    if found.value is None:
        return Measurement.missing("volume", TISSUE, "mL", found.reason)
    mask = side.study.brain & ~side.labels.region("WT") & ~side.labels.region("RC")
    cavity = side.measured("volume", "RC", "mL")
    told = "" if cavity.value is not None else f" No cavity was taken out: {cavity.reason}."
    method = f"Volume inside the brain mask without whole tumour and cavity, fluid included.{told}"
    made = _counted(side, "volume", TISSUE, mask, method)
    return made.model_copy(update={"source": source_of(mask, side.files.brain)})


def change(before: Measurement, after: Measurement, region: str) -> Measurement:
    """Return by how many percent of the first a volume changed; negative is less."""
    reason = before.reason or after.reason
    if before.value is not None and after.value is not None and not float(before.value):
        reason = "there was nothing before the operation"
    if reason or before.value is None or after.value is None:
        return Measurement.missing("volume_change", region, "%", reason)
    return Measurement(
        name="volume_change",
        region=region,
        value=100.0 * (float(after.value) - float(before.value)) / float(before.value),
        unit="%",
        method=f"(after - before) / before. Both: {after.method}",
        source=after.source,
    )
