"""``plans.json`` and ``dataset.json`` of an nnU-Net v2 model folder, read without nnU-Net.

Why it exists: which channel is which sequence, what labels mean, voxel size, window and the network's numbers stand in
these two files. It refuses what it cannot reproduce: 2-D configurations, cascades, CT normalisation, other resampling.

Source: nnU-Net v2, ``plans_handler.py`` and ``label_handling.py`` (formats with and without ``architecture``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError

from tumorboard.errors import FileFormatError, InputError, LabelError
from tumorboard.networks.foreign.heads import Heads
from tumorboard.networks.foreign.inputs import Resampling
from tumorboard.networks.foreign.names import region_of, sequences_of
from tumorboard.networks.foreign.unet import UnetPlan
from tumorboard.sequences import Sequence

Model = TypeVar("Model", bound=BaseModel)

SCHEMES: dict[tuple[str, bool], str] = {
    ("ZScoreNormalization", True): "zscore-brain",
    ("ZScoreNormalization", False): "zscore-all",
    ("NoNormalization", False): "none",
    ("NoNormalization", True): "none",
    ("RescaleTo01Normalization", False): "zero-to-one",
    ("RescaleTo01Normalization", True): "zero-to-one",
}
"""Normalisations by their name and ``use_mask_for_norm``."""

RESAMPLING = "resample_data_or_seg_to_shape"

CLASSES = {"PlainConvUNet": "plain", "ResidualEncoderUNet": "residual"}


class _Loose(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Dataset(_Loose):
    """What ``dataset.json`` tells of channels and labels.

    Examples
    --------
    >>> told = Dataset(channel_names={"0": "FLAIR", "1": "t1gd"}, regions_class_order=[2, 1],
    ...                labels={"background": 0, "whole tumor": [1, 2], "enhancing": [1]})
    >>> told.heads.regions, told.heads.exclusive
    (('WT', 'ET'), False)
    """

    channel_names: dict[int, str] = Field(min_length=1)
    labels: dict[str, int | list[int]]
    regions_class_order: list[int] | None = None

    @property
    def sequences(self) -> tuple[Sequence, ...]:
        """Input channels by their number in the file, as sequences."""
        return sequences_of([self.channel_names[n] for n in sorted(self.channel_names)], "dataset.json")

    @property
    def heads(self) -> Heads:
        """Outputs: classes in order of their values, or regions in the order of the file."""
        named = {k: v if isinstance(v, list) else [v] for k, v in self.labels.items() if k != "ignore"}
        if named.get("background") != [0]:
            raise LabelError("labels with background 0", got="none", where="dataset.json")
        if all(len(v) == 1 for v in named.values()):
            values = sorted(v[0] for v in named.values())
            if values != list(range(len(values))):
                raise LabelError("labels 0, 1, 2 … each once", got=f"{values}", where="dataset.json")
            ordered = sorted(named, key=lambda name: named[name][0])
            return Heads(tuple(region_of(n, "dataset.json") for n in ordered), exclusive=True)
        regions = {k: v for k, v in named.items() if k != "background"}
        order = self.regions_class_order or []
        if len(order) != len(regions) or any(o not in v for o, v in zip(order, regions.values(), strict=True)):
            raise LabelError("regions_class_order with one value of each region", got=f"{order}", where="dataset.json")
        return Heads(tuple(region_of(n, "dataset.json") for n in regions), exclusive=False)


class Configuration(_Loose):
    """One configuration of ``plans.json``."""

    patch_size: tuple[int, int, int]
    spacing: tuple[PositiveFloat, PositiveFloat, PositiveFloat]
    normalization_schemes: tuple[str, ...]
    use_mask_for_norm: tuple[bool, ...]
    resampling_fn_data: str = RESAMPLING
    resampling_fn_data_kwargs: dict[str, Any] = Field(default_factory=dict)
    resampling_fn_probabilities: str = RESAMPLING
    resampling_fn_probabilities_kwargs: dict[str, Any] = Field(default_factory=dict)
    previous_stage: str | None = None
    architecture: dict[str, Any] = Field(default_factory=dict)
    unet_class_name: str | None = Field(default=None, alias="UNet_class_name")
    base_features: int = Field(default=32, alias="UNet_base_num_features")
    max_features: int = Field(default=320, alias="unet_max_num_features")
    n_conv_per_stage_encoder: tuple[int, ...] = ()
    n_conv_per_stage_decoder: tuple[int, ...] = ()
    pool_op_kernel_sizes: tuple[tuple[int, ...], ...] = ()
    conv_kernel_sizes: tuple[tuple[int, ...], ...] = ()

    @property
    def normalise(self) -> tuple[str, ...]:
        """Our normalisation of each channel.

        Raises
        ------
        InputError
            One that is not ours.
        """
        pairs = list(zip(self.normalization_schemes, self.use_mask_for_norm, strict=False))
        for pair in pairs:
            if pair not in SCHEMES:
                known = ", ".join(dict.fromkeys(name for name, _ in SCHEMES))
                raise InputError(f"a normalisation of MR images ({known})", got=pair[0], where="plans.json")
        return tuple(SCHEMES[p] for p in pairs)

    def resampling(self, of: str) -> Resampling:
        """Return how ``"data"`` or ``"probabilities"`` are resampled.

        Raises
        ------
        InputError
            By a function that is not ours.
        """
        name = {"data": self.resampling_fn_data, "probabilities": self.resampling_fn_probabilities}[of]
        told = {"data": self.resampling_fn_data_kwargs, "probabilities": self.resampling_fn_probabilities_kwargs}[of]
        if name != RESAMPLING:
            raise InputError(f"resampling by {RESAMPLING}", got=name, where="plans.json")
        order, order_z = told.get("order", 3 if of == "data" else 1), told.get("order_z", 0)
        separate = told.get("force_separate_z")
        if order not in range(6) or order_z not in range(6) or separate not in (None, True, False):
            raise InputError("spline orders 0 to 5", got=f"{order} and {order_z}", where="plans.json")
        return Resampling(int(order), int(order_z), separate)

    @property
    def unet(self) -> UnetPlan:
        """The network's numbers, of both formats.

        Raises
        ------
        InputError
            A network, layer or argument that is not known.
        """
        given = self.architecture.get("network_class_name", self.unet_class_name)
        kind = CLASSES.get(str(given).rsplit(".", 1)[-1])
        if kind is None:
            raise InputError(f"one of the networks {', '.join(CLASSES)}", got=repr(given), where="plans.json")
        numbers = self.architecture.get("arch_kwargs") if self.architecture else self._old_numbers()
        if not isinstance(numbers, dict):
            raise InputError("arch_kwargs by name", got="none", where="plans.json")
        return validated(UnetPlan, {**numbers, "kind": kind}, "plans.json")

    def _old_numbers(self) -> dict[str, Any]:
        """Numbers of the network as plans before ``architecture`` wrote them; the rest was the same for all."""
        stages = len(self.n_conv_per_stage_encoder)
        return {
            "n_stages": stages,
            "features_per_stage": [min(self.base_features * 2**n, self.max_features) for n in range(stages)],
            "kernel_sizes": [list(k) for k in self.conv_kernel_sizes],
            "strides": [list(s) for s in self.pool_op_kernel_sizes],
            "n_conv_per_stage": self.n_conv_per_stage_encoder,
            "n_conv_per_stage_decoder": self.n_conv_per_stage_decoder,
            "conv_bias": True,
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        }


class Plans(_Loose):
    """``plans.json``."""

    dataset_name: str = "nnU-Net"
    image_reader_writer: str = "SimpleITKIO"
    transpose_forward: tuple[int, int, int] = (0, 1, 2)
    configurations: dict[str, dict[str, Any]]

    def configuration(self, name: str) -> Configuration:
        """Return a configuration with what it inherits.

        Raises
        ------
        InputError
            It is not there, inherits from itself, is 2-D, or is a stage of a cascade.
        """
        told: dict[str, Any] = {}
        at: Any = name
        for _ in range(len(self.configurations) + 1):
            if at not in self.configurations:
                known = ", ".join(self.configurations)
                raise InputError(f"one of the configurations {known}", got=repr(at), where="plans.json")
            told = {**self.configurations[at], **told}
            at = self.configurations[at].get("inherits_from")
            if at is None:
                break
        else:
            raise InputError("a configuration that ends", got="one that inherits from itself", where="plans.json")
        patch = told.get("patch_size")
        if isinstance(patch, list) and len(patch) == 2:
            raise InputError("a 3-D configuration", got=f"the 2-D {name}", where="plans.json", remedy="take 3d_fullres")
        made = validated(Configuration, told, "plans.json")
        if made.previous_stage is not None:
            raise InputError("a network that stands alone", got="a stage of a cascade", where="plans.json")
        return made


def validated(kind: type[Model], content: Any, where: str) -> Model:
    """Return a model of what a file holds.

    Raises
    ------
    InputError
        It does not fit; the message names the first field.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(p) for p in first["loc"])
        raise InputError("what the format asks for", got=f"{place}: {first['msg']}", where=where) from error


def read_json(path: Path, role: str) -> Any:
    """Return the content of a JSON file.

    Raises
    ------
    InputError
        There is no such file.
    FileFormatError
        It is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("a whole model folder", got=f"no {role}", where="model", remedy="copy all of it") from error
    except ValueError as error:
        raise FileFormatError("JSON", got="something else", where=role) from error
