"""Steps a second of training beside nnU-Net's own trainer, and Dice on held-out cases after as many steps of both.

Run with ``python benchmarks/train_speed.py --nnunet-python PATH``; it lasts as long as four trainings of ``--steps``.
PATH is a Python that has nnU-Net v2, in an environment of its own; tumorboard does not need it. Both learn from eight
digital gliomas of 2 mm voxels, on the processor, with equal patch, batch, threads and data processes, and outline four
others. The first steps are not timed. Beside the network that tumorboard ships, tumorboard trains nnU-Net's network,
at its own precision and in float32. What else differs is printed below the figures.

Let nothing else run meanwhile: OpenMP's threads spin while they wait, and where cores are shared a step then takes
several times as long, on both sides. ``OMP_WAIT_POLICY=passive`` in front of the command stops that, for both.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tumorboard.errors import InputError, MissingDependency, TumorboardError
from tumorboard.io.images import read_volume, write_volume
from tumorboard.learn.folders import read_cases
from tumorboard.learn.holdout import HeldOut, held_out
from tumorboard.learn.loop import Progress, Trainer
from tumorboard.learn.precision import fast_bfloat16
from tumorboard.learn.settings import Source, TrainSettings
from tumorboard.learn.sources import opened
from tumorboard.metrics.maps.overlap import dice
from tumorboard.networks.architectures import Architecture, load_weights
from tumorboard.networks.foreign.window import nnunet_windows
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.subject import Kind
from tumorboard.volume import Volume, box_around

Mask = NDArray[np.bool_]
Box = tuple[slice, slice, slice]
Told = dict[str, Any]

DRIVER = Path(__file__).resolve().parent / "peers" / "nnunet_driver.py"
DATASET = "Dataset001_Digital"
SEED, CASES, HELD_OUT, SPACING_MM = 820, 8, 4, 2.0
SHAPE = (120, 120, 96)
"""Air around the brain as in BraTS, so that nnU-Net normalises by the brain, as it does there."""

ENDINGS = {Sequence.T1: "t1n", Sequence.T1C: "t1c", Sequence.T2: "t2w", Sequence.FLAIR: "t2f"}
LABELS = {"background": 0, "NETC": 1, "SNFH": 2, "ET": 3}
REGIONS = ((1, 2, 3), (1, 3), (3,))
WORKERS = 1
SHIPPED = Architecture(name="dynunet-blocks", channels=len(USED), classes=len(LABELS), filters=(32, 64, 128, 160))
INSTALL = "make an environment for it (python -m venv X && X/bin/pip install torch==2.13.0 nnunetv2) and give "
INSTALL += "--nnunet-python X/bin/python"

DIFFERS = """
what differs
  network    nnU-Net: {levels} levels of {filters} channels. tumorboard's own: DynUNet of
             {own} channels on blocks of 2 x 2 x 2 voxels, without deep supervision.
             "nnU-Net's network": MONAI's DynUNet with nnU-Net's levels, channels, kernels and strides. Its inner
             convolutions have no bias. As in nnU-Net deeper outputs are supervised ({deep}; nnU-Net has one more, of
             weight 0), but they are enlarged to full size, where nnU-Net makes the labels smaller.
  precision  nnU-Net learns in float32 on processors. tumorboard takes bfloat16 where the processor has it.
  loss       nnU-Net: cross entropy and Dice of classes. tumorboard: cross entropy and Dice of WT, TC and ET.
  optimiser  nnU-Net: SGD, 0.01, momentum 0.99, polynomial. tumorboard: AdamW, {rate:g}, cosine after a rise over
             {rise} steps; averaged weights are used. Both rates fall over these steps, not over nnU-Net's 1000 epochs.
  samples    nnU-Net: a third of each batch, rounded (one of two), is laid around tumour. tumorboard: {on:.0%} are.
  changes    nnU-Net: rotation, size, flips of all axes, noise, blur, brightness, contrast, resolution, gamma.
             tumorboard: left-right flips, curve, stretch and shift of grey values, noise; no sequence is left out.
  plan       by itself nnU-Net would have taken {patch} voxels and a batch of {batch}.
