"""A glioma at each of its visits: cavity, blood, residual tumour, recurrence and oedema, as label maps and matter.

Why it exists: :mod:`.treatment` says how much of what there is; here it gets its place. Recurrence starts from what
was left, or from the wall of the cavity, always on the same side of it in one patient.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage as ndi

from tumorboard.labels import LabelMap, Tissue
from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.disease.glioma import Glioma
from tumorboard.simulate.disease.growth import core_mask, first_ml, solid_tissue
from tumorboard.simulate.disease.lesion import tumour_labels
from tumorboard.simulate.disease.treatment import Visit
from tumorboard.simulate.fields import Float, Mask, smooth_field
from tumorboard.simulate.scanner.mixture import BLUR_MM, State

BLOOD_MM = 2.2
"""Thickness of blood at the wall of a fresh cavity, mm (chosen)."""

UNEVEN = 0.25
"""Standard deviation in space of the share of inflamed tissue (chosen)."""


@dataclass(frozen=True)
class Bed:
    """Where a patient's tumour lies, the same at all visits.

    Parameters
    ----------
    glioma : Glioma
        What it is.
    head : Anatomy
        Whose.
    core : ndarray of bool, shape (i, j, k)
        Core at the first visit.
    order : ndarray of float32, shape (i, j, k)
        Days of arrival: what surgery removes first.
    bumps : ndarray of float32, shape (i, j, k)
        Where recurrence is likely.
    """

    glioma: Glioma
    head: Anatomy
    core: Mask
    order: Float
    bumps: Float


def lay_bed(glioma: Glioma, head: Anatomy, days: Float, rng: np.random.Generator) -> Bed:
    """Draw the core of the first visit and where the tumour will come back.

    Parameters
    ----------
    glioma : Glioma
        What it is.
    head : Anatomy
        Where.
    days : ndarray of float32, shape (i, j, k)
        From :func:`tumorboard.simulate.disease.glioma.grown`.
    rng : numpy.random.Generator
        Source.

    Returns
    -------
    Bed
    """
    several = glioma.form.value == "multifocal"
    core = core_mask(days, head, glioma.core_ml, rng, glioma.growth, pieces=3 if several else 1)
    return Bed(glioma, head, core, days, smooth_field(head.grid, 22.0, rng))


def state_at(bed: Bed, visit: Visit, removed: float, rng: np.random.Generator) -> State:
    """Return what is there at a visit.

    Parameters
    ----------
    bed : Bed
        The patient's.
    visit : Visit
        How much of what.
    removed : float
        Part of the core that surgery took.
    rng : numpy.random.Generator
        Source of what differs between visits.

    Returns
    -------
    State
        On the head's grid, before displacement.
    """
    glioma, head = bed.glioma, bed.head
    cavity = _cavity(bed, removed, visit.cavity)
    core = bed.core if visit.cavity == 0 and visit.core == 1.0 else _core(bed, cavity, visit)
    whole_ml = _ml(core, head) + visit.oedema * (glioma.whole_ml - glioma.core_ml)
    near = core if core.any() else ndi.binary_dilation(cavity) & solid_tissue(head)
    labels = _labels(bed, near, whole_ml, rng, empty=not core.any())
    labels[cavity] = Tissue.RC
    truth = LabelMap(labels, head.grid)
    look = replace(glioma.look, gd=glioma.look.gd * visit.gd)
    state = State.of_labels(truth, look, **glioma.matters)
    extras = {**_inflamed(bed, truth, visit), **_extras(bed, cavity, core, visit)}
    return replace(state, painted={**state.painted, **extras})


def _labels(bed: Bed, core: Mask, whole_ml: float, rng: np.random.Generator, empty: bool) -> np.ndarray:
    glioma, head = bed.glioma, bed.head
    part = glioma.necrotic_part if glioma.enhances else 1.0
    labels = tumour_labels(core, whole_ml, head, rng, glioma.growth, part).data.copy()
    if empty:
        labels[core] = Tissue.SNFH
    elif not glioma.enhances:
        labels[labels == Tissue.ET] = Tissue.NETC
    return labels


def _cavity(bed: Bed, removed: float, size: float) -> Mask:
    """Return the first part of the core by its order, some of it closed again."""
    if size == 0 or removed == 0 or not bed.core.any():
        return np.zeros_like(bed.core)
    volume = removed * _ml(bed.core, bed.head)
    taken = first_ml(-bed.order, bed.core, volume, bed.head.grid)
    taken = ndi.binary_closing(np.pad(taken, 2), iterations=2)[2:-2, 2:-2, 2:-2] & bed.core
    if size == 1.0:
        return np.asarray(taken)
    depth = ndi.distance_transform_edt(taken, sampling=bed.head.grid.spacing_mm)
    return first_ml(np.asarray(depth, np.float32), taken, size * _ml(taken, bed.head), bed.head.grid)


def _core(bed: Bed, cavity: Mask, visit: Visit) -> Mask:
    """Return so much core: next to what was left, or to the cavity's wall."""
    volume = visit.core * _ml(bed.core, bed.head)
    if volume < bed.head.grid.voxel_volume_ml:
        return np.zeros_like(bed.core)
    rest = bed.core & ~ndi.binary_dilation(cavity, iterations=1) if cavity.any() else bed.core
    from_what = rest if _ml(rest, bed.head) > 0.3 else ndi.binary_dilation(cavity) | rest
    away = ndi.distance_transform_edt(~from_what, sampling=bed.head.grid.spacing_mm)
    inner = ndi.distance_transform_edt(from_what, sampling=bed.head.grid.spacing_mm)
    score = np.asarray(inner - away + 5.0 * bed.bumps, dtype=np.float32)
    core = first_ml(score, solid_tissue(bed.head) & ~cavity, volume, bed.head.grid)
    parts, found = ndi.label(core)
    if found > 1:
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        core = np.isin(parts, np.flatnonzero(sizes >= max(0.05 * sizes.max(), 8)))
    return np.asarray(core)


def _inflamed(bed: Bed, truth: LabelMap, visit: Visit) -> dict[str, Float]:
    """Return the share of what enhances that treatment brought about; it lies unevenly between tumour."""
    at = truth.data == Tissue.ET
    if visit.treated == 0 or not at.any():
        return {}
    share = np.clip(visit.treated + UNEVEN * bed.bumps, 0.0, 1.0) * at
    soft = ndi.gaussian_filter(np.asarray(share, np.float32), [BLUR_MM / s for s in bed.head.grid.spacing_mm])
    return {"inflamed": soft}


def _extras(bed: Bed, cavity: Mask, core: Mask, visit: Visit) -> dict[str, Mask | Float]:
    """Return blood at the wall of a fresh cavity, and calcium in the core."""
    extras: dict[str, Mask | Float] = {}
    if visit.blood and cavity.any():
        around = ndi.distance_transform_edt(~cavity, sampling=bed.head.grid.spacing_mm) <= BLOOD_MM
        extras["methaemoglobin"] = np.asarray(around & ~cavity & (bed.bumps > -0.3) & solid_tissue(bed.head))
    if bed.glioma.calcified and core.any():
        extras["calcium"] = np.asarray(0.5 * (core & (bed.bumps > 1.5)), dtype=np.float32)
    return extras


def _ml(mask: Mask, head: Anatomy) -> float:
    return float(np.count_nonzero(mask)) * head.grid.voxel_volume_ml
