"""Segmentation by a trained network: a coarse pass over the head finds the lesion, a fine one looks only there.

Why it exists: what a network gives is not enough. It must come with calibrated probabilities, with what its input has
in common with what it learned from, and with what it cannot know: without T1C no enhancing tumour. It refuses a study
with none of its sequences, and images that are constant or not finite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.errors import InputError, IntensityError
from tumorboard.labels import REGIONS, LabelMap, Tissue
from tumorboard.networks.bundle import Bundle, Metadata, Pass
from tumorboard.networks.grid import from_network, to_network
from tumorboard.networks.runtime import Choice, chosen_backend
from tumorboard.networks.sliding import Run, slide
from tumorboard.prepare.intensity import IQR_TO_SD
from tumorboard.segment.base import Card, Segmentation, Validity
from tumorboard.segment.calibrated import told
from tumorboard.segment.decision import decided
from tumorboard.segment.likeness import likeness
from tumorboard.segment.sharpened import sharpened
from tumorboard.segment.space import LEAST_ML, drop_small
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Volume, box_around

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]
Box = tuple[slice, slice, slice]

LOWEST, HIGHEST = -6.0, 12.0
"""Normalised values are cut off here, in use and in training."""

LOOK_AT = 0.15
"""Coarse probability of any tumour from which the fine pass looks; chosen low, since it misses nothing."""

MARGIN_MM = 10.0
"""Room around such voxels."""

COARSE_GRID = 1.8
"""Voxels more than this times those of the fine pass carry nothing that it could refine."""


FINER = 0.8
"""A study whose voxels are at most so many times those of the finest pass shows more than the networks saw."""

INSIDE = (Tissue.NETC, Tissue.SNFH, Tissue.ET)
"""Tissues of the tumour, told apart by their intensities too."""


@dataclass(frozen=True)
class Options:
    """How a network is run.

    Parameters
    ----------
    mirror : bool
        Average with the left-right mirror image: twice the time, a little better.
    backend : str
        A way of :data:`tumorboard.networks.runtime.choose.BACKENDS`; empty: the fastest that agrees.
    windows : int
        How many windows will be run in all: a server's warm segmenter may afford what a single study cannot.
    """

    mirror: bool = False
    backend: str = ""
    windows: int = 10


@dataclass(frozen=True)
class Seen:
    """What networks saw and said in the box around the brain.

    Parameters
    ----------
    box : tuple of slice
        On the study's grid.
    images : ndarray of float32, shape (sequences, i, j, k)
        As the networks got them, on the study's grid.
    brain : ndarray of bool, shape (i, j, k)
        Mask.
    logits : ndarray of float32, shape (classes, i, j, k)
        Divided by the temperature; background first.
    """

    box: Box
    images: Float
    brain: Mask
    logits: Float


class LearnedSegmenter:
    """A bundle that is loaded and ready; keep it for many studies.

    Parameters
    ----------
    bundle : Bundle
        Trained networks.
    options : Options, optional
        How they are run.

    Examples
    --------
    >>> from tumorboard.networks.bundle import read_bundle, shipped
    >>> LearnedSegmenter(read_bundle(shipped("glioma"))).card.id
    'glioma'
    """

    def __init__(self, bundle: Bundle, options: Options | None = None) -> None:
        self.bundle, self.options = bundle, options or Options()
        self.card = card_of(bundle)
        self.choices: dict[str, Choice] = {}
        self._runs: dict[str, Run] = {}

    def segment(self, study: Study) -> Segmentation:
        """Segment one prepared study.

        Raises
        ------
        InputError
            The brain mask is empty.
        IntensityError
            A sequence is constant or not finite.
        """
        meta = self.bundle.metadata
        if not any(s in study.volumes for s in meta.needs_any):
            return _nothing(study, self.card)
        seen = self.look(study)
        like = likeness(seen.images, seen.brain, meta.sequences, meta.calibration)
        return self._told(study, seen, like)

    def look(self, study: Study) -> Seen:
        """Return what the networks see and say, before anything is decided.

        Raises
        ------
        InputError
            The brain mask is empty.
        IntensityError
            A sequence is constant or not finite.
        """
        box = box_around(study.brain)
        if box is None:
            raise InputError("a brain mask that holds a voxel", got="an empty one", where=study.id)
        images, brain = _images(study, box, self.bundle.metadata.sequences), study.brain[box]
        return Seen(box, images, brain, self._logits(images, brain, study.grid.spacing_mm))

    def _logits(self, images: Float, brain: Mask, spacing: tuple[float, float, float]) -> Float:
        """Return calibrated logits of background and classes on the box's grid."""
        coarse, *finer = self.bundle.metadata.passes
        logits = from_network(self._run(coarse, images, brain, spacing), brain.shape, spacing, coarse.spacing_mm)
        for fine in finer:
            if max(spacing) > COARSE_GRID * fine.spacing_mm:
                continue
            suspect = _suspect(softmax(logits), brain, spacing)
            where = box_around(suspect)
            if where is None:
                continue
            part = logits[(slice(None), *where)]
            inner = self._run(fine, images[(slice(None), *where)], brain[where], spacing, (suspect[where], part))
            weight = np.float32(self.bundle.metadata.calibration.fine_weight)
            part *= 1 - weight
            part += weight * from_network(inner, suspect[where].shape, spacing, fine.spacing_mm)
        return logits

    def _run(
        self,
        step: Pass,
        images: Float,
        brain: Mask,
        spacing: tuple[float, float, float],
        again: tuple[Mask, Float] | None = None,
    ) -> Float:
        """Return one pass's logits, divided by its temperature, on the network's grid.

        A second look is told where to look, and what was said before; that is kept where no window was.
        """
        scaled = np.stack([to_network(image, spacing, step.spacing_mm) for image in images])
        inside = to_network(brain, spacing, step.spacing_mm) > 0.5
        scaled *= inside
        tempered = np.float32(self.bundle.metadata.calibration.temperature.get(step.name, 1.0))
        wanted, rest = inside, None
        if again is not None:
            wanted = to_network(again[0], spacing, step.spacing_mm) > 0.5
            rest = np.stack([to_network(m * tempered, spacing, step.spacing_mm) for m in again[1]])
        run = self._ready(step)
        logits = slide(run, scaled, step.window, step.architecture.classes, wanted, rest)
        if self.options.mirror:
            turned = None if rest is None else rest[:, ::-1]
            flipped = slide(run, scaled[:, ::-1], step.window, step.architecture.classes, wanted[::-1], turned)
            logits = np.asarray((logits + flipped[:, ::-1]) / 2, dtype=np.float32)
        return np.asarray(logits / tempered)

    def _ready(self, step: Pass) -> Run:
        if step.name not in self._runs:
            channels, multiple = step.architecture.channels, step.architecture.multiple
            small = (min(n, max(2 * multiple, n // 2 // multiple * multiple)) for n in step.window)
            network, options = self.bundle.network(step.name), self.options
            shape, trial = (channels, *step.window), (channels, *small)
            run, choice = chosen_backend(network, shape, options.backend, options.windows, trial)
            self._runs[step.name], self.choices[step.name] = run, choice
        return self._runs[step.name]

    def _told(self, study: Study, seen: Seen, like: Validity) -> Segmentation:
        missing, calibration = {}, self.bundle.metadata.calibration
        tissue, box = tissues(seen, self.bundle.metadata, study.grid.spacing_mm), seen.box
        if Sequence.T1C not in study.volumes:
            missing = dict.fromkeys(("ET", "NETC"), WITHOUT_T1C)
        labels = decided(tissue, (tissue[0] < 0.5) & seen.brain, study.grid.spacing_mm)
        full = np.zeros(study.grid.shape, dtype=np.uint8)
        full[box] = labels
        found = {}
        for region in (r for r in ("WT", "TC", "ET", "RC") if r not in missing):
            classes = [int(t) for t in REGIONS[region]]
            found[region] = (tissue[classes].sum(axis=0), np.isin(labels, classes))
        maps = {region: _whole(probability, study, box) for region, (probability, _) in found.items()}
        intervals, dices = told(found, study.grid.voxel_volume_ml, calibration)
        return Segmentation(LabelMap(full, study.grid), maps, like, self.card, missing, intervals, dices)


def tissues(seen: Seen, meta: Metadata, spacing_mm: tuple[float, float, float], temperature: float = 1.0) -> Float:
    """Return the probabilities that are decided by: what the networks said, sharpened where the study is finer.

    Without T1C what looks like enhancing tumour is core, and no more can be said.

    Parameters
    ----------
    seen : Seen
        By the networks.
    meta : Metadata
        Of their bundle.
    spacing_mm : (float, float, float)
        Of the study.
    temperature : float
        By which the logits are still to be divided.

    Returns
    -------
    ndarray of float32, shape (classes, i, j, k)
    """
    tissue = softmax(seen.logits / np.float32(temperature))
    if without_t1c(seen, meta):
        tissue[Tissue.NETC] += tissue[Tissue.ET]
        tissue[Tissue.ET] = 0
    if max(spacing_mm) > FINER * min(p.spacing_mm for p in meta.passes):
        return tissue
    return sharpened(tissue, seen.images, seen.brain, INSIDE)


def without_t1c(seen: Seen, meta: Metadata) -> bool:
    """Return whether T1C is among the networks' sequences but was not given, so that enhancement cannot be seen."""
    return Sequence.T1C in meta.sequences and not seen.images[meta.sequences.index(Sequence.T1C)].any()


WITHOUT_T1C = "T1C was not given, and enhancing tumour cannot be seen without it"


def card_of(bundle: Bundle) -> Card:
    """Return a bundle's card, as outputs cite it."""
    meta = bundle.metadata
    passes = " and ".join(f"{p.name} at {p.spacing_mm:g} mm" for p in meta.passes)
    return Card(
        id=meta.id,
        version=f"{meta.version}+{meta.weights_sha256[:8]}",
        title=meta.title,
        citation=meta.citation,
        method=f"The network looked at the images ({passes}). {meta.training}",
        limits=meta.limits,
        needs_any=meta.needs_any,
    )


def softmax(logits: Float) -> Float:
    """Return probabilities along the first axis."""
    shifted = np.exp(logits - logits.max(axis=0))
    return np.asarray(shifted / shifted.sum(axis=0), dtype=np.float32)


def log_softmax(logits: Float) -> Float:
    """Return logarithms of probabilities along the first axis."""
    shifted = logits - logits.max(axis=0)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=0)), dtype=np.float32)


