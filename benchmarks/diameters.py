"""Diameters: CPU time of thirty lesions, ratio to exhaustive search, and the error of each edge fraction.

Run with ``python benchmarks/diameters.py``; under a minute. The peer is exhaustive search over all pairs
of pixels, compiled too, which walks a line only when it is longer than the best so far.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import numba
import numpy as np
from numpy.typing import NDArray

from tumorboard.measure import diameters
from tumorboard.measure.diameters import measure_diameters

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Shape = tuple[Callable[[Floats, Floats], Mask], float, float]
FRACTIONS = (0.0, 0.5, 0.75, 1.0)
GRID = (240, 240, 155)


def shapes(rng: np.random.Generator) -> Iterator[tuple[str, Shape]]:
    """Yield one random shape of each kind: what is inside (x, y in mm), true longest and perpendicular."""
    r, turn = rng.uniform(3, 15), rng.uniform(0, math.pi)
    c, s = math.cos(turn), math.sin(turn)
    hole, flat = r * rng.uniform(0.3, 0.7), r * rng.uniform(0.4, 0.8)
    chord = 2 * math.sqrt(r * r - hole * hole)
    whole = float(round(r))
    yield "disc", (lambda x, y: np.hypot(x, y) <= r, 2 * r, 2 * r)
    yield (
        "square, whole mm",
        (lambda x, y: np.maximum(abs(x), abs(y)) <= whole / 2, whole * 2**0.5, whole * 2**0.5),
    )
    yield "square", (lambda x, y: np.maximum(abs(x), abs(y)) <= r, r * 8**0.5, r * 8**0.5)
    yield (
        "square, rotated",
        (lambda x, y: np.maximum(abs(c * x + s * y), abs(c * y - s * x)) <= r, r * 8**0.5, r * 8**0.5),
    )
    yield "ring", (lambda x, y: (np.hypot(x, y) <= r) & (np.hypot(x, y) > hole), chord, chord)
    yield "ellipse", (lambda x, y: ((c * x + s * y) / r) ** 2 + ((c * y - s * x) / flat) ** 2 <= 1, 2 * r, 2 * flat)


def edge_errors(spacing: tuple[float, float], repeats: int) -> None:
    """Print mean and worst signed error of each shape and edge fraction, and how often it exceeds a voxel."""
    rng = np.random.default_rng(2010)
    found: dict[tuple[str, str], list[Floats]] = {}
    for _ in range(repeats):
        for name, (inside, *truth) in shapes(rng):
            x, y = (np.arange(math.ceil(50 / s)) * s - rng.uniform(24, 25) for s in spacing)
            lesion = measure_diameters(inside(*np.meshgrid(x, y, indexing="ij"))[..., None], (*spacing, 1.0), 2)
            if lesion is None:
                continue
            d = lesion.rano
            got = zip(("longest", "perpendicular"), (d.longest_mm, d.perpendicular_mm), d.edge_mm, truth, strict=True)
            for which, value, edge, true in got:
                chord = edge / diameters.EDGE_FRACTION
                errors = [value - edge + f * chord - true for f in FRACTIONS]
                found.setdefault((name, which), []).append(np.array(errors) / max(spacing))
    print(f"\nerror in in-plane voxels, spacing {spacing} mm, {repeats} random sizes, shifts and turns of each shape")
    print(f"edge fraction in use: {diameters.EDGE_FRACTION}")
    print(" " * 31 + "".join(f"{f'fraction {f}':>31}" for f in FRACTIONS))
    print(" " * 31 + f"{'mean':>10}{'worst-':>8}{'worst+':>8}{'>1':>5}" * len(FRACTIONS))
    for (name, which), rows in found.items():
        cells = "".join(
            f"{e.mean():10.2f}{e.min():8.2f}{e.max():8.2f}{(abs(e) > 1).mean():5.0%}" for e in np.stack(rows).T
        )
        print(f"{name:17}{which:14}{cells}")


@numba.njit(cache=True)
def _line_inside(plane, i, j, di, dj):  # type: ignore[no-untyped-def]
    steps = max(abs(di), abs(dj))
    for t in range(1, steps):
        ok = False
        for half in (0, 1):
            ti = (2 * t * abs(di) + steps - half) // (2 * steps)
            tj = (2 * t * abs(dj) + steps - half) // (2 * steps)
            ok |= plane[i + (ti if di > 0 else -ti), j + (tj if dj > 0 else -tj)]
        if not ok:
            return False
    return True


@numba.njit(cache=True)
def exhaustive(plane, sx, sy, ux, uy, tolerance):  # type: ignore[no-untyped-def]
    """Return the longest inside segment of all pairs: (length, di, dj)."""
    pixels = np.argwhere(plane)
    best, way = 0.0, (0, 0)
    for a in range(len(pixels)):
        for b in range(a + 1, len(pixels)):
            di, dj = pixels[b, 0] - pixels[a, 0], pixels[b, 1] - pixels[a, 1]
            length = math.hypot(di * sx, dj * sy)
            if length <= best or abs(di * sx * ux + dj * sy * uy) > tolerance:
                continue
            if _line_inside(plane, pixels[a, 0], pixels[a, 1], di, dj):
                best, way = length, (di, dj)
    return best, way


def peer(mask: Mask) -> float:
    """Return the greatest longest diameter (centre to centre, mm) by exhaustive search; 1 mm voxels."""
    greatest = 0.0
    for k in np.flatnonzero(mask.any(axis=(0, 1))):
        plane = np.ascontiguousarray(mask[:, :, k])
        longest, (di, dj) = exhaustive(plane, 1.0, 1.0, 0.0, 0.0, 1.0)
        size = math.hypot(di, dj) or 1.0
        exhaustive(plane, 1.0, 1.0, di / size, dj / size, 0.5 + 1e-9)
        greatest = max(greatest, longest)
    return greatest


def lesions(rng: np.random.Generator) -> list[tuple[str, Mask]]:
    """Thirty lesions on one grid at 1 mm: a thick ring, a 60 mL blob, and 28 lumpy balls and rings."""
    i, j, k = np.ogrid[tuple(slice(n) for n in GRID)]

    def ball(r: float, centre: Floats) -> Mask:
        lumps = 1 + 0.15 * np.sin(i / 3 + centre[0]) * np.sin(j / 4 + centre[1]) * np.sin(k / 3)
        return np.sqrt((i - centre[0]) ** 2 + (j - centre[1]) ** 2 + (k - centre[2]) ** 2) * lumps <= r

    def anywhere() -> Floats:
        return rng.uniform(40, 110, 3)

    middle = anywhere()
    out = [("thick ring", ball(25, middle) & ~ball(15, middle)), ("60 mL blob", ball(24.3, anywhere()))]
    for n, r in enumerate(np.linspace(2, 25, 28)):
        centre = anywhere()
        out.append((f"r {r:.1f} mm", ball(r, centre) & ~ball(r * 0.6 if n % 3 == 0 else 0, centre)))
    return out


def timing() -> None:
    """Print CPU seconds of thirty lesions, and the ratio to exhaustive search with the same answers."""
    everything = lesions(np.random.default_rng(1990))
    start = time.process_time()
    measure_diameters(everything[-1][1], (1.0, 1.0, 1.0), 2)
    print(f"first call, with compiling or loading the kernels: {time.process_time() - start:.2f} CPU-s")
    exhaustive(np.ones((3, 3), dtype=np.bool_), 1.0, 1.0, 0.0, 0.0, 1.0)
    ours = theirs = 0.0
    for name, mask in everything:
        start = time.process_time()
        lesion = measure_diameters(mask, (1.0, 1.0, 1.0), 2)
        middle = time.process_time()
        greatest = peer(mask)
        end = time.process_time()
        ours, theirs = ours + middle - start, theirs + end - middle
        if lesion is not None and name in ("thick ring", "60 mL blob"):
            d = lesion.rano
            print(f"{name}: {mask.sum() / 1000:.1f} mL, {1000 * (middle - start):.0f} CPU-ms", end=", ")
            print(f"{d.longest_mm:.2f} x {d.perpendicular_mm:.2f} mm, exhaustive {1000 * (end - middle):.0f} CPU-ms")
        assert lesion is not None
        assert abs(greatest - max_centre_to_centre(mask)) < 1e-6, name
    print(f"30 lesions in {GRID}: {ours:.2f} CPU-s; exhaustive {theirs:.2f} CPU-s; ratio {theirs / ours:.1f}")


def max_centre_to_centre(mask: Mask) -> float:
    """Return the greatest longest diameter without edges, mm, over all slices as the product search sees it."""
    greatest = 0.0
    for k in np.flatnonzero(mask.any(axis=(0, 1))):
        lesion = measure_diameters(mask[:, :, k : k + 1], (1.0, 1.0, 1.0), 2)
        if lesion is not None:
            greatest = max(greatest, lesion.rano.longest_mm - lesion.rano.edge_mm[0])
    return round(greatest, 9)


if __name__ == "__main__":
    timing()
    edge_errors((1.0, 1.0), 400)
    edge_errors((1.0, 0.6), 400)
