"""What scanners give: each sequence with its own planes, thickness, shape and patient motion.

Why it exists: co-registration, brain masks, native measurements and DICOM are tried on images whose
motion and truth are known. All images of a study are sampled from one digital head. Of a scanner's physics
there is averaging over the slice, a receive field and Rician noise; nothing moves while it is acquired.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.spatial.transform import Rotation

from tumorboard.labels import LabelMap
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.fields import smooth_field
from tumorboard.simulate.patient import STUDY_IDS, Course, draw_course, study_dates, treatment_events
from tumorboard.simulate.scanner.acquisition import DIFFUSION, LOCALIZER, PROTOCOLS, Acquisition, grid_of
from tumorboard.simulate.scanner.head import Head, whole_head
from tumorboard.simulate.scanner.render import clean_signals
from tumorboard.study import Event
from tumorboard.volume import Affine, Grid, Volume, box_around

NOISE = 20.0
"""Standard deviation of each channel of the noise; white matter on T1 is 1000 (chosen)."""

BIAS, BIAS_MM = 0.09, 85.0
"""Standard deviation of the logarithm of the receive field, and its scale in mm (chosen)."""

GAIN = (0.4, 1.6)
"""Range of an image's scale: stored values of MR images mean nothing (chosen)."""

MOTION_MM, MOTION_DEG = 4.0, 3.0
"""Largest shift and turn of the patient between sequences, along and about each axis (chosen)."""

POSE_MM, POSE_DEG = 8.0, 6.0
"""The same between studies, from the average's own place."""


@dataclass(frozen=True)
class NativeImage:
    """An image as acquired, and where the head had moved to.

    Parameters
    ----------
    volume : Volume
        int16; array axes are columns, rows, slices.
    motion : ndarray, shape (4, 4)
        From the world of the T1C (RAS mm) to the world of this image: where a point of the head went.
    thickness_mm : float
        Of a slice; the step between slices is larger where there are gaps.
    """

    volume: Volume
    motion: Affine
    thickness_mm: float = 1.0


@dataclass(frozen=True)
class NativeStudy:
    """One study of native images.

    Parameters
    ----------
    id : str
        ``ses-01`` …
    date : date
        Fictional.
    images : mapping of Sequence to NativeImage
        T1, T1C, T2, FLAIR; the T1C has not moved.
    truth : LabelMap
        Tumour, in the world of the T1C, on the head's own grid.
    brain : Volume
        bool, on the same grid.
    pose : ndarray, shape (4, 4)
        From the head's own place (near MNI, the same in every study) to the world of the T1C, RAS mm.
    localizer : tuple of NativeImage
        Three planes.
    diffusion : tuple of NativeImage
        What looks like b = 0 and b = 1000 s/mm²; drawn from T2 and FLAIR, not from diffusion.
    """

    id: str
    date: dt.date
    images: Mapping[Sequence, NativeImage]
    truth: LabelMap
    brain: Volume
    pose: Affine = field(default_factory=lambda: np.eye(4))
    localizer: tuple[NativeImage, ...] = ()
    diffusion: tuple[NativeImage, ...] = ()


@dataclass(frozen=True)
class NativePatient:
    """A digital patient of whole heads; its tumour is that of ``digital_patient`` of the same seed and spacing."""

    seed: int
    site: str
    studies: tuple[NativeStudy, ...]
    events: tuple[Event, ...]
    protocol: str = "mixed"


def native_patient(seed: int = 7, spacing_mm: float = 2.0, protocol: str = "mixed", studies: int = 3) -> NativePatient:
    """Make a digital patient whose studies are native heads.

    Parameters
    ----------
    seed : int
        Seed of everything.
    spacing_mm : float
        Voxel size of the head that is imaged, mm.
    protocol : str
        A name of :data:`~tumorboard.simulate.scanner.acquisition.PROTOCOLS`.
    studies : int
        How many of the three studies are imaged.

    Returns
    -------
    NativePatient

    Raises
    ------
    GeometryError
        The spacing is one the atlas refuses, or so coarse that the tumour finds no place.
    KeyError
        There is no such protocol.

    Examples
    --------
    >>> patient = native_patient(spacing_mm=6.0, studies=1)
    >>> image = patient.studies[0].images[Sequence.FLAIR]
    >>> image.volume.grid.axcodes, image.volume.data.dtype
    ('LIA', dtype('int16'))
    """
    how = PROTOCOLS[protocol]
    course = draw_course(np.random.default_rng(seed), spacing_mm)
    made = tuple(_study(course, n, how, np.random.default_rng([seed, n, 2])) for n in range(studies))
    return NativePatient(seed, course.site, made, treatment_events(), protocol)


def _study(course: Course, n: int, how: Mapping[Sequence, Acquisition], rng: np.random.Generator) -> NativeStudy:
    return native_study(_head_of(course, n), STUDY_IDS[n], study_dates()[n], how, rng)


