"""How departments acquire a head: planes, thickness, gaps, fields of view and obliquity, as tables.

Why it exists: every sequence of a real study has its own shape. These say what is usual (chosen), for tests
and demonstrations; they are no advice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tumorboard.sequences import Sequence
from tumorboard.volume import Grid


@dataclass(frozen=True)
class Acquisition:
    """How a sequence is acquired.

    Parameters
    ----------
    plane : str
        A key of :data:`AXES`.
    in_plane_mm, thickness_mm, gap_mm : float
        Pixel, slice, and what lies between slices.
    field_mm : (float, float, float)
        Field of view along a row, along a column, and through the slices.
    tilt_deg, roll_deg : float
        The planes are turned by so much about the patient's left-right axis, then about back to front.
    """

    plane: str
    in_plane_mm: float
    thickness_mm: float
    gap_mm: float
    field_mm: tuple[float, float, float]
    tilt_deg: float = 0.0
    roll_deg: float = 0.0

    @property
    def is_3d(self) -> bool:
        """Whether it is a slab of contiguous thin slices."""
        return self.gap_mm == 0.0 and self.thickness_mm < 2.0


AXES: dict[str, NDArray[np.float64]] = {
    "axial": np.array([[-1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]]).T,
    "coronal": np.array([[-1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]]).T,
    "sagittal": np.array([[0, -1.0, 0], [0, 0, -1.0], [-1.0, 0, 0]]).T,
}
"""RAS directions of a row, of a column and through the slices, as scanners lay them: the patient's left on the
viewer's right, front or top upwards."""

_SLAB = (256.0, 256.0, 192.0)

PROTOCOLS: dict[str, dict[Sequence, Acquisition]] = {
    "thick": {
        Sequence.T1: Acquisition("axial", 0.9, 5.0, 0.5, (230.0, 230.0, 176.0), 8.0, 2.0),
        Sequence.T1C: Acquisition("axial", 0.9, 5.0, 0.5, (220.0, 240.0, 176.0), 6.0, -1.0),
        Sequence.T2: Acquisition("axial", 0.5, 5.0, 0.5, (210.0, 240.0, 176.0), 8.0, 2.0),
        Sequence.FLAIR: Acquisition("axial", 1.0, 5.0, 0.5, (200.0, 240.0, 176.0), 7.0),
    },
    "mixed": {
        Sequence.T1: Acquisition("axial", 0.9, 5.0, 0.5, (220.0, 240.0, 176.0), 8.0, -3.0),
        Sequence.T1C: Acquisition("axial", 0.9, 3.0, 0.0, (220.0, 240.0, 176.0), 6.0),
        Sequence.T2: Acquisition("axial", 0.5, 5.0, 0.5, (210.0, 240.0, 176.0), 10.0, 2.0),
        Sequence.FLAIR: Acquisition("coronal", 0.9, 4.0, 0.4, (220.0, 230.0, 200.0), 5.0, 2.0),
    },
    "3d": {
        Sequence.T1: Acquisition("sagittal", 1.0, 1.0, 0.0, _SLAB),
        Sequence.T1C: Acquisition("sagittal", 1.0, 1.0, 0.0, _SLAB),
        Sequence.T2: Acquisition("axial", 0.75, 3.0, 0.3, (210.0, 240.0, 176.0), 5.0),
        Sequence.FLAIR: Acquisition("sagittal", 1.0, 1.2, 0.0, _SLAB),
    },
}
"""Protocols by name: a quick one, one grown over years, and a tumour protocol."""

LOCALIZER: tuple[Acquisition, ...] = tuple(
    Acquisition(plane, 1.6, 8.0, 12.0, (256.0, 256.0, 60.0)) for plane in ("sagittal", "coronal", "axial")
)
"""Three planes of three slices."""

DIFFUSION = Acquisition("axial", 2.0, 5.0, 0.5, (240.0, 240.0, 176.0), 8.0)
"""An echo-planar diffusion series."""

REFORMAT = Acquisition("coronal", 1.0, 3.0, 0.0, (220.0, 220.0, 200.0))
"""What a department reformats T1C to."""

BELOW_MM = 4.0
"""The middle of a field of view lies by so much below the brain's (chosen: the cerebellum must be in it)."""


def grid_of(how: Acquisition, centre_mm: NDArray[np.float64]) -> Grid:
    """Return the grid of an acquisition of a head.

    Parameters
    ----------
    how : Acquisition
        Planes.
    centre_mm : ndarray, shape (3,)
        Middle of the brain, RAS mm.

    Returns
    -------
    Grid
        Axes are along a row, along a column, and through the slices; at least three of each.

    Examples
    --------
    >>> grid = grid_of(PROTOCOLS["mixed"][Sequence.FLAIR], np.zeros(3))
    >>> grid.shape, grid.axcodes, [round(mm, 2) for mm in grid.spacing_mm]
    ((244, 256, 45), 'LIA', [0.9, 0.9, 4.4])
    """
    turn = Rotation.from_euler("xy", [how.tilt_deg, how.roll_deg], degrees=True).as_matrix()
    spacing = np.array([how.in_plane_mm, how.in_plane_mm, how.thickness_mm + how.gap_mm])
    shape = np.maximum(3, np.round(np.array(how.field_mm) / spacing)).astype(int)
    affine = np.eye(4)
    affine[:3, :3] = turn @ AXES[how.plane] * spacing
    affine[:3, 3] = centre_mm - np.array([0.0, 0.0, BELOW_MM]) - affine[:3, :3] @ ((shape - 1) / 2)
    i, j, k = (int(n) for n in shape)
    return Grid((i, j, k), affine)
