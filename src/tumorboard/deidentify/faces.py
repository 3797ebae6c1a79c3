"""Defacing of files: DICOM series and NIfTI images, their own pixels and nothing else changed.

Why it exists: the cut is found in a volume, but the pixels that are blanked are those that were stored, in
each slice's own file. One brain serves a frame of reference, so that sequences in which no brain can be
found are cut as well; where there is none at all the image would keep its face, so it is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tumorboard.deidentify.deface import kept_voxels
from tumorboard.deidentify.objects import IMAGES, NOT_DEFACED, ONLY_WHEN_SAID
from tumorboard.deidentify.read import LeftOut
from tumorboard.errors import InputError, MissingDependency
from tumorboard.sequences import Sequence
from tumorboard.series import Plane, Series
from tumorboard.volume import Grid, Volume

Mask = NDArray[np.bool_]
_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")
BrainFinder = Callable[[Volume], Mask | None]
"""Finds the brain in a whole head, None where the skull is stripped; raises an InputError where it cannot."""


def find_brain(volume: Volume) -> Mask | None:
    """Find the brain in a whole head with the house's skull stripping; None where there is no skull."""
    from tumorboard.prepare.skull import head_mask, is_head

    if not is_head(volume):
        return None
    return np.asarray(head_mask({Sequence.T1: volume}).mask.data, dtype=bool)


def blank_nifti(plain: bytes, brain_of: BrainFinder | None = None) -> bytes:
    """Blank the face in an unpacked NIfTI file; of a 4-D one in every volume, by the brain of the first.

    Raises
    ------
    LeftOut
        The brain is not found, or its voxels are no numbers.
    """
    import nibabel as nib

    try:
        first_kind = 348 in (int.from_bytes(plain[:4], order) for order in _ORDERS)
        image: Any = (nib.Nifti1Image if first_kind else nib.Nifti2Image).from_bytes(plain)
        dtype, start = image.header.get_data_dtype(), int(image.dataobj.offset)
        stored = np.frombuffer(plain, dtype, math.prod(image.shape), start).reshape(image.shape, order="F")
        first = stored.reshape((*image.shape[:3], -1), order="F")[..., 0]
        cut = _kept_of(Volume.of(first.astype(np.float32), image.affine), brain_of or find_brain)
        mask = cut.reshape(cut.shape + (1,) * (stored.ndim - 3))
        blanked = np.where(mask, stored, dtype.type(0)).astype(dtype)
    except MissingDependency:
        raise
    except Exception:  # a stranger's header may raise anything
        raise LeftOut(NOT_DEFACED) from None
    content = blanked.tobytes(order="F")
    return plain[:start] + content + plain[start + len(content) :]


MOST_TRIES = 3
"""How many stacks of one frame of reference are asked for a brain; chosen, for each takes seconds."""

T1_LONGEST_ECHO_MS = 15.0
"""Stacks with a shorter echo are asked first: the brain is found best on T1; chosen."""


