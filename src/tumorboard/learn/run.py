"""A whole training run: sources opened, network trained, bundle written, curve drawn.

Why it exists: what is trained must be usable at once, so a run ends in a bundle. It keeps everything that it writes
on the way in a folder beside the bundle, and goes on from there when the same command is given again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from tumorboard.errors import InputError
from tumorboard.learn.loop import Progress, Trainer
from tumorboard.learn.record import Recorder
from tumorboard.learn.settings import TrainSettings
from tumorboard.learn.sources import opened
from tumorboard.networks.architectures import Architecture
from tumorboard.networks.bundle import Bundle, Metadata, Pass, read_bundle, write_bundle
from tumorboard.networks.card import card_text

REGIONS: dict[str, dict[str, tuple[int, ...]]] = {
    "segment": {"WT": (1, 2, 3), "TC": (1, 3), "ET": (3,), "RC": (4,)},
    "detect": {"lesion": (1,)},
    "brain": {"brain": (1,)},
}
"""Regions of each task as sums of classes: what loss and validation look at."""

LABELS: dict[str, dict[str, int]] = {
    "segment": {"NETC": 1, "SNFH": 2, "ET": 3, "RC": 4},
    "detect": {"lesion": 1},
    "brain": {"brain": 1},
}
"""Classes of each task after the background."""


@dataclass(frozen=True)
class Trained:
    """What a run ended in.

    Parameters
    ----------
    metadata : Metadata
        Of the bundle.
    history : tuple of Progress
        Every step.
    """

    metadata: Metadata
    history: tuple[Progress, ...]


def train(
    settings: TrainSettings,
    out: Path,
    base: Path | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
    made: Callable[[int], None] | None = None,
) -> Trained:
    """Train one pass and write the bundle.

    Parameters
    ----------
    settings : TrainSettings
        Everything that decides the result.
    out : Path
        Folder of the bundle; checkpoint, log and curve lie in ``OUT.training``.
    base : Path, optional
        A bundle to go on from: its pass of the same name is trained further, its other passes are kept.
    tell : callable
        Hears every step.
    made : callable, optional
        Hears of patients of a pool that had to be made first.

    Returns
    -------
    Trained

    Raises
    ------
    InputError
        Sources, base or checkpoint do not fit.
    """
    there = read_bundle(base) if base is not None else None
    start = _start(settings, there)
    torch.set_num_threads(settings.threads or torch.get_num_threads())
    trainer = Trainer(settings, tuple(REGIONS[settings.task].values()), _device())
    if there is not None and start:
        trainer.start_from(there.weights_of(start))
    aside = out.with_name(f"{out.name}.training")
    aside.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="cases-", dir=aside) as shelf:
        learned, held = Path(shelf) / "learned", Path(shelf) / "held"
        workers = max(settings.workers, 1)
        drawer = opened(settings, settings.sources, learned, workers, made)
        validation = opened(settings, settings.validation, held, workers, made) if settings.validation else None
        trainer.train(drawer, validation, aside / f"{settings.name}.pt", tell)
    meta = there.metadata if there is not None else _metadata(settings)
    if trainer.ranks.first:
        Recorder(aside / settings.name, tuple(REGIONS[settings.task])).close(trainer.history)
        meta = _write(settings, trainer, there, out)
    trainer.ranks.wait()
    return Trained(meta, tuple(trainer.history))


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _start(settings: TrainSettings, base: Bundle | None) -> str:
    """Return the pass of the base whose weights training begins with; empty: it begins with none."""
    if base is None:
        return ""
    meta = base.metadata
    if meta.sequences != settings.sequences or meta.task != settings.task:
        wanted = f"a bundle for {settings.task} from {', '.join(s.value for s in settings.sequences)}"
        got = f"{meta.task} from {', '.join(s.value for s in meta.sequences)}"
        raise InputError(wanted, got=got, where="--from", remedy="give settings with the bundle's sequences")
    passes = {p.name: _weighted(p.architecture) for p in meta.passes}
    start = settings.name if settings.name in passes else settings.begins_with
    if start and start not in passes:
        raise InputError(f"one of the bundle's passes ({', '.join(passes)})", got=repr(start), where="begins_with")
    if start and passes[start] != _weighted(settings.architecture):
        raise InputError("the architecture of the bundle's pass", got="another", where="--from")
    return start


def _weighted(architecture: Architecture) -> Architecture:
    """Return what decides an architecture's weights: deep supervision and dropout do not."""
    return architecture.model_copy(update={"deep": 0, "dropout": 0.0})


def _pass(settings: TrainSettings) -> Pass:
    plain = settings.architecture.model_copy(update={"deep": 0})
    return Pass(name=settings.name, spacing_mm=settings.spacing_mm, window=settings.shape, architecture=plain)


def _metadata(settings: TrainSettings) -> Metadata:
    """Return what a new bundle of one pass says of itself."""
    return Metadata(
        version="1",
        task=settings.task,
        sequences=settings.sequences,
        labels=LABELS[settings.task],
        passes=(_pass(settings),),
        **settings.card.model_dump(),
    )


def _write(settings: TrainSettings, trainer: Trainer, base: Bundle | None, out: Path) -> Metadata:
    own = _pass(settings)
    weights = {f"{own.name}.{k}": v for k, v in trainer.plain_weights().items()}
    meta = _metadata(settings)
    if base is not None:
        kept = [p for p in base.metadata.passes if p.name != own.name]
        passes = tuple(sorted([*kept, own], key=lambda p: -p.spacing_mm))
        meta = base.metadata.model_copy(update={"passes": passes})
        weights = {k: v for k, v in base.weights.items() if not k.startswith(f"{own.name}.")} | weights
    meta = meta.model_copy(update={"measured": validated(settings, trainer.history)})
    return write_bundle(out, meta, weights, card_text(meta))


def validated(settings: TrainSettings, history: Sequence[Progress]) -> dict[str, float]:
    """Return what the last validation gave, with its data in the name; what a base had measured is no longer so.

    Parameters
    ----------
    settings : TrainSettings
        Of the run.
    history : sequence of Progress
        Its steps.

    Returns
    -------
    dict of str to float
        Dice by region; empty without validation.
    """
    dice = next((step.dice for step in reversed(history) if step.dice), ())
    data = f"{settings.validation_samples} samples that were never learned from (pass {settings.name})"
    return {f"Dice {r}, {data}": round(d, 3) for r, d in zip(REGIONS[settings.task], dice, strict=False)}
