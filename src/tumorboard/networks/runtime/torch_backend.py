"""PyTorch: the reference path in float32, and faster ones that must agree with it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tumorboard.networks.runtime.layout import keeping_layout, last_in_memory

Float = NDArray[np.float32]
Run = Callable[[Float], Float]


def reference(network: nn.Module, _shape: tuple[int, ...]) -> Run:
    """Return float32 PyTorch on the processor: what every other way is compared with."""
    return _runner(network, torch.device("cpu"), reduced=False, last=False)


def bfloat16(network: nn.Module, _shape: tuple[int, ...]) -> Run:
    """Return bfloat16 with channels last in memory, on the processor."""
    return _runner(keeping_layout(last_in_memory(network)), torch.device("cpu"), reduced=True, last=True)


def channels_last(network: nn.Module, _shape: tuple[int, ...]) -> Run:
    """Return float32 with channels last in memory, on the processor."""
    return _runner(keeping_layout(last_in_memory(network)), torch.device("cpu"), reduced=False, last=True)


def cuda(network: nn.Module, _shape: tuple[int, ...]) -> Run:
    """Return mixed precision on the first GPU."""
    device = torch.device("cuda")
    return _runner(last_in_memory(network.to(device)), device, reduced=True, last=True)


def _runner(network: nn.Module, device: torch.device, reduced: bool, last: bool) -> Run:
    network.eval()

    def run(images: Float) -> Float:
        x = torch.from_numpy(images)[None].to(device)
        if last:
            x = x.contiguous(memory_format=torch.channels_last_3d)
        with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=reduced):
            out = network(x)
        result: Float = out[0].float().cpu().contiguous().numpy()
        return result

    return run
