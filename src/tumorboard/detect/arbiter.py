"""Who is right where two detectors differ: small trees that weigh their scores with what lies around a place.

Why it exists: a network and a template err in other places. What either finds alone is mostly a vessel on T1C; that
both find it, and that nothing bright goes on beside it, tells a lesion. Trees are kept as numbers in a file that all
can read, and belong to two methods in their versions: with any other they are not used.

Source: Friedman JH, Greedy function approximation: a gradient boosting machine, Ann Stat 2001;29:1189-1232.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Several
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import ndimage as ndi

from tumorboard.detect.base import ball_diameter_mm
from tumorboard.segment.base import Card
from tumorboard.sequences import Sequence
from tumorboard.store import write_atomic
from tumorboard.study import Study

HOME = Path(__file__).resolve().parents[1] / "bundles" / "joint"
"""Where trees lie; each file is named by the methods."""

AROUND_MM = (1.0, 3.0)
"""From a candidate, what lies at this distance is its surroundings; chosen."""

BRIGHTER = 90.0
"""Percentile of the surroundings: a vessel goes on somewhere beside the piece that was found, a lesion nowhere."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tree(_Frozen):
    """One tree; node 0 is the root, and a leaf has -1 for both its branches."""

    clue: tuple[int, ...] = Field(description="which clue a node asks for")
    border: tuple[float, ...] = Field(description="up to this, the left branch")
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...] = Field(description="of a leaf, logarithm of odds")


