"""The way back: labels on native slices, and the transforms that lead there, as files.

Why it exists: results are read beside the images that the scanner made. A thick slice holds what fills
most of its thickness, not what its middle plane happens to meet.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.labels import LabelMap, Tissue
from tumorboard.sequences import Sequence
from tumorboard.volume import Affine, Grid

if TYPE_CHECKING:
    from tumorboard.prepare.prepare import Prepared

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def labels_to_native(labels: LabelMap, native: Grid, matrix: Affine | None = None) -> LabelMap:
    """Put labels onto a native grid: each voxel takes the class that fills most of it.

    Parameters
    ----------
    labels : LabelMap
        On the working grid.
    native : Grid
        Where they are wanted, for instance thick slices.
    matrix : ndarray, shape (4, 4), optional
        From the world of the labels to the world of ``native`` (RAS mm); the same world by default.

    Returns
    -------
    LabelMap
        On ``native``; background where the classes together fill less than half a voxel.

    Examples
    --------
    >>> labels = LabelMap.of(np.full((4, 4, 4), 3, np.uint8), np.eye(4))
    >>> native = Grid((4, 4, 2), np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 2, 0.5], [0, 0, 0, 1.0]]))
    >>> labels_to_native(labels, native).data.min()
    np.uint8(3)
    """
    step = np.linalg.inv(labels.affine) @ np.linalg.inv(np.eye(4) if matrix is None else matrix) @ native.affine
    parts = _parts(native, labels.grid)
    total = np.zeros(native.shape, dtype=np.float32)
    out = np.zeros(native.shape, dtype=np.uint8)
    most = np.zeros(native.shape, dtype=np.float32)
    for tissue in Tissue:
        mask = labels.data == tissue
        if not mask.any():
            continue
        share = _share(mask, step, native, parts)
        total += share
        out[share > most] = tissue
        np.maximum(most, share, out=most)
    out[total < 0.5] = 0
    return LabelMap(out, native)


def _parts(native: Grid, working: Grid) -> tuple[int, int, int]:
    """Return into how many parts a native voxel is cut along each axis, so that a part is a working voxel."""
    finest = min(working.spacing_mm)
    a, b, c = (max(1, round(s / finest)) for s in native.spacing_mm)
    return a, b, c


def _share(mask: NDArray[np.bool_], step: Affine, native: Grid, parts: tuple[int, int, int]) -> NDArray[np.float32]:
    """Return which part of each native voxel a mask fills, by sampling the voxel's parts."""
    source = mask.astype(np.float32)
    total = np.zeros(native.shape, dtype=np.float32)
    places = [(np.arange(n) + 0.5) / n - 0.5 for n in parts]
    for off in np.stack(np.meshgrid(*places, indexing="ij"), axis=-1).reshape(-1, 3):
        origin = step[:3, :3] @ off + step[:3, 3]
        total += ndi.affine_transform(
            source, step[:3, :3], origin, output_shape=native.shape, order=1, mode="grid-constant"
        )
    return np.asarray(total / np.prod(parts), dtype=np.float32)


def transform_files(prepared: Prepared) -> dict[str, str]:
    """Return the transforms of a study as files by name: numbers (JSON) and an ITK text file each.

    Names follow BIDS derivatives: ``from-T2w_to-ce-gadoliniumT1w_mode-image_xfm``. The ITK matrix leads from
    the points of the reference to those of the moving image (LPS mm), as resamplers want it.
    """
    out = {}
    reference = _short(prepared.study.reference)
    for sequence, fit in prepared.fits.items():
        name = f"from-{_short(sequence)}_to-{reference}_mode-image_xfm"
        about = {
            "from": sequence.value,
            "to": prepared.study.reference.value,
            "reference_to_moving_ras_mm": fit.matrix.tolist(),
            "quality": fit.quality.as_json(),
        }
        out[f"{name}.json"] = json.dumps(about, indent=1) + "\n"
        out[f"{name}.txt"] = _itk_text(_LPS @ fit.matrix @ _LPS)
    return out


def _short(sequence: Sequence) -> str:
    return sequence.bids_suffix.replace("_", "")


def _itk_text(matrix: Affine) -> str:
    numbers = " ".join(f"{v:.10g}" for v in [*matrix[:3, :3].ravel(), *matrix[:3, 3]])
    head = "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n"
    return f"{head}Parameters: {numbers}\nFixedParameters: 0 0 0\n"
