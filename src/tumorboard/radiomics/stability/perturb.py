"""The same tumour, imaged and outlined again: turned, shifted, noisier, and with another outline.

Why it exists: rescanning patients to see which features are stable is rarely possible; perturbing their images nearly
is. Turning and shifting go together with the interpolation to the features' grid, so nothing is interpolated twice,
and the turned grid keeps its true place in space.

Source: Zwanenburg A et al., Sci Rep 2019;9:614: noise, rotation in the axial plane, translation by a part of a voxel,
volume adaptation and contour randomisation, chained in this order. How far each goes is chosen here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage as ndi

from tumorboard.errors import InputError
from tumorboard.radiomics.extract import check_grids, made_filters, margin_of
from tumorboard.radiomics.region import Float, Mask
from tumorboard.radiomics.scheme.cut import normalised
from tumorboard.radiomics.settings import RadiomicsSettings
from tumorboard.radiomics.stability.noise import noise_sd
from tumorboard.radiomics.stability.outline import grown, redrawn
from tumorboard.radiomics.stability.turn import Turned, turned
from tumorboard.volume import Volume

DEGREE: dict[str, Literal[0, 1, 3]] = {"nearest": 0, "linear": 1, "cubic": 3}


@dataclass(frozen=True)
class Ranges:
    """How far each perturbation goes; 0 leaves it out. All chosen.

    Parameters
    ----------
    rotation_deg : float
        Largest turn in the plane of i and j, either way.
    shift : float
        Largest translation along each axis, as a part of a voxel of the features' grid, 0 to 1.
    noise : float
        Standard deviation of added noise, as a multiple of that estimated from the image.
    growth : float
        Largest change of the outline's volume, as a share of it, either way.
    contour_mm : float
        Standard deviation of the outline's wavering.

    Raises
    ------
    InputError
        A value is negative, or a shift or a growth reaches beyond 1.
    """

    rotation_deg: float = 10.0
    shift: float = 1.0
    noise: float = 1.0
    growth: float = 0.15
    contour_mm: float = 1.0

    def __post_init__(self) -> None:
        values = (self.rotation_deg, self.shift, self.noise, self.growth, self.contour_mm)
        if min(values) < 0 or self.shift > 1 or self.growth >= 1:
            raise InputError("ranges from 0, shift up to 1, growth below 1", got=str(self), where="perturbation")


@dataclass(frozen=True)
class Perturbed:
    """One perturbation of an image and an outline.

    Parameters
    ----------
    image, mask : Volume
        A box around the region, on the features' grid, turned and shifted.
    settings : RadiomicsSettings
        To extract with: normalisation is done, and interpolation finds its grid.
    rotation_deg, growth : float
        As drawn.
    noise : float
        Standard deviation of the noise that was added, in the unit of the (normalised) image.
    """

    image: Volume
    mask: Volume
    settings: RadiomicsSettings
    rotation_deg: float
    growth: float
    noise: float


def perturbed(
    image: Volume,
    mask: Volume,
    settings: RadiomicsSettings,
    rng: np.random.Generator,
    ranges: Ranges | None = None,
    repeats: int = 10,
) -> Iterator[Perturbed]:
    """Perturb an image and an outline again and again.

    Parameters
    ----------
    image : Volume
        Any unit.
    mask : Volume
        Voxels that are not 0 are the region; same grid.
    settings : RadiomicsSettings
        Of the extraction that follows.
    rng : numpy.random.Generator
        Source of all that is drawn.
    ranges : Ranges, optional
        The defaults if left out.
    repeats : int
        How often.

    Yields
    ------
    Perturbed

    Raises
    ------
    GeometryError
        The grids differ.
    InputError
        The mask is empty.

    Examples
    --------
    >>> rng = np.random.default_rng(0); image = Volume.of(rng.normal(100, 10, (16, 16, 16)), np.eye(4))
    >>> ball = image.with_data((np.indices((16, 16, 16)) - 7.5).__pow__(2).sum(axis=0) < 20)
    >>> found = next(perturbed(image, ball, RadiomicsSettings(), rng, Ranges(growth=0.0, contour_mm=0.0)))
    >>> round(float(found.mask.data.sum() / ball.data.sum()), 1)
    1.0
    """
    how = ranges or Ranges()
    check_grids(image, mask)
    inside: Mask = np.asarray(mask.data) != 0
    if not inside.any():
        raise InputError("a region of at least one voxel", got="an empty one", where="perturbation")
    data: Float = np.asarray(image.data, dtype=np.float64)
    if settings.normalisation is not None:
        data = normalised(data, image, settings.normalisation)
    sd = how.noise * noise_sd(data, inside) if how.noise else 0.0
    done = settings.model_copy(update={"normalisation": None})
    for _ in range(repeats):
        degrees, change = how.rotation_deg * rng.uniform(-1, 1), how.growth * rng.uniform(-1, 1)
        shift = how.shift * rng.random(3)
        where = turned(image.grid, inside, settings, degrees, shift, margin_mm(image, inside, settings, how))
        pair = _sampled(data, inside, where, settings, sd, rng)
        drawn = _outlined(pair[1], where.grid.spacing_mm, change, how.contour_mm, rng)
        yield Perturbed(Volume(pair[0], where.grid), Volume(drawn, where.grid), done, degrees, change, sd)


def margin_mm(image: Volume, inside: Mask, settings: RadiomicsSettings, ranges: Ranges) -> tuple[float, ...] | None:
    """Return what filters and another outline need around a region along each axis, mm; None for all of the image."""
    spacing = settings.spacing_on(image.spacing_mm)
    voxels = margin_of(made_filters(settings), spacing)
    if voxels is None:
        return None
    radius = (0.75 / np.pi * float(inside.sum()) * np.prod(image.spacing_mm)) ** (1 / 3)
    more = radius * ranges.growth + 4 * ranges.contour_mm
    return tuple(float(m * s + more) for m, s in zip(voxels, spacing, strict=True))


def _sampled(
    data: Float, inside: Mask, where: Turned, settings: RadiomicsSettings, sd: float, rng: np.random.Generator
) -> tuple[Float, Mask]:
    """Return image and mask on the turned grid."""
    orders = settings.interpolation
    for_image, for_mask = (orders.image, orders.mask) if orders else ("cubic", "linear")
    source = data[where.source]
    if sd:
        source = source + sd * rng.standard_normal(source.shape)
    share = _placed(inside[where.source].astype(np.float64), where, DEGREE[for_mask])
    return _placed(source, where, DEGREE[for_image]), np.asarray(share >= 0.5 - 1e-9)


def _placed(source: Float, where: Turned, degree: Literal[0, 1, 3]) -> Float:
    shape = where.grid.shape
    placed = ndi.affine_transform(source, where.step, where.start, output_shape=shape, order=degree, mode="nearest")
    return np.asarray(placed)


def _outlined(
    mask: Mask, spacing_mm: tuple[float, float, float], change: float, contour_mm: float, rng: np.random.Generator
) -> Mask:
    if not mask.any():
        raise InputError("a region that survives interpolation", got="no voxel of it does", where="perturbation")
    if change:
        mask = grown(mask, spacing_mm, change, rng)
    return redrawn(mask, spacing_mm, contour_mm, rng) if contour_mm else mask
