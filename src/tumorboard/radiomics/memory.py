"""Whether a region fits into memory, said before it is tried.

Why it exists: a mask that was drawn on the wrong label can be a whole image. The operating system would end the program
without a word.
"""

from __future__ import annotations

import math
from pathlib import Path

from tumorboard.errors import InputError

MIB = 2**20

IN_BOX = 250
"""Bytes a voxel of the box: image, masks, levels, and the transforms behind Moran's I; measured, rounded up."""

PAIR = 350
"""Bytes a pair of grey levels: thirteen directions, counted and shared out; measured, rounded up."""

USABLE = 0.8
"""Share of the free memory that is used; the rest is for everybody else."""


def free_bytes() -> float | None:
    """Return the memory that is free now; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    told = {line.partition(":")[0]: line.split()[1] for line in lines if len(line.split()) > 1}
    return 1024.0 * float(told["MemAvailable"]) if "MemAvailable" in told else None


def check_room(voxels: float, levels: int = 0, free: float | None = None) -> None:
    """Refuse what does not fit, with both figures.

    Parameters
    ----------
    voxels : float
        Of the box that is worked on.
    levels : int
        Different grey levels whose pairs are counted.
    free : float, optional
        Bytes; what is free now if left out.

    Raises
    ------
    InputError
        More is needed than there is.

    Examples
    --------
    >>> check_room(1e6, 1000, free=100 * MIB)
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: radiomics: expected a region that fits the 80 MiB free; got ... 573 MiB. ...
    """
    there = free_bytes() if free is None else free
    needed = IN_BOX * voxels + PAIR * float(levels) ** 2
    if there is not None and needed > USABLE * there:
        remedy = "use larger voxels, fewer grey levels or a smaller region; look whether this is the right label"
        what = f"one of {voxels / 1e6:.3g} million voxels and {levels} grey levels"
        got = f"{what} that needs {math.ceil(needed / MIB)} MiB"
        expected = f"a region that fits the {math.floor(USABLE * there / MIB)} MiB free"
        raise InputError(expected, got=got, where="radiomics", remedy=remedy)
