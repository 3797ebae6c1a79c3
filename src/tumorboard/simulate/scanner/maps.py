"""Images beyond the four sequences: diffusion, perfusion over time, susceptibility, BOLD, amino-acid PET and CT.

Why it exists: published systems read them. Each is made from the same shares of tissue as T1 and FLAIR, with the
equations of :mod:`tumorboard.physics`, so that a fit to the series finds the map.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tumorboard.physics.perfusion import TwoCompartments, extended_tofts, population_input
from tumorboard.physics.relaxation import RELAXIVITY_R1, gradient_echo, spin_echo
from tumorboard.sequences import Sequence
from tumorboard.simulate.fields import Float
from tumorboard.simulate.scanner.matter import MATTERS, Matter
from tumorboard.simulate.scanner.mixture import OWN, ROUGHNESS, Mixture
from tumorboard.simulate.scanner.render import acquired, clean_signals
from tumorboard.simulate.scanner.sites import Site, blurred
from tumorboard.simulate.scanner.weighting import PROTOCOLS
from tumorboard.volume import Grid

B_VALUE, DIRECTIONS = 1000.0, 6
DSC_SECONDS, DCE_SECONDS, BOLD_SECONDS = 1.5, 5.0, 2.0
DSC_FRAMES, DCE_FRAMES, BOLD_FRAMES = 40, 36, 40
BOLUS_S = 15.0
"""Arrival of the bolus."""

DSC_TE_MS, DSC_FLIP_DEG, DSC_RATE = 30.0, 35.0, 35.0
"""Echo time, flip angle, and change of the transverse rate per blood volume and plasma concentration, L/(mmol s)
(chosen so that the signal of white matter falls by some 20 %)."""

SPREAD: dict[str, tuple[float, float]] = {
    **{"fa": (0.55, 0.75), "adc": (0.2, 0.25), "cbv": (0.55, 1.1)},
    **{"ktrans_min": (0.5, 0.7)},
}
"""Standard deviation of the natural logarithm of a property within vital tumour, and within its other tissues; 0.15
for properties not named (chosen near the variation within regions of UPENN-GBM)."""

TUMOUR = frozenset(ROUGHNESS)
"""Tissues that a patient's own factors apply to."""


@dataclass(frozen=True)
class Extra:
    """An image, or a series of images.

    Parameters
    ----------
    data : ndarray of float32, shape (i, j, k) or (i, j, k, t)
        Values.
    grid : Grid
        Of the first three axes.
    unit : str
        Of the values.
    axis : tuple of float
        Of the fourth: seconds, or b-values.
    directions : ndarray, shape (t, 3)
        Of diffusion gradients; empty otherwise.
    """

    data: Float
    grid: Grid
    unit: str
    axis: tuple[float, ...] = ()
    directions: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))


def parameter(mixture: Mixture, name: str) -> Float:
    """Return a property of tissue in every voxel.

    Parameters
    ----------
    mixture : Mixture
        Shares of tissue.
    name : str
        A number of :class:`Matter`: ``adc``, ``fa``, ``cbv``, ``ktrans_min``, ``ve``, ``fet``, ``met``, ``hu``.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        The mean over the tissues of a voxel; that of tumour varies with its texture.

    Examples
    --------
    >>> from tumorboard.simulate.patient import draw_course
    >>> course = draw_course(np.random.default_rng(7), 6.0)
    >>> adc = parameter(course.mixture(0), "adc")
    >>> 0.7 < float(np.median(adc[course.head.brain])) < 1.2
    True
    """
    out = np.zeros(mixture.grid.shape, dtype=np.float32)
    for key, share in mixture.parts.items():
        value = np.float32(value_of(mixture, key, name))
        if key in ROUGHNESS and name != "hu":
            spread = np.float32(SPREAD.get(name, (0.15, 0.15))[key != "vital"])
            at = share > 0
            texture = mixture.rough(at) if name == "adc" else np.clip(mixture.tumour[at], -2.5, 2.5)
            out[at] += value * share[at] * np.exp(spread * texture - spread**2 / 2)
        else:
            out += value * share
    return out


