"""Sites: scanner, protocol, noise, shading, slices and scale, with what goes wrong in daily work.

Why it exists: models are learned at one hospital and used at another. Each site differs in field, weighting,
sharpness, noise and stored scale; some of its studies lack a sequence, carry a ghost, or have two sequences under each
other's names. All values are chosen, none describes a real hospital.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.fields import Float
from tumorboard.simulate.scanner.render import ScanParameters
from tumorboard.volume import Grid


@dataclass(frozen=True)
class Site:
    """One hospital's scanner.

    Parameters
    ----------
    name, vendor, protocol : str
        Its label, maker, and key of :data:`tumorboard.simulate.scanner.weighting.PROTOCOLS`.
    scan : ScanParameters
        Noise, shading, sharpness and stored scale.
    slice_mm : dict of Sequence to float
        Thickness of 2-D sequences along z; those not named are 3-D.
    ghost : float
        Chance of a study with a motion ghost.
    missing, swapped : float
        Chance of a study without one sequence, and with two swapped.
    """

    name: str
    vendor: str
    protocol: str
    scan: ScanParameters
    slice_mm: dict[Sequence, float]
    ghost: float = 0.05
    missing: float = 0.0
    swapped: float = 0.0


_T2, _FLAIR, _T1, _T1C = Sequence.T2, Sequence.FLAIR, Sequence.T1, Sequence.T1C

SITES: tuple[Site, ...] = (
    Site("site01", "SIEMENS", "3t-mprage", ScanParameters(0.022, 0.06, 85.0, 0.8, 420.0), {_T2: 3.0}),
    Site("site02", "GE MEDICAL SYSTEMS", "3t-spgr", ScanParameters(0.028, 0.08, 80.0, 0.9, 2600.0), {_T2: 3.0}),
    Site(
        "site03",
        "Philips",
        "1.5t-se",
        ScanParameters(0.04, 0.05, 100.0, 1.1, 900.0),
        {_T2: 5.0, _FLAIR: 5.0, _T1: 5.0},
        ghost=0.15,
    ),
    Site("site04", "SIEMENS", "1.5t-se", ScanParameters(0.035, 0.06, 95.0, 1.0, 350.0), {_T2: 4.0, _FLAIR: 4.0}),
    Site("site05", "GE MEDICAL SYSTEMS", "3t-spgr", ScanParameters(0.024, 0.10, 75.0, 0.8, 3900.0), {_T2: 2.0}),
    Site("site06", "Philips", "3t-mprage", ScanParameters(0.03, 0.07, 85.0, 1.0, 1500.0), {_T2: 3.0, _FLAIR: 3.0}),
    Site(
        "site07",
        "Canon",
        "1.5t-se",
        ScanParameters(0.05, 0.09, 80.0, 1.2, 700.0),
        {_T2: 6.0, _FLAIR: 6.0, _T1: 6.0},
        ghost=0.4,
        missing=0.35,
        swapped=0.15,
    ),
)
"""Sites in the order in which a cohort opens them; on the last things go wrong."""


@dataclass(frozen=True)
class Mishaps:
    """What went wrong in one study.

    Parameters
    ----------
    ghost : Sequence or None
        With a ghost.
    missing : Sequence or None
        Not there.
    swapped : tuple of Sequence
        Two under each other's names; empty for none.
    """

    ghost: Sequence | None = None
    missing: Sequence | None = None
    swapped: tuple[Sequence, ...] = ()


def draw_mishaps(site: Site, rng: np.random.Generator) -> Mishaps:
    """Draw what goes wrong in a study; always the same number of draws.

    Examples
    --------
    >>> draw_mishaps(SITES[0], np.random.default_rng(0))
    Mishaps(ghost=None, missing=None, swapped=())
    """
    chances = rng.random(3)
    picks = [USED[int(n)] for n in rng.integers(0, len(USED), 2)]
    ghost = picks[0] if chances[0] < site.ghost else None
    missing = picks[1] if chances[1] < site.missing else None
    swapped = (Sequence.T2, Sequence.FLAIR) if chances[2] < site.swapped and missing not in (_T2, _FLAIR) else ()
    return Mishaps(ghost, missing, swapped)


def sliced(image: Float, grid: Grid, thickness_mm: float) -> Float:
    """Return an image whose slices along z average over a thickness, put back on its grid (partial volume).

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Thin.
    grid : Grid
        Of the image.
    thickness_mm : float
        Of a slice; nothing changes up to one voxel.

    Returns
    -------
    ndarray of float32, shape (i, j, k)

    Examples
    --------
    >>> grid = Grid((1, 1, 4), np.eye(4))
    >>> sliced(np.array([[[0.0, 2.0, 4.0, 6.0]]], np.float32), grid, 2.0).ravel().tolist()
    [1.0, 1.0, 5.0, 5.0]
    """
    step = round(thickness_mm / grid.spacing_mm[2])
    if step <= 1:
        return image
    n = image.shape[2]
    whole = np.pad(image, ((0, 0), (0, 0), (0, -n % step)), mode="edge")
    means = whole.reshape(*image.shape[:2], -1, step).mean(axis=3)
    if step <= 2:
        return np.asarray(np.repeat(means, step, axis=2)[:, :, :n], dtype=np.float32)
    centres = (np.arange(n) - (step - 1) / 2) / step
    low = np.clip(np.floor(centres).astype(int), 0, means.shape[2] - 1)
    high = np.clip(low + 1, 0, means.shape[2] - 1)
    part = np.clip(centres - low, 0.0, 1.0).astype(np.float32)
    return np.asarray(means[:, :, low] * (1 - part) + means[:, :, high] * part, dtype=np.float32)


def shading(grid: Grid, places: int, rng: np.random.Generator) -> Float:
    """Return the sensitivity of receive coils around a head, shape (places, i, j, k); their squares sum to 1.

    Examples
    --------
    >>> maps = shading(Grid((8, 8, 8), np.diag([20.0, 20.0, 20.0, 1.0])), 4, np.random.default_rng(0))
    >>> bool(np.allclose((np.abs(maps) ** 2).sum(axis=0), 1.0, atol=1e-5))
    True
    """
    extent = np.asarray(grid.shape) * np.asarray(grid.spacing_mm)
    axes = np.ogrid[tuple(slice(0, n) for n in grid.shape)]
    maps = []
    for n in range(places):
        angle = 2 * np.pi * (n + rng.uniform(-0.1, 0.1)) / places
        centre = np.array([np.cos(angle), np.sin(angle), rng.uniform(-0.3, 0.3)]) * 0.6 * extent + extent / 2
        squares = sum(
            ((a * s - c) / (0.5 * extent.max())) ** 2 for a, s, c in zip(axes, grid.spacing_mm, centre, strict=True)
        )
        phase = np.exp(1j * (angle + 0.5 * np.sqrt(squares)))
        maps.append(np.exp(-0.5 * np.asarray(squares)) * phase)
    stack = np.stack(maps)
    return np.asarray(stack / np.sqrt((np.abs(stack) ** 2).sum(axis=0)), dtype=np.complex64)


def blurred(image: Float, grid: Grid, fwhm_mm: float) -> Float:
    """Return an image blurred by a Gaussian of a full width at half maximum, mm."""
    sigma = [fwhm_mm / 2.3548 / s for s in grid.spacing_mm]
    return np.asarray(ndi.gaussian_filter(image, sigma), dtype=np.float32)
