"""Pictures of an operation: the same place before and after it, with what is left, the cavity and blood.

Why it exists: an extent of resection is believed when the wall of the cavity can be looked at, on T1C beside T1, where
blood is bright on both. The study after the operation is sampled at the slices of the one before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.errors import GeometryError
from tumorboard.labels import REGIONS, Tissue
from tumorboard.report.bundle import StudyBundle
from tumorboard.report.canvas import Box, Outline, Panel, strip
from tumorboard.report.figures import COLOURS, DRAWING_ORDER
from tumorboard.report.model import Picture
from tumorboard.report.planes import AXIAL, cut, extent_mm, place_mm
from tumorboard.report.views import brain_box, widen, window
from tumorboard.sequences import Sequence
from tumorboard.volume import Affine

Mask = NDArray[np.bool_]
Order = Literal[0, 1]

BLOOD = ("#009E73", "fresh blood")
"""Colour and words of blood, from the palette of the tissues."""

SHOWN = (
    (Sequence.T1C, "before"),
    (Sequence.T1C, "after"),
    (Sequence.T1, "after"),
    (Sequence.FLAIR, "before"),
    (Sequence.FLAIR, "after"),
)
"""Panels from left to right; what a study lacks is left out. T1 after shows what was bright before contrast agent."""

AROUND_MM = 32.0
"""Shown on each side of what is left, where it is enlarged."""

APART_MM = 2.0
"""What is left gets a picture of its own, unless it is on the slice that is shown already."""


def surgery_pictures(
    before: StudyBundle, after: StudyBundle, blood: Mask | None = None, to_before: Affine | None = None
) -> tuple[Picture, ...]:
    """Return the slice where the tumour was largest, and, enlarged, the one where most enhancing tumour is left.

    Parameters
    ----------
    before, after : StudyBundle
        On both sides of the operation, in RAS.
    blood : ndarray of bool, shape (i, j, k), or None
        On the grid of the study after it (see :mod:`tumorboard.respond.surgery.blood`); not drawn as enhancing.
    to_before : ndarray, shape (4, 4), or None
        World of the study after to world of the one before (RAS mm); None: scanner coordinates are trusted.

    Raises
    ------
    GeometryError
        The blood is not on the grid of the study after the operation.
    """
    shape = after.study.grid.shape
    if blood is not None and blood.shape != shape:
        raise GeometryError(f"blood of shape {shape}", got=f"{blood.shape}", where=after.study.id)
    pair = _Pair(before, after, np.zeros(shape, bool) if blood is None else blood, to_before)
    whole = _Place(*_largest(pair), brain_box(before, AXIAL), 50.0)
    pictures = [_picture(pair, whole, SHOWN)]
    left = _left(pair)
    if left is not None and abs(left.index - whole.index) * before.study.grid.spacing_mm[2] >= APART_MM:
        pictures.append(_picture(pair, left, SHOWN[:3]))
    return tuple(pictures)


@dataclass(frozen=True)
class _Place:
    """An axial slice of the study before, why it is shown, and how much of it."""

    index: int
    why: str
    box_mm: Box
    bar_mm: float


@dataclass(frozen=True)
class _Pair:
    """Both studies, with the way from voxels of the first to voxels of the second."""

    before: StudyBundle
    after: StudyBundle
    blood: Mask
    to_before: Affine | None

    @property
    def step(self) -> Affine:
        motion = np.eye(4) if self.to_before is None else np.asarray(self.to_before, dtype=np.float64)
        ways = np.linalg.inv(self.after.study.grid.affine) @ np.linalg.inv(motion)
        return np.asarray(ways @ self.before.study.grid.affine)

    @property
    def residual(self) -> Mask:
        """Enhancing tumour that is no blood, on its own grid."""
        return np.asarray((self.after.labels.data == Tissue.ET) & ~self.blood)

    def after_at(self, data: NDArray[Any], index: int, order: Order) -> NDArray[np.float32]:
        """Sample the study after on an axial slice of the one before; a picture."""
        i, j, _ = self.before.study.grid.shape
        offset = self.step[:3, 3] + self.step[:3, 2] * index
        source: NDArray[np.float32] = np.asarray(data, dtype=np.float32)
        sampled = ndi.affine_transform(source, self.step[:3, :3], offset, output_shape=(i, j, 1), order=order)
        return np.asarray(cut(sampled, AXIAL, 0), dtype=np.float32)

    def mask_before_grid(self, mask: Mask) -> Mask:
        """Return a mask of the study after on the whole grid of the one before."""
        shape = self.before.study.grid.shape
        moved = ndi.affine_transform(
            mask.astype(np.uint8), self.step[:3, :3], self.step[:3, 3], output_shape=shape, order=0
        )
        return np.asarray(moved > 0)


def _largest(pair: _Pair) -> tuple[int, str]:
    """Return the slice with the largest tumour core, else whole tumour, else cavity, and which it was."""
    labels = pair.before.labels.data
    for region, words in (("TC", "the tumour core was largest"), ("WT", "the tumour was largest")):
        mask = np.isin(labels, [int(t) for t in REGIONS[region]])
        if mask.any():
            return int(mask.sum(axis=(0, 1)).argmax()), words
    cavity = pair.mask_before_grid(np.asarray(pair.after.labels.data == Tissue.RC))
    if cavity.any():
        return int(cavity.sum(axis=(0, 1)).argmax()), "the cavity is largest"
    return pair.before.study.grid.shape[2] // 2, "the middle of the images is (no tumour is outlined)"


def _left(pair: _Pair) -> _Place | None:
    """Return the slice where most enhancing tumour is left, enlarged; None where none is."""
    mask = pair.mask_before_grid(pair.residual)
    if not mask.any():
        return None
    index = int(mask.sum(axis=(0, 1)).argmax())
    i, j = (float(v) for v in np.argwhere(mask[:, :, index]).mean(axis=0))
    grid = pair.before.study.grid
    x, y = place_mm((i, j, float(index)), grid.shape, grid.spacing_mm, AXIAL)
    left, right, bottom, top = extent_mm(grid.shape, grid.spacing_mm, AXIAL)
    x, y = _inside(x, left, right), _inside(y, top, bottom)
    box = widen((x - AROUND_MM, x + AROUND_MM, y + AROUND_MM, y - AROUND_MM), ratio=1.0)
    return _Place(index, "most enhancing tumour is left", box, 20.0)


def _inside(centre: float, low: float, high: float) -> float:
    """Move the centre of what is shown so far from an edge that no room is lost beyond it, where there is room."""
    room = min(AROUND_MM, (high - low) / 2)
    return min(max(centre, low + room), high - room)


def _picture(pair: _Pair, place: _Place, wanted: tuple[tuple[Sequence, str], ...]) -> Picture:
    sides = {"before": pair.before, "after": pair.after}
    shown = [(s, when) for s, when in wanted if s in sides[when].study.volumes]
    if not shown:
        shown = [(side.study.reference, when) for when, side in sides.items()]
    panels = [_panel(pair, place, sequence, when) for sequence, when in shown]
    drawn = {outline.colour for panel in panels for outline in panel.outlines if outline.mask.any()}
    legend = [words for words in (*COLOURS.values(), BLOOD) if words[0] in drawn]
    placed = (
        "at the same place, aligned" if pair.to_before is not None else "at the same scanner coordinates, not aligned"
    )
    names = ", ".join(f"{sequence.value} {when}" for sequence, when in shown)
    caption = (
        f"{names} the operation: axial slice {place.index + 1} of the study before it, where {place.why}; the study "
        f"after it {placed}. The patient's right is on the left."
    )
    return strip(panels, legend, caption, f"{pair.before.study.id} and {pair.after.study.id}: {caption}")


def _panel(pair: _Pair, place: _Place, sequence: Sequence, when: str) -> Panel:
    side = pair.before if when == "before" else pair.after
    low, high = window(side.study.volumes[sequence].data, side.study.brain)
    grid = pair.before.study.grid
    image = _slice(pair, when, side.study.volumes[sequence].data, place.index, 1)
    inside = _slice(pair, when, side.study.brain, place.index, 0) > 0.5
    return Panel(
        image=np.where(inside | (image != 0), image, low).astype(np.float32),
        extent_mm=extent_mm(grid.shape, grid.spacing_mm, AXIAL),
        box_mm=place.box_mm,
        window=(low, high),
        title=f"{sequence.value} {when}",
        marks=AXIAL.marks,
        outlines=tuple(_outlines(pair, when, place.index)),
        bar_mm=place.bar_mm,
    )


def _slice(pair: _Pair, when: str, data: NDArray[Any], index: int, order: Order) -> NDArray[np.float32]:
    if when == "before":
        return np.asarray(cut(data, AXIAL, index), dtype=np.float32)
    return pair.after_at(data, index, order)


def _outlines(pair: _Pair, when: str, index: int) -> Iterator[Outline]:
    labels = pair.before.labels.data if when == "before" else pair.after.labels.data
    for tissue in DRAWING_ORDER:
        mask = pair.residual if when == "after" and tissue is Tissue.ET else np.asarray(labels == tissue)
        yield Outline(_slice(pair, when, mask, index, 0) > 0.5, COLOURS[tissue][0])
    if when == "after":
        yield Outline(_slice(pair, when, pair.blood, index, 0) > 0.5, BLOOD[0])
