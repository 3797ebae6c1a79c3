"""In which precision a network may learn.

Why it exists: bfloat16 is several times faster where hardware multiplies it, but on processors PyTorch 2.13's
convolution (oneDNN) reads beyond its maps for the gradient of the weights where a map is narrower than the kernel:
values from foreign memory, at worst a crash. Such networks learn in float32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tumorboard.errors import InputError

Convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def fast_bfloat16() -> bool:
    """Tell whether this processor multiplies bfloat16 in hardware."""
    flags = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(flags.get("avx512_bf16") or flags.get("amx_bf16") or flags.get("amx"))


def reduced(asked: str, network: nn.Module, *inputs: Tensor) -> bool:
    """Tell whether a network learns in bfloat16.

    Parameters
    ----------
    asked : str
        ``auto``, ``float32`` or ``bfloat16``.
    network : Module
        As it will learn.
    inputs : Tensor
        One batch, on the network's device.

    Raises
    ------
    InputError
        bfloat16 is asked for on a processor, and a map is narrower than its kernel.

    Examples
    --------
    >>> reduced("bfloat16", nn.Conv3d(1, 1, 3, padding=1), torch.zeros(1, 1, 4, 4, 4))
    True
    >>> reduced("bfloat16", nn.Conv3d(1, 1, 3, padding=1), torch.zeros(1, 1, 2, 4, 4))
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: precision: expected maps at least as wide as their kernels; got 2 voxels under a ...
    """
    on_gpu = inputs[0].device.type == "cuda"
    fast = torch.cuda.is_bf16_supported() if on_gpu else fast_bfloat16()
    if asked == "float32" or (asked == "auto" and not fast):
        return False
    narrow = None if on_gpu else narrowest(network, *inputs)
    if narrow and asked == "bfloat16":
        expected, got = "maps at least as wide as their kernels", f"{narrow[0]} voxels under a kernel of {narrow[1]}"
        raise InputError(expected, got=got, where="precision", remedy="take float32, or larger samples")
    return not narrow


def narrowest(network: nn.Module, *inputs: Tensor) -> tuple[int, int] | None:
    """Return width and kernel where a map is narrowest below its kernel; None where all are wide enough.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv3d(1, 1, 3, stride=2, padding=1), nn.Conv3d(1, 1, 3, padding=1))
    >>> narrowest(net, torch.zeros(1, 1, 4, 8, 8)), narrowest(net, torch.zeros(1, 1, 8, 8, 8))
    ((2, 3), None)
    """
    found: list[tuple[int, int]] = []

    def look(layer: Any, given: tuple[Tensor, ...]) -> None:
        reach = [d * (k - 1) + 1 for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
        wide = given[0].shape[-len(reach) :]
        found.extend((w, r) for w, r in zip(wide, reach, strict=True) if w < r)

    hooks = [m.register_forward_pre_hook(look) for m in network.modules() if isinstance(m, Convolution)]
    was = network.training
    try:
        with torch.inference_mode():
            network.eval()(*inputs)
    finally:
        network.train(was)
        for hook in hooks:
            hook.remove()
    return min(found, key=lambda f: f[0] - f[1], default=None)
