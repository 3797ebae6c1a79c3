"""``fuzzy``: unsupervised segmentation by fuzzy clustering, asymmetry and the T1C-T1 difference.

Why it exists: out of the box, with no training and nobody's data, a tumour is outlined; the same
interface carries learned networks later. It refuses to guess where its sequences are missing: without
FLAIR and T2 nothing is segmented, without T1C no enhancing tumour is.

Source of the idea: Blessy SA, Sulochana CH. Performance analysis of unsupervised optimal fuzzy
clustering algorithm for MRI brain tumor segmentation. Technol Health Care 2015;23:23-35. The number of
clusters is chosen so that the brightest is abnormal; asymmetry and the second, local clustering are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.errors import InputError
from tumorboard.labels import LabelMap, Tissue
from tumorboard.segment.asymmetry import asymmetry, smooth_inside
from tumorboard.segment.base import Card, Segmentation, Validity
from tumorboard.segment.clustering import fuzzy_c_means, memberships
from tumorboard.segment.space import (
    close_mm,
    depth_in,
    distance_to,
    drop_small,
    enclosing_planes,
    open_mm,
    parts,
    touching,
)
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.transform import Plane
from tumorboard.volume import Grid, Volume, box_around

Mask = NDArray[np.bool_]
Float = NDArray[np.float32]


@dataclass(frozen=True)
class FuzzySettings:
    """Every number of the method. Intensities are in robust standard deviations of the brain.

    Chosen on the five expert-labelled cases that ``benchmarks/segment_real.py`` prints and on nine digital
    studies (enhancement and core also on one case with automatic labels); so those figures are no
    independent test. ``normal_centre`` is the upper quartile of a
    normal distribution: bright normal tissue.
    """

    smooth_mm: float = 1.5
    clusters: tuple[int, ...] = (3, 4, 5, 6, 7, 8, 10, 12)
    clear_clusters: int = 6
    abnormal_intensity: float = 1.4
    abnormal_asymmetry: float = 0.7
    abnormal_together: float = 2.5
    surface_mm: float = 3.0
    normal_centre: float = 0.67
    lesion_centre: float = 0.6
    least_contrast: float = 0.6
    reach_mm: float = 6.0
    second_lesion_share: float = 0.01
    least_lesion_ml: float = 0.1
    enhancing_reach_mm: float = 2.0
    enhancing_clip: float = 3.0
    enhancing_least: float = 1.0
    least_enhancing_ml: float = 0.05
    core_closing_mm: float = 6.0
    sample_every: int = 23


ENCLOSED = 0.75
"""Membership given to what a lesion encloses although it is not bright itself; chosen."""

NOTHING_ABNORMAL = "no tissue is both bright and one-sided: no tumour, or none that this method can see"
NOTHING_LARGE = "what is bright and one-sided is too small or too near the surface to be called tumour"
FAINT = "the tumour is small or faint beside normal tissue; its outline is less certain"
WITHOUT_T1C = "T1C was not given, and enhancing tumour cannot be seen without it"

CARD = Card(
    id="fuzzy",
    version="1",
    title="Unsupervised fuzzy clustering with left-right asymmetry and T1C-T1 difference",
    citation="Blessy SA, Sulochana CH. Technol Health Care 2015;23:23-35 (fuzzy clustering); Bezdek JC et al. "
    "Comput Geosci 1984;10:191-203 (fuzzy c-means).",
    method="Voxels of FLAIR (else T2) and their left-right asymmetry were clustered by fuzzy c-means with as many "
    "clusters as it took for the brightest to be abnormal; lesions were grown from it by a second, local "
    "clustering. Enhancing tumour is the bright cluster of T1C and T1C-T1 within the lesion; what it encloses "
    "is NETC; the rest is SNFH.",
    limits="No training. Lesions that are not bright on FLAIR, small metastases without oedema, symmetric disease "
    "and resection cavities are missed; non-enhancing core that enhancing tumour does not enclose is called SNFH.",
    needs_any=(Sequence.FLAIR, Sequence.T2),
)


class FuzzySegmenter:
    """The method ``fuzzy``; see the module.

    Parameters
    ----------
    settings : FuzzySettings, optional
        Every number of the method.

    Examples
    --------
    >>> FuzzySegmenter().card.id
    'fuzzy'
    """

    card = CARD

    def __init__(self, settings: FuzzySettings | None = None) -> None:
        self.settings = settings or FuzzySettings()

    def segment(self, study: Study) -> Segmentation:
        """Segment one prepared study.

        Raises
        ------
        InputError
            The study has not been prepared (no midline).
        """
        if study.frame is None:
            raise InputError("a prepared study with its midline", got="none", where=study.id, remedy="prepare it first")
        if not any(s in study.volumes for s in self.card.needs_any):
            return self._nothing(study)
        box = box_around(study.brain)
        if box is None:
            raise InputError("a brain mask that holds a voxel", got="an empty one", where=study.id)
        work = _Work.crop(study, box, self.settings)
        lesion, membership, reasons = _whole_tumour(work)
        enhancing, et_membership = _enhancing(work, lesion)
        labels = _label(work, lesion, enhancing)
        missing = {"RC": "this method does not look for cavities"}
        if Sequence.T1C not in study.volumes:
            missing |= dict.fromkeys(("ET", "NETC", "TC"), WITHOUT_T1C)
        maps = {"WT": membership} | ({"ET": et_membership} if Sequence.T1C in study.volumes else {})
        return Segmentation(
            labels=LabelMap(_uncrop(labels, study.grid, box), study.grid),
            probabilities={n: Volume(_uncrop(m, study.grid, box), study.grid) for n, m in maps.items()},
            validity=_validity(study, reasons),
            card=self.card,
            not_assessable=missing,
        )

    def _nothing(self, study: Study) -> Segmentation:
        reason = "neither FLAIR nor T2 was given"
        empty = LabelMap(np.zeros(study.grid.shape, dtype=np.uint8), study.grid)
        regions = ("ET", "NETC", "SNFH", "RC", "TC", "WT")
        return Segmentation(empty, {}, Validity(0.0, (reason,)), self.card, dict.fromkeys(regions, reason))


@dataclass(frozen=True)
class _Work:
    """The study cut to the brain's box: what the steps below share."""

    images: dict[Sequence, Float]
    brain: Mask
    depth: Float
    grid: Grid
    midplane: Plane
    settings: FuzzySettings

    @classmethod
    def crop(cls, study: Study, box: tuple[slice, ...], settings: FuzzySettings) -> _Work:
        frame = study.frame
        if frame is None:  # the caller has refused this already
            raise InputError("a prepared study")
        images = {s: np.asarray(v.data[box], dtype=np.float32) for s, v in study.volumes.items()}
        brain = study.brain[box]
        i, j, k = brain.shape
        start = np.array([s.start for s in box]) * study.grid.spacing_mm
        offset = frame.midplane.offset_mm - float(np.dot(frame.midplane.normal, start))
        grid = Grid((i, j, k), np.diag([*study.grid.spacing_mm, 1.0]))
        plane = Plane(frame.midplane.normal, offset)
        return cls(images, brain, depth_in(brain, grid.spacing_mm), grid, plane, settings)


