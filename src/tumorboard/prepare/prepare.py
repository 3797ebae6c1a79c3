"""Prepare one study: check, unify, strip to the brain, scale, and find midline and atlas.

Why it exists: one call that every door uses, so that a study means the same in all of them. It never
writes; what was done is told in words and numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.io.dicom.read import read_series
from tumorboard.io.images import read_volume
from tumorboard.prepare.brain import brain_mask as stripped_brain
from tumorboard.prepare.checks import check_image
from tumorboard.prepare.intensity import Scale, normalise
from tumorboard.prepare.midplane import find_midplane
from tumorboard.prepare.native import Refused, RigidFit, raw_study
from tumorboard.prepare.quality import ImageQuality, assess
from tumorboard.prepare.skull import is_head
from tumorboard.prepare.subtract import subtraction
from tumorboard.prepare.to_atlas import align_to_mni
from tumorboard.prepare.unify import unify
from tumorboard.sequences import Sequence
from tumorboard.study import Study, StudyInput
from tumorboard.transform import Frame
from tumorboard.volume import Grid, Volume

VERSION = "2"
"""Changes whenever the prepared voxels may change."""

STRIPPED = "skull-stripped as given"

SYMMETRY_ORDER = (Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR)
"""Which sequence shows the brain's symmetry best: a tumour is faintest on T1."""


@dataclass(frozen=True)
class Prepared:
    """A prepared study and what was done to it.

    Parameters
    ----------
    study : Study
        Volumes on the working grid.
    scales : mapping of Sequence to Scale
        How intensities were scaled.
    notes : tuple of str
        What to be told.
    subtraction : Volume or None
        T1C minus T1, where both are there.
    fits : mapping of Sequence to RigidFit
        Motions that were taken out; empty for input that was co-registered.
    dropped : mapping of Sequence to Refused
        Sequences that could not be laid onto the reference, and why.
    brain_method : str
        What outlined the brain.
    images : mapping of Sequence to ImageQuality
        What was measured of each native image.
    bias : mapping of Sequence to float
        Standard deviation of the logarithm of each bias field that was removed.
    """

    study: Study
    scales: Mapping[Sequence, Scale]
    notes: tuple[str, ...]
    subtraction: Volume | None = None
    fits: Mapping[Sequence, RigidFit] = field(default_factory=dict)
    dropped: Mapping[Sequence, Refused] = field(default_factory=dict)
    brain_method: str = STRIPPED
    images: Mapping[Sequence, ImageQuality] = field(default_factory=dict)
    bias: Mapping[Sequence, float] = field(default_factory=dict)

    def quality(self) -> dict[str, Any]:
        """Return plain numbers and words for ``quality.json``."""
        grid = self.study.grid
        return {
            "reference": self.study.reference.value,
            "spacing_mm": list(grid.spacing_mm),
            "shape": list(grid.shape),
            "brain_ml": round(float(self.study.brain.sum()) * grid.voxel_volume_ml, 3),
            "brain_method": self.brain_method,
            "scales": {s.value: vars(scale) for s, scale in self.scales.items()},
            "registration": {s.value: fit.quality.as_json() for s, fit in self.fits.items()},
            "dropped": {s.value: {"why": r.why} | r.quality.as_json() for s, r in self.dropped.items()},
            "bias_log_sd": {s.value: round(spread, 4) for s, spread in self.bias.items()},
            "images": {s.value: quality.as_json() for s, quality in self.images.items()},
            "notes": list(self.notes),
        }


def read_study(source: StudyInput) -> dict[Sequence, Volume]:
    """Read and check every sequence of a study, as the files give them; see :func:`read_study_with_notes`."""
    return read_study_with_notes(source)[0]


def read_study_with_notes(source: StudyInput) -> tuple[dict[Sequence, Volume], tuple[str, ...]]:
    """Read and check every sequence of a study, and return what reading had to mend.

    Raises
    ------
    InputError
        A file cannot be read or is not a usable image; the message names its sequence.
    """
    volumes, notes = {}, []
    for sequence, choice in source.files.items():
        if choice.series is None:
            volumes[sequence] = read_volume(choice.path, sequence.value)
        else:
            volumes[sequence], told = read_series(choice.series, sequence.value)
            notes += [f"{sequence.value}: {note}." for note in told]
        check_image(volumes[sequence], sequence.value)
    return volumes, tuple(notes)


