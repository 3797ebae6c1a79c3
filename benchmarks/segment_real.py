"""Whole-tumour Dice of ``fuzzy`` on five expert-labelled real cases, beside a naive peer in the same run.

Run with ``python benchmarks/segment_real.py [FOLDER]``; about a minute. FOLDER holds the cases
(default ``../shared/data``); where it is absent the script says so and ends. The peer is Otsu's threshold
of FLAIR inside the brain, largest part. The settings of ``fuzzy`` were chosen on these five cases, so
the figures are no independent test.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorboard.io.images import read_volume
from tumorboard.metrics.overlap import dice
from tumorboard.prepare.prepare import prepare
from tumorboard.segment import SEGMENTERS
from tumorboard.segment.space import parts
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Volume

Mask = NDArray[np.bool_]
HOME = Path(__file__).resolve().parents[2] / "shared" / "data"
BRATS = "tumour/brats18-2013_21_1/Brats18_2013_21_1_"
FOUR = {Sequence.T1: "t1", Sequence.T1C: "t1ce", Sequence.T2: "t2", Sequence.FLAIR: "flair"}


def cases(home: Path) -> dict[str, tuple[dict[Sequence, Path], Path]]:
    """Return images and expert labels of each case."""
    out = {
        "brats18-2013_21_1": ({s: home / f"{BRATS}{n}.nii.gz" for s, n in FOUR.items()}, home / f"{BRATS}seg.nii.gz")
    }
    for n in range(4):
        folder = home / "tumour" / "brats18-flair-t1" / f"case_{n}"
        images = {Sequence.T1: folder / "T1.nii.gz", Sequence.FLAIR: folder / "FLAIR.nii.gz"}
        out[folder.name] = (images, folder / "GT_W.nii.gz")
    return out


def otsu_peer(study: Study) -> Mask:
    """Return the largest part of FLAIR above Otsu's threshold."""
    flair = study.volumes[Sequence.FLAIR].data
    counts, edges = np.histogram(flair[study.brain], bins=256)
    middle = (edges[:-1] + edges[1:]) / 2
    below, mean = np.cumsum(counts), np.cumsum(counts * middle)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (mean / below - (mean[-1] - mean) / above) ** 2
    largest, _ = parts((flair > middle[int(np.nanargmax(between))]) & study.brain)
    return np.asarray(largest == 1)


def judge(images: dict[Sequence, Path], labels: Path) -> tuple[float, float, float, float, Study, Volume, Volume]:
    """Return Dice of the method and of the peer, both volumes in mL, and what was compared."""
    study = prepare("ses-01", {s: read_volume(p, s.value) for s, p in images.items()}).study
    found = SEGMENTERS.make("fuzzy").segment(study).labels
    truth = read_volume(labels, "labels").canonical()
    whole = truth.data > 0
    own, peer = dice(whole, found.region("WT")), dice(whole, otsu_peer(study))
    ml = study.grid.voxel_volume_ml
    return own, peer, found.volume_ml("WT"), float(whole.sum()) * ml, study, found, truth


def main(home: Path) -> None:
    """Print one line a case, and the means."""
    if not home.is_dir():
        print("the real cases are not here; nothing was measured")
        return
    rows = []
    print(f"{'case':22}{'fuzzy':>8}{'Otsu':>8}{'mL':>9}{'expert mL':>11}")
    for name, (images, labels) in cases(home).items():
        own, peer, ml, expert, _, found, truth = judge(images, labels)
        rows.append((own, peer))
        print(f"{name:22}{own:8.3f}{peer:8.3f}{ml:9.1f}{expert:11.1f}", flush=True)
        if Sequence.T1C in images:
            enhancing = dice(truth.data == 4, found.data == 3)
            core = dice(np.isin(truth.data, (1, 4)), np.isin(found.data, (1, 3)))
            print(f"  {name}: enhancing tumour {enhancing:.3f}, tumour core {core:.3f}")
    own_mean, peer_mean = np.mean(rows, axis=0)
    print(f"whole-tumour Dice, mean of n = {len(rows)}: fuzzy {own_mean:.3f}, Otsu {peer_mean:.3f}")
    print("settings were chosen on these five cases: this is no independent test")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)
