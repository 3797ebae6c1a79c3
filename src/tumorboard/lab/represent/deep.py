"""Deep features: what the encoder of a trained network says of a region, pooled.

Why it exists: features that a network learned for one task often serve another, where patients are too few to train on.
The network is a bundle, shipped or brought; nothing of it is trained here.

Source: Lao J et al., Sci Rep 2017;7:10353 (E4: transfer-learned features, survival); Li Z et al., Sci Rep 2017;7:5467
(D8: features out of a segmentation network, IDH1).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tumorboard.errors import InputError
from tumorboard.lab.cohort import NotThere
from tumorboard.lab.represent.base import Job
from tumorboard.lab.represent.cache import Made
from tumorboard.lab.represent.rows import ImageSettings, OfImages
from tumorboard.lab.scene import Mask, Scene
from tumorboard.sequences import Sequence

if TYPE_CHECKING:
    from tumorboard.networks.bundle import Bundle

Float = NDArray[np.float32]


class DeepSet(ImageSettings):
    """Settings of :class:`Deep`.

    Parameters
    ----------
    bundle : str
        A shipped one by name, or the folder of another.
    part : str
        Which of its networks; empty: the first.
    level : int
        Of the encoder, 0 the finest, -1 the deepest.
    pool : tuple of str
        ``mean``, ``max``, ``sd`` of each channel over the region.
    """

    bundle: str = "glioma"
    part: str = ""
    level: int = -1
    pool: tuple[Literal["mean", "max", "sd"], ...] = Field(default=("mean", "max"), min_length=1)


class Deep(OfImages[DeepSet]):
    """Activations of an encoder, pooled over a region: ``deep.TC.mean001``."""

    name = "deep"
    title = "activations of a trained encoder, pooled in regions"
    source = "Lao J et al., Sci Rep 2017;7:10353; Li Z et al., Sci Rep 2017;7:5467"
    settings = DeepSet

    def one(self, scene: Scene, job: Job[DeepSet]) -> Made:
        """Return the deep features of one unit."""
        how = job.settings
        bundle = _bundle(how.bundle)
        channels = _channels(scene, bundle, job.sequences)
        out: dict[str, float] = {}
        for name, mask in scene.masks(job.regions):
            for pool, values in activations(bundle, channels, mask, scene.grid.spacing_mm, how).items():
                out |= {f"deep.{name}.{pool}{n:03d}": float(v) for n, v in enumerate(values, 1)}
        return Made(out)

    def beside(self, unit: Any, job: Job[DeepSet]) -> str:
        """Return what the network is."""
        return _bundle(job.settings.bundle).metadata.weights_sha256


def activations(
    bundle: Bundle, channels: Float, mask: Mask, spacing_mm: tuple[float, float, float], how: DeepSet
) -> dict[str, NDArray[np.float64]]:
    """Return the activations of one level in a region, pooled.

    Parameters
    ----------
    bundle : Bundle
        Whose encoder.
    channels : ndarray of float32, shape (sequences, i, j, k)
        Images as the bundle wants them; 0 where a sequence is not used.
    mask : ndarray of bool, shape (i, j, k)
        The region.
    spacing_mm : (float, float, float)
        Of their grid.
    how : DeepSet
        Which network, level and pools.

    Returns
    -------
    dict of str to ndarray, shape (features,)
        By pool.

    Raises
    ------
    InputError
        The bundle has no such network or level.
    """
    import torch

    from tumorboard.networks.grid import to_network

    step = next((p for p in bundle.metadata.passes if p.name == (how.part or bundle.metadata.passes[0].name)), None)
    if step is None:
        known = ", ".join(p.name for p in bundle.metadata.passes)
        raise InputError(f"a network of the bundle ({known})", got=repr(how.part), where="deep")
    weight = to_network(mask, spacing_mm, step.spacing_mm)
    corner = _corner(weight, step.window)
    images = np.stack([_cut(to_network(c, spacing_mm, step.spacing_mm), corner, step.window) for c in channels])
    network, level = _encoder(bundle.card_id, how.bundle, step.name, how.level)
    seen: list[torch.Tensor] = []
    hook = level.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    try:
        with torch.inference_mode():
            network(torch.from_numpy(images[None]))
    finally:
        hook.remove()
    features = seen[0][0].float().numpy().reshape(seen[0].shape[1], -1)
    i, j, k = seen[0].shape[2:]
    inside = torch.from_numpy(_cut(weight, corner, step.window)[None, None])
    share = torch.nn.functional.adaptive_avg_pool3d(inside, (i, j, k))
    return _pooled(features, share.numpy().ravel(), how)


def _pooled(features: Float, share: Float, how: DeepSet) -> dict[str, NDArray[np.float64]]:
    inside = share > 0
    if not inside.any():
        raise NotThere("the region lies outside the network's window")
    f, w = features[:, inside].astype(np.float64), (share[inside] / share[inside].sum()).astype(np.float64)
    mean = f @ w
    every = {"mean": mean, "max": f.max(axis=1), "sd": np.sqrt(np.maximum((f**2) @ w - mean**2, 0.0))}
    return {name: every[name] for name in how.pool}


def _channels(scene: Scene, bundle: Bundle, sequences: tuple[Sequence, ...]) -> Float:
    """Return the bundle's channels; one that the recipe does not ask for is 0, as a missing one was in training.

    Raises
    ------
    InputError
        The bundle has none of the sequences.
    NotThere
        The study lacks one that is asked for.
    """
    from tumorboard.segment.learned import HIGHEST, LOWEST

    known = bundle.metadata.sequences
    if not set(sequences) & set(bundle.metadata.needs_any):
        wanted = ", ".join(s.value for s in bundle.metadata.needs_any)
        raise InputError(f"one of {wanted} for this bundle", got=", ".join(s.value for s in sequences), where="deep")
    lacking = [s.value for s in sequences if s in known and s not in scene.study.volumes]
    if lacking:
        raise NotThere(f"no {', '.join(lacking)}")
    out = np.zeros((len(known), *scene.grid.shape), dtype=np.float32)
    for n, sequence in enumerate(known):
        if sequence in sequences:
            out[n] = np.clip(scene.study.volumes[sequence].data, LOWEST, HIGHEST) * scene.brain
    return out


def _corner(weight: Float, window: tuple[int, int, int]) -> tuple[int, ...]:
    """Return where a window around the middle of a region begins; it may be below 0."""
    places = np.argwhere(weight > 0.5 * float(weight.max()))
    middle = (places.min(axis=0) + places.max(axis=0)) / 2.0
    return tuple(round(float(m - (w - 1) / 2.0)) for m, w in zip(middle, window, strict=True))


def _cut(image: Float, corner: tuple[int, ...], window: tuple[int, int, int]) -> Float:
    """Return a window of an image; 0 outside."""
    out = np.zeros(window, dtype=np.float32)
    ends = [(max(c, 0), min(c + w, n)) for c, w, n in zip(corner, window, image.shape, strict=True)]
    if all(low < high for low, high in ends):
        into = tuple(slice(low - c, high - c) for (low, high), c in zip(ends, corner, strict=True))
        out[into] = image[tuple(slice(low, high) for low, high in ends)]
    return out


@lru_cache(maxsize=2)
def _bundle(name: str) -> Bundle:
    from tumorboard.networks.bundle import read_bundle, shipped

    return read_bundle(Path(name) if "/" in name or Path(name).is_dir() else shipped(name))


@lru_cache(maxsize=2)
def _encoder(card: str, name: str, part: str, level: int) -> tuple[Any, Any]:
    """Return a network and the module of its encoder whose output is wanted."""
    network: Any = _bundle(name).network(part)
    inner = getattr(network, "inner", network)
    levels = [inner.input_block, *inner.downsamples, inner.bottleneck]
    if not -len(levels) <= level < len(levels):
        raise InputError(f"a level from 0 to {len(levels) - 1}", got=str(level), where="deep")
    return network, levels[level]
