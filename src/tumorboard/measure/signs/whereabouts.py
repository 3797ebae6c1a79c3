"""Where the tumour lies: location, side, midline, ventricles and cortex (F1, F2, F15, F19, F20, F22, F23).

Why it exists: these are answered as far as the mid-plane, the brain's outline and a coarse lobe go. An average brain
laid by its outline onto a patient's is not exact to the millimetre, so that each answer keeps a distance from where it
could be wrong, and says nothing within.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.atlas.lobes import MIDLINE_MM, Lobe, LobeGuess, nearest_lobe
from tumorboard.labels import Tissue
from tumorboard.measure.place import CROSSING_LEAST_ML, CROSSING_MARGIN_MM
from tumorboard.measure.signs.case import Answer, Case, Mask, Places, Reading
from tumorboard.measure.signs.features import FEATURES
from tumorboard.measure.signs.proportions import necrosis_of
from tumorboard.transform import Frame

NO_FRAME = "the mid-plane of the brain is not known"
_ATLAS = "After an affine alignment of the brain's outline to ICBM152"

FAR_MM = 25.0
"""Farther from every labelled coordinate no lobe is named; chosen."""

MEDIAL_MM = 10.0
"""Nearer to the mid-plane (MNI mm) no lobe is named: brainstem and corpus callosum lie there; chosen."""

VENTRICLE_MM = 10.0
"""Farther from the atlas's ventricles there is no contact with the patient's; chosen."""

CORTEX_MM = 5.0
CORTEX_LEAST_ML = 0.2
"""Cortex is involved when so much core lies this near to the surface of the brain; chosen (cortex: 2 to 4 mm)."""

_PLACE = {
    Lobe.FRONTAL: "frontal",
    Lobe.TEMPORAL: "temporal",
    Lobe.PARIETAL: "parietal",
    Lobe.OCCIPITAL: "occipital",
    Lobe.INSULA: "insula",
    Lobe.CEREBELLUM: "cerebellum",
}


def location(case: Case) -> Reading:
    """F1: the coarse lobe of the centre of the largest part."""
    if case.study.frame is None:
        return NO_FRAME
    places = case.places(case.largest)
    if abs(_mni_mm(case, places, case.study.frame)[0]) <= MEDIAL_MM:
        return f"the centre lies within {MEDIAL_MM:g} mm of the mid-plane, and {FEATURES[0].reader}"
    guess = lobe_of(case, places)
    if guess is None:
        return f"no labelled coordinate lies within {FAR_MM:g} mm of the centre"
    if guess.lobe not in _PLACE:
        return f"the nearest labelled coordinate is of the {guess.lobe}, which is no place of the lexicon"
    told = (
        f"{_ATLAS}: coordinate of Dosenbach 2010 nearest to the centre of the largest part (of the core, where there "
        f"is one), here {guess.distance_mm:.0f} mm away; places beside the six lobes are never named."
    )
    return Answer(_PLACE[guess.lobe], told, case.source(case.largest), "coarse")


def lobe_of(case: Case, places: Places) -> LobeGuess | None:
    """Return the coarse lobe of a part's centre; None where none is near, or there is no frame."""
    if case.study.frame is None:
        return None
    guess = nearest_lobe(_mni_mm(case, places, case.study.frame))
    return guess if guess.distance_mm <= FAR_MM else None


def side(case: Case) -> Reading:
    """F2: the side of the centre of the largest part, whether or not it crosses."""
    offset_mm = right_mm(case, case.places(case.largest))
    if offset_mm is None:
        return NO_FRAME
    word = "centre" if abs(offset_mm) <= MIDLINE_MM else "right" if offset_mm > 0 else "left"
    told = (
        f"Centre of the largest part, of the core if there is one; centre: within {MIDLINE_MM:g} mm of the mid-plane."
    )
    return Answer(word, told, case.source(case.largest))


def right_mm(case: Case, places: Places) -> float | None:
    """Return how far a part's centre lies right of the mid-plane, mm; None without a frame."""
    if case.study.frame is None:
        return None
    centre = places.mean(axis=0) * case.study.grid.spacing_mm
    return float(case.study.frame.midplane.distance_mm(centre[None])[0])


def oedema_crosses(case: Case) -> Reading:
    """F15."""
    return _crosses(case, case.mask(Tissue.SNFH), case.whole, Tissue.SNFH)


def ncet_crosses(case: Case) -> Reading:
    """F22; without an outline of necrosis only where none of the core crosses."""
    core, necrosis = case.mask(Tissue.NETC), necrosis_of(case)
    if necrosis is not None:
        return _crosses(case, core & ~necrosis, case.core, Tissue.NETC)
    found = _crosses(case, core, case.core, Tissue.NETC)
    if isinstance(found, Answer) and found.value == "yes":
        return "necrosis and non-enhancing tumour are one label, and it is not known which of them crosses"
    return found


