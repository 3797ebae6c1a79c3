"""Where numbers come from: file names and voxels, in the form a measurement carries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.measurement import Source
from tumorboard.volume import box_around


@dataclass(frozen=True)
class Files:
    """Names of the files that were measured, relative to the case folder.

    The native ones are on the reference sequence's own slices, where these are not the working grid's.
    """

    labels: str = "dseg.nii.gz"
    lesions: str = "lesions.nii.gz"
    brain: str = "brain_mask.nii.gz"
    native_labels: str = "native/dseg.nii.gz"
    native_lesions: str = "native/lesions.nii.gz"


def source_of(mask: NDArray[np.bool_], file: str, labels: tuple[int, ...] = (), lesion: int | None = None) -> Source:
    """Return the source of a number that was counted on ``mask``.

    Examples
    --------
    >>> source_of(np.ones((2, 1, 1), bool), "dseg.nii.gz", (3,)).box_ijk
    ((0, 0, 0), (1, 0, 0))
    """
    box = box_around(mask)
    ends = None
    if box is not None:
        i, j, k = box
        ends = ((i.start, j.start, k.start), (i.stop - 1, j.stop - 1, k.stop - 1))
    return Source(file=file, labels=labels, lesion=lesion, voxels=int(mask.sum()), box_ijk=ends)
