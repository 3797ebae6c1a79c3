"""The images of one study of a cohort, ready to be computed on.

Why it exists: every representation works on the same grid, in the same orientation, on intensities of one scale. Images
of a run are ready; skull-stripped and co-registered ones are scaled here; whole heads are for ``tumorboard run``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import FileFormatError, GeometryError, InputError
from tumorboard.lab.cohort.places import SERIES, Visit
from tumorboard.labels import LabelMap
from tumorboard.sequences import REFERENCE_ORDER, TAKEN, Sequence
from tumorboard.study import Study
from tumorboard.transform import Frame, resample
from tumorboard.volume import Grid, Volume

Mask = NDArray[np.bool_]


class NotThere(InputError):
    """Something that a unit lacks; its value is missing and the reason is told."""

    def __init__(self, why: str) -> None:
        super().__init__("something that this study has", got=why)
        self.why = why


@dataclass(frozen=True)
class Series:
    """Images over time or b-values.

    Parameters
    ----------
    data : ndarray of float32, shape (i, j, k, t)
        Values.
    grid : Grid
        Of the first three axes, canonical (RAS mm).
    step_s : float
        Between two points, s; NaN where the axis is none of time.
    axis : tuple of float
        b-values in s/mm², where they are known.
    directions : ndarray, shape (t, 3)
        Of gradients; empty where unknown.
    """

    data: NDArray[np.float32]
    grid: Grid
    step_s: float
    axis: tuple[float, ...] = ()
    directions: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Loaded:
    """One study, read as it is asked for.

    Parameters
    ----------
    visit : Visit
        Where it lies.
    """

    visit: Visit

    @cached_property
    def study(self) -> Study:
        """Images that tumours are outlined on, with the brain mask; median 0 and spread 1 in the brain.

        Raises
        ------
        NotThere
            There are none.
        InputError
            They are whole heads, or cannot be read.
        """
        visit = self.visit
        names = [s for s in TAKEN if s in visit.images]
        if not any(s in names for s in REFERENCE_ORDER):
            raise NotThere("no T1, T1C, T2 or FLAIR")
        volumes = {s: _read(visit.images[s], s.value) for s in names}
        return _of_run(visit, volumes) if visit.prepared is not None else _scaled(visit, volumes)

    @cached_property
    def frame(self) -> Frame:
        """Mid-plane, and the way to ICBM152 from the brain's outline."""
        if self.study.frame is not None:
            return self.study.frame
        from tumorboard.prepare.midplane import find_midplane
        from tumorboard.prepare.prepare import SYMMETRY_ORDER
        from tumorboard.prepare.to_atlas import align_to_mni

        study = self.study
        shown = next(s for s in SYMMETRY_ORDER if s in study.volumes)
        midplane = find_midplane(study.volumes[shown].data, study.brain, study.grid)
        return Frame(midplane, align_to_mni(study.brain, study.grid, midplane))

    @cached_property
    def labels(self) -> LabelMap:
        """Label map on the study's grid.

        Raises
        ------
        NotThere
            There is none.
        GeometryError
            It lies on another grid.
        """
        if self.visit.labels is None:
            raise NotThere("no outline of the tumour")
        found = _read(self.visit.labels, "labels")
        return LabelMap.from_scheme(self._on_grid(found, "the outline"), self.visit.scheme)

    @cached_property
    def lesions(self) -> NDArray[np.int64]:
        """Lesions by number on the study's grid: of the file, else those of the label map, largest first."""
        if self.visit.lesions is not None:
            return np.asarray(self._on_grid(_read(self.visit.lesions, "lesions"), "the lesions").data, dtype=np.int64)
        from tumorboard.measure.lesions import find_lesions

        region = "TC" if self.labels.region("TC").any() else "WT"
        return find_lesions(self.labels, region).numbers.astype(np.int64)

    @cached_property
    def necrosis(self) -> Mask | None:
        """Necrosis apart from other core, where it was outlined."""
        if self.visit.necrosis is None:
            return None
        return np.asarray(self._on_grid(_read(self.visit.necrosis, "necrosis"), "the necrosis").data > 0)

    def has(self, sequence: Sequence) -> bool:
        """Whether the study brings an image, map or series."""
        return sequence in self.visit.images

    def image(self, sequence: Sequence) -> Volume:
        """Return an image or map on the study's grid; maps keep their unit, and are resampled linearly if need be.

        Raises
        ------
        NotThere
            The study lacks it; it is named.
        """
        if sequence in self.study.volumes:
            return self.study.volumes[sequence]
        if sequence not in self.visit.images or sequence in SERIES:
            return _derived(self, sequence)
        found = _read(self.visit.images[sequence], sequence.value)
        grid = self.study.grid
        on_grid = found if grid.matches(found.grid) else resample(found, grid)
        return _in_our_unit(on_grid, self.study.brain) if sequence is Sequence.ADC else on_grid

    def series(self, sequence: Sequence) -> Series:
        """Return images over time or b-values, on their own grid.

        Raises
        ------
        NotThere
            The study lacks it; it is named.
        FileFormatError
            It is no series.
        """
        if sequence not in self.visit.images:
            raise NotThere(f"no {sequence.value}")
        return read_series_nifti(self.visit.images[sequence], sequence.value)

    def _on_grid(self, mask: Volume, what: str) -> Volume:
        told = self.study.grid.explain_mismatch(mask.grid, ("the images", what))
        if told:
            remedy = "outline on these images, or give the results of tumorboard run"
            raise GeometryError("masks on the grid of the images", got=told, where="cohort", remedy=remedy)
        return mask


