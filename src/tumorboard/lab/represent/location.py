"""Where a lesion lies: place in the atlas, side, lobe, distances.

Why it exists: IDH-mutant gliomas are frontal, and TERT-mutant ones are not; a place costs nothing to measure.

Source: Arita H et al., Sci Rep 2018;8:11773 (D17: radiomics with location, IDH and TERT). Places are coarse, from an
affine alignment of the brain's outline (see :mod:`tumorboard.measure.place`).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from tumorboard.atlas.lobes import Lobe
from tumorboard.lab.represent.base import Job
from tumorboard.lab.represent.cache import Made
from tumorboard.lab.represent.rows import ImageSettings, OfImages
from tumorboard.lab.scene import Mask, Scene
from tumorboard.measure.place import (
    centroid_mni_mm,
    depth_to_cortex_mm,
    depth_to_ventricles_mm,
    lobe,
    sides,
)
from tumorboard.segment.space import depth_in


class LocationSet(ImageSettings):
    """Settings of :class:`Location`.

    Parameters
    ----------
    lobes : bool
        One column for each lobe of the centre beside coordinates.
    """

    lobes: bool = True


class Location(OfImages[LocationSet]):
    """Centre in MNI mm, share on the right, lobe, distances to cortex, ventricles and the brain's centre."""

    name = "location"
    title = "place in the atlas, side, lobe, and distances"
    source = "Arita H et al., Sci Rep 2018;8:11773"
    settings = LocationSet
    needs = ("regions",)

    def one(self, scene: Scene, job: Job[LocationSet]) -> Made:
        """Return the place of one unit's regions."""
        out: dict[str, float] = {}
        for name, mask in scene.masks(job.regions):
            found = scene.attempt(f"location.{name}", partial(place, scene, mask, job.settings.lobes))
            out |= {f"location.{name}.{n}": v for n, v in (found or {}).items()}
        return Made(out)


def place(scene: Scene, mask: Mask, lobes: bool = True) -> dict[str, float]:
    """Return where a region of a unit lies.

    Parameters
    ----------
    scene : Scene
        The unit.
    mask : ndarray of bool, shape (i, j, k)
        Holds a voxel.
    lobes : bool
        Whether the lobe of its centre is told, as one column each.

    Returns
    -------
    dict of str to float
        ``mni_x``, ``mni_y``, ``mni_z``, ``off_midline`` and distances in mm; shares from 0 to 1.
    """
    grid, frame = scene.grid, scene.frame
    lies = sides(mask, grid, frame)
    x, y, z = centroid_mni_mm(mask, grid, frame)
    centre = frame.mni_mm(grid, np.argwhere(scene.brain).mean(axis=0))[0]
    out = {
        **{"mni_x": x, "mni_y": y, "mni_z": z, "off_midline_mm": abs(x)},
        **{"right_share": lies.right / 100.0, "crosses_midline": float(lies.crosses)},
        "to_centre_mm": float(np.linalg.norm(np.array([x, y, z]) - centre)),
        "to_cortex_mm": depth_to_cortex_mm(mask, depth_in(scene.brain, grid.spacing_mm)),
        "to_ventricles_mm": depth_to_ventricles_mm(mask, grid, frame),
    }
    if lobes:
        own = lobe(mask, grid, frame).lobe
        out |= {f"lobe={known.value}": float(known is own) for known in Lobe}
    return out