def value_of(mixture: Mixture, matter: str, name: str) -> float:
    """Return a property of one tissue in this patient."""
    value = float(getattr(MATTERS[matter], name))
    factors = {
        "adc": mixture.look.adc,
        "cbv": mixture.look.cbv,
        "ktrans_min": mixture.look.ktrans,
        "fa": mixture.look.fa,
    }
    return value * factors.get(name, 1.0) ** OWN.get(matter, 1.0) if matter in TUMOUR else value


def _series(mixture: Mixture, curve: Callable[[str, Matter], NDArray[np.float64]], frames: int) -> Float:
    """Sum over tissues of share times a curve over time."""
    out = np.zeros((*mixture.grid.shape, frames), dtype=np.float32)
    for name, share in mixture.parts.items():
        at = share > 0
        out[at] += share[at][:, None] * curve(name, MATTERS[name]).astype(np.float32)
    return out


def adc_map(mixture: Mixture, rng: np.random.Generator) -> Extra:
    """Return the apparent diffusion coefficient, with noise."""
    clean = parameter(mixture, "adc")
    noisy = blurred(clean, mixture.grid, 2.5) + _noise(mixture, rng, 0.03)
    return Extra(_inside(mixture, np.clip(noisy, 0.0, 4.0)), mixture.grid, "10^-3 mm2/s")


def fa_map(mixture: Mixture, rng: np.random.Generator) -> Extra:
    """Return fractional anisotropy, with noise."""
    noisy = blurred(parameter(mixture, "fa"), mixture.grid, 2.5) + _noise(mixture, rng, 0.02)
    return Extra(_inside(mixture, np.clip(noisy, 0.0, 1.0)), mixture.grid, "1")


def cbv_map(mixture: Mixture, rng: np.random.Generator) -> Extra:
    """Return blood volume relative to white matter, with noise."""
    relative = blurred(parameter(mixture, "cbv"), mixture.grid, 3.0) / MATTERS["wm"].cbv
    return Extra(_inside(mixture, np.clip(relative + _noise(mixture, rng, 0.1), 0.0, 40.0)), mixture.grid, "ratio")


def ktrans_map(mixture: Mixture, rng: np.random.Generator) -> Extra:
    """Return the transfer constant, with noise."""
    noisy = blurred(parameter(mixture, "ktrans_min"), mixture.grid, 2.5) + _noise(mixture, rng, 0.004)
    return Extra(_inside(mixture, np.clip(noisy, 0.0, 2.0)), mixture.grid, "1/min")


def dwi(mixture: Mixture, rng: np.random.Generator) -> Extra:
    """Return images at b = 0 and 1000 s/mm² (mean over directions)."""
    values = np.array([0.0, B_VALUE])

    def curve(name: str, matter: Matter) -> NDArray[np.float64]:
        s0 = spin_echo(matter.water, matter.t1(3.0), matter.t2(3.0), 5000.0, 80.0)
        return np.asarray(1000.0 * s0 * np.exp(-values * 1e-3 * value_of(mixture, name, "adc")))

    data = _series(mixture, curve, 2)
    return Extra(_rician(data, mixture, rng, 3.0), mixture.grid, "a.u.", tuple(values))


def dti(mixture: Mixture, rng: np.random.Generator) -> Extra:
    """Return one image at b = 0 and six at 1000 s/mm² along directions (see :func:`main_direction`)."""
    half = np.array([[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]]) / np.sqrt(2.0)
    along = main_direction(mixture)
    s0 = np.zeros(mixture.grid.shape, dtype=np.float32)
    for name, share in mixture.parts.items():
        matter = MATTERS[name]
        s0 += share * np.float32(1000.0 * spin_echo(matter.water, matter.t1(3.0), matter.t2(3.0), 6000.0, 85.0))
    md, fa = parameter(mixture, "adc"), np.clip(parameter(mixture, "fa"), 0.0, 0.95)
    # axially symmetric tensor of mean md and anisotropy fa
    ratio = fa / np.sqrt(3.0 - 2.0 * fa**2)
    across, extra = md * (1.0 - ratio), 3.0 * md * ratio
    data = np.empty((*mixture.grid.shape, 1 + len(half)), dtype=np.float32)
    data[..., 0] = s0
    for n, g in enumerate(half, 1):
        towards = np.tensordot(g.astype(np.float32), along, axes=1) ** 2
        data[..., n] = s0 * np.exp(-B_VALUE * 1e-3 * (across + extra * towards))
    axis = (0.0, *(B_VALUE for _ in half))
    directions = np.vstack([np.zeros(3), half])
    return Extra(_rician(data, mixture, rng, 3.0), mixture.grid, "a.u.", axis, directions)


