"""From a tumour core to a label map: an enhancing rim, necrosis inside, oedema in the white matter around.

Why it exists: what a reader outlines is not cell density. Oedema is fluid that leaks from the core and
runs along white matter; necrosis is what lies too deep to be fed. Both are our simplifications
(chosen); there is no mass effect, no haemorrhage and no cavity.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from tumorboard.labels import LabelMap, Tissue
from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.disease.coarse import doubled, halved, is_fine
from tumorboard.simulate.disease.diffusion import along_fibres, conductances, steady_state
from tumorboard.simulate.disease.growth import GrowthParameters, first_ml, solid_tissue
from tumorboard.simulate.fields import Float, Mask, smooth_field
from tumorboard.volume import Grid

LEAST_DEPTH = 1.8
"""Voxels; what lies deeper shares no face with what is not core."""


def oedema(core: Mask, head: Anatomy, rng: np.random.Generator, parameters: GrowthParameters) -> Float:
    """Let fluid leak out of the core: the steady state of diffusion with uptake.

    Parameters
    ----------
    core : ndarray of bool, shape (i, j, k)
        Where fluid comes from.
    head : Anatomy
        White matter conducts it, grey matter hardly, CSF swallows it.
    rng : numpy.random.Generator
        Source of unevenness.
    parameters : GrowthParameters
        ``leak_mm`` and ``leak_grey``.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        Fluid, 1 in the core, 0 far away.

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> rng = np.random.default_rng(0)
    >>> head = draw_anatomy(rng, 6.0)
    >>> core = ((head.mni_mm - np.reshape([30, 0, 30], (3, 1, 1, 1))) ** 2).sum(axis=0) < 15**2
    >>> fluid = oedema(core, head, rng, GrowthParameters())
    >>> bool(fluid[core].min() > 0.9), float(fluid[~head.brain].max())
    (True, 0.0)
    """
    if is_fine(head):
        two = (slice(None, None, 2),) * 3
        coarse = oedema(ndi.maximum_filter(core, 2)[two], halved(head), rng, parameters)
        return doubled(coarse, head.grid.shape) * solid_tissue(head)
    around = _margin(core, 4.0 * parameters.leak_mm, head.grid)
    uneven = np.exp(0.9 * np.clip(smooth_field(head.grid, 24.0, rng)[around], -2.0, 2.0))
    solid, inside = solid_tissue(head)[around], core[around].astype(np.float32)
    speed = (head.wm + parameters.leak_grey * head.gm)[around] * solid * uneven
    conduct = along_fibres(conductances(speed, head.grid.spacing_mm))
    source = np.float32(100.0 / min(head.grid.spacing_mm) ** 2) * inside
    uptake = source + np.float32(1.0 / parameters.leak_mm**2)
    whole = np.zeros(head.grid.shape, dtype=np.float32)
    whole[around] = np.maximum(steady_state(conduct, uptake, source), 0.0)
    return whole


def tumour_labels(
    core: Mask,
    whole_ml: float,
    head: Anatomy,
    rng: np.random.Generator,
    parameters: GrowthParameters,
    necrotic_part: float | None = None,
) -> LabelMap:
    """Turn a core into labels: a ragged enhancing rim, necrosis inside, oedema around.

    Parameters
    ----------
    core : ndarray of bool, shape (i, j, k)
        Tumour core.
    whole_ml : float
        Volume of core and oedema together, mL.
    head : Anatomy
        Where oedema can go.
    rng : numpy.random.Generator
        Source of rim thickness and unevenness.
    parameters : GrowthParameters
        Rim and leak.
    necrotic_part : float, optional
        Necrosis as a part of the core, 0 to 1, as far as its depth allows; by the rim's thickness if left out.

    Returns
    -------
    LabelMap
        1 NETC, 2 SNFH, 3 ET.

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> rng = np.random.default_rng(0)
    >>> head = draw_anatomy(rng, 6.0)
    >>> core = ((head.mni_mm - np.reshape([30, 0, 30], (3, 1, 1, 1))) ** 2).sum(axis=0) < 15**2
    >>> labels = tumour_labels(core, 40.0, head, rng, GrowthParameters())
    >>> round(labels.volume_ml("WT"))
    40
    """
    depth = np.asarray(ndi.distance_transform_edt(core, sampling=head.grid.spacing_mm), dtype=np.float32)
    rim = parameters.rim_mm + parameters.rim_sd_mm * smooth_field(head.grid, 9.0, rng)
    least = np.float32(LEAST_DEPTH * max(head.grid.spacing_mm))  # no necrosis shares a face with what is not core
    fluid = oedema(core, head, rng, parameters)
    soft = ndi.gaussian_filter(fluid * (head.wm + 0.15 * head.gm), 1.6 / head.grid.spacing_mm[0])
    allowed = solid_tissue(head) & ~core
    spread = first_ml(soft, allowed & (fluid > 0), whole_ml - _ml(core, head.grid), head.grid)
    labels = np.zeros(head.grid.shape, dtype=np.uint8)
    labels[_largest_with(spread, core)] = Tissue.SNFH
    labels[core] = Tissue.ET
    labels[_necrosis(core & (depth > least), depth - rim, core, head.grid, necrotic_part)] = Tissue.NETC
    return LabelMap(labels, head.grid)


def _necrosis(deep: Mask, below_rim: Float, core: Mask, grid: Grid, part: float | None) -> Mask:
    if part is None:
        return deep & (below_rim > 0)
    return first_ml(below_rim, deep, part * _ml(core, grid), grid)


def _largest_with(spread: Mask, core: Mask) -> Mask:
    """Drop islands of oedema that do not touch the core, and close its pinholes."""
    parts, _ = ndi.label(spread | core)
    touching = np.unique(parts[core])
    return np.asarray(np.isin(parts, touching[touching > 0]) & ~core)


def _ml(mask: Mask, grid: Grid) -> float:
    return float(np.count_nonzero(mask)) * grid.voxel_volume_ml


def _margin(mask: Mask, margin_mm: float, grid: Grid) -> tuple[slice, slice, slice]:
    """Bounding box of a mask with a margin."""
    places = np.argwhere(mask)
    i, j, k = (
        slice(max(0, int(low - margin_mm / s)), min(n, int(high + margin_mm / s) + 2))
        for low, high, s, n in zip(places.min(0), places.max(0), grid.spacing_mm, grid.shape, strict=True)
    )
    return i, j, k
