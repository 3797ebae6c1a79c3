"""How bright each tissue is in each sequence: from the table of tissues, then varied far beyond it.

Why it exists: a network that has seen one contrast knows one scanner. Departments' protocols are the middle; around
them every tissue, enhancement and texture varies more than between hospitals (the idea of SynthSeg: Billot B et al.,
Med Image Anal 2023;86:102789). What makes a tissue what it is stays: enhancing tumour gains from T1 to T1C.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tumorboard.learn.draw.place import CORE, DENSE
from tumorboard.learn.pool.specimen import HEALTHY
from tumorboard.sequences import Sequence
from tumorboard.simulate.scanner.mixture import ROUGHNESS
from tumorboard.simulate.scanner.weighting import PROTOCOLS, table

Float = NDArray[np.float32]

WETTER = frozenset({Sequence.T2, Sequence.FLAIR})
"""Sequences in which fluid in tissue is bright."""


CORES = frozenset(
    {"vital", "necrosis", "metastasis", "lymphoma", "radionecrosis", "inflamed", CORE, DENSE, "microcystic"}
)
"""Matters of the tumour's core."""


SOLID = ("vital", "metastasis", "lymphoma", "inflamed")
"""Matters that are outlined because they enhance: they gain on T1C, however little."""


ENHANCING = frozenset({"vital", "necrosis", "metastasis", "lymphoma"})
"""Matters of tumours that enhance; a core beside none of them is a lower-grade glioma's."""


FLUIDS = frozenset({"csf", "cavity", "cyst"})
"""Matters that are fluid."""

WATERY = FLUIDS | {"necrosis"}
"""Those, and what is nearly fluid: darker than the brain on T1 in nearly every patient."""


@dataclass(frozen=True)
class Spread:
    """Standard deviations of natural logarithms, and chances; all chosen.

    Parameters
    ----------
    healthy, tumour : float
        Of the brightness of tissues, each sequence on its own.
    uptake, fainter : float
        Of what contrast agent adds, each tissue on its own; and by how much tumour takes up less than the table says
        (the table is brighter than real tumours on T1C, see ``benchmarks/realism.py``).
    darker : float
        Most that non-enhancing tumour is darkened on T1 and T1C, logarithm.
    faint : float
        Most that solid tumour and oedema are moved towards the brain on T1, as a share: on T1 alone many cannot be
        told from it, and a network that has only seen dark ones takes that for what tumour is.
    drier : float
        Most that core and enhancing tumour are darkened on T2 and FLAIR, logarithm; they are brightened by
        three quarters of it.
    solid : float
        Most that enhancing tumour is darkened there beyond its core: dense cells hold less water than oedema does.
    lifted : float
        Most that fluid is lifted towards white matter on T1 and FLAIR: no voxel of a real head is pure fluid, and
        few departments null it as the equations do.
    fluid : float
        Of fluid on FLAIR, which departments null more or less well.
    rim : float
        Of the brightness where cortex meets fluid, and white matter the ventricles.
    texture : float
        Factor of the texture of tumour.
    alike : float
        Chance that a lower-grade glioma looks the same from core to rim.
    """

    healthy: float = 0.04
    tumour: float = 0.13
    uptake: float = 0.4
    fainter: float = 0.85
    darker: float = 0.4
    faint: float = 1.0
    drier: float = 0.45
    solid: float = 0.25
    lifted: float = 0.6
    fluid: float = 0.6
    rim: float = 0.05
    texture: float = 1.2
    alike: float = 0.5


@dataclass(frozen=True)
class Contrast:
    """Brightness of tissues; white matter before contrast agent is near 1.

    Parameters
    ----------
    values : ndarray of float32, shape (sequences, matters)
        Signal.
    rough : ndarray of float32, shape (sequences, matters)
        Relative texture, with its sign.
    rims : ndarray of float32, shape (sequences, 2)
        Added where cortex meets fluid, and where white matter does.
    """

    values: Float
    rough: Float
    rims: Float


