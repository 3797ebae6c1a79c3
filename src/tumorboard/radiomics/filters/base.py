"""What a filter is: settings that are frozen, a name for columns, and a response in a box.

Why it exists: features are computed from a filtered image as from any other; whoever loops over filters must not know
which they are. A filter tells how far it looks, so that an image can be cut to what it needs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from tumorboard.radiomics.filters.boundary import Boundary, Index
from tumorboard.radiomics.region import Float

Box = tuple[slice, slice, slice]
Margin = tuple[int, int, int]
Spacing = tuple[float, float, float]
Rows = tuple[Index, Index, Index]


class Bank(BaseModel, ABC):
    """One filter, or several that share their work.

    ``code`` is that of the standard; empty where it has none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: ClassVar[str] = ""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the filtered images, for columns."""

    @abstractmethod
    def responses(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Iterator[tuple[str, Float]]:
        """Yield every name and filtered image, as :meth:`Filter.apply` gives them."""

    @abstractmethod
    def margin(self, spacing_mm: Spacing) -> Margin | None:
        """Return how many voxels it looks further on each side; None: at the whole image.

        A response in a box is the same, whether the image is whole or cut to the box and this margin.
        """


class Filter(Bank):
    """A filter with one response."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the filtered image, for columns."""

    @property
    def names(self) -> tuple[str, ...]:
        """The name alone."""
        return (self.name,)

    def responses(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Iterator[tuple[str, Float]]:
        """Yield the name and the filtered image."""
        yield self.name, self.apply(image, spacing_mm, box)

    @abstractmethod
    def apply(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Float:
        """Return the filtered image.

        Parameters
        ----------
        image : ndarray of float64, shape (i, j, k)
            Finite.
        spacing_mm : (float, float, float)
            Voxel size along i, j, k.
        box : three slices, optional
            Of the image; only there the response is computed, from what it depends on. Beyond the end of the image,
            not of the box, the filter's boundary condition holds.

        Returns
        -------
        ndarray of float64, shape of the box or of the image
        """


def rows_of(shape: tuple[int, ...], box: Box | None) -> Rows:
    """Return the voxels of a box along each axis.

    Examples
    --------
    >>> [row.tolist() for row in rows_of((4, 2, 1), (slice(1, 3), slice(None), slice(0, 1)))]
    [[1, 2], [0, 1], [0]]
    """
    whole = (slice(None),) * 3 if box is None else box
    i, j, k = (np.arange(size)[part] for size, part in zip(shape, whole, strict=True))
    return i, j, k


def reach(radius: int, boundary: Boundary, dimensions: int = 3) -> Margin | None:
    """Return the margin of a kernel: none suffices where the image goes on at its other end.

    Examples
    --------
    >>> reach(2, "mirror", 2), reach(2, "periodic")
    ((2, 2, 0), None)
    """
    if boundary == "periodic":
        return None
    return radius, radius, radius if dimensions == 3 else 0


def suffix(boundary: Boundary, usual: Boundary = "mirror") -> str:
    """Return what a name says of the boundary: nothing where it is the usual one.

    Examples
    --------
    >>> suffix("mirror"), suffix("zero")
    ('', '_zero')
    """
    return "" if boundary == usual else f"_{boundary}"
