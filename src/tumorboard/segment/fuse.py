"""Several segmenters as one: majority, STAPLE and mean probability.

Why it exists: methods err in different places, and their agreement errs less than most of them alone. What is fused is
told: the card names every member, and a region that only some could look for is said so.

Source: Warfield SK, Zou KH, Wells WM. STAPLE. IEEE Trans Med Imaging 2004;23:903-921; for several labels: Rohlfing T,
Russakoff DB, Maurer CR. IEEE Trans Med Imaging 2004;23:983-994.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Several
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import GeometryError, InputError
from tumorboard.labels import LabelMap, Tissue
from tumorboard.segment.base import Card, Segmentation, Segmenter, Validity
from tumorboard.segment.space import LEAST_ML, drop_small
from tumorboard.study import Study
from tumorboard.volume import Volume, box_around

MOST_ITERATIONS = 500
TOLERANCE = 1e-6
"""STAPLE ends when no probability moves by more than this."""

Pooling = Callable[..., Any]
"""Mean or largest of several arrays along an axis."""

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


WAYS: dict[str, Callable[[Several[LabelMap]], LabelMap]] = {"majority": majority, "staple": staple}
"""Ways to fuse label maps, by name. One line enrols another."""


def averaged(given: Several[Segmentation], inner: Pooling = np.mean) -> LabelMap:
    """Return the labels that the mean probabilities of nested regions give: whole tumour and cavity, core, enhancing.

    Parameters
    ----------
    given : sequence of Segmentation
        On one grid. A member without a probability map of a region counts with its outline; one that could not look
        for it does not count.
    inner : callable
        How core and enhancing tumour are pooled: the mean, or the largest (what any member finds is there).

    Returns
    -------
    LabelMap
        Tumour or cavity where their mean probability is at least a half; the more probable tissue in it.
    """
    wt, rc = _pooled(given, "WT", np.mean), _pooled(given, "RC", np.mean)
    tc = np.minimum(_pooled(given, "TC", inner), wt)
    et = np.minimum(_pooled(given, "ET", inner), tc)
    tissues = {Tissue.SNFH: wt - tc, Tissue.NETC: tc - et, Tissue.ET: et, Tissue.RC: rc}
    order = np.array([int(t) for t in tissues], dtype=np.uint8)
    best = order[np.stack(list(tissues.values())).argmax(axis=0)]
    some = drop_small(wt + rc >= 0.5, LEAST_ML, given[0].labels.grid.spacing_mm)
    return LabelMap(np.where(some, best, np.uint8(0)), given[0].labels.grid)


def joined(given: Several[Segmentation]) -> LabelMap:
    """Return whole tumour by mean probability, and in it core and enhancing tumour where any member finds them.

    Methods miss core for unlike reasons (one wants it enclosed, another wants it dark), and take little else for it
    inside a tumour; see :func:`averaged`.
    """
    return averaged(given, np.max)


def _pooled(given: Several[Segmentation], region: str, pooling: Pooling) -> NDArray[np.float32]:
    soft = [
        np.asarray(g.probabilities[region].data if region in g.probabilities else g.labels.region(region), np.float32)
        for g in given
        if region not in g.not_assessable
    ]
    empty = np.zeros(given[0].labels.grid.shape, dtype=np.float32)
    return np.asarray(pooling(soft, axis=0), dtype=np.float32) if soft else empty


def _by_maps(way: Callable[[Several[LabelMap]], LabelMap]) -> Callable[[Several[Segmentation]], LabelMap]:
    return lambda given: way([g.labels for g in given])


FUSERS: dict[str, Callable[[Several[Segmentation]], LabelMap]] = {
    **{name: _by_maps(way) for name, way in WAYS.items()},
    "mean": averaged,
    "joined": joined,
}
"""Ways to fuse segmentations, by name; the first is taken where none is named."""

TITLES = {"majority": "Majority of", "staple": "STAPLE of", "mean": "Mean of", "joined": "Joint opinion of"}

SENTENCES = {
    "majority": "At each voxel the label of most members was taken; of tied labels, that of the member named first.",
    "mean": "Probabilities of the members were averaged.",
    "joined": "Probabilities of whole tumour were averaged; inside it, core and enhancing tumour are what any member "
    "found.",
    "staple": "Labels and the reliability of each member were estimated together (STAPLE).",
}


class FusedSegmenter:
    """Several segmenters whose label maps are fused.

    Parameters
    ----------
    segmenters : sequence of Segmenter
        At least two, in order of trust.
    how : str
        A name of :data:`FUSERS`.

    Raises
    ------
    InputError
        Fewer than two members, or an unknown way.
    """

    def __init__(self, segmenters: Several[Segmenter], how: str = "majority") -> None:
        if how not in FUSERS:
            raise InputError(f"one of the ways {', '.join(FUSERS)}", got=repr(how), where="fusion")
        if len(segmenters) < 2:
            raise InputError("at least two segmenters", got=f"{len(segmenters)}", where="fusion")
        self.segmenters, self.how = tuple(segmenters), how
        self.card = _card([s.card for s in segmenters], how)

    def segment(self, study: Study) -> Segmentation:
        """Segment one study with every member and fuse; what a member refuses is refused.

        Raises
        ------
        InputError
            What the members raise.
        """
        given = [s.segment(study) for s in self.segmenters]
        missing, partly = _missing([g.not_assessable for g in given])
        reasons = [f"{g.card.id}: {r}" for g in given for r in g.validity.reasons] + partly
        return Segmentation(
            labels=FUSERS[self.how](given),
            probabilities=_mean(given) | _inner(given, self.how),
            validity=Validity(min(g.validity.score for g in given), tuple(dict.fromkeys(reasons))),
            card=self.card,
            not_assessable=missing,
        )


def _card(cards: list[Card], how: str) -> Card:
    names = ", ".join(f"{c.id} {c.version}" for c in cards)
    return Card(
        id=f"fused-{how}",
        version="1 (" + names + ")",
        title=f"{TITLES[how]} " + "; ".join(c.title for c in cards),
        citation=" ".join(dict.fromkeys(c.citation for c in cards)),
        method=SENTENCES[how] + " " + " ".join(dict.fromkeys(c.method for c in cards)),
        limits="What most members miss is missed. " + " ".join(dict.fromkeys(c.limits for c in cards)),
        needs_any=tuple(dict.fromkeys(s for c in cards for s in c.needs_any)),
    )


def _missing(told: list[Mapping[str, str]]) -> tuple[dict[str, str], list[str]]:
    """Return regions that no member could look for, and sentences on those that only some could."""
    regions = dict.fromkeys(r for t in told for r in t)
    counts = {r: sum(r in t for t in told) for r in regions}
    none = {r: next(t[r] for t in told if r in t) for r in regions if counts[r] == len(told)}
    some = [f"{r} was looked for by {len(told) - n} of {len(told)} methods" for r, n in counts.items() if n < len(told)]
    return none, some


def _inner(given: list[Segmentation], how: str) -> dict[str, Volume]:
    """Return the maps of core and enhancing tumour that :func:`joined` decides by; none for other ways."""
    if how != "joined":
        return {}
    regions = [r for r in ("TC", "ET") if any(r not in g.not_assessable for g in given)]
    return {r: Volume(_pooled(given, r, np.max), given[0].labels.grid) for r in regions}


def _mean(given: list[Segmentation]) -> dict[str, Volume]:
    """Return the mean probability of each region over the members that give one."""
    regions = dict.fromkeys(r for g in given for r in g.probabilities)
    maps = {r: [g.probabilities[r] for g in given if r in g.probabilities] for r in regions}
    return {
        r: v[0].with_data(np.asarray(np.mean([m.data for m in v], axis=0, dtype=np.float32))) for r, v in maps.items()
    }
