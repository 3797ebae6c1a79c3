"""Which voxels of a mask file are the region: by value, or by the name of a region of a scheme.

Why it exists: "label 1 is not in the mask" helps nobody. What is there is listed with its volume, and the likely one
is proposed.
"""

from __future__ import annotations

import numpy as np

from tumorboard.errors import InputError, LabelError
from tumorboard.labels import LabelMap, as_integers, present_values
from tumorboard.volume import Volume


def outline(mask: Volume, label: int | None = None, region: str = "", scheme: str = "tumorboard") -> Volume:
    """Return the region of a mask file as ones.

    Parameters
    ----------
    mask : Volume
        Whole numbers.
    label : int, optional
        Value of the region; left out: the only one that there is.
    region : str
        ``WT``, ``TC``, ``ET`` … instead of a value.
    scheme : str
        Of the values, where a region is named.

    Raises
    ------
    LabelError
        Fractions, values outside the scheme, or the value is not there; what is there is listed.
    InputError
        The mask is empty, several values are there and none was chosen, or both a value and a region were.

    Examples
    --------
    >>> mask = Volume.of(np.array([[[0, 5, 5]]]), np.eye(4))
    >>> outline(mask).data.tolist()
    [[[0, 1, 1]]]
    >>> outline(mask, label=1)
    Traceback (most recent call last):
    ...
    tumorboard.errors.LabelError: mask: expected label 1; got labels 5 (0.002 mL). What to do: use --label 5.
    """
    if label is not None and region:
        raise InputError("a label or a region", got="both", where="mask")
    if region:
        inside = LabelMap.from_scheme(mask, scheme, "mask").region(region)
        if not inside.any():
            raise InputError(f"a region {region}", got=f"none; {listed(mask)}", where="mask")
        return mask.with_data(inside.astype(np.uint8))
    data = as_integers(mask.data, "mask")
    there = sorted(present_values(data))
    if not there:
        raise InputError("a region of at least one voxel", got="an empty mask", where="mask")
    if label is None and len(there) > 1:
        remedy = "choose one with --label, or a region with --region"
        raise InputError("one label", got=listed(mask), where="mask", remedy=remedy)
    wanted = there[0] if label is None else label
    if wanted not in there:
        remedy = f"use --label {_largest(mask, there)}"
        raise LabelError(f"label {wanted}", got=listed(mask), where="mask", remedy=remedy)
    return mask.with_data((data == wanted).astype(np.uint8))


def listed(mask: Volume) -> str:
    """Return the values of a mask with their volumes, for messages."""
    ml, data = mask.grid.voxel_volume_ml, as_integers(mask.data, "mask")
    parts = [f"{v} ({(data == v).sum() * ml:.3g} mL)" for v in sorted(present_values(data))]
    return "labels " + ", ".join(parts) if parts else "no label"


def _largest(mask: Volume, there: list[int]) -> int:
    data = as_integers(mask.data, "mask")
    return max(there, key=lambda v: int((data == v).sum()))
