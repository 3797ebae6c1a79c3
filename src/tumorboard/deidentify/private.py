"""Private attributes that may stay: diffusion weighting and scaling, documented by their makers.

Why it exists: every other private attribute goes. Without these few an old DWI has no b-values and an old
Philips map no scale. The list is a subset of the safe private attributes (PS3.15 E.3.10). It was written
from memory of the makers' conformance statements and is ``unverified``; only numbers and codes pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NUMBERS = frozenset(("IS", "DS", "FD", "FL", "SS", "US", "SL", "UL"))
"""Value representations that hold no words."""

SAFE: Mapping[tuple[str, int, int], tuple[frozenset[str], str]] = {
    ("SIEMENS MR HEADER", 0x0019, 0x0A): (NUMBERS, "images in a mosaic"),
    ("SIEMENS MR HEADER", 0x0019, 0x0C): (NUMBERS, "b-value"),
    ("SIEMENS MR HEADER", 0x0019, 0x0E): (NUMBERS, "gradient direction"),
    ("SIEMENS MR HEADER", 0x0019, 0x27): (NUMBERS, "b-matrix"),
    ("SIEMENS MR HEADER", 0x0019, 0x28): (NUMBERS, "bandwidth per pixel, phase"),
    ("GEMS_ACQU_01", 0x0019, 0xBB): (NUMBERS, "gradient direction, x"),
    ("GEMS_ACQU_01", 0x0019, 0xBC): (NUMBERS, "gradient direction, y"),
    ("GEMS_ACQU_01", 0x0019, 0xBD): (NUMBERS, "gradient direction, z"),
    ("GEMS_PARM_01", 0x0043, 0x39): (NUMBERS, "b-value and others"),
    ("Philips Imaging DD 001", 0x2001, 0x03): (NUMBERS, "b-factor"),
    ("Philips MR Imaging DD 001", 0x2005, 0xB0): (NUMBERS, "gradient direction, right-left"),
    ("Philips MR Imaging DD 001", 0x2005, 0xB1): (NUMBERS, "gradient direction, anterior-posterior"),
    ("Philips MR Imaging DD 001", 0x2005, 0xB2): (NUMBERS, "gradient direction, foot-head"),
    ("Philips MR Imaging DD 001", 0x2005, 0x0D): (NUMBERS, "scale intercept"),
    ("Philips MR Imaging DD 001", 0x2005, 0x0E): (NUMBERS, "scale slope"),
}
"""Private creator, group and element: value representations that may stay, and what it holds (``unverified``)."""


def safe_private_tags(dataset: Any) -> set[int]:
    """Return the tags of private attributes of one dataset that may stay, with their creators.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Not changed; sequences are not looked into.

    Examples
    --------
    >>> from pydicom.dataset import Dataset
    >>> ds = Dataset()
    >>> block = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    >>> block.add_new(0x0C, "IS", "1000"); block.add_new(0x18, "LO", "a word")
    >>> [f"{tag:08X}" for tag in sorted(safe_private_tags(ds))]
    ['00190010', '0019100C']
    """
    stay: set[int] = set()
    for tag in dataset:
        if not tag.tag.is_private_creator:
            continue
        creator, group, block = str(tag.value).strip(), tag.tag.group, tag.tag.element
        for (name, its_group, element), (vrs, _) in SAFE.items():
            at = (group << 16) + (block << 8) + element
            if (name, its_group) == (creator, group) and at in dataset and dataset[at].VR in vrs:
                stay |= {at, int(tag.tag)}
    return stay
