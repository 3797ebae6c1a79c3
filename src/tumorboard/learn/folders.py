"""A user's own labelled studies as a source of samples: BraTS folders, or BIDS derivatives with ``dseg``.

Why it exists: fine-tuning on a hospital's own cases is what makes a network fit its scanners. Images stay what they
are; only what differs from scan to scan is added (shading, noise, contrast curve, missing sequences). It refuses
labels outside the scheme, images on several grids, a folder with one case, and cases without any tumour.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import GeometryError, InputError
from tumorboard.io.images import read_volume
from tumorboard.labels import LabelMap
from tumorboard.learn.draw.blemish import Blemishes, curved
from tumorboard.learn.draw.sample import Drawing, Sample, chosen
from tumorboard.learn.stream import noise
from tumorboard.networks.grid import to_network
from tumorboard.prepare.intensity import IQR_TO_SD
from tumorboard.segment.learned import HIGHEST, LOWEST
from tumorboard.sequences import Sequence
from tumorboard.volume import box_around

Float = NDArray[np.float32]

SUFFIXES: dict[Sequence, tuple[str, ...]] = {
    Sequence.T1: ("t1n", "t1", "t1w"),
    Sequence.T1C: ("t1c", "t1ce", "t1gd", "ce-gadolinium_t1w"),
    Sequence.T2: ("t2w", "t2"),
    Sequence.FLAIR: ("t2f", "flair"),
    Sequence.BB: ("bb",),
}
"""How files of a case end, before ``.nii.gz``; the BraTS years, and BIDS."""

TRUTHS = ("seg", "dseg", "label", "labels")
"""How the file of labels ends."""

LEAST_CASES = 2
"""Fewer cases than this teach one patient by heart."""


@dataclass(frozen=True)
class Case:
    """One labelled study.

    Parameters
    ----------
    images : ndarray of float16, shape (i, j, k, sequences)
        Normalised in the brain, 0 outside; a missing sequence is 0.
    labels : ndarray of uint8, shape (i, j, k)
        Our classes.
    present : ndarray of bool, shape (sequences,)
        Which sequences are there.
    """

    images: NDArray[np.float16]
    labels: NDArray[np.uint8]
    present: NDArray[np.bool_]

    def write(self, folder: Path) -> None:
        """Write the case into a new folder."""
        folder.mkdir(parents=True)
        for part in fields(self):
            np.save(folder / f"{part.name}.npy", getattr(self, part.name), allow_pickle=False)

    @classmethod
    def read(cls, folder: Path) -> Case:
        """Open a case; arrays stay on disk until a part of them is looked at."""
        return cls(*(np.load(folder / f"{p.name}.npy", mmap_mode="r", allow_pickle=False) for p in fields(cls)))


@dataclass(frozen=True)
class CaseDrawer:
    """Samples of labelled studies.

    Parameters
    ----------
    folders : tuple of Path
        Of cases as :meth:`Case.write` writes them: all processes that draw share them, and none holds them.
    how : Drawing
        Shape, chances, blemishes.
    """

    folders: tuple[Path, ...]
    how: Drawing

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw a case, a place in it, and what differs from scan to scan."""
        case = Case.read(self.folders[int(rng.integers(len(self.folders)))])
        at = _corner(case, self.how, rng)
        images = _cut(case.images, at, self.how.shape).astype(np.float32)
        labels = _cut(case.labels, at, self.how.shape)
        if rng.random() < 0.5:
            images, labels = images[::-1].copy(), labels[::-1].copy()
        outside = (images == 0).all(axis=3)
        images = _varied(images, self.how.blemishes, rng)
        images[outside] = 0.0
        present = chosen(self.how.sequences, self.how.whole, rng, case.present, self.how.always)
        images[..., ~present] = 0.0
        return Sample(np.clip(images, LOWEST, HIGHEST), labels.copy(), present)


def _varied(images: Float, how: Blemishes, rng: np.random.Generator) -> Float:
    """Bend, shift and stretch the scale of each sequence, and add noise."""
    shape = (images.shape[0], images.shape[1], images.shape[2])
    positive = np.clip(images - LOWEST, 0, None) / np.float32(-LOWEST)
    bent, _ = curved(positive, np.zeros((1, images.shape[3]), np.float32), how, rng)
    images = (bent - 1) * np.float32(-LOWEST)
    for s in range(images.shape[3]):
        stretch, shift = np.float32(np.exp(rng.normal(0, 0.1))), np.float32(rng.normal(0, 0.15))
        level = np.float32(2 * how.noise * rng.random() ** 2)
        images[..., s] = images[..., s] * stretch + shift + level * noise().at(shape, rng, 0, 2)
    return images


