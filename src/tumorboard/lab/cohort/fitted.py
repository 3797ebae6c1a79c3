"""Maps that a cohort does not bring, fitted to its series of diffusion, perfusion and BOLD.

Why it exists: a recipe asks for FA, a hospital has DTI. The fits are those of :mod:`tumorboard.physics`; each map has
the unit that cohorts of digital patients give it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorboard.sequences import Sequence
from tumorboard.volume import Volume

if TYPE_CHECKING:
    from tumorboard.lab.cohort.load import Series

TE_MS = 30.0
"""Echo time of DSC; a ratio of blood volumes does not depend on it."""


def adc_of_dwi(series: Series) -> Volume:
    """Return the apparent diffusion coefficient, 10⁻³ mm²/s."""
    from tumorboard.physics.diffusion import fit_adc

    try:
        adc, _ = fit_adc(_inside(series), _b_values(series))
    except ValueError as error:
        raise _not_there("a diffusion series with fewer than two b-values") from error
    return _map(series, np.clip(adc, 0.0, 4.0))


def fa_of_dti(series: Series) -> Volume:
    """Return fractional anisotropy, 0 to 1."""
    return _map(series, np.clip(_tensor(series)[1], 0.0, 1.0))


def adc_of_dti(series: Series) -> Volume:
    """Return mean diffusivity, 10⁻³ mm²/s."""
    return _map(series, np.clip(_tensor(series)[0], 0.0, 4.0))


def cbv_of_dsc(series: Series) -> Volume:
    """Return leakage-corrected blood volume relative to the median of the brain."""
    from tumorboard.physics.perfusion import blood_volume, relaxation_change

    signal = _inside(series)
    before = baseline_points(signal.mean(axis=0))
    change = relaxation_change(signal, TE_MS, before)
    step = series.step_s if np.isfinite(series.step_s) else 1.0
    found = blood_volume(change, np.median(change, axis=0), step).corrected
    middle = float(np.median(found))
    return _map(series, np.clip(found / middle if middle > 0 else np.full_like(found, np.nan), 0.0, 40.0))


def trace_of_dwi(series: Series) -> Volume:
    """Return the mean image at the highest b-value."""
    values = np.asarray(_b_values(series))
    return Volume(series.data[..., values == values.max()].mean(axis=3), series.grid)


def fluctuation_of_bold(series: Series) -> Volume:
    """Return how much the signal varies about its trend, percent of its mean (healthy cortex does, tumour less)."""
    signal = _inside(series)
    t = np.arange(signal.shape[1]) - (signal.shape[1] - 1) / 2.0
    mean = signal.mean(axis=1, keepdims=True)
    trend = (signal @ t / (t**2).sum())[:, None] * t
    return _map(series, 100.0 * (signal - mean - trend).std(axis=1) / mean[:, 0])


def baseline_points(mean_curve: NDArray[np.floating]) -> int:
    """Return how many points come before the bolus: until the mean curve has fallen by a tenth of its whole fall.

    Examples
    --------
    >>> baseline_points(np.array([100.0, 101.0, 99.0, 100.0, 80.0, 60.0, 90.0]))
    4
    """
    curve = np.asarray(mean_curve, dtype=np.float64)
    lowest = int(curve.argmin())
    start = float(np.median(curve[: max(2, lowest // 2)]))
    fallen = np.flatnonzero(curve < start - 0.1 * (start - curve[lowest]))
    first = int(fallen[0]) if len(fallen) else 1
    return min(max(first, 1), len(curve) - 1)


Maker = Callable[["Series"], Volume]

MAKERS: dict[Sequence, dict[Sequence, Maker]] = {
    Sequence.ADC: {Sequence.DWI: adc_of_dwi, Sequence.DTI: adc_of_dti},
    Sequence.FA: {Sequence.DTI: fa_of_dti},
    Sequence.CBV: {Sequence.DSC: cbv_of_dsc},
    Sequence.DWI: {Sequence.DWI: trace_of_dwi},
    Sequence.BOLD: {Sequence.BOLD: fluctuation_of_bold},
}
"""Map to what it can be made of."""


def inside(series: Series) -> NDArray[np.bool_]:
    """Return where a series shows tissue: above a tenth of the 99th percentile of its mean, and above 0."""
    mean = series.data.mean(axis=3)
    top = float(np.percentile(mean, 99.0))
    return np.asarray((mean > 0.1 * top) & (series.data.min(axis=3) > 0))


def _inside(series: Series) -> NDArray[np.float64]:
    return series.data[inside(series)].astype(np.float64)


def _b_values(series: Series) -> tuple[float, ...]:
    if not series.axis:
        raise _not_there("no b-values beside the diffusion series")
    return series.axis


def _tensor(series: Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from tumorboard.physics.diffusion import fit_tensor, tensor_maps

    values = _b_values(series)
    if series.directions is None:
        raise _not_there("no directions beside the diffusion series")
    try:
        tensor, _ = fit_tensor(_inside(series), values, series.directions)
    except ValueError as error:
        raise _not_there("a diffusion series with too few directions") from error
    maps = tensor_maps(tensor)
    return np.asarray(maps.md), np.asarray(maps.fa)


def _map(series: Series, values: NDArray[np.floating]) -> Volume:
    out = np.zeros(series.grid.shape, dtype=np.float32)
    out[inside(series)] = values
    return Volume(out, series.grid)


def _not_there(why: str) -> Exception:
    from tumorboard.lab.cohort.load import NotThere

    return NotThere(why)
