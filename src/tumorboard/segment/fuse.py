"""Several outlines as one: majority, STAPLE, mean probability and joint opinion.

Why it exists: methods err in different places, and their agreement errs less than most of them alone. Each way is a
function; :mod:`tumorboard.segment.fused` makes segmenters of them.

Source: Warfield SK, Zou KH, Wells WM. STAPLE. IEEE Trans Med Imaging 2004;23:903-921; for several labels: Rohlfing T,
Russakoff DB, Maurer CR. IEEE Trans Med Imaging 2004;23:983-994.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Several
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import GeometryError, InputError
from tumorboard.labels import LabelMap, Tissue
from tumorboard.metrics.maps.overlap import dice
from tumorboard.segment.base import Segmentation
from tumorboard.segment.decision import decided
from tumorboard.volume import Volume, box_around

MOST_ITERATIONS = 500
TOLERANCE = 1e-6
"""STAPLE ends when no probability moves by more than this."""

Pooling = Callable[..., Any]
"""Mean or largest of several arrays along an axis."""

Among = Callable[[Several[Segmentation], str], list[Segmentation]]
"""Which of the members count for a region."""

LEAST = 1e-12
"""Smallest probability, so that a label nobody gave stays possible."""


def majority(maps: Several[LabelMap]) -> LabelMap:
    """Return the label that most maps have at each voxel; of tied labels, that of the map that is named first.

    Parameters
    ----------
    maps : sequence of LabelMap
        On one grid, in order of trust.

    Raises
    ------
    InputError
        There is no map.
    GeometryError
        They are not on one grid.

    Examples
    --------
    >>> votes = ([1, 3, 2], [1, 0, 0], [0, 0, 3])
    >>> majority([LabelMap.of(np.array([[v]], dtype=np.uint8), np.eye(4)) for v in votes]).data
    array([[[1, 0, 2]]], dtype=uint8)
    """
    _on_one_grid(maps)
    votes = np.stack([m.data for m in maps])
    return LabelMap(_most(votes), maps[0].grid)


def _most(votes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    counts = np.stack([(votes == value).sum(axis=0) for value in range(max(Tissue) + 1)])
    best = counts.max(axis=0)
    fused = votes[0].copy()
    for vote in votes[::-1]:
        wins = np.take_along_axis(counts, vote[None].astype(np.intp), axis=0)[0] == best
        fused[wins] = vote[wins]
    return np.asarray(fused)


def staple(maps: Several[LabelMap]) -> LabelMap:
    """Return the labels that are most likely when each map's reliability, label by label, is estimated with them.

    Parameters
    ----------
    maps : sequence of LabelMap
        On one grid, in order of trust (for voxels where labels are equally likely).

    Raises
    ------
    InputError
        There is no map.
    GeometryError
        They are not on one grid.

    Source
    ------
    Expectation maximisation over confusion matrices and label frequencies: Dawid AP, Skene AM. Appl Stat 1979;28:20-28,
    as STAPLE for several labels. ITK's MultiLabelSTAPLE erred more than majority where two poor raters stood beside a
    good one, so this one is ours. Only the box around all labels counts, so that air around a tumour changes nothing.

    Examples
    --------
    >>> one = LabelMap.of(np.arange(5, dtype=np.uint8).reshape(1, 1, 5), np.eye(4))
    >>> bool((staple([one, one, one]).data == one.data).all())
    True
    """
    _on_one_grid(maps)
    votes = np.stack([m.data for m in maps])
    box = box_around(np.asarray(votes.any(axis=0)))
    fused = maps[0].data.copy()
    if box is not None and len(maps) > 1:
        inside = votes[(slice(None), *box)]
        # voxels with the same votes get the same label: few patterns stand for all voxels
        patterns, which, counts = np.unique(
            inside.reshape(len(maps), -1), axis=1, return_inverse=True, return_counts=True
        )
        likely = _likelihoods(patterns, counts.astype(np.float64))
        best = likely.argmax(axis=0).astype(np.uint8)
        ties = (likely > likely.max(axis=0) - 1e-9).sum(axis=0) > 1
        chosen = np.where(ties, _most(patterns), best)
        fused[box] = chosen[which.ravel()].reshape(inside.shape[1:])
    return LabelMap(fused, maps[0].grid)


def _likelihoods(patterns: NDArray[np.uint8], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of each label, shape (labels, patterns), for patterns of votes (members, patterns)."""
    said = np.stack([patterns == label for label in range(max(Tissue) + 1)]).astype(np.float64)
    likely = said.mean(axis=1)
    for _ in range(MOST_ITERATIONS):
        weighted = likely * counts
        frequency = weighted.sum(axis=1) / counts.sum()
        confusion = np.einsum("tp,smp->mts", weighted, said) / np.maximum(weighted.sum(axis=1), LEAST)[None, :, None]
        logs = np.log(np.maximum(frequency, LEAST))[:, None]
        logs = logs + np.einsum("mts,smp->tp", np.log(np.maximum(confusion, LEAST)), said)
        powers = np.exp(logs - logs.max(axis=0))
        before, likely = likely, powers / powers.sum(axis=0)
        if float(np.abs(likely - before).max()) < TOLERANCE:
            break
    return np.asarray(likely)


