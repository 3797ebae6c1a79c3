"""Settings of end-to-end networks: how they are built, trained and where they start.

Why it exists: a recipe may set every one of these and needs to set none; the defaults train on forty patients in
seconds on a processor, and no default makes a network look better than it is.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tumorboard.lab.nets.images import View


class Build(BaseModel):
    """How a network is built.

    Parameters
    ----------
    view : str
        How it sees crops; empty: the first view that it has.
    width : int
        Channels of the first level; deeper ones have multiples.
    blocks : tuple of int
        Layers of each level; empty: the network's own.
    hidden : int
        Units of recurrent cells, gates, and heads of tasks.
    stem : str
        ``small`` halves the image once, ``full`` twice, as the papers do on slices of 200 and more pixels.
    pool : str
        How features of slices become those of a patient.
    dropout : float
        Before the last layer.
    flags : bool
        Whether the last layer is told which sequences a row lacks.
    transfer : str
        Bundle whose encoder the network ``pretrained`` begins with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    view: View | Literal[""] = ""
    width: int = Field(default=8, ge=2, le=256)
    blocks: tuple[int, ...] = ()
    hidden: int = Field(default=32, ge=2, le=2048)
    stem: Literal["small", "full"] = "small"
    pool: Literal["mean", "max"] = "mean"
    dropout: float = Field(default=0.2, ge=0, lt=1)
    flags: bool = True
    transfer: str = "glioma"


class NetworkSet(Build):
    """Everything that may stand beside ``learner: {name: network}``.

    Parameters
    ----------
    net : str
        One of :data:`tumorboard.lab.nets.NETS`.
    epochs, batch : int
        Passes through the training rows, at most; rows of a step (at least 32 for survival, whose loss compares rows).
    rate, decay, clip : float
        Of AdamW: highest rate of learning (it falls as a cosine), decay of weights, largest norm of the gradient.
    hold : float
        Share of the training *patients* that decide when to stop and are not learned from; 0: no early stop.
    patience : int
        Epochs without a better loss on them before training stops.
    balance : bool
        Whether rare classes weigh more in training; chances are corrected for it afterwards.
    flip : bool
        Whether crops are mirrored left to right at random.
    turn_deg, zoom, shift : float
        Largest random turn, and zoom and shift as shares of the crop.
    gain, noise : float
        Spread of random factors and offsets of each sequence, and of noise, in standard deviations of brain.
    frozen, thaw_every : int
        Stages from the input on that are not trained, and after how many epochs the next one inward is; 0: never.
    precision : str
        ``auto`` takes bfloat16 where hardware multiplies it and no map is narrower than its kernel.
    device : str
        ``auto`` takes a GPU where there is one.
    kind, seed
        Of the outcome and of every draw; given by the run.

    Examples
    --------
    >>> NetworkSet(net="resnet34", view="planes").epochs
    30
    """

    net: str = "resnet18"
    epochs: int = Field(default=30, ge=1, le=10_000)
    batch: int = Field(default=8, ge=2, le=4096)
    rate: float = Field(default=2e-3, gt=0, le=1)
    decay: float = Field(default=1e-2, ge=0)
    clip: float = Field(default=5.0, gt=0)
    hold: float = Field(default=0.2, ge=0, le=0.5)
    patience: int = Field(default=8, ge=1)
    balance: bool = True
    flip: bool = True
    turn_deg: float = Field(default=10.0, ge=0, le=180)
    zoom: float = Field(default=0.1, ge=0, lt=1)
    shift: float = Field(default=0.05, ge=0, le=0.5)
    gain: float = Field(default=0.1, ge=0, le=1)
    noise: float = Field(default=0.05, ge=0, le=2)
    frozen: int = Field(default=0, ge=0)
    thaw_every: int = Field(default=0, ge=0)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    kind: Literal["binary", "multiclass", "multilabel", "survival", "regression"] = "binary"
    seed: int = Field(default=0, ge=0)

    @property
    def build(self) -> Build:
        """Only what a network is built from."""
        return Build(**{name: getattr(self, name) for name in Build.model_fields})
