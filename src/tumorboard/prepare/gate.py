"""May this registration be used? Two numbers, measured where the brain is, against a table.

Why it exists: an optimiser always returns a motion. A right one explains much of one image by the other
and gets clearly worse when it is moved a little; a wrong one fails one of the two. What fails is refused
and shown, never used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tumorboard.prepare.information import Pair
from tumorboard.volume import Affine, Volume

WORKING_MM = 3.0
NUDGE_MM, NUDGE_DEG = 4.0, 4.0
"""Grid, and how far a motion is nudged along and about each axis; chosen."""


@dataclass(frozen=True)
class Limits:
    """What a right motion reaches; chosen on digital heads of seeds that ``benchmarks/register.py`` does not use.

    Parameters
    ----------
    shared : float
        Least mutual information as a part of the smaller entropy of the two images.
    drop : float
        Least relative loss of mutual information under the nudge that costs least.
    cover : float
        Least part of the brain that lies inside the moving image.
    """

    shared: float = 0.08
    drop: float = 0.12
    cover: float = 0.75


LIMITS = Limits()


@dataclass(frozen=True)
class FitQuality:
    """What was measured of a motion.

    Parameters
    ----------
    shared, drop, cover : float
        See :class:`Limits`.
    moved_mm, turned_deg : float
        How far the middle of the brain moved, and the angle of the turn; told, not judged.
    """

    shared: float
    drop: float
    cover: float
    moved_mm: float
    turned_deg: float

    def refusal(self, limits: Limits = LIMITS) -> str:
        """Return why the motion must not be used; empty when it may.

        Examples
        --------
        >>> FitQuality(0.3, 0.2, 1.0, 2.0, 1.0).refusal()
        ''
        >>> FitQuality(0.02, 0.2, 1.0, 2.0, 1.0).refusal()
        'the images share 0.020 of their information (least 0.08)'
        """
        told = []
        if self.shared < limits.shared:
            told.append(f"the images share {self.shared:.3f} of their information (least {limits.shared:g})")
        if self.drop < limits.drop:
            told.append(
                f"moving it by {NUDGE_MM:g} mm or {NUDGE_DEG:g}° costs {100 * self.drop:.0f} % of the shared "
                f"information (least {100 * limits.drop:.0f} %)"
            )
        if self.cover < limits.cover:
            told.append(f"{100 * self.cover:.0f} % of the brain lies inside it (least {100 * limits.cover:.0f} %)")
        return "; ".join(told)

    def as_json(self) -> dict[str, float]:
        """Return rounded numbers for ``quality.json``."""
        return {name: round(value, 4) for name, value in vars(self).items()}


def assess_fit(reference: Volume, moving: Volume, region: NDArray[np.bool_], matrix: Affine) -> FitQuality:
    """Measure a motion.

    Parameters
    ----------
    reference, moving : Volume
        Of the same head.
    region : ndarray of bool, shape of ``reference``
        Brain, with a margin.
    matrix : ndarray, shape (4, 4)
        From the world of the reference to that of the moving image, RAS mm.

    Returns
    -------
    FitQuality

    Examples
    --------
    >>> from scipy.ndimage import gaussian_filter
    >>> texture = gaussian_filter(np.random.default_rng(0).normal(size=(40, 40, 40)), 2.0)
    >>> head = Volume.of(1000 * texture, np.diag([3.0, 3.0, 3.0, 1.0]))
    >>> everywhere, away = np.ones(head.grid.shape, bool), np.eye(4)
    >>> away[0, 3] = 20.0
    >>> [assess_fit(head, head, everywhere, m).refusal() == "" for m in (np.eye(4), away)]
    [True, False]
    """
    pair = Pair.of(reference, moving, region, WORKING_MM)
    middle = pair.points.mean(axis=0)
    best, shared, cover = pair.information(matrix)
    nudged = [pair.information(matrix @ n)[0] for n in nudges(middle)]
    there = matrix[:3, :3] @ middle + matrix[:3, 3]
    angle = float(np.degrees(Rotation.from_matrix(matrix[:3, :3]).magnitude()))
    drop = 1.0 - max(nudged) / best if best > 0 else 0.0
    return FitQuality(shared, drop, cover, float(np.linalg.norm(there - middle)), angle)


def nudges(centre_mm: NDArray[np.float64]) -> list[Affine]:
    """Return twelve small motions: along and about each axis, both ways."""
    out = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            shift, turn = np.eye(4), np.eye(4)
            shift[axis, 3] = sign * NUDGE_MM
            turn[:3, :3] = Rotation.from_euler("xyz"[axis], sign * NUDGE_DEG, degrees=True).as_matrix()
            turn[:3, 3] = centre_mm - turn[:3, :3] @ centre_mm
            out += [shift, turn]
    return out
