"""What features are read from: the outlines of one study, cut to the box around the tumour.

Why it exists: thirty features ask the same few things of the same outlines. They are found once, and nothing works on
more voxels than the tumour's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import LabelMap, Tissue
from tumorboard.measure.lesions import LEAST_ML, Lesions, find_lesions
from tumorboard.measure.position import position_measurements
from tumorboard.measure.sources import Files, source_of
from tumorboard.measurement import Measurement, Source
from tumorboard.study import Study
from tumorboard.volume import box_around

if TYPE_CHECKING:
    from tumorboard.measure.study import Segmented

Mask = NDArray[np.bool_]
Places = NDArray[np.int64]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Known:
    """What measuring has found already, so that it is not done twice.

    Parameters
    ----------
    core, whole : Lesions
        Lesions of the core (TC) and of the whole tumour (WT).
    positions : tuple of Measurement
        From :func:`tumorboard.measure.position.position_measurements`.
    """

    core: Lesions
    whole: Lesions
    positions: tuple[Measurement, ...]

    @classmethod
    def of(cls, study: Study, segmented: Segmented, files: Files) -> Known:
        """Find it."""
        core, whole = (find_lesions(segmented.labels, region) for region in ("TC", "WT"))
        positions = position_measurements(study, segmented.labels, segmented.not_assessable, files)
        return cls(core, whole, tuple(positions))


@dataclass(frozen=True)
class Answer:
    """A value of a feature.

    Parameters
    ----------
    value : str or float
        A word of the lexicon, or a length.
    method : str
        How, in a sentence.
    source : Source
        The voxels.
    quality : {'measured', 'coarse', 'proxy'}
        As of a measurement.
    """

    value: str | float
    method: str
    source: Source
    quality: Literal["measured", "coarse", "proxy"] = "measured"


Reading = Answer | str
"""An answer, or the reason why there is none."""


@dataclass(frozen=True)
class Case:
    """The outlines of one study in the box around its tumour.

    Parameters
    ----------
    study : Study
        Prepared.
    files : Files
        Names for the sources.
    missing : mapping of str to str
        Regions that could not be looked for, and why.
    box : tuple of slice
        Where in the study's grid.
    data : ndarray of uint8, shape (i, j, k)
        Labels in the box; a resection cavity outside it is left out.
    core, whole : ndarray of uint16, shape (i, j, k)
        Lesion numbers of the core and of the whole tumour in the box, largest first.
    cavity_ml : float
        Volume of the resection cavity.
    necrosis : ndarray of bool, shape (i, j, k), or None
        Necrosis apart from other core, in the box.
    slices : LabelMap
        Labels on the slices that diameters are read on.
    slices_file : str
        Its name.
    positions : mapping of (str, str) to Measurement
        By name and region.
    """

    study: Study
    files: Files
    missing: Mapping[str, str]
    box: Box
    data: NDArray[np.uint8]
    core: NDArray[np.uint16]
    whole: NDArray[np.uint16]
    cavity_ml: float
    necrosis: Mask | None
    slices: LabelMap
    slices_file: str
    positions: Mapping[tuple[str, str], Measurement]

    @classmethod
    def of(cls, study: Study, segmented: Segmented, files: Files, known: Known, necrosis: Mask | None = None) -> Case:
        """Cut everything to the box around the tumour."""
        data = segmented.labels.data
        tumour = (data > 0) & (data != Tissue.RC)
        box = box_around(tumour) or (slice(0, 1), slice(0, 1), slice(0, 1))
        return cls(
            study=study,
            files=files,
            missing=segmented.not_assessable,
            box=box,
            data=np.where(tumour[box], data[box], np.uint8(0)),
            core=known.core.numbers[box],
            whole=known.whole.numbers[box],
            cavity_ml=float(np.count_nonzero(data == Tissue.RC)) * study.grid.voxel_volume_ml,
            necrosis=None if necrosis is None else necrosis[box],
            slices=segmented.native or segmented.labels,
            slices_file=files.native_labels if segmented.native else files.labels,
            positions={(m.name, m.region): m for m in known.positions},
        )

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Voxels of each label value in the box."""
        return np.bincount(self.data.ravel(), minlength=len(Tissue) + 1)

    @property
    def total(self) -> int:
        """Voxels of the whole tumour."""
        return int(self.counts[1:].sum())

    def ml(self, voxels: float) -> float:
        """Return a volume in mL."""
        return float(voxels) * self.study.grid.voxel_volume_ml

    def percent(self, voxels: float) -> float:
        """Return a share of the whole tumour in percent."""
        return 100.0 * float(voxels) / self.total

    def mask(self, *tissues: Tissue) -> Mask:
        """Return where tissues are, in the box."""
        return np.asarray(np.isin(self.data, [int(t) for t in tissues]))

    @cached_property
    def largest(self) -> Mask:
        """The largest part: of the core, where there is one worth listing, else of the whole tumour, else all of it."""
        for numbers in (self.core, self.whole):
            if numbers.any():
                return np.asarray(numbers == 1)
        return np.asarray(self.data > 0)

    @property
    def start(self) -> tuple[int, int, int]:
        """First voxel of the box."""
        i, j, k = self.box
        return i.start, j.start, k.start

    def places(self, mask: Mask) -> Places:
        """Return voxel indices in the study's grid, shape (n, 3), of a mask in the box."""
        return np.asarray(np.argwhere(mask) + self.start)

    def source(self, mask: Mask, *tissues: Tissue) -> Source:
        """Return the source of an answer that was read on a mask in the box."""
        found = source_of(mask, self.files.labels, tuple(int(t) for t in tissues))
        if found.box_ijk is None:
            return found
        i, j, k = self.start
        low, high = ((e[0] + i, e[1] + j, e[2] + k) for e in found.box_ijk)
        return found.model_copy(update={"box_ijk": (low, high)})

    def why_untold(self, needs: tuple[str, ...], treated: bool) -> str:
        """Return why a feature that needs regions cannot be read; empty when it can."""
        if treated:
            return ""
        if self.cavity_ml >= LEAST_ML:
            return "it describes an untreated tumour, and a resection cavity is there"
        reasons = [self.missing[region] for region in needs if region in self.missing]
        if reasons:
            return reasons[0]
        return "" if self.total else "no tumour was found"
