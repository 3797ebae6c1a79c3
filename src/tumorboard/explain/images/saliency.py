"""A map of where a network looked, on the grid of its image.

Why it exists: maps of all methods are judged, drawn and written alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.explain.explanation import Explanation, Scope
from tumorboard.explain.images.asked import Asked
from tumorboard.metrics.estimate import Estimate

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RegionShare:
    """How much of a map lies in a region, and how much would by chance (the region's share of the field)."""

    region: str
    share: float
    expected: float

    @property
    def lift(self) -> float:
        """How many times more than by chance."""
        return self.share / self.expected if self.expected > 0 else float("nan")


@dataclass(frozen=True, kw_only=True)
class Saliency(Explanation):
    """A map of relevance.

    Parameters
    ----------
    values : ndarray of float64, shape (i, j) or (i, j, k)
        Positive speaks for the output, negative against it where the method has a sign.
    by_sequence : tuple of (str, float)
        Share of each sequence in the size of the map; empty where the method sees channels together.
    regions : tuple of RegionShare
        Filled by :func:`~tumorboard.explain.judge.inside.locate`.
    fit : Estimate
        How well the method's own model follows the network (LIME), or by how much parts miss the whole (integrated
        gradients); missing where there is no such thing.
    """

    values: Floats = field(repr=False)
    by_sequence: tuple[tuple[str, float], ...] = ()
    regions: tuple[RegionShare, ...] = ()
    fit: Estimate = field(default_factory=lambda: Estimate.missing("the method has none"))

    @property
    def positive(self) -> Floats:
        """What speaks for the output; the size of the map where nothing does."""
        kept = np.maximum(self.values, 0.0)
        return kept if kept.any() else np.abs(self.values)

    @property
    def peak(self) -> tuple[int, ...]:
        """Voxel of the largest value."""
        return tuple(int(i) for i in np.unravel_index(int(self.positive.argmax()), self.values.shape))


def saliency_of(asked: Asked, method: tuple[str, str], values: ArrayLike, unit: str = "1", **more: Any) -> Saliency:
    """Return a map with its warnings: one that is empty, or the same everywhere, says nothing.

    Parameters
    ----------
    asked : Asked
        Of whom.
    method : (str, str)
        Name and source.
    values : array_like of float, shape (i, j) or (i, j, k)
        The map.
    unit : str
        Of its values.
    **more
        Further fields of :class:`Saliency`.

    Examples
    --------
    >>> from torch import nn
    >>> asked = Asked(nn.Flatten(), np.ones((1, 1, 2)))
    >>> saliency_of(asked, ("cam", "Zhou 2016"), [[0.0, 0.0]]).warnings
    ('the map is the same everywhere: it says nothing',)
    """
    found = np.array(values, dtype=np.float64)
    flat = float(np.ptp(found)) <= 1e-12 * max(float(np.abs(found).max()), 1e-300)
    made = Saliency(
        method=method[0], cites=method[1], about=asked.about, scope=Scope.LOCAL, unit=unit, values=found, **more
    )
    return made.warned("the map is the same everywhere: it says nothing" if flat else "")


def shares_of_channels(values: Floats, sequences: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """Return the share of each channel in the size of a map of shape (channels, *space); the largest first.

    Examples
    --------
    >>> shares_of_channels(np.array([[[1.0]], [[-3.0]]]), ("T1", "FLAIR"))
    (('FLAIR', 0.75), ('T1', 0.25))
    """
    size = np.abs(values).reshape(len(values), -1).sum(axis=1)
    if not size.sum() > 0:
        return ()
    found = [(name, float(s / size.sum())) for name, s in zip(sequences, size, strict=True)]
    return tuple(sorted(found, key=lambda pair: -pair[1]))


def enlarged(coarse: Tensor, space: tuple[int, ...]) -> Floats:
    """Return a coarse map on the image's grid by linear interpolation.

    Parameters
    ----------
    coarse : Tensor, shape of the last features
        One value a place.
    space : tuple of int
        Shape of the image.

    Examples
    --------
    >>> import torch
    >>> enlarged(torch.tensor([[0.0, 1.0]]), (1, 4)).tolist()
    [[0.0, 0.25, 0.75, 1.0]]
    """
    from torch.nn.functional import interpolate

    mode = "bilinear" if len(space) == 2 else "trilinear"
    out = interpolate(coarse[None, None].double(), size=space, mode=mode, align_corners=False)
    return np.asarray(out[0, 0].numpy(), dtype=np.float64)
