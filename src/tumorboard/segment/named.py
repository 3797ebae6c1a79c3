"""From what a user writes after ``--segmenter`` to a method that is ready.

Why it exists: an enrolled method, a bundle, a model folder of nnU-Net v2 or MONAI, and several of them together are
called in the same way: ``glioma``, ``models/ours``, ``glioma+fuzzy``, ``staple:glioma+models/ours+models/theirs``.
What kind of folder it is follows from the files in it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tumorboard.errors import InputError
from tumorboard.segment import SEGMENTERS
from tumorboard.segment.base import Segmenter
from tumorboard.segment.fuse import FUSERS
from tumorboard.segment.fused import FusedSegmenter


@lru_cache(maxsize=4)
def segmenter_of(text: str) -> Segmenter:
    """Return a method, loaded; the same text gives the same warm object.

    Parameters
    ----------
    text : str
        See the module.

    Returns
    -------
    Segmenter

    Raises
    ------
    InputError
        Neither an enrolled method nor a folder with a model.

    Examples
    --------
    >>> segmenter_of("fuzzy").card.id, segmenter_of("fuzzy") is segmenter_of("fuzzy")
    ('fuzzy', True)
    """
    how, members = _split(text)
    if len(members) == 1:
        return _one(members[0])
    from tumorboard.segment.joint import joint_of

    ready = [segmenter_of(member) for member in members]
    return FusedSegmenter(ready, how, joint_of(how, [s.card for s in ready]))


def _split(text: str) -> tuple[str, list[str]]:
    how, colon, rest = text.partition(":")
    if colon and how in FUSERS:
        return how, rest.split("+")
    return next(iter(FUSERS)), text.split("+")


def _one(name: str) -> Segmenter:
    folder = Path(name)
    if name in set(SEGMENTERS) or not folder.is_dir():
        return SEGMENTERS.make(name)
    if (folder / "model.safetensors").is_file():
        from tumorboard.networks.bundle import read_bundle
        from tumorboard.segment.learned import LearnedSegmenter

        return LearnedSegmenter(read_bundle(folder))
    from tumorboard.segment.foreign import MonaiBundleSegmenter, NnUnetSegmenter

    if (folder / "plans.json").is_file():
        return NnUnetSegmenter(folder)
    if (folder / "configs" / "metadata.json").is_file():
        return MonaiBundleSegmenter(folder)
    raise InputError(
        "a folder with a network bundle, an nnU-Net v2 model (plans.json) or a MONAI bundle (configs/metadata.json)",
        got="a folder with none of them",
        where="--segmenter",
        remedy=f"give one of these, or a method: {', '.join(SEGMENTERS)}",
    )