def _uncrop(data: NDArray[Any], grid: Grid, box: tuple[slice, ...]) -> NDArray[Any]:
    full = np.zeros(grid.shape, dtype=data.dtype)
    full[box] = data
    return full


def _whole_tumour(work: _Work) -> tuple[Mask, Float, tuple[str, ...]]:
    """Return the whole tumour, its membership map, and what speaks against it."""
    s, spacing = work.settings, work.grid.spacing_mm
    bright = smooth_inside(_oedema_image(work), work.brain, s.smooth_mm, work.grid)
    uneven = asymmetry(bright, work.brain, work.grid, work.midplane)
    features = np.stack([bright[work.brain], uneven[work.brain]], axis=1).astype(np.float64)
    centres = _abnormal_clusters(features[:: s.sample_every], s)
    nothing = np.zeros(work.brain.shape, dtype=bool)
    if centres is None:
        return (
            nothing,
            nothing.astype(np.float32),
            (NOTHING_ABNORMAL,),
        )
    abnormal = np.zeros(work.brain.shape, dtype=np.float32)
    abnormal[work.brain] = memberships(features, centres)[:, -1]
    abnormal = smooth_inside(abnormal, work.brain, 1.0, work.grid)
    seeds = open_mm((abnormal > 0.5) & (work.depth > s.surface_mm), sorted(spacing)[1], spacing)
    seeds = _largest_lesions(seeds, abnormal * np.clip(uneven, 0, 5), work)
    if not seeds.any():
        return (
            nothing,
            abnormal,
            (NOTHING_LARGE,),
        )
    faint = (FAINT,) if len(centres) > s.clear_clusters else ()
    return *_grow(work, bright, seeds), faint


def _oedema_image(work: _Work) -> Float:
    """FLAIR, else T2 with fluid taken out where T1 (or T1C) is dark."""
    if Sequence.FLAIR in work.images:
        return work.images[Sequence.FLAIR]
    t2 = work.images[Sequence.T2].copy()
    anatomy = work.images.get(Sequence.T1, work.images.get(Sequence.T1C))
    if anatomy is not None:
        t2[anatomy < -2.0] = 0.0
    return t2