class FrameCut:
    """The cut of one frame of reference: found on one stack, applied to every image plane that shares it.

    Parameters
    ----------
    planes : dict
        Path and frame number to its plane.
    cut : tuple of Grid and ndarray, or None
        What stays, on the grid of the stack it was found on.
    bare : set
        Planes of stacks without a skull; they have no face.
    """

    def __init__(
        self, planes: dict[tuple[Path, int], Plane], cut: tuple[Grid, Mask] | None, bare: set[tuple[Path, int]]
    ) -> None:
        self._planes, self._cut, self._bare = planes, cut, bare

    @classmethod
    def of(cls, paths: Iterable[Path], brain_of: BrainFinder | None = None) -> FrameCut:
        """Find the cut in the files of one frame of reference.

        Parameters
        ----------
        paths : iterable of Path
            All its files; those without planes are passed over.
        brain_of : callable
            Finds the brain; the house's skull stripping where nothing is given.
        """
        from tumorboard.io.dicom.scan import scan_dicom

        try:
            stacks = scan_dicom(paths).series
        except InputError:
            stacks = ()
        planes = {(plane.path, plane.frame): plane for series in stacks for plane in series.planes}
        bare: set[tuple[Path, int]] = set()
        for series in sorted(stacks, key=_fitness)[:MOST_TRIES]:
            cut = _cut_of(series, brain_of or find_brain)
            if cut is not None and cut[1].all():
                bare |= {(plane.path, plane.frame) for plane in series.planes}
            elif cut is not None:
                return cls(planes, cut, bare)
        return cls(planes, None, bare)

    def apply(self, dataset: Any, path: Path) -> bool:
        """Blank the face in a dataset's pixels; returns whether it is an image of that kind.

        Pixels that are compressed are written uncompressed (explicit VR little endian).

        Raises
        ------
        LeftOut
            An image for which there is no cut.
        """
        if str(dataset.SOPClassUID) not in {**IMAGES, **ONLY_WHEN_SAID}:
            return False
        try:
            frames = range(1, int(dataset.get("NumberOfFrames") or 1) + 1)
            _blank(dataset, np.stack([self._kept(path, n) for n in frames]))
        except Exception:  # no plane, no cut; and decoders raise anything
            raise LeftOut(NOT_DEFACED) from None
        return True

    def _kept(self, path: Path, frame: int) -> Mask:
        plane = self._planes[path, frame]
        if self._cut is not None:
            return _on_plane(plane, *self._cut)
        if (path, frame) in self._bare:
            return np.ones((plane.rows, plane.columns), dtype=bool)
        raise LeftOut(NOT_DEFACED)


def _fitness(series: Series) -> tuple[bool, bool, float, int]:
    """Sort key: whole MR stacks, T1-like before others, thin before thick, many planes before few."""
    tags = series.tags
    echo = tags.te_ms if tags.te_ms is not None else T1_LONGEST_ECHO_MS
    unfit = bool(series.refusal) or tags.modality != "MR" or len(series.planes) < 3
    return unfit, echo >= T1_LONGEST_ECHO_MS, tags.thickness_mm or 99.0, -len(series.planes)


def _cut_of(series: Series, brain_of: BrainFinder) -> tuple[Grid, Mask] | None:
    """Return a stack's grid and what stays of it, all of it where there is no skull; None without a brain."""
    from tumorboard.io.dicom.read import read_series

    if _fitness(series)[0]:
        return None
    try:
        volume, _ = read_series(series)
        return volume.grid, _kept_of(volume, brain_of)
    except InputError:
        return None


def _kept_of(volume: Volume, brain_of: BrainFinder) -> Mask:
    brain = brain_of(volume)
    return np.ones(volume.grid.shape, dtype=bool) if brain is None else kept_voxels(volume.grid, brain)


def _on_plane(plane: Plane, grid: Grid, kept: Mask) -> Mask:
    """Return what stays of one plane's pixels, by their places in space (PS3.3 C.7.6.2.1.1)."""
    rows, columns = np.meshgrid(np.arange(plane.rows), np.arange(plane.columns), indexing="ij")
    across, down = np.array(plane.orientation[:3]), np.array(plane.orientation[3:])
    lps = (
        np.array(plane.position_mm)
        + columns[..., None] * plane.spacing_mm[1] * across
        + rows[..., None] * plane.spacing_mm[0] * down
    )
    at = np.rint(grid.to_voxel(lps.reshape(-1, 3) * (-1, -1, 1))).astype(int)
    at = np.clip(at, 0, np.array(grid.shape) - 1)
    return np.asarray(kept[at[:, 0], at[:, 1], at[:, 2]].reshape(plane.rows, plane.columns))


def _blank(dataset: Any, kept: Mask) -> None:
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        dataset.decompress(generate_instance_uid=False)
    bits, samples = int(dataset.BitsAllocated), int(dataset.get("SamplesPerPixel") or 1)
    if bits not in (8, 16, 32) or samples != 1:
        raise LeftOut(NOT_DEFACED)
    size = kept.size * bits // 8
    stored = np.frombuffer(dataset.PixelData[:size], dtype=f"u{bits // 8}").reshape(kept.shape)
    dataset.PixelData = np.where(kept, stored, stored.dtype.type(0)).tobytes() + bytes(size % 2)
