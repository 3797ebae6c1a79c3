"""Rings around a tumour: how far what surrounds it is like it.

Why it exists: gliomas reach beyond what is outlined, and the tissue around metastases does not; rings are regions like
any other, so every feature can be had of them.

Source: Prasanna P, Patel J, Partovi S, Madabhushi A, Tiwari P. Eur Radiol 2017;27:4188-4197 (features of the zone
around glioblastomas). Distances are Euclidean and exact; where rings end is chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy import ndimage as ndi

from tumorboard.errors import GeometryError, InputError
from tumorboard.radiomics.region import Mask
from tumorboard.volume import Volume, box_around

EDGES_MM = (0.0, 5.0, 10.0, 20.0)
"""Where rings begin and end; chosen."""


def rings(outline: Volume, brain: Volume | None = None, edges_mm: Sequence[float] = EDGES_MM) -> dict[str, Volume]:
    """Return rings around an outline, by distance in mm.

    The distance of a voxel is that of its centre to the nearest centre of a voxel of the outline; a ring has what lies
    beyond its first edge, up to and with its second.

    Parameters
    ----------
    outline : Volume
        Voxels that are not 0 are the tumour; in no ring.
    brain : Volume, optional
        Voxels that are not 0 may be in a ring; same grid.
    edges_mm : sequence of float
        Ascending from 0 mm on; one ring between each two.

    Returns
    -------
    dict of str to Volume
        Masks (uint8) by name, ``ring_0-5mm``; empty where voxels are farther apart than the ring is wide.

    Raises
    ------
    InputError
        The outline is empty, or edges are not two or more that ascend from 0.
    GeometryError
        The grids differ.

    Examples
    --------
    >>> one = np.zeros((1, 1, 7), np.uint8); one[0, 0, 1] = 1
    >>> found = rings(Volume.of(one, np.diag([1.0, 1.0, 2.0, 1.0])), edges_mm=(0.0, 4.0, 8.0))
    >>> {name: ring.data.ravel().tolist() for name, ring in found.items()}
    {'ring_0-4mm': [1, 0, 1, 1, 0, 0, 0], 'ring_4-8mm': [0, 0, 0, 0, 1, 1, 0]}
    """
    _check_edges(edges_mm)
    inside: Mask = np.asarray(outline.data) != 0
    box = box_around(inside)
    if box is None:
        raise InputError("an outline of at least one voxel", got="an empty one", where="rings")
    near = tuple(
        slice(max(b.start - math.ceil(edges_mm[-1] / s), 0), b.stop + math.ceil(edges_mm[-1] / s))
        for b, s in zip(box, outline.spacing_mm, strict=True)
    )
    distance = np.asarray(ndi.distance_transform_edt(~inside[near], sampling=outline.spacing_mm))
    allowed = _allowed(outline, brain)[near]
    made = {}
    for low, high in pairwise(edges_mm):
        data = np.zeros(inside.shape, dtype=np.uint8)
        data[near] = (distance > low) & (distance <= high) & allowed
        made[f"ring_{low:g}-{high:g}mm"] = outline.with_data(data)
    return made


def _allowed(outline: Volume, brain: Volume | None) -> Mask:
    if brain is None:
        return np.ones(outline.grid.shape, dtype=np.bool_)
    told = outline.grid.explain_mismatch(brain.grid, ("the outline", "the brain mask"))
    if told:
        raise GeometryError("an outline and a brain mask on one grid", got=told, where="rings")
    allowed: Mask = np.asarray(brain.data) != 0
    return allowed


def _check_edges(edges_mm: Sequence[float]) -> None:
    steps = np.diff(edges_mm)
    if len(edges_mm) < 2 or not np.isfinite(edges_mm).all() or edges_mm[0] < 0 or (steps <= 0).any():
        expected = "two edges or more that ascend from 0 mm"
        raise InputError(expected, got=", ".join(f"{e:g}" for e in edges_mm) or "none", where="rings")
