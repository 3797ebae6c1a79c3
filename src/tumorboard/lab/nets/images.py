"""Image crops of rows, as networks take them: named channels, a view, and whose they are.

Why it exists: a table cannot hold images, and steps that impute or scale columns must not touch them. Here crops of the
same rows as a table lie beside it; a sequence that a row lacks is a channel of zeros, and a flag says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError

Float = NDArray[np.float32]
View = Literal["cube", "slices", "planes", "curve"]

VIEWS: tuple[str, ...] = get_args(View)
"""Cube (channels, i, j, k); slices and three planes (slices, channels, i, j); curve (channels, time)."""

MASK = "mask"
"""Name of the channel that holds the region itself."""

_AXES = {"cube": 4, "slices": 4, "planes": 4, "curve": 2}


@dataclass(frozen=True)
class Images:
    """Crops of rows.

    Parameters
    ----------
    crops : tuple of ndarray of float32 or None
        One for each row, all of one shape; None where a row has no image.
    channels : tuple of str
        Sequences in order, then ``mask`` where the region is a channel.
    view : str
        One of :data:`VIEWS`.
    patients : tuple of str
        Whose each row is; rows of one patient are never divided.

    Raises
    ------
    InputError
        Crops differ in shape, there is none, or the number of channels is another.

    Examples
    --------
    >>> cube = np.ones((2, 4, 4, 4), np.float32); cube[1] = 0
    >>> images = Images((cube, None), ("T1C", "FLAIR"), "cube", ("A", "B"))
    >>> images.stacked.shape, images.present.tolist()
    ((2, 2, 4, 4, 4), [[True, False], [False, False]])
    """

    crops: tuple[Float | None, ...] = field(repr=False)
    channels: tuple[str, ...]
    view: str = "cube"
    patients: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.view not in VIEWS:
            raise InputError(f"a view of {', '.join(VIEWS)}", got=repr(self.view), where="images")
        if not self.patients:
            object.__setattr__(self, "patients", tuple(str(n) for n in range(len(self.crops))))
        if len(self.patients) != len(self.crops):
            raise InputError("a patient for each crop", got=f"{len(self.patients)} patients", where="images")
        shapes = {np.shape(c) for c in self.crops if c is not None}
        if len(shapes) != 1:
            got = "none" if not shapes else f"{len(shapes)} shapes"
            raise InputError("crops of one shape", got=got, where="images", remedy="give every row the same side")
        shape = next(iter(shapes))
        if len(shape) != _AXES[self.view] or shape[_channel_axis(self.view)] != len(self.channels):
            expected = f"{len(self.channels)} channels as {self.view}"
            raise InputError(expected, got=f"crops of shape {shape}", where="images")

    @classmethod
    def of(cls, crops: Any, channels: Sequence[str], view: str = "cube", patients: Sequence[str] = ()) -> Self:
        """Return images from any sequence of arrays, or one stacked array."""
        return cls(
            tuple(None if c is None else np.asarray(c, dtype=np.float32) for c in crops),
            tuple(channels),
            view,
            tuple(patients),
        )

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one crop."""
        return next(c.shape for c in self.crops if c is not None)

    @property
    def stacked(self) -> Float:
        """All crops, shape (rows, …); zeros where a row has none."""
        out = np.zeros((len(self), *self.shape), dtype=np.float32)
        for n, crop in enumerate(self.crops):
            if crop is not None:
                out[n] = np.nan_to_num(crop, nan=0.0, posinf=0.0, neginf=0.0)
        return out

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which channels each row has, shape (rows, channels): a channel of zeros was never measured."""
        at = _channel_axis(self.view) + 1
        stacked = self.stacked
        others = tuple(a for a in range(1, stacked.ndim) if a != at)
        return np.asarray((stacked != 0).any(axis=others))

    def take(self, rows: ArrayLike) -> Self:
        """Return some rows, by number or by a mask.

        Raises
        ------
        InputError
            None of them has an image.
        """
        at = np.arange(len(self))[np.asarray(rows)]
        return type(self)(
            tuple(self.crops[i] for i in at), self.channels, self.view, tuple(self.patients[i] for i in at)
        )

    def seen_as(self, view: str) -> Images:
        """Return the crops in another view; a cube can be seen as its axial slices or its three middle planes.

        Raises
        ------
        InputError
            They cannot be seen so.

        Examples
        --------
        >>> Images.of(np.ones((1, 2, 6, 6, 6)), ("T1", "T2")).seen_as("planes").shape
        (3, 2, 6, 6)
        """
        if view == self.view:
            return self
        if self.view != "cube" or view not in ("slices", "planes"):
            remedy = f"set view: {view} in the representation"
            raise InputError(f"images as {view}", got=self.view, where="network", remedy=remedy)
        turn = _as_slices if view == "slices" else _as_planes
        return Images(tuple(None if c is None else turn(c) for c in self.crops), self.channels, view, self.patients)


def _channel_axis(view: str) -> int:
    return 1 if view in ("slices", "planes") else 0


def _as_slices(cube: Float) -> Float:
    return np.ascontiguousarray(np.moveaxis(cube, 3, 0))


def _as_planes(cube: Float) -> Float:
    _, i, j, k = cube.shape
    if not i == j == k:
        raise InputError("cubes of equal sides for three planes", got=f"{i} x {j} x {k}", where="images")
    return np.stack([cube[:, i // 2], cube[:, :, j // 2], cube[:, :, :, k // 2]])
