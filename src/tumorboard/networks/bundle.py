"""A network on disk: what it is, its weights and its card. Nothing in it is ever executed.

Why it exists: a better training run replaces a bundle without a change of code, so everything that a network's user
must know lies beside the weights: sequences by name, label scheme, voxel sizes, calibration, measured figures. It
refuses a bundle whose weights are not those that its metadata was written for.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from tumorboard.errors import InputError
from tumorboard.networks.architectures import Architecture, load_weights, own_weights
from tumorboard.sequences import Sequence
from tumorboard.store import write_atomic, write_json

LARGEST_BYTES = 25 * 2**20
"""A bundle that is shipped is no larger."""

WEIGHTS, META, CARD = "model.safetensors", "metadata.json", "card.md"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pass(_Frozen):
    """One network of a bundle, and the grid it looks at."""

    name: str = Field(description="prefix of its weights: coarse, fine …")
    spacing_mm: float = Field(gt=0, description="voxel size it was trained at")
    window: tuple[int, int, int] = Field(description="voxels it looks at in one go, as in training")
    architecture: Architecture


class Calibration(_Frozen):
    """What turns outputs into probabilities and intervals; all from digital patients that were not learned from."""

    temperature: dict[str, float] = Field(default_factory=dict, description="of each pass")
    fine_weight: float = Field(default=0.7, ge=0, le=1, description="of the fine pass beside the coarse one")
    volume_low: dict[str, float] = Field(default_factory=dict, description="conformal factor of the lower bound")
    volume_high: dict[str, float] = Field(default_factory=dict, description="conformal factor of the upper bound")
    offset_ml: float = Field(default=0.0, ge=0, description="added to volumes before their ratio is taken, mL")
    dice: dict[str, dict[str, float]] = Field(
        default_factory=dict, description="intercept and weights of the clues to the true Dice, by region"
    )
    quantiles: dict[str, tuple[tuple[float, float], ...]] = Field(
        default_factory=dict, description="mean and standard deviation of intensity quantiles, by sequence"
    )
    thresholds: tuple[float, float, float] = Field(
        default=(0.5, 0.5, 0.5), description="least score of a detection below 3 mm, below 10 mm, and from 10 mm"
    )
    thresholds_bb: tuple[float, float, float] | None = Field(
        default=None, description="the same where black-blood was given; null: no other"
    )
    patients: int = Field(default=0, ge=0, description="digital patients all this was estimated on")


class Metadata(_Frozen):
    """What a bundle is.

    Examples
    --------
    >>> Metadata.model_fields["sequences"].description
    'input channels, in order'
    """

    id: str = Field(pattern="^[a-z0-9-]+$", description="name on the command line and in outputs")
    version: str
    task: Literal["segment", "detect", "brain"]
    title: str
    sequences: tuple[Sequence, ...] = Field(min_length=1, description="input channels, in order")
    needs_any: tuple[Sequence, ...] = Field(min_length=1, description="at least one of these must be there")
    labels: dict[str, int] = Field(description="output channels after the background, by name")
    passes: tuple[Pass, ...] = Field(min_length=1)
    calibration: Calibration = Field(default_factory=Calibration)
    intended_use: str
    training: str = Field(description="what it learned from, in a sentence")
    limits: str
    citation: str
    licence: str
    measured: dict[str, float] = Field(default_factory=dict, description="figures with their data in the name")
    weights_sha256: str = Field(default="", description="of the weights file")


class Bundle:
    """A bundle that has been read.

    Parameters
    ----------
    metadata : Metadata
        What it is.
    weights : dict of str to Tensor
        Names begin with the name of their pass and a point.
    """

    def __init__(self, metadata: Metadata, weights: dict[str, Tensor]) -> None:
        self.metadata, self.weights = metadata, weights

    @property
    def card_id(self) -> str:
        """Name and version, as outputs cite it."""
        return f"{self.metadata.id} {self.metadata.version}"

    def weights_of(self, name: str) -> dict[str, Tensor]:
        """Return the weights of one pass, float32."""
        start = f"{name}."
        return {k[len(start) :]: v.float() for k, v in self.weights.items() if k.startswith(start)}

    def network(self, name: str) -> nn.Module:
        """Return one pass's network, ready to be used.

        Raises
        ------
        InputError
            The weights are not those of the architecture.
        """
        step = next(p for p in self.metadata.passes if p.name == name)
        built = step.architecture.model_copy(update={"deep": 0}).build()
        load_weights(built, self.weights_of(name), "bundle")
        return built.eval()


def write_bundle(folder: Path, metadata: Metadata, weights: dict[str, Tensor], card: str) -> Metadata:
    """Write a bundle; weights as half precision, metadata last.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    metadata : Metadata
        Its checksum is filled in here.
    weights : dict of str to Tensor
        By pass and name.
    card : str
        Markdown for people.

    Returns
    -------
    Metadata
        As written.
    """
    from safetensors.torch import save

    content = save({k: v.detach().cpu().half().contiguous() for k, v in weights.items()})
    told = metadata.model_copy(update={"weights_sha256": hashlib.sha256(content).hexdigest()})
    write_atomic(folder / WEIGHTS, content)
    write_atomic(folder / CARD, card)
    write_json(folder / META, json.loads(told.model_dump_json()))
    return told


def read_metadata(folder: Path) -> Metadata:
    """Read what a bundle is.

    Raises
    ------
    InputError
        There is no bundle, or its metadata cannot be read.
    """
    try:
        return Metadata.model_validate_json((folder / META).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("a network bundle", got="no metadata.json", where="bundle") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(p) for p in first["loc"])
        raise InputError("metadata of a network bundle", got=f"{place}: {first['msg']}", where="bundle") from error


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle.

    Raises
    ------
    InputError
        Something is missing, the checksum differs, or the weights are no safetensors.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    metadata = read_metadata(folder)
    try:
        content = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise InputError("a network bundle with its weights", got=f"no {WEIGHTS}", where="bundle") from error
    if hashlib.sha256(content).hexdigest() != metadata.weights_sha256:
        raise InputError(
            "weights with the checksum of the bundle's metadata",
            got="another",
            where="bundle",
            remedy="take the whole bundle from one place again",
        )
    try:
        return Bundle(metadata, load(content))
    except SafetensorError as error:
        raise InputError("weights as safetensors", got="a file that is none", where="bundle") from error


def shipped(name: str) -> Path:
    """Return the folder of a bundle that comes with the product.

    Raises
    ------
    InputError
        There is none of that name.

    Examples
    --------
    >>> shipped("nothing")
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: bundle: expected one of the shipped bundles...
    """
    home = Path(__file__).resolve().parents[1] / "bundles"
    found = {p.parent.name: p.parent for p in sorted(home.glob(f"*/{META}"))}
    if name not in found:
        raise InputError(f"one of the shipped bundles {', '.join(found) or '(none)'}", got=repr(name), where="bundle")
    return found[name]


def seeded(architecture: Architecture, seed: int = 0) -> dict[str, Any]:
    """Return random weights of an architecture, the same for the same seed; for tests and self-tests."""
    torch.manual_seed(seed)
    return own_weights(architecture.build().state_dict())
