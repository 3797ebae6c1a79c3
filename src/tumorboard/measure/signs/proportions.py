"""How much of the tumour enhances, does not, is necrotic, is oedema, or was removed: F4 to F7, F14, F26 to F28.

Why it exists: the classes are of volumes, so the outlines answer them, with two limits that are told. A label map holds
necrosis and non-enhancing core as one class; and what is called oedema holds infiltration too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from tumorboard.errors import InputError
from tumorboard.labels import Tissue
from tumorboard.measure.signs.case import Answer, Case, Mask, Reading
from tumorboard.measure.signs.features import FEATURES, share_word
from tumorboard.measurement import Source

_OF_WHOLE = "by volume, of NETC, SNFH and ET"
RESECTED = {26: "ET", 27: "nCET", 28: "SNFH"}
"""What the extent of resection of a feature is given under."""


def enhancement_quality(case: Case) -> Reading:
    """F4: only its absence is told."""
    if case.counts[Tissue.ET]:
        return FEATURES[3].reader
    return Answer("none", "Nothing is outlined as enhancing.", case.source(case.data > 0, Tissue.ET))


def proportion_enhancing(case: Case) -> Reading:
    """F5."""
    return _share(case, 5, case.mask(Tissue.ET), f"Enhancing tumour, {_OF_WHOLE}", Tissue.ET)


def proportion_oedema(case: Case) -> Reading:
    """F14."""
    told = f"SNFH, {_OF_WHOLE}; it holds infiltrating tumour too, which outlines do not tell from oedema"
    return _share(case, 14, case.mask(Tissue.SNFH), told, Tissue.SNFH, proxy=True)


def proportion_ncet(case: Case) -> Reading:
    """F6: what of the core neither enhances nor is necrotic."""
    core, necrosis = case.mask(Tissue.NETC), necrosis_of(case)
    if necrosis is None:
        return _range(case)
    told = f"NETC without necrosis, {_OF_WHOLE}; infiltrating tumour in SNFH is not counted"
    return _share(case, 6, core & ~necrosis, told, Tissue.NETC, proxy=True)


def proportion_necrosis(case: Case) -> Reading:
    """F7."""
    necrosis = necrosis_of(case)
    if necrosis is None:
        return _range(case)
    told = f"Necrosis as outlined apart, {_OF_WHOLE}"
    if case.necrosis is None:
        told = "None without a core that could be it, and where nothing enhances, as the lexicon's template sets it"
    return _share(case, 7, necrosis, told, Tissue.NETC)


def necrosis_of(case: Case) -> Mask | None:
    """Return where necrosis is, in the box; None where it cannot be told from other core.

    Without an outline of its own it is known to be absent where there is no such core, and where nothing enhances.
    """
    core = case.mask(Tissue.NETC)
    if case.necrosis is not None:
        return core & case.necrosis
    known_none = not core.any() or case.counts[Tissue.ET] == 0
    return core & False if known_none else None


def resected(case: Case, given: Mapping[str, float]) -> dict[int, Reading]:
    """Return F26 to F28 from extents of resection in percent, by region (``ET``, ``nCET``, ``SNFH``).

    Raises
    ------
    InputError
        An extent that is above 100 % or no number, or a region that is none of the three.
    """
    unknown = sorted(set(given) - set(RESECTED.values()))
    wrong = [name for name, percent in given.items() if not math.isfinite(percent) or percent > 100.0]
    if unknown or wrong:
        told, got = "extents of resection up to 100 % of ET, nCET and SNFH", ", ".join(unknown or wrong)
        raise InputError(told, got=got, where="extent of resection", remedy="give percent of the volume before surgery")
    out: dict[int, Reading] = {}
    for number, region in RESECTED.items():
        if region in given:
            out[number] = _resected(case, number, given[region])
        else:
            out[number] = FEATURES[number - 1].reader
    return out


def _resected(case: Case, number: int, percent: float) -> Answer:
    word = share_word(percent)
    told = f"Extent of resection as given, of the volume before surgery{_tail(number, percent, word)}"
    return Answer(word, told, Source(file=case.files.labels))


def _share(case: Case, number: int, mask: Mask, told: str, tissue: Tissue, proxy: bool = False) -> Answer:
    percent = case.percent(mask.sum())
    word = share_word(percent)
    tail = _tail(number, percent, word)
    return Answer(word, told + tail, case.source(mask, tissue), "proxy" if proxy else "measured")


def _tail(number: int, percent: float, word: str) -> str:
    return f"; here {percent:.1f} %, code {FEATURES[number - 1].code_of(word)}."


def _range(case: Case) -> str:
    percent = case.percent(case.counts[Tissue.NETC])
    return (
        "necrosis and non-enhancing tumour are one label, and no outline of necrosis was given: "
        f"each is between 0 and {percent:.1f} % of the tumour"
    )
