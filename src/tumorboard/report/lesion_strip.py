"""A strip of the lesions that a detector reports: one axial cut each, the surest first.

Why it exists: a list of coordinates is checked by nobody. Each lesion is shown where it is seen best, outlined, with
its number and score.
"""

from __future__ import annotations

import numpy as np

from tumorboard.detect import Detected, Detection
from tumorboard.report.canvas import Box, Outline, Panel, strip
from tumorboard.report.model import Picture
from tumorboard.report.planes import AXIAL, cut, extent_mm, place_mm
from tumorboard.report.views import widen, window
from tumorboard.sequences import Sequence
from tumorboard.study import Study

MOST = 6
"""Lesions that are shown; the table holds them all."""

AROUND_MM = 35.0
"""Shown on each side of a lesion."""

COLOUR = "#D55E00"

SHOWN_ON = (Sequence.T1C, Sequence.BB)


def lesion_strip(study: Study, detected: Detected) -> Picture | None:
    """Return the picture, or None where nothing is reported or there is nothing to show it on.

    Parameters
    ----------
    study : Study
        Prepared.
    detected : Detected
        In it.

    Returns
    -------
    Picture or None
    """
    kept = detected.reported()
    sequence = next((s for s in SHOWN_ON if s in study.volumes), None)
    if not kept or sequence is None:
        return None
    image = study.volumes[sequence].data
    limits = window(image, study.brain)
    panels = [_panel(study, detected, d, sequence, limits) for d in kept[:MOST]]
    more = f"; {len(kept) - MOST} more are in the table" if len(kept) > MOST else ""
    caption = f"Axial {sequence.value} through each lesion that was found{more}. The patient's right is on the left."
    return strip(panels, [(COLOUR, "detected lesion")], caption, f"{len(kept)} detected lesions of {study.id}.")


def _panel(
    study: Study, detected: Detected, lesion: Detection, sequence: Sequence, limits: tuple[float, float]
) -> Panel:
    part = detected.numbers.data == lesion.number
    index = int(part.sum(axis=(0, 1)).argmax())
    middle = tuple(float(v) for v in np.argwhere(part[:, :, index]).mean(axis=0))
    column, row = place_mm((middle[0], middle[1], float(index)), study.grid.shape, study.grid.spacing_mm, AXIAL)
    box: Box = widen((column - AROUND_MM, column + AROUND_MM, row + AROUND_MM, row - AROUND_MM), ratio=1.0)
    return Panel(
        image=np.asarray(cut(study.volumes[sequence].data, AXIAL, index), dtype=np.float32),
        extent_mm=extent_mm(study.grid.shape, study.grid.spacing_mm, AXIAL),
        box_mm=box,
        window=limits,
        title=f"{lesion.number}: {lesion.diameter_mm:.1f} mm",
        marks=AXIAL.marks,
        text=f"score {lesion.score:.2f}",
        outlines=(Outline(cut(part, AXIAL, index), COLOUR),),
        bar_mm=10.0,
    )
