"""Patches as sums of few learned atoms, pooled over a region and over studies.

Why it exists: without an outline of every compartment, what a treated tumour looks like over time can still be told in
words that are learned; the dictionary is learned from training patients alone.

Source: Qian X et al., Med Phys 2016;43:5889-5902 (F5: dictionary learning on longitudinal DTI, with pooling).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tumorboard.lab.cohort import NotThere
from tumorboard.lab.represent.base import Job, Learned, Material
from tumorboard.lab.represent.cache import Made
from tumorboard.lab.represent.learned import Scaler, pooled, thinned
from tumorboard.lab.represent.pursuit import pursue
from tumorboard.lab.represent.rows import ImageSettings, OfImages
from tumorboard.lab.scene import Scene
from tumorboard.lab.table import Floats, Unit


class DictionarySet(ImageSettings):
    """Settings of :class:`Dictionary`.

    Parameters
    ----------
    atoms : int
        Of the dictionary.
    side : int
        Of a cubic patch, voxels; odd.
    most : int
        Patches of one study, evenly spread over the region.
    nonzero : int
        Atoms that one patch may use.
    over_time : bool
        All studies of the patient up to the unit's, else that one.
    """

    atoms: int = Field(default=16, ge=2, le=512)
    side: int = Field(default=3, ge=1, le=9)
    most: int = Field(default=400, ge=10)
    nonzero: int = Field(default=3, ge=1)
    over_time: bool = False


class Dictionary(OfImages[DictionarySet]):
    """How much of each atom the patches of a region hold, mean and largest: ``atom03.mean``."""

    name = "dictionary"
    title = "learned dictionary of patches, pooled over region and time"
    source = "Qian X et al., Med Phys 2016;43:5889-5902"
    settings = DictionarySet
    learns = True

    def studies(self, unit: Unit, job: Job[DictionarySet]) -> tuple[str, ...]:
        """Return the unit's study, then the earlier ones where they count.

        Raises
        ------
        NotThere
            There is none.
        """
        ids = list(job.cohort.visits(unit.patient))
        own = job.cohort.study_of(unit, job.settings.study)
        return (own, *ids[: ids.index(own)]) if job.settings.over_time else (own,)

    def one(self, scene: Scene, job: Job[DictionarySet]) -> Made:
        """Return the patches of one unit, shape (patches, sequences × side³)."""
        parts = []
        for n, study in enumerate(self.studies(scene.unit, job)):
            seen = scene if n == 0 else Scene.of(job.cohort, Unit(scene.unit.patient, study, scene.unit.lesion))
            try:
                parts.append(_patches(seen, job))
            except NotThere as error:
                scene.gaps[f"patches of study {n + 1}"] = error.why
        if not parts:
            return Made(gaps={"atom": "no patches"})
        return Made(material=np.concatenate(parts).astype(np.float32))

    def learner(self, job: Job[DictionarySet]) -> Learned:
        """Return what makes dictionaries."""
        how = job.settings
        return Learned((), partial(PatchDictionary, atoms=how.atoms, most=how.most, nonzero=how.nonzero))


class PatchDictionary:
    """A dictionary of the patches of training units; see :class:`~tumorboard.lab.represent.base.FoldTransformer`.

    Parameters
    ----------
    seed : int
        Of the first atoms.
    atoms, most, nonzero
        As of :class:`DictionarySet`.

    Examples
    --------
    >>> patches = np.random.default_rng(0).normal(size=(40, 8))
    >>> step = PatchDictionary(0, atoms=4).fit([patches[:20], patches[20:]])
    >>> step.transform([patches, None]).shape, step.names[0]
    ((2, 8), 'atom01.mean')
    """

    def __init__(self, seed: int, atoms: int = 16, most: int = 400, nonzero: int = 3) -> None:
        self.seed, self.atoms, self.most, self.nonzero = seed, atoms, most, nonzero
        every = range(1, atoms + 1)
        self.names = tuple(f"atom{n:02d}.{pool}" for pool in ("mean", "max") for n in every)

    def fit(self, material: Sequence[Material | None]) -> Self:
        """Learn atoms.

        Raises
        ------
        InputError
            Fewer patches than atoms.
        """
        from sklearn.decomposition import MiniBatchDictionaryLearning

        items = pooled(material, self.atoms, "dictionary", self.most)
        self.scale = Scaler.of(items)
        model = MiniBatchDictionaryLearning(
            n_components=self.atoms,
            max_iter=20,
            batch_size=256,
            fit_algorithm="cd",
            random_state=self.seed,
        )
        with _calm():
            self.model = model.fit(self.scale(items))
        return self

    def transform(self, material: Sequence[Material | None]) -> Floats:
        """Return the mean and largest size of each atom's coefficient over a unit's patches."""
        return np.array([self._row(m) for m in material], dtype=np.float64).reshape(len(material), len(self.names))

    def _row(self, patches: Material | None) -> Floats:
        if patches is None or not len(patches):
            return np.full(len(self.names), np.nan)
        codes = np.abs(pursue(self.scale(patches), self.model.components_, min(self.nonzero, self.atoms)))
        return np.concatenate([codes.mean(axis=0), codes.max(axis=0)])


@contextmanager
def _calm() -> Iterator[None]:
    """Keep scikit-learn quiet: codes within a fit need not be exact."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def _patches(scene: Scene, job: Job[DictionarySet]) -> NDArray[np.float64]:
    """Return the patches around voxels of a region.

    Raises
    ------
    NotThere
        A map or the region is missing.
    """
    half = job.settings.side // 2
    mask = np.zeros(scene.grid.shape, dtype=np.bool_)
    for _, found in scene.masks(job.regions):
        mask |= found
    if not mask.any():
        raise NotThere("none of the regions is there")
    places = thinned(np.argwhere(mask), job.settings.most)
    steps = np.stack(np.meshgrid(*[np.arange(-half, half + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    at = np.clip(places[:, None] + steps[None], 0, np.array(scene.grid.shape) - 1)
    images = [scene.image(s).data for s in job.sequences]
    taken = np.concatenate([np.asarray(d[tuple(at.transpose(2, 0, 1))], dtype=np.float64) for d in images], axis=1)
    kept: NDArray[np.float64] = taken[np.isfinite(taken).all(axis=1)]
    return kept