the same     half-window steps, Gaussian weights, float32 and no mirroring in prediction; whole tumour is any label > 0.
Augmentation of nnU-Net cannot be seeded, and one run of few steps is one draw: small differences of Dice mean nothing.
""".strip()


@dataclass(frozen=True)
class Held:
    """A held-out case: whole tumour on its grid, and the box of its brain."""

    name: str
    truth: Mask
    box: Box


@dataclass(frozen=True)
class Row:
    """What is printed of one training."""

    name: str
    parameters: int
    precision: str
    steps_per_s: float
    cpu_s: float
    scores: list[float]

    def __str__(self) -> str:
        each = " ".join(f"{s:.3f}" for s in self.scores)
        numbers = f"{self.parameters / 1e6:8.2f} M  {self.precision:9s}{self.steps_per_s:9.3f}{self.cpu_s:12.2f}"
        return f"{self.name:34s}{numbers}{np.mean(self.scores):8.3f}  ({each})"


@dataclass(frozen=True)
class Asked:
    """What the command line asked for, and the folder of this run."""

    python: Path
    folder: Path
    steps: int
    warm_up: int
    patch: tuple[int, int, int]
    batch: int
    threads: int

    def nnunet(self, work: str) -> Told:
        """Let the driver ``plan`` or ``train`` in nnU-Net's environment, and return what it wrote.

        Raises
        ------
        SystemExit
            It failed; its last lines are shown.
        """
        given = {"dataset": DATASET, "patch": self.patch, "batch": self.batch, "threads": self.threads}
        given |= {"steps": self.steps, "warm_up": self.warm_up}
        given |= {"held": str(self.folder / "held-nnunet"), "found": str(self.folder / "found")}
        settings = self.folder / "asked.json"
        settings.write_text(json.dumps(given))
        log = self.folder / f"{work}.log"
        folders = {f"nnUNet_{n}": str(self.folder / n) for n in ("raw", "preprocessed", "results")}
        counts = {"nnUNet_n_proc_DA": str(WORKERS), "nnUNet_def_n_proc": str(self.threads)}
        with log.open("w") as stream:
            words = [str(self.python), str(DRIVER), work, str(settings)]
            environment = os.environ | folders | counts
            ended = subprocess.run(words, stdout=stream, stderr=stream, env=environment, check=False)
        if ended.returncode:
            raise SystemExit(f"nnU-Net could not {work}; its last lines:\n{log.read_text()[-3000:]}")
        found: Told = json.loads((self.folder / f"{work}.json").read_text())
        return found


def nnunet_version(python: Path | None) -> str:
    """Return the versions of nnU-Net and torch that a Python has.

    Raises
    ------
    MissingDependency
        No Python was given, it does not run, or it has no nnU-Net v2.
    """
    if python is None:
        raise MissingDependency("a Python that has nnU-Net v2", got="none", where="--nnunet-python", remedy=INSTALL)
    ask = "import nnunetv2, torch, importlib.metadata as m; print(m.version('nnunetv2'), 'on torch', torch.__version__)"
    try:
        told = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        got = "nothing that runs" if isinstance(error, OSError) else "a Python that cannot import it"
        where = "--nnunet-python"
        raise MissingDependency("a Python that has nnU-Net v2", got=got, where=where, remedy=INSTALL) from error
    return told.stdout.strip().splitlines()[-1]


def padded(volume: Volume) -> Volume:
    """Return a volume in the middle of :data:`SHAPE`, at the same place in space."""
    room = [max(0, w - n) for n, w in zip(volume.grid.shape, SHAPE, strict=True)]
    before = [r // 2 for r in room]
    affine = volume.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ np.array(before)
    return Volume.of(np.pad(volume.data, [(b, r - b) for b, r in zip(before, room, strict=True)]), affine)


def write_case(case: HeldOut, name: str, brats: Path, images: Path, labels: Path | None) -> Held:
    """Write a case in BraTS's layout and in nnU-Net's; labels of held-out cases are not for nnU-Net."""
    brain = np.zeros(SHAPE, dtype=np.bool_)
    for n, sequence in enumerate(USED):
        volume = padded(case.study.volumes[sequence])
        write_volume(volume, brats / name / f"{name}-{ENDINGS[sequence]}.nii.gz")
        write_volume(volume, images / f"{name}_{n:04d}.nii.gz")
        brain |= volume.data != 0
    truth = padded(case.truth.with_data(np.where(case.truth.data == 4, 0, case.truth.data).astype(np.uint8)))
    for path in (brats / name / f"{name}-seg.nii.gz", labels and labels / f"{name}.nii.gz"):
        if path is not None:
            write_volume(truth, path)
    box = box_around(brain)
    assert box is not None
    return Held(name, truth.data > 0, box)


def write_cases(folder: Path) -> list[Held]:
    """Make digital cases, write those with all sequences in both layouts, and return those that are held out."""
    raw, held = folder / "raw" / DATASET, []
    made = held_out(SEED, 10 * (CASES + HELD_OUT), Kind.GLIOMA, SPACING_MM)
    whole = (case for case in made if set(USED) <= set(case.study.volumes))  # nnU-Net knows no missing sequence
    for n, case in enumerate(islice(whole, CASES + HELD_OUT)):
        name = f"digital-{n:03d}"
        if n < CASES:
            write_case(case, name, folder / "cases", raw / "imagesTr", raw / "labelsTr")
        else:
            held.append(write_case(case, name, folder / "held", folder / "held-nnunet", None))
    channels = {str(n): s.value for n, s in enumerate(USED)}
    told = {"channel_names": channels, "labels": LABELS, "numTraining": CASES, "file_ending": ".nii.gz"}
    (raw / "dataset.json").write_text(json.dumps(told))
    return held


def same_network(plan: Told) -> Architecture:
    """Return nnU-Net's network as ours: MONAI's DynUNet with the same levels, channels, kernels and strides.

    Raises
    ------
    InputError
        It does not halve every axis at every level, or the patch does not fit; our network would be another one.
    """
    halved = [[1, 1, 1]] + [[2, 2, 2]] * (plan["n_stages"] - 1)
    if not plan["fits"] or plan["strides"] != halved or any(k != [3, 3, 3] for k in plan["kernel_sizes"]):
        remedy = "give sides such as 64 80 64 or 32 32 32"
        got = f"one with strides {plan['strides']}"
        raise InputError("a patch that nnU-Net halves alike along all axes", got=got, where="--patch", remedy=remedy)
    filters, deep = tuple(plan["features_per_stage"]), max(plan["n_stages"] - 3, 0)
    return Architecture(name="dynunet", channels=len(USED), classes=len(LABELS), filters=filters, deep=deep)


def told_to(asked: Asked, architecture: Architecture, precision: str) -> TrainSettings:
    """Return the settings of one of our trainings; all others are the product's defaults."""
    return TrainSettings.model_validate(
        {
            "sequences": USED,
            "architecture": architecture,
            "sources": (Source(kind="brats", path=asked.folder / "cases"),),
            "spacing_mm": SPACING_MM,
            "shape": asked.patch,
            "batch": asked.batch,
            "steps": asked.steps,
            "warm_up": asked.steps // 10,
            "validate_every": asked.steps + 1,
            "whole": 1.0,
            "precision": precision,
            "workers": WORKERS,
            "threads": asked.threads,
        }
    )


