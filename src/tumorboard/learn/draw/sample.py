"""One training sample from one specimen: images as the network gets them, and the labels that belong to them.

Why it exists: this is where everything that is random about a sample is decided, in one order, from one generator.
Images are normalised by the whole brain, as :mod:`tumorboard.prepare.intensity` does, also where the sample is a
small part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tumorboard.learn.draw.blemish import Blemishes, blemished, curved, cut
from tumorboard.learn.draw.contrast import WETTER, Contrast, Spread, draw_contrast
from tumorboard.learn.draw.noise import NoiseFields
from tumorboard.learn.draw.place import SEEN, SOFT, Piece, Warp, centre, places, read, seen, total, with_core
from tumorboard.learn.draw.ragged import dense, patchy, ragged, spread_out
from tumorboard.learn.draw.weigh import fold, weighed
from tumorboard.learn.pool.specimen import HEALTHY, Specimen
from tumorboard.prepare.intensity import IQR_TO_SD
from tumorboard.segment.learned import HIGHEST, LOWEST
from tumorboard.sequences import Sequence

Float = NDArray[np.float32]

SPARSE_MM = 5.0
"""Distance of the voxels by which a brain is normalised, mm."""


OFF_CENTRE = 0.4
"""Most that tumour lies beside the middle of a sample, as a share of it: a network that sees tumour in the middle alone
learns where it looks, not what it looks at, and cuts off what lies aside (seen as straight edges)."""


@dataclass(frozen=True)
class Drawing:
    """How samples are drawn.

    Parameters
    ----------
    shape : (int, int, int)
        Voxels.
    sequences : tuple of Sequence
        Channels, in order.
    on_tumour : float
        Chance that a sample is laid around a voxel of tumour.
    whole : float
        Chance that no sequence is missing.
    always : tuple of Sequence
        Sequences that are never left out.
    aside : float
        How far from the middle of the head other samples are laid, as a share of its size.
    by_lesion : bool
        Whether samples around tumour are laid around a lesion, each as often as the others, instead of a class.
    ragged, patchy, dense : float
        Chances of oedema with holes and fingers, of tumour that enhances in part, and of solid tumour that does not.
    warp : Warp
        How places are moved.
    spread : Spread
        How contrast varies.
    blemishes : Blemishes
        What scanners do.
    """

    shape: tuple[int, int, int]
    sequences: tuple[Sequence, ...]
    on_tumour: float = 0.6
    whole: float = 0.5
    always: tuple[Sequence, ...] = ()
    aside: float = 0.3
    by_lesion: bool = False
    ragged: float = 0.5
    patchy: float = 0.4
    dense: float = 0.35
    warp: Warp = field(default_factory=Warp)
    spread: Spread = field(default_factory=Spread)
    blemishes: Blemishes = field(default_factory=Blemishes)


@dataclass(frozen=True)
class Sample:
    """What the network learns from.

    Parameters
    ----------
    images : ndarray of float32, shape (i, j, k, sequences)
        Median 0 and robust spread 1 in the brain, 0 outside; a missing sequence is 0.
    labels : ndarray of uint8, shape (i, j, k)
        1 NETC, 2 SNFH, 3 ET, 4 RC.
    present : ndarray of bool, shape (sequences,)
        Which are there.
    """

    images: Float
    labels: NDArray[np.uint8]
    present: NDArray[np.bool_]


def draw_sample(specimen: Specimen, how: Drawing, noise: NoiseFields, rng: np.random.Generator) -> Sample:
    """Draw a sample.

    Parameters
    ----------
    specimen : Specimen
        From a pool.
    how : Drawing
        Everything that may vary.
    noise : NoiseFields
        Made once.
    rng : numpy.random.Generator
        Source of everything random.

    Returns
    -------
    Sample
    """
    warp = how.warp if rng.random() < 0.8 else None
    around = centre(specimen, rng, how.on_tumour, how.aside, how.by_lesion)
    middle = around + OFF_CENTRE * np.array(how.shape) * rng.uniform(-1, 1, 3)
    piece = with_core(read(specimen, places(np.asarray(middle, dtype=np.float32), how.shape, warp, rng)))
    if rng.random() < how.patchy:
        piece = patchy(piece, noise.at(how.shape, rng, 4, 6), float(rng.uniform(-0.5, 1.6)))
    if rng.random() < how.dense:
        piece = dense(piece, noise.at(how.shape, rng, 4, 6), float(rng.uniform(-1.0, 1.2)))
    if rng.random() < how.ragged:
        piece = spread_out(piece, noise.at(how.shape, rng, 3, 5), float(rng.uniform(1.0, 3.0)))
    if rng.random() < how.ragged:
        piece = ragged(piece, noise.at(how.shape, rng, 3, 6), float(rng.uniform(-2.0, -0.3)))
    contrast = draw_contrast(piece.matters, how.sequences, rng, how.spread)
    sparse = _sparse(specimen, len(piece.matters))
    piece = seen(piece, _least_seen(piece.matters, contrast, _values(sparse, contrast), how.sequences))
    sharp, strength = float(rng.uniform(1.0, 3.5)), float(rng.uniform(0.0, 0.6))
    if rng.random() < 0.8:
        for shares in (piece.shares, sparse):
            fold(shares, _folds(shares, noise, rng), sharp, strength)
    images = weighed(piece.shares, contrast, _textures(how.shape, noise, rng))
    sample = _values(sparse, contrast)
    images = blemished(images, specimen.spacing_mm, how.blemishes, noise, rng)
    images, sample = curved(images, sample, how.blemishes, rng)
    mask, remnants = cut(total(piece.shares, range(len(piece.matters))) > 0.3, how.blemishes, noise, rng)
    normalise(images, sample, rng)
    _leave(images, remnants, noise, rng)
    images[~mask] = 0.0
    present = chosen(how.sequences, how.whole, rng, always=how.always)
    images[..., ~present] = 0.0
    labels = np.where(mask, piece.labels, np.uint8(0))
    return Sample(images, labels, present)


def chosen(
    sequences: tuple[Sequence, ...],
    whole: float,
    rng: np.random.Generator,
    there: NDArray[np.bool_] | None = None,
    always: tuple[Sequence, ...] = (),
) -> NDArray[np.bool_]:
    """Choose which sequences a study has: all with the chance ``whole``, and never T1 alone where others could be.

    Parameters
    ----------
    sequences : tuple of Sequence
        Channels.
    whole : float
        Chance that none is left out.
    rng : numpy.random.Generator
        Source.
    there : ndarray of bool, optional
        Which can be had at all.
    always : tuple of Sequence
        Never left out where they can be had.

    Examples
    --------
    >>> chosen((Sequence.T1, Sequence.FLAIR), 1.0, np.random.default_rng(0)).tolist()
    [True, True]
    """
    had = np.ones(len(sequences), dtype=np.bool_) if there is None else there
    telling = had & np.array([s is not Sequence.T1 for s in sequences])
    if not telling.any() or rng.random() < whole:
        return had.copy()
    kept = np.array([s in always for s in sequences])
    for _ in range(50):
        present = had & (kept | (rng.random(len(sequences)) < 0.65))
        if (present & telling).any() and not (present == had).all():
            return present
    return had.copy()


def normalise(images: Float, sample: Float, rng: np.random.Generator) -> None:
    """Scale images, in place, by median and interquartile range of a sample of the whole brain.

    A little is added at random, since no two masks and brains have the same share of fluid.
    """
    low, median, high = np.percentile(sample, (25, 50, 75), axis=0)
    count = images.shape[-1]
    spread = np.maximum((high - low) / IQR_TO_SD, 1e-3) * np.exp(rng.normal(0, 0.08, count))
    images -= np.asarray(median + spread * rng.normal(0, 0.12, count), dtype=np.float32)
    images /= np.asarray(spread, dtype=np.float32)
    np.clip(images, LOWEST, HIGHEST, out=images)


def _sparse(specimen: Specimen, matters: int) -> Float:
    """Return shares of every few mm of the brain, (n, 1, 1, matters)."""
    step = max(1, round(SPARSE_MM / specimen.spacing_mm))
    healthy = np.asarray(specimen.healthy[::step, ::step, ::step], dtype=np.float32)
    shares = np.zeros((*healthy.shape[:3], matters), dtype=np.float32)
    shares[..., : len(HEALTHY)] = healthy
    if specimen.matters:
        start = [-(-c // step) for c in specimen.corner]
        inner = tuple(slice(s * step - c, None, step) for s, c in zip(start, specimen.corner, strict=True))
        sick = specimen.sick[inner]
        box = tuple(slice(s, s + n) for s, n in zip(start, sick.shape[:3], strict=True))
        shares[(*box, slice(len(HEALTHY), len(HEALTHY) + len(specimen.matters)))] = sick
    flat = shares.reshape(-1, shares.shape[-1]) / np.float32(255)
    return np.ascontiguousarray(flat[flat.sum(axis=1) > 0.3])[:, None, None, :]


def _values(sparse: Float, contrast: Contrast) -> Float:
    return np.asarray(sparse[:, 0, 0] @ contrast.values.T, dtype=np.float32)


def _least_seen(matters: tuple[str, ...], contrast: Contrast, sample: Float, sequences: tuple[Sequence, ...]) -> float:
    """Return the share of oedema that stands out by a standard deviation of the brain where it stands out most."""
    if "oedema" not in matters and "infiltrate" not in matters:
        return SEEN
    low, high = np.percentile(sample, (25, 75), axis=0)
    spread = np.maximum((high - low) / IQR_TO_SD, 1e-3)
    soft = contrast.values[:, [matters.index(m) for m in SOFT if m in matters]].min(axis=1)
    wet = [n for n, s in enumerate(sequences) if s in WETTER]
    if not wet:
        return SEEN
    stands_out = float(((soft - contrast.values[:, matters.index("gm")]) / spread)[wet].max())
    return float(np.clip(1.0 / max(stands_out, 1e-3), 0.15, 0.5))


def _folds(shares: Float, noise: NoiseFields, rng: np.random.Generator) -> Float:
    i, j, k = shares.shape[:3]
    if j == 1:  # the sparse sample: place does not matter
        return np.asarray(rng.standard_normal((3, i, 1, 1)), dtype=np.float32)
    scale = int(rng.integers(2, 4))
    return np.stack([noise.at((i, j, k), rng, scale, scale) for _ in range(3)])


def _textures(shape: tuple[int, int, int], noise: NoiseFields, rng: np.random.Generator) -> Float:
    return np.stack([noise.at(shape, rng, 2, 4), *(noise.at(shape, rng, 1, 5) for _ in range(3))])


def _leave(images: Float, remnants: NDArray[np.bool_], noise: NoiseFields, rng: np.random.Generator) -> None:
    """Put skull and scalp of any brightness where a stripping tool left them."""
    if remnants.any():
        shape = (images.shape[0], images.shape[1], images.shape[2])
        texture = noise.at(shape, rng, 1, 3)[remnants]
        for s in range(images.shape[-1]):
            images[remnants, s] = np.clip(rng.normal(0.0, 2.5) + rng.uniform(0.2, 1.5) * texture, LOWEST, HIGHEST)


__all__ = ["Drawing", "Piece", "Sample", "chosen", "draw_sample", "normalise"]
