"""Brain masks of native heads: Dice against the truth of our network, of deepbet, and of thresholding.

Run with ``python benchmarks/brain_mask.py``; about five minutes. Every sequence of digital heads in three protocols is
outlined: a plain shell, drawn by the same hand as the heads that our network learned from, so easier than patients.
Their truth ends at the brain; masks of both networks hold the fluid around it too. Beside them a real case, where it is
present: its mask was made by another tool on T1C, and is laid on the other sequences by registration. The simplest
peer is what comes first to hand: Otsu's threshold, opening, the largest part, holes filled.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.errors import InputError
from tumorboard.io.images import read_volume, to_itk
from tumorboard.prepare.bias import without_bias
from tumorboard.prepare.brainers import deepbet, learned
from tumorboard.prepare.brainers.deepbet import largest_part
from tumorboard.prepare.native import laid, region_around, sampled
from tumorboard.simulate.native import native_patient
from tumorboard.simulate.scanner.acquisition import PROTOCOLS
from tumorboard.volume import Volume

SEEDS = (31, 32)
OPENING_MM = 5.0
REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "tumour" / "TCGA-FG-6692-native"


Outline = Callable[[Volume], NDArray[np.bool_]]

ENDINGS = {"t1c": "T1C", "t1": "T1", "t2": "T2", "fla": "FLAIR"}
"""What tells the files of the real case apart."""


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return 2.0 * float((a & b).sum()) / max(float(a.sum() + b.sum()), 1.0)


def thresholded(head: Volume) -> NDArray[np.bool_]:
    """Outline the brain by Otsu's threshold, an opening by ``OPENING_MM``, and the largest part."""
    image = to_itk(head.with_data(head.data.astype(np.float32)))
    bright = sitk.GetArrayFromImage(sitk.OtsuThreshold(image, 0, 1)).transpose(2, 1, 0) > 0
    spacing = head.spacing_mm
    core = largest_part(ndi.distance_transform_edt(bright, sampling=spacing) > OPENING_MM)
    opened = ndi.distance_transform_edt(~core, sampling=spacing) <= OPENING_MM
    return np.asarray(ndi.binary_fill_holes(opened & bright), dtype=np.bool_)


METHODS: dict[str, Outline] = {"brain network": learned.outline, "deepbet": deepbet.outline, "threshold": thresholded}


def outlined(head: Volume, outline: Outline) -> tuple[NDArray[np.bool_], float]:
    """Return a method's mask (empty where it finds none), and its CPU seconds."""
    start = time.process_time()
    try:
        mask = outline(head)
    except InputError:
        mask = np.zeros(head.grid.shape, dtype=np.bool_)
    return mask, time.process_time() - start


def compare(name: str, head: Volume, truth: NDArray[np.bool_]) -> None:
    """Print Dice and CPU seconds of every method on one image."""
    told = []
    for method, outline in METHODS.items():
        mask, spent = outlined(head, outline)
        told.append(f"{method} {dice(mask, truth):.3f} ({spent:4.1f} CPU-s)")
    print(f"{name:32} {'   '.join(told)}", flush=True)


def digital() -> None:
    """Compare on digital heads."""
    for protocol in PROTOCOLS:
        for seed in SEEDS:
            study = native_patient(seed, 2.0, protocol, studies=1).studies[0]
            for sequence, image in study.images.items():
                truth = sampled(study.brain, image.volume.grid, np.linalg.inv(image.motion), 1) > 0.5
                compare(f"digital, {protocol}, {seed}, {sequence.value}", image.volume, truth)


def real() -> None:
    """Compare on a real head."""
    truth = read_volume(REAL / "brain-mask-on-t1c.nii.gz", "brain mask")
    truth = truth.with_data(truth.data > 0)
    heads = {name: read_volume(next(REAL.glob(f"*_{word}.nii.gz")), name) for word, name in ENDINGS.items()}
    around = region_around(truth.data, truth.grid)
    even, _ = without_bias(heads["T1C"], around)
    for name, head in heads.items():
        lies = np.eye(4) if name == "T1C" else laid(even, head, around)[0].matrix
        compare(f"TCGA-FG-6692, {name}", head, sampled(truth, head.grid, np.linalg.inv(lies), 1) > 0.5)


def main() -> None:
    """Print Dice of all methods on digital heads and, where it is present, on a real one."""
    learned.shipped_network()  # loaded before it is timed
    digital()
    if REAL.is_dir():
        real()
    else:
        print("the real case is not there (../shared/data)")


if __name__ == "__main__":
    main()
