"""Growth of digital tumours against closed forms: speed of the front, and order of convergence.

Run with ``python benchmarks/growth.py``; a minute. Fisher's equation u' = D u_xx + rho u (1 - u): a front from compact
cells tends to the speed 2 sqrt(D rho) (Kolmogorov 1937); an exact wave of speed 5/sqrt(6) sqrt(D rho) is known
(Ablowitz MJ, Zeppetella A, Bull Math Biol 1979;41:835-840).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from tumorboard.simulate.disease.growth import GrowthParameters

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "simulate"))
from fronts import front_speed, wave_error

WHITE, RATE = GrowthParameters().white_mm2_day, GrowthParameters().proliferation_day
"""mm²/day and 1/day."""


def main() -> None:
    print("speed of a planar front, 2 sqrt(D rho)")
    for diffusivity, rate, h, days in ((WHITE, RATE, 1.0, 1800), (WHITE, RATE, 2.0, 1800), (0.5, RATE, 2.0, 1800)):
        speed, expected = front_speed(diffusivity, rate, h, days), 2 * np.sqrt(diffusivity * rate)
        told = f"D {diffusivity:g} mm2/day, rho {rate:g}/day, voxel {h:g} mm"
        print(f"  {told}: {speed:.4f} mm/day, expected {expected:.4f}, {100 * (speed / expected - 1):+.1f} %")
    print("exact wave: largest error by spacing")
    errors = [wave_error(n) for n in (50, 100, 200, 400)]
    for n, error, before in zip((50, 100, 200, 400), errors, (None, *errors), strict=False):
        order = "" if before is None else f", order {np.log2(before / error):.2f}"
        print(f"  {40 / n:.2f}: {error:.2e}{order}")


if __name__ == "__main__":
    main()