def checked(asked: Asked) -> None:
    """Refuse what cannot be timed, or what the shipped network cannot take.

    Raises
    ------
    InputError
        As many steps of warm-up as steps, or sides that do not fit.
    """
    if not 1 <= asked.warm_up < asked.steps:
        got = f"{asked.warm_up} of {asked.steps}"
        remedy = "give more --steps or a smaller --warm-up"
        raise InputError("1 or more steps of warm-up, and steps after them", got=got, where="--warm-up", remedy=remedy)
    multiple = SHIPPED.multiple
    if any(n < 1 or n % multiple for n in asked.patch):
        got = "x".join(str(n) for n in asked.patch)
        raise InputError(f"three sides that are multiples of {multiple}", got=got, where="--patch")


def outlined(trainer: Trainer, folder: Path, held: list[Held]) -> Iterator[Mask]:
    """Yield whole tumour of each held-out case on its grid, with nnU-Net's windows and the averaged weights."""
    settings = trainer.settings
    network = settings.architecture.model_copy(update={"deep": 0}).build()
    load_weights(network, trainer.plain_weights())
    over_box = nnunet_windows(settings.shape)
    for case, read in zip(held, read_cases(folder, USED, SPACING_MM, "brats2023"), strict=True):
        images = np.ascontiguousarray(read.images.transpose(3, 0, 1, 2), dtype=np.float32)
        found = np.zeros(case.truth.shape, dtype=np.bool_)
        found[case.box] = over_box(network.eval(), images).argmax(axis=0) > 0
        yield found


def ours(asked: Asked, name: str, settings: TrainSettings, held: list[Held]) -> Row:
    """Train with tumorboard, and judge."""
    torch.set_num_threads(asked.threads)
    trainer = Trainer(settings, REGIONS, torch.device("cpu"))
    marks: list[tuple[float, float]] = []

    def tell(told: Progress) -> None:
        if told.step in (asked.warm_up, asked.steps):
            marks.append((time.perf_counter(), time.process_time()))

    with TemporaryDirectory(dir=asked.folder) as shelf:
        trainer.train(opened(settings, settings.sources, Path(shelf)), None, asked.folder / "none.pt", tell)
    (wall, own), (wall_end, own_end) = marks
    count, timed = sum(p.numel() for p in trainer.network.parameters()), asked.steps - asked.warm_up
    scores = [dice(c.truth, f) for c, f in zip(held, outlined(trainer, asked.folder / "held", held), strict=True)]
    return Row(name, count, precision_of(settings), timed / (wall_end - wall), (own_end - own) / timed, scores)


