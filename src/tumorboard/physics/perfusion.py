"""Bolus of contrast agent: arterial input, DSC and DCE curves, and blood volume and permeability fitted back.

Why it exists: rCBV and Ktrans tell tumour from treatment effect; both are wrong where the agent leaks, so the
correction stands beside the plain value.
Sources: Parker GJM et al., Magn Reson Med 2006;56:993-1000 (population input); Østergaard L et al., Magn Reson Med
1996;36:715-725 (DSC); Boxerman JL et al., AJNR 2006;27:859-867 (leakage); Tofts PS et al., J Magn Reson Imaging
1999;10:223-232 (extended model). Times in s, concentrations in mmol/L, Ktrans in 1/min, CBV in mL/100 mL.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

HAEMATOCRIT = 0.45
"""Of large vessels (chosen; adults 0.40 to 0.50)."""

_PARKER = {"a": (0.809, 0.330), "t": (0.17046, 0.365), "sigma": (0.0563, 0.132)}
_TAIL = {"alpha": 1.050, "beta": 0.1685, "s": 38.078, "tau": 0.483}
"""mmol/L, min and 1/min of table 1 in Parker 2006 (unverified)."""


@dataclass(frozen=True)
class TwoCompartments:
    """Tissue by the extended Tofts model.

    Parameters
    ----------
    ktrans_min : array_like
        Volume transfer constant, 1/min.
    ve : array_like
        Extravascular extracellular volume, part of the tissue (0 to 1).
    vp : array_like
        Plasma volume, part of the tissue (0 to 1).
    """

    ktrans_min: Array
    ve: Array
    vp: Array


def population_input(time_s: ArrayLike, arrival_s: float = 0.0) -> Array:
    """Return the concentration in plasma of a large artery after a standard dose, mmol/L.

    Parameters
    ----------
    time_s : array_like, shape (t,)
        Seconds.
    arrival_s : float
        When the bolus comes; 0 before it.

    Returns
    -------
    ndarray of float64, shape (t,)

    Examples
    --------
    >>> t = np.arange(0.0, 120.0, 1.0)
    >>> c = population_input(t, 20.0)
    >>> float(c[:20].max()), int(t[c.argmax()])
    (0.0, 30)
    """
    t = (np.asarray(time_s, dtype=np.float64) - arrival_s) / 60.0
    out = np.zeros_like(t)
    for a, centre, width in zip(*_PARKER.values(), strict=True):
        out += a / (width * np.sqrt(2 * np.pi)) * np.exp(-((t - centre) ** 2) / (2 * width**2))
    out += _TAIL["alpha"] * np.exp(-_TAIL["beta"] * t) / (1 + np.exp(-_TAIL["s"] * (t - _TAIL["tau"])))
    return np.asarray(np.where(t >= 0, out / (1 - HAEMATOCRIT), 0.0))


def extended_tofts(time_s: ArrayLike, plasma: ArrayLike, tissue: TwoCompartments) -> Array:
    """Return the concentration in tissue, mmol/L.

    Parameters
    ----------
    time_s : array_like, shape (t,)
        Evenly spaced.
    plasma : array_like, shape (t,)
        Concentration in plasma, linear between time points (the convolution is exact for that).
    tissue : TwoCompartments
        Values of shape (...).

    Returns
    -------
    ndarray, shape (..., t)
        vp Cp + Ktrans (Cp * exp(-Ktrans/ve t)).

    Raises
    ------
    ValueError
        Uneven times, or parts outside 0 to 1.

    Examples
    --------
    >>> t = np.arange(0.0, 60.0, 2.0)
    >>> c = extended_tofts(t, np.ones_like(t), TwoCompartments(np.array(0.2), np.array(0.3), np.array(0.0)))
    >>> round(float(c[-1]), 4), round(float(0.3 * (1 - np.exp(-0.2 / 0.3 * t[-1] / 60))), 4)
    (0.1425, 0.1425)
    """
    t, cp = _even(time_s), np.asarray(plasma, dtype=np.float64)
    k, ve, vp = (np.asarray(v, dtype=np.float64) for v in (tissue.ktrans_min, tissue.ve, tissue.vp))
    for name, part in (("ve", ve), ("vp", vp)):
        if (part < 0).any() or (part > 1).any():
            raise ValueError(f"expected {name} from 0 to 1; got {part.min():g} to {part.max():g}")
    rate = np.divide(k / 60.0, ve, out=np.zeros(np.broadcast(k, ve).shape), where=ve > 0)
    return np.asarray(vp[..., None] * cp + k[..., None] / 60.0 * _convolved(cp, rate, t[1] - t[0]))


def fit_extended_tofts(time_s: ArrayLike, plasma: ArrayLike, concentration: ArrayLike) -> TwoCompartments:
    """Fit the extended Tofts model by its linear form.

    Parameters
    ----------
    time_s, plasma : array_like, shape (t,)
        Evenly spaced times; concentration in plasma.
    concentration : array_like, shape (..., t)
        In tissue, mmol/L.

    Returns
    -------
    TwoCompartments
        Shape (...); values that no tissue can have are clipped to 0 or 1.

    Notes
    -----
    C = (Ktrans + kep vp) ∫Cp - kep ∫C + vp Cp: Murase K, Magn Reson Med 2004;51:858-862. Integrals are
    trapezoids, so time steps must be short against 1/kep.

    Examples
    --------
    >>> t = np.arange(0.0, 300.0, 2.0)
    >>> cp = population_input(t, 20.0)
    >>> made = extended_tofts(t, cp, TwoCompartments(np.array([0.1]), np.array([0.25]), np.array([0.03])))
    >>> found = fit_extended_tofts(t, cp, made)
    >>> [round(float(v[0]), 2) for v in (found.ktrans_min, found.ve, found.vp)]
    [0.1, 0.25, 0.03]
    """
    t, cp = _even(time_s), np.asarray(plasma, dtype=np.float64)
    c = np.asarray(concentration, dtype=np.float64)
    step = t[1] - t[0]
    design = np.stack(
        [np.broadcast_to(_integral(cp, step), c.shape), -_integral(c, step), np.broadcast_to(cp, c.shape)]
    )
    left = np.einsum("i...t,j...t->...ij", design, design)
    right = np.einsum("i...t,...t->...i", design, c)
    ridge = 1e-12 * np.trace(left, axis1=-2, axis2=-1)[..., None, None] * np.eye(3)
    a, kep, vp = np.moveaxis(np.linalg.solve(left + ridge + 1e-300 * np.eye(3), right[..., None])[..., 0], -1, 0)
    k = np.maximum(a - kep * vp, 0.0)
    ve = np.divide(k, kep, out=np.zeros_like(k), where=kep > 0)
    return TwoCompartments(60.0 * k, np.clip(ve, 0.0, 1.0), np.clip(vp, 0.0, 1.0))


def dsc_signal(s0: ArrayLike, delta_r2star: ArrayLike, te_ms: float) -> Array:
    """Return the T2*-weighted signal during a bolus: s0 exp(-TE ΔR2*).

    Parameters
    ----------
    s0 : array_like, shape (...)
        Before the bolus.
    delta_r2star : array_like, shape (..., t)
        Change of the relaxation rate, 1/s.
    te_ms : float
        Echo time.

    Examples
    --------
    >>> round(float(dsc_signal([100.0], [[20.0]], 30.0)[0, 0]), 3)  # exp(-0.6)
    54.881
    """
    return np.asarray(np.asarray(s0)[..., None] * np.exp(-te_ms * 1e-3 * np.asarray(delta_r2star, dtype=np.float64)))


def relaxation_change(signal: ArrayLike, te_ms: float, baseline: int) -> Array:
    """Return ΔR2* of a DSC series, 1/s: -ln(S/S0)/TE.

    Parameters
    ----------
    signal : array_like, shape (..., t)
        Above 0.
    te_ms : float
        Echo time.
    baseline : int
        How many first time points make S0; at least 1.

    Examples
    --------
    >>> round(float(relaxation_change([100.0, 100.0, 54.88116], 30.0, 2)[-1]), 3)
    20.0
    """
    s = np.asarray(signal, dtype=np.float64)
    if not 1 <= baseline < s.shape[-1]:
        raise ValueError(f"expected a baseline of 1 to {s.shape[-1] - 1} time points; got {baseline}")
    s0 = s[..., :baseline].mean(axis=-1, keepdims=True)
    floor = 1e-6 * np.maximum(s0, 1e-30)
    return np.asarray(-np.log(np.maximum(s, floor) / np.maximum(s0, floor)) / (te_ms * 1e-3))


@dataclass(frozen=True)
class BloodVolume:
    """Relative cerebral blood volume without and with correction, and how much the agent leaked.

    Parameters
    ----------
    plain, corrected : ndarray, shape (...)
        Area under ΔR2*, in 1 (1/s times s); ratios to normal white matter are what is read.
    k1, k2 : ndarray, shape (...)
        Scale of the mean curve, and of its running integral (leakage; positive where T1 effects shorten the area).
    """

    plain: Array
    corrected: Array
    k1: Array
    k2: Array


def blood_volume(delta_r2star: ArrayLike, mean_curve: ArrayLike, step_s: float) -> BloodVolume:
    """Integrate ΔR2*, with the leakage taken out.

    Parameters
    ----------
    delta_r2star : array_like, shape (..., t)
        1/s.
    mean_curve : array_like, shape (t,)
        Mean ΔR2* of brain that does not enhance.
    step_s : float
        Time between points.

    Returns
    -------
    BloodVolume

    Notes
    -----
    ΔR2*(t) ≈ K1 R(t) - K2 ∫R; corrected = area + K2 ∬R (Boxerman 2006, equations 5 to 8).

    Examples
    --------
    >>> from scipy.integrate import cumulative_trapezoid
    >>> mean = 20.0 * np.exp(-0.5 * ((np.arange(60.0) - 20.0) / 4.0) ** 2)
    >>> leaking = 1.5 * mean - 0.01 * cumulative_trapezoid(mean, initial=0)
    >>> found = blood_volume(leaking, mean, 1.0)
    >>> bool(found.plain < found.corrected), round(float(found.corrected / blood_volume(mean, mean, 1.0).plain), 2)
    (True, 1.5)
    """
    y, mean = np.asarray(delta_r2star, dtype=np.float64), np.asarray(mean_curve, dtype=np.float64)
    running = _integral(mean, step_s)
    design = np.stack([mean, -running], axis=1)
    k1, k2 = np.moveaxis(np.linalg.lstsq(design, np.moveaxis(y, -1, 0).reshape(mean.size, -1), rcond=None)[0], 0, 0)
    k1, k2 = k1.reshape(y.shape[:-1]), k2.reshape(y.shape[:-1])
    plain = _integral(y, step_s)[..., -1]
    return BloodVolume(plain, plain + k2 * _integral(running, step_s)[-1], k1, k2)


def _even(time_s: ArrayLike) -> Array:
    t = np.asarray(time_s, dtype=np.float64)
    steps = np.diff(t)
    if t.ndim != 1 or t.size < 3 or not np.allclose(steps, steps[0], rtol=1e-6) or steps[0] <= 0:
        raise ValueError("expected at least three evenly spaced, rising times")
    return t


def _integral(values: Array, step: float) -> Array:
    """Return the running trapezoid integral along the last axis; 0 at the first point."""
    out = np.zeros_like(values)
    np.cumsum(0.5 * step * (values[..., 1:] + values[..., :-1]), axis=-1, out=out[..., 1:])
    return out


def _convolved(plasma: Array, rate: Array, step: float) -> Array:
    """Return plasma * exp(-rate t), exactly for a plasma curve that is linear between its points."""
    x = rate * step
    small = x < 1e-4
    safe = np.where(small, 1.0, x)
    e0 = np.where(small, 1 - x / 2 + x**2 / 6, -np.expm1(-safe) / safe)
    e1 = np.where(small, 0.5 - x / 6 + x**2 / 24, (safe + np.expm1(-safe)) / safe**2)
    out = np.zeros((*rate.shape, plasma.size))
    keep = np.exp(-x)
    for n in range(1, plasma.size):
        older, newer = plasma[n - 1], plasma[n]
        out[..., n] = keep * out[..., n - 1] + step * (older * (e0 - e1) + newer * e1)
    return out
