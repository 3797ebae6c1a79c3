"""Weights of a foreign checkpoint, without executing anything that is in the file.

Why it exists: a checkpoint is a program in the format that torch writes. Only tensors, plain values and the numbers of
NumPy that nnU-Net's log holds are rebuilt; a file that asks for more is refused by the name of what it asks for.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
import torch
from torch import Tensor, nn

from tumorboard.errors import FileFormatError, InputError

_NUMBER: Any = np.float64(0.0).__reduce__()[0]  # NumPy's own maker of scalars; it has moved between versions
ALLOWED: list[Any] = [
    (_NUMBER, "numpy.core.multiarray.scalar"),
    (_NUMBER, "numpy._core.multiarray.scalar"),
    np.dtype,
    *(type(np.dtype(t)) for t in ("float16", "float32", "float64", "int32", "int64", "uint8", "bool")),
]
"""What may be rebuilt beside what ``weights_only`` allows."""

_ASKED = re.compile(r"GLOBAL ([\w.]+)")


def load_checkpoint(path: Path, role: str) -> Any:
    """Return the content of a checkpoint, on the CPU.

    Parameters
    ----------
    path : Path
        The file; never shown.
    role : str
        Its name inside the model's folder, for messages.

    Raises
    ------
    InputError
        There is no such file, or it asks for code to be executed.
    FileFormatError
        It is no checkpoint, or ends early.

    Source
    ------
    PyTorch, "Serialization semantics", ``weights_only`` and ``safe_globals``.
    """
    if not path.is_file():
        raise InputError("the weights of the model", got=f"no {role}", where="model", remedy="copy the whole folder")
    try:
        with torch.serialization.safe_globals(ALLOWED):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a hostile file can fail in any way
        asked = _ASKED.search(str(error))
        if not asked and not (type(error).__name__ == "UnpicklingError" and is_zipfile(path)):
            raise FileFormatError("a checkpoint of torch", got="a file that is none", where=role) from error
        raise InputError(
            "a checkpoint of weights and plain values",
            got=f"one that would execute {asked.group(1)}" if asked else "one that would execute code",
            where=role,
            remedy="save only the state_dict of the network, or ask its authors for that",
        ) from error


def load_weights(network: nn.Module, weights: Any, role: str) -> nn.Module:
    """Load weights strictly and return the network, ready to be used.

    Raises
    ------
    InputError
        The weights are no state dict, or not those of this network.
    """
    if not isinstance(weights, dict) or not all(isinstance(v, Tensor) for v in weights.values()):
        raise InputError("weights by name", got=type(weights).__name__, where=role)
    start = "module." if all(str(k).startswith("module.") for k in weights) else ""
    named = {str(k)[len(start) :]: v for k, v in weights.items()}
    own = network.state_dict()
    missing, more = sorted(set(own) - set(named)), sorted(set(named) - set(own))
    shapes = sorted(k for k in set(own) & set(named) if own[k].shape != named[k].shape)
    if missing or more or shapes:
        told = [f"{len(x)} {word}, first {x[0]}" for x, word in ((missing, "missing"), (more, "unknown")) if x]
        told += [f"{len(shapes)} of other shape, first {shapes[0]}"] if shapes else []
        raise InputError(
            "the weights of the network that the model's files describe",
            got="; ".join(told),
            where=role,
            remedy="check that files and weights are of one training",
        )
    network.load_state_dict(named)
    return network.eval().requires_grad_(False)


def fingerprint(paths: list[Path]) -> str:
    """Return 12 hexadecimal digits of the SHA-256 over the files' content: the version of a model."""
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()[:12]
