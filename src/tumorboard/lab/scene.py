"""What one unit shows: its study, the lesion or biopsy it is about, and regions by name.

Why it exists: a region means the same whatever a row is. Of a patient, ``ET`` is all enhancing tumour; of a lesion,
that of the lesion; of a biopsy, that of the study it was taken from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import TumorboardError
from tumorboard.lab.cohort import Cohort, Loaded, NotThere, Series
from tumorboard.lab.table import Unit
from tumorboard.labels import LabelMap
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.transform import Frame
from tumorboard.volume import Grid, Volume

Mask = NDArray[np.bool_]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Scene:
    """One unit with its images.

    Parameters
    ----------
    cohort : Cohort
        Whose.
    unit : Unit
        Which.
    loaded : Loaded
        Its study.
    gaps : dict of str to str
        What turned out to be missing, and why; filled by :meth:`pairs`.
    """

    cohort: Cohort
    unit: Unit
    loaded: Loaded
    gaps: dict[str, str] = field(default_factory=dict)
    _made: dict[str, Mask] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, cohort: Cohort, unit: Unit, study: str = "first") -> Scene:
        """Look at a unit.

        Raises
        ------
        NotThere
            It has no images.
        """
        return cls(cohort, unit, cohort.loaded(unit, study))

    @property
    def study(self) -> Study:
        """Images on one grid."""
        return self.loaded.study

    @property
    def grid(self) -> Grid:
        """That grid."""
        return self.loaded.study.grid

    @property
    def brain(self) -> Mask:
        """The brain."""
        return self.loaded.study.brain

    @property
    def labels(self) -> LabelMap:
        """Label map of the whole study."""
        return self.loaded.labels

    @property
    def frame(self) -> Frame:
        """Mid-plane and way to the atlas."""
        return self.loaded.frame

    @property
    def number(self) -> int | None:
        """Number of the lesion that the unit is; None for anything else."""
        return int(self.unit.lesion) if self.unit.lesion.isdigit() else None

    @cached_property
    def own(self) -> Mask:
        """Voxels that belong to the unit: all, or those nearest to its lesion.

        Raises
        ------
        NotThere
            The lesion is not outlined in this study.
        """
        if self.number is None:
            return np.ones(self.grid.shape, dtype=np.bool_)
        numbers = self.loaded.lesions
        if not (numbers == self.number).any():
            raise NotThere("this lesion is not outlined in this study")
        if np.count_nonzero(np.unique(numbers)) == 1:
            return np.ones(self.grid.shape, dtype=np.bool_)
        from scipy import ndimage as ndi

        index = ndi.distance_transform_edt(
            numbers == 0, sampling=self.grid.spacing_mm, return_distances=False, return_indices=True
        )
        return np.asarray(numbers[tuple(index)] == self.number)

    @cached_property
    def lesion(self) -> Mask:
        """The lesion itself; of a patient or study, all lesions."""
        numbers = self.loaded.lesions
        return np.asarray(numbers > 0 if self.number is None else (numbers > 0) & self.own)

    def image(self, sequence: Sequence) -> Volume:
        """Return an image or map on the study's grid."""
        return self.loaded.image(sequence)

    def series(self, sequence: Sequence) -> Series:
        """Return images over time or b-values."""
        return self.loaded.series(sequence)

    def region(self, name: str) -> Mask:
        """Return a region; it is made once.

        Raises
        ------
        NotThere
            It is empty, or cannot be had of this unit; the reason says which.
        InputError
            There is no region of that name.
        """
        from tumorboard.lab.regions import region

        if name not in self._made:
            self._made[name] = region(self, name)
        return self._made[name]

    def attempt(self, what: str, make: Callable[[], T]) -> T | None:
        """Return what ``make`` gives; where it is not there, note why and return None."""
        try:
            return make()
        except NotThere as error:
            self.gaps[what] = error.why
        except TumorboardError as error:  # a damaged file of one patient must not cost the others
            self.gaps[what] = str(error)
        return None

    def masks(self, regions: Iterable[str]) -> Iterator[tuple[str, Mask]]:
        """Yield regions that are there; the others are noted as gaps."""
        for name in regions:
            found = self.attempt(name, partial(self.region, name))
            if found is not None:
                yield name, found

    def pairs(self, sequences: Iterable[Sequence], regions: Iterable[str]) -> Iterator[tuple[str, Volume, Mask]]:
        """Yield ``T1C.ET``, image and mask of what is there; the others are noted as gaps."""
        wanted = tuple(regions)
        for sequence in sequences:
            image = self.attempt(sequence.value, partial(self.image, sequence))
            for name in wanted if image is not None else ():
                mask = self.attempt(f"{sequence.value}.{name}", partial(self.region, name))
                if image is not None and mask is not None:
                    yield f"{sequence.value}.{name}", image, mask