def main_direction(mixture: Mixture) -> Float:
    """Return the main direction of fibres, shape (3, i, j, k), unit length.

    Across in the midline, upwards in the pyramidal tract, front to back elsewhere: a cartoon (chosen).
    """
    grid = mixture.grid
    mm = np.indices(grid.shape, dtype=np.float32)
    x, y, z = (mm[a] * grid.affine[a, a] + grid.affine[a, 3] for a in range(3))
    across = np.exp(-((x / 14.0) ** 2))
    upwards = np.exp(-(((np.abs(x) - 24.0) / 8.0) ** 2) - ((y + 18.0) / 16.0) ** 2)
    along = 0.35 * np.ones_like(x)
    vector = np.stack([across, along, upwards + 0.15 * np.sin(z / 20.0)])
    return np.asarray(vector / np.linalg.norm(vector, axis=0), dtype=np.float32)


def dsc(mixture: Mixture, rng: np.random.Generator) -> Extra:
    """Return a gradient-echo series during a second bolus: blood volume, and what T1 effects the preload left."""
    times = np.arange(DSC_FRAMES) * DSC_SECONDS
    plasma = population_input(times, BOLUS_S)

    def curve(name: str, matter: Matter) -> NDArray[np.float64]:
        cbv, ktrans = (value_of(mixture, name, n) for n in ("cbv", "ktrans_min"))
        leaked = extended_tofts(times, plasma, _compartments(ktrans, matter.ve, 0.0))
        rate = DSC_RATE * plasma * min(cbv, 30.0) / 100.0
        t1 = 1e3 / (1e3 / matter.t1(3.0) + RELAXIVITY_R1[3.0] * (leaked + matter.gd_mmol_l))
        signal = gradient_echo(matter.water, t1, np.full_like(t1, matter.t2star_ms), 1500.0, DSC_TE_MS, DSC_FLIP_DEG)
        return np.asarray(1000.0 * signal * np.exp(-rate * DSC_TE_MS * 1e-3))

    return Extra(_rician(_series(mixture, curve, DSC_FRAMES), mixture, rng, 3.0), mixture.grid, "a.u.", tuple(times))


def dce(mixture: Mixture, rng: np.random.Generator) -> Extra:
    """Return a T1-weighted series during uptake (extended Tofts)."""
    times = np.arange(DCE_FRAMES) * DCE_SECONDS
    plasma = population_input(times, 4 * BOLUS_S)

    def curve(name: str, matter: Matter) -> NDArray[np.float64]:
        vp = value_of(mixture, name, "cbv") / 100.0 * 0.55
        ktrans = value_of(mixture, name, "ktrans_min")
        concentration = extended_tofts(times, plasma, _compartments(ktrans, matter.ve, min(vp, 0.3)))
        t1 = 1e3 / (1e3 / matter.t1(3.0) + RELAXIVITY_R1[3.0] * concentration)
        signal = gradient_echo(matter.water, t1, np.full_like(t1, matter.t2star_ms), 5.0, 1.8, 15.0)
        return np.asarray(8000.0 * signal)

    return Extra(_rician(_series(mixture, curve, DCE_FRAMES), mixture, rng, 3.0), mixture.grid, "a.u.", tuple(times))


def _compartments(ktrans_min: float, ve: float, vp: float) -> TwoCompartments:
    return TwoCompartments(np.asarray(ktrans_min), np.asarray(max(ve, 1e-3)), np.asarray(vp))


def bold(mixture: Mixture, rng: np.random.Generator) -> Extra:
    """Return a resting series in which healthy cortex fluctuates and tumour does not."""
    times = np.arange(BOLD_FRAMES) * BOLD_SECONDS
    rhythm = np.cumsum(rng.standard_normal(BOLD_FRAMES))
    rhythm = 0.015 * (rhythm - rhythm.mean()) / max(float(rhythm.std()), 1e-6)

    def curve(name: str, matter: Matter) -> NDArray[np.float64]:
        still = 1000.0 * gradient_echo(matter.water, matter.t1(3.0), matter.t2star_ms, BOLD_SECONDS * 1e3, 30.0, 75.0)
        return np.asarray(still * (1.0 + (rhythm if name == "gm" else 0.2 * rhythm if name == "wm" else 0.0 * rhythm)))

    return Extra(_rician(_series(mixture, curve, BOLD_FRAMES), mixture, rng, 4.0), mixture.grid, "a.u.", tuple(times))


