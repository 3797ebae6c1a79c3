"""A look at an image's header, for choosing between two files.

Why it exists: which of two T1C images is the 3-D one stands in the header. No voxel is read here, and
a header that cannot be read is no error: the reader that comes later gives the proper one.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tumorboard.series import Series

THIN_MM = 2.0
"""Images whose slices lie no further apart are counted as 3-D acquisitions."""


@dataclass(frozen=True)
class Header:
    """Shape (i, j, k) and spacing in mm; both empty when the header cannot be read or is not of one volume."""

    shape: tuple[int, ...] = ()
    spacing_mm: tuple[float, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether the header is that of one 3-D volume."""
        return len(self.shape) == 3 and min(self.shape) > 0 and min(self.spacing_mm) > 0

    @property
    def thickness_mm(self) -> float:
        """Largest spacing, to 0.01 mm."""
        return round(max(self.spacing_mm), 2)

    @property
    def is_3d(self) -> bool:
        """Whether it is thin enough to have been acquired as a volume."""
        return self.thickness_mm <= THIN_MM

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        i, j, k = self.shape
        return i * j * k


def probe_series(series: Series) -> Header:
    """Return shape (columns, rows, planes) and spacing in mm of a DICOM series."""
    first, last = series.planes[0], series.planes[-1]
    extent = sum((a - b) ** 2 for a, b in zip(first.position_mm, last.position_mm, strict=True)) ** 0.5
    gap = extent / max(1, len(series.planes) - 1)
    return Header((first.columns, first.rows, len(series.planes)), (first.spacing_mm[1], first.spacing_mm[0], gap))


def probe(path: Path) -> Header:
    """Return shape and spacing from the header alone; an empty :class:`Header` when that fails."""
    reader = _probe_nifti if path.name.lower().endswith((".nii", ".nii.gz")) else _probe_itk
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape, spacing = reader(path)
    except Exception:  # the readers throw anything on a damaged header, and all of it means: unknown
        return Header()
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return Header(shape, tuple(spacing[: len(shape)])) if len(shape) == 3 else Header()


def _probe_nifti(path: Path) -> tuple[tuple[int, ...], tuple[float, ...]]:
    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)
    nib: Any = import_module("nibabel")
    header = nib.load(path).header
    return tuple(int(n) for n in header.get_data_shape()), tuple(float(z) for z in header.get_zooms())


def _probe_itk(path: Path) -> tuple[tuple[int, ...], tuple[float, ...]]:
    sitk: Any = import_module("SimpleITK")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return tuple(int(n) for n in reader.GetSize()), tuple(float(z) for z in reader.GetSpacing())
