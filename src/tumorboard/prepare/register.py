"""Rigid co-registration of one sequence to another of the same head.

Why it exists: patients move between sequences, and scanners' coordinates do not know it. The search is
coarse to fine on mutual information, restarted from a second start where the scanner's own
coordinates look wrong; whether the result may be used is decided in :mod:`.gate`.

Source: Mattes D et al., IEEE Trans Med Imaging 2003;22:120-128 (metric), through SimpleITK.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from tumorboard.io.images import to_itk
from tumorboard.prepare.information import Pair
from tumorboard.prepare.steady import one_thread
from tumorboard.volume import Affine, Grid, Volume

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

POLISH_MM, RADIUS_MM = 0.4, 70.0
"""First step of the last search; a turn is counted in mm at this distance from the brain's middle (chosen)."""


@dataclass(frozen=True)
class Search:
    """How the best motion is looked for; chosen on digital heads.

    Parameters
    ----------
    spacing_mm : tuple of float
        Grid of each level, coarse first.
    polish_mm : float
        Grid of the last search, which goes without gradients.
    turns_deg, shifts_mm : tuple of float
        Starts that are looked at on the coarsest level: turned about each axis, shifted along each, by so much.
    starts : int
        The best of them, from which the coarsest level is searched.
    bins : int
        Of the joint histogram.
    iterations : int
        Most at each level.
    """

    spacing_mm: tuple[float, ...] = (6.0, 3.0)
    polish_mm: float = 1.5
    turns_deg: tuple[float, ...] = (-12.0, 12.0)
    shifts_mm: tuple[float, ...] = (-12.0, 0.0, 12.0)
    starts: int = 8
    bins: int = 48
    iterations: int = 100


@dataclass(frozen=True)
class Fit:
    """A motion and how good it looked to the search.

    Parameters
    ----------
    matrix : ndarray, shape (4, 4)
        From the world of the reference (RAS mm) to the world of the moving image (RAS mm).
    information : float
        Mutual information at the end, nats (higher is better).
    """

    matrix: Affine
    information: float


def register(
    reference: Volume,
    moving: Volume,
    region: NDArray[np.bool_],
    start: Affine | None = None,
    search: Search | None = None,
) -> Fit:
    """Find the rigid motion that lays a moving image onto a reference.

    Parameters
    ----------
    reference, moving : Volume
        Of the same head; any orientation and spacing.
    region : ndarray of bool, shape of ``reference``
        Where the images are compared (brain with a margin).
    start : ndarray, shape (4, 4), optional
        First guess; the scanner's own coordinates (identity) by default.
    search : Search, optional
        The defaults suit clinical heads.

    Returns
    -------
    Fit

    Examples
    --------
    >>> from scipy.ndimage import gaussian_filter
    >>> texture = gaussian_filter(np.random.default_rng(0).normal(size=(24, 24, 24)), 2.0)
    >>> head = Volume.of(1000 * texture, np.diag([5.0, 5.0, 5.0, 1.0]))
    >>> fit = register(head, head, np.ones(head.grid.shape, bool), search=Search((5.0,), 5.0))
    >>> bool(np.abs(fit.matrix - np.eye(4)).max() < 0.2)
    True
    """
    wanted = search or Search()
    mask = to_itk(Volume(region.astype(np.uint8), reference.grid))
    fixed, other = _itk(reference), _itk(moving)
    centre = _LPS[:3, :3] @ _middle(region, reference.grid)
    levels = wanted.spacing_mm
    tried: list[tuple[float, int, Any]] = []
    with one_thread():
        for guess in [start] if start is not None else _starts(reference, moving, region, wanted):
            transform = _euler(_LPS @ guess @ _LPS, centre)
            tried.append((_level(fixed, mask, other, transform, levels[0], wanted), len(tried), transform))
        _, _, transform = max(tried)
        for level in levels[1:]:
            _level(fixed, mask, other, transform, level, wanted)
    return _polished(Pair.of(reference, moving, region, wanted.polish_mm), _LPS @ _matrix(transform) @ _LPS)


def _polished(pair: Pair, start: Affine) -> Fit:
    """Search without gradients, which are only roughly right between thick slices (Powell's method)."""
    centre, cost = pair.points.mean(axis=0), pair.compare(start)
    powell: Any = minimize
    how = {"direc": POLISH_MM * np.eye(6), "xtol": 0.02, "ftol": 1e-6, "maxiter": 6}
    best = powell(lambda x: cost(start @ _small_motion(x, centre)), np.zeros(6), method="Powell", options=how)
    return Fit(start @ _small_motion(best.x, centre), -float(best.fun))


