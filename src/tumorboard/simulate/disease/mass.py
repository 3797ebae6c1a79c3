"""Mass effect: the brain around a tumour gives way, the skull does not.

Why it exists: midline shift and narrowed ventricles are what triage looks for. A head and its tumour are pulled
through one smooth map (:mod:`tumorboard.simulate.body.bulge`) that swells around the tumour and fades towards the
brain's surface. It is kinematics, not mechanics: no stiffness, no pressure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.body.background import Background
from tumorboard.simulate.body.bulge import Bulge, bulged, radius_of
from tumorboard.simulate.fields import Float, Mask
from tumorboard.simulate.sampling import sampled
from tumorboard.simulate.scanner.mixture import State

HOLD_MM = 12.0
"""Depth below the brain's surface from which tissue may move freely, mm (chosen)."""


def swelling(mask: Mask, head: Anatomy, amount: float) -> Bulge | None:
    """Return the swelling of a tumour.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        Tumour core, or the whole tumour where there is none.
    head : Anatomy
        Gives the grid.
    amount : float
        0 to 0.45 (see :class:`Bulge`).

    Returns
    -------
    Bulge or None
        In mm of the grid; ``None`` without tumour or amount.

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> head = draw_anatomy(np.random.default_rng(0), 6.0)
    >>> swelling(np.zeros(head.grid.shape, bool), head, 0.3) is None
    True
    """
    if amount == 0 or not mask.any():
        return None
    places = np.argwhere(mask)
    centre = head.grid.to_world([places.mean(axis=0)])[0]
    radius = radius_of(len(places) * head.grid.voxel_volume_ml)
    return Bulge((float(centre[0]), float(centre[1]), float(centre[2])), (radius, radius, radius), amount)


def displaced(
    head: Anatomy, background: Background, state: State, bulge: Bulge | None
) -> tuple[Anatomy, Background, State]:
    """Return head, background and tumour after the swelling.

    Parameters
    ----------
    head, background, state
        Before, on one grid.
    bulge : Bulge or None
        In mm of the grid; ``None`` changes nothing.

    Returns
    -------
    tuple of Anatomy, Background and State
        The brain mask moves too, as little as its surface is held.

    Examples
    --------
    >>> from tumorboard.simulate.patient import draw_course
    >>> course = draw_course(np.random.default_rng(7), 6.0)
    >>> first = course.states[0]
    >>> moved = displaced(course.head, course.background, first, swelling(first.truth.region("TC"), course.head, 0.3))
    >>> moved[2].truth.volume_ml("TC") > first.truth.volume_ml("TC")
    True
    """
    if bulge is None:
        return head, background, state
    at = places_after(head, bulge)
    names = ("gm", "wm", "csf", "t1", "vessels", "plexus")
    moved = dict(zip(names, sampled([getattr(head, n) for n in names], at), strict=True))
    others = {n: sampled([m], at)[0] for n, m in head.others.items()}
    masks = sampled([head.brain.astype(np.float32), head.ventricles.astype(np.float32)], at) > 0.5
    back = sampled([background.ageing, background.spaces], at)
    after = replace(head, **moved, others=others, brain=masks[0], ventricles=masks[1])
    return (
        _whole(after),
        replace(background, ageing=back[0], spaces=back[1]),
        replace(state, truth=state.truth.with_data(_nearest(state.truth.data, at)), painted=_moved(state.painted, at)),
    )


def places_after(head: Anatomy, bulge: Bulge) -> Float:
    """Return, in voxels, where what each voxel shows comes from; shape (3, i, j, k)."""
    spacing = np.asarray(head.grid.spacing_mm, dtype=np.float32)
    depth = ndi.distance_transform_edt(head.brain, sampling=spacing).astype(np.float32)
    hold = np.asarray(np.clip(ndi.gaussian_filter(depth, 3.0 / spacing) / HOLD_MM, 0.0, 1.0), dtype=np.float32)
    origin = head.grid.affine[:3, 3].astype(np.float32).reshape(3, 1, 1, 1)
    step = np.diag(head.grid.affine)[:3].astype(np.float32).reshape(3, 1, 1, 1)
    mm = np.indices(head.grid.shape, dtype=np.float32) * step + origin
    return np.asarray((bulged(mm, bulge, hold) - origin) / step, dtype=np.float32)


def _moved(maps: Mapping[str, Float | Mask], at: Float) -> dict[str, Float | Mask]:
    """Pull maps through a map; masks as labels are, so that both stay the same."""
    out: dict[str, Float | Mask] = {}
    for name, given in maps.items():
        out[name] = _nearest(given, at) if given.dtype == np.bool_ else sampled([given.astype(np.float32)], at)[0]
    return out


def _whole(head: Anatomy) -> Anatomy:
    """Make tissue sum to 1 in the brain again, and 0 outside."""
    total = np.maximum(head.gm + head.wm + head.csf, 1e-6)
    inside = head.brain.astype(np.float32) / total
    lost = head.brain & (head.gm + head.wm + head.csf < 0.05)
    csf = np.asarray(np.where(lost, 1.0, head.csf * inside), dtype=np.float32)
    gm, wm = (np.asarray(np.where(lost, 0.0, part * inside), dtype=np.float32) for part in (head.gm, head.wm))
    return replace(head, gm=gm, wm=wm, csf=csf)


def _nearest(data: NDArray[Any], at: Float) -> NDArray[Any]:
    """Return the value of the nearest voxel."""
    i, j, k = (np.clip(np.rint(a), 0, n - 1).astype(np.int32) for a, n in zip(at, data.shape, strict=True))
    return np.asarray(data[i, j, k])
