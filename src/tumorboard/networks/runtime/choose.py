"""Which way to run a network: every one that this machine offers is tried, compared and timed.

Why it exists: what is fastest differs between processors, and what is fast but wrong must never be used. The
reference is float32 PyTorch; a way whose probabilities differ from it by more than the tolerance is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tumorboard.errors import MissingDependency
from tumorboard.networks.runtime import openvino_backend, torch_backend

Float = NDArray[np.float32]
Run = Callable[[Float], Float]

TOLERANCE = 0.02
"""Largest mean difference of probabilities from the reference that is accepted (bfloat16 has 8 bits)."""

BACKENDS: dict[str, Callable[[nn.Module, tuple[int, ...]], Run]] = {
    "cuda": torch_backend.cuda,
    "torch-bfloat16": torch_backend.bfloat16,
    "torch-channels-last": torch_backend.channels_last,
    "torch-float32": torch_backend.reference,
    "openvino-bfloat16": openvino_backend.bfloat16,
    "openvino-float32": openvino_backend.float32,
}
"""Ways by name; those that must be compiled come last."""

REFERENCE = "torch-float32"

COMPILING_S = 15.0
"""Compiling a network takes some ten seconds; where all windows together take less, it cannot pay."""


@dataclass(frozen=True)
class Choice:
    """What was measured.

    Parameters
    ----------
    name : str
        Of the way that is used.
    seconds : dict of str to float
        Wall time of one window by way.
    difference : dict of str to float
        Mean absolute difference of probabilities from the reference.
    """

    name: str
    seconds: dict[str, float]
    difference: dict[str, float]


def chosen_backend(
    network: nn.Module,
    shape: tuple[int, ...],
    only: str = "",
    windows: int = 10,
    trial: tuple[int, ...] | None = None,
) -> tuple[Run, Choice]:
    """Return the fastest way to run a network that agrees with the reference, and what was measured.

    Parameters
    ----------
    network : nn.Module
        float32, on the processor; it is not changed.
    shape : tuple of int
        Of one window, (channels, i, j, k).
    only : str
        A way to take without measuring.
    windows : int
        How many windows will be run: a way that must be compiled first is tried only where that may pay.
    trial : tuple of int, optional
        A smaller window on which ways are compared and timed; the window itself if left out.

    Returns
    -------
    (callable, Choice)

    Examples
    --------
    >>> run, choice = chosen_backend(nn.Conv3d(1, 2, 1), (1, 4, 4, 4), only="torch-float32")
    >>> run(np.zeros((1, 4, 4, 4), np.float32)).shape, choice.name
    ((2, 4, 4, 4), 'torch-float32')
    """
    if only:
        return BACKENDS[only](deepcopy(network), shape), Choice(only, {}, {})
    plain = [name for name in candidates() if not name.startswith("openvino")]
    runs, seconds, difference = _measured(network, plain, trial or shape)
    larger = float(np.prod(shape) / np.prod(trial or shape))
    seconds = {name: s * larger for name, s in seconds.items()}
    if min(seconds.values()) * windows > COMPILING_S:
        compiled = _measured(network, [name for name in candidates() if name.startswith("openvino")], shape)
        runs, seconds, difference = runs | compiled[0], seconds | compiled[1], difference | compiled[2]
    best = min(seconds, key=lambda name: seconds[name])
    return runs[best], Choice(best, seconds, difference)


def _measured(
    network: nn.Module, names: list[str], shape: tuple[int, ...]
) -> tuple[dict[str, Run], dict[str, float], dict[str, float]]:
    """Return the ways that agree with the reference, their wall times, and all differences of probability."""
    example = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    wanted = _probabilities(BACKENDS[REFERENCE](deepcopy(network), shape)(example))
    runs: dict[str, Run] = {}
    seconds: dict[str, float] = {}
    difference: dict[str, float] = {}
    for name in names:
        try:
            run = BACKENDS[name](deepcopy(network), shape)
        except MissingDependency:
            continue
        difference[name] = float(np.abs(_probabilities(run(example)) - wanted).mean())
        if difference[name] <= TOLERANCE:
            runs[name], seconds[name] = run, _timed(run, example)
    return runs, seconds, difference


def candidates() -> list[str]:
    """Return the ways that this machine may offer, most promising first."""
    flags = torch.cpu.get_capabilities()
    reduced = any(flags.get(f) for f in ("avx512_bf16", "amx_bf16"))
    return [
        name
        for name in BACKENDS
        if (name != "cuda" or torch.cuda.is_available()) and (reduced or not name.endswith("bfloat16"))
    ]


def _timed(run: Run, example: Float) -> float:
    began = time.perf_counter()
    run(example)
    return time.perf_counter() - began


def _probabilities(logits: Float) -> Float:
    if len(logits) == 1:
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float32)
    shifted = np.exp(logits - logits.max(axis=0))
    return np.asarray(shifted / shifted.sum(axis=0), dtype=np.float32)