@cache
def _tables() -> tuple[dict[Sequence, dict[str, float]], ...]:
    used = (Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR, Sequence.BB)
    tables = [{s: table(s, protocol) for s in used} for protocol in PROTOCOLS.values()]
    for by_sequence in tables:
        for values in by_sequence.values():
            values[CORE] = 0.5 * (values["infiltrate"] + values["microcystic"])
            values[DENSE] = 0.5 * (values["gm"] + values["infiltrate"])
    return tuple(tables)


def draw_contrast(
    matters: tuple[str, ...], sequences: tuple[Sequence, ...], rng: np.random.Generator, spread: Spread | None = None
) -> Contrast:
    """Draw the brightness of every tissue in every sequence of one study.

    Parameters
    ----------
    matters : tuple of str
        Tissues.
    sequences : tuple of Sequence
        In the order of the network's channels.
    rng : numpy.random.Generator
        Source of everything.
    spread : Spread, optional
        The defaults if left out.

    Returns
    -------
    Contrast

    Examples
    --------
    >>> made = draw_contrast(("wm", "vital"), (Sequence.T1, Sequence.T1C), np.random.default_rng(0))
    >>> bool(made.values[1, 1] > made.values[0, 1])
    True
    """
    how = spread or Spread()
    one, two = (_tables()[int(n)] for n in rng.integers(len(_tables()), size=2))
    share = rng.random()
    mean = {s: {m: share * one[s][m] + (1 - share) * two[s][m] for m in matters} for s in _needed(sequences)}
    t1 = _apart(_varied(mean[Sequence.T1], how, rng), Sequence.T1)
    dark = float(np.exp(-rng.uniform(-0.1, how.darker)))
    t1 = _lifted({m: v if m in HEALTHY else v * dark for m, v in t1.items()}, 0.7 * how.lifted * rng.random())
    t1 = _faint(t1, how, rng)
    rows = []
    for s in sequences:
        if s in (Sequence.T1C, Sequence.BB):
            rows.append(_enhanced(t1, mean, s, how, rng))
        elif s is Sequence.T1:
            rows.append(t1)
        else:
            rows.append(_wet(_dried(_apart(_varied(mean[s], how, rng), s), how, rng), s, how, rng))
    if not ENHANCING.intersection(matters) and rng.random() < how.alike:
        rows = [_alike(row) for row in rows]
    values = np.array([[row[m] for m in matters] for row in rows], dtype=np.float32)
    return Contrast(values, _rough(matters, sequences, how, rng), _rims(sequences, how, rng))


def _alike(row: dict[str, float]) -> dict[str, float]:
    """Make core look like infiltrate: what says that such a tumour is solid is that nothing in it enhances."""
    return row | {CORE: row["infiltrate"]} if {CORE, "infiltrate"} <= set(row) else row


def _needed(sequences: tuple[Sequence, ...]) -> set[Sequence]:
    return {*sequences, Sequence.T1}


LEAST_CONTRAST = {Sequence.T1: 1 / 1.12, Sequence.T2: 1.12, Sequence.FLAIR: 1.06}
"""Grey over white matter at the least: where they are alike, normalising turns noise into contrast."""


def _apart(values: dict[str, float], s: Sequence) -> dict[str, float]:
    """Keep grey and white matter apart, in the order that the sequence is read by."""
    if "gm" not in values or "wm" not in values:
        return values
    bound = LEAST_CONTRAST[s] * values["wm"]
    return values | {"gm": min(values["gm"], bound) if s is Sequence.T1 else max(values["gm"], bound)}


def _varied(mean: dict[str, float], how: Spread, rng: np.random.Generator) -> dict[str, float]:
    return {m: v * float(np.exp(rng.normal(0, how.healthy if m in HEALTHY else how.tumour))) for m, v in mean.items()}


def _lifted(values: dict[str, float], share: float) -> dict[str, float]:
    """Move fluid and what is like it towards white matter by a share of the way."""
    white = values.get("wm", 1.0)
    return {m: v + share * (white - v) if m in FLUIDS and v < white else v for m, v in values.items()}


