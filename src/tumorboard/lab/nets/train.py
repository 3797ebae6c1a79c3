"""One training loop for every network: AdamW, a cosine, an early stop on patients that are not learned from.

Why it exists: a network on forty patients fits them perfectly within minutes; what stops it must be other patients,
chosen from the training rows alone. Every draw comes from one seed.

Sources: Loshchilov I, Hutter F, ICLR 2019 (AdamW) and ICLR 2017 (cosine); Howard J, Ruder S, ACL 2018:328-339 (thawing
from the last layer inward).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tumorboard.lab.nets.augment import augmented
from tumorboard.lab.nets.headed import Headed
from tumorboard.lab.nets.images import MASK, Images
from tumorboard.lab.nets.losses import Task
from tumorboard.lab.nets.settings import NetworkSet
from tumorboard.lab.outcome import Floats, Outcome
from tumorboard.learn.precision import reduced

SURVIVAL_BATCH = 32
"""Least rows of a step whose loss compares rows."""

LEAST_PATIENTS = 10
"""With fewer training patients none are held out."""


@dataclass(frozen=True)
class Rows:
    """Training material as tensors, on the processor.

    Parameters
    ----------
    images : Tensor, shape (rows, …)
        Crops.
    extra : Tensor, shape (rows, extras)
        Standardised columns and flags.
    target : Tensor, shape (rows, …)
        Of the task.
    """

    images: Tensor
    extra: Tensor
    target: Tensor

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Return some rows."""
        at = torch.as_tensor(rows)
        return Rows(self.images[at], self.extra[at], self.target[at])


@dataclass
class History:
    """What happened.

    Parameters
    ----------
    train, held : list of float
        Loss of each epoch, on rows that are learned from and on those that are not.
    best : int
        Epoch whose weights were kept.
    """

    train: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    best: int = -1


def trained(network: Headed, rows: Rows, held: Rows | None, task: Task, images: Images, how: NetworkSet) -> History:
    """Train a network in place; the weights that did best on held rows are kept.

    Parameters
    ----------
    network : Headed
        With the weights it starts from.
    rows, held : Rows
        Learned from, and only looked at.
    task : Task
        Loss.
    images : Images
        Names and view of the crops.
    how : NetworkSet
        Settings.

    Returns
    -------
    History
    """
    device = device_of(how.device)
    network.to(device)
    mask = images.channels.index(MASK) if MASK in images.channels else None
    generator = torch.Generator().manual_seed(how.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=how.rate, weight_decay=how.decay)
    history, kept, steps = History(), _weights(network), 0
    size = max(how.batch, SURVIVAL_BATCH) if how.kind == "survival" else how.batch
    total = how.epochs * len(batches(len(rows.target), size, torch.Generator()))
    fast = reduced(how.precision, network, rows.images[:1].to(device), rows.extra[:1].to(device))
    for epoch in range(how.epochs):
        thaw(network, how, epoch)
        losses = []
        for at in batches(len(rows.target), size, generator):
            for group in optimiser.param_groups:
                group["lr"] = how.rate * cosine(steps, total)
            part = rows.take(at)
            crops = augmented(part.images.to(device), images.view, mask, how, generator)
            losses.append(_step(network, Rows(crops, part.extra, part.target), task, optimiser, how.clip, fast))
            steps += 1
        history.train.append(float(np.mean(losses)))
        if held is None:
            history.best = epoch
            continue
        history.held.append(_judged(network, held, task, how, size))
        if history.held[-1] <= min(history.held):
            history.best, kept = epoch, _weights(network)
        elif epoch - history.best >= how.patience:
            break
    if held is not None:
        network.load_state_dict(kept)
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    network.to("cpu").eval()
    return history


def _step(network: Headed, part: Rows, task: Task, optimiser: torch.optim.Optimizer, clip: float, fast: bool) -> float:
    network.train()
    device = part.images.device
    with autocast(device, fast):
        out = network(part.images, part.extra.to(device))
    loss = task.loss(out.float(), part.target.to(device))
    optimiser.zero_grad(set_to_none=True)
    if not loss.requires_grad or not bool(torch.isfinite(loss)):
        return float(loss.detach())
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(network.parameters(), clip)
    optimiser.step()
    return float(loss.detach())


def _judged(network: Headed, held: Rows, task: Task, how: NetworkSet, size: int) -> float:
    device = next(network.parameters()).device
    return float(task.loss(outputs(network, held.images, held.extra, how, size, device), held.target))


