"""Volume and shape of regions.

Why it exists: a volume and a few ratios are the baseline that every model of hundreds of features has to beat.

Source: volumes and shape as in the standard (arXiv:1612.07003, chapter 3.1).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.represent.base import Job
from tumorboard.lab.represent.cache import Made
from tumorboard.lab.represent.radiomics import without_intensity
from tumorboard.lab.represent.rows import ImageSettings, OfImages
from tumorboard.lab.scene import Scene
from tumorboard.volume import Volume, box_around


class ShapeSet(ImageSettings):
    """Settings of :class:`Shape`.

    Parameters
    ----------
    full : bool
        All of the standard's shape features beside volume and diameter.
    """

    full: bool = True


class Shape(OfImages[ShapeSet]):
    """Volume in mL, largest extent in mm, number of lesions, and shape, by region."""

    name = "shape"
    title = "volume and shape of regions"
    source = "Zwanenburg A et al., Radiology 2020;295:328-338, chapter 3.1 of the manual"
    settings = ShapeSet
    needs = ("regions",)

    def one(self, scene: Scene, job: Job[ShapeSet]) -> Made:
        """Return the shape of one unit's regions."""
        out: dict[str, float] = {}
        for name in job.regions:
            mask = scene.attempt(name, partial(scene.region, name))
            if mask is None:
                continue
            out[f"shape.{name}.volume_ml"] = float(mask.sum()) * scene.grid.voxel_volume_ml
            out[f"shape.{name}.extent_mm"] = extent_mm(mask, scene.grid.spacing_mm)
            if job.settings.full:
                out |= scene.attempt(f"{name}.shape", partial(_morphology, scene, mask, name)) or {}
        if scene.number is None:
            count = scene.attempt("lesions", lambda: float(np.count_nonzero(np.unique(scene.loaded.lesions))))
            out |= {} if count is None else {"shape.lesions": count}
        return Made(out)


def extent_mm(mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> float:
    """Return the longest side of a mask's box in mm, outer edge to outer edge.

    Examples
    --------
    >>> mask = np.zeros((6, 6, 6), bool); mask[1:5, 2, 2] = True
    >>> extent_mm(mask, (2.0, 2.0, 2.0))
    8.0
    """
    box = box_around(mask)
    return 0.0 if box is None else max((b.stop - b.start) * s for b, s in zip(box, spacing_mm, strict=True))


def _morphology(scene: Scene, mask: NDArray[np.bool_], name: str) -> dict[str, float]:
    from tumorboard.radiomics.extract import extract
    from tumorboard.radiomics.settings import RadiomicsSettings

    region = Volume(mask.astype(np.uint8), scene.grid)
    found = extract(region, region, RadiomicsSettings(families=("morphology",))).values
    return {f"shape.{name}.{n.split('.', 1)[1]}": v for n, v in without_intensity(found).items()}
