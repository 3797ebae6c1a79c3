"""From probabilities to labels: the most probable tissue where tumour is, without crumbs.

Why it exists: a network and a joint opinion decide in the same way. Parts of a few voxels are nobody's tumour, and a
"cavity" of a few drops is a place where dark fluid looks like one: it is told as what it is next likely to be.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import Tissue
from tumorboard.segment.space import LEAST_ML, Spacing, drop_small

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]

LEAST_CAVITY_ML = 0.5
"""Smaller parts of cavity are told as something else; of 86 such parts in 92 digital patients, 3 were cavity."""

_TUMOUR = [int(Tissue.NETC), int(Tissue.SNFH), int(Tissue.ET)]


def decided(tissues: Float, some: Mask, spacing_mm: Spacing) -> NDArray[np.uint8]:
    """Return the labels that probabilities of tissues give.

    Parameters
    ----------
    tissues : ndarray of float32, shape (5, i, j, k)
        Of background, NETC, SNFH, ET and RC.
    some : ndarray of bool, shape (i, j, k)
        Where tumour or cavity is; its crumbs are dropped.
    spacing_mm : (float, float, float)
        Voxel size.

    Returns
    -------
    ndarray of uint8, shape (i, j, k)
        The most probable of 1 NETC, 2 SNFH, 3 ET and 4 RC. A part of cavity below :data:`LEAST_CAVITY_ML` becomes the
        most probable tumour where tumour is at least as probable as background, and background elsewhere.

    Examples
    --------
    >>> p = np.zeros((5, 4, 4, 4), np.float32); p[0], p[2], p[3] = 0.4, 0.35, 0.25
    >>> int(decided(p, np.ones((4, 4, 4), bool), (1.0, 1.0, 1.0)).min())
    2
    """
    best = tissues[1:].argmax(axis=0).astype(np.uint8) + np.uint8(1)
    labels = np.where(drop_small(some, LEAST_ML, spacing_mm), best, np.uint8(0))
    cavity = labels == Tissue.RC
    drops = cavity & ~drop_small(cavity, LEAST_CAVITY_ML, spacing_mm)
    if drops.any():
        other = tissues[_TUMOUR][:, drops]
        tumour = np.array(_TUMOUR, dtype=np.uint8)[other.argmax(axis=0)]
        labels[drops] = np.where(other.sum(axis=0) >= tissues[0][drops], tumour, np.uint8(0))
    return np.asarray(labels)
