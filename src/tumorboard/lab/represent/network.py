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


class NetworkImages(ImageSettings, Cut):
    """Settings of :class:`Network`: those of :class:`tumorboard.lab.nets.crops.Cut`, and which study."""


class Network(OfImages[NetworkImages]):
    """Images around the first region that a unit has; no column of their own."""

    name = "network"
    title = "crops of images, read by a network from end to end"
    source = "Chang K et al., Clin Cancer Res 2018;24:1073-1081"
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
        if job.settings.mask:
            layers.append(region.astype(np.float32))
        return Made(material=cut_out(np.stack(layers), region, scene.grid.spacing_mm, job.settings))

    def learner(self, job: Job[NetworkImages]) -> Learned:
        """Return what hands crops over; it learns nothing by itself."""
        names = tuple(s.value for s in job.sequences)
        how = job.settings
        if how.view == "curve":
            names = tuple(f"{s}.{r}" for s in names for r in job.regions)
        elif how.mask:
            names = (*names, MASK)
        return Learned((), partial(HandedOver, channels=names, view=how.view))


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

    Examples
    --------
    >>> step = HandedOver(0, ("T1C",), "cube").fit([])
    >>> crop = np.ones((1, 8, 8, 8), np.float32)
    >>> step.transform([crop, None]).shape, len(step.images([crop, None], ("A", "B")))
    ((2, 0), 2)
    """

    names: tuple[str, ...] = ()

    def __init__(self, seed: int, channels: tuple[str, ...], view: str = "cube") -> None:
        self.channels, self.view = tuple(channels), view

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
        return Images.of(material, self.channels, self.view, patients)


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
