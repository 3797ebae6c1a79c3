"""A coarse digital head, imaged in few voxels by one scanner that turns its planes for every sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.prepare.native import region_around
from tumorboard.sequences import Sequence
from tumorboard.simulate.native import NativeImage, acquire, centre_of, draw_motion
from tumorboard.simulate.scanner.acquisition import Acquisition
from tumorboard.simulate.scanner.head import Head, whole_head
from tumorboard.volume import Grid, Volume

COARSE = {
    Sequence.T1: Acquisition("sagittal", 3.0, 3.0, 1.0, (240.0, 240.0, 190.0), 4.0),
    Sequence.T1C: Acquisition("axial", 3.0, 4.0, 0.0, (220.0, 240.0, 176.0), 6.0),
    Sequence.T2: Acquisition("axial", 2.5, 5.0, 0.5, (210.0, 240.0, 176.0), 8.0, 2.0),
    Sequence.FLAIR: Acquisition("coronal", 3.0, 4.0, 0.4, (220.0, 230.0, 200.0), 5.0),
}
"""Planes of each sequence: few voxels, but thick, tilted and of unlike shapes as in hospitals."""


@dataclass(frozen=True)
class CoarseStudy:
    """Images of one head, and the truth of them."""

    head: Head
    images: dict[Sequence, NativeImage]
    brain: NDArray[np.bool_]
    """On the grid of the T1C."""

    @property
    def volumes(self) -> dict[Sequence, Volume]:
        return {s: image.volume for s, image in self.images.items()}

    @property
    def reference(self) -> Volume:
        return self.images[Sequence.T1C].volume

    @property
    def region(self) -> NDArray[np.bool_]:
        return region_around(self.brain, self.reference.grid)

    @property
    def points(self) -> NDArray[np.float64]:
        """Places in the brain, RAS mm."""
        return self.reference.grid.to_world(np.argwhere(self.brain)[::50])

    @property
    def own_mask(self) -> Volume:
        return Volume(self.brain.astype(np.uint8), self.reference.grid)


def on_grid(mask: Volume, grid: Grid) -> NDArray[np.bool_]:
    step = np.linalg.inv(mask.affine) @ grid.affine
    data = mask.data.astype(np.float32)
    return ndi.affine_transform(data, step[:3, :3], step[:3, 3], output_shape=grid.shape, order=1) > 0.5


def imaged(patient, seed: int, shift_mm: float = 6.0, turn_deg: float = 5.0) -> CoarseStudy:
    study = patient.studies[0]
    head = whole_head(study.volumes, patient.head.brain, study.truth)
    rng, centre = np.random.default_rng(seed), centre_of(head)
    images = {}
    for sequence, how in COARSE.items():
        motion = np.eye(4) if sequence is Sequence.T1C else draw_motion(rng, shift_mm, turn_deg, centre)
        images[sequence] = acquire(head, sequence, how, motion, rng)
    return CoarseStudy(head, images, on_grid(head.brain, images[Sequence.T1C].volume.grid))


@pytest.fixture(scope="session")
def coarse_study(coarse_patient):
    return imaged(coarse_patient, seed=41)


@pytest.fixture(scope="session")
def coarse_stranger():
    """Another head, moved in its own way."""
    from tumorboard.simulate.patient import digital_patient

    return imaged(digital_patient(seed=8, spacing_mm=4.0), seed=42)
