"""The U-Nets of nnU-Net, built from the numbers in its plans.

Why it exists: weights of an nnU-Net load into a network of the same names and shapes, and nothing else of nnU-Net is
needed to use them. Names follow the state dict of ``dynamic_network_architectures``, with its duplicates: the encoder
is stored a second time below the decoder, and every layer a second time in ``all_modules``. It refuses any class,
argument or layer that is not in the tables below; nothing is looked up by its spelling.

Source: Isensee F et al. Nat Methods 2021;18:203-211; residual encoder: Isensee F et al. nnU-Net Revisited. MICCAI 2024.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from torch import Tensor, nn

Triple = tuple[int, int, int]

NORMS: dict[str, type[nn.Module]] = {"InstanceNorm3d": nn.InstanceNorm3d, "BatchNorm3d": nn.BatchNorm3d}
NONLINS: dict[str, type[nn.Module]] = {"LeakyReLU": nn.LeakyReLU, "ReLU": nn.ReLU}
DROPOUTS = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d")


class UnetPlan(BaseModel):
    """``arch_kwargs`` of nnU-Net's plans.

    Examples
    --------
    >>> plan = UnetPlan(kind="plain", n_stages=2, features_per_stage=(4, 8), kernel_sizes=((3, 3, 3),) * 2,
    ...                 strides=((1, 1, 1), (2, 2, 2)), n_conv_per_stage=(1, 1), n_conv_per_stage_decoder=(1,))
    >>> plan.build(4, 3)(torch.zeros(1, 4, 8, 8, 8)).shape
    torch.Size([1, 3, 8, 8, 8])
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["plain", "residual"]
    n_stages: int = Field(ge=2, le=12)
    features_per_stage: tuple[int, ...]
    conv_op: str = "torch.nn.modules.conv.Conv3d"
    kernel_sizes: tuple[Triple, ...]
    strides: tuple[Triple, ...]
    n_conv_per_stage: tuple[int, ...]
    n_conv_per_stage_decoder: tuple[int, ...]
    conv_bias: bool = False
    norm_op: str | None = None
    norm_op_kwargs: dict[str, float | bool] | None = None
    dropout_op: str | None = None
    dropout_op_kwargs: dict[str, float | bool] | None = None
    nonlin: str | None = None
    nonlin_kwargs: dict[str, float | bool] | None = None
    nonlin_first: bool = False
    deep_supervision: bool = False

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, given: Any) -> Any:
        """One number for all stages becomes a list of them; blocks are called as convolutions are."""
        if not isinstance(given, dict) or not isinstance(given.get("n_stages"), int):
            return given
        told, stages = dict(given), given["n_stages"]
        if "n_blocks_per_stage" in told and told.get("kind") == "residual":
            told["n_conv_per_stage"] = told.pop("n_blocks_per_stage")
        for name in ("features_per_stage", "n_conv_per_stage", "n_conv_per_stage_decoder"):
            if isinstance(told.get(name), int):
                told[name] = [told[name]] * (stages - (name == "n_conv_per_stage_decoder"))
        for name in ("kernel_sizes", "strides"):
            each = [told.get(name)] * stages if isinstance(told.get(name), int) else told.get(name)
            told[name] = [[e] * 3 if isinstance(e, int) else e for e in each] if isinstance(each, list) else each
        return told

    @field_validator("conv_op", "norm_op", "nonlin", "dropout_op")
    @classmethod
    def _known(cls, name: str | None, info: Any) -> str | None:
        tables = {"conv_op": ("Conv3d",), "norm_op": (*NORMS,), "nonlin": (*NONLINS,), "dropout_op": DROPOUTS}
        known = tables[info.field_name]
        if name is not None and (not name.startswith("torch.nn.") or name.rsplit(".", 1)[1] not in known):
            raise ValueError(f"{name} is none of torch.nn's {', '.join(known)}")
        return name

    @model_validator(mode="after")
    def _lengths(self) -> UnetPlan:
        per_stage = (self.features_per_stage, self.kernel_sizes, self.strides, self.n_conv_per_stage)
        if any(len(x) != self.n_stages for x in per_stage) or len(self.n_conv_per_stage_decoder) != self.n_stages - 1:
            raise ValueError("lists that do not fit n_stages")
        if min(*self.features_per_stage, *self.n_conv_per_stage, *self.n_conv_per_stage_decoder) < 1:
            raise ValueError("counts below one")
        if any(k % 2 == 0 or k < 1 for kernel in self.kernel_sizes for k in kernel):
            raise ValueError("kernel sizes that are not odd")
        if any(s < 1 for stride in self.strides for s in stride):
            raise ValueError("strides below one")
        return self

    @property
    def multiples(self) -> Triple:
        """Sides of the input must be multiples of these."""
        a, b, c = (int(torch.tensor([s[n] for s in self.strides]).prod()) for n in range(3))
        return a, b, c

    def build(self, channels: int, classes: int) -> nn.Module:
        """Return the network with random weights, from (n, channels, a, b, c) to logits (n, classes, a, b, c)."""
        return Unet(self, channels, classes)

    def layer(self, width: int) -> list[tuple[str, nn.Module]]:
        """Return norm, dropout and activation of a convolution of ``width`` outputs, in their order, by name."""
        layers: list[tuple[str, nn.Module]] = []
        if self.dropout_op is not None:
            layers.append(("dropout", nn.Identity()))  # nothing is dropped when a network is used
        if self.norm_op is not None:
            layers.append(("norm", NORMS[self.norm_op.rsplit(".", 1)[1]](width, **(self.norm_op_kwargs or {}))))
        if self.nonlin is not None:
            layers.append(("nonlin", self.activation()))
        if self.nonlin_first and self.norm_op is not None and self.nonlin is not None:
            layers[-2:] = layers[:-3:-1]
        return layers

    def activation(self) -> nn.Module:
        """Return a new activation."""
        if self.nonlin is None:
            return nn.Identity()
        return NONLINS[self.nonlin.rsplit(".", 1)[1]](**(self.nonlin_kwargs or {}))


