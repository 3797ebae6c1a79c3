"""The T2-FLAIR mismatch sign: bright on T2, less so on FLAIR, with a bright rim.

Why it exists: in adults with a glioma that does not enhance, the sign is very specific for IDH-mutant astrocytoma
without 1p/19q codeletion, and seen in fewer than half of them. Readers differ on how much of a tumour must show it, so
that it is computed as a share, and the category is told with its thresholds.

Definition: both images are taken relative to normal tissue (median 0, robust standard deviation 1; brain away from the
tumour and without fluid). A voxel of the tumour is *mismatched* when it is bright on T2 and clearly brighter there than
on FLAIR. The *rim* is what lies near the tumour's edge; of it counts what is brighter on FLAIR than normal tissue and
than the inside.

Source: share of positive T2 minus FLAIR and its thresholds: AJNR Am J Neuroradiol 2024;45:188 (abstract; non-enhancing
gliomas, 71 and 34 patients); how images are scaled there is not in it, so that the thresholds are unverified here. The
other numbers were set on digital patients. Sensitivity and specificity of the sign as read: pooled, of reviews.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import Tissue
from tumorboard.measure.lesions import LEAST_ML
from tumorboard.measure.sources import Files, source_of
from tumorboard.measurement import Measurement
from tumorboard.segment.space import depth_in, distance_to
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Grid, box_around

if TYPE_CHECKING:
    from tumorboard.measure.study import Segmented

Mask = NDArray[np.bool_]
Float = NDArray[np.float32]


@dataclass(frozen=True)
class MismatchRules:
    """Numbers of the sign; all are chosen or unverified, none is fitted to patients.

    Parameters
    ----------
    present_percent, partial_percent : float
        Mismatched share of the tumour from which the sign is present, or partial.
    rim_percent : float
        Share of the rim that must be bright; less, and the sign is at most partial.
    rim_mm : float
        How thick the rim is.
    bright_sd : float
        Brightness on T2 from which a voxel counts, in robust standard deviations of normal tissue.
    clear_sd, rim_sd : float
        By how much T2 must exceed FLAIR, and the rim the inside on FLAIR.
    apart_mm : float
        Normal tissue keeps this distance from the tumour.
    enhancing_percent : float
        More enhancement than this, and the sign is not read.
    inner_ml, normal_ml : float
        Least volume inside the rim, and of normal tissue.
    """

    present_percent: float = 42.0
    partial_percent: float = 25.0
    rim_percent: float = 20.0
    rim_mm: float = 4.0
    bright_sd: float = 2.0
    clear_sd: float = 1.5
    rim_sd: float = 0.5
    apart_mm: float = 6.0
    enhancing_percent: float = 5.0
    inner_ml: float = 1.0
    normal_ml: float = 10.0


RULES = MismatchRules()

CONTEXT = (
    "Read by eye in adults, its pooled specificity for IDH-mutant astrocytoma without 1p/19q codeletion is 100 %, its "
    "sensitivity 42 %; in children and young adults other gliomas and DNET show it, and here cysts count too"
)
"""What a reader must know. Source: pooled figures of reviews."""

NAMES = (("t2flair_mismatch", "1"), ("t2flair_mismatch_share", "%"), ("t2flair_mismatch_rim", "%"))
"""Names and units of what is measured, of region ``WT``."""


@dataclass(frozen=True)
class Mismatch:
    """What the sign hangs on, in percent: mismatched of the tumour, and bright of its rim."""

    mismatched: float
    rim: float

    def category(self, rules: MismatchRules = RULES) -> str:
        """Return ``present``, ``partial`` (one of the two is incomplete) or ``absent``.

        Examples
        --------
        >>> [Mismatch(share, 20.0).category() for share in (42.0, 41.9, 24.9)]
        ['present', 'partial', 'absent']
        >>> [Mismatch(share, 19.9).category() for share in (42.0, 41.9)]
        ['partial', 'absent']
        """
        rim = self.rim >= rules.rim_percent
        if self.mismatched >= rules.present_percent:
            return "present" if rim else "partial"
        return "partial" if rim and self.mismatched >= rules.partial_percent else "absent"


def t2_flair_mismatch(study: Study, segmented: Segmented, files: Files) -> tuple[Measurement, ...]:
    """Look for the sign in one study.

    Parameters
    ----------
    study : Study
        Prepared.
    segmented : Segmented
        Labels on the study's grid.
    files : Files
        Names for the source.

    Returns
    -------
    tuple of Measurement
        Category, mismatched share of the tumour (%), bright share of its rim (%); all ``proxy``, of region ``WT``.

    Examples
    --------
    >>> from tumorboard.labels import LabelMap
    >>> from tumorboard.measure.study import Segmented
    >>> from tumorboard.volume import Volume
    >>> i, j, k = np.indices((40, 40, 40)) - 20
    >>> r = np.sqrt(i**2 + j**2 + k**2)
    >>> labels = LabelMap.of(np.where(r < 12, np.uint8(2), np.uint8(0)), np.eye(4))
    >>> noise = np.random.default_rng(0).normal(0, 1, r.shape)
    >>> t2, flair = noise + 6 * (r < 12), noise[::-1] + 9 * ((r < 12) & (r >= 10))
    >>> volumes = {Sequence.T2: Volume(t2, labels.grid), Sequence.FLAIR: Volume(flair, labels.grid)}
    >>> found = t2_flair_mismatch(Study("ses-01", volumes, r < 99), Segmented(labels), Files())
    >>> found[0].value, abs(found[1].value / 100 - (10 / 12) ** 3) < 0.03, found[2].value > 50
    ('present', True, True)
    """
    shares = _shares_or_reason(study, segmented)
    if isinstance(shares, str):
        return tuple(Measurement.missing(name, "WT", unit, shares) for name, unit in NAMES)
    whole = segmented.labels.region("WT")
    source = source_of(whole, files.labels, (int(Tissue.NETC), int(Tissue.SNFH), int(Tissue.ET)))
    r = RULES
    told = (
        f"Present from {r.present_percent:g} % mismatched with {r.rim_percent:g} % of the rim bright; partial without "
        f"that rim, or with it from {r.partial_percent:g} % mismatched; thresholds unverified. {CONTEXT}.",
        f"Voxels {r.bright_sd:g} SD above normal tissue on T2, and {r.clear_sd:g} SD farther above it than on FLAIR.",
        f"Of the outer {r.rim_mm:g} mm: voxels {r.rim_sd:g} SD above normal tissue and above the inside on FLAIR.",
    )
    values = (shares.category(), shares.mismatched, shares.rim)
    return tuple(
        Measurement(name=name, region="WT", value=value, unit=unit, method=method, source=source, quality="proxy")
        for (name, unit), value, method in zip(NAMES, values, told, strict=True)
    )


def _shares_or_reason(study: Study, segmented: Segmented) -> Mismatch | str:
    labels, rules = segmented.labels, RULES
    reason = _why_not(study, segmented, rules)
    if reason:
        return reason
    counts = np.bincount(labels.data.ravel(), minlength=5)
    whole = float(counts[Tissue.NETC] + counts[Tissue.SNFH] + counts[Tissue.ET])
    if counts[Tissue.RC] * labels.grid.voxel_volume_ml >= LEAST_ML:
        return "the sign is of untreated tumours, and a resection cavity is there"
    if whole == 0:
        return "no tumour was found"
    if 100.0 * counts[Tissue.ET] > rules.enhancing_percent * whole:
        percent = 100.0 * counts[Tissue.ET] / whole
        return f"the sign is read in tumours that hardly enhance; {percent:.0f} % of this one do"
    t2, flair = (np.asarray(study.volumes[s].data, dtype=np.float32) for s in (Sequence.T2, Sequence.FLAIR))
    return mismatch_shares(t2, flair, labels.region("WT"), study.brain, labels.grid)


def _why_not(study: Study, segmented: Segmented, rules: MismatchRules) -> str:
    lacking = [s.value for s in (Sequence.T2, Sequence.FLAIR) if s not in study.volumes]
    if lacking:
        return f"{' and '.join(lacking)} not given"
    return next((segmented.not_assessable[r] for r in ("WT", "ET") if r in segmented.not_assessable), "")


def mismatch_shares(
    t2: Float, flair: Float, whole: Mask, brain: Mask, grid: Grid, rules: MismatchRules = RULES
) -> Mismatch | str:
    """Return what the sign hangs on, or why it cannot be read.

    Parameters
    ----------
    t2, flair : ndarray of float32, shape (i, j, k)
        Images in any scale.
    whole, brain : ndarray of bool, shape (i, j, k)
        Whole tumour; brain with it.
    grid : Grid
        Of all of them.
    rules : MismatchRules
        Numbers.
    """
    box = box_around(whole)
    if box is None:
        return "no tumour was found"
    normal = _normal(t2, whole, brain, grid, rules)
    if normal.sum() * grid.voxel_volume_ml < rules.normal_ml:
        return f"there are less than {rules.normal_ml:g} mL of normal tissue to compare with"
    depth = depth_in(whole[box], grid.spacing_mm)
    inner, rim = depth > rules.rim_mm, (depth > 0) & (depth <= rules.rim_mm)
    if not rim.any():
        return f"no voxel lies in the outer {rules.rim_mm:g} mm of the tumour: voxels are too large"
    if inner.sum() * grid.voxel_volume_ml < rules.inner_ml:
        return f"less than {rules.inner_ml:g} mL of the tumour lie inside a rim of {rules.rim_mm:g} mm"
    scaled = [_relative(image, normal, box) for image in (t2, flair)]
    if scaled[0] is None or scaled[1] is None:
        return "normal tissue has no contrast on T2 or FLAIR"
    on_t2, on_flair = scaled[0], scaled[1]
    mismatched = (depth > 0) & (on_t2 > rules.bright_sd) & (on_t2 - on_flair > rules.clear_sd)
    bright = rim & (on_flair > max(0.0, float(np.median(on_flair[inner]))) + rules.rim_sd)
    return Mismatch(*(100.0 * float(a.sum()) / float(b.sum()) for a, b in ((mismatched, depth > 0), (bright, rim))))


def _normal(t2: Float, whole: Mask, brain: Mask, grid: Grid, rules: MismatchRules) -> Mask:
    """Return brain that is neither near the tumour nor fluid, nor anything else that is bright on T2."""
    box = box_around(whole)
    normal = brain & ~whole
    if box is not None:
        pads = [int(np.ceil(rules.apart_mm / s)) for s in grid.spacing_mm]
        wide = tuple(slice(max(0, b.start - p), b.stop + p) for b, p in zip(box, pads, strict=True))
        normal[wide] &= distance_to(whole[wide], grid.spacing_mm) > rules.apart_mm
    if normal.any():
        middle, spread = _middle_and_spread(t2[normal])
        normal &= t2 <= middle + rules.bright_sd * spread
    return normal


def _relative(image: Float, normal: Mask, box: tuple[slice, slice, slice]) -> Float | None:
    middle, spread = _middle_and_spread(image[normal])
    if not spread > 0:
        return None
    return np.asarray((image[box] - middle) / spread, dtype=np.float32)


def _middle_and_spread(values: Float) -> tuple[float, float]:
    """Return the median, and the standard deviation that the median absolute deviation stands for."""
    middle = float(np.median(values))
    return middle, 1.4826 * float(np.median(np.abs(values - middle)))
