"""A trained network of the laboratory as explanations ask it: one patient's image in, logits out.

Why it exists: our networks see slices, planes, curves, columns and flags of missing sequences; explanations change the
voxels of one image on its grid. Here the one becomes the other, as training saw it: a sequence that is taken away
raises its flag.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tumorboard.lab.nets.images import MASK, Images
from tumorboard.lab.nets.learner import ImageNetwork
from tumorboard.lab.step import Floats

Float = NDArray[np.float32]


class Answering(nn.Module):
    """A network asked about images of shape (batch, channels, i, j, k) of one patient.

    Parameters
    ----------
    learner : ImageNetwork
        That was trained.
    view : str
        Of the crops that it is given; those of a network that wants another are cut here.
    columns : ndarray, shape (1, columns)
        Of the patient, as the network is given them; they stay as they are.
    """

    def __init__(self, learner: ImageNetwork, view: str, columns: Floats) -> None:
        super().__init__()
        self.network, self.flags = learner.module, learner.settings.flags
        self.given, self.wanted = view, learner.view_
        held = np.nan_to_num((columns - learner.mean_) / learner.spread_)
        self.columns = torch.as_tensor(held, dtype=torch.float32)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, shape (batch, outputs)."""
        seen = self._seen(images)
        extra = [self.columns.expand(len(images), -1)]
        if self.flags:
            axis = 2 if self.wanted in ("slices", "planes") else 1
            others = [a for a in range(1, seen.ndim) if a != axis]
            extra.append((seen.detach() != 0).sum(dim=others).ne(0).to(torch.float32))
        found: Tensor = self.network(seen, torch.cat(extra, dim=1))
        return found

    def _seen(self, images: Tensor) -> Tensor:
        if self.given == "curve":
            return images[..., 0]
        if self.given != "cube" or self.wanted == "slices":
            return images.movedim(-1, 1)
        if self.wanted == "planes":
            i, j, k = (side // 2 for side in images.shape[2:])
            return torch.stack([images[:, :, i], images[:, :, :, j], images[:, :, :, :, k]], dim=1)
        return images


@dataclass(frozen=True)
class Pictured:
    """One patient's image on its grid, and where the region lies.

    Parameters
    ----------
    pixels : ndarray of float32, shape (channels, i, j, k)
        Of a curve (channels, points, 1).
    region : ndarray of bool, shape (i, j, k), or None
        Where it is known.
    """

    pixels: Float
    region: NDArray[np.bool_] | None


def pictured(images: Images, region: NDArray[np.bool_] | None, row: int) -> Pictured | None:
    """Return the image of a row as explanations want it, or None where it has none.

    Parameters
    ----------
    images : Images
        Of rows.
    region : ndarray of bool or None
        The region in the row's crop.
    row : int
        Which.

    Examples
    --------
    >>> slices = Images.of(np.ones((1, 5, 2, 8, 8)), ("T1C", "FLAIR"), "slices")
    >>> pictured(slices, np.ones((5, 8, 8), bool), 0).region.shape
    (8, 8, 5)
    """
    crop = images.crops[row]
    if crop is None:
        return None
    pixels = np.nan_to_num(crop, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
    if images.view == "curve":
        return Pictured(pixels[..., None], None)
    if images.view == "cube":
        inside = pixels[images.channels.index(MASK)] > 0 if region is None and MASK in images.channels else region
        return Pictured(pixels, inside)
    turned = None if region is None else np.moveaxis(region, 0, -1)
    return Pictured(np.ascontiguousarray(np.moveaxis(pixels, 0, -1)), turned)


def attention_of(learner: ImageNetwork, pixels: Float) -> Any:
    """Return the network's own weights over the points of a curve, shape (points,), or None where it has none."""
    asks = getattr(learner.module.encoder, "attention", None)
    if asks is None or pixels.shape[-1] != 1:
        return None
    with torch.inference_mode():
        return asks(torch.from_numpy(pixels[None, ..., 0].copy()))[0].double().numpy()
