"""A planar front and an exact wave, for tests and for ``benchmarks/growth.py``."""

from __future__ import annotations

import numpy as np

from tumorboard.simulate.disease.diffusion import conductances
from tumorboard.simulate.disease.growth import advance


def front_speed(diffusivity: float, rate: float, h_mm: float, days: float) -> float:
    """Return the speed of a planar front over the last third of a run, mm/day."""
    expected = 2 * np.sqrt(diffusivity * rate)
    n = int(1.2 * expected * days / h_mm) + 20
    density = np.zeros((n, 1, 1), np.float32)
    density[: int(6 / h_mm)] = 1.0
    conduct = conductances(np.full_like(density, diffusivity), (h_mm, h_mm, h_mm))
    step = 0.4 * h_mm**2 / (2 * diffusivity)
    speeds, rates = [], np.full_like(density, rate)
    for count in range(int(days / step)):
        advance(density, conduct, rates, step)
        if count * step > 2 * days / 3:
            u = density[:, 0, 0]
            at = int(np.flatnonzero(u > 0.5)[-1])
            speeds.append((count * step, h_mm * (at + (u[at] - 0.5) / max(float(u[at] - u[at + 1]), 1e-9))))
    time, place = np.array(speeds).T
    return float(np.polyfit(time, place, 1)[0])


def wave_error(n: int) -> float:
    """Return the largest error of the exact wave after time 2 on n points over 40 lengths (D = rho = 1)."""
    h = 40.0 / n
    x = (np.arange(n) + 0.5) * h - 12.0

    def exact(t: float) -> np.ndarray:
        return (1 + np.exp((x - 5 * t / np.sqrt(6)) / np.sqrt(6))) ** -2.0

    density = exact(0.0).astype(np.float64).reshape(n, 1, 1)
    conduct = [faces.astype(np.float64) for faces in conductances(np.ones((n, 1, 1), np.float32), (h, h, h))]
    steps = int(np.ceil(2.0 / (0.2 * h * h)))
    for _ in range(steps):
        flow = conduct[0] * np.diff(density, axis=0)
        change = density * (1 - density)
        change[:-1] += flow
        change[1:] -= flow
        density += 2.0 / steps * change
    return float(np.abs(density[:, 0, 0] - exact(2.0))[n // 8 : -n // 4].max())
