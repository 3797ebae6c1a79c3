"""The ICBM152 average brain: T1, tissue fractions, brain and ventricles on one grid.

Why it exists: the digital patient and the atlas reading need one healthy anatomy. The maps are the
ICBM 2009a nonlinear symmetric average (1 mm) that nilearn's package ships as files; they are read
from the installed folder, never downloaded, and nilearn itself is not imported. It refuses to be more
than an average: no lobes, no individual sulci, no registration.

Source: Fonov V et al., NeuroImage 2011;54:313-327 (ICBM 2009a nonlinear symmetric).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.errors import GeometryError, MissingDependency
from tumorboard.volume import Grid, Volume

FIELD_OF_VIEW_MM = ((-96.0, 96.0), (-128.0, 96.0), (-80.0, 112.0))
"""Edges of the grid in MNI mm along R, A, S (chosen: the brain with a margin; 96 x 112 x 96 voxels at 2 mm)."""

VENTRICLE_BOX_MM = ((-48.0, 48.0), (-62.0, 48.0), (-24.0, 34.0))
"""Box around the lateral ventricles and the third in MNI mm (chosen by eye on this average)."""

VENTRICLE_DEPTH_MM = 20.0
"""Least depth below the brain surface of a voxel counted as ventricle (chosen; sulci are shallower)."""

SPACING_RANGE_MM = (1.0, 8.0)
"""Spacings that can be asked for: the maps' own, and one that still shows the ventricles."""

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Icbm152:
    """The ICBM152 maps on one RAS grid in MNI space.

    Parameters
    ----------
    t1 : Volume
        T1-weighted average, float32, shape (i, j, k), 0 to 1, zero outside the brain.
    gm, wm, csf : Volume
        Fractions of grey matter, white matter and fluid, float32, 0 to 1; they sum to 1 in the brain.
    brain : Volume
        Bool: grey and white matter, closed and filled, so that sulcal and ventricular CSF is inside.
    ventricles : Volume
        Bool: the lateral ventricles and what of the third is wide enough, by the rule of :func:`icbm152`.
    """

    t1: Volume
    gm: Volume
    wm: Volume
    csf: Volume
    brain: Volume
    ventricles: Volume

    @property
    def grid(self) -> Grid:
        """The grid that all maps share; x = 0 mm is the midline and lies between two voxels."""
        return self.t1.grid


@lru_cache(maxsize=4)
def icbm152(spacing_mm: float = 2.0) -> Icbm152:
    """Load the ICBM152 maps on an isotropic grid.

    Values are averaged over each new voxel (overlap-weighted mean of the 1 mm voxels), never
    decimated. Ventricles are what is mostly CSF (fraction > 0.5), at least ``VENTRICLE_DEPTH_MM`` below
    the brain surface, inside ``VENTRICLE_BOX_MM``, and in the largest such connected part
    (26-neighbourhood).

    Parameters
    ----------
    spacing_mm : float
        Voxel size in mm, 1 to 8.

    Returns
    -------
    Icbm152
        Cached; its arrays cannot be written to.

    Raises
    ------
    GeometryError
        The spacing is outside 1 to 8 mm.
    MissingDependency
        nilearn's files are not installed.

    Examples
    --------
    >>> atlas = icbm152(4.0)
    >>> atlas.grid.shape, atlas.grid.axcodes, round(float(atlas.t1.data.max()), 1)
    ((48, 56, 48), 'RAS', 0.9)
    """
    low, high = SPACING_RANGE_MM
    if not low <= spacing_mm <= high:
        raise GeometryError(f"a spacing of {low:g} to {high:g} mm", got=f"{spacing_mm:g} mm", where="ICBM152")
    grid = _grid(spacing_mm)
    t1, gm, wm = (_on_grid(*_read(name), grid) for name in ("t1", "gm", "wm"))
    brain = _brain(gm + wm, spacing_mm)
    gm, wm = gm * brain, wm * brain
    total = np.maximum(gm + wm, 1.0)  # the two maps overlap by rounding
    gm, wm = gm / total, wm / total
    csf = np.clip(1.0 - gm - wm, 0.0, 1.0) * brain
    ventricles = _ventricles(csf, brain, grid)
    return Icbm152(*(_volume(a, grid) for a in (t1 * brain, gm, wm, csf, brain, ventricles)))


