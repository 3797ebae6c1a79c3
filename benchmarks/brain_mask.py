"""Brain masks of native heads: Dice against the truth, beside thresholding.

Run with ``python benchmarks/brain_mask.py``; about two minutes. The heads are digital ones in three protocols (a
plain shell, so easier than patients), and one real case where it is present, whose mask another tool made. The peer
is what comes first to hand: Otsu's threshold, opening, the largest part, holes filled.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.io.images import read_volume, to_itk
from tumorboard.prepare.brainers.deepbet import largest_part
from tumorboard.prepare.skull import head_mask
from tumorboard.sequences import Sequence
from tumorboard.simulate.native import native_patient
from tumorboard.simulate.scanner.acquisition import PROTOCOLS
from tumorboard.volume import Grid, Volume

SEEDS = (31, 32)
OPENING_MM = 5.0
REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "tumour" / "TCGA-FG-6692-native"


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return 2.0 * float((a & b).sum()) / float(a.sum() + b.sum())


def thresholded(head: Volume) -> NDArray[np.bool_]:
    """Outline the brain by Otsu's threshold, an opening by ``OPENING_MM``, and the largest part."""
    image = to_itk(head.with_data(head.data.astype(np.float32)))
    bright = sitk.GetArrayFromImage(sitk.OtsuThreshold(image, 0, 1)).transpose(2, 1, 0) > 0
    spacing = head.spacing_mm
    core = largest_part(ndi.distance_transform_edt(bright, sampling=spacing) > OPENING_MM)
    opened = ndi.distance_transform_edt(~core, sampling=spacing) <= OPENING_MM
    return np.asarray(ndi.binary_fill_holes(opened & bright), dtype=np.bool_)


def on_grid(mask: Volume, grid: Grid) -> NDArray[np.bool_]:
    step = np.linalg.inv(mask.affine) @ grid.affine
    data = mask.data.astype(np.float32)
    return np.asarray(
        ndi.affine_transform(data, step[:3, :3], step[:3, 3], output_shape=grid.shape, order=1) > 0.5, dtype=np.bool_
    )


def compare(name: str, volumes: dict[Sequence, Volume], truth: NDArray[np.bool_]) -> None:
    start = time.process_time()
    found = head_mask(volumes)
    spent = time.process_time() - start
    ml = volumes[found.sequence].grid.voxel_volume_ml
    mask = np.asarray(found.mask.data)
    print(
        f"{name:22} tumorboard {dice(mask, truth):.3f} ({mask.sum() * ml:5.0f} of {truth.sum() * ml:5.0f} mL, "
        f"{spent:4.1f} CPU-s)   threshold {dice(thresholded(volumes[found.sequence]), truth):.3f}",
        flush=True,
    )


def main() -> None:
    """Print Dice of both methods on digital heads and, where it is present, on a real one."""
    for protocol in PROTOCOLS:
        for seed in SEEDS:
            study = native_patient(seed, 2.0, protocol, studies=1).studies[0]
            volumes = {s: image.volume for s, image in study.images.items()}
            truth = on_grid(study.brain, volumes[Sequence.T1C].grid)
            compare(f"digital, {protocol}, {seed}", volumes, truth)
    if not REAL.is_dir():
        print("the real case is not there (../shared/data)")
        return
    contrast = read_volume(next(REAL.glob("*t1c.nii.gz")), "T1C")
    truth = read_volume(REAL / "brain-mask-on-t1c.nii.gz", "brain mask").data > 0
    compare("TCGA-FG-6692, T1C", {Sequence.T1C: contrast}, truth)


if __name__ == "__main__":
    main()
