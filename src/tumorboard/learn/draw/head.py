"""One training sample for brain masks: a piece of a head in one sequence of any contrast, and where the brain is.

Why it exists: a brain must be found whatever the sequence, the tumour, the field of view, and whether the skull is
still there. Contrast is a department's, or anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.learn.draw.blemish import Blemishes, blemished
from tumorboard.learn.draw.contrast import Spread, draw_contrast
from tumorboard.learn.draw.noise import NoiseFields
from tumorboard.learn.draw.place import Warp, places, read
from tumorboard.learn.draw.sample import Sample
from tumorboard.learn.draw.weigh import fold, weighed
from tumorboard.learn.pool.specimen import Specimen
from tumorboard.networks.heads import scaled_head
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.body.shell import TISSUES
from tumorboard.simulate.scanner.head import shell_values
from tumorboard.simulate.scanner.weighting import PROTOCOLS

Float = NDArray[np.float32]

INSIDE = 0.4
"""Share of brain (fluid between its folds counts) from which a voxel belongs to the mask."""

FLUID_MM = 6.0
"""Fluid as near to the brain as this belongs to the mask too, as in masks of other tools; the canal below does not."""


@dataclass(frozen=True)
class HeadDrawing:
    """How samples of heads are drawn; all chosen.

    Parameters
    ----------
    shape : (int, int, int)
        Voxels.
    stripped, wild, patchy, cropped : float
        Chances that the skull is gone, that tissues have any brightness, that tissues around the brain have parts
        of another brightness, and that the field of view ends early.
    warp : Warp
        How places are moved.
    spread : Spread
        How contrast varies.
    blemishes : Blemishes
        What scanners do.
    """

    shape: tuple[int, int, int]
    stripped: float = 0.15
    wild: float = 0.3
    patchy: float = 0.6
    cropped: float = 0.3
    warp: Warp = field(default_factory=lambda: Warp(12.0, 0.1, 2.0, 14.0))
    spread: Spread = field(default_factory=Spread)
    blemishes: Blemishes = field(default_factory=lambda: Blemishes(remnant=0.0, eaten=0.0, shade=0.35, noise=0.07))


def draw_head(specimen: Specimen, how: HeadDrawing, noise: NoiseFields, rng: np.random.Generator) -> Sample:
    """Draw a sample of a head.

    Parameters
    ----------
    specimen : Specimen
        With its shell.
    how : HeadDrawing
        Everything that may vary.
    noise : NoiseFields
        Made once.
    rng : numpy.random.Generator
        Source of everything random.

    Returns
    -------
    Sample
        One channel, scaled as :func:`tumorboard.networks.heads.scaled_head`; label 1 is brain.

    Raises
    ------
    ValueError
        The specimen was kept without its shell.
    """
    sequence = USED[int(rng.integers(len(USED)))]
    at = places(_middle(specimen, rng), how.shape, how.warp if rng.random() < 0.8 else None, rng)
    piece = read(specimen, at)
    brain = piece.shares.sum(axis=3)
    fold(piece.shares, np.stack([noise.at(how.shape, rng, 2, 3) for _ in range(3)]), float(rng.uniform(1, 3)), 0.4)
    contrast = draw_contrast(piece.matters, (sequence,), rng, how.spread)
    wild = bool(rng.random() < how.wild)
    if wild:
        contrast.values[0] = rng.uniform(0.05, 1.2, contrast.values.shape[1])
    textures = np.stack([noise.at(how.shape, rng, 2, 4) for _ in range(3)])
    image = weighed(piece.shares, contrast, textures)[..., 0]
    found = _around(specimen, at)
    first, other = (_brightness(sequence, wild, rng)[found] for _ in range(2))
    if rng.random() < how.patchy:  # plain shapes hold more than one tissue each in people
        first = np.where(noise.at(how.shape, rng, 3, 6) > rng.normal(0.3, 0.8), other, first)
    image += (1 - np.clip(brain, 0, 1)) * first * (1 + 0.08 * textures[1])
    labels = _mask(brain > INSIDE, found == TISSUES.index("fluid"), specimen.spacing_mm)
    if rng.random() < how.stripped:
        image = image * labels
    image = blemished(image[..., None], specimen.spacing_mm, how.blemishes, noise, rng)[..., 0]
    image = np.power(np.maximum(image, 0), np.float32(np.exp(rng.normal(0, 0.2))))
    if rng.random() < how.cropped:
        _crop(image, labels, rng)
    return Sample(scaled_head(image)[..., None], labels, np.ones(1, dtype=np.bool_))


def _middle(specimen: Specimen, rng: np.random.Generator) -> Float:
    """Return the middle of the sample: near that of the head, which reaches below the brain."""
    shape = np.array(specimen.shape)
    return np.asarray(shape * rng.uniform((0.3, 0.3, 0.15), (0.7, 0.7, 0.75)), dtype=np.float32)


def _around(specimen: Specimen, at: Float) -> NDArray[np.uint8]:
    """Return what lies around the brain at places, as places in :data:`TISSUES`."""
    shell = specimen.shell
    if shell is None:
        raise ValueError("a specimen with its shell; got one without")
    rows = [np.rint(at[a] + specimen.before[a]).astype(np.int64) for a in range(3)]
    inside = np.all([(r >= 0) & (r < n) for r, n in zip(rows, shell.shape, strict=True)], axis=0)
    found = np.zeros(at.shape[1:], dtype=np.uint8)
    found[inside] = shell[tuple(r[inside] for r in rows)]
    return found


def _mask(brain: NDArray[np.bool_], fluid: NDArray[np.bool_], spacing_mm: float) -> NDArray[np.uint8]:
    """Return the brain with the fluid around it, without holes."""
    near = ndi.binary_dilation(brain, iterations=max(1, round(FLUID_MM / spacing_mm)))
    return np.asarray(ndi.binary_fill_holes(brain | (fluid & near)), dtype=np.uint8)


def _brightness(sequence: Sequence, wild: bool, rng: np.random.Generator) -> Float:
    """Draw the brightness of each of :data:`TISSUES`."""
    known = shell_values(sequence, list(PROTOCOLS.values())[int(rng.integers(len(PROTOCOLS)))])
    values = np.array([known[t] * np.exp(rng.normal(0, 0.35)) for t in TISSUES], dtype=np.float32)
    if wild:
        values = rng.uniform(0.0, 1.5, len(TISSUES)).astype(np.float32)
    values[TISSUES.index("air")] = 0.02 * rng.random()
    return values


def _crop(image: Float, labels: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """End the field of view early at one side, in place: nothing was scanned there."""
    axis, share = int(rng.integers(3)), float(rng.uniform(0.05, 0.3))
    n = max(1, round(image.shape[axis] * share))
    place = slice(0, n) if rng.random() < 0.5 else slice(-n, None)
    cut = tuple(place if a == axis else slice(None) for a in range(3))
    image[cut] = 0
    labels[cut] = 0
