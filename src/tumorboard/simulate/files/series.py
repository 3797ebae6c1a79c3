"""Series of three or four axes as NIfTI, with what their fourth axis means beside them.

Why it exists: perfusion, diffusion and BOLD have time or gradients as a fourth axis, which BIDS describes in a
sidecar, b-values and directions in files of their own.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np

from tumorboard.simulate.scanner.maps import Extra
from tumorboard.store import write_atomic, write_json


def write_series_nifti(extra: Extra, stem: Path) -> None:
    """Write an image, its sidecar, and its gradients where it has them.

    Parameters
    ----------
    extra : Extra
        What.
    stem : Path
        Name without ending; its folder is made if absent.

    Raises
    ------
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from tumorboard.volume import Grid
    >>> image = Extra(np.zeros((2, 2, 2), np.float32), Grid((2, 2, 2), np.eye(4)), "HU")
    >>> with tempfile.TemporaryDirectory() as place:
    ...     write_series_nifti(image, Path(place) / "sub-a_ct")
    ...     sorted(path.name for path in Path(place).iterdir())
    ['sub-a_ct.json', 'sub-a_ct.nii.gz']
    """
    image = nib.Nifti1Image(extra.data.astype(np.float32), extra.grid.affine)
    image.header.set_xyzt_units("mm", "sec")
    step = extra.axis[1] - extra.axis[0] if len(extra.axis) > 1 and not len(extra.directions) else 0.0
    if extra.data.ndim == 4:
        image.header.set_zooms((*extra.grid.spacing_mm, step or 1.0))
    write_atomic(stem.with_name(f"{stem.name}.nii.gz"), gzip.compress(image.to_bytes(), 4, mtime=0))
    told: dict[str, object] = {"Units": extra.unit}
    if step > 0 and "dwi" not in stem.name:
        told |= {"RepetitionTime": step}
        if "bold" in stem.name:
            told |= {"TaskName": "rest"}
    write_json(stem.with_name(f"{stem.name}.json"), told)
    if stem.name.endswith("dwi"):
        _write_gradients(extra, stem)


def _write_gradients(extra: Extra, stem: Path) -> None:
    directions = extra.directions if len(extra.directions) else np.zeros((len(extra.axis), 3))
    if not len(extra.directions):
        directions[np.asarray(extra.axis) > 0] = (1.0, 0.0, 0.0)
    write_atomic(stem.with_name(f"{stem.name}.bval"), " ".join(f"{b:g}" for b in extra.axis) + "\n")
    rows = "\n".join(" ".join(f"{v:.6f}" for v in row) for row in directions.T)
    write_atomic(stem.with_name(f"{stem.name}.bvec"), rows + "\n")
