"""Crops of images around a region, for networks that learn from end to end.

Why it exists: which voxels a network sees follows from the unit alone; what it learns from them is learned inside the
folds, by the learner ``network``. Channels stand in one order, whatever a patient lacks.

Sources: Chang K et al., Clin Cancer Res 2018;24:1073-1081 (D2); curves: Choi KS et al., Neuro Oncol 2019;21:1197-1209
(D19).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.cohort import NotThere
from tumorboard.lab.nets.crops import Cut, cut_out
from tumorboard.lab.nets.images import MASK, Images
from tumorboard.lab.represent.base import Job, Learned, Material
from tumorboard.lab.represent.cache import Made
from tumorboard.lab.represent.curves import Curves, CurvesSet
from tumorboard.lab.represent.rows import ImageSettings, OfImages
from tumorboard.lab.scene import Scene
from tumorboard.lab.table import Floats
from tumorboard.sequences import USED
from tumorboard.sequences import Sequence as Kind

Float = NDArray[np.float32]

HIGHEST = 5.0
"""Values are cut off here, in robust standard deviations of brain."""

_INSIDE = 0.5
"""Of a voxel of a crop, from where on it belongs to the region."""


class NetworkImages(ImageSettings, Cut):
    """Settings of :class:`Network`: those of :class:`tumorboard.lab.nets.crops.Cut`, and which study."""


class Network(OfImages[NetworkImages]):
    """Images around the first region that a unit has; no column of their own."""

    name = "network"
    title = "crops of images, read by a network from end to end"
    source = "Chang K et al., Clin Cancer Res 2018;24:1073-1081"
    version = "2"
    settings = NetworkImages

    def one(self, scene: Scene, job: Job[NetworkImages]) -> Made:
        """Return the crop of one unit."""
        if job.settings.view == "curve":
            return Made(material=_curves(scene, job))
        region = next((mask for _, mask in scene.masks(job.regions)), None)
        if region is None:
            raise NotThere(f"no {' or '.join(job.regions)} to cut out")
        images = [scene.attempt(s.value, partial(_normal, scene, s)) for s in job.sequences]
        if all(image is None for image in images):
            raise NotThere(f"no {', '.join(s.value for s in job.sequences)}")
        layers = [np.zeros(scene.grid.shape, np.float32) if image is None else image for image in images]
        layers.append(region.astype(np.float32))  # last: whoever explains a network asks where the region lies
        return Made(material=cut_out(np.stack(layers), region, scene.grid.spacing_mm, job.settings))

    def learner(self, job: Job[NetworkImages]) -> Learned:
        """Return what hands crops over; it learns nothing by itself."""
        names = tuple(s.value for s in job.sequences)
        how = job.settings
        if how.view == "curve":
            names = tuple(f"{s}.{r}" for s in names for r in job.regions)
        elif how.mask:
            names = (*names, MASK)
        return Learned((), partial(HandedOver, channels=names, view=how.view, marked=how.view != "curve"))


class HandedOver:
    """Material of rows as :class:`Images`; it has no column, and learns nothing.

    Parameters
    ----------
    seed : int
        Not used.
    channels : tuple of str
        Of the crops.
    view : str
        Of the crops.
    marked : bool
        Whether each crop ends with a layer of the region itself. A network sees it only where ``mask`` is a channel.

    Examples
    --------
    >>> step = HandedOver(0, ("T1C",), "cube", marked=True).fit([])
    >>> crop = np.ones((2, 8, 8, 8), np.float32)
    >>> step.transform([crop, None]).shape, step.images([crop, None], ("A", "B")).shape, step.regions([crop])[0].shape
    ((2, 0), (1, 8, 8, 8), (8, 8, 8))
    """

    names: tuple[str, ...] = ()

    def __init__(self, seed: int, channels: tuple[str, ...], view: str = "cube", marked: bool = False) -> None:
        self.channels, self.view, self.marked = tuple(channels), view, marked

    def fit(self, material: Sequence[Material | None]) -> Self:
        """Learn nothing."""
        return self

    def transform(self, material: Sequence[Material | None]) -> Floats:
        """Return no column, shape (units, 0)."""
        return np.empty((len(material), 0))

    def images(self, material: Sequence[Material | None], patients: Sequence[str]) -> Images:
        """Return crops of rows for a learner that takes images.

        Raises
        ------
        InputError
            No row has any.
        """
        if self.marked and MASK not in self.channels:
            material = [None if m is None else np.delete(m, -1, self._axis) for m in material]
        return Images.of(material, self.channels, self.view, patients)

    def regions(self, material: Sequence[Material | None]) -> list[NDArray[np.bool_] | None]:
        """Return the region in each crop, shape (i, j, k) or (slices, i, j); None where it is not known."""
        if not self.marked:
            return [None] * len(material)
        return [None if m is None else np.take(m, -1, self._axis) > _INSIDE for m in material]

    @property
    def _axis(self) -> int:
        return 1 if self.view in ("slices", "planes") else 0


def _normal(scene: Scene, sequence: Kind) -> Float:
    """Return an image with median 0 and robust deviation 1 in the brain, 0 outside; the four are scaled already."""
    data = np.nan_to_num(scene.image(sequence).data.astype(np.float32))
    if sequence not in USED:
        low, median, high = (float(v) for v in np.percentile(data[scene.brain], (25, 50, 75)))
        if not high > low:
            raise NotThere(f"no contrast in {sequence.value}")
        data = (data - np.float32(median)) * np.float32(1.349 / (high - low))
    return np.asarray(np.clip(data, -HIGHEST, HIGHEST) * scene.brain, dtype=np.float32)


def _curves(scene: Scene, job: Job[NetworkImages]) -> Float:
    """Return curves from the arrival of the bolus on, shape (sequences × regions, side); a missing one is 0."""
    how = CurvesSet(study=job.settings.study, points=job.settings.side)
    asked = Job(job.cohort, job.units, job.sequences, job.regions, how)
    values = Curves().one(scene, asked).values
    rows = [_curve(values, f"{s.value}.{r}", job.settings.side) for s in job.sequences for r in job.regions]
    out = np.stack(rows)
    if not out.any():
        raise NotThere("no curve")
    return out


def _curve(values: Mapping[str, float], name: str, points: int) -> Float:
    height = values.get(f"{name}.height", 0.0)
    shape = np.array([values.get(f"{name}.p{n + 1:02d}", 0.0) for n in range(points)])
    return np.asarray(np.nan_to_num(shape * (height if np.isfinite(height) else 1.0)), dtype=np.float32)
