"""The key pictures of one study.

Why it exists: a reader compares numbers with images. Two strips are drawn: the axial slice of every
sequence with thin outlines, and the slice of the largest diameters beside a coronal and a sagittal
reformat. All pictures are radiological and carry their direction marks; see
:mod:`tumorboard.report.planes`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import Tissue
from tumorboard.report.bundle import StudyBundle
from tumorboard.report.canvas import Box, Outline, Panel, Point, Segment, strip
from tumorboard.report.model import Picture
from tumorboard.report.overlay import overlay_strip
from tumorboard.report.planes import AXIAL, CORONAL, PLANES, SAGITTAL, Plane, cut, extent_mm, place_mm
from tumorboard.report.views import Choice, brain_box, choose, largest_diameters, on_working_grid, widen, window
from tumorboard.sequences import Sequence

COLOURS = {
    Tissue.ET: ("#D55E00", "enhancing tumour (ET)"),
    Tissue.NETC: ("#56B4E9", "necrosis, non-enhancing core (NETC)"),
    Tissue.SNFH: ("#F0E442", "oedema, infiltration (SNFH)"),
    Tissue.RC: ("#CC79A7", "resection cavity (RC)"),
}
"""Colour and words of each tissue. Source: Okabe and Ito's palette for all kinds of colour vision."""

DRAWING_ORDER = (Tissue.SNFH, Tissue.RC, Tissue.ET, Tissue.NETC)
"""The core last: its line would vanish under that of the enhancing rim around it."""

SEQUENCE_ORDER = (Sequence.T1C, Sequence.FLAIR, Sequence.T2, Sequence.T1)
READING_WORDS = {"ce_only": "enhancing tissue alone", "filled": "enhancing tissue with enclosed core", "flair": "FLAIR"}

_LONGEST, _PERPENDICULAR = "#2ee6a8", "#ffffff"
_ZOOM_MARGIN_MM = 25.0


def study_pictures(bundle: StudyBundle) -> tuple[Picture, ...]:
    """Return the pictures of a study: the axial strip (the key picture), details, and how sequences lie.

    Parameters
    ----------
    bundle : StudyBundle
        In RAS; an empty label map gives middle slices and a caption that says so.
    """
    choice = choose(bundle)
    windows = {s: window(volume.data, bundle.study.brain) for s, volume in bundle.study.volumes.items()}
    maker = _Maker(bundle, windows)
    overlay = overlay_strip(bundle, choice)
    pictures = (_axial_strip(maker, choice), _detail_strip(maker, choice))
    return pictures if overlay is None else (*pictures, overlay)


class _Maker:
    """Makes panels of one study with windows and masks computed once."""

    def __init__(self, bundle: StudyBundle, windows: dict[Sequence, tuple[float, float]]) -> None:
        self.bundle, self.windows = bundle, windows
        self.grid = bundle.study.grid
        self.sequences = [s for s in SEQUENCE_ORDER if s in bundle.study.volumes]
        present = np.bincount(bundle.labels.data.ravel(), minlength=5)
        self.tissues = [t for t in DRAWING_ORDER if present[t]]

    def legend(self) -> list[tuple[str, str]]:
        return [words for t, words in COLOURS.items() if t in self.tissues]

    def panel(self, sequence: Sequence, plane: Plane, index: int, box: Box) -> Panel:
        """Return a bare slice; what lies outside the brain and is 0 is black."""
        low, high = self.windows[sequence]
        values = cut(self.bundle.study.volumes[sequence].data, plane, index)
        shown = np.where(cut(self.bundle.study.brain, plane, index) | (values != 0), values, low)
        return Panel(
            image=np.asarray(shown, dtype=np.float32),
            extent_mm=extent_mm(self.grid.shape, self.grid.spacing_mm, plane),
            box_mm=box,
            window=(low, high),
            title=sequence.value,
            marks=plane.marks,
        )

    def outlined(self, sequence: Sequence, plane: Plane, index: int, box: Box) -> Panel:
        labels = cut(self.bundle.labels.data, plane, index)
        outlines = tuple(Outline(_mask(labels, t), COLOURS[t][0]) for t in self.tissues)
        return replace(self.panel(sequence, plane, index, box), outlines=outlines)