def pet(mixture: Mixture, rng: np.random.Generator, tracer: str) -> Extra:
    """Return uptake of an amino acid as a ratio to normal brain; ``tracer`` is ``fet`` or ``met``."""
    clean = blurred(parameter(mixture, tracer), mixture.grid, 5.0)
    noisy = clean * (1.0 + blurred(_noise(mixture, rng, 0.9), mixture.grid, 4.0))
    return Extra(_inside(mixture, np.clip(noisy, 0.0, None)), mixture.grid, "ratio")


def ct(mixture: Mixture, rng: np.random.Generator) -> Extra:
    """Return CT numbers of the brain; -1000 outside."""
    clean = parameter(mixture, "hu")
    noisy = blurred(clean, mixture.grid, 1.2) + _noise(mixture, rng, 3.0)
    return Extra(np.where(_mask(mixture), noisy, np.float32(-1000.0)), mixture.grid, "HU")


def weighted(mixture: Mixture, rng: np.random.Generator, sequence: Sequence, site: Site) -> Extra:
    """Return a further sequence of the site's protocol: black-blood, SWI or T2*."""
    clean = clean_signals(mixture, PROTOCOLS[site.protocol], [sequence])[sequence]
    volume = acquired(clean, mixture.grid, _mask(mixture), 1.0, rng, site.scan)
    return Extra(volume.data.astype(np.float32), mixture.grid, "a.u.")


Maker = Callable[[Mixture, np.random.Generator, Site], Extra]

EXTRAS: dict[Sequence, Maker] = {
    Sequence.BB: lambda m, rng, site: weighted(m, rng, Sequence.BB, site),
    Sequence.SWI: lambda m, rng, site: weighted(m, rng, Sequence.SWI, site),
    Sequence.T2STAR: lambda m, rng, site: weighted(m, rng, Sequence.T2STAR, site),
    Sequence.DWI: lambda m, rng, site: dwi(m, rng),
    Sequence.ADC: lambda m, rng, site: adc_map(m, rng),
    Sequence.DTI: lambda m, rng, site: dti(m, rng),
    Sequence.FA: lambda m, rng, site: fa_map(m, rng),
    Sequence.DSC: lambda m, rng, site: dsc(m, rng),
    Sequence.CBV: lambda m, rng, site: cbv_map(m, rng),
    Sequence.DCE: lambda m, rng, site: dce(m, rng),
    Sequence.KTRANS: lambda m, rng, site: ktrans_map(m, rng),
    Sequence.BOLD: lambda m, rng, site: bold(m, rng),
    Sequence.PET_FET: lambda m, rng, site: pet(m, rng, "fet"),
    Sequence.PET_MET: lambda m, rng, site: pet(m, rng, "met"),
    Sequence.CT: lambda m, rng, site: ct(m, rng),
}
"""What can be made besides the four sequences."""


def _mask(mixture: Mixture) -> NDArray[np.bool_]:
    return np.asarray(sum(mixture.parts.values()) > 0.5)


def _inside(mixture: Mixture, data: Float) -> Float:
    return np.asarray(data * _mask(mixture), dtype=np.float32)


def _noise(mixture: Mixture, rng: np.random.Generator, sd: float) -> Float:
    return rng.standard_normal(mixture.grid.shape, dtype=np.float32) * np.float32(sd)


def _rician(data: Float, mixture: Mixture, rng: np.random.Generator, sd: float) -> Float:
    """Add Rician noise of a standard deviation in the units of the data, and strip."""
    inside = _mask(mixture)
    values = data[inside]
    real, imaginary = rng.standard_normal((2, *values.shape), dtype=np.float32) * np.float32(sd)
    out = np.zeros_like(data)
    out[inside] = np.hypot(values + real, imaginary)
    return out
