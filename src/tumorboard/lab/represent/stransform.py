"""Texture by the S-transform: shares of energy in rings of frequency within a region.

Why it exists: MGMT methylation was first predicted from such spectra.

Source: Levner I et al., MICCAI 2009, LNCS 5762:522-530 (D10). There the transform was polar; the orthonormal one keeps
energy exactly and costs an FFT (:mod:`~tumorboard.lab.represent.stockwell`). Window and voxel size are chosen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from tumorboard.lab.represent.base import Job
from tumorboard.lab.represent.cache import Made
from tumorboard.lab.represent.rows import ImageSettings, OfImages
from tumorboard.lab.represent.stockwell import ring_energy
from tumorboard.lab.scene import Mask, Scene
from tumorboard.volume import Volume

Float = NDArray[np.float64]


class StockwellSet(ImageSettings):
    """Settings of :class:`STransform`.

    Parameters
    ----------
    size : int
        Side of the window in pixels, a power of two.
    pixel_mm : float
        Side of a pixel after resampling the slice.
    slices : int
        The slices with the largest areas of the region are averaged.
    """

    size: int = 64
    pixel_mm: float = Field(default=1.0, ge=0.3, le=10)
    slices: int = Field(default=3, ge=1)

    @field_validator("size")
    @classmethod
    def _power(cls, value: int) -> int:
        if not 8 <= value <= 512 or value & (value - 1):
            raise ValueError("a power of two from 8 to 512")
        return value


class STransform(OfImages[StockwellSet]):
    """Share of energy in each ring of frequency, mean ring, and entropy: ``T2.TC.ring3``."""

    name = "stransform"
    title = "S-transform texture"
    source = "Levner I et al., MICCAI 2009, LNCS 5762:522-530; Wang Y, Orchard J 2009"
    settings = StockwellSet

    def one(self, scene: Scene, job: Job[StockwellSet]) -> Made:
        """Return the texture of one unit."""
        out: dict[str, float] = {}
        for name, image, mask in scene.pairs(job.sequences, job.regions):
            out |= {f"{name}.{n}": v for n, v in texture(image, mask, job.settings).items()}
        return Made(out)


def texture(image: Volume, mask: Mask, how: StockwellSet) -> dict[str, float]:
    """Return the spectrum of a region over its largest axial slices.

    Parameters
    ----------
    image : Volume
        Any unit; the region's mean is taken off, so that only its variation counts.
    mask : ndarray of bool, shape (i, j, k)
        Holds a voxel.
    how : StockwellSet
        Window, pixel and slices.

    Returns
    -------
    dict of str to float
        ``ring1`` … as shares of the energy that varies; ``energy`` a pixel; ``mean_ring``; ``entropy`` in bits. NaN
        where nothing varies.
    """
    areas = mask.sum(axis=(0, 1))
    chosen = [k for k in np.argsort(-areas, kind="stable")[: how.slices] if areas[k] > 0]
    total, pixels = np.zeros(int(np.log2(how.size)) + 1), 0.0
    for k in chosen:
        window, weight = _window(image, mask, int(k), how)
        inside = weight > 0.5 if (weight > 0.5).any() else weight == weight.max()
        rings = ring_energy(np.where(inside, window - window[inside].mean(), 0.0))
        total += (rings * inside).sum(axis=(1, 2))
        pixels += float(inside.sum())
    varied = total[1:]
    energy = float(varied.sum())
    if not energy > 0:
        return {f"ring{n}": float("nan") for n in range(1, len(total))}
    shares = varied / energy
    known = shares[shares > 0]
    out = {f"ring{n}": float(s) for n, s in enumerate(shares, 1)}
    out["energy"] = energy / pixels
    out["mean_ring"] = float((shares * np.arange(1, len(total))).sum())
    out["entropy"] = float(-(known * np.log2(known)).sum())
    return out


def _window(image: Volume, mask: Mask, k: int, how: StockwellSet) -> tuple[Float, Float]:
    """Return a square of a slice around the region's centre, and how far each pixel lies in the region."""
    from scipy import ndimage as ndi

    places = np.argwhere(mask[:, :, k])
    centre = (places.min(axis=0) + places.max(axis=0)) / 2.0
    steps = (np.arange(how.size) - (how.size - 1) / 2.0) * how.pixel_mm
    rows, columns = (centre[a] + steps / image.spacing_mm[a] for a in range(2))
    at = np.meshgrid(rows, columns, indexing="ij")
    plane = np.nan_to_num(np.asarray(image.data[:, :, k], dtype=np.float64))
    values = ndi.map_coordinates(plane, at, order=1, mode="nearest")
    inside = ndi.map_coordinates(mask[:, :, k].astype(np.float64), at, order=1, mode="constant")
    return np.asarray(values), np.asarray(inside)