def _corner(case: Case, how: Drawing, rng: np.random.Generator) -> list[int]:
    middle = np.array(case.labels.shape) * rng.uniform(0.5 - how.aside, 0.5 + how.aside, 3)
    if rng.random() < how.on_tumour and case.labels.any():
        places = np.argwhere(case.labels > 0)
        middle = places[rng.integers(len(places))] + rng.integers(-8, 9, 3)
    room = [max(0, n - w) for n, w in zip(case.labels.shape, how.shape, strict=True)]
    return [int(np.clip(m - w // 2, 0, r)) for m, w, r in zip(middle, how.shape, room, strict=True)]


def _cut(array: NDArray[Any], at: list[int], shape: tuple[int, int, int]) -> NDArray[Any]:
    part = array[tuple(slice(a, a + n) for a, n in zip(at, shape, strict=True))]
    short = [(0, n - m) for n, m in zip(shape, part.shape, strict=False)] + [(0, 0)] * (part.ndim - 3)
    return np.pad(part, short) if any(s[1] for s in short) else part


def read_cases(
    folder: Path, sequences: tuple[Sequence, ...], spacing_mm: float, scheme: str = "brats"
) -> Iterator[Case]:
    """Read all labelled studies below a folder, one after another.

    Parameters
    ----------
    folder : Path
        One folder a study (BraTS), or a BIDS tree; images are called like the labels, but for the ending.
    sequences : tuple of Sequence
        Wanted, in order; those that a study lacks are missing.
    spacing_mm : float
        Voxel size to train at.
    scheme : str
        Of the label values.

    Yields
    ------
    Case

    Raises
    ------
    InputError
        Fewer than two cases, labels without tumour everywhere, or no image beside the labels.
    GeometryError
        Images and labels on several grids.
    LabelError
        Values outside the scheme.
    """
    files = sorted(folder.rglob("*.nii*"))
    truths = [p for p in files if _ending(p) in TRUTHS]
    if len(truths) < LEAST_CASES:
        got = f"{len(truths)} below the folder"
        raise InputError(f"at least {LEAST_CASES} labelled cases", got=got, where="sources", remedy="add cases")
    tumour = False
    for n, truth in enumerate(truths, start=1):
        images = {s: path for s in sequences if (path := _image(files, truth, s)) is not None}
        case = _case(truth, images, f"case {n}", sequences, spacing_mm, scheme)
        tumour |= bool(case.labels.any())
        yield case
    if not tumour:
        raise InputError("tumour in some label map", got="all of them empty", where="sources")


def _ending(path: Path) -> str:
    """Return what a file's name ends in, after its last ``-`` or ``_``, lower case."""
    return re.split(r"[-_]", _plain(path))[-1]


def _case(
    truth: Path,
    paths: Mapping[Sequence, Path],
    where: str,
    sequences: tuple[Sequence, ...],
    spacing_mm: float,
    scheme: str,
) -> Case:
    labels = LabelMap.from_scheme(read_volume(truth, "labels"), scheme).canonical()
    images: dict[Sequence, Float] = {}
    for sequence, path in paths.items():
        volume = read_volume(path, sequence.value).canonical()
        told = labels.grid.explain_mismatch(volume.grid, ("labels", sequence.value))
        if told:
            raise GeometryError("images and labels on one grid", got=told, where=where)
        images[sequence] = np.asarray(volume.data, dtype=np.float32)
    if not images:
        raise InputError("images beside the labels", got="none that is recognised", where=where)
    brain = np.any([image != 0 for image in images.values()], axis=0)
    box = box_around(brain)
    if box is None:
        raise InputError("a brain in the images", got="only zeros", where=where)
    spacing = labels.grid.spacing_mm
    inside = to_network(brain[box], spacing, spacing_mm) > 0.5
    channels = [
        _normalised(to_network(images[s][box], spacing, spacing_mm), inside) if s in images else np.zeros(inside.shape)
        for s in sequences
    ]
    onehot = np.stack([to_network(labels.data[box] == c, spacing, spacing_mm) for c in range(5)])
    return Case(
        np.stack(channels, axis=-1).astype(np.float16),
        np.asarray(onehot.argmax(axis=0) * inside, dtype=np.uint8),
        np.array([s in images for s in sequences]),
    )


def _image(files: list[Path], truth: Path, sequence: Sequence) -> Path | None:
    """Return the image of a sequence that is called like the labels but for its ending."""
    stem = _plain(truth)[: -len(_ending(truth)) - 1]
    for path in files:
        name = _plain(path)
        if not name.startswith((f"{stem}-", f"{stem}_")) or "desc-" in name:
            continue
        if sequence is Sequence.T1 and "ce-gadolinium" in name:
            continue
        if any(name.endswith((f"-{suffix}", f"_{suffix}")) for suffix in SUFFIXES[sequence]):
            return path
    return None


def _plain(path: Path) -> str:
    """Return a file's name without ``.nii.gz``, lower case."""
    return path.name.lower().removesuffix(".gz").removesuffix(".nii")


def _normalised(image: Float, inside: NDArray[np.bool_]) -> Float:
    low, median, high = np.percentile(image[inside], (25, 50, 75))
    if high <= low:
        raise InputError("contrast inside the brain", got="no spread of values", where="sources")
    scaled = (image - np.float32(median)) * np.float32(IQR_TO_SD / (high - low))
    return np.asarray(np.clip(scaled, LOWEST, HIGHEST) * inside, dtype=np.float32)