def cet_crosses(case: Case) -> Reading:
    """F23."""
    return _crosses(case, case.mask(Tissue.ET), case.core, Tissue.ET)


def _crosses(case: Case, mask: Mask, numbers: NDArray[np.uint16], tissue: Tissue) -> Reading:
    """Say whether a tissue lies beyond the mid-plane in a lesion whose larger part lies on this side of it."""
    source = case.source(mask, tissue)
    if source.voxels == 0:
        return Answer("not applicable", f"There is no {tissue.name} to cross.", source, "proxy")
    if case.study.frame is None:
        return NO_FRAME
    shift = case.positions.get(("midline_shift", "brain"))
    shift_mm = float(shift.value) if shift is not None and isinstance(shift.value, int | float) else 0.0
    if _beyond_ml(case, mask, numbers, shift_mm) >= CROSSING_LEAST_ML:
        return Answer("yes", _crossing(tissue), source, "proxy")
    if _beyond_ml(case, mask, numbers, 0.0) >= CROSSING_LEAST_ML:
        return f"what lies beyond the mid-plane may be herniated: the midline is shifted by {abs(shift_mm):.0f} mm"
    return Answer("no", _crossing(tissue), source, "proxy")


def _beyond_ml(case: Case, mask: Mask, numbers: NDArray[np.uint16], shift_mm: float) -> float:
    """Return the largest volume, of one lesion, of a tissue beyond the margin, which the shift widens on its side."""
    frame = case.study.frame
    places = case.places(numbers > 0)
    if frame is None or not len(places):
        return 0.0
    here = tuple((places - case.start).T)
    number, tissue = numbers[here], mask[here]
    right = frame.midplane.distance_mm(places * case.study.grid.spacing_mm)
    home = np.where(np.bincount(number, weights=right > 0) * 2 > np.bincount(number), 1.0, -1.0)[number]
    margin_mm = CROSSING_MARGIN_MM + np.maximum(0.0, -home * shift_mm)
    beyond = number[tissue & (-home * right > margin_mm)]
    return case.ml(np.bincount(beyond, minlength=1).max())


def _crossing(tissue: Tissue) -> str:
    return (
        f"{tissue.name} of one lesion crosses when {CROSSING_LEAST_ML:g} mL lie beyond the mid-plane from its larger "
        f"part by more than {CROSSING_MARGIN_MM:g} mm and the midline shift there; commissures are not traced."
    )


def ependyma(case: Case) -> Reading:
    """F19: only that there is no contact."""
    found = case.positions.get(("depth_to_ventricles", "TC"))
    if found is None:
        return NO_FRAME
    if not isinstance(found.value, int | float):
        return found.reason
    if found.value <= VENTRICLE_MM:
        return (
            f"the core comes within {VENTRICLE_MM:g} mm of the atlas's ventricles, which are too coarse to tell contact"
        )
    told = f"{_ATLAS}: the core keeps more than {VENTRICLE_MM:g} mm from its ventricles; here {found.value:.0f} mm."
    return Answer("no", told, case.source(case.mask(Tissue.NETC, Tissue.ET), Tissue.NETC, Tissue.ET), "coarse")


def cortex(case: Case) -> Reading:
    """F20: only that it is involved."""
    if not case.core.any():
        return "no core was found"
    near = case.ml((_depth_mm(case)[case.core > 0] <= CORTEX_MM).sum())
    if near < CORTEX_LEAST_ML:
        return FEATURES[19].reader
    told = f"At least {CORTEX_LEAST_ML:g} mL of core lie within {CORTEX_MM:g} mm of the outside of the brain mask."
    return Answer("yes", told, case.source(case.core > 0, Tissue.NETC, Tissue.ET), "coarse")


def _depth_mm(case: Case) -> NDArray[np.float32]:
    """Return the distance to the outside of the brain in the box, true up to ``CORTEX_MM`` and larger beyond."""
    spacing = case.study.grid.spacing_mm
    pads = [int(np.ceil(CORTEX_MM / s)) + 1 for s in spacing]
    lows = [max(0, b.start - p) for b, p in zip(case.box, pads, strict=True)]
    wide = tuple(slice(low, b.stop + p) for low, b, p in zip(lows, case.box, pads, strict=True))
    depth = ndi.distance_transform_edt(np.pad(case.study.brain[wide], 1), sampling=spacing)
    inner = (slice(1 + b.start - low, 1 + b.stop - low) for low, b in zip(lows, case.box, strict=True))
    return np.asarray(depth[tuple(inner)], dtype=np.float32)


def _mni_mm(case: Case, places: Places, frame: Frame) -> tuple[float, float, float]:
    x, y, z = frame.mni_mm(case.study.grid, places.mean(axis=0))[0]
    return float(x), float(y), float(z)
