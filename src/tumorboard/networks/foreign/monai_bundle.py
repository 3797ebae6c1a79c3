"""A MONAI bundle, run without executing its configuration.

Why it exists: bundles of the MONAI model zoo describe their channels and outputs by name. Their configuration is a
program (``$`` expressions, class names); here it is read as data. The network must be one of six classes with literal
arguments; of the transforms, those that change the input must be known by name. Anything else is refused.

Source: MONAI Bundle Specification; the bundle ``brats_mri_segmentation`` of the model zoo is the example.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.inferers.inferer import SlidingWindowInferer
from monai.networks.nets.basic_unet import BasicUNet
from monai.networks.nets.dynunet import DynUNet
from monai.networks.nets.segresnet import SegResNet
from monai.networks.nets.segresnet_ds import SegResNetDS
from monai.networks.nets.swin_unetr import SwinUNETR
from monai.networks.nets.unet import UNet
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from tumorboard.errors import FileFormatError, InputError, MissingDependency
from tumorboard.networks.foreign.checkpoint import fingerprint, load_checkpoint, load_weights
from tumorboard.networks.foreign.heads import Heads
from tumorboard.networks.foreign.inputs import Layout, Resampling
from tumorboard.networks.foreign.model import ForeignModel
from tumorboard.networks.foreign.names import BACKGROUND, region_of, sequences_of
from tumorboard.networks.foreign.plans import read_json, validated
from tumorboard.networks.foreign.window import Float, OverBox

NETWORKS: dict[str, Any] = {
    "SegResNet": SegResNet,
    "SegResNetDS": SegResNetDS,
    "UNet": UNet,
    "DynUNet": DynUNet,
    "BasicUNet": BasicUNet,
    "SwinUNETR": SwinUNETR,
}
"""Classes that a bundle may name, with or without their module in ``monai.networks.nets``."""

HARMLESS = ("LoadImaged", "EnsureChannelFirstd", "EnsureTyped", "ToTensord", "CastToTyped", "AsChannelFirstd")
"""Transforms that change nothing that we have not done already."""

NEEDS = {"SwinUNETR": "einops"}
"""What MONAI wants for some networks beside itself, and misses only when they run."""

WINDOWING = {"_target_", "roi_size", "overlap", "mode", "sw_batch_size", "device", "sw_device", "progress"}
"""Arguments of the inferer that are read, or that change no result."""

META, WEIGHTS = "configs/metadata.json", "models/model.pt"
CITATION = "Cardoso MJ et al. MONAI: an open-source framework for deep learning in healthcare. arXiv:2211.02701."


class _Loose(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Channels(_Loose):
    channel_def: dict[int, str] = Field(min_length=1)

    @property
    def names(self) -> list[str]:
        return [self.channel_def[n] for n in sorted(self.channel_def)]


class _Format(_Loose):
    inputs: dict[str, _Channels] = Field(min_length=1, max_length=1)
    outputs: dict[str, _Channels] = Field(min_length=1, max_length=1)


class BundleMetadata(_Loose):
    """What ``metadata.json`` tells of channels and outputs."""

    version: str = "0"
    task: str = ""
    network_data_format: _Format

    @property
    def channels(self) -> list[str]:
        """Names of the input channels, in order."""
        return next(iter(self.network_data_format.inputs.values())).names

    @property
    def outputs(self) -> list[str]:
        """Names of the output channels, in order."""
        return next(iter(self.network_data_format.outputs.values())).names


def read_monai_bundle(folder: Path) -> ForeignModel:
    """Read a bundle (``configs/metadata.json``, ``configs/inference.json`` or ``.yaml``, ``models/model.pt``).

    Parameters
    ----------
    folder : Path
        The bundle.

    Raises
    ------
    InputError
        A file is missing, or the bundle asks for something that is not reproduced: a network or transform that is not
        in the lists, an argument that is an expression, channel or label names that are not known, code in the weights.
    MissingDependency
        The configuration is YAML and no reader of it is installed.

    Source
    ------
    MONAI Bundle Specification, sections "metadata.json" and "Configs and executable content".
    """
    metadata = validated(BundleMetadata, read_json(folder / META, "metadata.json"), "metadata.json")
    path, config = _read_config(folder)
    steps = _transforms(config, "preprocessing")
    heads = _heads(metadata, _transforms(config, "postprocessing"))
    layout = _layout(metadata, steps)
    network = build_network(config.get("network_def"))
    held = load_checkpoint(folder / WEIGHTS, "model.pt")
    if isinstance(held, dict):
        held = next((held[k] for k in ("model", "state_dict", "network") if isinstance(held.get(k), dict)), held)
    network = load_weights(network, held, "model.pt")
    window, over_box = _inferer(config.get("inferer"))
    return ForeignModel(
        id="monai-bundle",
        version=fingerprint([folder / META, path, folder / WEIGHTS]),
        title=f"MONAI bundle {_plain(metadata.version)} ({_plain(metadata.task) or 'no task named'})",
        citation=CITATION,
        layout=layout,
        heads=heads,
        networks=(_FirstOutput(network),),
        window=window,
        over_box=over_box,
    )


def build_network(told: Any) -> nn.Module:
    """Return the network that ``network_def`` names, with random weights.

    Raises
    ------
    InputError
        The class is not in the list, an argument is not literal, or the class refuses its arguments.
    MissingDependency
        The class needs a package that is not installed.

    Examples
    --------
    >>> build_network({"_target_": "os.system", "command": "true"})
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: inference: expected one of the networks SegResNet, ...; got 'os.system'...
    """
    target = told.get("_target_") if isinstance(told, Mapping) else None
    name = str(target).rsplit(".", 1)[-1]
    if name not in NETWORKS or (name != target and not str(target).startswith("monai.networks.nets.")):
        raise InputError(f"one of the networks {', '.join(NETWORKS)}", got=repr(target), where="inference")
    arguments = {k: v for k, v in told.items() if not k.startswith("_")}
    if set(told) - set(arguments) - {"_target_", "_desc_"} or not all(_literal(v) for v in arguments.values()):
        raise InputError(
            "a network with literal arguments",
            got="an expression or a reference",
            where="inference",
            remedy="write the numbers into network_def",
        )
    if name in NEEDS and find_spec(NEEDS[name]) is None:
        raise MissingDependency(f"what {name} needs", where="inference", remedy=f"pip install {NEEDS[name]}")
    try:
        built: nn.Module = NETWORKS[name](**arguments)
    except (TypeError, ValueError, KeyError, IndexError, NotImplementedError, AttributeError, RuntimeError) as error:
        raise InputError(f"arguments of {name}", got="others", where="inference") from error
    return built


def _literal(value: Any) -> bool:
    """Tell whether a value is data all through: no expression, reference or nested class."""
    if isinstance(value, str):
        return not value.startswith(("$", "@", "%"))
    if isinstance(value, Mapping):
        return "_target_" not in value and all(_literal(k) and _literal(v) for k, v in value.items())
    if isinstance(value, list):
        return all(_literal(v) for v in value)
    return value is None or isinstance(value, bool | int | float)


class _FirstOutput(nn.Module):
    """A network whose finest output stands alone, as DynUNet and SegResNetDS give several."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval()

    def forward(self, x: Any) -> Any:
        out = self.network(x)
        return out[0] if isinstance(out, list | tuple) else out