def _images(study: Study, box: Box, sequences: tuple[Sequence, ...]) -> Float:
    """Return the box of all channels, a missing sequence as 0."""
    brain = study.brain[box]
    out = np.zeros((len(sequences), *brain.shape), dtype=np.float32)
    for n, sequence in enumerate(sequences):
        image = study.array(sequence)
        if image is None:
            continue
        part = np.asarray(image[box], dtype=np.float32)
        inside = part[brain]
        if not np.isfinite(inside).all():
            raise IntensityError("finite values", got="NaN or infinite ones", where=sequence.value)
        low, median, high = np.percentile(inside, (25, 50, 75))
        if high <= low:
            raise IntensityError("contrast inside the brain", got="no spread of values", where=sequence.value)
        scaled = (part - np.float32(median)) * np.float32(IQR_TO_SD / (high - low))
        out[n] = np.clip(scaled, LOWEST, HIGHEST) * brain
    return out


def _suspect(probabilities: Float, brain: Mask, spacing: tuple[float, float, float]) -> Mask:
    """Return where the fine pass looks: around what may be tumour and is no crumb."""
    some = drop_small((probabilities[0] < 1 - LOOK_AT) & brain, LEAST_ML, spacing)
    around = [2 * int(np.ceil(MARGIN_MM / s)) + 1 for s in spacing]
    return np.asarray(ndi.maximum_filter(some.view(np.uint8), size=around) > 0) & brain


def _whole(part: Float, study: Study, box: Box) -> Volume:
    full = np.zeros(study.grid.shape, dtype=np.float32)
    full[box] = part
    return Volume(full, study.grid)


def _nothing(study: Study, card: Card) -> Segmentation:
    wanted = " or ".join(s.value for s in card.needs_any)
    reason = f"none of the sequences that the network needs was given ({wanted})"
    empty = LabelMap(np.zeros(study.grid.shape, dtype=np.uint8), study.grid)
    return Segmentation(empty, {}, Validity(0.0, (reason,)), card, dict.fromkeys(REGIONS, reason))
