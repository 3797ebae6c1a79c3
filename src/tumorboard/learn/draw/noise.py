"""Noise fields made once and read at random places: nothing smooth is filtered anew at every step.

Why it exists: filtering costs more than a network's step. A field repeats itself without a seam, so any place and any
size can be read from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.compiled import compiled

Float = NDArray[np.float32]

SIDE = 96
"""Voxels of a field along each axis, after which it repeats."""

SCALES = (0.0, 0.8, 1.3, 2.0, 3.2, 5.0, 8.0)
"""Standard deviations of the filters, voxels; 0 is white noise."""


@dataclass(frozen=True)
class NoiseFields:
    """Periodic fields of mean 0 and standard deviation 1.

    Parameters
    ----------
    fields : ndarray of float32, shape (scales, side, side, side)
        In the order of :data:`SCALES`.
    """

    fields: Float

    @classmethod
    def drawn(cls, seed: int = 0) -> NoiseFields:
        """Make all fields.

        Examples
        --------
        >>> NoiseFields.drawn().fields.shape
        (7, 96, 96, 96)
        """
        rng = np.random.default_rng(seed)
        made = np.empty((len(SCALES), SIDE, SIDE, SIDE), dtype=np.float32)
        for n, sigma in enumerate(SCALES):
            white = rng.standard_normal((SIDE, SIDE, SIDE), dtype=np.float32)
            smooth = ndi.gaussian_filter(white, sigma, mode="wrap") if sigma else white
            made[n] = (smooth - smooth.mean()) / smooth.std()
        return cls(made)

    def at(self, shape: tuple[int, int, int], rng: np.random.Generator, finest: int = 0, coarsest: int = -1) -> Float:
        """Return a field at a random place.

        Parameters
        ----------
        shape : (int, int, int)
            Voxels.
        rng : numpy.random.Generator
            Chooses scale and place.
        finest, coarsest : int
            Scales to choose among, as places in :data:`SCALES`.

        Returns
        -------
        ndarray of float32, shape ``shape``
        """
        scale = int(rng.integers(finest, coarsest % len(SCALES) + 1))
        first = np.array([int(rng.integers(SIDE)) for _ in shape])
        out = np.empty(shape, dtype=np.float32)
        _read(self.fields[scale], first, out)
        return out


@compiled
def _read(field: Float, first: NDArray[np.int64], out: Float) -> None:
    side = field.shape[0]
    for i in range(out.shape[0]):
        p = (first[0] + i) % side
        for j in range(out.shape[1]):
            q = (first[1] + j) % side
            r = first[2]
            for k in range(out.shape[2]):
                out[i, j, k] = field[p, q, r]
                r = 0 if r + 1 == side else r + 1