def _read_config(folder: Path) -> tuple[Path, dict[str, Any]]:
    for name in ("inference.json", "inference.yaml", "inference.yml"):
        path = folder / "configs" / name
        if path.is_file():
            content = read_json(path, name) if name.endswith("json") else _read_yaml(path, name)
            if not isinstance(content, dict):
                raise FileFormatError("named parts of a configuration", got="none", where=name)
            return path, content
    raise InputError("a whole bundle", got="no configs/inference.json", where="model", remedy="copy all of it")


def _read_yaml(path: Path, name: str) -> Any:
    try:
        yaml = import_module("yaml")
    except ImportError as error:
        raise MissingDependency("a reader of YAML", where=name, remedy="pip install pyyaml") from error
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FileFormatError("YAML", got="something else", where=name) from error


def _transforms(config: dict[str, Any], part: str) -> list[dict[str, Any]]:
    """Return the transforms of a part of the configuration, those left out that are disabled."""
    told = config.get(part)
    steps = told.get("transforms", []) if isinstance(told, dict) else told or []
    if not isinstance(steps, list) or not all(isinstance(s, dict) and "_target_" in s for s in steps):
        raise InputError("transforms by name", got="an expression or a reference", where=part)
    return [{**s, "_target_": str(s["_target_"]).rsplit(".", 1)[-1]} for s in steps if s.get("_disabled_") is not True]


