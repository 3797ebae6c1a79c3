"""Train the networks that are shipped, calibrate them, and put them in their place.

Run by ``make train-bundles``; hours on two cores, less with a GPU. It goes on where it was stopped. A better run
replaces a bundle without any change of code. ``--only NAME`` trains one bundle; ``--calibrate`` only calibrates what
is there.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, track

from tumorboard.defaults import SEGMENTER
from tumorboard.detect import detector_of
from tumorboard.detect.arbiter import write_arbiter
from tumorboard.labels import LabelMap
from tumorboard.learn.arbiter import calibrate_arbiter
from tumorboard.learn.calibrate import Calibrated, calibrate
from tumorboard.learn.holdout import held_out
from tumorboard.learn.joint import calibrate_joint
from tumorboard.learn.loop import Progress as Step
from tumorboard.learn.operating import Told, calibrate_detectors, worth
from tumorboard.learn.run import train
from tumorboard.learn.settings import TrainSettings, read_settings
from tumorboard.networks.bundle import META, Bundle, Calibration, read_bundle, write_bundle
from tumorboard.networks.card import card_text
from tumorboard.prepare.prepare import prepare
from tumorboard.segment.fused import FusedSegmenter
from tumorboard.segment.joint import write_joint
from tumorboard.segment.named import segmenter_of
from tumorboard.sequences import Sequence
from tumorboard.simulate.subject import Kind
from tumorboard.study import Study

HOME = Path(__file__).resolve().parents[1]
SETTINGS = HOME / "scripts" / "bundles"
SHIPPED = HOME / "src" / "tumorboard" / "bundles"
WORK = HOME / "training"

RUNS: dict[str, tuple[str, ...]] = {
    "glioma": ("glioma-coarse", "glioma-fine"),
    "brain": ("brain-coarse",),
    "metastases": ("metastases-fine",),
}
"""Bundles and the settings of their passes, in order."""

CALIBRATION_MM = 1.0
"""Voxel size at which segmenters are calibrated: that of most studies."""

CALIBRATION_SEED = 100
"""Of the digital patients that a bundle is calibrated on; ``benchmarks/`` judge on others."""


def trained(settings: TrainSettings, out: Path) -> None:
    """Train one pass with a bar."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}"), TimeRemainingColumn()
    ) as bar:
        shown = bar.add_task(settings.name, total=settings.steps)

        def tell(step: Step) -> None:
            bar.update(shown, completed=step.step, description=f"{settings.name} loss {step.loss:.3f}")

        train(settings, out, out if (out / META).is_file() else None, tell)


def calibrated(out: Path, patients: int) -> None:
    """Calibrate a bundle on digital patients that it did not learn from, and write it again."""
    bundle = read_bundle(out)
    told = calibrate(bundle, _prepared(patients, "calibration"))
    measured = figures(told, patients)
    meta = bundle.metadata.model_copy(update={"calibration": told.calibration, "measured": measured})
    write_bundle(out, meta, bundle.weights, card_text(meta))
    Console().print_json(data=measured)


def _prepared(patients: int, what: str) -> Iterator[tuple[Study, LabelMap]]:
    """Yield digital patients, prepared as ``run`` prepares, with their truth."""
    made = held_out(CALIBRATION_SEED, patients, Kind.GLIOMA, CALIBRATION_MM, visits=2)
    for case in track(made, total=patients, description=what):
        yield prepare(case.study.id, case.study.volumes).study, case.truth


def calibrated_detector(out: Path, patients: int) -> None:
    """Find a detector's operating points on digital patients that it did not learn from, and write it again.

    Those of the template are printed: they stand in its settings.
    """
    bundle = read_bundle(out)
    cases = _with_lesions(patients, "operating points")
    calibration, told = calibrate_detectors(bundle, (detector_of("template"),), cases)
    measured = worths(told[0], calibration)
    meta = bundle.metadata.model_copy(update={"calibration": calibration, "measured": measured})
    write_bundle(out, meta, bundle.weights, card_text(meta))
    Console().print_json(data=measured)
    Console().print(f"network {calibration.thresholds}, {calibration.thresholds_bb}; template {told[1].points()}")