def _abnormal_clusters(features: NDArray[np.float64], s: FuzzySettings) -> NDArray[np.float64] | None:
    """Return centres of the first clustering whose brightest cluster is abnormal, or None."""
    for clusters in s.clusters:
        centres = fuzzy_c_means(features, clusters)
        intensity, uneven = centres[-1]
        enough = intensity >= s.abnormal_intensity and uneven >= s.abnormal_asymmetry
        if enough and intensity + uneven >= s.abnormal_together:
            return centres
    return None


def _largest_lesions(seeds: Mask, weight: Float, work: _Work) -> Mask:
    """Keep the lesion that weighs most and those that weigh a share of it."""
    labelled, n = parts(seeds)
    weights = np.bincount(labelled.ravel(), weights=weight.ravel(), minlength=n + 1)
    volumes = np.bincount(labelled.ravel(), minlength=n + 1) * work.grid.voxel_volume_ml
    weights[0] = 0.0
    keep = (weights >= work.settings.second_lesion_share * weights.max()) & (volumes >= work.settings.least_lesion_ml)
    keep[0] = False
    return np.asarray(keep[labelled])


def _grow(work: _Work, bright: Float, seeds: Mask) -> tuple[Mask, Float]:
    """Second clustering: bright normal tissue against this lesion, both centres fixed."""
    s = work.settings
    reach = max((float(bright[seeds].mean()) - s.normal_centre) * s.lesion_centre, s.least_contrast)
    value = np.clip(bright - s.normal_centre, 0.0, reach).astype(np.float64)
    near = distance_to(seeds, work.grid.spacing_mm) < s.reach_mm
    membership = (value**2 / (value**2 + (reach - value) ** 2)).astype(np.float32)
    membership *= near & work.brain
    lesion = np.asarray(ndi.binary_fill_holes(touching((membership > 0.5) | seeds, seeds))) & work.brain
    enclosed = lesion & (membership <= 0.5)
    return lesion, np.where(enclosed, np.float32(ENCLOSED), membership)


def _enhancing(work: _Work, lesion: Mask) -> tuple[Mask, Float]:
    """Return enhancing tumour in and at the lesion, and its membership."""
    s, spacing = work.settings, work.grid.spacing_mm
    membership = np.zeros(lesion.shape, dtype=np.float32)
    if Sequence.T1C not in work.images or not lesion.any():
        return np.zeros(lesion.shape, dtype=bool), membership
    after = smooth_inside(work.images[Sequence.T1C], work.brain, 0.5, work.grid)
    away = distance_to(lesion, spacing)
    normal = work.brain & (away > 5.0)
    gain = after
    if Sequence.T1 in work.images:
        gain = after - smooth_inside(work.images[Sequence.T1], work.brain, 0.5, work.grid)
    low, middle, high = np.percentile(gain[normal], (25, 50, 75)) if normal.any() else (-0.67, 0.0, 0.67)
    gain = np.asarray((gain - middle) / max((high - low) / 1.349, 1e-3), dtype=np.float32)
    where = (away <= s.enhancing_reach_mm) & work.brain & (work.depth > s.surface_mm)
    features = np.clip(np.stack([gain[where], after[where]], axis=1), -4.0, s.enhancing_clip).astype(np.float64)
    if len(features) < 50:
        return np.zeros(lesion.shape, dtype=bool), membership
    centres = fuzzy_c_means(features[:: max(1, s.sample_every // 2)], 3)
    if centres[-1, 0] < s.enhancing_least:
        return np.zeros(lesion.shape, dtype=bool), membership
    membership[where] = memberships(features, centres)[:, -1]
    return drop_small(membership > 0.5, s.least_enhancing_ml, spacing), membership


def _label(work: _Work, lesion: Mask, enhancing: Mask) -> NDArray[np.uint8]:
    """Put the classes together: SNFH, then NETC enclosed by ET, then ET."""
    labels = np.zeros(lesion.shape, dtype=np.uint8)
    labels[lesion] = Tissue.SNFH
    if enhancing.any():
        closed = close_mm(enhancing, work.settings.core_closing_mm, work.grid.spacing_mm)
        planes = enclosing_planes(closed) * work.brain
        labels[(planes >= 1) & lesion] = Tissue.NETC
        labels[planes >= 2] = Tissue.NETC  # a cyst is dark on FLAIR and lies outside the lesion so far
        labels[enhancing] = Tissue.ET
    return labels


def _validity(study: Study, reasons: tuple[str, ...]) -> Validity:
    told = list(reasons)
    if Sequence.FLAIR not in study.volumes:
        told.append("FLAIR was not given; T2 took its place, which confuses fluid with oedema")
    return Validity(max(0.0, 1.0 - 0.5 * len(told)), tuple(told))
