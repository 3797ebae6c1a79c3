"""Images as a browser shows them: one byte a voxel, on one grid, compressed once and then kept.

Why it exists: prepared images are floats of 36 MB each; a screen shows 256 greys. The worker makes them when a study is
done, so that no reader waits. An earlier study is brought onto the grid of the one that is read, with the motion that
response assessment found, so that both show the same anatomy slice by slice. What is kept can be made again at any
time, so what nobody looked at goes; names in it are digests.
"""

from __future__ import annotations

import contextlib
import gzip
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.io.images import read_volume
from tumorboard.sequences import Sequence
from tumorboard.serve.outlines.places import Place, read_json
from tumorboard.store import digest, digest_file, write_atomic
from tumorboard.transform import resample
from tumorboard.volume import Grid, Volume

VERSION = "1"
"""Changes whenever a picture may look different."""

LOWEST, HIGHEST = 0.5, 99.9
"""Percentiles of a sequence in the brain between which greys are spread; chosen."""

LEVEL = 1
"""Compression: the network within a hospital is faster than a strong compression."""

KEPT_DAYS = 30.0
"""Pictures that nobody looked at for so long go; chosen."""

OUTLINE, UNCERTAINTY = "outline", "uncertainty"
"""What is shown beside sequences."""


@dataclass(frozen=True)
class Onto:
    """The grid of the study that is read, and how an earlier study comes onto it.

    Parameters
    ----------
    place : Place
        The study that is read.
    motion : ndarray, shape (4, 4)
        From its world to that of the earlier study, RAS mm.
    """

    place: Place
    motion: NDArray[np.float64]

    def bring(self, volume: Volume, how: Any) -> Volume:
        """Resample a volume of the earlier study."""
        grid = grid_of(self.place)
        moved = resample(volume, Grid(grid.shape, self.motion @ grid.affine), how)
        return Volume(moved.data, grid)


def grid_of(place: Place) -> Grid:
    """Return the working grid of a study, without its voxels."""
    import nibabel as nib

    header: Any = nib.load(place.folder.seg(place.session, "dseg.nii.gz"))
    i, j, k = header.shape
    return Grid((int(i), int(j), int(k)), np.asarray(header.affine, dtype=np.float64))


def motion_between(place: Place, earlier: Place) -> NDArray[np.float64] | None:
    """Return the motion from one study's world to an earlier one's; None where they were not aligned."""
    kept = read_json(place.folder.root / ".stages" / "response.json", default={})
    to_template = kept.get("to_template", {})
    if place.session not in to_template or earlier.session not in to_template:
        return None
    one, two = (np.array(to_template[s], dtype=np.float64) for s in (place.session, earlier.session))
    return np.asarray(np.linalg.inv(two) @ one)


def picture_key(place: Place, what: str, onto: Onto | None = None) -> str:
    """Return a name that changes whenever the picture does; no voxel is read."""
    files = _files(place, what)
    stage = "prepare" if what in set(Sequence) else "segment"
    parts = [place.digest(path, stage) or digest_file(path) for path in files]
    if onto is not None:
        grid = grid_of(onto.place)
        parts += [repr(grid.shape), grid.affine.tobytes().hex(), onto.motion.tobytes().hex()]
    return digest("picture", VERSION, what, *parts)


def picture(kept: Path, place: Place, what: str, onto: Onto | None = None) -> bytes:
    """Return a picture as a compressed NIfTI file, made now or kept from before.

    Parameters
    ----------
    kept : Path
        Folder of what was made before.
    place : Place
        The study.
    what : str
        A sequence, :data:`OUTLINE` (our classes) or :data:`UNCERTAINTY` (255: as likely tumour as not).
    onto : Onto, optional
        Where the study is an earlier one.

    Returns
    -------
    bytes
        gzip of ``.nii``, uint8.
    """
    path = _path(kept, place, what, onto)
    try:
        found = path.read_bytes()
        path.touch()
        return found
    except OSError:
        made = gzip.compress(_make(place, what, onto), LEVEL, mtime=0)
        write_atomic(path, made)
        return made


