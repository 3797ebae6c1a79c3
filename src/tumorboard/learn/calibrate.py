"""What a network's outputs are worth: temperature, weight of the fine pass, intervals, predicted Dice, usual input.

Why it exists: a network is trained to be right, not to know how often it is. Everything here is estimated on digital
patients that it did not learn from, scanned by the simulator's sites rather than drawn by the training's generator,
and stored in the bundle.

Source of the temperature: Guo C et al., ICML 2017:1321-1330.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from tumorboard.labels import REGIONS, LabelMap
from tumorboard.learn.judged import JUDGED, Judged, calibration_of, judged
from tumorboard.networks.bundle import Bundle, Calibration, Metadata
from tumorboard.segment.decision import decided
from tumorboard.segment.learned import LearnedSegmenter, Options, Seen, log_softmax, softmax, tissues, without_t1c
from tumorboard.segment.likeness import quantiles, usual
from tumorboard.sequences import Sequence
from tumorboard.study import Study

Float = NDArray[np.float32]

VOXELS = 20_000
"""Voxels of a study on which the temperature is fitted: half of them where there is tumour or suspicion of it."""

TEMPERED = 26
"""Studies that temperature and usual intensities are estimated from. They are kept until then, some 90 MB each at 1 mm;
all others are judged one by one."""


@dataclass(frozen=True)
class Calibrated:
    """What was estimated, and from what.

    Parameters
    ----------
    calibration : Calibration
        For the bundle.
    rows : tuple of Judged
        One a study and region.
    """

    calibration: Calibration
    rows: tuple[Judged, ...]


@dataclass(frozen=True)
class _Look:
    """One study as the network saw it, with the truth in the same box; logits in half precision."""

    seen: Seen
    truth: NDArray[np.uint8]
    spacing_mm: tuple[float, float, float]


def calibrate(bundle: Bundle, cases: Iterable[tuple[Study, LabelMap]], options: Options | None = None) -> Calibrated:
    """Estimate a bundle's calibration.

    Parameters
    ----------
    bundle : Bundle
        Trained.
    cases : iterable of (Study, LabelMap)
        Prepared digital studies and their truth on the study's grid. The first :data:`TEMPERED` are looked at before
        any is judged; beyond them memory does not grow.
    options : Options, optional
        How the networks are run.

    Returns
    -------
    Calibrated
    """
    meta = bundle.metadata
    plain = Calibration(fine_weight=meta.calibration.fine_weight)
    bare = Bundle(meta.model_copy(update={"calibration": plain}), bundle.weights)
    segmenter = LearnedSegmenter(bare, options)
    looks = (_looked(segmenter, *case) for case in cases)
    first = list(islice(looks, TEMPERED))
    temperature = _temperature(first)
    by_study = [_judged(meta, look, temperature) for look in chain(first, looks)]
    own = {
        "temperature": {p.name: temperature for p in meta.passes},
        "fine_weight": plain.fine_weight,
        "quantiles": _usual(first, meta.sequences),
    }
    rows = tuple(row for study in by_study for row in study)
    return Calibrated(calibration_of(by_study).model_copy(update=own), rows)


def _looked(segmenter: LearnedSegmenter, study: Study, truth: LabelMap) -> _Look:
    seen = segmenter.look(study)
    return _Look(replace(seen, logits=seen.logits.astype(np.float16)), truth.data[seen.box], study.grid.spacing_mm)


def _temperature(looks: list[_Look]) -> float:
    logits, classes = [], []
    for look in looks:
        seen = look.seen
        some = _sampled(seen.logits.astype(np.float32), look.truth, seen.brain)
        logits.append(seen.logits.reshape(len(seen.logits), -1)[:, some].astype(np.float32))
        classes.append(look.truth.ravel()[some])
    return fitted_temperature(np.concatenate(logits, axis=1), np.concatenate(classes))


def _usual(looks: list[_Look], sequences: tuple[Sequence, ...]) -> dict[str, tuple[tuple[float, float], ...]]:
    """Return what is usual of each sequence that at least three studies have."""
    out: dict[str, tuple[tuple[float, float], ...]] = {}
    for n, sequence in enumerate(sequences):
        heard = [quantiles(look.seen.images[n], look.seen.brain) for look in looks if look.seen.images[n].any()]
        out |= {sequence.value: usual(heard)} if len(heard) > 2 else {}
    return out


def _sampled(logits: Float, truth: NDArray[np.uint8], brain: NDArray[np.bool_]) -> NDArray[np.int64]:
    rng = np.random.default_rng(0)
    near = (truth > 0) | ((softmax(logits)[0] < 0.98) & brain)
    picked = []
    for mask in (near, brain & ~near):
        at = np.flatnonzero(mask)
        picked.append(rng.choice(at, min(len(at), VOXELS // 2), replace=False))
    return np.concatenate(picked)


def fitted_temperature(logits: Float, classes: NDArray[np.uint8]) -> float:
    """Return the temperature with the least cross entropy.

    Parameters
    ----------
    logits : ndarray of float32, shape (classes, n)
        Of voxels.
    classes : ndarray of uint8, shape (n,)
        Truth.

    Returns
    -------
    float

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> true = rng.normal(size=(2, 4000)).astype(np.float32) * 2
    >>> p = 1 / (1 + np.exp(true[0] - true[1]))
    >>> classes = (rng.random(4000) < p).astype(np.uint8)
    >>> 2.6 < fitted_temperature(3 * true, classes) < 3.4
    True
    """
    at = np.arange(len(classes))

    def entropy(log_t: float) -> float:
        return -float(log_softmax(logits / np.float32(np.exp(log_t)))[classes, at].mean())

    return float(np.exp(minimize_scalar(entropy, bounds=(-1.5, 2.0), method="bounded").x))


def _judged(meta: Metadata, look: _Look, temperature: float) -> list[Judged]:
    """Compare with the truth what the network could look for."""
    seen = replace(look.seen, logits=look.seen.logits.astype(np.float32))
    probabilities = tissues(seen, meta, look.spacing_mm, temperature)
    found = decided(probabilities, (probabilities[0] < 0.5) & seen.brain, look.spacing_mm)
    ml = float(np.prod(look.spacing_mm)) / 1000.0
    blind = without_t1c(seen, meta)
    rows = []
    for region in (r for r in JUDGED if not (blind and r == "ET")):
        classes = [int(t) for t in REGIONS[region]]
        probability = probabilities[classes].sum(axis=0)
        rows.append(judged(region, probability, (np.isin(found, classes), np.isin(look.truth, classes)), ml))
    return rows
