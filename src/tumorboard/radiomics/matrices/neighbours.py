"""What stands around each voxel: differences from the mean of neighbours, and neighbours of the same level.

Why it exists: grey tone differences and grey level dependence look at the same 8 or 26 neighbours, so one pass serves
both.

Source: Amadasun M, King R. IEEE Trans Syst Man Cybern 1989;19:1264-1274; Sun C, Wee WG. Comput Vis Graph Image Process
1983;23:341-352; the standard, arXiv:1612.07003, sections 3.10 and 3.11.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tumorboard.compiled import compiled
from tumorboard.radiomics.matrices.directions import Steps, steps
from tumorboard.radiomics.matrices.shared import Cells, Ints, in_slices, kept, packed, parts
from tumorboard.radiomics.region import Float, Region


@dataclass(frozen=True)
class Surrounds:
    """Neighbourhoods counted by grey level.

    Parameters
    ----------
    counted : ndarray of int64, shape (m,)
        Voxels of each grey level present that have a neighbour.
    difference : ndarray of float64, shape (m,)
        Sum of their absolute differences from the mean of their neighbours.
    dependence : ndarray of int64, shape (m, 9) or (m, 27)
        Voxels by grey level present and number of voxels of the same level in their neighbourhood, themselves included,
        from 1.
    """

    counted: Ints
    difference: Float
    dependence: Ints


def surrounds(region: Region, way: str) -> list[Surrounds]:
    """Return what the matrices of both families are, one for each part that is averaged.

    Parameters
    ----------
    region : Region
        The region.
    way : str
        One of :data:`tumorboard.radiomics.feature.BY_SLICE`.

    Returns
    -------
    list of Surrounds
        One, or one for each slice.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[1], [1], [2]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 2, 1.0, 0.5))
    >>> got = surrounds(region, "3D")[0]
    >>> got.counted.tolist(), got.difference.tolist(), got.dependence[:, :3].tolist()
    ([2, 1], [0.5, 1.0], [[0, 2, 0], [1, 0, 0]])
    """
    return kept(
        region, f"surrounds {way}", lambda: [_surrounds(region, part, in_slices(way)) for part in parts(region, way)]
    )


def _surrounds(region: Region, voxels: Ints, planar: bool) -> Surrounds:
    box = packed(region)
    tones = np.concatenate([[0], box.levels])
    return Surrounds(*_around(box.cells, voxels, steps(box.shape, planar), tones))


@compiled
def _around(cells: Cells, voxels: Ints, ahead: Steps, tones: Ints) -> tuple[Ints, Float, Ints]:
    """Look at every neighbour of every voxel once; ``tones`` has a 0 for the outside."""
    rows = len(tones) - 1
    counted, difference = np.zeros(rows, np.int64), np.zeros(rows)
    dependence = np.zeros((rows, 2 * len(ahead) + 1), np.int64)
    for p in range(len(voxels)):
        at = voxels[p]
        level = cells[at]
        total, inside, same = 0, 0, 0
        for d in range(len(ahead)):
            before, after = cells[at - ahead[d]], cells[at + ahead[d]]
            total += tones[before] + tones[after]
            inside += (before > 0) + (after > 0)
            same += (before == level) + (after == level)
        row = np.int64(level) - 1
        dependence[row, same] += 1
        if inside:
            counted[row] += 1
            difference[row] += abs(tones[level] - total / inside)
    return counted, difference, dependence
