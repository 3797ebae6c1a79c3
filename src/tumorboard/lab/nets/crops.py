"""Cutting crops of one size out of images: a cube, slices or three planes around a region.

Why it exists: a network needs crops of one size, whatever the voxels and the tumour. Sizes are millimetres throughout,
so that a crop of anisotropic slices shows a ball as a ball.

Sources: three orthogonal planes: Chang K et al., Clin Cancer Res 2018;24:1073-1081 (D2); largest slices: Ge C et al.,
IEEE Access 2018 (D9). Sides and margins are chosen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tumorboard.lab.nets.images import View

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Cut(BaseModel):
    """What is cut out.

    Parameters
    ----------
    view : str
        ``cube``, ``slices``, ``planes`` or ``curve``.
    side : int
        Of a crop, pixels; of a curve, points.
    slices : int
        How many axial slices: those where the region is largest, in order.
    margin_mm : float
        Around the region.
    spacing_mm : float
        Of a pixel; 0: what the region with its margin needs. A fixed one keeps size comparable between patients.
    mask : bool
        Whether the region itself is a channel.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    view: View = "cube"
    side: int = Field(default=32, ge=8, le=256)
    slices: int = Field(default=8, ge=1, le=64)
    margin_mm: float = Field(default=5.0, ge=0, le=100)
    spacing_mm: float = Field(default=0.0, ge=0, le=10)
    mask: bool = False


def cut_out(images: Float, region: Mask, spacing_mm: tuple[float, float, float], how: Cut) -> Float:
    """Return a crop around a region.

    Parameters
    ----------
    images : ndarray of float32, shape (channels, i, j, k)
        On the study's grid; the third axis runs from foot to head.
    region : ndarray of bool, shape (i, j, k)
        At least one voxel.
    spacing_mm : (float, float, float)
        Of the grid.
    how : Cut
        View, side, margin.

    Returns
    -------
    ndarray of float32
        (channels, side, side, side), (slices, channels, side, side) or (3, channels, side, side): sagittal, coronal,
        axial. Outside the image 0.

    Examples
    --------
    >>> image = np.zeros((1, 20, 20, 10), np.float32); image[:, 8:12, 8:12, 4:6] = 1
    >>> cube = cut_out(image, image[0] > 0, (1.0, 1.0, 2.0), Cut(side=8, margin_mm=2))
    >>> cube.shape, bool(cube[0, 3:5, 3:5, 3:5].min() > 0.9), bool(cube[0, 0].max() < 0.1)
    ((1, 8, 8, 8), True, True)
    """
    size = np.array(spacing_mm)
    places = np.argwhere(region)
    low, high = places.min(axis=0), places.max(axis=0)
    extent = float(((high - low + 1) * size).max()) + 2 * how.margin_mm
    pixel = how.spacing_mm or extent / how.side
    middle = (low + high) / 2.0
    smooth = _smoothed(images, pixel / size)
    offsets = (np.arange(how.side) - (how.side - 1) / 2.0) * pixel
    axes = [middle[a] + offsets / size[a] for a in range(3)]
    if how.view == "cube":
        return _sampled(smooth, axes)
    if how.view == "planes":
        flat = [[*axes[:a], middle[[a]], *axes[a + 1 :]] for a in range(3)]
        return np.stack([_sampled(smooth, f).squeeze(a + 1) for a, f in enumerate(flat)])
    return np.moveaxis(_sampled(smooth, [*axes[:2], largest_slices(region, how.slices)]), 3, 0).copy()


def largest_slices(region: Mask, count: int) -> Floats:
    """Return the axial slices where a region is largest, in order; where it has fewer, some come twice.

    Examples
    --------
    >>> region = np.zeros((4, 4, 5), bool); region[0, 0, 1:4] = True; region[1:, 1:, 2] = True
    >>> largest_slices(region, 1).tolist(), largest_slices(region, 5).tolist()
    ([2.0], [1.0, 2.0, 2.0, 3.0, 3.0])
    """
    areas = region.sum(axis=(0, 1))
    order = np.argsort(-areas, kind="stable")
    chosen = np.sort(order[: min(count, int(np.count_nonzero(areas)))])
    spread = np.floor(np.linspace(0, len(chosen) - 1, count) + 0.5).astype(np.int64)
    return chosen[spread].astype(np.float64)


def _sampled(images: Float, axes: list[Floats]) -> Float:
    """Return images at the crossings of three axes of voxel coordinates, linearly; 0 outside."""
    from scipy import ndimage as ndi

    places = np.meshgrid(*axes, indexing="ij")
    out = [ndi.map_coordinates(image, places, order=1, mode="constant", cval=0.0) for image in images]
    return np.stack(out).astype(np.float32)


def _smoothed(images: Float, ratio: Floats) -> Float:
    """Return images without detail that larger pixels could not show."""
    from scipy import ndimage as ndi

    sigma = 0.4 * np.maximum(ratio - 1.0, 0.0)
    if not (sigma > 0.1).any():
        return images
    return np.stack([ndi.gaussian_filter(image, sigma) for image in images])
