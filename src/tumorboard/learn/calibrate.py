"""What a network's outputs are worth: temperature, weight of the fine pass, intervals, predicted Dice, usual input.

Why it exists: a network is trained to be right, not to know how often it is. Everything here is estimated on digital
patients that it did not learn from, scanned by the simulator's sites rather than drawn by the training's generator,
and stored in the bundle.

Source of the temperature: Guo C et al., ICML 2017:1321-1330.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from tumorboard.labels import REGIONS, LabelMap
from tumorboard.learn.judged import JUDGED, Judged, dice_weights, judged, stretch
from tumorboard.networks.bundle import Bundle, Calibration
from tumorboard.segment.calibrated import OFFSET_ML
from tumorboard.segment.decision import decided
from tumorboard.segment.learned import LearnedSegmenter, Options, Seen, log_softmax, softmax, tissues
from tumorboard.segment.likeness import quantiles, usual
from tumorboard.study import Study

Float = NDArray[np.float32]

VOXELS = 20_000
"""Voxels of a study on which the temperature is fitted: half of them where there is tumour or suspicion of it."""


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


def calibrate(bundle: Bundle, cases: Iterable[tuple[Study, LabelMap]], options: Options | None = None) -> Calibrated:
    """Estimate a bundle's calibration.

    All studies are looked at before any is judged, so what was seen of each is kept: some 90 MB at 1 mm.

    Parameters
    ----------
    bundle : Bundle
        Trained.
    cases : iterable of (Study, LabelMap)
        Prepared digital studies and their truth on the study's grid.
    options : Options, optional
        How the networks are run.

    Returns
    -------
    Calibrated
    """
    plain = Calibration(fine_weight=bundle.metadata.calibration.fine_weight)
    bare = Bundle(bundle.metadata.model_copy(update={"calibration": plain}), bundle.weights)
    segmenter = LearnedSegmenter(bare, options)
    logits, classes, kept = [], [], []
    heard: dict[str, list[NDArray[np.float64]]] = {s.value: [] for s in bundle.metadata.sequences}
    for study, truth in cases:
        seen = segmenter.look(study)
        for n, sequence in enumerate(bundle.metadata.sequences):
            if seen.images[n].any():
                heard[sequence.value].append(quantiles(seen.images[n], seen.brain))
        inside = truth.data[seen.box]
        some = _sampled(seen.logits, inside, seen.brain)
        logits.append(seen.logits.reshape(len(seen.logits), -1)[:, some])
        classes.append(inside.ravel()[some])
        kept.append((replace(seen, logits=seen.logits.astype(np.float16)), inside, study.grid.spacing_mm))
    temperature = fitted_temperature(np.concatenate(logits, axis=1), np.concatenate(classes))
    rows = tuple(row for case in kept for row in _judged(bundle, *case, temperature))
    low, high = stretch(rows)
    return Calibrated(
        Calibration(
            temperature={p.name: temperature for p in bundle.metadata.passes},
            fine_weight=plain.fine_weight,
            volume_low=low,
            volume_high=high,
            offset_ml=OFFSET_ML,
            dice=dice_weights(rows),
            quantiles={s: usual(v) for s, v in heard.items() if len(v) > 2},
            patients=len(kept),
        ),
        rows,
    )


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


def _judged(
    bundle: Bundle,
    seen: Seen,
    truth: NDArray[np.uint8],
    spacing_mm: tuple[float, float, float],
    temperature: float,
) -> list[Judged]:
    plain = replace(seen, logits=seen.logits.astype(np.float32))
    probabilities = tissues(plain, bundle.metadata, spacing_mm, temperature)
    found = decided(probabilities, (probabilities[0] < 0.5) & seen.brain, spacing_mm)
    ml = float(np.prod(spacing_mm)) / 1000.0
    rows = []
    for region in JUDGED:
        classes = [int(t) for t in REGIONS[region]]
        probability = probabilities[classes].sum(axis=0)
        rows.append(judged(region, probability, (np.isin(found, classes), np.isin(truth, classes)), ml))
    return rows
