"""CPU time of Dice, HD95 and NSD of three regions of one case, beside MONAI's in the same run.

Run with ``python benchmarks/metrics_speed.py``; half a minute. The case is made here: a grid as that of BraTS, three
nested tumour regions with ragged edges, and a prediction that is the reference shifted by some voxels, eroded where it
is the core, with specks of its own. The peer is MONAI with one call a metric, as its documentation shows it. Dice and
HD95 have one definition in both; MONAI's NSD has ours without sub-voxels (its default), and weighs surface elements
by area with them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TypeVar

import monai
import numpy as np
import torch
from monai.metrics import DiceMetric, HausdorffDistanceMetric, SurfaceDiceMetric
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.metrics.maps.overlap import dice
from tumorboard.metrics.maps.surface import NSD_TOLERANCE_MM, surface_distances

Masks = dict[str, NDArray[np.bool_]]
Table = NDArray[np.float64]
T = TypeVar("T")
GRID = (240, 240, 155)
SPACINGS = ((1.0, 1.0, 1.0), (0.9375, 0.9375, 2.5))
RADII_MM = {"WT": 38.0, "TC": 24.0, "ET": 17.0}
REPEATS = 3
LEAST_RATIO = 5.0


def reference(rng: np.random.Generator) -> Masks:
    """Three nested regions around one centre; smooth noise makes their edges ragged."""
    noise = ndi.zoom(rng.normal(size=(24, 24, 16)), np.divide(GRID, (24, 24, 16)), order=1)
    axes = np.ogrid[tuple(slice(0, n) for n in GRID)]
    away = np.sqrt(sum((x - c) ** 2 for x, c in zip(axes, (140, 110, 80), strict=True)))
    return {name: np.asarray(away + 5.0 * noise < radius) for name, radius in RADII_MM.items()}


def prediction(ref: Masks, rng: np.random.Generator) -> Masks:
    """Return the reference moved by a few voxels: its core a voxel too small, specks far from it added to WT."""
    moved = {name: np.roll(mask, (2, -3, 1), axis=(0, 1, 2)) for name, mask in ref.items()}
    moved["TC"], moved["ET"] = (ndi.binary_erosion(moved[n]) for n in ("TC", "ET"))
    for centre in rng.integers(60, 100, size=(3, 3)):
        moved["WT"][tuple(slice(c, c + 3) for c in centre)] = True
    return moved


def cpu_seconds(call: Callable[[], T]) -> tuple[float, T]:
    """Return the median CPU time of some calls, all threads together, and what the last one gave."""
    spent = []
    for _ in range(REPEATS):
        start = time.process_time()
        given = call()
        spent.append(time.process_time() - start)
    return statistics.median(spent), given


def ours(ref: Masks, pred: Masks, spacing: tuple[float, float, float]) -> Table:
    """Rows: regions; columns: Dice, HD95 in mm, NSD."""
    rows = []
    for name, mask in ref.items():
        surface = surface_distances(mask, pred[name], spacing)
        rows.append((dice(mask, pred[name]), surface.hd95_mm, surface.nsd))
    return np.array(rows)


def of_monai(ref: torch.Tensor, pred: torch.Tensor, spacing: tuple[float, float, float]) -> Table:
    """Return the same table from MONAI's metrics."""
    overlap = DiceMetric(include_background=True, reduction="none")(pred, ref)
    hd95 = HausdorffDistanceMetric(include_background=True, percentile=95, reduction="none")(pred, ref, spacing=spacing)
    nsd = surface_dice(subvoxels=False)(pred, ref, spacing=spacing)
    return np.stack([np.asarray(v[0], dtype=np.float64) for v in (overlap, hd95, nsd)], axis=1)


def surface_dice(subvoxels: bool) -> SurfaceDiceMetric:
    """Return MONAI's NSD at our tolerance."""
    tolerances = [NSD_TOLERANCE_MM] * len(RADII_MM)
    return SurfaceDiceMetric(tolerances, include_background=True, reduction="none", use_subvoxels=subvoxels)


def show(spacing: tuple[float, float, float]) -> None:
    """Print times, ratio and values of one case."""
    rng = np.random.default_rng(2024)
    ref = reference(rng)
    pred = prediction(ref, rng)
    one, two = (torch.from_numpy(np.stack(list(masks.values()))[None].astype(np.float32)) for masks in (ref, pred))
    mine, values = cpu_seconds(lambda: ours(ref, pred, spacing))
    theirs, peer = cpu_seconds(lambda: of_monai(one, two, spacing))
    weighed = np.asarray(surface_dice(subvoxels=True)(two, one, spacing=spacing)[0])
    print(f"\n{' x '.join(map(str, GRID))} voxels of {spacing} mm; median of {REPEATS} runs")
    print(
        f"ours  {mine:7.3f} CPU-s\nMONAI {theirs:7.3f} CPU-s\nratio {theirs / mine:7.1f}    (wanted: {LEAST_RATIO:g})"
    )
    print(f"{'':4}{'voxels':>9}{'Dice':>9}{'MONAI':>9}{'HD95':>9}{'MONAI':>9}{'NSD':>9}{'MONAI':>9}{'by area':>9}")
    for name, a, b, area in zip(ref, values, peer, weighed, strict=True):
        pairs = "".join(f"{x:9.4f}{y:9.4f}" for x, y in zip(a, b, strict=True))
        print(f"{name:4}{ref[name].sum():9d}{pairs}{area:9.4f}")
    worst = np.abs(values - peer).max(axis=0)
    print("largest difference: Dice {:.1e}, HD95 {:.1e} mm, NSD {:.1e}".format(*worst))


def main() -> None:
    """Print both spacings."""
    torch.set_num_threads(1)
    print(f"MONAI {monai.__version__}, one thread")
    for spacing in SPACINGS:
        show(spacing)


if __name__ == "__main__":
    main()
