"""Places between grids: planes, affine maps and explicit resampling.

Why it exists: the anatomy of a study (its midline, its way to the atlas) is described in the *grid
frame*: millimetres along the canonical axes, ``ijk * spacing_mm``. A header whose affine alone is
rotated then changes no measurement. Resampling happens only through :func:`resample`, and says which
interpolation it used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tumorboard.volume import Affine, Grid, Volume

Interpolation = Literal["linear", "nearest"]


@dataclass(frozen=True)
class Plane:
    """A plane in the grid frame (mm): points ``x`` with ``normal · x == offset_mm``.

    Parameters
    ----------
    normal : tuple of float
        Unit vector that points to the patient's right (canonical axes: i to the right).
    offset_mm : float
        Distance of the plane from the first voxel's centre along the normal.

    Examples
    --------
    >>> Plane((1.0, 0.0, 0.0), 4.0).distance_mm([[6.0, 0.0, 0.0]])
    array([2.])
    """

    normal: tuple[float, float, float]
    offset_mm: float

    def distance_mm(self, points_mm: Any) -> NDArray[np.float64]:
        """Signed distance of points ``(n, 3)`` in mm; positive on the patient's right."""
        points = np.asarray(points_mm, dtype=np.float64)
        return np.asarray(points @ np.asarray(self.normal) - self.offset_mm)

    def distance_map(self, grid: Grid) -> NDArray[np.float32]:
        """Signed distance in mm at every voxel, shape (i, j, k)."""
        axes = [np.arange(n) * s * c for n, s, c in zip(grid.shape, grid.spacing_mm, self.normal, strict=True)]
        total = axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None, :] - self.offset_mm
        return np.asarray(total, dtype=np.float32)

    def mirror_matrix(self) -> Affine:
        """Return the reflection as a (4, 4) map of the grid frame (mm to mm)."""
        normal = np.asarray(self.normal)
        matrix = np.eye(4)
        matrix[:3, :3] -= 2.0 * np.outer(normal, normal)
        matrix[:3, 3] = 2.0 * self.offset_mm * normal
        return matrix


@dataclass(frozen=True)
class Frame:
    """Where the anatomy lies in a study's grid frame.

    Parameters
    ----------
    midplane : Plane
        The mid-sagittal plane.
    to_mni : ndarray, shape (4, 4)
        Grid frame (mm) to MNI ICBM152 (RAS mm); affine, from the brain's outline.
    """

    midplane: Plane
    to_mni: Affine

    def mni_mm(self, grid: Grid, ijk: Any) -> NDArray[np.float64]:
        """Map voxel indices ``(n, 3)`` to MNI mm ``(n, 3)``; only as exact as an outline can be."""
        points = np.atleast_2d(np.asarray(ijk, dtype=np.float64)) * np.asarray(grid.spacing_mm)
        return np.asarray(points @ self.to_mni[:3, :3].T + self.to_mni[:3, 3])

    def as_json(self) -> dict[str, Any]:
        """Return plain numbers for ``xfm/*_frame.json``."""
        plane = {"normal": list(self.midplane.normal), "offset_mm": self.midplane.offset_mm}
        return {"midplane": plane, "to_mni": self.to_mni.tolist()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Frame:
        """Read what :meth:`as_json` gave."""
        a, b, c = content["midplane"]["normal"]
        return cls(Plane((a, b, c), content["midplane"]["offset_mm"]), np.array(content["to_mni"]))


def warp_to_grid(
    data: NDArray[Any], spacing_mm: tuple[float, float, float], matrix: Affine, target: Grid, order: int = 1
) -> NDArray[np.float32]:
    """Sample ``data`` at the places of ``target`` under a grid-frame map.

    Parameters
    ----------
    data : ndarray, shape (i, j, k)
        What is sampled; 0 outside.
    spacing_mm : tuple of float
        Voxel size of ``data``.
    matrix : ndarray, shape (4, 4)
        From the target's grid frame (mm) to the frame of ``data`` (mm).
    target : Grid
        Where the result lies.
    order : int
        0 nearest, 1 linear.
    """
    from scipy import ndimage as ndi

    from_voxel = np.diag([*target.spacing_mm, 1.0])
    to_voxel = np.diag([*(1.0 / np.asarray(spacing_mm)), 1.0])
    step = to_voxel @ matrix @ from_voxel
    source: NDArray[np.float32] = np.asarray(data, dtype=np.float32)
    degree: Literal[0, 1] = 0 if order == 0 else 1
    return ndi.affine_transform(source, step[:3, :3], step[:3, 3], output_shape=target.shape, order=degree)


def resample(volume: Volume, grid: Grid, interpolation: Interpolation = "linear") -> Volume:
    """Resample a volume onto another grid in world space (RAS mm); 0 outside its field of view.

    Parameters
    ----------
    volume : Volume
        What is resampled.
    grid : Grid
        Where the result lies.
    interpolation : {'linear', 'nearest'}
        ``nearest`` for labels and masks.

    Returns
    -------
    Volume
        float32 for ``linear``, the volume's own dtype for ``nearest``.

    Examples
    --------
    >>> v = Volume.of(np.arange(8.0).reshape(2, 2, 2), np.eye(4))
    >>> bool((resample(v, v.grid).data == v.data).all())
    True
    """
    from scipy import ndimage as ndi

    step = np.linalg.inv(volume.affine) @ grid.affine
    near = np.round(step)
    step = np.where(np.abs(step - near) < 1e-9, near, step)  # inverting leaves dust that would shift half voxels
    source: NDArray[np.float64] = np.asarray(volume.data, dtype=np.float64)
    degree: Literal[0, 1] = 1 if interpolation == "linear" else 0
    # grid-constant: a header rounded to float32 must not turn the outermost slice into 0
    out = ndi.affine_transform(
        source, step[:3, :3], step[:3, 3], output_shape=grid.shape, order=degree, mode="grid-constant"
    )
    return Volume(out.astype(np.float32 if interpolation == "linear" else volume.data.dtype), grid)
