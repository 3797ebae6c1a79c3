"""The brain in a head with its skull: found by a network, checked, or given by the user.

Why it exists: every later number is relative to the brain. Whatever a mask comes from must look like a brain before
it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.errors import InputError
from tumorboard.prepare.brain import background_value
from tumorboard.prepare.brainers import deepbet
from tumorboard.prepare.brainers.deepbet import largest_part
from tumorboard.sequences import Sequence
from tumorboard.volume import Grid, Volume

PLAUSIBLE_ML = (700.0, 2100.0)
"""Volumes (mL) of a whole brain that are believed: children to large adults with a mass; chosen wide."""

PLAUSIBLE_MM = (90.0, 220.0)
"""Extents (mm) along right-left, front-back and head-foot that are believed; chosen wide."""

MOST_CUT = 0.35
"""Largest part of the widest cross-section that may lie on the top or bottom slice before the brain is called
clipped; chosen. Clipping is told, not refused."""

STRIPPED_SHARE = 0.2
"""Least share of voxels at one background value, outside a largest part of brain size, in a stripped image; chosen."""

LARGEST_STRIPPED_ML = 2300.0
"""Signal of more than this (mL) holds more than a brain; chosen (as for stripped input)."""

T1_FIRST = (Sequence.T1C, Sequence.T1, Sequence.FLAIR, Sequence.T2)
"""Which sequence the mask is made on: outlines are best on T1-weighted heads."""

T1_WEIGHTED = (Sequence.T1C, Sequence.T1)


@dataclass(frozen=True)
class Brainer:
    """A method that outlines brains.

    Parameters
    ----------
    method : str
        For the methods paragraph.
    outline : callable
        Takes a head and its role, and returns the brain on its grid.
    """

    method: str
    outline: Callable[[Volume, str], NDArray[np.bool_]]


def _ours(volume: Volume, where: str) -> NDArray[np.bool_]:
    from tumorboard.prepare.brainers import learned  # brings torch: only where it is needed

    return learned.outline(volume, where)


BORROWED = Brainer("deepbet 1.0.2 (network for T1-weighted heads)", deepbet.outline)
OURS = Brainer("brain (network for heads of any sequence, which learned from digital heads only)", _ours)


def usual_brainer() -> Brainer:
    """Return the better method: the one that learned from people, where it is installed.

    Beside it ours was a little worse on every sequence of a real head (``benchmarks/brain_mask.py``).
    """
    return BORROWED if deepbet.installed() else OURS


OWN = "given by the user"


@dataclass(frozen=True)
class HeadMask:
    """A brain mask and how it came about.

    Parameters
    ----------
    mask : Volume
        bool, on the grid of ``sequence`` as given.
    sequence : Sequence
        The sequence it was made on.
    method : str
        For the methods paragraph.
    notes : tuple of str
        What to be told.
    """

    mask: Volume
    sequence: Sequence
    method: str
    notes: tuple[str, ...] = ()


def is_head(volume: Volume) -> bool:
    """Whether an image shows a head with its skull rather than a stripped brain.

    A stripped image is exactly constant outside one part of brain size; a head has noise, scalp or both there.

    Examples
    --------
    >>> places = np.indices((30, 30, 30)) - 14.5
    >>> brain = np.where((places**2).sum(axis=0) < 100, 500.0, 0.0)
    >>> is_head(Volume.of(brain, np.diag([7.0, 7.0, 7.0, 1.0])))
    False
    >>> is_head(Volume.of(brain + np.random.default_rng(0).random(brain.shape), np.diag([7.0, 7.0, 7.0, 1.0])))
    True
    """
    outside = volume.data == background_value(volume.data)
    if float(outside.mean()) < STRIPPED_SHARE:
        return True
    solid = ndi.binary_fill_holes(largest_part(~outside))
    ml = float(np.count_nonzero(solid)) * volume.grid.voxel_volume_ml
    return ml > LARGEST_STRIPPED_ML


def head_mask(volumes: Mapping[Sequence, Volume], where: str = "") -> HeadMask:
    """Outline the brain of a native head.

    Parameters
    ----------
    volumes : mapping of Sequence to Volume
        Native, not registered, with skull; any orientation and spacing.
    where : str
        Study, for messages.

    Returns
    -------
    HeadMask
        On the first of T1C, T1, FLAIR, T2 that is there.

    Raises
    ------
    InputError
        What was found does not look like a brain.

    Examples
    --------
    >>> from tumorboard.simulate.native import native_patient
    >>> study = native_patient(spacing_mm=4.0, protocol="thick", studies=1).studies[0]
    >>> found = head_mask({Sequence.T1C: study.images[Sequence.T1C].volume})
    >>> found.sequence.value, bool(found.mask.data.any())
    ('T1C', True)
    """
    sequence = next(s for s in T1_FIRST if s in volumes)
    volume = volumes[sequence]
    by = usual_brainer()
    mask = Volume(by.outline(volume, sequence.value), volume.grid)
    notes = check_brain(mask, sequence.value)
    if by is BORROWED and sequence not in T1_WEIGHTED:
        notes += (f"The brain was outlined on {sequence.value} by a network trained on T1: check the mask.",)
    return HeadMask(mask, sequence, by.method, notes)


def own_brain_mask(given: Volume, reference: Grid, where: str = "brain mask") -> NDArray[np.bool_]:
    """Return the user's brain mask on the reference's grid, after checking it.

    Parameters
    ----------
    given : Volume
        Anything above 0 is brain; on the reference's grid in any orientation.
    reference : Grid
        Grid of the reference sequence, as given.
    where : str
        For messages.

    Returns
    -------
    ndarray of bool, shape of ``reference``
        Brain, in the order of the reference's axes.

    Raises
    ------
    InputError
        Another grid, or nothing that could be a brain.

    Examples
    --------
    >>> mask = np.zeros((40, 44, 30), np.uint8); mask[4:36, 4:40, 4:26] = 1
    >>> grid = Grid(mask.shape, np.diag([4.0, 4.0, 5.0, 1.0]))
    >>> int(own_brain_mask(Volume(mask, grid), grid).sum())
    25344
    """
    turned = given.reoriented(reference.axcodes)
    told = reference.explain_mismatch(turned.grid, ("the reference sequence", "the brain mask"))
    if told:
        remedy = "resample the mask to the reference sequence with nearest neighbour"
        raise InputError("a brain mask on the grid of the reference sequence", got=told, where=where, remedy=remedy)
    mask = np.asarray(turned.data > 0)
    check_brain(Volume(mask, reference), where)
    return mask


def check_brain(mask: Volume, where: str) -> tuple[str, ...]:
    """Refuse a mask that is no brain; return what to be told about one that is.

    Raises
    ------
    InputError
        Implausible volume or extent, with the numbers.
    """
    data = np.asarray(mask.data > 0)
    ml = float(np.count_nonzero(data)) * mask.grid.voxel_volume_ml
    extent = _extent_mm(mask.canonical()) if data.any() else (0.0, 0.0, 0.0)
    small, large = PLAUSIBLE_MM
    clipped = _clipped(mask.canonical()) if data.any() else ()
    fits = all(small <= mm <= large for mm in (extent[:2] if clipped else extent))
    if not PLAUSIBLE_ML[0] <= ml <= PLAUSIBLE_ML[1] or not fits:
        size = " x ".join(f"{mm:.0f}" for mm in extent)
        whole = "look at the image; give --brain-mask FILE if it shows a whole head"
        raise InputError(
            f"a brain of {PLAUSIBLE_ML[0]:.0f} to {PLAUSIBLE_ML[1]:.0f} mL and {small:.0f} to {large:.0f} mm each way",
            got=f"{ml:.0f} mL, {size} mm",
            where=where,
            remedy="the field of view cuts the brain off: give a series that covers it" if clipped else whole,
        )
    return clipped


def _extent_mm(mask: Volume) -> tuple[float, float, float]:
    places = np.nonzero(mask.data)
    a, b, c = ((p.max() - p.min() + 1) * s for p, s in zip(places, mask.spacing_mm, strict=True))
    return float(a), float(b), float(c)


def _clipped(mask: Volume) -> tuple[str, ...]:
    """Say where the field of view cuts the brain: large cross-sections on the outermost planes."""
    out = []
    for axis, ends in enumerate((("left", "right"), ("back", "front"), ("bottom", "top"))):
        areas = np.count_nonzero(mask.data, axis=tuple(a for a in range(3) if a != axis))
        for end, name in zip((0, -1), ends, strict=True):
            share = float(areas[end] / max(areas.max(), 1))
            if share > MOST_CUT:
                out.append(f"The field of view cuts the brain off at the {name} ({100 * share:.0f} % of its area).")
    return tuple(out)
