"""Rigid co-registration of one sequence to another of the same head.

Why it exists: patients move between sequences, and scanners' coordinates do not know it. The search is
coarse to fine on mutual information, restarted from a second start where the scanner's own
coordinates look wrong; whether the result may be used is decided in :mod:`.gate`.

Source: Mattes D et al., IEEE Trans Med Imaging 2003;22:120-128 (metric), through SimpleITK.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tumorboard.io.images import to_itk
from tumorboard.volume import Affine, Grid, Volume

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Search:
    """How the best motion is looked for; chosen on digital heads.

    Parameters
    ----------
    spacing_mm : tuple of float
        Grid of each level, coarse first.
    turns_deg : tuple of float
        Further starts of the coarsest level, turned about each axis by so much.
    bins : int
        Of the joint histogram.
    iterations : int
        Most at each level.
    """

    spacing_mm: tuple[float, ...] = (6.0, 3.0, 1.5)
    turns_deg: tuple[float, ...] = (-14.0, 14.0)
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
    >>> fit = register(head, head, np.ones(head.grid.shape, bool), search=Search((5.0,)))
    >>> bool(np.abs(fit.matrix - np.eye(4)).max() < 0.2)
    True
    """
    wanted = search or Search()
    fixed, mask = _itk(reference), _itk(Volume(region.astype(np.uint8), reference.grid))
    other = _itk(moving)
    centre = _LPS[:3, :3] @ _middle(region, reference.grid)
    levels = wanted.spacing_mm
    tried: list[tuple[float, int, Any]] = []
    for guess in [start] if start is not None else _starts(reference, moving, region, wanted):
        transform = _euler(_LPS @ guess @ _LPS, centre)
        tried.append((_level(fixed, mask, other, transform, levels[0], wanted), len(tried), transform))
    information, _, transform = max(tried)
    for level in levels[1:]:
        _level(fixed, mask, other, transform, level, wanted)
    information = _level(fixed, mask, other, transform, levels[-1], wanted, polish=True)
    return Fit(_LPS @ _matrix(transform) @ _LPS, information)


def _starts(reference: Volume, moving: Volume, region: NDArray[np.bool_], search: Search) -> list[Affine]:
    """Return first guesses: the scanner's coordinates, centres of signal on each other, and turns of these."""
    centre = _middle(region, reference.grid)
    shift = np.eye(4)
    shift[:3, 3] = _centre_of_signal(moving) - _centre_of_signal(reference)
    out = [np.eye(4), shift]
    for axis in range(3):
        for angle in search.turns_deg:
            turned = np.eye(4)
            turned[:3, :3] = Rotation.from_euler("xyz"[axis], angle, degrees=True).as_matrix()
            turned[:3, 3] = centre - turned[:3, :3] @ centre
            out += [turned, shift @ turned]
    return out


def _centre_of_signal(volume: Volume) -> NDArray[np.float64]:
    """Return the centre of what is brighter than the mean, RAS mm: where the head lies."""
    thin = volume.data[::2, ::2, ::1]
    places = np.argwhere(thin > thin.mean()) * (2, 2, 1)
    return np.asarray(volume.grid.to_world([places.mean(axis=0)])[0])


def _itk(volume: Volume) -> Any:
    data = volume.data.astype(np.float32) if volume.data.dtype != np.uint8 else volume.data
    return to_itk(Volume(data, volume.grid))


def _level(
    fixed: Any, mask: Any, moving: Any, transform: Any, spacing: float, search: Search, polish: bool = False
) -> float:
    """Search at one scale; ``transform`` is changed in place."""
    import SimpleITK as sitk

    small, small_mask, other = _shrunk(fixed, spacing), _shrunk(mask, spacing), _shrunk(moving, spacing)
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # sums over threads would depend on the machine
    method.SetMetricAsMattesMutualInformation(search.bins)
    method.SetMetricFixedMask(sitk.Cast(small_mask > 0, sitk.sitkUInt8))
    # every voxel, no samples: samples lie between voxels, and between thick slices that biases the optimum
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetInterpolator(sitk.sitkLinear)
    if polish:  # the gradient of the histogram is only roughly right between thick slices
        method.SetOptimizerAsPowell(numberOfIterations=3, maximumLineIterations=12, stepLength=0.4, stepTolerance=0.02)
    else:
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
