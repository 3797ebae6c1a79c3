"""How well sequences lie on each other: boards of alternating fields, one a sequence.

Why it exists: a number says that a motion was accepted; an edge that goes on from field to field shows it. Images
that were refused are shown the same way, as they would have lain.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tumorboard.report.bundle import StudyBundle
from tumorboard.report.canvas import Panel, strip
from tumorboard.report.model import Picture
from tumorboard.report.planes import AXIAL, cut, extent_mm
from tumorboard.report.views import Choice, brain_box, window
from tumorboard.sequences import Sequence

FIELD_MM = 22.0
"""Edge of a field; chosen."""


def overlay_strip(bundle: StudyBundle, choice: Choice) -> Picture | None:
    """Return boards of the reference with every other sequence on the axial slice that is shown; None without any.

    Parameters
    ----------
    bundle : StudyBundle
        Of native heads; images that came on one grid are taken as they are, and not shown.
    choice : Choice
        Which slice.
    """
    study = bundle.study
    others = [(s, v.data, "") for s, v in study.volumes.items() if s is not study.reference]
    others += [(s, v.data, " REFUSED") for s, v in bundle.refused.items()]
    if study.native is None or not others:
        return None
    shown = _grey(study.volumes[study.reference].data, bundle, choice)
    bare = Panel(
        image=shown,
        extent_mm=extent_mm(study.grid.shape, study.grid.spacing_mm, AXIAL),
        box_mm=brain_box(bundle, AXIAL),
        window=(0.0, 1.0),
        title="",
        marks=AXIAL.marks,
    )
    field = board(shown.shape, (study.grid.spacing_mm[1], study.grid.spacing_mm[0]))
    panels = [
        replace(
            bare, image=np.where(field, shown, _grey(data, bundle, choice)), title=f"{_pair(study.reference, s)}{end}"
        )
        for s, data, end in others
    ]
    caption = (
        f"Fields of {study.reference.value} and of each other sequence in turn, axial slice {choice.axial + 1}: "
        "where they lie well on each other, the brain's edge and the ventricles go on from field to field."
    )
    if bundle.refused:
        caption += f" Refused and left out: {', '.join(s.value for s in bundle.refused)}."
    return strip(panels, [], caption, f"{study.id}: {caption}")


def board(shape: tuple[int, ...], pixel_mm: tuple[float, float]) -> NDArray[np.bool_]:
    """Return alternating fields of ``FIELD_MM``.

    Examples
    --------
    >>> board((2, 4), (22.0, 11.0)).astype(int).tolist()
    [[0, 0, 1, 1], [1, 1, 0, 0]]
    """
    down, across = (np.arange(n) * mm // FIELD_MM for n, mm in zip(shape, pixel_mm, strict=True))
    return np.asarray((down[:, None] + across[None, :]) % 2 == 1)


def _pair(reference: Sequence, other: Sequence) -> str:
    return f"{reference.value} / {other.value}"


def _grey(data: NDArray[np.floating], bundle: StudyBundle, choice: Choice) -> NDArray[np.float32]:
    """Return a slice from 0 (black) to 1 (white), each image by its own window; black outside the brain."""
    low, high = window(data, bundle.study.brain)
    inside = cut(bundle.study.brain, AXIAL, choice.axial)
    picture = np.clip((cut(data, AXIAL, choice.axial) - low) / max(high - low, 1e-6), 0, 1)
    return np.where(inside, picture, 0).astype(np.float32)