def outputs(
    network: Headed,
    images: Tensor,
    extra: Tensor,
    how: NetworkSet,
    size: int = 16,
    device: torch.device | None = None,
) -> Tensor:
    """Return what a network gives, float32 on the processor, shape (rows, outputs)."""
    network.eval()
    where = device or torch.device("cpu")
    out = []
    fast = where.type == "cuda" and reduced(how.precision, network, images[:1].to(where), extra[:1].to(where))
    with torch.inference_mode(), autocast(where, fast):
        for start in range(0, len(images), size):
            part = slice(start, start + size)
            out.append(network(images[part].to(where), extra[part].to(where)).float().cpu())
    return torch.cat(out)


def batches(rows: int, size: int, generator: torch.Generator) -> list[NDArray[np.int64]]:
    """Return rows dealt out in random order; a last batch of one row joins the one before (batch norm needs two).

    Examples
    --------
    >>> [len(b) for b in batches(9, 4, torch.Generator())]
    [4, 5]
    """
    order = torch.randperm(rows, generator=generator).numpy()
    parts = [order[n : n + size] for n in range(0, rows, size)]
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [np.concatenate(parts[-2:])]
    return parts


def cosine(step: int, total: int) -> float:
    """Return the share of the highest rate at a step; it rises over the first twentieth, then falls to a hundredth.

    Examples
    --------
    >>> [round(cosine(s, 100), 2) for s in (0, 4, 52, 99)]
    [0.2, 1.0, 0.51, 0.01]
    """
    warm = max(total // 20, 1)
    if step < warm:
        return (step + 1) / warm
    done = (step - warm) / max(total - warm, 1)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2


def thaw(network: Headed, how: NetworkSet, epoch: int) -> None:
    """Let the stages learn that may at an epoch: all but the first ``frozen``, one more inward every ``thaw_every``."""
    if not how.frozen:
        return
    stages = network.stages()
    still = min(how.frozen - (epoch // how.thaw_every if how.thaw_every else 0), len(stages) - 1)
    for n, stage in enumerate(stages):
        for parameter in stage.parameters():
            parameter.requires_grad_(n >= still)


def held_out(outcome: Outcome, patients: tuple[str, ...], share: float, seed: int) -> NDArray[np.bool_]:
    """Return which training rows decide when to stop: all rows of some patients of each stratum.

    Parameters
    ----------
    outcome : Outcome
        Of the training rows.
    patients : tuple of str
        Whose they are.
    share : float
        Of patients.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of bool, shape (rows,)
        None where there are fewer than ten patients.

    Examples
    --------
    >>> held_out(Outcome.binary([0, 1] * 10), tuple("abcdefghijklmnopqrst"), 0.2, 0).sum()
    np.int64(4)
    """
    names = np.array(patients)
    rng = np.random.default_rng([seed, 7])
    strata: dict[str, int] = {}
    for name, stratum in zip(patients, outcome.strata.tolist(), strict=True):
        strata[name] = max(strata.get(name, 0), int(stratum))
    if share <= 0 or len(strata) < LEAST_PATIENTS:
        return np.zeros(len(names), dtype=np.bool_)
    chosen: list[str] = []
    for stratum in sorted(set(strata.values())):
        of = sorted(n for n, s in strata.items() if s == stratum)
        count = min(max(round(share * len(of)), 1), len(of) - 1)
        chosen += [of[i] for i in rng.permutation(len(of))[:count]]
    return np.isin(names, chosen)


def device_of(asked: str) -> torch.device:
    """Return the device that is asked for; ``auto`` is a GPU where there is one."""
    return torch.device("cuda" if asked != "cpu" and torch.cuda.is_available() else "cpu")


def autocast(device: torch.device, enabled: bool) -> torch.autocast:
    """Return the context that multiplies in bfloat16, or one that changes nothing."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed PyTorch's own draws (weights, dropout) within a block, and give its state back after it."""
    gpus = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        yield


def standard(x: Floats) -> tuple[Floats, Floats]:
    """Return means and spreads of columns; NaN does not count, and a column without spread has 1.

    Examples
    --------
    >>> standard(np.array([[1.0, 5.0], [3.0, 5.0]]))[1].tolist()
    [1.0, 1.0]
    """
    known = ~np.isnan(x)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, x, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, x - mean, 0.0) ** 2).sum(axis=0) / count)
    return mean, np.where(spread > 1e-12, spread, 1.0)


def _weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
