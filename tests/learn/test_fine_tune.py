"""A user's run: a few labelled cases of a scanner that the shipped network does not know make it better there."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tumorboard.cli.main import app
from tumorboard.learn.holdout import HeldOut, held_out
from tumorboard.metrics.maps.overlap import dice
from tumorboard.networks.bundle import read_bundle, shipped
from tumorboard.segment.learned import LearnedSegmenter, Options
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.subject import Kind
from tumorboard.study import Study

CASES, JUDGED, SEEDS = 8, 4, (1, 2, 3)
MOST_CPU_S = 600.0

SETTINGS = """
name = "coarse"
spacing_mm = 2.0
sequences = ["T1", "T1C", "T2", "FLAIR"]
shape = [64, 80, 64]
steps = 80
learning_rate = 5e-4
warm_up = 5
ema = 0.9
whole = 1.0
workers = 0
validate_every = 80
seed = {seed}
[architecture]
name = "dynunet-blocks"
channels = 4
classes = 5
filters = {filters}
[[sources]]
kind = "brats"
path = "cases"
"""


def other_scanner(case: HeldOut, seed: int) -> HeldOut:
    """A scanner that no training saw: T1 with a reversed grey scale, FLAIR that leaves fluid bright, noise."""
    rng, given = np.random.default_rng(seed), {s: v.data for s, v in case.study.volumes.items()}
    fluid = 0.3 * given[Sequence.FLAIR] + 0.7 * given[Sequence.T2]
    shown = {**given, Sequence.T1: -given[Sequence.T1], Sequence.FLAIR: fluid}
    volumes = {}
    for sequence, volume in case.study.volumes.items():
        noisy = shown[sequence] + rng.normal(0, 0.35, volume.data.shape)
        volumes[sequence] = volume.with_data((noisy * case.study.brain).astype(np.float32))
    return HeldOut(Study(case.study.id, volumes, case.study.brain), case.truth, "another")


def judged(bundle: Path, cases: list[HeldOut]) -> float:
    """Mean Dice of whole tumour."""
    segmenter = LearnedSegmenter(read_bundle(bundle), Options(backend="torch-float32"))
    found = [segmenter.segment(c.study).labels.region("WT") for c in cases]
    return float(np.mean([dice(c.truth.region("WT"), f) for c, f in zip(cases, found, strict=True)]))


@pytest.mark.slow
def test_fine_tuning_raises_dice_on_a_new_scanner_by_more_than_seeds_differ(tmp_path: Path, write_brats) -> None:
    began = time.process_time()
    made = (c for c in held_out(950, 3 * (CASES + JUDGED), Kind.GLIOMA, 2.0) if len(c.study.volumes) == len(USED))
    cases = [other_scanner(next(made), n) for n in range(CASES + JUDGED)]
    for n, case in enumerate(cases[:CASES]):
        write_brats(tmp_path / "cases", case, f"BraTS-GLI-{n:05d}-000")
    filters = list(read_bundle(shipped("glioma")).metadata.passes[0].architecture.filters)
    before, after = judged(shipped("glioma"), cases[CASES:]), []
    for seed in SEEDS:
        settings = tmp_path / f"s{seed}.toml"
        settings.write_text(SETTINGS.format(seed=seed, filters=filters))
        words = ["train", "segment", "--settings", str(settings), "--from", "glioma", "--out"]
        result = CliRunner().invoke(app, [*words, str(tmp_path / f"own{seed}")])
        assert result.exit_code == 0, result.output
        after.append(judged(tmp_path / f"own{seed}", cases[CASES:]))
    spent = time.process_time() - began
    told = f"Dice of whole tumour before {before:.3f}, after {[round(a, 3) for a in after]}; {spent:.0f} CPU-s"
    assert min(after) - before > max(after) - min(after), told
    assert spent < MOST_CPU_S, told
    sys.stdout.write(told + "\n")  # shown by pytest -rA
