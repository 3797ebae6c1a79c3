"""Patients with several round lesions over time: each deposit with its own fate, drawn as labels, matter and numbers.

Why it exists: metastases and lymphoma are followed lesion by lesion: one shrinks, one fails, one turns into radiation
necrosis, one is new. Fates and their chances are chosen near what is usually quoted and **unverified** (local failure
after radiosurgery some 12 %, radiation necrosis some 10 %, new lesions in half of the patients within a year).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import LabelMap, Tissue
from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.disease.foci import Focus, ball
from tumorboard.simulate.disease.growth import GrowthParameters, first_ml, solid_tissue
from tumorboard.simulate.disease.lesion import oedema
from tumorboard.simulate.fields import Float
from tumorboard.simulate.look import Look
from tumorboard.simulate.scanner.mixture import State


class Fate(StrEnum):
    """What becomes of a treated lesion."""

    CONTROLLED = "controlled"
    FAILED = "local failure"
    NECROSIS = "radiation necrosis"
    PSEUDO = "pseudoprogression"


COURSES: dict[Fate, tuple[tuple[float, ...], tuple[float, ...]]] = {
    Fate.CONTROLLED: ((0, 20, 90, 200, 500), (1.0, 1.0, 0.5, 0.3, 0.15)),
    Fate.FAILED: ((0, 20, 90, 200, 500), (1.0, 1.0, 0.6, 1.1, 4.0)),
    Fate.NECROSIS: ((0, 20, 120, 240, 400, 600), (1.0, 1.0, 0.6, 1.8, 2.2, 1.2)),
    Fate.PSEUDO: ((0, 20, 70, 160, 300), (1.0, 1.0, 1.6, 0.6, 0.3)),
}
"""Volume over days as a multiple of the first (chosen)."""

FATES = ((Fate.CONTROLLED, 0.74), (Fate.FAILED, 0.12), (Fate.NECROSIS, 0.10), (Fate.PSEUDO, 0.04))
LYMPHOMA_COURSES = (((0, 100, 400), (1.0, 0.03, 0.0)), ((0, 100, 300, 450), (1.0, 0.25, 0.5, 2.0)))
"""Lymphoma under chemotherapy: complete response, or partial response and relapse (chosen)."""

NECROTIC_FROM_DAY = 150
"""From when a lesion on its way to radiation necrosis no longer consists of tumour."""

SEEN_MM = 1.5
"""Lesions that have shrunk below this diameter are gone."""


@dataclass(frozen=True)
class Deposit:
    """A lesion over time.

    Parameters
    ----------
    focus : Focus
        At its first study.
    born : int
        Day from which it is there.
    fate : Fate
        What becomes of it.
    days, volumes : tuple of float
        Volume over days since ``born`` as a multiple of the first.
    shape_seed : int
        Its outline is the same at all visits.
    """

    focus: Focus
    born: int
    fate: Fate
    days: tuple[float, ...]
    volumes: tuple[float, ...]
    shape_seed: int

    def at(self, day: int) -> Focus | None:
        """Return the lesion on a day; ``None`` while it is not there or too small to be seen."""
        if day < self.born:
            return None
        factor = float(np.interp(day - self.born, self.days, self.volumes)) ** (1 / 3)
        diameter = self.focus.diameter_mm * factor
        if diameter < SEEN_MM:
            return None
        dead = self.fate is Fate.NECROSIS and day - self.born >= NECROTIC_FROM_DAY
        wall = "radionecrosis" if dead else self.focus.wall
        solid = self.focus.wall_mm >= self.focus.diameter_mm / 2
        inside = wall if solid else self.focus.inside
        thick = diameter if solid else self.focus.wall_mm * factor
        return replace(self.focus, diameter_mm=diameter, wall_mm=thick, wall=wall, inside=inside)


def deposits(foci: Sequence[Focus], rng: np.random.Generator) -> list[Deposit]:
    """Give each metastasis its fate after radiosurgery.

    Parameters
    ----------
    foci : sequence of Focus
        At the first study.
    rng : numpy.random.Generator
        Source.

    Returns
    -------
    list of Deposit

    Examples
    --------
    >>> one = deposits([Focus((5, 5, 5), 8.0, 8.0)], np.random.default_rng(0))[0]
    >>> one.fate.value, one.at(0).diameter_mm
    ('controlled', 8.0)
    """
    fates, chances = [fate for fate, _ in FATES], [chance for _, chance in FATES]
    made = []
    for focus in foci:
        fate = fates[int(np.searchsorted(np.cumsum(chances), rng.random()))]
        days, volumes = COURSES[fate]
        made.append(Deposit(focus, 0, fate, days, volumes, int(rng.integers(2**31))))
    return made


def new_deposits(foci: Sequence[Focus], days: Sequence[int], rng: np.random.Generator) -> list[Deposit]:
    """Let further lesions appear at later studies and grow until the next treatment.

    Parameters
    ----------
    foci : sequence of Focus
        Candidates.
    days : sequence of int
        Days of the studies; none appears at the first.
    rng : numpy.random.Generator
        Source.

    Returns
    -------
    list of Deposit
    """
    made: list[Deposit] = []
    left = list(foci)
    for day in days[1:]:
        for _ in range(int(rng.poisson(0.35))):
            if left:
                focus = left.pop()
                small = replace(focus, diameter_mm=min(focus.diameter_mm, 9.0), wall_mm=99.0, inside=focus.wall)
                grows = ((0.0, 100.0, 300.0), (1.0, 2.5, 6.0))
                made.append(Deposit(small, day, Fate.FAILED, *grows, int(rng.integers(2**31))))
    return made


def lymphoma_deposits(foci: Sequence[Focus], rng: np.random.Generator) -> list[Deposit]:
    """Give the foci of a lymphoma one fate under chemotherapy."""
    responds = bool(rng.random() < 0.6)
    days, volumes = LYMPHOMA_COURSES[0 if responds else 1]
    fate = Fate.CONTROLLED if responds else Fate.FAILED
    return [Deposit(f, 0, fate, days, volumes, int(rng.integers(2**31))) for f in foci]


@dataclass(frozen=True)
class Drawn:
    """Lesions at one visit.

    Parameters
    ----------
    state : State
        Labels and matter.
    lesions : ndarray of uint16, shape (i, j, k)
        Number of each lesion, from 1, the same at all visits; 0 elsewhere.
    seen : mapping of int to Focus
        What was drawn, by number.
    """

    state: State
    lesions: NDArray[np.uint16]
    seen: dict[int, Focus]


def drawn(all_deposits: Sequence[Deposit], day: int, head: Anatomy, look: Look, rng: np.random.Generator) -> Drawn:
    """Draw the lesions of a day.

    Parameters
    ----------
    all_deposits : sequence of Deposit
        The patient's; their order numbers them.
    day : int
        From the first study.
    head : Anatomy
        Where.
    look : Look
        Of tumour tissue.
    rng : numpy.random.Generator
        Source of oedema.

    Returns
    -------
    Drawn
        A lesion too small to fill half a voxel is one voxel of the label map.
    """
    shape = head.grid.shape
    labels, numbers = np.zeros(shape, dtype=np.uint8), np.zeros(shape, dtype=np.uint16)
    painted: dict[str, Float] = {}
    swollen, wanted, seen = np.zeros(shape, dtype=np.bool_), 0.0, {}
    for n, deposit in enumerate(all_deposits, 1):
        focus = deposit.at(day)
        if focus is None:
            continue
        box, whole, inner = ball(focus, head.grid, np.random.default_rng(deposit.shape_seed))
        free = head.brain[box]
        whole, inner = whole * free, inner * free
        if not whole.any():
            continue
        seen[n] = focus
        _add(painted, focus.wall, box, whole - inner, shape)
        _add(painted, focus.inside, box, inner, shape)
        mask = _voxels(whole)
        numbers[box][mask] = n
        same = focus.inside == focus.wall
        labels[box][mask] = Tissue.ET if same else np.where(inner[mask] > 0.5, Tissue.NETC, Tissue.ET)
        if focus.oedema > 0:
            swollen[box] |= mask
            wanted += focus.oedema * np.pi / 6 * focus.diameter_mm**3 / 1000
    fluid = _oedema(swollen, wanted, labels, head, rng)
    labels[fluid] = Tissue.SNFH
    layers: dict[str, Float | NDArray[np.bool_]] = {"oedema": fluid} if fluid.any() else {}
    return Drawn(State(LabelMap(labels, head.grid), {**layers, **painted}, look), numbers, seen)


def _oedema(
    swollen: NDArray[np.bool_], wanted_ml: float, labels: NDArray[np.uint8], head: Anatomy, rng: np.random.Generator
) -> NDArray[np.bool_]:
    if not swollen.any() or wanted_ml <= 0:
        return np.zeros_like(swollen)
    fluid = oedema(swollen, head, rng, replace(GrowthParameters(), leak_mm=9.0))
    allowed = solid_tissue(head) & (labels == 0) & (fluid > 0)
    return first_ml(fluid * (head.wm + np.float32(0.15) * head.gm), allowed, wanted_ml, head.grid)


def _voxels(whole: Float) -> NDArray[np.bool_]:
    mask = whole >= 0.5
    if not mask.any():
        mask = np.zeros_like(mask)
        mask[np.unravel_index(whole.argmax(), whole.shape)] = True
    return np.asarray(mask)


def _add(
    painted: dict[str, Float], name: str, box: tuple[slice, slice, slice], share: Float, shape: tuple[int, int, int]
) -> None:
    if share.any():
        full = painted.setdefault(name, np.zeros(shape, dtype=np.float32))
        full[box] = np.maximum(full[box], share)
