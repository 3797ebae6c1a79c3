"""What a scanner would show of a digital head: T1, T1C, T2 and FLAIR.

Why it exists: tissue fractions and labels become intensities with what makes real images hard: bias
field, texture, noise, partial volume, and healthy things that look like disease (vessels and plexus
that enhance, bright caps and spots in old white matter). Intensities are arbitrary units chosen by eye
with white matter at 1 on T1; no signal equation stands behind them, so no quantitative map may be
made from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from tumorboard.labels import LabelMap, Tissue
from tumorboard.sequences import Sequence
from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.fields import Float, smooth_field
from tumorboard.volume import Volume


@dataclass(frozen=True)
class Contrast:
    """Intensity of each tissue in one sequence; arbitrary units, all chosen.

    Parameters
    ----------
    csf, gm, wm : float
        Healthy tissue.
    netc, snfh, et : float
        Tumour.
    vessel : float
        Large vessels before contrast agent (flow void).
    ageing : float
        Added where white matter is fully aged (caps, lesions).
    detail : float
        Weight of the average's own T1 variation within a tissue (deep grey matter, myelin).
    """

    csf: float
    gm: float
    wm: float
    netc: float
    snfh: float
    et: float
    vessel: float
    ageing: float
    detail: float


CONTRASTS: dict[Sequence, Contrast] = {
    Sequence.T1: Contrast(0.26, 0.68, 1.0, 0.52, 0.80, 0.66, 0.45, -0.10, 1.3),
    Sequence.T1C: Contrast(0.26, 0.68, 1.0, 0.52, 0.80, 0.66, 0.45, -0.10, 1.3),
    Sequence.T2: Contrast(1.75, 0.88, 0.62, 1.35, 1.18, 0.98, 0.45, 0.35, -0.9),
    Sequence.FLAIR: Contrast(0.16, 0.84, 0.64, 0.80, 1.20, 0.98, 0.30, 0.45, -0.7),
}
"""The four sequences; T1C is T1, to which :data:`ENHANCEMENT` is added."""

ENHANCEMENT: dict[str, float] = {"et": 0.82, "netc": 0.08, "vessels": 1.0, "plexus": 0.75, "brain": 0.02}
"""What contrast agent adds on T1C, in units of white matter on T1 (chosen)."""


@dataclass(frozen=True)
class ScanParameters:
    """How imperfect the images are; all chosen.

    Parameters
    ----------
    noise : float
        Standard deviation of each channel of the complex noise, arbitrary units (white matter on T1 is 1).
    bias : float
        Standard deviation of the logarithm of the receive field.
    bias_mm : float
        Its scale, mm.
    texture : float
        Relative standard deviation of the tissue's own texture, the same in every study.
    blur_mm : float
        Standard deviation of the blur of labels that makes partial volume at tumour edges, mm.
    psf_mm : float
        Standard deviation of the blur of every image before noise, mm.
    unit : float
        Stored value of white matter on T1.
    """

    noise: float = 0.028
    bias: float = 0.06
    bias_mm: float = 85.0
    texture: float = 0.016
    blur_mm: float = 0.9
    psf_mm: float = 0.9
    unit: float = 1000.0


@dataclass(frozen=True)
class Background:
    """What a head carries through all its studies besides anatomy; float32, shape (i, j, k).

    Parameters
    ----------
    ageing : ndarray
        Periventricular caps and white-matter lesions, 0 to 1.
    texture : ndarray
        Relative texture of healthy tissue, mean 0.
    detail : ndarray
        The average's T1 less what its tissue fractions explain.
    tumour : ndarray
        Texture of tumour tissue, mean 0, standard deviation 1.
    """

    ageing: Float
    texture: Float
    detail: Float
    tumour: Float


def draw_background(head: Anatomy, rng: np.random.Generator, parameters: ScanParameters) -> Background:
    """Draw texture and the bright spots of an ageing brain.

    Parameters
    ----------
    head : Anatomy
        Healthy head.
    rng : numpy.random.Generator
        Source.
    parameters : ScanParameters
        ``texture`` is used.

    Returns
    -------
    Background

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> rng = np.random.default_rng(0)
    >>> background = draw_background(draw_anatomy(rng, 6.0), rng, ScanParameters())
    >>> 0.0 <= float(background.ageing.min()) and float(background.ageing.max()) <= 1.0
    True
    """
    fine = smooth_field(head.grid, 4.5, rng) + smooth_field(head.grid, 11.0, rng)
    rough = smooth_field(head.grid, 5.0, rng) + 0.7 * smooth_field(head.grid, 10.0, rng)
    return Background(
        ageing=_ageing(head, rng),
        texture=np.float32(parameters.texture / np.sqrt(2.0)) * fine,
        detail=_detail(head),
        tumour=np.asarray(rough / np.sqrt(1.49), dtype=np.float32),
    )


def _detail(head: Anatomy) -> Float:
    design = np.stack([head.csf[head.brain], head.gm[head.brain], head.wm[head.brain]], axis=1)
    weights, *_ = np.linalg.lstsq(design, head.t1[head.brain], rcond=None)
    explained = weights[0] * head.csf + weights[1] * head.gm + weights[2] * head.wm
    return np.asarray((head.t1 - explained) * head.brain, dtype=np.float32)


def _ageing(head: Anatomy, rng: np.random.Generator) -> Float:
    """Caps: near the ventricles, uneven; lesions: 6 to 14 Gaussian spots of 1.3 to 2.6 mm in deep white matter."""
    spacing = head.grid.spacing_mm[0]
    caps = ndi.gaussian_filter(head.ventricles.astype(np.float32), 3.2 / spacing)
    caps = caps * np.clip(1.1 + 0.4 * smooth_field(head.grid, 22.0, rng), 0.1, 2.0) * 2.2
    places = np.argwhere(ndi.gaussian_filter(head.wm, 4.0 / spacing) > 0.75)
    spots = np.zeros(head.grid.shape, dtype=np.float32)
    for place in places[rng.integers(len(places), size=int(rng.integers(6, 15)))]:
        width = rng.uniform(1.3, 2.6, size=3)
        axes = np.ogrid[tuple(slice(0, n) for n in head.grid.shape)]
        squares = sum(((a - c) * spacing / w) ** 2 for a, c, w in zip(axes, place, width, strict=True))
        spots = np.maximum(spots, np.exp(-0.5 * np.asarray(squares, dtype=np.float32)))
    return np.asarray(np.clip(caps + spots, 0.0, 1.0) * head.wm, dtype=np.float32)


def scan(
    head: Anatomy,
    background: Background,
    truth: LabelMap,
    rng: np.random.Generator,
    parameters: ScanParameters | None = None,
) -> dict[Sequence, Volume]:
    """Image a head with its tumour in the four sequences.

    Parameters
    ----------
    head : Anatomy
        Healthy head.
    background : Background
        From :func:`draw_background`; the same in every study of a patient.
    truth : LabelMap
        Tumour on the head's grid.
    rng : numpy.random.Generator
        Source of noise, bias fields and scanner gain.
    parameters : ScanParameters or None
        ``None`` for the defaults.

    Returns
    -------
    dict of Sequence to Volume
        int16, at least 1 in the brain and exactly 0 outside.

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> rng = np.random.default_rng(0)
    >>> head = draw_anatomy(rng, 6.0)
    >>> background = draw_background(head, rng, ScanParameters())
    >>> healthy = LabelMap(np.zeros(head.grid.shape, dtype=np.uint8), head.grid)
    >>> images = scan(head, background, healthy, rng)
    >>> bool(((images[Sequence.T2].data > 0) == head.brain).all())
    True
    """
    wanted = parameters or ScanParameters()
    gain = float(rng.uniform(0.8, 1.25))
    signals = clean_signals(head, background, truth, wanted)
    return {sequence: _acquired(image, head, gain, rng, wanted) for sequence, image in signals.items()}


def clean_signals(
    head: Anatomy, background: Background, truth: LabelMap, parameters: ScanParameters | None = None
) -> dict[Sequence, Float]:
    """Return what the brain would give a perfect scanner: no blur, no receive field, no noise.

    Parameters
    ----------
    head : Anatomy
        Healthy head.
    background : Background
        From :func:`draw_background`.
    truth : LabelMap
        Tumour on the head's grid.
    parameters : ScanParameters or None
        ``blur_mm`` is used; ``None`` for the defaults.

    Returns
    -------
    dict of Sequence to ndarray of float32, shape (i, j, k)
        White matter is 1 on T1; meaningless outside the brain.

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> rng = np.random.default_rng(0)
    >>> head = draw_anatomy(rng, 6.0)
    >>> healthy = LabelMap(np.zeros(head.grid.shape, dtype=np.uint8), head.grid)
    >>> signals = clean_signals(head, draw_background(head, rng, ScanParameters()), healthy)
    >>> [sequence.value for sequence in signals]
    ['T1', 'T1C', 'T2', 'FLAIR']
    """
    soft = _soft_labels(truth, (parameters or ScanParameters()).blur_mm)
    signals = {s: _tissue_signal(head, background, soft, contrast) for s, contrast in CONTRASTS.items()}
    signals[Sequence.T1C] += _enhancement(head, background, soft)
    return signals


def _soft_labels(truth: LabelMap, blur_mm: float) -> dict[Tissue, Float]:
    sigma = [blur_mm / s for s in truth.spacing_mm]
    tissues = (Tissue.NETC, Tissue.SNFH, Tissue.ET)
    return {t: ndi.gaussian_filter((truth.data == t).astype(np.float32), sigma) for t in tissues}


def _tissue_signal(head: Anatomy, back: Background, soft: dict[Tissue, Float], c: Contrast) -> Float:
    healthy = c.csf * head.csf + c.gm * head.gm + c.wm * head.wm + c.detail * back.detail + c.ageing * back.ageing
    healthy = healthy + (c.vessel - healthy) * head.vessels
    image = healthy * (1.0 + back.texture)
    oedematous = 0.75 * c.snfh + 0.25 * healthy + 0.035 * c.snfh * back.tumour
    necrotic = c.netc * (1.0 + 0.10 * back.tumour)
    vital = c.et * (1.0 + 0.05 * back.tumour)
    solid = 1.0 - head.csf  # what is fluid stays fluid: partial volume in sulci
    image = image + soft[Tissue.SNFH] * solid * (oedematous - image)
    core = soft[Tissue.NETC] + soft[Tissue.ET]
    mixed = (soft[Tissue.NETC] * necrotic + soft[Tissue.ET] * vital) / np.maximum(core, 1e-6)
    return np.asarray(image + core * (mixed - image), dtype=np.float32)


def _enhancement(head: Anatomy, back: Background, soft: dict[Tissue, Float]) -> Float:
    healthy = ENHANCEMENT["vessels"] * head.vessels + ENHANCEMENT["plexus"] * head.plexus
    healthy = healthy + ENHANCEMENT["brain"] * head.gm
    uneven = np.clip(1.0 + 0.22 * back.tumour, 0.45, 1.6)
    tumour = ENHANCEMENT["et"] * soft[Tissue.ET] * uneven + ENHANCEMENT["netc"] * soft[Tissue.NETC]
    return np.asarray(healthy + tumour, dtype=np.float32)


def _acquired(image: Float, head: Anatomy, gain: float, rng: np.random.Generator, parameters: ScanParameters) -> Volume:
    """Blur, receive field, Rician noise, skull-stripping and rounding."""
    field = np.exp(parameters.bias * smooth_field(head.grid, parameters.bias_mm, rng))
    image = ndi.gaussian_filter(image, [parameters.psf_mm / s for s in head.grid.spacing_mm])
    real, imaginary = rng.standard_normal((2, *head.grid.shape), dtype=np.float32) * np.float32(parameters.noise)
    magnitude = np.hypot(np.clip(image, 0.0, None) * field + real, imaginary)
    stored = np.clip(np.rint(magnitude * np.float32(gain * parameters.unit)), 1, 32767)
    return Volume((stored * head.brain).astype(np.int16), head.grid)
