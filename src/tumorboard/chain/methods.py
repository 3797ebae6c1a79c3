"""The methods paragraph, from what ran with the parameters it ran with."""

from __future__ import annotations

from collections.abc import Iterable

from tumorboard.chain.saved import read_json
from tumorboard.chain.trip import StudyTrip
from tumorboard.measure.diameters import EDGE_FRACTION
from tumorboard.report.bundle import MethodSentence
from tumorboard.study import Study

_DOSENBACH = "Dosenbach NUF et al. Prediction of individual brain maturity using fMRI. Science 2010;329:1358-1361."
_ICBM = "Fonov V et al. Unbiased average age-appropriate atlases for pediatric studies. NeuroImage 2011;54:313-327."
_MATTES = "Mattes D et al. PET-CT image registration in the chest. IEEE Trans Med Imaging 2003;22:120-128."
_N4 = "Tustison NJ et al. N4ITK: improved N3 bias correction. IEEE Trans Med Imaging 2010;29:1310-1320."
_DEEPBET = "Fisch L et al. deepbet: fast brain extraction of T1-weighted MRI. Comput Biol Med 2024;179:108845."
_SYNTHSTRIP = "Idea: Hoopes A et al. SynthStrip: skull-stripping for any brain image. NeuroImage 2022;260:119474."
_RANO = "Wen PY et al. Updated response assessment criteria for high-grade gliomas. J Clin Oncol 2010;28:1963-1972."


_BRAINS = {"deepbet": _DEEPBET, "brain": _SYNTHSTRIP}
"""What outlined a brain, by the first word of its name, and the work it cites."""


def method_sentences(trips: Iterable[StudyTrip]) -> list[MethodSentence]:
    """Return what was done, in order, each with the work it cites; nothing that did not run."""
    trips = list(trips)
    out = [
        *_onto_one_grid(trips),
        MethodSentence(
            "Intensities were scaled to median 0 and robust spread 1 (interquartile range / 1.349) inside the brain."
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
            "`ce_only` uses enhancing tumour alone; `filled` adds the NETC it encloses. Where a study was resampled, "
            "diameters are read on the slices as acquired.",
            _RANO,
        ),
        MethodSentence("Lobes are those of the nearest labelled coordinate, and coarse.", _DOSENBACH),
    ]
    for trip in trips[1:]:
        trip.release()
    return out


def _onto_one_grid(trips: list[StudyTrip]) -> list[MethodSentence]:
    """Return how prepared images, and how native heads, came onto one grid; only what happened."""
    out = []
    native = [t for t in trips if t.study().native is not None]
    ready = [t for t in trips if t.study().native is None]
    if ready:
        study = ready[0].study()
        where = f"the grid of {study.reference.value} ({_spacing(study)})"
        out.append(MethodSentence(f"Prepared sequences were reordered to RAS and brought onto {where}."))
    if native:
        study = native[0].study()
        brains = sorted({read_json(t.folder.session(t.id) / "quality.json")["brain_method"] for t in native})
        out += [
            MethodSentence(
                f"Native heads: every sequence was moved rigidly onto {study.reference.value} by mutual information on "
                "all voxels around the brain, over three scales from the best of several hundred starts, both images "
                "without their bias fields; each fit was measured, and refused below fixed limits.",
                _MATTES,
            ),
            *(MethodSentence(f"The brain was outlined by {b}.", _BRAINS.get(b.split()[0], "")) for b in brains),
            MethodSentence("The bias field was removed inside the brain (N4).", _N4),
            MethodSentence(f"Every image was resampled once, by cubic B-splines, to {_spacing(study)}."),
        ]
    return out


def _spacing(study: Study) -> str:
    return " x ".join(f"{s:g}" for s in study.grid.spacing_mm) + " mm"