def native_study(
    lying: Head, name: str, date: dt.date, how: Mapping[Sequence, Acquisition], rng: np.random.Generator
) -> NativeStudy:
    """Image a head as a scanner does.

    Parameters
    ----------
    lying : Head
        In its own place; it is laid into the scanner at random.
    name : str
        ``ses-01`` …
    date : date
        Fictional.
    how : mapping of Sequence to Acquisition
        Planes of each sequence.
    rng : numpy.random.Generator
        Source of pose, motion between sequences, receive fields and noise.

    Returns
    -------
    NativeStudy
    """
    pose = draw_motion(rng, POSE_MM, POSE_DEG, np.zeros(3))
    head = posed(lying, pose)
    centre = centre_of(head)
    images = {}
    for sequence in USED:
        motion = np.eye(4) if sequence is Sequence.T1C else draw_motion(rng, MOTION_MM, MOTION_DEG, centre)
        images[sequence] = acquire(head, sequence, how[sequence], motion, rng)
    away = draw_motion(rng, MOTION_MM, MOTION_DEG, centre)
    return NativeStudy(
        id=name,
        date=date,
        images=images,
        truth=head.truth,
        brain=head.brain,
        pose=pose,
        localizer=tuple(acquire(head, Sequence.T1, plane, away, rng) for plane in LOCALIZER),
        diffusion=tuple(acquire(head, s, DIFFUSION, away, rng) for s in (Sequence.T2, Sequence.FLAIR)),
    )


def _head_of(course: Course, n: int) -> Head:
    signals = clean_signals(course.mixture(n))
    volumes = {s: Volume(1000.0 * image, course.head.grid) for s, image in signals.items()}
    return whole_head(volumes, course.head.brain, course.truths[n])


def posed(head: Head, pose: Affine) -> Head:
    """Return a head lying elsewhere: its grids are moved, nothing is resampled.

    Examples
    --------
    >>> brain = Volume.of(np.ones((2, 2, 2), bool), np.eye(4))
    >>> lying = posed(Head({}, brain, LabelMap.of(np.zeros((2, 2, 2), np.uint8), np.eye(4))), np.diag([1, 1, 1, 1.0]))
    >>> lying.brain.grid.matches(brain.grid)
    True
    """
    grid = Grid(head.truth.grid.shape, pose @ head.truth.affine)
    volumes = {s: replace(v, grid=grid) for s, v in head.volumes.items()}
    return Head(volumes, replace(head.brain, grid=grid), replace(head.truth, grid=grid))


def centre_of(head: Head) -> NDArray[np.float64]:
    """Return the middle of the brain's box, RAS mm."""
    box = box_around(head.brain.data)
    if box is None:
        raise ValueError("expected a head with a brain")
    return np.asarray(head.brain.grid.to_world([[(part.start + part.stop - 1) / 2 for part in box]])[0])


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
        Planes; the field of view stays over where the brain first lay.
    motion : ndarray, shape (4, 4)
        Where points of the head have gone, RAS mm.
    rng : numpy.random.Generator
        Source of receive field, scale and noise.

    Returns
    -------
    NativeImage
        Every slice is the mean over its thickness; the receive field and the noise are the scanner's, also in air.
    """
    grid = grid_of(how, centre_of(head))
    image = _averaged(head.volumes[sequence], grid, motion, how.thickness_mm)
    image *= np.exp(np.float32(BIAS) * smooth_field(grid, BIAS_MM, rng))
    gain = np.float32(rng.uniform(*GAIN))
    real, imaginary = rng.standard_normal((2, *grid.shape), dtype=np.float32) * np.float32(NOISE)
    data = np.rint(gain * np.hypot(image + real, imaginary))
    stored = np.clip(data, 0, np.iinfo(np.int16).max).astype(np.int16)
    return NativeImage(Volume(stored, grid), motion, how.thickness_mm)


def _averaged(volume: Volume, grid: Grid, motion: Affine, thickness_mm: float) -> NDArray[np.float32]:
    """Average a moved head over the thickness of each slice (a box profile, at half the head's voxel size)."""
    samples = max(1, round(thickness_mm / (0.5 * min(volume.spacing_mm))))
    total = np.zeros(grid.shape, dtype=np.float32)
    for place in (np.arange(samples) + 0.5) / samples - 0.5:
        total += _sampled(volume, grid, motion, float(place) * thickness_mm)
    return np.asarray(total / np.float32(samples), dtype=np.float32)


def _sampled(volume: Volume, grid: Grid, motion: Affine, off_mm: float) -> NDArray[np.float32]:
    """Sample a moved head on a grid shifted along the normal of its slices."""
    shifted = grid.affine.copy()
    shifted[:3, 3] += off_mm * shifted[:3, 2] / np.linalg.norm(shifted[:3, 2])
    step = np.linalg.inv(volume.affine) @ np.linalg.inv(motion) @ shifted
    out: NDArray[np.float32] = ndi.affine_transform(
        volume.data, step[:3, :3], step[:3, 3], output_shape=grid.shape, order=1, output=np.float32
    )
    return out
