"""What scanners give: each sequence with its own planes, thickness, shape and patient motion.

Why it exists: co-registration, brain masks, native measurements and DICOM are tried on images whose
motion and truth are known. The images are sampled from one digital head; nothing of a scanner's physics
but slice averaging and Rician noise is made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.spatial.transform import Rotation

from tumorboard.labels import LabelMap
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.head import Head, whole_head
from tumorboard.simulate.patient import DigitalPatient, digital_patient
from tumorboard.study import Event
from tumorboard.volume import Affine, Grid, Volume


@dataclass(frozen=True)
class Acquisition:
    """How a sequence is acquired.

    Parameters
    ----------
    plane : str
        ``axial``, ``coronal`` or ``sagittal``.
    in_plane_mm, thickness_mm, gap_mm : float
        Pixel, slice and what lies between slices.
    field_mm : (float, float, float)
        Field of view along the pixel's columns, rows, and through the slices.
    tilt_deg : float
        The planes are turned by so much about the patient's left-right axis.
    """

    plane: str
    in_plane_mm: float
    thickness_mm: float
    gap_mm: float
    field_mm: tuple[float, float, float]
    tilt_deg: float = 0.0


_THICK = (220.0, 240.0, 165.0)

PROTOCOLS: dict[str, dict[Sequence, Acquisition]] = {
    "thick": {
        Sequence.T1: Acquisition("axial", 0.9, 5.0, 0.5, (230.0, 230.0, 165.0), 8.0),
        Sequence.T1C: Acquisition("axial", 0.9, 5.0, 0.5, _THICK, 6.0),
        Sequence.T2: Acquisition("axial", 0.75, 5.0, 0.5, (210.0, 240.0, 165.0), 8.0),
        Sequence.FLAIR: Acquisition("axial", 1.0, 5.0, 0.5, (200.0, 240.0, 165.0), 7.0),
    },
    "mixed": {
        Sequence.T1: Acquisition("axial", 0.9, 5.0, 0.5, _THICK, 8.0),
        Sequence.T1C: Acquisition("axial", 0.9, 3.0, 0.0, _THICK, 6.0),
        Sequence.T2: Acquisition("axial", 0.75, 4.0, 0.4, (210.0, 240.0, 165.0), 10.0),
        Sequence.FLAIR: Acquisition("coronal", 0.9, 4.0, 0.4, (220.0, 230.0, 200.0), 5.0),
    },
    "3d": {
        Sequence.T1: Acquisition("sagittal", 1.0, 1.0, 0.0, (256.0, 256.0, 192.0)),
        Sequence.T1C: Acquisition("sagittal", 1.0, 1.0, 0.0, (256.0, 256.0, 192.0)),
        Sequence.T2: Acquisition("axial", 0.75, 3.0, 0.3, (210.0, 240.0, 165.0), 5.0),
        Sequence.FLAIR: Acquisition("sagittal", 1.0, 1.2, 0.0, (256.0, 256.0, 192.0)),
    },
}
"""Protocols by name (chosen: what departments do, not what one of them does)."""

AXES: dict[str, NDArray[np.float64]] = {
    "axial": np.array([[-1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]]).T,
    "coronal": np.array([[-1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]]).T,
    "sagittal": np.array([[0, -1.0, 0], [0, 0, -1.0], [-1.0, 0, 0]]).T,
}
"""Directions (RAS) of columns, rows and slices, as DICOM images lie: rows to the left or back, columns down."""

NOISE = 20.0
"""Standard deviation of each channel of the noise; white matter on T1 is about 1000 (chosen)."""

MOTION_MM, MOTION_DEG = 4.0, 3.0
"""Largest shift and turn of the patient between sequences, along and about each axis (chosen)."""


@dataclass(frozen=True)
class NativeImage:
    """An image as acquired, and where the head had moved to.

    Parameters
    ----------
    volume : Volume
        int16; array axes are columns, rows, slices.
    motion : ndarray, shape (4, 4)
        From the world of the T1C (RAS mm) to the world of this image: where a point of the head went.
    """

    volume: Volume
    motion: Affine


@dataclass(frozen=True)
class NativeStudy:
    """One study of native images; truth and brain lie in the world of the T1C, on the head's own grid."""

    id: str
    date: dt.date
    images: Mapping[Sequence, NativeImage]
    truth: LabelMap
    brain: Volume


@dataclass(frozen=True)
class NativePatient:
    """A digital patient of whole heads."""

    seed: int
    site: str
    studies: tuple[NativeStudy, ...]
    events: tuple[Event, ...]


