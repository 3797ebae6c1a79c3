"""Diameters: time for thirty lesions, ratio to exhaustive search, and the error of each edge fraction.

Run with ``python benchmarks/diameters.py``; about half a minute.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from tumorboard.measure import diameters
from tumorboard.measure.diameters import LesionDiameters, measure_diameters

Mask = NDArray[np.bool_]
Shape = tuple[Callable[[NDArray[np.float64], NDArray[np.float64]], Mask], float, float]
SPACINGS = ((1.0, 1.0), (0.5, 0.5), (0.9375, 0.9375), (1.0, 0.6))
FRACTIONS = (0.0, 0.5, 1.0)


def shapes(rng: np.random.Generator) -> Iterator[tuple[str, Shape]]:
    """Yield one random shape of each kind: what is inside (x, y in mm), true longest and perpendicular."""
    r, turn = rng.uniform(3, 15), rng.uniform(0, math.pi)
    c, s = math.cos(turn), math.sin(turn)
    hole, flat = r * rng.uniform(0.3, 0.7), r * rng.uniform(0.4, 0.8)
    chord = 2 * math.sqrt(r * r - hole * hole)
    yield "disc", (lambda x, y: np.hypot(x, y) <= r, 2 * r, 2 * r)
    yield "square", (lambda x, y: np.maximum(abs(x), abs(y)) <= r, r * 8**0.5, r * 8**0.5)
    yield (
        "square, rotated",
        (lambda x, y: np.maximum(abs(c * x + s * y), abs(c * y - s * x)) <= r, r * 8**0.5, r * 8**0.5),
    )
    yield "ring", (lambda x, y: (np.hypot(x, y) <= r) & (np.hypot(x, y) > hole), chord, chord)
    yield "ellipse", (lambda x, y: ((c * x + s * y) / r) ** 2 + ((c * y - s * x) / flat) ** 2 <= 1, 2 * r, 2 * flat)


def edge_errors(repeats: int) -> None:
    """Print mean and worst signed error, in in-plane voxels, of each shape and edge fraction."""
    rng = np.random.default_rng(2010)
    found: dict[tuple[str, str, float], list[float]] = {}
    for n in range(repeats):
        spacing = SPACINGS[n % len(SPACINGS)]
        for name, (inside, *truth) in shapes(rng):
            centre = rng.uniform(24, 25, 2)
            size = [math.ceil(50 / s) for s in spacing]
            x, y = (np.arange(m) * s - c for m, s, c in zip(size, spacing, centre, strict=True))
            mask = inside(*np.meshgrid(x, y, indexing="ij"))[..., None]
            for fraction in FRACTIONS:
                diameters.EDGE_FRACTION = fraction
                lesion = measure_diameters(mask, (*spacing, 1.0), 2)
                if lesion is not None:
                    got = lesion.rano.longest_mm, lesion.rano.perpendicular_mm
                    for which, value, true in zip(("longest", "perpendicular"), got, truth, strict=True):
                        found.setdefault((name, which, fraction), []).append((value - true) / max(spacing))
    print(f"error in in-plane voxels (the larger spacing) over {repeats} random shapes, shifts and turns each")
    print(f"{'shape':16} {'diameter':14}" + "".join(f"{'fraction ' + str(f):>30}" for f in FRACTIONS))
    print(" " * 31 + f"{'mean':>12} {'worst-':>8} {'worst+':>8}" * len(FRACTIONS))
    for name, which in dict.fromkeys(key[:2] for key in found):
        cells = [np.array(found[name, which, f]) for f in FRACTIONS]
        print(f"{name:16} {which:14}" + "".join(f"{e.mean():13.2f} {e.min():8.2f} {e.max():8.2f}" for e in cells))


def main() -> None:
    diameters_default = diameters.EDGE_FRACTION
    edge_errors(200)
    diameters.EDGE_FRACTION = diameters_default


if __name__ == "__main__":
    main()