def _faint(t1: dict[str, float], how: Spread, rng: np.random.Generator) -> dict[str, float]:
    """Move what is solid in a tumour towards the brain's grey on T1, often nearly all the way; fluid half of it."""
    brain = 0.5 * (t1.get("gm", 1.0) + t1.get("wm", 1.0))
    common = rng.uniform(0.0, how.faint)
    out = dict(t1)
    for m in (m for m in t1 if m not in HEALTHY):
        share = float(np.clip(common + rng.normal(0, 0.15), 0.0, 1.0))
        out[m] += (0.5 if m in WATERY else 1.0) * share * (brain - out[m])
    return out


def _dried(values: dict[str, float], how: Spread, rng: np.random.Generator) -> dict[str, float]:
    """Make core and enhancing tumour of T2 and FLAIR drier, down to grey matter, or wetter than oedema."""
    whole = rng.uniform(-how.drier, 0.75 * how.drier)
    dry = {m: float(np.exp(whole + rng.uniform(-how.drier / 3, how.drier / 3))) for m in values if m in CORES}
    if "vital" in dry:
        dry["vital"] *= float(np.exp(-rng.uniform(0.0, how.solid)))
    return {m: v * dry.get(m, 1.0) for m, v in values.items()}


def _enhanced(
    t1: dict[str, float], mean: dict[Sequence, dict[str, float]], s: Sequence, how: Spread, rng: np.random.Generator
) -> dict[str, float]:
    """T1 and what contrast agent adds to it; vessels, plexus and dura from hardly anything to very bright."""
    out = {}
    common = rng.normal(-how.fainter, how.uptake / 2)
    for m, value in t1.items():
        gain = mean[s][m] / mean[Sequence.T1][m] - 1.0 if mean[Sequence.T1][m] > 0 else 0.0
        factor = float(np.exp((0.0 if m in HEALTHY else common) + rng.normal(0, how.uptake)))
        if m == "vessel" and s is Sequence.BB:
            out[m] = 0.3 * float(rng.random()) ** 2  # flow leaves a void, not always a clean one
        elif m in ("vessel", "dura"):
            out[m] = value * (1.0 + max(gain, 1.0) * factor) if gain > 0 else value
        else:
            out[m] = value * (1.0 + max(gain, 0.0) * factor)
    for m in (m for m in SOLID if m in out):
        out[m] = max(out[m], (1.12 + 0.2 * rng.random()) * t1[m], 1.02 * out.get("wm", 0.0))
    return out


def _wet(values: dict[str, float], s: Sequence, how: Spread, rng: np.random.Generator) -> dict[str, float]:
    if s is Sequence.FLAIR and "csf" in values:
        values["csf"] = (values["csf"] + 0.1) * float(np.exp(rng.normal(0, how.fluid)))
        values = _lifted(values, how.lifted * rng.random())
    for m in ("oedema", "infiltrate"):  # what is outlined there can be seen
        if s in WETTER and m in values:
            values[m] = max(values[m], (1.1 + 0.3 * rng.random()) * values.get("gm", 0.0))
    return values


def _rough(matters: tuple[str, ...], sequences: tuple[Sequence, ...], how: Spread, rng: np.random.Generator) -> Float:
    """Texture: brain the same in kind in all sequences, tumour in each its own, now and then turned round."""
    shared = rng.uniform(0.0, 0.05)
    out = np.empty((len(sequences), len(matters)), dtype=np.float32)
    for n, m in enumerate(matters):
        own = ROUGHNESS.get(m, 0.15) if m not in HEALTHY else 0.0
        for row in range(len(sequences)):
            sign = -1.0 if rng.random() < 0.25 else 1.0
            out[row, n] = shared if m in HEALTHY else sign * own * how.texture * rng.uniform(0.2, 1.4)
    return out


def _rims(sequences: tuple[Sequence, ...], how: Spread, rng: np.random.Generator) -> Float:
    size = np.array([2.0 if s is Sequence.FLAIR else 1.0 for s in sequences])[:, None]
    return np.asarray(np.abs(rng.normal(0, how.rim, (len(sequences), 2))) * size, dtype=np.float32)
