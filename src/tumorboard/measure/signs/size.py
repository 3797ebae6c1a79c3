"""How large the tumour is on one slice: F29 and F30."""

from __future__ import annotations

import numpy as np

from tumorboard.labels import Tissue
from tumorboard.measure.diameters import measure_diameters, slice_axis_of
from tumorboard.measure.signs.case import Answer, Case, Reading
from tumorboard.measure.sources import source_of
from tumorboard.segment.space import parts
from tumorboard.volume import box_around

_WHOLE = (Tissue.NETC, Tissue.SNFH, Tissue.ET)


def sizes(case: Case) -> tuple[Reading, Reading]:
    """F29 and F30: the two diameters of the largest part of the whole tumour, on the slices as acquired."""
    labels = case.slices
    whole = np.isin(labels.data, [int(t) for t in _WHOLE])
    box = box_around(whole)
    if box is None:
        told = "too small to be seen on the slices of the reference sequence"
        return told, told
    whole[box] = parts(whole[box])[0] == 1
    found = measure_diameters(whole, labels.grid.spacing_mm, slice_axis_of(labels.grid))
    if found is None:  # pragma: no cover - a part that was found has voxels
        return "", ""
    d = found.rano
    told = "Largest part of the whole tumour, on the slice where its longest in-plane segment is longest"
    source = source_of(whole, case.slices_file, tuple(int(t) for t in _WHOLE))
    return (
        Answer(d.longest_mm, f"{told}.", source.model_copy(update={"points_ijk": d.longest_ijk})),
        Answer(
            d.perpendicular_mm,
            f"{told}: longest segment perpendicular to it.",
            source.model_copy(update={"points_ijk": d.perpendicular_ijk}),
        ),
    )
