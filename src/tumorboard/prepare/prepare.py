"""Prepare one study: check, unify, strip to the brain, scale, and find midline and atlas.

Why it exists: one call that every door uses, so that a study means the same in all of them. It never
writes; what was done is told in words and numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tumorboard.io.images import read_volume
from tumorboard.prepare.brain import brain_mask
from tumorboard.prepare.checks import check_image
from tumorboard.prepare.intensity import Scale, normalise
from tumorboard.prepare.midplane import find_midplane
from tumorboard.prepare.to_atlas import align_to_mni
from tumorboard.prepare.unify import unify
from tumorboard.sequences import Sequence
from tumorboard.study import Study, StudyInput
from tumorboard.transform import Frame
from tumorboard.volume import Volume

VERSION = "1"
"""Changes whenever the prepared voxels may change."""

SYMMETRY_ORDER = (Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR)
"""Which sequence shows the brain's symmetry best: a tumour is faintest on T1."""


@dataclass(frozen=True)
class Prepared:
    """A prepared study and what was done to it."""

    study: Study
    scales: Mapping[Sequence, Scale]
    notes: tuple[str, ...]

    def quality(self) -> dict[str, Any]:
        """Return plain numbers and words for ``quality.json``."""
        grid = self.study.grid
        return {
            "reference": self.study.reference.value,
            "spacing_mm": list(grid.spacing_mm),
            "shape": list(grid.shape),
            "brain_ml": round(float(self.study.brain.sum()) * grid.voxel_volume_ml, 3),
            "scales": {s.value: vars(scale) for s, scale in self.scales.items()},
            "notes": list(self.notes),
        }


def read_study(source: StudyInput) -> dict[Sequence, Volume]:
    """Read and check every sequence of a study, as the files give them.

    Raises
    ------
    InputError
        A file cannot be read or is not a usable image; the message names its sequence.
    """
    volumes = {}
    for sequence, choice in source.files.items():
        volumes[sequence] = read_volume(choice.path, sequence.value)
        check_image(volumes[sequence], sequence.value)
    return volumes


def prepare(study_id: str, volumes: Mapping[Sequence, Volume], notes: tuple[str, ...] = ()) -> Prepared:
    """Prepare the volumes of one study.

    Parameters
    ----------
    study_id : str
        ``ses-01`` …
    volumes : mapping of Sequence to Volume
        As read; any orientation, grids equal or nearly so, skull-stripped.
    notes : tuple of str
        What reading the files has told already; kept with what preparing tells.

    Returns
    -------
    Prepared
        Study in RAS on the reference's grid, float32, median 0 and spread 1 in the brain, 0 outside.

    Raises
    ------
    InputError
        Grids that cannot be united, or a head with its skull.

    Examples
    --------
    >>> import numpy as np
    >>> places = np.indices((24, 24, 24)) - 11.5
    >>> ball = np.where(np.sqrt((places**2).sum(axis=0)) < 8, 100.0 + places[2], 0.0)
    >>> prepared = prepare("ses-01", {Sequence.T1C: Volume.of(ball, np.diag([-8.0, -8.0, 8.0, 1.0]))})
    >>> prepared.study.grid.axcodes, prepared.study.native_axcodes, prepared.study.reference
    ('RAS', 'LPS', <Sequence.T1C: 'T1C'>)
    """
    unified = unify(volumes)
    grid = unified.volumes[unified.reference].grid
    brain = brain_mask(unified.volumes, grid)
    scaled, scales, told = {}, {}, [*notes, *unified.notes]
    for sequence, volume in unified.volumes.items():
        scaled[sequence], scales[sequence] = normalise(volume, brain, sequence.value)
    left = [s.value for s, scale in scales.items() if not scale.applied]
    if left:
        told.append(f"Already normalised, left as given: {', '.join(left)}.")
    shown = next(s for s in SYMMETRY_ORDER if s in scaled)
    midplane = find_midplane(scaled[shown].data, brain, grid)
    frame = Frame(midplane, align_to_mni(brain, grid, midplane))
    study = Study(study_id, scaled, brain, unified.native_axcodes, frame)
    return Prepared(study, scales, tuple(told))
