"""From settings to sources of samples: pools that are opened, or made first, and users' folders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cc3d
import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.learn.draw.contrast import Spread
from tumorboard.learn.draw.head import HeadDrawing, draw_head
from tumorboard.learn.draw.sample import Drawing, Sample, draw_sample
from tumorboard.learn.folders import Case, CaseDrawer, read_cases
from tumorboard.learn.pool.specimen import Specimen
from tumorboard.learn.pool.write import specimens, write_pool
from tumorboard.learn.settings import Source, TrainSettings
from tumorboard.learn.stream import Drawer, Mix, noise
from tumorboard.sequences import Sequence


@dataclass(frozen=True)
class PoolDrawer:
    """Samples from a pool of digital anatomy.

    Parameters
    ----------
    folders : tuple of Path
        Of specimens.
    how : Drawing
        Everything that may vary.
    """

    folders: tuple[Path, ...]
    how: Drawing

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw a specimen, and a sample of it."""
        return draw_sample(_any_of(self.folders, rng), self.how, noise(), rng)


@dataclass(frozen=True)
class LesionDrawer:
    """Samples in which only the lesions themselves are labelled, and only those that a reader could see.

    Oedema around them is no lesion. What takes up no more than brain does is a lesion to nobody who looks at the image,
    and teaches to guess.

    Parameters
    ----------
    inner : PoolDrawer
        Draws tissues.
    """

    inner: PoolDrawer

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw a sample of 1 lesion, 0 elsewhere."""
        sample = self.inner.draw(rng)
        return replace(sample, labels=standing_out(sample.images, np.isin(sample.labels, (1, 3))))


STANDS_OUT = 1.5
"""Standard deviations of the brain by which a lesion's brighter voxels exceed its median, at least; chosen."""


def standing_out(images: NDArray[np.float32], lesions: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the lesions whose brighter voxels (upper decile) stand out of the brain in some image.

    Parameters
    ----------
    images : ndarray of float32, shape (i, j, k, sequences)
        Normalised; 0 where a sequence is missing.
    lesions : ndarray of bool, shape (i, j, k)
        All of them.

    Returns
    -------
    ndarray of uint8, shape (i, j, k)

    Examples
    --------
    >>> lesions = np.array([1, 1, 0, 1]).reshape(4, 1, 1) > 0
    >>> images = np.array([0.0, 4.0, 9.0, 1.0], np.float32).reshape(4, 1, 1, 1)
    >>> standing_out(images, lesions).ravel().tolist()
    [1, 1, 0, 0]
    """
    parts = np.asarray(cc3d.connected_components(lesions, connectivity=26))
    every = range(1, int(parts.max()) + 1)
    seen = [n for n in every if np.percentile(images[parts == n], 90, axis=0).max() >= STANDS_OUT]
    return np.isin(parts, seen).astype(np.uint8)


@dataclass(frozen=True)
class HeadDrawer:
    """Samples of whole heads from a pool that keeps them.

    Parameters
    ----------
    folders : tuple of Path
        Of specimens.
    how : HeadDrawing
        Everything that may vary.
    """

    folders: tuple[Path, ...]
    how: HeadDrawing

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw a specimen, and a sample of its head."""
        return draw_head(_any_of(self.folders, rng), self.how, noise(), rng)


def _any_of(folders: tuple[Path, ...], rng: np.random.Generator) -> Specimen:
    return Specimen.read(folders[int(rng.integers(len(folders)))])


def opened(
    settings: TrainSettings,
    sources: tuple[Source, ...],
    shelf: Path,
    workers: int = 1,
    tell: Callable[[int], None] | None = None,
) -> Mix:
    """Open sources; pools that are not whole are made first.

    Parameters
    ----------
    settings : TrainSettings
        What samples must be like.
    sources : tuple of Source
        Where they come from.
    shelf : Path
        Folder that is there as long as samples are drawn: users' cases lie there as training needs them.
    workers : int
        Processes that make a pool.
    tell : callable, optional
        Hears of patients of a pool that had to be made first.

    Returns
    -------
    Mix

    Raises
    ------
    InputError
        A source holds nothing that can be learned from.
    """
    made = tuple(_opened(source, settings, shelf / str(n), workers, tell) for n, source in enumerate(sources))
    return Mix(made, tuple(s.weight for s in sources))


def _opened(
    source: Source, settings: TrainSettings, shelf: Path, workers: int, tell: Callable[[int], None] | None
) -> Drawer:
    if source.kind != "pool":
        read = read_cases(source.path, settings.sequences, settings.spacing_mm, source.scheme)
        return CaseDrawer(tuple(_shelved(read, shelf)), drawing(settings))
    if source.plan is not None:
        write_pool(source.plan, source.path, workers, tell)
    folders = tuple(specimens(source.path))
    spacing = Specimen.read(folders[0]).spacing_mm
    if abs(spacing - settings.spacing_mm) > 1e-6:
        got = f"one of {spacing:g} mm"
        raise InputError(f"a pool of {settings.spacing_mm:g} mm voxels", got=got, where="sources")
    if settings.task == "brain":
        return HeadDrawer(folders, HeadDrawing(settings.shape))
    drawer = PoolDrawer(folders, drawing(settings))
    return LesionDrawer(drawer) if settings.task == "detect" else drawer


def _shelved(cases: Iterable[Case], shelf: Path) -> Iterator[Path]:
    """Lay cases on the shelf as they are read, and yield where."""
    for n, case in enumerate(cases):
        case.write(shelf / str(n))
        yield shelf / str(n)


BRIGHT = Spread(fainter=0.3)
"""Metastases take up more than gliomas do: what is as faint as the faintest glioma teaches to guess."""


def drawing(settings: TrainSettings) -> Drawing:
    """Return how samples are drawn under settings."""
    shared = {name: getattr(settings, name) for name in ("shape", "sequences", "on_tumour", "whole", "aside")}
    plain = Drawing(**shared)
    if settings.task != "detect":
        return plain
    return replace(plain, by_lesion=True, spread=BRIGHT, always=(Sequence.T1C,))
