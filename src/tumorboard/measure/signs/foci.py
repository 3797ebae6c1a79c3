"""How many parts a tumour has, and whether they belong together: F9 and F24.

Why it exists: parts of a label map are no foci. A focus is large enough to be listed and lies outside the oedema of the
others; what enhances apart within the oedema is a satellite. Where components are counted, ragged outlines make both.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from tumorboard.atlas.lobes import MIDLINE_MM
from tumorboard.labels import Tissue
from tumorboard.measure.lesions import BRIDGE_MM, LEAST_ML
from tumorboard.measure.signs.case import Answer, Case, Places, Reading
from tumorboard.measure.signs.whereabouts import lobe_of, right_mm

WIDE_MM = 20.0
"""Gap from which foci are widely separated; chosen, the lexicon gives no number."""

_APART = f"{LEAST_ML:g} mL, more than {2 * BRIDGE_MM:g} mm apart"


def multifocal(case: Case) -> Reading:
    """F9: focal, multifocal or multicentric."""
    foci = _foci(case)
    told = f"Foci: parts of the whole tumour that hold core (any part, where there is no core) of at least {_APART}."
    if len(foci) < 2:
        return Answer("focal", told, case.source(case.data > 0), "proxy")
    if case.study.frame is None:
        return f"of {len(foci)} foci; without the mid-plane of the brain hemispheres and lobes cannot be told"
    apart = any(_apart(case, foci[0], other) for other in foci[1:])
    far = f"Multicentric: in another hemisphere or coarse lobe than the largest, at least {WIDE_MM:g} mm from it"
    told = f"{told} {far}; ways of spread are not traced."
    return Answer("multicentric" if apart else "multifocal", told, case.source(case.data > 0), "proxy")


def satellites(case: Case) -> Reading:
    """F24: enhancing parts apart from the largest core, within the same abnormality."""
    home = np.bincount(case.whole[case.core == 1], minlength=2)[1:].argmax() + 1
    last = int(case.core.max(initial=0)) + 1
    enhancing_ml = np.bincount(case.core[case.mask(Tissue.ET)], minlength=last) * case.ml(1)
    near = np.bincount(case.core[case.whole == home], minlength=last) > 0
    found = np.flatnonzero(near & (enhancing_ml >= LEAST_ML))
    found = found[found > 1]
    told = f"Enhancing parts of at least {_APART} from the largest part of the core, in the oedema around it."
    mask = np.isin(case.core, found) if len(found) else case.core > 0
    return Answer("yes" if len(found) else "no", told, case.source(mask, Tissue.ET))


def _foci(case: Case) -> list[Places]:
    """Return the voxels of each focus (of its core, where any focus has one), the largest first."""
    places = case.places(case.core > 0 if case.core.any() else case.whole > 0)
    number = case.whole[tuple((places - case.start).T)]
    order = np.argsort(number, kind="stable")
    ends = np.flatnonzero(np.diff(number[order])) + 1
    return sorted((part for part in np.split(places[order], ends) if len(part)), key=len, reverse=True)


def _apart(case: Case, main: Places, other: Places) -> bool:
    """Say whether a focus is widely separated from the main one."""
    return (_opposite(case, main, other) or _other_lobe(case, main, other)) and _gap_mm(case, main, other) >= WIDE_MM


def _opposite(case: Case, main: Places, other: Places) -> bool:
    one, two = right_mm(case, main) or 0.0, right_mm(case, other) or 0.0
    return one * two < 0 and min(abs(one), abs(two)) > MIDLINE_MM


def _other_lobe(case: Case, main: Places, other: Places) -> bool:
    one, two = lobe_of(case, main), lobe_of(case, other)
    return one is not None and two is not None and one.lobe != two.lobe


def _gap_mm(case: Case, main: Places, other: Places) -> float:
    spacing = np.asarray(case.study.grid.spacing_mm)
    gap, _ = cKDTree(main * spacing).query(other * spacing)
    return float(np.min(gap))