def _on_one_grid(maps: Several[LabelMap]) -> None:
    if not maps:
        raise InputError("label maps to fuse", got="none")
    for n, other in enumerate(maps[1:], start=2):
        told = maps[0].grid.explain_mismatch(other.grid, ("the first map", f"map {n}"))
        if told:
            raise GeometryError("label maps on one grid", got=told)


Fused = tuple[LabelMap, dict[str, Volume]]
"""Labels, and the probability maps by region."""


def averaged(given: Several[Segmentation], inner: Pooling = np.mean, among: Among | None = None) -> Fused:
    """Return the labels that the mean probabilities of nested regions give: whole tumour and cavity, core, enhancing.

    Parameters
    ----------
    given : sequence of Segmentation
        On one grid. A member without a probability map of a region counts with its outline; one that could not look
        for it does not count.
    inner : callable
        How core and enhancing tumour are pooled: the mean, or the largest (what any member finds is there).
    among : callable, optional
        Which members count for a region, from all of them and its name; without it all do.

    Returns
    -------
    LabelMap
        Tumour or cavity where their mean probability is at least a half; the more probable tissue in it.
    dict of str to Volume
        The probabilities that decided, of each region that some member could look for.
    """
    grid = given[0].labels.grid
    members = {r: given if among is None else among(given, r) for r in ("WT", "TC", "ET", "RC")}
    wt, rc = (_pooled(members[r], r, np.mean) for r in ("WT", "RC"))
    tc = np.minimum(_pooled(members["TC"], "TC", inner), wt)
    et = np.minimum(_pooled(members["ET"], "ET", inner), tc)
    tissues = np.stack([1.0 - wt - rc, tc - et, wt - tc, et, rc])
    labels = decided(tissues, wt + rc >= 0.5, grid.spacing_mm)
    maps = {"WT": wt, "TC": tc, "ET": et, "RC": rc}
    told = {r: Volume(m, grid) for r, m in maps.items() if any(r not in g.not_assessable for g in given)}
    return LabelMap(labels, grid), told


LEAST_SHARED = 0.5
"""Least Dice of two outlines of a region that can be of one tumour."""


def agreeing(given: Several[Segmentation], region: str = "WT") -> list[Segmentation]:
    """Return the members that outline the region that the first outlines; those that could not look for it too.

    Where one finds nothing, or something else altogether, a mean is nobody's opinion. So it is with each region:
    what another takes for core elsewhere would make necrosis of the first one's enhancing tumour.
    """
    first = given[0]
    if region in first.not_assessable:
        return list(given)
    mask = first.labels.region(region)

    def alike(other: Segmentation) -> bool:
        return region in other.not_assessable or dice(mask, other.labels.region(region)) >= LEAST_SHARED

    return [g for g in given if g is first or alike(g)]


def _pooled(given: Several[Segmentation], region: str, pooling: Pooling) -> NDArray[np.float32]:
    soft = [
        np.asarray(g.probabilities[region].data if region in g.probabilities else g.labels.region(region), np.float32)
        for g in given
        if region not in g.not_assessable
    ]
    empty = np.zeros(given[0].labels.grid.shape, dtype=np.float32)
    return np.asarray(pooling(soft, axis=0), dtype=np.float32) if soft else empty


def _by_maps(way: Callable[[Several[LabelMap]], LabelMap]) -> Callable[[Several[Segmentation]], Fused]:
    return lambda given: (way([g.labels for g in given]), _mean(given))


def _mean(given: Several[Segmentation]) -> dict[str, Volume]:
    """Return the mean probability of each region over the members that give one."""
    regions = dict.fromkeys(r for g in given for r in g.probabilities)
    maps = {r: [g.probabilities[r] for g in given if r in g.probabilities] for r in regions}
    return {
        r: v[0].with_data(np.asarray(np.mean([m.data for m in v], axis=0, dtype=np.float32))) for r, v in maps.items()
    }


@dataclass(frozen=True)
class Fuser:
    """A way to make one opinion of several.

    Parameters
    ----------
    title : str
        Before the members' titles.
    sentence : str
        What is done, for a report.
    fuse : callable
        From the segmentations that count to labels and probability maps.
    counted : callable
        Which of the members' segmentations count, in their order.
    version : str
        Changes whenever the result may change.
    """

    title: str
    sentence: str
    fuse: Callable[[Several[Segmentation]], Fused]
    counted: Callable[[Several[Segmentation]], list[Segmentation]] = list
    version: str = "1"


FUSERS = {
    "majority": Fuser(
        "Majority of",
        "At each voxel the label of most members was taken; of tied labels, that of the member named first.",
        _by_maps(majority),
    ),
    "staple": Fuser(
        "STAPLE of", "Labels and the reliability of each member were estimated together (STAPLE).", _by_maps(staple)
    ),
    "mean": Fuser("Mean of", "Probabilities of the members were averaged.", averaged, version="2"),
    # methods miss core for unlike reasons (one wants it enclosed, another wants it dark), and take little else for it
    "joined": Fuser(
        "Joint opinion of",
        "Probabilities of whole tumour were averaged; inside it, core and enhancing tumour are what any member found. "
        "A member that outlined another tumour than the first did not count, nor did one for a region that it "
        "outlined elsewhere.",
        partial(averaged, inner=np.max, among=agreeing),
        agreeing,
        version="2",
    ),
}
"""Ways to fuse segmentations, by name; the first is taken where none is named. One entry enrols another."""