def _mask(labels: NDArray[np.uint8], tissue: Tissue) -> NDArray[np.bool_]:
    return np.asarray(labels == tissue)


def _axial_strip(maker: _Maker, choice: Choice) -> Picture:
    bundle = maker.bundle
    box = brain_box(bundle, AXIAL)
    panels = [maker.outlined(s, AXIAL, choice.axial, box) for s in maker.sequences]
    names = ", ".join(s.value for s in maker.sequences)
    where = f"slice {choice.axial + 1} of {maker.grid.shape[2]}"
    caption = f"Axial {names}, {where}: {choice.why}. The patient's right is on the left."
    outlined = f", outlined: {', '.join(words for _, words in maker.legend())}" if maker.tissues else ", no outlines"
    alt = f"Axial slices of {bundle.study.id} side by side ({names}){outlined}."
    return strip(panels, maker.legend(), caption, alt)


def _detail_strip(maker: _Maker, choice: Choice) -> Picture:
    sequence = maker.bundle.study.reference
    panels, sentences = [], []
    measured = _diameter_panel(maker)
    if measured is not None:
        panels.append(measured[0])
        sentences.append(measured[1])
    for plane in (CORONAL, SAGITTAL):
        panel = maker.outlined(sequence, plane, choice.index(plane.axis), brain_box(maker.bundle, plane))
        panels.append(replace(panel, title=f"{sequence.value} {plane.name}"))
    through = "through the centroid of the largest lesion" if choice.tumour else "through the middle of the brain"
    sentences.append(f"Coronal and sagittal reformats {through}.")
    caption = " ".join(sentences)
    return strip(panels, maker.legend(), caption, f"{maker.bundle.study.id}: {caption}")


def _diameter_panel(maker: _Maker) -> tuple[Panel, str] | None:
    """Return the slice of the largest diameters, zoomed, and the sentence about it."""
    found = largest_diameters(maker.bundle)
    if found is None:
        return None
    lesion, reading, measured, sequence = found
    diameters = on_working_grid(measured, maker.bundle.study)
    plane = PLANES[diameters.slice_axis]
    longest = _ends(maker, diameters.longest_ijk, plane)
    perpendicular = _ends(maker, diameters.perpendicular_ijk, plane)
    size = f"{diameters.longest_mm:.1f} × {diameters.perpendicular_mm:.1f} mm"
    bare = maker.panel(sequence, plane, diameters.slice_index, _zoom_box(longest, perpendicular))
    panel = replace(
        bare,
        title=f"{sequence.value}, lesion {lesion}",
        text=size,
        segments=(Segment(perpendicular, _PERPENDICULAR, dashed=True), Segment(longest, _LONGEST)),
        bar_mm=20.0,
    )
    native = "" if maker.bundle.study.native is None else "native "
    sentence = (
        f"Largest diameters ({READING_WORDS[reading]}) of lesion {lesion} on {plane.name} {sequence.value}, "
        f"{native}slice {measured.slice_index + 1}: {size} (longest solid, perpendicular dashed)."
    )
    return panel, sentence


def _ends(maker: _Maker, ends: tuple[tuple[int, int, int], tuple[int, int, int]], plane: Plane) -> tuple[Point, Point]:
    shape, spacing = maker.grid.shape, maker.grid.spacing_mm
    return place_mm(ends[0], shape, spacing, plane), place_mm(ends[1], shape, spacing, plane)


def _zoom_box(*segments: tuple[Point, Point]) -> Box:
    across = [x for ends in segments for x, _ in ends]
    down = [y for ends in segments for _, y in ends]
    half = max(max(across) - min(across), max(down) - min(down)) / 2 + _ZOOM_MARGIN_MM
    x, y = (max(across) + min(across)) / 2, (max(down) + min(down)) / 2
    return widen((x - half, x + half, y + half, y - half))
