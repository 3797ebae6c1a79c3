"""What a training run is told, as one frozen file.

Why it exists: a run is repeated from its settings, and a bundle keeps them. Paths are relative to the settings file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tumorboard.learn.pool.plan import PoolPlan
from tumorboard.networks.architectures import Architecture
from tumorboard.sequences import Sequence
from tumorboard.settings import read_model


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Frozen):
    """Where samples come from.

    Examples
    --------
    >>> Source(kind="brats", path=Path("cases")).weight
    1.0
    """

    kind: Literal["pool", "brats", "bids"] = Field(description="digital anatomy, or a user's labelled folder")
    path: Path = Field(description="folder; a pool is made there if it is absent and has a plan")
    weight: float = Field(default=1.0, gt=0, description="how often samples are taken from it")
    plan: PoolPlan | None = Field(default=None, description="of a pool")
    scheme: str = Field(default="brats2023", description="of the label values in a folder")


class CardText(_Frozen):
    """What a new bundle says of itself; a bundle that is trained further keeps its own."""

    id: str = "own"
    title: str = "A network trained by the user"
    needs_any: tuple[Sequence, ...] = (Sequence.FLAIR, Sequence.T2, Sequence.T1C)
    intended_use: str = "Research."
    training: str = "It was trained on data of the user's choice."
    limits: str = "Not known: nobody has measured them yet."
    citation: str = ""
    licence: str = "as its data"


class TrainSettings(_Frozen):
    """Settings of a training run: one pass of a bundle."""

    name: str = Field(default="coarse", pattern="^[a-z]+$", description="of the pass in the bundle")
    begins_with: str = Field(default="", description="pass of the bundle whose weights a new pass begins with")
    spacing_mm: float = Field(default=2.0, gt=0, description="voxel size of samples")
    card: CardText = Field(default_factory=CardText)
    task: Literal["segment", "detect", "brain"] = "segment"
    sequences: tuple[Sequence, ...] = Field(min_length=1, description="channels, in order")
    architecture: Architecture
    sources: tuple[Source, ...] = Field(min_length=1)
    validation: tuple[Source, ...] = Field(default=(), description="never learned from; decides early stopping")
    shape: tuple[int, int, int] = Field(default=(64, 80, 64), description="voxels of a sample")
    batch: int = Field(default=1, ge=1, description="samples of a step, of each process")
    steps: int = Field(gt=0)
    learning_rate: float = Field(default=1e-3, gt=0)
    schedule: Literal["cosine", "poly"] = "cosine"
    warm_up: int = Field(default=50, ge=0, description="steps over which the learning rate rises")
    weight_decay: float = Field(default=1e-4, ge=0)
    smooth: float = Field(default=100.0, ge=0, description="voxels added to the Dice of a region, above and below")
    hardest: float = Field(default=1.0, gt=0, le=1, description="share of voxels whose cross entropy counts: the worst")
    clip: float = Field(default=5.0, gt=0, description="largest norm of the gradient")
    ema: float = Field(default=0.998, ge=0, lt=1, description="weight of the past in the averaged weights")
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    validate_every: int = Field(default=250, ge=1)
    validation_samples: int = Field(default=16, ge=0)
    patience: int = Field(default=0, ge=0, description="validations without a better one before stopping; 0: never")
    on_tumour: float = Field(default=0.6, ge=0, le=1, description="chance that a sample is laid around tumour")
    whole: float = Field(default=0.5, ge=0, le=1, description="chance that no sequence is missing")
    aside: float = Field(default=0.3, ge=0, le=0.5, description="how far from the middle other samples are laid")
    seed: int = Field(default=0, ge=0)
    workers: int = Field(default=1, ge=0, description="processes that draw samples")
    threads: int = Field(default=0, ge=0, description="of the network; 0: one for each core")

    @model_validator(mode="after")
    def _fits(self) -> TrainSettings:
        if self.architecture.channels != len(self.sequences):
            raise ValueError("one input channel for each sequence")
        if any(n % self.architecture.multiple for n in self.shape):
            raise ValueError(f"sides of a sample that are multiples of {self.architecture.multiple}")
        return self


def read_settings(path: Path) -> TrainSettings:
    """Read settings from a TOML file; paths in it are taken from where it lies.

    Raises
    ------
    InputError
        The file is absent, is no TOML, or holds what is no setting.
    """
    read = read_model(path, TrainSettings, "settings of a training run")
    home = path.resolve().parent

    def placed(sources: tuple[Source, ...]) -> tuple[Source, ...]:
        return tuple(s.model_copy(update={"path": home / s.path}) for s in sources)

    return read.model_copy(update={"sources": placed(read.sources), "validation": placed(read.validation)})
