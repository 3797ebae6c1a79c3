"""The methods paragraph, from what ran with the parameters it ran with."""

from __future__ import annotations

from collections.abc import Iterable

from tumorboard.chain.trip import StudyTrip
from tumorboard.measure.diameters import EDGE_FRACTION
from tumorboard.report.bundle import MethodSentence

_DOSENBACH = "Dosenbach NUF et al. Prediction of individual brain maturity using fMRI. Science 2010;329:1358-1361."
_ICBM = "Fonov V et al. Unbiased average age-appropriate atlases for pediatric studies. NeuroImage 2011;54:313-327."
_RANO = "Wen PY et al. Updated response assessment criteria for high-grade gliomas. J Clin Oncol 2010;28:1963-1972."


def method_sentences(trips: Iterable[StudyTrip]) -> list[MethodSentence]:
    """Return what was done, in order, each with the work it cites; nothing that did not run."""
    trips = list(trips)
    first = trips[0].study()
    spacing = " x ".join(f"{s:g}" for s in first.grid.spacing_mm)
    out = [
        MethodSentence(
            f"Sequences were reordered to RAS and brought onto the grid of {first.reference.value} ({spacing} mm); "
            "intensities were scaled to median 0 and robust spread 1 (interquartile range / 1.349) inside the brain."
        ),
        MethodSentence(
            "The mid-sagittal plane was found by mirroring the brain's outline and local detail; the outline was "
            "aligned to ICBM152 by an affine map with nine parameters.",
            _ICBM,
        ),
    ]
    told = {str(t.outlined().told["id"]): t.outlined().told for t in trips}
    out += [MethodSentence(f"{m['title']}. {m['text']} {m['limits']}".strip(), m["citation"]) for m in told.values()]
    out += [
        MethodSentence(
            "Volumes are voxel counts times the voxel volume of the affine. The longest diameter is the longest "
            "in-plane segment inside the lesion, the perpendicular the longest at right angles on the same slice; "
            f"both from voxel centre to voxel centre plus {EDGE_FRACTION:g} of the chord through one pixel. "
            "`ce_only` uses enhancing tumour alone; `filled` adds the NETC it encloses.",
            _RANO,
        ),
        MethodSentence("Lobes are those of the nearest labelled coordinate, and coarse.", _DOSENBACH),
    ]
    for trip in trips[1:]:
        trip.release()
    return out