def prepare(
    study_id: str,
    volumes: Mapping[Sequence, Volume],
    notes: tuple[str, ...] = (),
    brain_mask: Volume | None = None,
) -> Prepared:
    """Prepare the volumes of one study.

    Parameters
    ----------
    study_id : str
        ``ses-01`` …
    volumes : mapping of Sequence to Volume
        As read; any orientation. Skull-stripped and co-registered, or native heads.
    notes : tuple of str
        What reading the files has told already; kept with what preparing tells.
    brain_mask : Volume, optional
        The user's own brain mask, on the grid of the reference sequence.

    Returns
    -------
    Prepared
        Study in RAS on one grid, float32, median 0 and spread 1 in the brain, 0 outside. The grid is the
        reference's for prepared input, and a working grid of 1 mm around the brain for native heads.

    Raises
    ------
    InputError
        Grids that cannot be united, or no brain.

    Examples
    --------
    >>> import numpy as np
    >>> places = np.indices((24, 24, 24)) - 11.5
    >>> ball = np.where(np.sqrt((places**2).sum(axis=0)) < 8, 100.0 + places[2], 0.0)
    >>> prepared = prepare("ses-01", {Sequence.T1C: Volume.of(ball, np.diag([-8.0, -8.0, 8.0, 1.0]))})
    >>> prepared.study.grid.axcodes, prepared.study.native_axcodes, prepared.study.reference
    ('RAS', 'LPS', <Sequence.T1C: 'T1C'>)
    """
    if brain_mask is not None or any(is_head(volume) for volume in volumes.values()):
        return _prepare_heads(study_id, volumes, notes, brain_mask)
    unified = unify(volumes)
    grid = unified.volumes[unified.reference].grid
    brain = stripped_brain(unified.volumes, grid)
    told = (*notes, *unified.notes)
    scaled, scales, left = _scaled(unified.volumes, brain)
    study = Study(study_id, scaled, brain, unified.native_axcodes, _frame(scaled, brain, grid))
    return Prepared(study, scales, (*told, *left), _difference(scaled, brain))


def _prepare_heads(
    study_id: str, volumes: Mapping[Sequence, Volume], notes: tuple[str, ...], own_mask: Volume | None
) -> Prepared:
    images = {sequence: assess(volume) for sequence, volume in volumes.items()}
    told = tuple(f"{s.value}: {warning}." for s, quality in images.items() for warning in quality.warnings)
    raw = raw_study(volumes, own_mask)
    grid = raw.volumes[raw.reference].grid
    scaled, scales, _ = _scaled(raw.volumes, raw.brain)
    frame = _frame(scaled, raw.brain, grid)
    study = Study(study_id, scaled, raw.brain, raw.native.axcodes, frame, raw.native)
    return Prepared(
        study=study,
        scales=scales,
        notes=(*notes, *told, *raw.notes),
        subtraction=_difference(scaled, raw.brain),
        fits=raw.fits,
        dropped=raw.dropped,
        brain_method=raw.method,
        images=images,
        bias=raw.bias,
    )


def _scaled(
    volumes: Mapping[Sequence, Volume], brain: NDArray[np.bool_]
) -> tuple[dict[Sequence, Volume], dict[Sequence, Scale], tuple[str, ...]]:
    scaled, scales = {}, {}
    for sequence, volume in volumes.items():
        scaled[sequence], scales[sequence] = normalise(volume, brain, sequence.value)
    left = [s.value for s, scale in scales.items() if not scale.applied]
    return scaled, scales, (f"Already normalised, left as given: {', '.join(left)}.",) if left else ()


def _frame(scaled: Mapping[Sequence, Volume], brain: NDArray[np.bool_], grid: Grid) -> Frame:
    shown = next(s for s in SYMMETRY_ORDER if s in scaled)
    midplane = find_midplane(scaled[shown].data, brain, grid)
    return Frame(midplane, align_to_mni(brain, grid, midplane))


def _difference(scaled: Mapping[Sequence, Volume], brain: NDArray[np.bool_]) -> Volume | None:
    if Sequence.T1 not in scaled or Sequence.T1C not in scaled:
        return None
    return subtraction(scaled[Sequence.T1C], scaled[Sequence.T1], brain)
