"""Voxels of several maps clustered over patients, and how much of a tumour lies in each cluster.

Why it exists: a hotspot that is high in blood volume *and* low in diffusion is lost in two separate histograms. Which
clusters there are is learned, so it is learned from training patients alone.

Source: Park JE et al., Radiology 2015;275:792-802 (F4: volume-weighted voxel-based multiparametric clustering).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Self

import numpy as np
from pydantic import Field

from tumorboard.lab.represent.base import Job, Learned, Material
from tumorboard.lab.represent.cache import Made
from tumorboard.lab.represent.histogram import reference
from tumorboard.lab.represent.learned import Scaler, pooled, thinned
from tumorboard.lab.represent.rows import ImageSettings, OfImages
from tumorboard.lab.scene import Scene
from tumorboard.lab.table import Floats


class ClustersSet(ImageSettings):
    """Settings of :class:`Clusters`.

    Parameters
    ----------
    count : int
        Clusters.
    relative_to : str
        As for histograms.
    most : int
        Voxels of one patient that clusters are learned from.
    volumes : bool
        Volumes in mL beside shares.
    """

    count: int = Field(default=4, ge=2, le=50)
    relative_to: str = Field(default="none", pattern="^(none|contralateral|healthy|brain)$")
    most: int = Field(default=2000, ge=10)
    volumes: bool = True


class Clusters(OfImages[ClustersSet]):
    """Share and volume of a region in each cluster of its voxels: ``cluster1.share``."""

    name = "clusters"
    title = "volume-weighted clusters of voxels over several maps"
    source = "Park JE et al., Radiology 2015;275:792-802"
    settings = ClustersSet
    learns = True

    def one(self, scene: Scene, job: Job[ClustersSet]) -> Made:
        """Return the voxels of one unit: one channel for each sequence, then the volume that each stands for."""
        how = job.settings
        mask = np.zeros(scene.grid.shape, dtype=np.bool_)
        for _, found in scene.masks(job.regions):
            mask |= found
        channels = []
        for sequence in job.sequences:
            by = partial(reference, scene, sequence, how.relative_to)
            image = scene.attempt(sequence.value, partial(scene.image, sequence))
            divisor = scene.attempt(f"{sequence.value} reference", by)
            if image is not None and divisor is not None:
                channels.append(image.data[mask] / divisor)
        if len(channels) < len(job.sequences) or not mask.any():
            return Made(gaps={"cluster": "a map or the region is missing"})
        items = np.stack(channels, axis=1)
        items = items[np.isfinite(items).all(axis=1)]
        kept = thinned(items, 20 * how.most)
        volume = np.full((len(kept), 1), scene.grid.voxel_volume_ml * len(items) / max(len(kept), 1))
        return Made(material=np.hstack([kept, volume]).astype(np.float32))

    def learner(self, job: Job[ClustersSet]) -> Learned:
        """Return what makes clusterers."""
        how = job.settings
        return Learned((), partial(VoxelClusters, count=how.count, most=how.most, volumes=how.volumes))


class VoxelClusters:
    """k-means of the voxels of training units; see :class:`~tumorboard.lab.represent.base.FoldTransformer`.

    Parameters
    ----------
    seed : int
        Of the first centres.
    count, most, volumes
        As of :class:`ClustersSet`.

    Examples
    --------
    >>> low, high = np.c_[np.zeros((9, 1)), np.ones((9, 1))], np.c_[np.full((3, 1), 5.0), np.ones((3, 1))]
    >>> step = VoxelClusters(0, count=2).fit([low, high])
    >>> step.names, step.transform([np.vstack([low, high]), None]).tolist()
    (('cluster1.share', 'cluster2.share', 'cluster1.ml', 'cluster2.ml'), [[0.75, 0.25, 9.0, 3.0], [nan, nan, nan, nan]])
    """

    def __init__(self, seed: int, count: int = 4, most: int = 2000, volumes: bool = True) -> None:
        self.seed, self.count, self.most, self.volumes = seed, count, most, volumes
        numbers = range(1, count + 1)
        self.names = tuple(f"cluster{n}.share" for n in numbers)
        self.names += tuple(f"cluster{n}.ml" for n in numbers) if volumes else ()

    def fit(self, material: Sequence[Material | None]) -> Self:
        """Learn centres; clusters are numbered by their mean over channels, so that numbers mean the same twice.

        Raises
        ------
        InputError
            Fewer voxels than clusters.
        """
        from sklearn.cluster import KMeans

        items = pooled(material, self.count, "clusters", self.most)[:, :-1]
        self.scale = Scaler.of(items)
        found = KMeans(self.count, n_init=4, random_state=self.seed).fit(self.scale(items)).cluster_centers_
        self.centres = found[np.lexsort(found.T[::-1])]
        return self

    def transform(self, material: Sequence[Material | None]) -> Floats:
        """Return shares of voxels, and volumes in mL, by cluster."""
        return np.array([self._row(m) for m in material], dtype=np.float64).reshape(len(material), len(self.names))

    def _row(self, items: Material | None) -> Floats:
        if items is None or not len(items):
            return np.full(len(self.names), np.nan)
        away = ((self.scale(items[:, :-1])[:, None] - self.centres[None]) ** 2).sum(axis=2)
        counts = np.bincount(away.argmin(axis=1), minlength=self.count)
        shares = counts / len(items)
        volumes = counts * float(items[0, -1]) if self.volumes else np.zeros(0)
        return np.concatenate([shares, volumes])