def native_patient(seed: int = 7, spacing_mm: float = 2.0, protocol: str = "mixed", studies: int = 3) -> NativePatient:
    """Make a digital patient whose studies are native heads.

    Parameters
    ----------
    seed : int
        Seed of the one generator.
    spacing_mm : float
        Voxel size of the head that is imaged, mm.
    protocol : str
        A name of :data:`PROTOCOLS`.
    studies : int
        How many of the three studies are imaged.

    Returns
    -------
    NativePatient

    Examples
    --------
    >>> patient = native_patient(spacing_mm=6.0, studies=1)
    >>> image = patient.studies[0].images[Sequence.FLAIR]
    >>> image.volume.grid.axcodes, image.volume.data.dtype
    ('LIA', dtype('int16'))
    """
    patient = digital_patient(seed, spacing_mm)
    rng = np.random.default_rng([seed, 2])
    made = tuple(_study(patient, n, PROTOCOLS[protocol], rng) for n in range(studies))
    return NativePatient(seed, patient.site, made, patient.events)


def _study(
    patient: DigitalPatient, n: int, protocol: Mapping[Sequence, Acquisition], rng: np.random.Generator
) -> NativeStudy:
    study = patient.studies[n]
    head = whole_head(study.volumes, patient.head.brain, study.truth)
    images = {}
    for sequence in USED:
        motion = np.eye(4) if sequence is Sequence.T1C else draw_motion(rng, MOTION_MM, MOTION_DEG, centre_of(head))
        images[sequence] = acquire(head, sequence, protocol[sequence], motion, rng)
    return NativeStudy(study.id, study.date, images, head.truth, head.brain)


def centre_of(head: Head) -> NDArray[np.float64]:
    """Return the middle of the brain's box, RAS mm."""
    places = np.argwhere(head.brain.data)
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    return np.asarray(head.brain.grid.to_world([middle])[0])


def draw_motion(rng: np.random.Generator, shift_mm: float, turn_deg: float, centre_mm: NDArray[np.float64]) -> Affine:
    """Draw a rigid motion about a point: each shift and each turn evenly within its bound.

    Examples
    --------
    >>> motion = draw_motion(np.random.default_rng(0), 5.0, 5.0, np.zeros(3))
    >>> bool(np.isclose(np.linalg.det(motion[:3, :3]), 1.0))
    True
    """
    turn = Rotation.from_euler("xyz", rng.uniform(-turn_deg, turn_deg, 3), degrees=True).as_matrix()
    motion = np.eye(4)
    motion[:3, :3] = turn
    motion[:3, 3] = centre_mm - turn @ centre_mm + rng.uniform(-shift_mm, shift_mm, 3)
    return motion


def acquire(head: Head, sequence: Sequence, how: Acquisition, motion: Affine, rng: np.random.Generator) -> NativeImage:
    """Image one sequence of a head that has moved.

    Parameters
    ----------
    head : Head
        In the world of the T1C.
    sequence : Sequence
        Which of its volumes.
    how : Acquisition
        Planes.
    motion : ndarray, shape (4, 4)
        Where points of the head have gone, RAS mm.
    rng : numpy.random.Generator
        Source of noise.

    Returns
    -------
    NativeImage
        Every slice is the mean over its thickness.
    """
    grid = grid_of(how, centre_of(head))
    fine = max(1, round(how.thickness_mm / (0.5 * min(head.brain.grid.spacing_mm))))
    total = np.zeros(grid.shape, dtype=np.float32)
    for place in (np.arange(fine) + 0.5) / fine - 0.5:
        total += _sampled(head.volumes[sequence], grid, motion, place * how.thickness_mm)
    real, imaginary = rng.standard_normal((2, *grid.shape), dtype=np.float32) * np.float32(NOISE)
    data = np.hypot(total / fine + real, imaginary)
    return NativeImage(Volume(np.clip(np.rint(data), 0, 32767).astype(np.int16), grid), motion)


def grid_of(how: Acquisition, centre_mm: NDArray[np.float64]) -> Grid:
    """Return the grid of an acquisition, its middle 12 mm below the brain's."""
    turn = Rotation.from_euler("x", how.tilt_deg, degrees=True).as_matrix()
    spacing = np.array([how.in_plane_mm, how.in_plane_mm, how.thickness_mm + how.gap_mm])
    shape = np.maximum(3, np.round(np.array(how.field_mm) / spacing)).astype(int)
    affine = np.eye(4)
    affine[:3, :3] = turn @ AXES[how.plane] * spacing
    affine[:3, 3] = centre_mm + np.array([0.0, 0.0, -8.0]) - affine[:3, :3] @ ((shape - 1) / 2)
    i, j, k = (int(n) for n in shape)
    return Grid((i, j, k), affine)


def _sampled(volume: Volume, grid: Grid, motion: Affine, off_mm: float) -> NDArray[np.float32]:
    """Sample a moved head on a grid shifted along its slices."""
    shifted = grid.affine.copy()
    shifted[:3, 3] += off_mm * shifted[:3, 2] / np.linalg.norm(shifted[:3, 2])
    step = np.linalg.inv(volume.affine) @ np.linalg.inv(motion) @ shifted
    return np.asarray(
        ndi.affine_transform(volume.data, step[:3, :3], step[:3, 3], output_shape=grid.shape, order=1),
        dtype=np.float32,
    )
