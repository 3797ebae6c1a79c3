"""Brain metastases: how many, how large, where and of which kind, by the primary tumour.

Why it exists: detection is judged by lesion and by size, and primaries differ. Numbers and volumes follow 461
patients of UCSF-BMSR (tables of counts and volumes; Rudie JD et al., Radiol Artif Intell 2024;6:e230126); what each
primary looks like is chosen from what is commonly taught and **unverified**.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.disease.foci import Focus
from tumorboard.simulate.fields import Mask

SMALLEST_MM, LARGEST_MM = 2.0, 45.0


@dataclass(frozen=True)
class Primary:
    """Metastases of one primary.

    Parameters
    ----------
    patients : int
        Of UCSF-BMSR; shares follow from it.
    counts : tuple of (float, float)
        Rank and number of lesions.
    median_mm3, spread : float
        Median volume of a lesion and standard deviation of its natural logarithm.
    kinds : mapping of str to float
        Shares of ``solid``, ``ring``, ``cystic`` and ``haemorrhagic``.
    """

    patients: int
    counts: tuple[tuple[float, float], ...]
    median_mm3: float
    spread: float
    kinds: dict[str, float]


PRIMARIES: dict[str, Primary] = {
    "lung": Primary(
        180,
        ((0, 1), (0.1, 1), (0.25, 2), (0.5, 5), (0.75, 10), (0.9, 27), (1, 40)),
        75.0,
        1.9,
        {"solid": 0.55, "ring": 0.35, "cystic": 0.07, "haemorrhagic": 0.03},
    ),
    "breast": Primary(
        113,
        ((0, 1), (0.1, 1), (0.25, 3), (0.5, 6), (0.75, 16), (0.9, 31), (1, 45)),
        70.0,
        1.8,
        {"solid": 0.55, "ring": 0.35, "cystic": 0.08, "haemorrhagic": 0.02},
    ),
    "melanoma": Primary(
        75,
        ((0, 1), (0.1, 1), (0.25, 2), (0.5, 4), (0.75, 12), (0.9, 18), (1, 35)),
        110.0,
        1.9,
        {"solid": 0.45, "ring": 0.15, "cystic": 0.05, "haemorrhagic": 0.35},
    ),
    "renal": Primary(
        20,
        ((0, 1), (0.1, 1), (0.25, 2), (0.5, 4), (0.75, 7), (0.9, 13), (1, 20)),
        150.0,
        1.8,
        {"solid": 0.55, "ring": 0.15, "cystic": 0.05, "haemorrhagic": 0.25},
    ),
    "gi": Primary(
        18,
        ((0, 1), (0.25, 1), (0.5, 3), (0.75, 7), (0.9, 14), (1, 16)),
        250.0,
        1.8,
        {"solid": 0.40, "ring": 0.45, "cystic": 0.13, "haemorrhagic": 0.02},
    ),
}

WALL_PART = {"ring": (0.25, 0.5), "cystic": (0.10, 0.2), "haemorrhagic": (0.35, 0.35)}
"""Wall as a part of the radius (chosen)."""

LEAST_WALL_MM = 1.2
"""No wall is thinner (chosen): a part of a small radius would be a wall that no scanner shows, and readers call
metastasis what enhances."""

INSIDE = {"solid": "metastasis", "ring": "necrosis", "cystic": "cyst", "haemorrhagic": "methaemoglobin"}


def draw_metastases(primary: str, head: Anatomy, rng: np.random.Generator) -> list[Focus]:
    """Draw the metastases of a patient.

    Parameters
    ----------
    primary : str
        A key of :data:`PRIMARIES`.
    head : Anatomy
        Where.
    rng : numpy.random.Generator
        Source.

    Returns
    -------
    list of Focus
        Largest first; centres keep apart.

    Raises
    ------
    KeyError
        There is no such primary.

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> head = draw_anatomy(np.random.default_rng(0), 6.0)
    >>> foci = draw_metastases("lung", head, np.random.default_rng(4))
    >>> all(SMALLEST_MM <= f.diameter_mm <= LARGEST_MM for f in foci), len(foci) >= 1
    (True, True)
    """
    of = PRIMARIES[primary]
    ranks, counts = zip(*of.counts, strict=True)
    number = max(1, round(float(np.interp(rng.random(), ranks, counts))))
    volumes = of.median_mm3 * np.exp(of.spread * rng.standard_normal(number))
    diameters = np.sort(np.clip((6 * volumes / np.pi) ** (1 / 3), SMALLEST_MM, LARGEST_MM))[::-1]
    likely = likely_places(head)
    foci: list[Focus] = []
    for diameter in diameters:
        kind = str(rng.choice(list(of.kinds), p=list(of.kinds.values())))
        centre = _place(likely, foci, float(diameter), head, rng)
        if centre is not None:
            foci.append(_focus(centre, float(diameter), kind, rng))
    return foci


def likely_places(head: Anatomy) -> Mask:
    """Return where metastases begin: the grey-white junction, more of it in the watershed and the cerebellum.

    Source: Hwang TL et al., Cancer 1996;77:1551-1555 (grey-white junction and watershed); shares are chosen.
    """
    junction = head.brain & (head.gm > 0.25) & (head.wm > 0.25) & (head.csf < 0.2) & ~head.ventricles
    x, y, z = head.mni_mm
    watershed = (np.abs(np.abs(x) - 38.0) < 14) & (z > 10)
    return np.asarray(junction & (watershed | (z < -20) | (np.hypot(x, y + 20) > 45)))


def _place(
    likely: Mask, foci: list[Focus], diameter: float, head: Anatomy, rng: np.random.Generator
) -> tuple[int, int, int] | None:
    """Draw a centre that keeps clear of the others; ``None`` when no room is found."""
    places, spacing = np.argwhere(likely), np.asarray(head.grid.spacing_mm)
    for _ in range(40):
        place = places[rng.integers(len(places))]
        gaps = [
            np.linalg.norm((place - f.centre_ijk) * spacing) - 0.75 * (f.diameter_mm + diameter) - 4.0 for f in foci
        ]
        if all(gap > 0 for gap in gaps):
            i, j, k = (int(c) for c in place)
            return i, j, k
    return None


def _focus(centre: tuple[int, int, int], diameter: float, kind: str, rng: np.random.Generator) -> Focus:
    part, swollen = rng.random(), rng.random()
    if diameter < 5.0 and kind in ("ring", "cystic"):
        kind = "solid"  # no lumen is seen in so small a lesion
    low, high = WALL_PART.get(kind, (2.0, 2.0))  # solid: all of it
    wall = max(LEAST_WALL_MM, 0.5 * diameter * (low + (high - low) * part))
    oedema = float(6.0 * swollen**2) if diameter >= 6.0 else 0.0
    return Focus(centre, diameter, wall, inside=INSIDE[kind], oedema=oedema)
