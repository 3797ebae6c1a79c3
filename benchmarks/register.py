"""Co-registration on digital heads: error of known motions beside a peer, and what the gate lets through.

Run with ``python benchmarks/register.py``; about ten minutes of CPU time. **These are digital heads**, not
patients: no distortion, no motion within a scan, and no change of the brain between sequences; real heads are
harder. Seeds are not those that limits were chosen on (11 to 13). Motions reach 15 mm along and 10 degrees about
each axis. The images are compared around the true brain; what a wrong brain mask does is not measured here.

The peer is SimpleITK's textbook recipe: ``CenteredTransformInitializer``, Mattes mutual information on 1 % random
samples, gradient descent over three scales.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.spatial.transform import Rotation

from tumorboard.io.images import to_itk
from tumorboard.prepare.bias import without_bias, without_rough_bias
from tumorboard.prepare.gate import assess_fit
from tumorboard.prepare.native import laid, region_around
from tumorboard.sequences import Sequence
from tumorboard.simulate.native import NativeImage, acquire, centre_of, draw_motion
from tumorboard.simulate.patient import digital_patient
from tumorboard.simulate.scanner.acquisition import PROTOCOLS
from tumorboard.simulate.scanner.head import Head, whole_head
from tumorboard.volume import Affine, Grid, Volume

SEEDS = (31, 32)
SPACING_MM, SHIFT_MM, TURN_DEG = 2.0, 15.0, 10.0
MOVING = (Sequence.T1, Sequence.T2, Sequence.FLAIR)
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Case:
    """One digital head imaged by one protocol."""

    protocol: str
    reference: Volume
    even: Volume
    region: NDArray[np.bool_]
    points: NDArray[np.float64]
    centre: NDArray[np.float64]
    images: dict[Sequence, NativeImage]


@dataclass
class Tally:
    """Errors (mm) and CPU time of one method."""

    errors: list[NDArray[np.float64]] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        """Return one printed row."""
        every, images = np.concatenate(self.errors), [float(np.median(e)) for e in self.errors]
        worst = sum(image > 2.0 for image in images)
        return (
            f"{name:34} median {np.median(every):6.2f}  p95 {np.percentile(every, 95):6.2f}  max {every.max():6.2f} mm"
            f"   {worst} of {len(images)} images off by more than 2 mm   {np.mean(self.cpu_s):5.1f} CPU-s a fit"
        )


def head_of(seed: int) -> Head:
    patient = digital_patient(seed, SPACING_MM)
    return whole_head(patient.studies[0].volumes, patient.head.brain, patient.studies[0].truth)


def case_of(head: Head, protocol: str, rng: np.random.Generator) -> Case:
    how, centre = PROTOCOLS[protocol], centre_of(head)
    fixed = acquire(head, Sequence.T1C, how[Sequence.T1C], np.eye(4), rng).volume
    images = {s: acquire(head, s, how[s], draw_motion(rng, SHIFT_MM, TURN_DEG, centre), rng) for s in MOVING}
    brain = on_grid(head.brain, fixed.grid)
    points = fixed.grid.to_world(np.argwhere(brain)[::500])
    region = region_around(brain, fixed.grid)
    return Case(protocol, fixed, without_bias(fixed, region)[0], region, points, centre, images)


def on_grid(mask: Volume, grid: Grid) -> NDArray[np.bool_]:
    step = np.linalg.inv(mask.affine) @ grid.affine
    data = mask.data.astype(np.float32)
    return np.asarray(
        ndi.affine_transform(data, step[:3, :3], step[:3, 3], output_shape=grid.shape, order=1) > 0.5, dtype=np.bool_
    )


def ours(case: Case, moving: Volume) -> Affine:
    return laid(case.even, moving, case.region)[0].matrix


def textbook(case: Case, moving: Volume) -> Affine:
    """Register as SimpleITK's notebooks do."""
    fixed, other = (to_itk(v.with_data(v.data.astype(np.float32))) for v in (case.reference, moving))
    start = sitk.CenteredTransformInitializer(
        fixed, other, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.01, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsGradientDescent(
        learningRate=1.0, numberOfIterations=100, convergenceMinimumValue=1e-6, convergenceWindowSize=10
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SetInitialTransform(start, inPlace=False)
    found = method.Execute(fixed, other)
    origin = np.array(found.TransformPoint((0.0, 0.0, 0.0)))
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([np.array(found.TransformPoint(tuple(e))) - origin for e in np.eye(3)], axis=1)
    matrix[:3, 3] = origin
    return np.asarray(LPS @ matrix @ LPS, dtype=np.float64)


def timed(method: Callable[[Case, Volume], Affine], case: Case, image: NativeImage, tally: Tally) -> Affine:
    start = time.process_time()
    matrix = method(case, image.volume)
    tally.cpu_s.append(time.process_time() - start)
    off = (matrix - image.motion)[:3]
    tally.errors.append(np.linalg.norm(case.points @ off[:, :3].T + off[:, 3], axis=1))
    return matrix


def displaced(rng: np.random.Generator, centre: NDArray[np.float64], kind: str) -> Affine:
    """Draw a mistake of 5 to 15 mm, of 5 to 15 degrees about the brain's middle, or of both."""
    way, axis = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
    wrong = np.eye(4)
    if kind != "shift":
        wrong[:3, :3] = Rotation.from_rotvec(axis * np.radians(rng.uniform(5, 15))).as_matrix()
        wrong[:3, 3] = centre - wrong[:3, :3] @ centre
    if kind != "turn":
        wrong[:3, 3] += way * rng.uniform(5, 15)
    return wrong


class Gate:
    """Counts of what was refused, by kind of fit."""

    def __init__(self) -> None:
        self.refused: dict[str, list[bool]] = {}

    def judge(self, kind: str, case: Case, moving: Volume, matrix: Affine) -> None:
        """Assess one fit of an image whose rough bias was removed."""
        told = assess_fit(case.even, moving, case.region, matrix).refusal()
        self.refused.setdefault(kind, []).append(bool(told))

    def print(self) -> None:
        """Print shares of right and of wrong fits that were refused, and each kind."""
        for name in ("right", "wrong"):
            chosen = {k: v for k, v in self.refused.items() if k.startswith(name)}
            every = [refused for some in chosen.values() for refused in some]
            print(f"gate: {sum(every)} of {len(every)} {name} fits refused ({np.mean(every):.1%})", end=": ")
            print(", ".join(f"{k.removeprefix(name + ', ')} {sum(v)}/{len(v)}" for k, v in chosen.items()))


def try_gate(gate: Gate, case: Case, other: Case, rng: np.random.Generator) -> None:
    """Offer the gate right fits that are a little off, and wrong ones of every kind."""
    for sequence, image in case.images.items():
        true, volume = image.motion, without_rough_bias(image.volume)
        for _ in range(2):
            gate.judge(
                "right, truth with an error below 1 mm", case, volume, true @ draw_motion(rng, 0.3, 0.3, case.centre)
            )
        for kind in ("shift", "turn", "both"):
            gate.judge(f"wrong, {kind}", case, volume, true @ displaced(rng, case.centre, kind))
        flipped = Volume(volume.data[::-1].copy(), volume.grid)
        gate.judge("wrong, flipped", case, flipped, true)
        stranger = other.images[sequence]
        even_stranger = without_rough_bias(stranger.volume)
        gate.judge("wrong, another patient in place", case, even_stranger, stranger.motion)
        if sequence is Sequence.T2:  # what the optimiser makes of images that cannot fit
            gate.judge("wrong, best fit of a flip", case, flipped, ours(case, flipped))
            gate.judge("wrong, best fit of another patient", case, even_stranger, ours(case, stranger.volume))


def main() -> None:
    """Print errors and times of both methods, by protocol and together, and what the gate did."""
    rng = np.random.default_rng(2026)
    heads = [head_of(seed) for seed in SEEDS]
    gate, together = Gate(), (Tally(), Tally())
    print(f"digital heads of seeds {SEEDS}, motions to {SHIFT_MM:g} mm and {TURN_DEG:g} degrees about each axis")
    for protocol in PROTOCOLS:
        cases = [case_of(head, protocol, rng) for head in heads]
        tallies = (Tally(), Tally())
        for case in cases:
            for image in case.images.values():
                matrix = timed(ours, case, image, tallies[0])
                gate.judge("right, as found", case, without_rough_bias(image.volume), matrix)
                timed(textbook, case, image, tallies[1])
        for name, tally, total in zip(("tumorboard", "SimpleITK's recipe"), tallies, together, strict=True):
            print(tally.line(f"{protocol}: {name}"), flush=True)
            total.errors += tally.errors
            total.cpu_s += tally.cpu_s
        for case, other in (cases, cases[::-1]):
            try_gate(gate, case, other, rng)
    for name, total in zip(("tumorboard", "SimpleITK's recipe"), together, strict=True):
        print(total.line(f"all: {name}"))
    gate.print()


if __name__ == "__main__":
    main()
