"""The training loop: it learns, it is the same twice, and a run that was killed goes on as if it had not been."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tumorboard.errors import InputError
from tumorboard.learn.draw.sample import Drawing, Sample
from tumorboard.learn.folders import Case, CaseDrawer
from tumorboard.learn.loop import Progress, Trainer
from tumorboard.learn.losses import REGION_SETS, deep_loss, region_loss
from tumorboard.learn.settings import Source, TrainSettings, read_settings
from tumorboard.networks.architectures import ARCHITECTURES, Architecture
from tumorboard.sequences import Sequence

SMALL = Architecture(name="dynunet-blocks", channels=1, classes=2, filters=(8, 8, 8))


@dataclass(frozen=True)
class Balls:
    """Bright balls in noise."""

    side: int = 16

    def draw(self, rng: np.random.Generator) -> Sample:
        place = rng.integers(2, self.side - 2, 3)
        at = np.indices((self.side,) * 3) - place[:, None, None, None]
        inside = (at**2).sum(axis=0) <= 4
        images = (3 * inside + rng.standard_normal(inside.shape)).astype(np.float32)[..., None]
        return Sample(images, inside.astype(np.uint8), np.ones(1, bool))


class Killed(Exception):
    """Stands for a power cut."""


def settings(**changed: object) -> TrainSettings:
    told = {
        "sequences": (Sequence.T1,),
        "architecture": SMALL,
        "sources": (Source(kind="pool", path=Path("nowhere")),),
        "shape": (16, 16, 16),
        "steps": 30,
        "learning_rate": 1e-2,
        "warm_up": 3,
        "validate_every": 10,
        "validation_samples": 4,
        "workers": 0,
        "precision": "float32",
    }
    return TrainSettings.model_validate(told | changed)


def curve(trainer: Trainer, folder: Path, stop_at: int = 0) -> list[Progress]:
    def tell(step: Progress) -> None:
        if step.step == stop_at:
            raise Killed

    trainer.train(Balls(), Balls(), folder / "c.pt", tell)
    return trainer.history


def test_it_learns(tmp_path: Path) -> None:
    history = curve(Trainer(settings(steps=100), REGION_SETS["mask"]), tmp_path)
    assert np.mean([p.loss for p in history[-5:]]) < 0.6 * np.mean([p.loss for p in history[:5]])
    assert history[-1].dice[0] > 0.5


def test_killed_and_resumed_gives_the_same_curve_and_weights(tmp_path: Path) -> None:
    whole = Trainer(settings(), REGION_SETS["mask"])
    wanted = curve(whole, tmp_path / "a")
    with pytest.raises(Killed):
        curve(Trainer(settings(), REGION_SETS["mask"]), tmp_path / "b", stop_at=17)
    again = Trainer(settings(), REGION_SETS["mask"])
    found = curve(again, tmp_path / "b")
    assert [(p.step, p.loss, p.dice) for p in found] == [(p.step, p.loss, p.dice) for p in wanted]
    for name, value in whole.averaged.items():
        assert torch.equal(value, again.averaged[name])


def test_workers_do_not_change_the_samples(tmp_path: Path) -> None:
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[4:12, 5:12, 6:12] = 1
    for n in range(2):
        images = (np.random.default_rng(n).random((20, 20, 20, 1)) + labels[..., None]).astype(np.float16)
        Case(images, labels, np.ones(1, bool)).write(tmp_path / f"case-{n}")
    drawer = CaseDrawer((tmp_path / "case-0", tmp_path / "case-1"), Drawing((16, 16, 16), (Sequence.T1,)))
    told = []
    for workers in (0, 2):
        trainer = Trainer(settings(steps=6, workers=workers), REGION_SETS["mask"])
        trainer.train(drawer, None, tmp_path / f"{workers}.pt", lambda _: None)
        told.append([p.loss for p in trainer.history])
    assert told[0] == told[1]


def test_it_stops_when_validation_no_longer_gets_better(tmp_path: Path) -> None:
    trainer = Trainer(settings(steps=200, learning_rate=1e-9, patience=2), REGION_SETS["mask"])
    assert len(curve(trainer, tmp_path)) < 60


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    curve(Trainer(settings(steps=10), REGION_SETS["mask"]), tmp_path)
    other = Architecture(name="dynunet-blocks", channels=1, classes=2, filters=(8, 8, 16))
    with pytest.raises(InputError, match="another"):
        curve(Trainer(settings(architecture=other), REGION_SETS["mask"]), tmp_path)


@pytest.mark.parametrize("schedule", ["cosine", "poly"])
def test_learning_rate_rises_then_falls(schedule: str) -> None:
    trainer = Trainer(settings(steps=100, warm_up=10, schedule=schedule), REGION_SETS["mask"])
    rates = []
    for step in range(100):
        trainer.step = step
        rates.append(trainer.rate())
    assert np.argmax(rates) in range(7, 12)
    assert (np.diff(rates[12:]) <= 0).all()
    assert rates[-1] < 0.05 * max(rates)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_every_architecture_maps_images_to_classes(name: str) -> None:
    how = Architecture(name=name, channels=2, classes=3, filters=(8, 8, 8), deep=1)
    network = how.build()
    side = how.multiple * 2
    images = torch.zeros(1, 2, side, side, 2 * side)
    assert network.train()(images).shape == (1, 2, 3, side, side, 2 * side)
    assert network.eval()(images).shape == (1, 3, side, side, 2 * side)
    assert isinstance(network, nn.Module)


def test_deep_supervision_weighs_the_finest_most() -> None:
    labels = torch.randint(0, 2, (1, 4, 4, 4))
    right = torch.nn.functional.one_hot(labels, 2).permute(0, 4, 1, 2, 3).float() * 20 - 10
    good_first = deep_loss(torch.stack([right, -right], dim=1), labels, ((1,),))
    good_last = deep_loss(torch.stack([-right, right], dim=1), labels, ((1,),))
    assert good_first < good_last


def test_a_false_alarm_costs_where_there_is_nothing() -> None:
    nothing = torch.zeros(1, 8, 8, 8, dtype=torch.int64)
    quiet = torch.stack([torch.ones(1, 8, 8, 8), -torch.ones(1, 8, 8, 8)], dim=1) * 5
    assert region_loss(quiet, nothing, ((1,),)) < region_loss(-quiet, nothing, ((1,),))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps = [", "TOML"),
        ("steps = 3", "sequences"),
        ('sequences = ["T9"]\nsteps = 1', "settings of a training run"),
    ],
)
def test_settings_that_are_none_are_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(InputError, match=told):
        read_settings(tmp_path / "s.toml")


def test_sides_of_a_sample_must_fit_the_network() -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        settings(shape=(16, 16, 20))


SEVERAL = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
import test_loop as t
from tumorboard.learn.losses import REGION_SETS
trainer = t.Trainer(t.settings(steps=4, batch={batch}), REGION_SETS["mask"])
history = t.curve(trainer, Path({folder!r}) / str(trainer.ranks.count))
if trainer.ranks.first:
    weights = sum(float(v.double().abs().sum()) for v in trainer.averaged.values())
    (Path({folder!r}) / "sum").write_text(f"{{trainer.ranks.count}} {{weights:.4f}}")
"""


@pytest.mark.slow
def test_two_processes_learn_what_one_with_twice_the_batch_learns(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    sums = {}
    for count, batch in ((1, 2), (2, 1)):
        script = tmp_path / f"{count}.py"
        script.write_text(SEVERAL.format(here=here, folder=str(tmp_path), batch=batch))
        words = [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            f"--nproc-per-node={count}",
            str(script),
        ]
        subprocess.run(words, check=True, capture_output=True, timeout=300)
        seen, sums[count] = (tmp_path / "sum").read_text().split()
        assert int(seen) == count
    assert float(sums[1]) == pytest.approx(float(sums[2]), rel=0.02)
