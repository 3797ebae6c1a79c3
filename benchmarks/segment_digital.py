"""The default of `run`, the glioma network and `fuzzy` on digital patients that none of them saw.

Run with ``python benchmarks/segment_digital.py [--patients 200] [--subsets 20]``; some 35 CPU seconds a patient.
Overlap, volumes, calibration, and missing sequences. Seeds are others than those of training and calibration, and
images come from the simulator's seven sites, whose scanners training does not know. All methods see the same prepared
studies. These are digital patients: none of the figures says anything about people.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from tumorboard.defaults import SEGMENTER
from tumorboard.learn.holdout import HeldOut, held_out
from tumorboard.metrics.maps.overlap import dice
from tumorboard.metrics.maps.surface import surface_distances
from tumorboard.prepare.prepare import prepare
from tumorboard.segment import Segmentation
from tumorboard.segment.fused import FusedSegmenter
from tumorboard.segment.named import segmenter_of
from tumorboard.sequences import USED
from tumorboard.simulate.subject import Kind
from tumorboard.volume import box_around

JUDGED = ("WT", "TC", "ET", "RC")
SEED = 500
BINS = 15


@dataclass
class Rows:
    """What was collected of one region."""

    dice: list[float] = field(default_factory=list)
    nsd: list[float] = field(default_factory=list)
    bias_ml: list[float] = field(default_factory=list)
    covered: list[bool] = field(default_factory=list)
    expected: list[tuple[float, float]] = field(default_factory=list)


def interval(values: list[float]) -> str:
    """Return the mean and its bootstrapped 95 % interval over patients."""
    if not values:
        return "   -"
    rng = np.random.default_rng(0)
    means = [np.mean(rng.choice(values, len(values))) for _ in range(1000)]
    low, high = np.percentile(means, (2.5, 97.5))
    return f"{np.mean(values):6.3f} ({low:.3f} to {high:.3f}) n {len(values)}"


@dataclass
class Collected:
    """What was collected of one method: rows by region, and the reliability of its whole tumour."""

    rows: dict[str, Rows] = field(default_factory=lambda: {r: Rows() for r in JUDGED})
    bins: NDArray[np.float64] = field(default_factory=lambda: np.zeros((3, BINS)))


def collect(case: HeldOut, found: Segmentation, into: Collected) -> None:
    """Add one study."""
    ml = case.truth.grid.voxel_volume_ml
    for region in JUDGED:
        if region in found.not_assessable:
            continue
        true, mask, own = case.truth.region(region), found.labels.region(region), into.rows[region]
        if true.any():
            own.dice.append(dice(true, mask))
            own.nsd.append(surface_distances(true, mask, case.truth.grid.spacing_mm).nsd)
            own.bias_ml.append(float(mask.sum() - true.sum()) * ml)
            if region in found.intervals:
                low, high = found.intervals[region]
                own.covered.append(low <= case.truth.volume_ml(region) <= high)
            if region in found.predicted_dice:
                own.expected.append((found.predicted_dice[region], own.dice[-1]))
    if "WT" in found.probabilities:
        _reliability(case, found, into.bins)


def _reliability(case: HeldOut, found: Segmentation, bins: NDArray[np.float64]) -> None:
    """Count voxels within 10 mm of true or suspected tumour by probability of the whole tumour."""
    probability = found.probabilities["WT"].data
    true = case.truth.region("WT")
    box = box_around((probability > 0.01) | true)
    if box is None:
        return
    wide = tuple(slice(max(0, b.start - 10), b.stop + 10) for b in box)
    inside = case.study.brain[wide]
    p, t = probability[wide][inside], true[wide][inside]
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    bins[0] += np.bincount(place, minlength=BINS)
    bins[1] += np.bincount(place, weights=p, minlength=BINS)
    bins[2] += np.bincount(place, weights=t, minlength=BINS)


def table(method: str, told: Collected) -> None:
    """Print what was collected of a method."""
    print(f"\n{method}")
    for region, own in told.rows.items():
        if not own.dice:
            continue
        print(f"  {region}: Dice {interval(own.dice)}; NSD (1 mm) {interval(own.nsd)}")
        print(f"      volume bias, mL {interval(own.bias_ml)}")
        if own.covered:
            print(f"      90 % intervals of volume cover {100 * np.mean(own.covered):.1f} % (n {len(own.covered)})")
        if len(own.expected) > 2:
            x, y = np.array(own.expected).T
            print(f"      predicted against true Dice: r {np.corrcoef(x, y)[0, 1]:.2f} (n {len(x)})")
    bins = told.bins
    if bins[0].sum() > 0:
        gap = np.abs(bins[1] - bins[2]).sum() / bins[0].sum()
        print(f"  expected calibration error of whole tumour near it: {gap:.4f} ({bins[0].sum():.0f} voxels)")


def subsets(cases: list[HeldOut]) -> None:
    """Print mean Dice for each subset of the sequences."""
    print(f"\nsubsets of sequences, digital patients, n = {len(cases)}: mean Dice")
    method = segmenter_of("glioma")
    for count in range(4, 0, -1):
        for kept in combinations(USED, count):
            found = []
            for case in cases:
                volumes = {s: v for s, v in case.study.volumes.items() if s in kept}
                if volumes:
                    found.append((case, method.segment(replace(case.study, volumes=volumes))))
            told = []
            for region in ("WT", "TC", "ET"):
                scores = [
                    dice(c.truth.region(region), f.labels.region(region))
                    for c, f in found
                    if region not in f.not_assessable and c.truth.region(region).any()
                ]
                told.append(f"{region} {np.mean(scores):.3f}" if scores else f"{region}   -  ")
            print(f"  {'+'.join(s.value for s in kept):22}{'  '.join(told)}", flush=True)


def judged(case: HeldOut, default: FusedSegmenter, told: dict[str, Collected]) -> None:
    """Run each member of the default once, and collect what they and the default give."""
    study = prepare(case.study.id, case.study.volumes).study
    given = [member.segment(study) for member in default.segmenters]
    for found in (default.fused(given), *given):
        collect(case, found, told.setdefault(found.card.id, Collected()))


def main(patients: int, few: int, spacing_mm: float) -> None:
    """Print everything."""
    told: dict[str, Collected] = {}
    default = segmenter_of(SEGMENTER)
    if not isinstance(default, FusedSegmenter):
        raise TypeError("the default is one method: this script compares a joint opinion with its members")
    kept: list[HeldOut] = []
    print(f"{patients} digital gliomas, {spacing_mm:g} mm, seven sites; {SEGMENTER}, {default.card.version}")
    cases = held_out(SEED, patients, Kind.GLIOMA, spacing_mm, visits=2)
    for case in track(cases, total=patients, description="digital patients"):
        judged(case, default, told)
        if len(kept) < few and len(case.study.volumes) == len(USED):
            kept.append(case)
    for method, collected in told.items():
        table(method, collected)
    if kept:
        subsets(kept)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--patients", type=int, default=200)
    asked.add_argument("--subsets", type=int, default=20)
    asked.add_argument("--spacing-mm", type=float, default=1.0)
    given = asked.parse_args()
    main(given.patients, given.subsets, given.spacing_mm)
