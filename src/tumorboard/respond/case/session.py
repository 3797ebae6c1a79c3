"""One study of a case folder as criteria need it: lesions with diameters and volumes, by what they consist of.

Why it exists: a measured study lists lesions of the tumour core; a criterion asks for enhancing tumour, or for the
T2/FLAIR abnormality. Numbers are those of the study where it has them; files that do not belong together are refused.

*Enhancing* (``ce``): the enhancing voxels of each lesion; diameters are the ``ce_only`` reading on native slices. A
lesion of the core without enhancing voxels has vanished as far as enhancement goes.

*Not enhancing* (``nce``): lesions of the whole T2/FLAIR abnormality (WT), which RANO-LGG measures; diameters are the
``flair`` reading. Where the study lists lesions of the core instead, because tumour enhances, the abnormality is
numbered and measured here in the same way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError, TumorboardError
from tumorboard.io.images import read_volume
from tumorboard.labels import LabelMap
from tumorboard.measurement import StudyMeasurements
from tumorboard.respond.visits import Compartment
from tumorboard.sequences import Sequence
from tumorboard.store import CaseFolder, digest, digest_file
from tumorboard.study import Study
from tumorboard.volume import Grid, box_around

Z90 = 1.6449
"""Half the width of a 90 % interval in standard deviations of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Part:
    """One numbered lesion of one study.

    Parameters
    ----------
    long_mm, perp_mm : float or None
        On native slices; ``None`` where it is not seen on them.
    volume_ml : float
        On the working grid.
    slices : int
        Native slices that show it.
    """

    long_mm: float | None
    perp_mm: float | None
    volume_ml: float
    slices: int