def _small_motion(x: NDArray[np.float64], centre: NDArray[np.float64]) -> Affine:
    """Return a motion about a point: three shifts in mm, three turns as mm on the brain's surface."""
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_rotvec(x[3:] / RADIUS_MM).as_matrix()
    motion[:3, 3] = centre - motion[:3, :3] @ centre + x[:3]
    return motion


def _starts(reference: Volume, moving: Volume, region: NDArray[np.bool_], search: Search) -> list[Affine]:
    """Return the best guesses around the scanner's coordinates, and around centres of signal on each other."""
    centre = _middle(region, reference.grid)
    turns = [np.eye(3)]
    turns += [Rotation.from_euler(a, d, degrees=True).as_matrix() for a in "xyz" for d in search.turns_deg]
    out = []
    for base in (np.zeros(3), _centre_of_signal(moving) - _centre_of_signal(reference)):
        for turn, shift in product(turns, product(search.shifts_mm, repeat=3)):
            guess = np.eye(4)
            guess[:3, :3] = turn
            guess[:3, 3] = centre - turn @ centre + base + shift
            out.append(guess)
    pair = Pair.of(reference, moving, region, search.spacing_mm[0])
    shared = [-pair.information(guess)[0] for guess in out]
    return [out[n] for n in np.argsort(shared, kind="stable")[: search.starts]]


def _centre_of_signal(volume: Volume) -> NDArray[np.float64]:
    """Return the centre of what is brighter than the mean, RAS mm: where the head lies."""
    thin = volume.data[::2, ::2, ::1]
    places = np.argwhere(thin > thin.mean()) * (2, 2, 1)
    return np.asarray(volume.grid.to_world([places.mean(axis=0)])[0])


def _itk(volume: Volume) -> Any:
    return to_itk(volume.with_data(volume.data.astype(np.float32)))


def _method(fixed: Any, mask: Any, moving: Any, spacing: float, search: Search) -> tuple[Any, Any, Any]:
    """Return the metric at one scale, and both images at that scale."""
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(search.bins)
    method.SetMetricFixedMask(sitk.Cast(_shrunk(mask, spacing) > 0, sitk.sitkUInt8))
    # every voxel, no samples: samples lie between voxels, and between thick slices that biases the optimum
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetInterpolator(sitk.sitkLinear)
    return method, _shrunk(fixed, spacing), _shrunk(moving, spacing)


def _level(fixed: Any, mask: Any, moving: Any, transform: Any, spacing: float, search: Search) -> float:
    """Search at one scale; ``transform`` is changed in place."""
    method, small, other = _method(fixed, mask, moving, spacing, search)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=0.5 * spacing,
        minStep=0.005 * spacing,
        numberOfIterations=search.iterations,
        relaxationFactor=0.6,
        gradientMagnitudeTolerance=1e-9,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(small, other)
    return -float(method.GetMetricValue())


def _shrunk(image: Any, spacing_mm: float) -> Any:
    """Average over blocks so that voxels are about ``spacing_mm``; axes that are coarser stay."""
    import SimpleITK as sitk

    factors = [max(1, round(spacing_mm / s)) for s in image.GetSpacing()]
    if max(factors) == 1:
        return image
    if image.GetPixelID() == sitk.sitkUInt8:
        return sitk.Cast(sitk.BinShrink(sitk.Cast(image, sitk.sitkFloat32), factors) > 0.5, sitk.sitkUInt8)
    return sitk.BinShrink(image, factors)


def _middle(region: NDArray[np.bool_], grid: Grid) -> NDArray[np.float64]:
    places = np.argwhere(region)
    return np.asarray(grid.to_world([places.mean(axis=0)])[0])


def _euler(matrix: Affine, centre: NDArray[np.float64]) -> Any:
    import SimpleITK as sitk

    transform = sitk.Euler3DTransform()
    transform.SetCenter([float(c) for c in centre])
    transform.SetMatrix([float(v) for v in matrix[:3, :3].ravel()], 1e-6)
    shift = matrix[:3, 3] - centre + matrix[:3, :3] @ centre
    transform.SetTranslation([float(v) for v in shift])
    return transform


def _matrix(transform: Any) -> Affine:
    linear = np.array(transform.GetMatrix()).reshape(3, 3)
    centre, shift = np.array(transform.GetCenter()), np.array(transform.GetTranslation())
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = shift + centre - linear @ centre
    return matrix
