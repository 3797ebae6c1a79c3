"""What a head carries through all its studies besides anatomy: age, texture and old harm.

Why it exists: bright caps and spots, perivascular spaces, rims of cortex and old infarcts look like disease to a
program that never saw them. Sizes and numbers are chosen; that they grow with age is known, how fast is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.fields import Float, smooth_field

INFARCT_CHANCE = 0.06
"""Part of people of 60 with an old small infarct (chosen)."""


@dataclass(frozen=True)
class Background:
    """Float32 arrays of shape (i, j, k).

    Parameters
    ----------
    ageing : ndarray
        Periventricular caps, white-matter lesions and rims of cortex, 0 to 1: gliosis.
    spaces : ndarray
        Perivascular spaces and old infarcts, 0 to 1: fluid.
    texture : ndarray
        Relative texture of healthy tissue, mean 0.
    tumour : ndarray
        Texture of tumour tissue, mean 0, standard deviation 1.
    flow : ndarray
        Where oedema is more and less, mean 0, standard deviation 1.
    """

    ageing: Float
    spaces: Float
    texture: Float
    tumour: Float
    flow: Float


def draw_background(
    head: Anatomy, rng: np.random.Generator, age_years: float = 62.0, texture: float = 0.016
) -> Background:
    """Draw texture and the marks of age.

    Parameters
    ----------
    head : Anatomy
        Healthy head.
    rng : numpy.random.Generator
        Source.
    age_years : float
        More spots and caps with the years.
    texture : float
        Standard deviation of healthy tissue's relative texture.

    Returns
    -------
    Background

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> rng = np.random.default_rng(0)
    >>> background = draw_background(draw_anatomy(rng, 6.0), rng)
    >>> 0.0 <= float(background.ageing.min()) and float(background.ageing.max()) <= 1.0
    True
    """
    fine = smooth_field(head.grid, 4.5, rng) + smooth_field(head.grid, 11.0, rng)
    rough = smooth_field(head.grid, 5.0, rng) + 0.7 * smooth_field(head.grid, 10.0, rng)
    old = float(np.clip((age_years - 20.0) / 40.0, 0.15, 1.6))
    spaces, scar = _infarct(head, rng, old)
    return Background(
        ageing=np.maximum(_ageing(head, rng, old), scar),
        spaces=np.maximum(_spaces(head, rng, old), spaces),
        texture=np.asarray(np.float32(texture / np.sqrt(2.0)) * fine),
        tumour=np.asarray(rough / np.sqrt(1.49), dtype=np.float32),
        flow=smooth_field(head.grid, 13.0, rng),
    )


def _ageing(head: Anatomy, rng: np.random.Generator, old: float) -> Float:
    """Caps: near the ventricles, uneven; lesions: Gaussian spots of 1.3 to 2.6 mm in deep white matter; rims."""
    spacing = head.grid.spacing_mm[0]
    caps = ndi.gaussian_filter(head.ventricles.astype(np.float32), 3.2 / spacing)
    uneven = np.clip(1.1 + 0.4 * smooth_field(head.grid, 22.0, rng), 0.1, 2.0)
    caps = caps * uneven * np.float32(2.2 * min(1.0, old))
    deep = np.argwhere(head.wm > 0.9)
    spots = np.zeros(head.grid.shape, dtype=np.float32)
    for place in deep[rng.integers(len(deep), size=int(rng.poisson(10 * old)))]:
        _add_blob(spots, place, rng.uniform(1.3, 2.6, size=3), spacing)
    rims = np.clip(smooth_field(head.grid, 18.0, rng) - 1.2, 0.0, 0.5) * head.gm
    return np.asarray(np.clip((caps + spots) * head.wm + rims * head.gm, 0.0, 1.0), dtype=np.float32)


def _spaces(head: Anatomy, rng: np.random.Generator, old: float) -> Float:
    """Perivascular spaces: short threads of 1 mm in the basal ganglia and the white matter above."""
    spacing = head.grid.spacing_mm[0]
    x, y, z = head.mni_mm
    low = (np.abs(x) > 12) & (np.abs(x) < 32) & (y > -10) & (y < 20) & (z > -14) & (z < 6)
    places = np.argwhere((low | ((z > 25) & (z < 45) & (np.abs(x) > 14))) & (head.csf < 0.1) & head.brain)
    threads = np.zeros(head.grid.shape, dtype=np.float32)
    if len(places):
        for place in places[rng.integers(len(places), size=int(rng.poisson(14 * old)))]:
            width = np.array([0.7, 0.7, 0.7])
            width[rng.integers(3)] = rng.uniform(1.5, 3.5)
            _add_blob(threads, place, width, spacing)
    return np.asarray(0.8 * threads * (1.0 - head.csf) * head.brain, dtype=np.float32)


def _infarct(head: Anatomy, rng: np.random.Generator, old: float) -> tuple[Float, Float]:
    """Return an old infarct, which some have: fluid and a rim of gliosis."""
    nothing = np.zeros(head.grid.shape, dtype=np.float32)
    chance, radius, pick = rng.random(), rng.uniform(3.0, 8.0), rng.random()
    if chance >= INFARCT_CHANCE * old:
        return nothing, nothing
    places = np.argwhere(head.brain & (head.csf < 0.2) & (head.mni_mm[2] > -10))
    place = places[int(pick * len(places))]
    hole, scar = nothing.copy(), nothing
    spacing = head.grid.spacing_mm[0]
    _add_blob(hole, place, np.full(3, 0.6 * radius), spacing)
    _add_blob(scar, place, np.full(3, radius), spacing)
    sharp = np.clip(3.0 * (hole - 0.4), 0.0, 1.0)
    return np.asarray(sharp * head.brain, np.float32), np.asarray(
        np.clip(2 * scar - 0.5, 0, 1) * head.brain, np.float32
    )


def _add_blob(to: Float, place: NDArray[np.int64], width_mm: NDArray[np.float64], spacing: float) -> None:
    """Raise a field to a Gaussian blob, within three widths."""
    box = tuple(
        slice(max(0, int(c - 3 * w / spacing)), min(n, int(c + 3 * w / spacing) + 2))
        for c, w, n in zip(place, width_mm, to.shape, strict=True)
    )
    axes = np.ogrid[box]
    squares = sum(((a - c) * spacing / w) ** 2 for a, c, w in zip(axes, place, width_mm, strict=True))
    to[box] = np.maximum(to[box], np.exp(-0.5 * np.asarray(squares, dtype=np.float32)))
