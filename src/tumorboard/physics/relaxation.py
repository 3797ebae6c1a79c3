"""MR signal equations: spin echo, gradient echo, inversion recovery, and what gadolinium does to relaxation.

Why it exists: contrast between tissues must follow from their properties and the protocol, not from taste.
Source: Haacke EM et al., Magnetic Resonance Imaging: Physical Principles and Sequence Design, Wiley 1999,
chapters 8 (spin echo), 18 (spoiled gradient echo) and 7 (inversion recovery); times in ms, flip angles in degrees.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

RELAXIVITY_R1 = {1.5: 4.3, 3.0: 3.7}
RELAXIVITY_R2 = {1.5: 5.2, 3.0: 5.1}
"""L/(mmol s) of a macrocyclic agent in blood plasma at 37 °C by field in tesla (unverified).

Source: Rohrer M et al., Invest Radiol 2005;40:715-724; values of agents differ by some 20 %."""


def spin_echo(pd: ArrayLike, t1_ms: ArrayLike, t2_ms: ArrayLike, tr_ms: float, te_ms: float) -> Array:
    """Return the signal of a spin echo with a 90° excitation.

    Parameters
    ----------
    pd : array_like
        Proton density, any unit; the signal has it too.
    t1_ms, t2_ms : array_like
        Relaxation times, above 0.
    tr_ms, te_ms : float
        Repetition and echo time; the refocusing pulse's own effect on recovery is left out (TE << TR).

    Returns
    -------
    ndarray of float64
        pd (1 - exp(-TR/T1)) exp(-TE/T2).

    Raises
    ------
    ValueError
        A time that is not positive.

    Examples
    --------
    >>> round(float(spin_echo(1.0, 1000.0, 100.0, 1e9, 100.0)), 6)  # fully recovered: exp(-1)
    0.367879
    """
    t1, t2 = _times(t1_ms, t2_ms)
    _protocol(tr_ms, te_ms)
    return np.asarray(np.asarray(pd) * -np.expm1(-tr_ms / t1) * np.exp(-te_ms / t2))


def gradient_echo(
    pd: ArrayLike, t1_ms: ArrayLike, t2star_ms: ArrayLike, tr_ms: float, te_ms: float, flip_deg: float
) -> Array:
    """Return the steady-state signal of a spoiled gradient echo.

    Parameters
    ----------
    pd : array_like
        Proton density.
    t1_ms, t2star_ms : array_like
        Relaxation times, above 0.
    tr_ms, te_ms, flip_deg : float
        Protocol.

    Returns
    -------
    ndarray of float64
        pd sin(a) (1 - E1) / (1 - cos(a) E1) exp(-TE/T2*), E1 = exp(-TR/T1).

    Raises
    ------
    ValueError
        A time that is not positive.

    Examples
    --------
    >>> t1, tr = 1000.0, 10.0
    >>> best = ernst_deg(t1, tr)
    >>> s = [float(gradient_echo(1.0, t1, 50.0, tr, 2.0, a)) for a in (best - 1, best, best + 1)]
    >>> s[1] > max(s[0], s[2])
    True
    """
    t1, t2star = _times(t1_ms, t2star_ms)
    _protocol(tr_ms, te_ms)
    angle, e1 = np.radians(flip_deg), np.exp(-tr_ms / t1)
    return np.asarray(np.asarray(pd) * np.sin(angle) * (1 - e1) / (1 - np.cos(angle) * e1) * np.exp(-te_ms / t2star))


def inversion_recovery(
    pd: ArrayLike, t1_ms: ArrayLike, t2_ms: ArrayLike, tr_ms: float, te_ms: float, ti_ms: float
) -> Array:
    """Return the magnitude of an inversion-prepared spin echo, such as FLAIR.

    Parameters
    ----------
    pd : array_like
        Proton density.
    t1_ms, t2_ms : array_like
        Relaxation times, above 0.
    tr_ms, te_ms, ti_ms : float
        Repetition, echo and inversion time; TI is shorter than TR.

    Returns
    -------
    ndarray of float64
        |pd (1 - 2 exp(-TI/T1) + exp(-TR/T1))| exp(-TE/T2).

    Raises
    ------
    ValueError
        A time that is not positive, or TI that is not shorter than TR.

    Examples
    --------
    >>> csf = 4300.0
    >>> round(float(inversion_recovery(1.0, csf, 2000.0, 9000.0, 120.0, null_ti_ms(csf, 9000.0))), 12)
    0.0
    """
    t1, t2 = _times(t1_ms, t2_ms)
    _protocol(tr_ms, te_ms, ti_ms)
    if ti_ms >= tr_ms:
        raise ValueError(f"expected TI below TR of {tr_ms:g} ms; got {ti_ms:g} ms")
    along = 1 - 2 * np.exp(-ti_ms / t1) + np.exp(-tr_ms / t1)
    return np.asarray(np.abs(np.asarray(pd) * along) * np.exp(-te_ms / t2))


def ernst_deg(t1_ms: float, tr_ms: float) -> float:
    """Return the flip angle of the largest gradient echo, degrees.

    Examples
    --------
    >>> round(ernst_deg(1000.0, 10.0), 2)
    8.09
    """
    return float(np.degrees(np.arccos(np.exp(-tr_ms / t1_ms))))


def null_ti_ms(t1_ms: float, tr_ms: float) -> float:
    """Return the inversion time at which a tissue gives no signal, ms.

    Examples
    --------
    >>> round(null_ti_ms(4300.0, 1e9) / 4300.0, 6)  # ln 2 when fully recovered
    0.693147
    """
    return float(t1_ms * (np.log(2.0) - np.log1p(np.exp(-tr_ms / t1_ms))))


def with_gadolinium(t1_ms: ArrayLike, t2_ms: ArrayLike, mmol_l: ArrayLike, field_t: float = 3.0) -> tuple[Array, Array]:
    """Return relaxation times of tissue that took up gadolinium.

    Parameters
    ----------
    t1_ms, t2_ms : array_like
        Before.
    mmol_l : array_like
        Concentration in tissue, mmol/L, at least 0.
    field_t : float
        1.5 or 3.

    Returns
    -------
    t1_ms, t2_ms : ndarray of float64
        1/T = 1/T before + relaxivity times concentration.

    Raises
    ------
    ValueError
        A field without relaxivities, or a negative concentration.

    Examples
    --------
    >>> t1, t2 = with_gadolinium(1000.0, 80.0, 1.0)
    >>> round(float(t1), 1), round(float(t2), 1)  # 1 + 3.7 per second; 12.5 + 5.1 per second
    (212.8, 56.8)
    """
    if field_t not in RELAXIVITY_R1:
        raise ValueError(f"expected a field of {' or '.join(map(str, RELAXIVITY_R1))} T; got {field_t:g} T")
    c = np.asarray(mmol_l, dtype=np.float64)
    if (c < 0).any():
        raise ValueError(f"expected concentrations of at least 0 mmol/L; got {c.min():g}")
    t1, t2 = _times(t1_ms, t2_ms)
    r1, r2 = (1e3 / t + k[field_t] * c for t, k in ((t1, RELAXIVITY_R1), (t2, RELAXIVITY_R2)))
    return np.asarray(1e3 / r1), np.asarray(1e3 / r2)


def _times(*given: ArrayLike) -> list[Array]:
    arrays = [np.asarray(t, dtype=np.float64) for t in given]
    for t in arrays:
        if not (t > 0).all():
            raise ValueError(f"expected relaxation times above 0 ms; got {t.min():g}")
    return arrays


def _protocol(*times_ms: float) -> None:
    if min(times_ms) <= 0:
        raise ValueError(f"expected protocol times above 0 ms; got {min(times_ms):g}")