def _with_lesions(patients: int, what: str) -> Iterator[tuple[Study, NDArray[np.uint16]]]:
    """Yield digital patients with metastases, and numbers of their lesions."""
    made = held_out(CALIBRATION_SEED, patients, Kind.METASTASES, extras=(Sequence.BB,))
    for case in track(made, total=patients, description=what):
        if case.lesions is not None:
            yield case.study, case.lesions


def calibrated_pair(patients: int) -> None:
    """Fit the arbiter of the default of ``detect`` on the same digital patients."""
    detector_of.cache_clear()  # the bundle may have been replaced
    first, second = detector_of("metastases"), detector_of("template")
    plain, with_bb = calibrate_arbiter(first, second, _with_lesions(patients, "arbiter"))
    write_arbiter((first.card, second.card), plain, with_bb)
    Console().print(f"arbiter {plain.thresholds}, {with_bb.thresholds if with_bb else 'no black-blood'}")


def calibrated_joint(patients: int) -> None:
    """Calibrate the default of ``run`` on the same digital patients."""
    segmenter_of.cache_clear()  # the bundle may have been replaced
    default = segmenter_of(SEGMENTER)
    if isinstance(default, FusedSegmenter):
        told = calibrate_joint(default, _prepared(patients, "joint opinion"))
        write_joint(default.how, [s.card for s in default.segmenters], told.calibration)
        Console().print_json(data=figures(told, patients))


def figures(told: Calibrated, patients: int) -> dict[str, float]:
    """Return mean Dice by region, with their data in the name."""
    out = {}
    for region in ("WT", "TC", "ET", "RC"):
        scores = [r.dice for r in told.rows if r.region == region and r.true_ml > 0]
        if scores:
            out[f"Dice {region}, mean of {len(scores)} of {patients} digital patients (calibration set)"] = round(
                sum(scores) / len(scores), 3
            )
    return out


def worths(told: Told, calibration: Calibration) -> dict[str, float]:
    """Return sensitivity and false alarms at the operating points, with their data in the name."""
    out = {}
    given = {"T1C": (told.plain, calibration.thresholds), "T1C + BB": (told.with_bb, calibration.thresholds_bb)}
    for name, (studies, points) in given.items():
        if points is None:
            continue
        of = worth(studies, told.lesions, points)
        data = f"{of.lesions} metastases of {of.patients} digital patients (calibration set)"
        out[f"Sensitivity, {name}, {data}"] = round(of.sensitivity, 3)
        out[f"False alarms a patient, {name}, {data}"] = round(of.false_alarms, 2)
    return out


def placed(bundle: Bundle, name: str) -> None:
    """Copy a bundle to where the product looks for it."""
    write_bundle(SHIPPED / name, bundle.metadata, bundle.weights, card_text(bundle.metadata))


CALIBRATORS: dict[str, Callable[[Path, int], None]] = {"segment": calibrated, "detect": calibrated_detector}
"""By task; a brain mask needs none."""


def main(names: list[str], only_calibrate: bool, patients: int) -> None:
    """Do everything for each bundle."""
    for name in names:
        out = WORK / name
        if not only_calibrate:
            for run in RUNS[name]:
                trained(read_settings(SETTINGS / f"{run}.toml"), out)
        task = read_bundle(out).metadata.task
        if task in CALIBRATORS:
            CALIBRATORS[task](out, patients)
        placed(read_bundle(out), name)
    if any(name in SEGMENTER for name in names):
        calibrated_joint(patients)
    if "metastases" in names:
        calibrated_pair(patients)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--only", choices=sorted(RUNS), action="append")
    asked.add_argument("--calibrate", action="store_true")
    asked.add_argument("--patients", type=int, default=60)
    given = asked.parse_args()
    main(given.only or sorted(RUNS), given.calibrate, given.patients)
