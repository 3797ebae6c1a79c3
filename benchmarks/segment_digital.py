"""The default of `run`, the glioma network and `fuzzy` on digital patients that none of them saw.

Run with ``python benchmarks/segment_digital.py [--patients 200] [--subsets 20] [--workers 1]``; some 30 s a patient.
Overlap, volumes, calibration, and missing sequences. Seeds are others than those of training and calibration, and
images come from the simulator's seven sites, whose scanners training does not know. All methods see the same prepared
studies. These are digital patients: none of the figures says anything about people.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations, islice

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from tumorboard.defaults import SEGMENTER
from tumorboard.learn.holdout import HeldOut, held_out_patient
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

    def add(self, other: Collected) -> None:
        """Add what another collected."""
        for region, own in self.rows.items():
            for name in vars(own):
                getattr(own, name).extend(getattr(other.rows[region], name))
        self.bins += other.bins


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


def default_of() -> FusedSegmenter:
    """Return the default of ``run``, loaded once a process."""
    default = segmenter_of(SEGMENTER)
    if not isinstance(default, FusedSegmenter):
        raise TypeError("the default is one method: this script compares a joint opinion with its members")
    return default


def made(n: int, spacing_mm: float) -> HeldOut:
    """Make patient ``n``."""
    return held_out_patient(SEED, n, Kind.GLIOMA, spacing_mm, visits=2)


def judged(job: tuple[int, float]) -> dict[str, Collected]:
    """Make a patient, run each member of the default once, and collect what they and the default give."""
    case, default = made(*job), default_of()
    told: dict[str, Collected] = {}
    study = prepare(case.study.id, case.study.volumes).study
    given = [member.segment(study) for member in default.segmenters]
    for found in (default.fused(given), *given):
        collect(case, found, told.setdefault(found.card.id, Collected()))
    return told


def every(jobs: list[tuple[int, float]], workers: int) -> Iterator[dict[str, Collected]]:
    """Yield what was collected of each patient, in order."""
    if workers == 1:
        yield from map(judged, jobs)
        return
    os.environ["OMP_NUM_THREADS"] = "1"  # processes share the cores
    with mp.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(judged, jobs)


def main(patients: int, few: int, spacing_mm: float, workers: int) -> None:
    """Print everything."""
    told: dict[str, Collected] = {}
    print(f"{patients} digital gliomas, {spacing_mm:g} mm, seven sites; {SEGMENTER}, {default_of().card.version}")
    jobs = [(n, spacing_mm) for n in range(patients)]
    for one in track(every(jobs, workers), total=patients, description="digital patients"):
        for method, collected in one.items():
            told.setdefault(method, Collected()).add(collected)
    for method, collected in told.items():
        table(method, collected)
    whole = (case for case in (made(*job) for job in jobs) if len(case.study.volumes) == len(USED))
    kept = list(islice(whole, few))
    if kept:
        subsets(kept)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--patients", type=int, default=200)
    asked.add_argument("--subsets", type=int, default=20)
    asked.add_argument("--spacing-mm", type=float, default=1.0)
    asked.add_argument("--workers", type=int, default=1, help="processes; some 2 GB each")
    given = asked.parse_args()
    main(given.patients, given.subsets, given.spacing_mm, given.workers)
