"""deepbet: a convolutional network for T1-weighted heads whose weights lie in its package.

Why it exists: it is the smallest well-kept network that needs no download. Only its TorchScript models
are used, by our own few lines, so that its graphical parts need not be installed.

Source: Fisch L et al., Computers in Biology and Medicine 2024;179:108845 (MIT licence).
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.errors import InputError, MissingDependency
from tumorboard.volume import Volume, box_around

INSTALL = "pip install --no-deps deepbet==1.0.2"

COARSE, FINE, MARGIN, WINDOW = (128, 128, 128), (256, 256, 256), 0.1, (0.005, 0.995)
"""Grids of the two networks, margin of the box between them, quantiles of black and white; as in the package."""

CENTRE, SPREAD = 0.449, 0.226
"""Scale of intensities that the networks were trained on; as in the package."""


def outline(volume: Volume, where: str = "") -> NDArray[np.bool_]:
    """Return the brain of a T1-weighted head.

    Parameters
    ----------
    volume : Volume
        With skull; any orientation and spacing.
    where : str
        Role of the volume, for messages.

    Returns
    -------
    ndarray of bool, shape (i, j, k)
        On the volume's own grid.

    Raises
    ------
    MissingDependency
        The package is not installed.
    InputError
        Nothing like a brain was found.
    """
    import torch

    load: Any = torch.jit.load
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript is how the package ships its models
        coarse, fine = (load(str(models() / name), map_location="cpu") for name in ("bbox_model.pt", "model.pt"))
    canonical = volume.canonical()
    image = torch.from_numpy(np.nan_to_num(canonical.data.astype(np.float32)))
    with torch.inference_mode():
        small = _resized(image, COARSE)
        low, high = small.quantile(WINDOW[0]), small.quantile(WINDOW[1])
        rough = (coarse.eval()(_scaled(small, low, high))[0, 1] > 0.5).numpy()
        box = _box(rough, image.shape, where)
        found = fine.eval()(_scaled(_resized(image[box], FINE), low, high))[0, 1]
        # trilinear rather than the package's nearest: thick slices come out without steps
        inside = torch.nn.functional.interpolate(found[None, None], image[box].shape, mode="trilinear")[0, 0]
    mask = np.zeros(canonical.grid.shape, dtype=np.bool_)
    mask[box] = (inside > 0.5).numpy()
    solid = np.asarray(ndi.binary_fill_holes(largest_part(mask)), dtype=np.bool_)
    return Volume(solid, canonical.grid).reoriented(volume.grid.axcodes).data


def installed() -> bool:
    """Tell whether the package is there."""
    return find_spec("deepbet") is not None


def models() -> Path:
    """Return where the package keeps its models.

    Raises
    ------
    MissingDependency
        It is not installed.
    """
    spec = find_spec("deepbet")
    folder = Path(spec.origin).parents[1] / "data" / "models" if spec is not None and spec.origin else None
    if folder is None or not (folder / "model.pt").is_file():
        remedy = f"{INSTALL}, or give --brain-mask FILE"
        raise MissingDependency("a method that outlines the brain in a head", got="none installed", remedy=remedy)
    return folder


def largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest 6-connected part of a mask.

    Examples
    --------
    >>> largest_part(np.array([[[True, False, True, True]]])).tolist()
    [[[False, False, True, True]]]
    """
    parts, n = ndi.label(mask)
    if n < 2:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == int(sizes.argmax()), dtype=np.bool_)


def _resized(image: Any, shape: tuple[int, int, int]) -> Any:
    import torch

    return torch.nn.functional.interpolate(image[None, None], shape, mode="nearest-exact")[0, 0]


def _scaled(image: Any, low: Any, high: Any) -> Any:
    clipped = ((image - low) / (high - low).clamp(min=1e-6)).clamp(0, 1)
    return (SPREAD * (clipped - clipped.mean()) / clipped.std().clamp(min=1e-6) + CENTRE)[None, None]


def _box(rough: NDArray[np.bool_], shape: tuple[int, ...], where: str) -> tuple[slice, slice, slice]:
    """Return the box of the coarse brain on the full grid, with a margin."""
    found = box_around(largest_part(rough))
    if found is None:
        remedy = "give --brain-mask FILE, or check that this is a head"
        raise InputError("a brain", got="nothing like one", where=where, remedy=remedy)
    out = []
    for part, small, full in zip(found, rough.shape, shape, strict=True):
        scale = full / small
        pad = MARGIN * (part.stop - part.start) * scale
        out.append(slice(max(0, int(part.start * scale - pad)), min(full, int(np.ceil(part.stop * scale + pad)))))
    return out[0], out[1], out[2]
