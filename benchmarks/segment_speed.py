"""CPU time of a whole segmentation, against MONAI's sliding window over the whole brain with the same network.

Run with ``python benchmarks/segment_speed.py``; some five minutes. One digital four-sequence study of 240 x 240 x 155
voxels of 1 mm. The peer runs the fine network in float32 eager PyTorch on windows that overlap by a quarter, as MONAI
users do. Printed: CPU seconds, their ratio, the difference of Dice between the way that was chosen and the float32
reference, and peak memory.
"""

from __future__ import annotations

import resource
import time
import warnings

import numpy as np
import torch
from monai.inferers.utils import sliding_window_inference

from tumorboard.learn.holdout import held_out
from tumorboard.metrics.maps.overlap import dice
from tumorboard.networks.bundle import read_bundle, shipped
from tumorboard.segment.learned import LearnedSegmenter, Options
from tumorboard.simulate.subject import Kind
from tumorboard.study import Study
from tumorboard.volume import Grid, Volume

SHAPE = (240, 240, 155)


def padded(study: Study) -> Study:
    """Return a study on the usual grid of 240 x 240 x 155 voxels."""
    room = [max(0, w - n) for n, w in zip(study.grid.shape, SHAPE, strict=True)]
    widths = [(r // 2, r - r // 2) for r in room]

    def wide(array: np.ndarray) -> np.ndarray:
        return np.pad(array, widths)[: SHAPE[0], : SHAPE[1], : SHAPE[2]]

    grid = Grid(SHAPE, study.grid.affine)
    return Study(study.id, {s: Volume(wide(v.data), grid) for s, v in study.volumes.items()}, wide(study.brain))


def main() -> None:
    """Print both times."""
    case = next(held_out(700, 1, Kind.GLIOMA))
    study = padded(case.study)
    bundle = read_bundle(shipped("glioma"))
    fine = bundle.metadata.passes[-1]
    began = time.process_time()
    segmenter = LearnedSegmenter(bundle)
    found = segmenter.segment(study)
    first = time.process_time() - began
    began = time.process_time()
    again = segmenter.segment(study)
    ours = time.process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    for name, choice in segmenter.choices.items():
        told = ", ".join(f"{n} {s:.2f} s" for n, s in choice.seconds.items())
        print(f"{name}: {choice.name} (one window: {told})")
    reference = LearnedSegmenter(bundle, Options(backend="torch-float32")).segment(study)
    network = bundle.network(fine.name)
    images = torch.from_numpy(np.stack([study.volumes[s].data for s in bundle.metadata.sequences]))[None].float()
    began = time.process_time()
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sliding_window_inference(images, fine.window, 1, network, overlap=0.25, mode="gaussian")
    peer = time.process_time() - began
    print(f"ours, warm: {ours:.2f} CPU-s; the first study, with loading and self-test: {first:.2f} CPU-s")
    print(f"MONAI sliding window, float32 eager, whole volume: {peer:.2f} CPU-s; ratio {peer / ours:.1f} (wanted: 5)")
    for region in ("WT", "TC", "ET"):
        told = dice(found.labels.region(region), reference.labels.region(region))
        print(f"{region}: Dice of the chosen way with the float32 reference {told:.4f}")
    print(f"same maps twice: {bool((found.labels.data == again.labels.data).all())}; peak memory {memory:.2f} GiB")


if __name__ == "__main__":
    main()
