"""CPU time and memory of a voxel-wise map: joint entropy of co-occurrences of 100 mL, 64 bins, at 1 mm.

Run with ``python benchmarks/radiomics_maps.py``; some seconds. The image is noise with a gradient in 240 x 240 x 155
voxels, the region an irregular ball. Memory is what the process needs at its highest; the limit is 2 GiB.
"""

from __future__ import annotations

import resource
import time

import numpy as np

from tumorboard.radiomics.maps import feature_map
from tumorboard.radiomics.settings import Discretisation, RadiomicsSettings
from tumorboard.volume import Volume

GRID = (240, 240, 155)
RADIUS_MM = 28.8
LIMIT_MIB = 2048


def case() -> tuple[Volume, Volume]:
    """Return an image and a region of some 100 mL."""
    rng = np.random.default_rng(0)
    axes = np.ogrid[tuple(slice(0, n) for n in GRID)]
    away = np.sqrt(sum((x - c) ** 2 for x, c in zip(axes, (130, 115, 80), strict=True)))
    image = rng.normal(500, 60, GRID).astype(np.float32) + 2 * axes[0].astype(np.float32)
    ball = away + rng.normal(0, 0.5, GRID) < RADIUS_MM
    return Volume.of(image, np.eye(4)), Volume.of(ball.astype(np.uint8), np.eye(4))


def peak_mib() -> float:
    """Return the highest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print time and memory of each way."""
    image, mask = case()
    settings = RadiomicsSettings(texture=Discretisation(method="fbn", count=64))
    small = mask.with_data(mask.data * (np.indices(GRID)[0] < 103))
    print(f"region {mask.data.sum() / 1000:.1f} mL")
    for way in ("3D_avg", "3D_comb"):
        feature_map(image, small, f"cm_joint_entr_{way}", settings)  # compiled, or read from the cache
        before, start = peak_mib(), time.process_time()
        made = feature_map(image, mask, f"cm_joint_entr_{way}", settings)
        spent = time.process_time() - start
        told = f"{spent:.1f} CPU-s, highest {peak_mib():.0f} MiB (before {before:.0f}), limit {LIMIT_MIB} MiB"
        print(f"{way}: {int(np.isfinite(made.data).sum())} voxels, {told}")


if __name__ == "__main__":
    main()