@lru_cache(maxsize=2)
def load(visit: Visit) -> Loaded:
    """Return a study; the last two are kept, so that representations and regions share what is read."""
    return Loaded(visit)


def read_series_nifti(path: Path, where: str = "series") -> Series:
    """Read a NIfTI of four axes, with times or b-values from beside it.

    Raises
    ------
    FileFormatError
        It cannot be read, or has not four axes.
    """
    import nibabel as nib

    try:
        image: Any = nib.as_closest_canonical(nib.load(path))
        data = np.asarray(image.dataobj, dtype=np.float32)
        step = float(image.header.get_zooms()[3]) if data.ndim == 4 else float("nan")
    except Exception as error:  # readers throw anything on damaged files; all of it means the same
        raise FileFormatError("a readable series", got="a damaged or incomplete file", where=where) from error
    if data.ndim != 4 or data.shape[3] < 2:
        raise FileFormatError("a series of four axes", got=f"{data.ndim} axes", where=where)
    stem = path.name.removesuffix(".gz").removesuffix(".nii")
    told = _json(path.with_name(f"{stem}.json"))
    values, directions = _gradients(path.with_name(stem), data.shape[3])
    i, j, k = data.shape[:3]
    step = float(told.get("RepetitionTime", step)) if not values else float("nan")
    return Series(data, Grid((i, j, k), image.affine), step, values, directions)


def _read(path: Path, where: str) -> Volume:
    from tumorboard.io.images import read_volume

    return read_volume(path, where).canonical()


def _of_run(visit: Visit, volumes: dict[Sequence, Volume]) -> Study:
    """Return a study of a run as it is, with its frame."""
    if visit.brain is None or visit.prepared is None:
        raise NotThere("no brain mask in the results of the run")
    told = _json(visit.prepared / "xfm" / f"{visit.prepared.parent.name}_{visit.prepared.name}_frame.json")
    frame = Frame.from_json(told) if told else None
    return Study(visit.id, volumes, _read(visit.brain, "brain mask").data > 0, frame=frame)


def _scaled(visit: Visit, volumes: dict[Sequence, Volume]) -> Study:
    """Unite skull-stripped images, find the brain and bring intensities onto one scale."""
    from tumorboard.prepare.brain import brain_mask
    from tumorboard.prepare.intensity import normalise
    from tumorboard.prepare.skull import is_head
    from tumorboard.prepare.unify import unify

    if visit.brain is None and any(is_head(v) for v in volumes.values()):
        remedy = "run `tumorboard run` on them first, and give its results"
        raise InputError("skull-stripped images", got="whole heads", where="cohort", remedy=remedy)
    united = unify(volumes)
    grid = united.volumes[united.reference].grid
    if visit.brain is not None:
        brain = _read(visit.brain, "brain mask").data > 0
        united = replace(united, volumes={s: v.with_data(v.data * brain) for s, v in united.volumes.items()})
    else:
        brain = brain_mask(united.volumes, grid)
    return Study(visit.id, {s: normalise(v, brain, s.value)[0] for s, v in united.volumes.items()}, brain)


def _derived(loaded: Loaded, sequence: Sequence) -> Volume:
    """Return a map fitted to its series, or the difference of T1C and T1; else say that it is not there."""
    from tumorboard.lab.cohort.fitted import MAKERS

    for source, make in MAKERS.get(sequence, {}).items():
        if source in loaded.visit.images:
            made = make(loaded.series(source))
            grid = loaded.study.grid
            return made if grid.matches(made.grid) else resample(made, grid)
    volumes = loaded.study.volumes
    if sequence is Sequence.SUB and Sequence.T1C in volumes and Sequence.T1 in volumes:
        from tumorboard.prepare.subtract import subtraction

        return subtraction(volumes[Sequence.T1C], volumes[Sequence.T1], loaded.study.brain)
    there = sequence in loaded.visit.images
    raise NotThere(f"{sequence.value} is a series, not an image" if there else f"no {sequence.value}")


def _in_our_unit(adc: Volume, brain: Mask) -> Volume:
    """Return diffusion in 10⁻³ mm²/s; a median in the brain above 10 can only be 10⁻⁶ mm²/s, below 0.01 mm²/s."""
    inside = adc.data[brain & (adc.data > 0)]
    middle = float(np.median(inside)) if inside.size else 1.0
    factor = 1e-3 if middle > 10 else 1e3 if middle < 0.01 else 1.0
    return adc if factor == 1.0 else adc.with_data(adc.data.astype(np.float32) * np.float32(factor))


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _gradients(stem: Path, count: int) -> tuple[tuple[float, ...], NDArray[np.float64] | None]:
    """Return b-values and directions from beside a series, where they fit it."""
    try:
        values = tuple(_numbers(stem.with_name(f"{stem.name}.bval")))
        vectors = np.array(list(_numbers(stem.with_name(f"{stem.name}.bvec"))))
    except (OSError, ValueError):
        return (), None
    fits = len(values) == count and vectors.size == 3 * count
    return (values, vectors.reshape(3, count).T) if fits else ((), None)


def _numbers(path: Path) -> Iterator[float]:
    return (float(word) for word in path.read_text(encoding="utf-8").split())