@dataclass(frozen=True)
class Session:
    """One measured study on disk.

    Parameters
    ----------
    folder : CaseFolder
        Of the patient.
    id : str
        ``ses-01`` and so on.
    listed : StudyMeasurements
        Its numbers.
    """

    folder: CaseFolder
    id: str
    listed: StudyMeasurements
    _kept: dict[Compartment, tuple[NDArray[np.uint16], Mapping[int, Part]]] = field(default_factory=dict, repr=False)

    @cached_property
    def labels(self) -> LabelMap:
        """Label map on the working grid."""
        read = read_volume(self.folder.seg(self.id, "dseg.nii.gz"), "labels")
        return LabelMap(read.data, read.grid)

    @cached_property
    def core(self) -> bool:
        """Whether lesions were numbered in the tumour core, because tumour enhances; else in all of it."""
        return bool(_json(self.folder.session(self.id) / "diameters.json")["region"] == "TC")

    @cached_property
    def slices(self) -> Grid:
        """The grid whose slices were read."""
        native = _json(self.folder.session(self.id) / "quality.json")["native_grid"]
        return self.labels.grid if native is None else Grid(tuple(native["shape"]), np.array(native["affine"]))

    @cached_property
    def slice_axis(self) -> int:
        """Axis of that grid along which slices lie."""
        from tumorboard.measure.diameters import slice_axis_of

        return slice_axis_of(self.slices)

    def study(self) -> Study:
        """Return the prepared images and the brain mask; read anew at every call."""
        quality = _json(self.folder.session(self.id) / "quality.json")
        images = {
            s: read_volume(self.folder.anat(self.id, s.bids_suffix), s.value)
            for s in map(Sequence, quality["sequences"])
        }
        brain = read_volume(self.folder.anat(self.id, "desc-brain_mask"), "brain mask").data > 0
        return Study(self.id, images, brain)

    @cached_property
    def digest(self) -> str:
        """Digest of the images, the brain mask and the labels."""
        sequences = _json(self.folder.session(self.id) / "quality.json")["sequences"]
        names = [Sequence(s).bids_suffix for s in sequences]
        paths = [self.folder.anat(self.id, name) for name in (*names, "desc-brain_mask")]
        return digest(*sequences, *map(digest_file, (*paths, self.folder.seg(self.id, "dseg.nii.gz"))))

    @property
    def slice_mm(self) -> float:
        """Distance of the slices, mm."""
        return self.slices.spacing_mm[self.slice_axis]

    def evaluated(self, compartment: Compartment) -> bool:
        """Return whether the tissue could be looked for at all; without T1C no enhancement can."""
        regions = ("ET",) if compartment is Compartment.CE else ("SNFH", "WT")
        return all(self.volume(region) is not None for region in regions)

    def volume(self, region: str) -> float | None:
        """Return the measured volume of a region in mL; None where it is not assessable."""
        value = self.listed.get("volume", region).value
        return None if value is None else float(value)

    def volume_sd_ml(self, compartment: Compartment) -> float | None:
        """Return the standard deviation of the compartment's volume, mL; None unless an interval was calibrated."""
        region = "ET" if compartment is Compartment.CE else "WT"
        bounds = _json(self.folder.seg(self.id, "dseg.json")).get("Intervals", {}).get(region)
        return None if bounds is None else float(bounds[1] - bounds[0]) / (2.0 * Z90)

    def fragments_ml(self) -> float:
        """Return the enhancing volume that lies in no listed lesion, mL."""
        loose = self.labels.region("ET") & (self.numbers(Compartment.CE) == 0)
        return float(loose.sum()) * self.labels.grid.voxel_volume_ml

    def numbers(self, compartment: Compartment) -> NDArray[np.uint16]:
        """Return lesion numbers on the working grid; 0 elsewhere."""
        return self._of(compartment)[0]

    def parts(self, compartment: Compartment) -> Mapping[int, Part]:
        """Return the lesions of a compartment by number."""
        return self._of(compartment)[1]

    def _of(self, compartment: Compartment) -> tuple[NDArray[np.uint16], Mapping[int, Part]]:
        if compartment not in self._kept:
            if compartment is Compartment.CE:
                self._kept[compartment] = self._enhancing()
            else:
                self._kept[compartment] = self._again("WT") if self.core else self._as_listed("flair")
        return self._kept[compartment]

    def _enhancing(self) -> tuple[NDArray[np.uint16], Mapping[int, Part]]:
        """Return enhancing lesions; none where nothing enhances."""
        if not self.core:
            return self._again("ET")  # masks of enhancing tumour alone are listed as whole tumour
        numbers, parts = self._as_listed("ce_only")
        enhancing = {n: part for n, part in parts.items() if part.volume_ml > 0}
        return np.where(np.isin(numbers, list(enhancing)), numbers, 0).astype(np.uint16), enhancing

    def _as_listed(self, reading: str) -> tuple[NDArray[np.uint16], Mapping[int, Part]]:
        """Return lesions with the diameters of the list."""
        tissue = "ET" if reading == "ce_only" else "WT"
        numbers = self._read_numbers(self.folder.seg(self.id, "lesions.nii.gz"), self.labels.grid)
        shown, native = self._native(numbers)
        self._check(numbers)
        volumes = _counts(numbers, self.labels.region(tissue)) * self.labels.grid.voxel_volume_ml
        diameters = _json(self.folder.session(self.id) / "diameters.json")["lesions"]
        seen = self._seen_on(shown, native.region(tissue), len(volumes))
        parts = {}
        for number in range(1, len(volumes)):
            found = diameters.get(str(number), {}).get(reading)
            long, perp = (None, None) if found is None else (found["longest_mm"], found["perpendicular_mm"])
            parts[number] = Part(long, perp, float(volumes[number]), int(seen[number]))
        return numbers, parts

    def _again(self, region: str) -> tuple[NDArray[np.uint16], Mapping[int, Part]]:
        """Return the lesions of a region, numbered and measured as the study did those of another."""
        from tumorboard.measure.diameters import measure_diameters
        from tumorboard.measure.lesions import find_lesions
        from tumorboard.measure.native import carry_over

        lesions = find_lesions(self.labels, region)
        native = self._native_labels()
        shown = lesions.numbers if native is None else carry_over(lesions, self.labels.grid, native)
        volumes = _counts(lesions.numbers, lesions.numbers > 0) * self.labels.grid.voxel_volume_ml
        parts = {}
        for number in range(1, lesions.count + 1):
            mask = np.asarray(shown == number)
            found = measure_diameters(mask, self.slices.spacing_mm, self.slice_axis)
            long, perp = (None, None) if found is None else (found.rano.longest_mm, found.rano.perpendicular_mm)
            parts[number] = Part(long, perp, float(volumes[number]), 0 if found is None else found.slices_seen)
        return lesions.numbers, parts

    def _seen_on(self, numbers: NDArray[np.uint16], mask: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
        """Return on how many slices each lesion shows voxels of a mask, from number 0."""
        places = np.nonzero(mask & (numbers > 0))
        pairs = np.unique(np.stack([numbers[places].astype(np.int64), places[self.slice_axis]]), axis=1)
        return np.bincount(pairs[0], minlength=count)

    def _native(self, numbers: NDArray[np.uint16]) -> tuple[NDArray[np.uint16], LabelMap]:
        """Return lesion numbers and labels on the slices that were read."""
        native = self._native_labels()
        if native is None:
            return numbers, self.labels
        return self._read_numbers(self.folder.native(self.id, "lesions.nii.gz"), native.grid), native

    def _native_labels(self) -> LabelMap | None:
        if self.slices is self.labels.grid:
            return None
        return LabelMap(read_volume(self.folder.native(self.id, "dseg.nii.gz"), "native labels").data, self.slices)

    def _read_numbers(self, path: Path, grid: Grid) -> NDArray[np.uint16]:
        data = read_volume(path, "lesions").data
        if data.shape != grid.shape:
            raise _apart()
        return data.astype(np.uint16)

    def _check(self, numbers: NDArray[np.uint16]) -> None:
        """Refuse lesions or labels that are not those of the list."""
        counted = _counts(numbers, numbers > 0)
        for number in range(1, len(counted)):
            volume = self.volume(f"lesion {number}")
            if volume is None or not math.isclose(volume, counted[number] * self.labels.grid.voxel_volume_ml):
                raise _apart()
        for region in ("ET", "WT"):
            volume = self.volume(region)
            if volume is not None and not math.isclose(volume, self.labels.volume_ml(region), abs_tol=1e-9):
                raise _apart()


def read_session(folder: CaseFolder, study: str) -> Session:
    """Return one study of a case folder.

    Parameters
    ----------
    folder : CaseFolder
        Of the patient.
    study : str
        ``ses-01`` and so on.

    Raises
    ------
    InputError
        The study was not measured, or its files cannot be read.
    """
    path = folder.session(study) / "measurements.json"
    if not path.is_file():
        got = "one that was not measured"
        raise InputError("measured studies", got=got, where=study, remedy="run `tumorboard run` on it to the end")
    try:
        listed = StudyMeasurements.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("measurements as a run writes them", got="others", where=study, remedy=_AGAIN) from error
    return Session(folder, study, listed)


_AGAIN = "run `tumorboard run` again; it makes what is damaged anew"


def _apart() -> TumorboardError:
    return InputError(
        "labels, lesions and measurements of one run", got="some that do not agree", where="case folder", remedy=_AGAIN
    )


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        expected = "the files of a measured study"
        raise InputError(expected, got="one that cannot be read", where="case folder", remedy=_AGAIN) from error


def _counts(numbers: NDArray[np.uint16], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many voxels of a mask each lesion has, from number 0."""
    box = box_around(numbers > 0)
    if box is None:
        return np.zeros(1, dtype=np.int64)
    most = int(numbers.max())
    return np.bincount(numbers[box][mask[box]], minlength=most + 1)