def _layout(metadata: BundleMetadata, steps: list[dict[str, Any]]) -> Layout:
    sequences = sequences_of(metadata.channels, "metadata.json")
    axcodes, normalise = "LPS", "none"  # what is not said is as in BraTS
    spacing = (1.0, 1.0, 1.0)
    for step in steps:
        name = step["_target_"]
        if name == "NormalizeIntensityd":
            normalise = _normalisation(step)
        elif name == "Orientationd" and isinstance(step.get("axcodes"), str) and _literal(step["axcodes"]):
            axcodes = step["axcodes"]
        elif name == "Spacingd" and _three(step.get("pixdim")):
            a, b, c = (float(v) for v in step["pixdim"])
            spacing = (a, b, c)
        elif name not in HARMLESS:
            known = ", ".join((*HARMLESS, "NormalizeIntensityd", "Orientationd", "Spacingd"))
            raise InputError(f"preprocessing out of {known} with literal values", got=name, where="inference")
    normalises = (normalise,) * len(sequences)
    return Layout(sequences, normalises, spacing, axcodes, images=Resampling(1), logits=Resampling(1))


def _normalisation(step: dict[str, Any]) -> str:
    extra = {k for k, v in step.items() if k not in ("_target_", "keys", "nonzero", "channel_wise") and v is not None}
    if step.get("channel_wise") is not True or extra:
        raise InputError("NormalizeIntensityd of each channel", got="other arguments of it", where="inference")
    return "zscore-brain" if step.get("nonzero") is True else "zscore-all"


def _three(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(isinstance(v, int | float) and v > 0 for v in value)


def _heads(metadata: BundleMetadata, steps: list[dict[str, Any]]) -> Heads:
    """Return what outputs are; with a background they exclude each other, and ``Activationsd`` must agree."""
    regions = tuple(region_of(n, "metadata.json") for n in metadata.outputs)
    exclusive = BACKGROUND in regions
    for step in steps:
        wanted = "softmax" if exclusive else "sigmoid"
        if step["_target_"] == "Activationsd" and step.get(wanted) is not True:
            raise InputError(f"outputs {', '.join(regions)} by {wanted}", got="another activation", where="inference")
    return Heads(regions, exclusive)


def _inferer(told: Any) -> tuple[tuple[int, int, int], OverBox]:
    """Return the window, and what runs a network over a box."""
    given = told if isinstance(told, dict) else {}
    roi, overlap, mode = given.get("roi_size"), given.get("overlap", 0.25), given.get("mode", "constant")
    sliding = str(given.get("_target_")).rsplit(".", 1)[-1] == "SlidingWindowInferer" and set(given) <= WINDOWING
    fine = _three(roi) and isinstance(overlap, int | float) and 0 <= overlap < 1 and mode in ("constant", "gaussian")
    if not (sliding and fine):
        raise InputError(
            "a SlidingWindowInferer with literal roi_size, overlap and mode",
            got="another inferer",
            where="inference",
            remedy="write the numbers into inferer",
        )
    i, j, k = (int(v) for v in given["roi_size"])
    inferer = SlidingWindowInferer(roi_size=(i, j, k), sw_batch_size=1, overlap=float(overlap), mode=mode)

    def over_box(network: nn.Module, images: Float) -> Float:
        with torch.inference_mode():
            out: Any = inferer(torch.from_numpy(images)[None], network)
        return np.asarray(out[0].float().numpy())

    return (i, j, k), over_box


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isalnum() or c in "_-. ")[:60]
