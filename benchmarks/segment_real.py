"""Dice on expert-labelled real cases: the default of `run`, its members, and Otsu's threshold in the same run.

Run with ``python benchmarks/segment_real.py [FOLDER] [--pictures FOLDER]``; about three minutes. FOLDER holds the
cases (default ``../shared/data``); where it is absent the script says so and ends. No network saw any of them in
training. The settings of ``fuzzy``, contrasts of the network's training and the rule that joins both were chosen while
looking at these five (and one more), so the figures are no independent test. On the case with four sequences the
default is run on all subsets of them as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tumorboard.defaults import SEGMENTER
from tumorboard.io.images import read_volume
from tumorboard.labels import LabelMap
from tumorboard.metrics.maps.overlap import dice
from tumorboard.prepare.prepare import prepare
from tumorboard.segment.named import segmenter_of
from tumorboard.segment.space import parts
from tumorboard.sequences import USED, Sequence
from tumorboard.study import Study

Mask = NDArray[np.bool_]
HOME = Path(__file__).resolve().parents[2] / "shared" / "data"
BRATS = "tumour/brats18-2013_21_1/Brats18_2013_21_1_"
FOUR = {Sequence.T1: "t1", Sequence.T1C: "t1ce", Sequence.T2: "t2", Sequence.FLAIR: "flair"}
METHODS = (SEGMENTER, "glioma", "fuzzy")
"""The default of ``run``, and its members."""


@dataclass(frozen=True)
class Real:
    """A prepared case and what experts drew; ``regions`` are those that their labels can express."""

    name: str
    study: Study
    truth: dict[str, Mask]


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


def read(home: Path) -> Iterator[Real]:
    """Read and prepare every case."""
    for name, (images, labels) in cases(home).items():
        study = prepare("ses-01", {s: read_volume(p, s.value) for s, p in images.items()}).study
        truth = read_volume(labels, "labels")
        if Sequence.T1C in images:
            own = LabelMap.from_scheme(truth, "brats2017").canonical()
            yield Real(name, study, {r: own.region(r) for r in ("WT", "TC", "ET")})
        else:
            yield Real(name, study, {"WT": truth.canonical().data > 0})


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


def judge(case: Real, method: str) -> tuple[dict[str, float], LabelMap, dict[str, float]]:
    """Return Dice by region, the label map, and the Dice that the method expected of itself."""
    found = segmenter_of(method).segment(case.study)
    scores = {r: dice(t, found.labels.region(r)) for r, t in case.truth.items() if r not in found.not_assessable}
    return scores, found.labels, dict(found.predicted_dice)


def subsets(case: Real) -> None:
    """Print the default's Dice for every subset of the sequences."""
    print(f"\nsubsets of sequences, {case.name} (n = 1)")
    for count in range(4, 0, -1):
        for kept in combinations(USED, count):
            less = replace(case.study, volumes={s: case.study.volumes[s] for s in kept})
            found = segmenter_of(SEGMENTER).segment(less)
            told = {r: f"{dice(t, found.labels.region(r)):.3f}" for r, t in case.truth.items()}
            row = "  ".join(f"{r} {'  -  ' if r in found.not_assessable else told[r]}" for r in case.truth)
            print(f"  {'+'.join(s.value for s in kept):22}{row}", flush=True)


def draw(rows: list[tuple[Real, LabelMap, float]], folder: Path) -> None:
    """Draw the best and the worst case, experts in yellow, the default method in red."""
    folder.mkdir(parents=True, exist_ok=True)
    ranked = sorted(rows, key=lambda row: row[2])
    for word, (case, found, score) in (("best", ranked[-1]), ("worst", ranked[0])):
        k = int(case.truth["WT"].sum(axis=(0, 1)).argmax())
        figure = Figure(figsize=(4 * len(case.study.volumes), 4.4), layout="constrained")
        places = np.atleast_1d(figure.subplots(1, len(case.study.volumes)))
        for place, (name, volume) in zip(places, case.study.volumes.items(), strict=True):
            # seen from the feet: the patient's right is on the left
            place.imshow(volume.data[::-1, ::-1, k].T, cmap="gray", vmin=-3, vmax=4)
            place.contour(case.truth["WT"][::-1, ::-1, k].T, [0.5], colors="yellow", linewidths=1)
            place.contour(found.region("WT")[::-1, ::-1, k].T, [0.5], colors="red", linewidths=1)
            place.set_title(name.value)
            place.axis("off")
        figure.suptitle(f"{word}: {case.name}, whole tumour {score:.3f}; experts yellow, default method red; R is left")
        figure.savefig(folder / f"{word}.png", dpi=90)


def main(home: Path, pictures: Path | None) -> None:
    """Print one line a case and method, the means, and the subsets."""
    if not home.is_dir():
        print("the real cases are not here; nothing was measured")
        return
    kept: list[tuple[Real, LabelMap, float]] = []
    means: dict[str, list[float]] = {m: [] for m in (*METHODS, "Otsu")}
    for case in read(home):
        for method in METHODS:
            scores, labels, expected = judge(case, method)
            told = "  ".join(f"{r} {v:.3f}" for r, v in scores.items())
            own = "  ".join(f"{r} {expected[r]:.2f}" for r in scores if r in expected)
            print(f"{case.name:20}{method:22}{told}{'   expected of itself: ' + own if own else ''}", flush=True)
            means[method].append(scores["WT"])
            if method == SEGMENTER:
                kept.append((case, labels, scores["WT"]))
        means["Otsu"].append(dice(case.truth["WT"], otsu_peer(case.study)))
        print(f"{case.name:20}{'Otsu':22}WT {means['Otsu'][-1]:.3f}")
    for method, values in means.items():
        rest = f"FLAIR + T1 only, n = {len(values) - 1}: {np.mean(values[1:]):.3f}"
        print(f"whole tumour, mean of n = {len(values)}: {method} {np.mean(values):.3f}; {rest}")
    subsets(kept[0][0])
    if pictures is not None:
        draw(kept, pictures)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("home", type=Path, nargs="?", default=HOME)
    asked.add_argument("--pictures", type=Path)
    given = asked.parse_args()
    main(given.home, given.pictures)