class _Conv(nn.Module):
    """Convolution, dropout, norm, activation; ``only`` names the layers beside the convolution that it has."""

    def __init__(
        self, plan: UnetPlan, inputs: int, outputs: int, kernel: Triple, stride: Triple, only: tuple[str, ...]
    ) -> None:
        super().__init__()
        bias = plan.conv_bias and "no bias" not in only
        a, b, c = ((k - 1) // 2 for k in kernel)
        self.conv = nn.Conv3d(inputs, outputs, kernel, stride, (a, b, c), bias=bias)
        layers = [(name, layer) for name, layer in plan.layer(outputs) if name in only]
        for name, layer in layers:
            self.add_module(name, layer)
        self.all_modules = nn.Sequential(self.conv, *(layer for _, layer in layers))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.all_modules(x)
        return out


ALL = ("dropout", "norm", "nonlin")


class _Stack(nn.Module):
    """Convolutions one after the other, the first with a stride."""

    def __init__(self, plan: UnetPlan, count: int, inputs: int, outputs: int, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        first = _Conv(plan, inputs, outputs, kernel, stride, ALL)
        self.convs = nn.Sequential(
            first, *(_Conv(plan, outputs, outputs, kernel, (1, 1, 1), ALL) for _ in range(1, count))
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.convs(x)
        return out


class _Residual(nn.Module):
    """Two convolutions beside a skip that is pooled and projected where shapes differ (ResNet-D)."""

    def __init__(self, plan: UnetPlan, inputs: int, outputs: int, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        one = (1, 1, 1)
        self.conv1 = _Conv(plan, inputs, outputs, kernel, stride, ALL)
        self.conv2 = _Conv(plan, outputs, outputs, kernel, one, ("norm",))
        self.nonlin2 = plan.activation()
        skip: list[nn.Module] = [nn.AvgPool3d(stride, stride)] if stride != one else []
        if inputs != outputs:
            skip.append(_Conv(plan, inputs, outputs, one, one, ("norm", "no bias")))
        self.skip = nn.Sequential(*skip)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.nonlin2(self.conv2(self.conv1(x)) + self.skip(x))
        return out


class _Blocks(nn.Module):
    """Residual blocks one after the other, the first with a stride."""

    def __init__(self, plan: UnetPlan, count: int, inputs: int, outputs: int, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        first = _Residual(plan, inputs, outputs, kernel, stride)
        self.blocks = nn.Sequential(
            first, *(_Residual(plan, outputs, outputs, kernel, (1, 1, 1)) for _ in range(1, count))
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.blocks(x)
        return out


class _Encoder(nn.Module):
    """Stages of convolutions (each in a Sequential) or, behind a stem, of residual blocks."""

    def __init__(self, plan: UnetPlan, channels: int) -> None:
        super().__init__()
        width, residual = channels, plan.kind == "residual"
        if residual:
            width = plan.features_per_stage[0]
            self.stem = _Stack(plan, 1, channels, width, plan.kernel_sizes[0], (1, 1, 1))
        stages: list[nn.Module] = []
        numbers = (plan.n_conv_per_stage, plan.features_per_stage, plan.kernel_sizes, plan.strides)
        for count, features, kernel, stride in zip(*numbers, strict=True):
            made = (_Blocks if residual else _Stack)(plan, count, width, features, kernel, stride)
            stages.append(made if residual else nn.Sequential(made))
            width = features
        self.stages = nn.Sequential(*stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        skips: list[Tensor] = []
        x = self.stem(x) if hasattr(self, "stem") else x
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
        return skips


class _Decoder(nn.Module):
    """Upsample, join the skip, convolve; the outputs of deeper stages are there for their weights only."""

    def __init__(self, plan: UnetPlan, encoder: _Encoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.stages, self.transpconvs, self.seg_layers = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for s in range(1, plan.n_stages):
            below, skip, stride = plan.features_per_stage[-s], plan.features_per_stage[-s - 1], plan.strides[-s]
            self.transpconvs.append(nn.ConvTranspose3d(below, skip, stride, stride, bias=plan.conv_bias))
            count, kernel = plan.n_conv_per_stage_decoder[s - 1], plan.kernel_sizes[-s - 1]
            self.stages.append(_Stack(plan, count, 2 * skip, skip, kernel, (1, 1, 1)))
            self.seg_layers.append(nn.Conv3d(skip, classes, 1))

    def forward(self, skips: list[Tensor]) -> Tensor:
        x = skips[-1]
        for n, (up, stage) in enumerate(zip(self.transpconvs, self.stages, strict=True)):
            x = stage(torch.cat((up(x), skips[-n - 2]), 1))
        out: Tensor = self.seg_layers[-1](x)
        return out


class Unet(nn.Module):
    """``PlainConvUNet`` and ``ResidualEncoderUNet`` of nnU-Net, at its finest output.

    Parameters
    ----------
    plan : UnetPlan
        Its numbers.
    channels, classes : int
        Of input and output.
    """

    def __init__(self, plan: UnetPlan, channels: int, classes: int) -> None:
        super().__init__()
        self.encoder = _Encoder(plan, channels)
        self.decoder = _Decoder(plan, self.encoder, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (n, classes, a, b, c) of images (n, channels, a, b, c)."""
        out: Tensor = self.decoder(self.encoder(x))
        return out