def shown_of(place: Place) -> tuple[str, ...]:
    """Return what a study can show: its sequences, the outline, and how uncertain it is where that is known."""
    known = (UNCERTAINTY,) if place.outline.get("Memberships") else ()
    return (*(sequence.value for sequence in place.sequences), OUTLINE, *known)


def make_ahead(kept: Path, place: Place) -> None:
    """Make all pictures of a study that are not there yet.

    Parameters
    ----------
    kept : Path
        Folder of pictures.
    place : Place
        The study.
    """
    for what in shown_of(place):
        if not _path(kept, place, what).is_file():
            picture(kept, place, what)


def forget(kept: Path, days: float = KEPT_DAYS) -> int:
    """Remove the pictures that nobody looked at for so many days; return how many."""
    count, limit = 0, time.time() - days * 86_400
    for path in kept.glob("*/*.nii.gz"):
        with contextlib.suppress(OSError):  # another process may have removed it
            if path.stat().st_mtime < limit:
                path.unlink()
                count += 1
    return count


def _path(kept: Path, place: Place, what: str, onto: Onto | None = None) -> Path:
    """Return where a picture is kept: in a folder of its patient, which goes with the case folder."""
    return kept / place.folder.root.name / f"{picture_key(place, what, onto)}.nii.gz"


def _files(place: Place, what: str) -> list[Path]:
    folder, session = place.folder, place.session
    if what == OUTLINE:
        return [folder.seg(session, "dseg.nii.gz")]
    if what == UNCERTAINTY:
        names = place.outline.get("Memberships", [])
        return [folder.seg(session, f"label-{region}_probseg.nii.gz") for region in names]
    return [folder.anat(session, Sequence(what).bids_suffix), folder.anat(session, "desc-brain_mask")]


def _make(place: Place, what: str, onto: Onto | None) -> bytes:
    files = _files(place, what)
    if what == OUTLINE:
        labels = read_volume(files[0], OUTLINE)
        return nifti(onto.bring(labels, "nearest") if onto else labels, straight=False)
    if what == UNCERTAINTY:
        return nifti(_uncertainty([read_volume(path, UNCERTAINTY) for path in files]))
    image, brain = read_volume(files[0], what), read_volume(files[1], "brain mask")
    shown = image.with_data(_greys(image.data, brain.data > 0))
    return nifti(onto.bring(shown, "linear") if onto else shown)


def _greys(data: NDArray[Any], brain: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Spread greys over what is inside the brain."""
    inside = data[brain]
    low, high = (float(v) for v in np.percentile(inside[:: max(1, inside.size // 200_000)], (LOWEST, HIGHEST)))
    step = max(high - low, 1e-6) / 254.0
    grey = np.clip((data - low) / step + 1.0, 1.0, 255.0).astype(np.uint8)
    grey[(data == 0) & ~brain] = 0  # outside the head, where nothing was measured
    return grey


def _uncertainty(memberships: list[Volume]) -> Volume:
    """Return how undecided the outline is: 255 where some region is as likely as not, 0 where all are certain."""
    most = np.max([1.0 - np.abs(2.0 * m.data - 1.0) for m in memberships], axis=0)
    return memberships[0].with_data((255.0 * most).astype(np.uint8))


def nifti(volume: Volume, *, straight: bool = True) -> bytes:
    """Return a volume as an uncompressed NIfTI file of bytes.

    Parameters
    ----------
    volume : Volume
        Values from 0 to 255.
    straight : bool
        On a straight grid, so that the viewer's slices are planes of voxels; where they lie in the world the page
        knows. An outline keeps its own grid, with which it is sent back.

    Examples
    --------
    >>> made = nifti(Volume.of(np.zeros((2, 3, 4), np.uint8), np.eye(4)))
    >>> len(made) == 352 + 24
    True
    """
    import nibabel as nib

    data = volume.data
    if data.dtype != np.uint8:
        data = np.clip(np.rint(data), 0, 255).astype(np.uint8)
    affine = np.diag([*volume.spacing_mm, 1.0]) if straight else volume.affine
    if straight:
        affine[:3, 3] = -(np.array(data.shape) - 1) / 2 * volume.spacing_mm
    image = nib.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    image.header["cal_min"], image.header["cal_max"] = 0.0, 255.0
    return bytes(image.to_bytes())
