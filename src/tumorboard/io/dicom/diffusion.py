"""The b-value and the gradient direction of a plane, standard or as vendors wrote them before the standard had them.

Why it exists: a diffusion series without its b-values looks like a T2. Many archives hold headers in which
they stand in private tags only. Sources: PS3.3 C.8.13.5.9 (MR Diffusion); the vendors' DICOM conformance
statements for the private tags.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tumorboard.io.dicom.header import Asked, item, number, numbers


@dataclass(frozen=True)
class _Private:
    """Where a vendor keeps a value: the creator of a private block, its group and the offset in it."""

    creator: str
    group: int
    offset: int

    def tag(self, dataset: Any) -> tuple[int, int]:
        """Return the tag in this dataset, wherever its block lies; (0, 0) where it has none."""
        try:
            found = dataset.private_block(self.group, self.creator).get_tag(self.offset)
        except Exception:  # no such block, or a dataset that cannot be searched
            return (0, 0)
        return found.group, found.element


_B_VALUES = (
    _Private("SIEMENS MR HEADER", 0x0019, 0x0C),
    _Private("GEMS_PARM_01", 0x0043, 0x39),
    _Private("Philips Imaging DD 001", 0x2001, 0x03),
)
_DIRECTIONS = (_Private("SIEMENS MR HEADER", 0x0019, 0x0E),)

_GE_MARK = 100_000
"""GE adds multiples of this to a b-value to mark how it was acquired."""


def b_value(asked: Asked) -> float | None:
    """Return the b-value of a plane in s/mm², or None.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset(); header.DiffusionBValue = 1000.0
    >>> b_value(Asked(header)), b_value(Asked(Dataset()))
    (1000.0, None)
    """
    found = asked.number("DiffusionBValue", "MRDiffusionSequence")
    for private in _B_VALUES:
        if found is None:
            found = number(asked.dataset, private.tag(asked.dataset))
    return None if found is None else found % _GE_MARK


def gradient(asked: Asked) -> tuple[float, ...] | None:
    """Return the gradient direction of a plane (patient axes, rounded to 0.001), or None."""
    inner = item(asked.group("MRDiffusionSequence"), "DiffusionGradientDirectionSequence")
    found = numbers(inner, "DiffusionGradientOrientation", 3)
    found = found or asked.numbers("DiffusionGradientOrientation", 3)
    for private in _DIRECTIONS:
        found = found or numbers(asked.dataset, private.tag(asked.dataset), 3)
    return None if found is None else tuple(round(part, 3) for part in found)
