"""From shares of tissue to images: weighted, blurred, shaded and noisy.

Why it exists: what makes real images hard is bias field, texture, noise and partial volume. The signal of a voxel is
the sum of its tissues' signals (:mod:`.weighting`); enhancement follows the concentration in every voxel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage as ndi

from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.fields import Float, Mask, smooth_field
from tumorboard.simulate.look import Look
from tumorboard.simulate.scanner.matter import MATTERS, Matter
from tumorboard.simulate.scanner.mixture import OWN, ROUGHNESS, Mixture
from tumorboard.simulate.scanner.weighting import DEFAULT, ENHANCED, PROTOCOLS, Protocol, matter_signal, table
from tumorboard.volume import Grid, Volume

SCALE: dict[Sequence, float] = {Sequence.T2: 0.62, Sequence.FLAIR: 0.64}
"""White matter in arbitrary units; 1 in all other sequences (chosen)."""

ROUGHER: dict[Sequence, float] = {Sequence.T1: 0.9, Sequence.T1C: 0.9, Sequence.T2: 1.1, Sequence.FLAIR: 1.3}
"""Texture of tumour is stronger in some sequences (chosen near the variation within regions of UPENN-GBM)."""

UPTAKE = frozenset({"vital", "metastasis", "lymphoma", "radionecrosis", "inflamed", "necrosis"})
"""Tissues whose enhancement is uneven."""


@dataclass(frozen=True)
class ScanParameters:
    """How imperfect images are; all chosen.

    Parameters
    ----------
    noise : float
        Standard deviation of each channel of the complex noise (white matter on T1 is 1).
    bias : float
        Standard deviation of the logarithm of the receive field.
    bias_mm : float
        Its scale, mm.
    psf_mm : float
        Standard deviation of the blur of every image before noise, mm.
    unit : float
        Stored value of white matter on T1.
    """

    noise: float = 0.028
    bias: float = 0.06
    bias_mm: float = 85.0
    psf_mm: float = 0.9
    unit: float = 1000.0


def clean_signals(
    mixture: Mixture, protocol: Protocol | None = None, sequences: Iterable[Sequence] = USED
) -> dict[Sequence, Float]:
    """Return what a perfect scanner would show: no blur, no receive field, no noise.

    Parameters
    ----------
    mixture : Mixture
        Shares of tissue.
    protocol : Protocol, optional
        Field and times; ``3t-spgr`` if left out.
    sequences : iterable of Sequence
        Of those of the protocol.

    Returns
    -------
    dict of Sequence to ndarray of float32, shape (i, j, k)
        White matter is 1 on T1; 0 where there is no tissue.

    Examples
    --------
    >>> from tumorboard.simulate.patient import draw_course
    >>> course = draw_course(np.random.default_rng(7), 6.0)
    >>> [sequence.value for sequence in clean_signals(course.mixture(0))]
    ['T1', 'T1C', 'T2', 'FLAIR']
    """
    used = protocol or PROTOCOLS[DEFAULT]
    return {s: _signal(mixture, s, used) for s in sequences}


def _signal(mixture: Mixture, sequence: Sequence, protocol: Protocol) -> Float:
    values, scale = table(sequence, protocol), SCALE.get(sequence, 1.0)
    image = np.zeros(mixture.grid.shape, dtype=np.float32)
    for name, share in mixture.parts.items():
        if name not in ROUGHNESS:
            image += np.float32(values[name] * scale) * share
    image *= 1.0 + mixture.texture
    for name, share in mixture.parts.items():
        if name in ROUGHNESS:
            at = share > 0
            value = _tumour_value(mixture, name, sequence, protocol, at)
            rough = 1.0 + ROUGHER.get(sequence, 1.0) * ROUGHNESS[name] * mixture.rough(at)
            image[at] += share[at] * np.asarray(scale * value * rough, dtype=np.float32)
    return image


def _tumour_value(mixture: Mixture, name: str, sequence: Sequence, protocol: Protocol, at: Mask) -> Float:
    """Return the signal of a tumour tissue in the voxels of a mask; white matter is 1.

    It has the patient's own relaxation times, and took up contrast agent here more, there less.
    """
    matter = own_matter(mixture.look, name)
    unit = float(matter_signal(MATTERS["wm"], sequence, protocol, 0.0))
    if sequence not in ENHANCED or name not in UPTAKE:
        return np.full(1, matter_signal(matter, sequence, protocol) / unit, dtype=np.float32)
    concentration = matter.gd_mmol_l * gd_factor(mixture, at)
    known = np.linspace(0.0, 3.0, 97)
    return np.asarray(np.interp(concentration, known, matter_signal(matter, sequence, protocol, known) / unit))


def own_matter(look: Look, name: str) -> Matter:
    """Return a tumour tissue with a patient's own relaxation times."""
    matter = MATTERS[name]
    power = OWN.get(name, 1.0)
    t1, t2 = look.t1**power, look.t2**power
    (a, b), (c, d) = matter.t1_ms, matter.t2_ms
    return replace(matter, t1_ms=(a * t1, b * t1), t2_ms=(c * t2, d * t2))


