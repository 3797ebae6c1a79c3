"""How much of which tissue lies in each voxel: the one description that every image of a study is made from.

Why it exists: T1, FLAIR, diffusion, perfusion, PET and CT of one study must show the same thing. A state of disease
is painted over the healthy head; partial volume is a share, not a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage as ndi

from tumorboard.labels import LabelMap, Tissue
from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.body.background import Background
from tumorboard.simulate.fields import Float, Mask
from tumorboard.simulate.look import Look
from tumorboard.volume import Grid, box_around

ROUGHNESS: dict[str, float] = {
    "oedema": 0.17,
    "infiltrate": 0.17,
    "microcystic": 0.09,
    "vital": 0.19,
    "metastasis": 0.13,
    "lymphoma": 0.06,
    "necrosis": 0.18,
    "radionecrosis": 0.18,
    "inflamed": 0.18,
}
"""Relative texture of tumour tissues (chosen near the variation within regions of UPENN-GBM)."""

THROUGH = frozenset({"oedema", "infiltrate"})
"""Tissues that fill the brain between sulci: fluid stays fluid."""

OWN: dict[str, float] = {"oedema": 0.0, "necrosis": 1.8}
"""Power of a patient's own factors in some tissues, 1 in others: oedema is water from healthy vessels, necrosis is of
every kind (chosen near the spread between patients of UPENN-GBM)."""

BLUR_MM = 0.9
"""Standard deviation of the blur of masks that makes partial volume."""

OEDEMA_PART, OEDEMA_SPREAD = 0.8, 0.3
"""Of a voxel called oedema so much is oedema, and its standard deviation in space; the rest is the tissue it runs
through (chosen near the variation within oedema of UPENN-GBM)."""


@dataclass(frozen=True)
class State:
    """A tumour at one visit, before any image is made.

    Parameters
    ----------
    truth : LabelMap
        1 NETC, 2 SNFH, 3 ET, 4 RC.
    painted : mapping of str to ndarray
        Where each matter lies, in the order of painting: masks, or shares from 0 to 1.
    look : Look
        Of its tissues.
    """

    truth: LabelMap
    painted: Mapping[str, Mask | Float]
    look: Look = field(default_factory=Look)

    @classmethod
    def of_labels(cls, truth: LabelMap, look: Look | None = None, **instead: str) -> State:
        """Return the state of an ordinary glioblastoma; matters of labels may be given ``instead``.

        Examples
        --------
        >>> labels = LabelMap.of(np.array([[[1, 2, 3]]], np.uint8), np.eye(4))
        >>> list(State.of_labels(labels, SNFH="infiltrate").painted)
        ['infiltrate', 'necrosis', 'vital']
        """
        matter = {"SNFH": "oedema", "NETC": "necrosis", "ET": "vital", "RC": "cavity", **instead}
        painted: dict[str, Mask | Float] = {}
        for label, name in matter.items():
            mask = truth.data == Tissue[label]
            if mask.any():
                painted[name] = mask
        return cls(truth, painted, look or Look())


@dataclass(frozen=True)
class Mixture:
    """Shares of matter on a grid.

    Parameters
    ----------
    grid : Grid
        RAS mm.
    parts : mapping of str to ndarray
        Share of each matter, float32, shape (i, j, k); they sum to 1 in the brain.
    texture, tumour : ndarray
        Relative texture of healthy tissue, and of tumour (standard deviation 1).
    look : Look
        Of tumour tissue.
    """

    grid: Grid
    parts: Mapping[str, Float]
    texture: Float
    tumour: Float
    look: Look

    def rough(self, at: Mask) -> Float:
        """Return the texture of tumour in the voxels of a mask, with the patient's own strength and skewness."""
        texture, bend = self.tumour[at], np.float32(self.look.bend)
        bent = np.clip(texture + bend * (texture**2 - 1.0), -3.5, 3.5)
        return np.asarray(bent * (self.look.rough / np.sqrt(1.0 + 2.0 * bend**2)), dtype=np.float32)


def mixed(head: Anatomy, background: Background, state: State, blur_mm: float = BLUR_MM) -> Mixture:
    """Paint a state over a healthy head.

    Parameters
    ----------
    head : Anatomy
        Healthy head.
    background : Background
        What it carries.
    state : State
        On the head's grid.
    blur_mm : float
        Standard deviation of the blur of masks that makes partial volume, mm.

    Returns
    -------
    Mixture

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> from tumorboard.simulate.body.background import draw_background
    >>> rng = np.random.default_rng(0)
    >>> head = draw_anatomy(rng, 6.0)
    >>> healthy = State(LabelMap(np.zeros(head.grid.shape, np.uint8), head.grid), {})
    >>> mixture = mixed(head, draw_background(head, rng), healthy)
    >>> total = sum(mixture.parts.values())
    >>> bool(np.allclose(total[head.brain], 1.0, atol=1e-4))
    True
    """
    parts = _healthy(head, background)
    sigma = [blur_mm / s for s in head.grid.spacing_mm]
    for name, where in state.painted.items():
        _paint(parts, name, where, sigma, background.flow)
    return Mixture(head.grid, parts, background.texture, background.tumour, state.look)


def _healthy(head: Anatomy, background: Background) -> dict[str, Float]:
    """Tell what the average's T1 shows within a tissue (deep grey, myelin) as a share of white matter."""
    inside = head.brain
    design = np.stack([head.csf[inside], head.gm[inside], head.wm[inside]], axis=1)
    (fluid, grey, white), *_ = np.linalg.lstsq(design, head.t1[inside], rcond=None)
    left = head.t1 - fluid * head.csf - grey * head.gm - white * head.wm
    shift = np.clip(1.3 * left / (white - grey), -head.wm, head.gm)
    parts = {"gm": np.asarray(head.gm - shift, np.float32), "wm": np.asarray(head.wm + shift, np.float32)}
    parts["csf"] = head.csf.copy()
    _over(parts, "gliosis", background.ageing * (1.0 - head.csf))
    _over(parts, "csf", background.spaces)
    for name, share in (*head.others.items(), ("plexus", head.plexus), ("vessel", head.vessels)):
        _over(parts, name, share)
    return parts


def _paint(parts: dict[str, Float], name: str, where: Mask | Float, sigma: list[float], flow: Float) -> None:
    box = box_around(where > 0)
    if box is None:
        return
    margin = [int(np.ceil(4 * s)) + 1 for s in sigma]
    wide = tuple(slice(max(0, b.start - m), b.stop + m) for b, m in zip(box, margin, strict=True))
    part = where[wide]
    share = ndi.gaussian_filter(part.astype(np.float32), sigma) if part.dtype == np.bool_ else part.astype(np.float32)
    if name in THROUGH:
        filled = np.clip(OEDEMA_PART + OEDEMA_SPREAD * flow[wide], 0.15, 1.0)
        share = filled * share * (1.0 - parts["csf"][wide])
    inside = sum(p[wide] for p in parts.values()) > 0  # outside the brain nothing is painted
    inner = {n: p[wide] for n, p in parts.items()}
    new = parts.setdefault(name, np.zeros_like(parts["csf"]))
    _over({**inner, name: new[wide]}, name, np.asarray(share * inside, np.float32))


def _over(parts: dict[str, Float], name: str, share: Float) -> None:
    """Lay a share of one matter over what is there; arrays are changed in place."""
    left = 1.0 - share
    for part in parts.values():
        np.multiply(part, left, out=part)
    if name in parts:
        parts[name] += share
    else:
        parts[name] = share.copy()