def _volume(array: NDArray[Any], grid: Grid) -> Volume:
    kept = array if array.dtype == np.bool_ else array.astype(np.float32)
    kept.setflags(write=False)
    return Volume(kept, grid)


def _grid(spacing_mm: float) -> Grid:
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    shape = []
    for axis, (low, high) in enumerate(FIELD_OF_VIEW_MM):
        n = int(np.ceil((high - low) / spacing_mm - 1e-9))
        n += n % 2 if axis == 0 else 0
        affine[axis, 3] = (low + high) / 2 - (n - 1) / 2 * spacing_mm
        shape.append(n)
    return Grid((shape[0], shape[1], shape[2]), affine)


def nilearn_data(name: str) -> Path:
    """Return the path of a data file in the installed nilearn package, without importing nilearn.

    Raises
    ------
    MissingDependency
        nilearn or the file is not installed.

    Examples
    --------
    >>> nilearn_data("dosenbach_2010.csv").is_file()
    True
    """
    spec = find_spec("nilearn")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "datasets" / "data" / name
        if path.is_file():
            return path
    raise MissingDependency("the ICBM152 maps that nilearn ships", got="none", remedy='pip install "nilearn>=0.11"')


def _read(name: str) -> tuple[Float, NDArray[np.float64]]:
    image: Any = nib.load(nilearn_data(f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz"))
    return np.asarray(image.dataobj, dtype=np.float32) / np.float32(255.0), np.asarray(image.affine)


def _on_grid(data: Float, affine: NDArray[np.float64], grid: Grid) -> Float:
    """Average 1 mm voxels over the voxels of ``grid``; both are axis-aligned RAS."""
    for axis in range(3):
        step, target = affine[axis, axis], grid.affine[axis, axis]
        source_edges = affine[axis, 3] + (np.arange(data.shape[axis] + 1) - 0.5) * step
        target_edges = grid.affine[axis, 3] + (np.arange(grid.shape[axis] + 1) - 0.5) * target
        weights = _overlap(target_edges, source_edges) / target
        data = np.moveaxis(np.tensordot(weights.astype(np.float32), data, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(data)


def _overlap(target: NDArray[np.float64], source: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length in mm that each target interval shares with each source interval, (targets, sources)."""
    upper = np.minimum(target[1:, None], source[None, 1:])
    lower = np.maximum(target[:-1, None], source[None, :-1])
    return np.asarray(np.clip(upper - lower, 0.0, None))


def _brain(tissue: Float, spacing_mm: float) -> NDArray[np.bool_]:
    reach = max(1, round(4.0 / spacing_mm))
    mask = np.pad(tissue > 0.4, reach + 1)
    mask = ndi.binary_fill_holes(ndi.binary_closing(mask, iterations=reach))
    inner = (slice(reach + 1, -reach - 1),) * 3
    return _largest(mask[inner])


def _ventricles(csf: Float, brain: NDArray[np.bool_], grid: Grid) -> NDArray[np.bool_]:
    inside = np.ones(grid.shape, dtype=np.bool_)
    for axis, (low, high) in enumerate(VENTRICLE_BOX_MM):
        mm = grid.affine[axis, 3] + np.arange(grid.shape[axis]) * grid.affine[axis, axis]
        inside &= np.expand_dims((mm >= low) & (mm <= high), [a for a in range(3) if a != axis])
    depth = ndi.distance_transform_edt(np.pad(brain, 1), sampling=grid.spacing_mm)[1:-1, 1:-1, 1:-1]
    return _largest((csf > 0.5) & inside & (depth >= VENTRICLE_DEPTH_MM))


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    parts, found = ndi.label(mask, structure=np.ones((3, 3, 3)))
    if found == 0:
        return mask
    return np.asarray(parts == 1 + np.bincount(parts.ravel())[1:].argmax())