class Arbiter(_Frozen):
    """Trees for candidates of studies with the same sequences."""

    clues: tuple[str, ...] = Field(description="names, in the order of the trees' numbers")
    start: float = Field(description="logarithm of odds before any tree")
    trees: tuple[Tree, ...]
    thresholds: tuple[float, float, float] = Field(description="operating point, by class of size")
    patients: int = Field(description="digital patients that it was fitted on")

    def chances(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance of each candidate to be a lesion.

        Parameters
        ----------
        rows : ndarray of float64, shape (candidates, clues)
            Clues, in the order of ``clues``.

        Returns
        -------
        ndarray of float64, shape (candidates,)

        Examples
        --------
        >>> tree = Tree(clue=(0, 0, 0), border=(0.5, 0, 0), left=(1, -1, -1), right=(2, -1, -1), value=(0, -2, 2))
        >>> one = Arbiter(clues=("first",), start=0.0, trees=(tree,), thresholds=(0.5, 0.5, 0.5), patients=1)
        >>> one.chances(np.array([[0.1], [0.9]])).round(2).tolist()
        [0.12, 0.88]
        """
        odds = np.full(len(rows), self.start)
        for tree in self.trees:
            odds += _answers(tree, rows)
        return np.asarray(1.0 / (1.0 + np.exp(-odds)))


def _answers(tree: Tree, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    left, right, clue = np.array(tree.left), np.array(tree.right), np.array(tree.clue)
    border, at = np.array(tree.border), np.zeros(len(rows), dtype=np.intp)
    every = np.arange(len(rows))
    while (inner := left[at] >= 0).any():
        # borders were found on single precision
        goes_left = rows[every, clue[at]].astype(np.float32) <= border[at]
        at = np.where(inner, np.where(goes_left, left[at], right[at]), at)
    return np.array(tree.value)[at]


class ArbiterFile(_Frozen):
    """What a file of :data:`HOME` holds."""

    members: dict[str, str] = Field(description="version by name of the method")
    plain: Arbiter = Field(description="for T1C alone")
    with_bb: Arbiter | None = Field(default=None, description="for T1C with black-blood")


def arbiter_of(cards: Several[Card], study: Study) -> Arbiter | None:
    """Return the trees for two methods in these versions and a study, or None where there are none.

    Examples
    --------
    >>> from tumorboard.volume import Grid, Volume
    >>> image = Volume(np.zeros((1, 1, 1), np.float32), Grid((1, 1, 1), np.eye(4)))
    >>> arbiter_of((), Study("ses-01", {Sequence.T1C: image}, np.ones((1, 1, 1), bool))) is None
    True
    """
    kept = read_arbiter(named(cards))
    if kept is None or Sequence.T1C not in study.volumes or kept.members != {c.id: c.version for c in cards}:
        return None
    return kept.with_bb if Sequence.BB in study.volumes else kept.plain


def named(cards: Several[Card]) -> Path:
    """Return where trees for these methods lie."""
    return HOME / f"detect-{'+'.join(c.id for c in cards)}.json"


def write_arbiter(cards: Several[Card], plain: Arbiter, with_bb: Arbiter | None) -> Path:
    """Write trees to where :func:`arbiter_of` looks for them."""
    content = ArbiterFile(members={c.id: c.version for c in cards}, plain=plain, with_bb=with_bb)
    write_atomic(named(cards), content.model_dump_json() + "\n")
    read_arbiter.cache_clear()
    return named(cards)


@cache
def read_arbiter(path: Path) -> ArbiterFile | None:
    """Return what a file holds, or None where there is none."""
    return ArbiterFile.model_validate_json(path.read_text()) if path.is_file() else None


def clue_names(study: Study) -> tuple[str, ...]:
    """Return the clues that a study gives.

    Examples
    --------
    >>> from tumorboard.volume import Grid, Volume
    >>> image = Volume(np.zeros((1, 1, 1), np.float32), Grid((1, 1, 1), np.eye(4)))
    >>> clue_names(Study("ses-01", {Sequence.T1C: image}, np.ones((1, 1, 1), bool)))
    ('first', 'second', 'diameter', 'bright T1C', 'around T1C')
    """
    shown = [s.value for s in (Sequence.T1C, Sequence.BB) if s in study.volumes]
    return ("first", "second", "diameter", *(f"{what} {s}" for s in shown for what in ("bright", "around")))


def clues(
    numbers: NDArray[np.int32], scores: Mapping[int, tuple[float, float]], study: Study
) -> dict[int, tuple[float, ...]]:
    """Return the clues of every candidate, in the order of :func:`clue_names`.

    Parameters
    ----------
    numbers : ndarray of int32, shape (i, j, k)
        Of the candidates, 0 elsewhere.
    scores : mapping of int to (float, float)
        What the first and the second method give a candidate; 0 where it was not found.
    study : Study
        Prepared: images are in robust standard deviations of the brain.

    Returns
    -------
    dict of int to tuple of float
        Scores; diameter in mm; upper brightness inside, and in the surroundings, of T1C and black-blood.

    Examples
    --------
    >>> from tumorboard.volume import Grid, Volume
    >>> image = np.zeros((9, 9, 9), np.float32); image[4, 4, :5] = 5
    >>> study = Study("ses-01", {Sequence.T1C: Volume(image, Grid((9, 9, 9), np.eye(4)))}, np.ones((9, 9, 9), bool))
    >>> numbers = np.zeros((9, 9, 9), np.int32); numbers[4, 4, 4] = 1
    >>> {n: [round(v, 1) for v in row] for n, row in clues(numbers, {1: (0.9, 0.2)}, study).items()}
    {1: [0.9, 0.2, 1.2, 5.0, 0.0]}
    """
    shown = [study.volumes[s].data for s in (Sequence.T1C, Sequence.BB) if s in study.volumes]
    out = {}
    for number, box in enumerate(ndi.find_objects(numbers), start=1):
        if box is None or number not in scores:
            continue
        wide = _widened(box, study.grid.spacing_mm)
        inside = numbers[wide] == number
        ring = _surroundings(inside, study.grid.spacing_mm) & study.brain[wide]
        row = [*scores[number], ball_diameter_mm(float(inside.sum()) * study.grid.voxel_volume_ml)]
        for image in shown:
            part = image[wide]
            row += [
                float(np.percentile(part[inside], 95)),
                float(np.percentile(part[ring], BRIGHTER)) if ring.any() else 0.0,
            ]
        out[number] = tuple(row)
    return out


def _widened(box: tuple[slice, ...], spacing_mm: tuple[float, float, float]) -> tuple[slice, ...]:
    room = [int(np.ceil(AROUND_MM[1] / s)) for s in spacing_mm]
    return tuple(slice(max(0, b.start - r), b.stop + r) for b, r in zip(box, room, strict=True))


def _surroundings(inside: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> NDArray[np.bool_]:
    away = ndi.distance_transform_edt(~inside, sampling=spacing_mm)
    return np.asarray((away > AROUND_MM[0]) & (away <= AROUND_MM[1]))
