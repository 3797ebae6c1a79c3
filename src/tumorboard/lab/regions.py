"""Regions of a unit by name: where a representation looks.

Why it exists: papers differ in little else than where they looked. Every region is one line here; an empty one is
missing, with its reason, and never 0.

Names with numbers: ``ring_5-10mm``, ``box_10mm`` (margin), ``biopsy_4mm`` (radius); without them the defaults below.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError, did_you_mean
from tumorboard.lab.cohort import NotThere
from tumorboard.lab.scene import Scene
from tumorboard.sequences import Sequence
from tumorboard.volume import Volume, box_around

Mask = NDArray[np.bool_]

RING_MM = (0.0, 10.0)
"""Where the ring begins and ends, from the core's edge; chosen (see radiomics/rings.py)."""

BOX_MARGIN_MM = 5.0
BIOPSY_MM = 4.0
"""Room around the tumour's box; radius of what a needle's place stands for (chosen, near the 8 mm of Hu 2017)."""

UPTAKE = {Sequence.PET_FET: 1.6, Sequence.PET_MET: 1.3}
"""Ratio to healthy brain above which uptake is tumour: Pauleit D et al., Brain 2005;128:678-687 (FET); Kracht LW et
al., Clin Cancer Res 2004;10:7163-7170 (MET)."""

AWAY_MM = 10.0
"""Healthy brain keeps this distance from the tumour; chosen."""


@dataclass(frozen=True)
class Region:
    """One region.

    Parameters
    ----------
    says : str
        What it is.
    make : callable
        From a scene and the numbers in its name (empty for the defaults) to a mask.
    numbers : int
        How many numbers its name may carry.
    """

    says: str
    make: Callable[[Scene, tuple[float, ...]], Mask]
    numbers: int = 0


def region(scene: Scene, name: str) -> Mask:
    """Return a region of a unit on its study's grid, shape (i, j, k).

    Parameters
    ----------
    scene : Scene
        The unit.
    name : str
        Of :data:`REGIONS`, with numbers where it takes them.

    Raises
    ------
    InputError
        There is none of that name; the nearest is proposed.
    NotThere
        It is empty in this unit, or cannot be looked for.
    """
    known, numbers = parse_region(name)
    found = known.make(scene, numbers)
    if not found.any():
        raise NotThere(f"no {name} in this study")
    return found


def parse_region(name: str) -> tuple[Region, tuple[float, ...]]:
    """Return a region and the numbers in its name, mm.

    Raises
    ------
    InputError
        There is none of that name, or it takes other numbers.

    Examples
    --------
    >>> parse_region("ring_5-10mm")[1]
    (5.0, 10.0)
    >>> parse_region("rings")
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: region: expected one of ET, TC, ...; got 'rings'. What to do: did you mean 'ring'?
    """
    plain, told = name, ""
    fits = re.fullmatch(r"([a-zA-Z]+)_(\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)?)mm", name)
    if fits:
        plain, told = fits[1], fits[2]
    if plain not in REGIONS:
        remedy = did_you_mean(plain, REGIONS)
        raise InputError(f"one of {', '.join(REGIONS)}", got=repr(name), where="region", remedy=remedy)
    numbers = tuple(float(n) for n in told.split("-")) if told else ()
    if numbers and len(numbers) != REGIONS[plain].numbers:
        examples = "ring_5-10mm, box_10mm, biopsy_4mm"
        raise InputError(f"numbers as in {examples}", got=repr(name), where="region", remedy="leave them out")
    if len(numbers) == 2 and not numbers[0] < numbers[1]:
        raise InputError("a ring that ends beyond where it begins", got=repr(name), where="region")
    return REGIONS[plain], numbers


# --- how each is made -----------------------------------------------------------------------------------------


def _labelled(name: str) -> Callable[[Scene, tuple[float, ...]], Mask]:
    return lambda scene, _: np.asarray(scene.labels.region(name) & scene.own)


def _core(scene: Scene) -> Mask:
    """Return the core, the whole tumour where there is none, of a lesion what was outlined as such."""
    if scene.number is not None:
        return scene.lesion
    core = scene.labels.region("TC")
    return core if core.any() else scene.labels.region("WT")


