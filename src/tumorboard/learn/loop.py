"""The one training loop: every network of the house learns in it.

Why it exists: brain, glioma and metastases differ in their samples and classes, not in how they are learned. A run
that is killed goes on from its last checkpoint with the samples it would have seen. It refuses a checkpoint of
another network.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from tumorboard.errors import InputError
from tumorboard.learn.losses import deep_loss
from tumorboard.learn.precision import reduced
from tumorboard.learn.ranks import joined
from tumorboard.learn.settings import TrainSettings
from tumorboard.learn.stream import Drawer, Stream, drawn, tensors
from tumorboard.networks.architectures import load_weights, own_weights
from tumorboard.networks.runtime.layout import last_in_memory

Regions = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Progress:
    """One step, for whoever listens.

    Parameters
    ----------
    step : int
        From 1.
    loss : float
        Of this step.
    learning_rate : float
        Of this step.
    waited : float
        Share of the time so far that was spent waiting for samples.
    dice : tuple of float
        Of the regions at a validation; empty at other steps.
    """

    step: int
    loss: float
    learning_rate: float
    waited: float
    dice: tuple[float, ...] = ()


class Trainer:
    """Trains one network.

    Parameters
    ----------
    settings : TrainSettings
        Everything that decides the result.
    regions : tuple of tuple of int
        Classes of each region, for loss and validation.
    device : torch.device
        Where the network lives.
    """

    def __init__(self, settings: TrainSettings, regions: Regions, device: torch.device | None = None) -> None:
        self.settings, self.regions, self.ranks = settings, regions, joined()
        self.device = device or torch.device("cpu")
        torch.manual_seed(settings.seed)
        self.network = last_in_memory(settings.architecture.build().to(self.device))
        self.averaged = self._weights()
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.step, self.best, self.stale = 0, -1.0, 0
        self.history: list[Progress] = []
        self.reduced: bool | None = None

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Begin with given weights (fine-tuning).

        Raises
        ------
        InputError
            They are of another network.
        """
        load_weights(self.network, weights)
        self.averaged = self._weights()

    def _weights(self) -> dict[str, Tensor]:
        """Return a copy of the network's weights, each once."""
        return {k: v.detach().clone() for k, v in own_weights(self.network.state_dict()).items()}

    def train(
        self, drawer: Drawer, validation: Drawer | None, checkpoint: Path, tell: Callable[[Progress], None]
    ) -> None:
        """Train until the last step, or until validation no longer gets better.

        Parameters
        ----------
        drawer : Drawer
            Source of samples.
        validation : Drawer or None
            Source of samples that are not learned from.
        checkpoint : Path
            Written at every validation; read first if it is there.
        tell : callable
            Hears every step.
        """
        if checkpoint.is_file():
            self.resume(checkpoint)
        batches = iter(self._loader(drawer))
        began = time.perf_counter()
        waited = 0.0
        while self.step < self.settings.steps and not self._done():
            asked = time.perf_counter()
            images, labels = next(batches)
            waited += time.perf_counter() - asked
            loss, rate = self._learn(images, labels)
            self.step += 1
            share = waited / (time.perf_counter() - began)
            dice: tuple[float, ...] = ()
            if self.step % self.settings.validate_every == 0 or self.step == self.settings.steps:
                dice = self._validated(validation)
            told = Progress(self.step, loss, rate, share, dice)
            self.history.append(told)
            if self.ranks.first and (dice or self.step % self.settings.validate_every == 0):
                self.save(checkpoint)
            tell(told)

    def _done(self) -> bool:
        return 0 < self.settings.patience <= self.stale

    def _loader(self, drawer: Drawer) -> DataLoader[tuple[Tensor, Tensor]]:
        s = self.settings
        ranks = self.ranks
        stream = Stream(drawer, s.seed, self.step * s.batch * ranks.count, ranks.rank, ranks.count)
        # spawned, not forked: libraries hold threads that a fork would lose
        extra: dict[str, Any] = {"prefetch_factor": 4, "multiprocessing_context": "spawn"} if s.workers else {}
        return DataLoader(stream, batch_size=s.batch, num_workers=s.workers, **extra)

    def rate(self) -> float:
        """Return the learning rate of the next step."""
        s = self.settings
        done = self.step / s.steps
        fall = 0.5 * (1 + math.cos(math.pi * done)) if s.schedule == "cosine" else (1 - done) ** 0.9
        return s.learning_rate * min(1.0, (self.step + 1) / max(s.warm_up, 1)) * max(fall, 1e-3)

    def _learn(self, images: Tensor, labels: Tensor) -> tuple[float, float]:
        rate = self.rate()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        images = images.to(self.device, memory_format=torch.channels_last_3d)
        if self.reduced is None:
            self.reduced = reduced(self.settings.precision, self.network, images)
        self.network.train()
        with self._autocast():
            outputs = self.network(images)
        loss = deep_loss(outputs, labels.to(self.device), self.regions, self.settings.smooth, self.settings.hardest)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.ranks.average(self.network)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimiser.step()
        keep = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        for name, value in own_weights(self.network.state_dict()).items():
            self.averaged[name].lerp_(value, 1 - keep)
        return float(loss.detach()), rate

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=bool(self.reduced))

    def _validated(self, validation: Drawer | None) -> tuple[float, ...]:
        if validation is None or not self.settings.validation_samples:
            return ()
        kept = self._weights()
        load_weights(self.network, self.averaged)
        self.network.eval()
        found = torch.zeros(len(self.regions), 3)
        for n in range(self.settings.validation_samples):
            images, labels = tensors(drawn(validation, 987654321, n))
            with torch.inference_mode(), self._autocast():
                logits = self.network(images[None].to(self.device, memory_format=torch.channels_last_3d))
            found += _overlaps(logits[0].float().argmax(0).cpu(), labels, self.regions)
        load_weights(self.network, kept)
        dice = tuple(float(2 * both / max(float(a + b), 1.0)) for both, a, b in found)
        mean = sum(dice) / len(dice)
        self.stale = 0 if mean > self.best else self.stale + 1
        self.best = max(mean, self.best)
        return dice

    def save(self, checkpoint: Path) -> None:
        """Write everything that is needed to go on."""
        state = {
            "architecture": self.settings.architecture.model_dump_json(),
            "network": self.network.state_dict(),
            "averaged": self.averaged,
            "optimiser": self.optimiser.state_dict(),
            "numbers": [self.step, self.best, self.stale],
            "history": [[p.step, p.loss, p.learning_rate, p.waited, list(p.dice)] for p in self.history],
        }
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        part = checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.replace(checkpoint)

    def plain_weights(self) -> dict[str, Tensor]:
        """Return the averaged weights, without those that only deep supervision needs."""
        plain = self.settings.architecture.model_copy(update={"deep": 0}).build().state_dict()
        return {k: v for k, v in self.averaged.items() if k in plain}

    def resume(self, checkpoint: Path) -> None:
        """Go on from a checkpoint.

        Raises
        ------
        InputError
            It is of another network.
        """
        state = torch.load(checkpoint, map_location=self.device, weights_only=True)
        if state["architecture"] != self.settings.architecture.model_dump_json():
            raise InputError("a checkpoint of this network", got="one of another", where="checkpoint")
        load_weights(self.network, state["network"], "checkpoint")
        self.averaged = {k: v.clone() for k, v in own_weights(state["averaged"]).items()}
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.best, self.stale = state["numbers"]
        self.history = [Progress(a, b, c, d, tuple(e)) for a, b, c, d, e in state["history"]]


def _overlaps(found: Tensor, labels: Tensor, regions: Regions) -> Tensor:
    rows = []
    for classes in regions:
        wanted = torch.tensor(classes)
        a, b = torch.isin(found, wanted), torch.isin(labels, wanted)
        rows.append([float((a & b).sum()), float(a.sum()), float(b.sum())])
    return torch.tensor(rows)
