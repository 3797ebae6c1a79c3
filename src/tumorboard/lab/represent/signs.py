"""Signs that radiologists read: VASARI as far as outlines tell it, and the T2-FLAIR mismatch.

Why it exists: intuitive signs belong beside learned ones. What is left to a reader stays missing here too.

Source: Gutman DA et al., Radiology 2013;267:560-569 (D27); Patel SH et al., Clin Cancer Res 2017;23:6078-6085 (D28).
"""

from __future__ import annotations

from dataclasses import replace

from tumorboard.lab.represent.base import Job
from tumorboard.lab.represent.cache import Made
from tumorboard.lab.represent.rows import ImageSettings, OfImages
from tumorboard.lab.scene import Scene
from tumorboard.measure.signs.features import FEATURES
from tumorboard.measurement import Measurement

ORDERED = frozenset({5, 6, 7, 11, 14})
"""Features of the lexicon whose values are classes of more and more; their place in that order is the number."""


class SignsSet(ImageSettings):
    """Settings of :class:`Signs`.

    Parameters
    ----------
    vasari, mismatch : bool
        Which are read.
    """

    vasari: bool = True
    mismatch: bool = True


class Signs(OfImages[SignsSet]):
    """VASARI features and the T2-FLAIR mismatch as numbers: ``vasari_F05_proportion_enhancing``."""

    name = "signs"
    title = "VASARI features and the T2-FLAIR mismatch sign"
    source = "Gutman DA et al., Radiology 2013;267:560-569; Patel SH et al., Clin Cancer Res 2017;23:6078-6085"
    settings = SignsSet
    needs = ()

    def one(self, scene: Scene, job: Job[SignsSet]) -> Made:
        """Return the signs of one unit's study."""
        from tumorboard.measure.signs.mismatch import t2_flair_mismatch
        from tumorboard.measure.signs.vasari import vasari
        from tumorboard.measure.sources import Files
        from tumorboard.measure.study import Segmented

        missing = {} if "T1C" in scene.study.volumes else dict.fromkeys(("ET", "NETC"), "no T1C")
        outlined, files = Segmented(scene.labels, not_assessable=missing), Files()
        study = replace(scene.study, frame=scene.frame)
        found: list[Measurement] = []
        if job.settings.vasari:
            found += vasari(study, outlined, files, scene.loaded.necrosis)
        if job.settings.mismatch:
            found += t2_flair_mismatch(study, outlined, files)
        out: dict[str, float] = {}
        for measured in found:
            made = numbers(measured)
            out |= made
            if not made and measured.name not in _FOR_READERS:
                scene.gaps[measured.name] = measured.reason or "a word that has no number"
        return Made(out)


def numbers(measured: Measurement) -> dict[str, float]:
    """Return a sign as numbers: a length, the place in an order, or one column for each word.

    Examples
    --------
    >>> from tumorboard.measurement import Source
    >>> about = {"region": "WT", "unit": "1", "method": "by eye", "source": Source(file="dseg.nii.gz", voxels=1)}
    >>> numbers(Measurement(name="vasari_F05_proportion_enhancing", value="34-67 %", **about))
    {'vasari_F05_proportion_enhancing': 3.0}
    >>> numbers(Measurement(name="vasari_F02_side", value="left", **about))
    {'vasari_F02_side=right': 0.0, 'vasari_F02_side=centre': 0.0, 'vasari_F02_side=left': 1.0}
    """
    value = measured.value
    if value is None:
        return {}
    if not isinstance(value, str):
        return {measured.name: float(value)}
    words = _WORDS.get(measured.name, ())
    if value not in words:
        return {measured.name: float(value == "yes")} if value in ("yes", "no") else {}
    if measured.name in _ORDERED:
        return {measured.name: float(words.index(value))}
    return {f"{measured.name}={w}": float(w == value) for w in words}


_WORDS = {f.name: tuple(w for w, _ in f.values) for f in FEATURES if f.values}
_ORDERED = frozenset(f.name for f in FEATURES if f.number in ORDERED)
_FOR_READERS = frozenset(f.name for f in FEATURES if not f.answers and f.unit != "mm")