def gd_factor(mixture: Mixture, at: Mask) -> Float:
    """Return by what the concentration of contrast agent differs from the table's, in the voxels of a mask."""
    look = mixture.look
    spread = look.uneven * np.clip(mixture.rough(at), -2.5, 2.5)
    return np.asarray(look.gd * np.exp(spread - 0.5 * look.uneven**2), dtype=np.float32)


def acquired(
    image: Float,
    grid: Grid,
    brain: Mask,
    gain: float,
    rng: np.random.Generator,
    parameters: ScanParameters | None = None,
) -> Volume:
    """Return a stripped image: blur, receive field, Rician noise, rounding.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        From :func:`clean_signals`.
    grid : Grid
        Of the image.
    brain : ndarray of bool, shape (i, j, k)
        What is left after stripping.
    gain : float
        Scale of stored values.
    rng : numpy.random.Generator
        Source of receive field and noise.
    parameters : ScanParameters, optional
        The defaults if left out.

    Returns
    -------
    Volume
        int16, at least 1 in the brain and exactly 0 outside.

    Examples
    --------
    >>> grid, brain = Grid((4, 4, 4), np.eye(4)), np.ones((4, 4, 4), bool)
    >>> acquired(np.ones((4, 4, 4), np.float32), grid, brain, 1.0, np.random.default_rng(0)).data.dtype
    dtype('int16')
    """
    how = parameters or ScanParameters()
    field = np.exp(np.float32(how.bias) * smooth_field(grid, how.bias_mm, rng))
    image = ndi.gaussian_filter(image, [how.psf_mm / s for s in grid.spacing_mm], truncate=3.0)
    real, imaginary = rng.standard_normal((2, *grid.shape), dtype=np.float32) * np.float32(how.noise)
    magnitude = np.hypot(np.clip(image, 0.0, None) * field + real, imaginary)
    stored = np.clip(np.rint(magnitude * np.float32(gain * how.unit)), 1, 32767)
    return Volume((stored * brain).astype(np.int16), grid)


def scan(
    head: Anatomy, mixture: Mixture, rng: np.random.Generator, parameters: ScanParameters | None = None
) -> dict[Sequence, Volume]:
    """Image a study in the four sequences.

    Parameters
    ----------
    head : Anatomy
        Gives the brain mask.
    mixture : Mixture
        Shares of tissue.
    rng : numpy.random.Generator
        Source of noise, receive fields and scale.
    parameters : ScanParameters, optional
        The defaults if left out.

    Returns
    -------
    dict of Sequence to Volume
        int16, at least 1 in the brain and exactly 0 outside.

    Examples
    --------
    >>> from tumorboard.simulate.patient import draw_course
    >>> rng = np.random.default_rng(7)
    >>> course = draw_course(rng, 6.0)
    >>> images = scan(course.head, course.mixture(0), rng)
    >>> bool(((images[Sequence.T2].data > 0) == course.head.brain).all())
    True
    """
    gain = float(rng.uniform(0.8, 1.25))
    signals = clean_signals(mixture)
    return {s: acquired(image, head.grid, head.brain, gain, rng, parameters) for s, image in signals.items()}