def precision_of(settings: TrainSettings) -> str:
    """Return the precision that the network learns in."""
    if settings.precision != "auto":
        return settings.precision
    return "bfloat16" if fast_bfloat16() else "float32"


def theirs(asked: Asked, held: list[Held]) -> Row:
    """Train with nnU-Net, and judge."""
    told, timed = asked.nnunet("train"), asked.steps - asked.warm_up
    scores = []
    for case in held:
        found = read_volume(asked.folder / "found" / f"{case.name}.nii.gz").canonical()
        scores.append(dice(case.truth, found.data > 0))
    return Row("nnU-Net", told["parameters"], "float32", timed / told["wall_s"], told["cpu_s"] / timed, scores)


def runs(asked: Asked, plan: Told) -> list[tuple[str, TrainSettings]]:
    """Return our trainings by name."""
    peer = same_network(plan)
    wanted = [
        ("tumorboard, its own network", SHIPPED, "auto"),
        ("tumorboard, nnU-Net's network", peer, "auto"),
        ("tumorboard, nnU-Net's network", peer, "float32"),
    ]
    return [(name, told_to(asked, how, p)) for name, how, p in wanted if p == "auto" or fast_bfloat16()]


def differences(plan: Told, settings: TrainSettings) -> str:
    """Say what differs between the rows."""
    return DIFFERS.format(
        levels=plan["n_stages"],
        filters=", ".join(str(n) for n in plan["features_per_stage"]),
        own=", ".join(str(n) for n in SHIPPED.filters),
        deep=max(plan["n_stages"] - 3, 0),
        rate=settings.learning_rate,
        rise=settings.warm_up,
        on=settings.on_tumour,
        patch=" x ".join(str(n) for n in plan["by_itself"]["patch"]),
        batch=plan["by_itself"]["batch"],
    )


def compare(asked: Asked, peer: str) -> None:
    """Print everything."""
    held = write_cases(asked.folder)
    plan = asked.nnunet("plan")
    wanted = runs(asked, plan)
    shape = " x ".join(str(n) for n in asked.patch)
    print(f"nnU-Net {peer}; tumorboard {version('tumorboard')} on torch {torch.__version__}")
    print(f"{shape} voxels of {SPACING_MM:g} mm, batch {asked.batch}, {asked.threads} threads, {WORKERS} data process")
    print(f"OMP_WAIT_POLICY: {os.environ.get('OMP_WAIT_POLICY', 'not set')}")
    told = f"{CASES} digital cases learned from, {HELD_OUT} held out; {asked.steps} steps"
    print(f"{told}, the first {asked.warm_up} not timed\n")
    print(f"{'':34s}{'parameters':>10s}  {'precision':9s}{'steps/s':>9s}{'CPU-s/step':>12s}{'Dice':>8s}  (each)")
    first = theirs(asked, held)
    print(first, flush=True)
    for name, settings in wanted:
        row = ours(asked, name, settings, held)
        print(f"{row}  {row.steps_per_s / first.steps_per_s:.1f} x nnU-Net", flush=True)
    print("CPU-s/step: of the process with the network, without the process that draws samples")
    print(f"\n{differences(plan, wanted[0][1])}")


def main() -> None:
    """Read the command line; input that is refused ends in exit code 2."""
    parser = argparse.ArgumentParser(description="Speed of training, beside nnU-Net.")
    parser.add_argument("--nnunet-python", type=Path, help="a Python that has nnU-Net v2")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--warm-up", type=int, default=15, help="not timed; nnU-Net draws some 13 batches ahead")
    parser.add_argument("--patch", type=int, nargs=3, default=(64, 80, 64))
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    try:
        peer = nnunet_version(given.nnunet_python)
        with TemporaryDirectory() as folder:
            i, j, k = given.patch
            python, counts = given.nnunet_python.absolute(), (given.steps, given.warm_up)
            asked = Asked(python, Path(folder), *counts, (i, j, k), given.batch, given.threads)
            checked(asked)
            compare(asked, peer)
    except TumorboardError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