def _ring(scene: Scene, numbers: tuple[float, ...]) -> Mask:
    from tumorboard.radiomics.rings import rings

    core, edges = _core(scene), numbers or RING_MM
    if not core.any():
        raise NotThere("no tumour to lay a ring around")
    others = scene.loaded.lesions > 0 if scene.number is not None else np.zeros_like(core)
    allowed = Volume((scene.brain & ~(others & ~core)).astype(np.uint8), scene.grid)
    made = rings(Volume(core.astype(np.uint8), scene.grid), allowed, edges_mm=edges)
    return np.asarray(next(iter(made.values())).data > 0)


def _box(scene: Scene, numbers: tuple[float, ...]) -> Mask:
    whole = scene.lesion if scene.number is not None else scene.labels.region("WT")
    around = box_around(whole)
    if around is None:
        raise NotThere("no tumour to lay a box around")
    margin = numbers[0] if numbers else BOX_MARGIN_MM
    steps = [math.ceil(margin / s - 1e-9) for s in scene.grid.spacing_mm]
    out = np.zeros(scene.grid.shape, dtype=np.bool_)
    out[tuple(slice(max(b.start - n, 0), b.stop + n) for b, n in zip(around, steps, strict=True))] = True
    return out


def _biopsy(scene: Scene, numbers: tuple[float, ...]) -> Mask:
    place = scene.grid.to_voxel(scene.cohort.biopsy_mm(scene.unit))[0]
    if (place < -0.5).any() or (place > np.array(scene.grid.shape) - 0.5).any():
        raise NotThere("the biopsy lies outside the images")
    radius = numbers[0] if numbers else BIOPSY_MM
    away = [
        ((np.arange(n) - p) * s) ** 2 for n, p, s in zip(scene.grid.shape, place, scene.grid.spacing_mm, strict=True)
    ]
    out = np.asarray(away[0][:, None, None] + away[1][None, :, None] + away[2][None, None, :] <= radius**2)
    i, j, k = (int(c) for c in np.clip(np.rint(place), 0, np.array(scene.grid.shape) - 1))
    out[i, j, k] = True  # voxels may be larger than the ball
    return out


def _healthy(scene: Scene, _: tuple[float, ...]) -> Mask:
    from tumorboard.segment.space import distance_to

    tumour = scene.labels.data > 0
    if not tumour.any():
        return scene.brain
    return np.asarray(scene.brain & (distance_to(tumour, scene.grid.spacing_mm) > AWAY_MM))


def _contralateral(scene: Scene, _: tuple[float, ...]) -> Mask:
    from tumorboard.transform import warp_to_grid

    whole = scene.lesion if scene.number is not None else scene.labels.region("WT")
    if not whole.any():
        raise NotThere("no tumour that has an other side")
    matrix = scene.frame.midplane.mirror_matrix()
    mirrored = warp_to_grid(whole.astype(np.float32), scene.grid.spacing_mm, matrix, scene.grid, order=0) > 0.5
    return np.asarray(mirrored & scene.brain & (scene.labels.data == 0))


def _uptake(scene: Scene, _: tuple[float, ...]) -> Mask:
    for sequence, ratio in UPTAKE.items():
        if scene.loaded.has(sequence):
            image = scene.image(sequence).data
            return np.asarray(scene.brain & (image > ratio * np.median(image[scene.region("healthy")])))
    raise NotThere(f"no {' or '.join(UPTAKE)}")


REGIONS: dict[str, Region] = {
    "ET": Region("enhancing tumour", _labelled("ET")),
    "TC": Region("tumour core: enhancing, necrotic and non-enhancing", _labelled("TC")),
    "WT": Region("whole tumour with oedema and infiltration", _labelled("WT")),
    "NETC": Region("necrosis and non-enhancing core", _labelled("NETC")),
    "SNFH": Region("oedema and infiltration", _labelled("SNFH")),
    "RC": Region("resection cavity", _labelled("RC")),
    "ring": Region("brain around the core (0-10 mm)", _ring, numbers=2),
    "brain": Region("whole brain", lambda scene, _: scene.brain),
    "healthy": Region("brain more than 10 mm from the tumour", _healthy),
    "contralateral": Region("mirror image of the tumour, without tumour", _contralateral),
    "lesion": Region("the lesion; of a patient, all of them", lambda scene, _: scene.lesion),
    "biopsy": Region("ball around a biopsy (4 mm)", _biopsy, numbers=1),
    "box": Region("box around the tumour (5 mm wider)", _box, numbers=1),
    "uptake": Region("uptake of an amino acid above the threshold of tumour", _uptake),
    "none": Region("everything in the image", lambda scene, _: np.ones(scene.grid.shape, dtype=np.bool_)),
}
"""Every region by name: one line enrols another."""
