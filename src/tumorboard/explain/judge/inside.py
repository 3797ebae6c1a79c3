"""How much of a map lies in the tumour, and how much would by chance.

Why it exists: a genotype that is read off the skull is no genotype. Saliency off the tumour marks a case as unreliable;
"60 % inside" means nothing without the share of the brain that the tumour fills.

Source: Meier R et al. 2018 (saliency off the tumour as a sign of an unreliable case); the pointing game: Zhang J et al.
Int J Comput Vis 2018;126:1084-1102.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.explain.images.saliency import RegionShare, Saliency
from tumorboard.explain.words import place_of

CITES = "Meier R et al. 2018; Zhang J et al. Int J Comput Vis 2018;126:1084-1102"
UNRELIABLE = "no more of the map lies in the tumour than by chance: an unreliable case"
PEAK_OUTSIDE = "the map's peak lies outside the tumour"

Mask = NDArray[np.bool_]


def locate(
    saliency: Saliency, regions: Mapping[str, ArrayLike], field: ArrayLike, *, tumour: str = "WT", place: str = ""
) -> Saliency:
    """Return a map with its shares by region, the sentence that says so, and warnings where it misses the tumour.

    Parameters
    ----------
    saliency : Saliency
        Any; what speaks for the output counts.
    regions : mapping of str to array_like of bool, shape as the map
        By name: ``WT``, ``ET``, ``SNFH`` … ; they may overlap.
    field : array_like of bool, shape as the map
        Where a map may lie: the brain. Saliency outside counts as missed.
    tumour : str
        The region that must be hit.
    place : str
        Where the tumour lies, in words: ``left frontal``.

    Returns
    -------
    Saliency
        With ``regions``: ``expected`` is a region's share of the field.

    Raises
    ------
    InputError
        A shape differs, there is no such tumour region, or the field is empty.

    Examples
    --------
    >>> from torch import nn
    >>> from tumorboard.explain.images.asked import Asked
    >>> from tumorboard.explain.images.saliency import saliency_of
    >>> made = saliency_of(Asked(nn.Flatten(), np.ones((1, 2, 2))), ("rise", ""), [[3.0, 0.0], [1.0, 0.0]])
    >>> found = locate(made, {"WT": [[1, 0], [0, 0]]}, np.ones((2, 2)), place="left frontal")
    >>> found.regions[0].share, found.regions[0].expected
    (0.75, 0.25)
    """
    masks = {name: _mask(mask, saliency.values.shape, name) for name, mask in regions.items()}
    inside = _mask(field, saliency.values.shape, "field")
    if tumour not in masks or not inside.any():
        raise InputError(f"a mask of {tumour} and a field that is not empty", got="none", where="share of saliency")
    size = saliency.positive
    total = float(size.sum())
    shares = tuple(
        RegionShare(name, float(size[mask].sum()) / total if total > 0 else 0.0, float((mask & inside).sum()
        / inside.sum()))
        for name, mask in masks.items()
    )  # fmt: skip
    found = dataclasses.replace(saliency, regions=shares, sentence=_sentence(saliency, shares, tumour, place))
    return found.warned(*_warnings(found, shares, masks[tumour], tumour))


def _mask(mask: ArrayLike, shape: tuple[int, ...], name: str) -> Mask:
    found = np.asarray(mask).astype(np.bool_)
    if found.shape != shape:
        raise InputError(f"a mask of shape {shape}", got=f"shape {found.shape}", where=f"region {name}")
    return found


def _warnings(found: Saliency, shares: tuple[RegionShare, ...], mask: Mask, tumour: str) -> tuple[str, ...]:
    share = next(s for s in shares if s.region == tumour)
    if not mask.any():
        return (f"there is no {tumour}: nothing can be said of the map's place",)
    missed = share.share <= share.expected
    return (UNRELIABLE if missed else "", "" if mask[found.peak] else PEAK_OUTSIDE)


def _sentence(saliency: Saliency, shares: tuple[RegionShare, ...], tumour: str, place: str) -> str:
    """Change, importance, place: the tumour first, then its part with most, then the sequence with most."""
    of = {s.region: s for s in shares}
    parts = sorted((s for s in shares if s.region != tumour), key=lambda s: -s.share)
    first = f"{_told(of[tumour])}{f' ({place})' if place else ''}"
    outcome = saliency.about.outcome
    if of[tumour].share <= of[tumour].expected:
        return f"The answer for {outcome} looks no more than by chance at {first}{saliency.about.ending}."
    then = f", chiefly {_told(parts[0])}" if parts and parts[0].share > 0 else ""
    sequence = saliency.by_sequence[0] if saliency.by_sequence else None
    on = f"; of the sequences {sequence[0]} most ({100 * sequence[1]:.0f} %)" if sequence else ""
    return f"The answer for {outcome} looks at {first}{then}{on}{saliency.about.ending}."


def _told(share: RegionShare) -> str:
    told = f"{100 * share.share:.0f} % of the map, {100 * share.expected:.0f} % by chance"
    return f"{place_of(share.region)} ({told})"
