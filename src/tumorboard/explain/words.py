"""The clinician's form: which pathological change, how important, and where.

Why it exists: "T1C.ET.original.cm_contrast_3D_comb = 31.2" is no reason that can be discussed at a board. A sentence
names the change, its place, its size among other patients, and what it does to the answer.

Column names are read as the laboratory writes them: ``sequence.region.filter.feature``, ``shape.region.…``, ``sex=F``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence as Many

from tumorboard.errors import InputError
from tumorboard.explain.explanation import Driver, Drivers, Scope
from tumorboard.sequences import Sequence

PLACES = {
    "ET": "the enhancing tumour",
    "NETC": "the necrotic and non-enhancing core",
    "TC": "the tumour core",
    "WT": "the whole tumour",
    "SNFH": "the oedema",
    "RC": "the resection cavity",
    "ring": "the rim around the tumour",
    "brain": "the brain",
    "healthy": "the healthy brain",
    "lesion": "the lesion",
    "biopsy": "the biopsy site",
    "box": "the box around the tumour",
}
"""Regions in words."""

CHANGES = {
    "volume": "size",
    "surface": "surface",
    "spher": "roundness",
    "compact": "roundness",
    "asphericity": "irregular shape",
    "elongation": "elongation",
    "flatness": "flatness",
    "diam": "diameter",
    "entr": "disorder of the texture",
    "contrast": "contrast of the texture",
    "energy": "uniformity of the texture",
    "corr": "regularity of the texture",
    "homogen": "evenness of the texture",
    "skew": "lopsided intensities",
    "kurt": "peaked intensities",
    "_p10": "lowest intensities",
    "_p90": "highest intensities",
    "median": "typical intensity",
    "mean": "mean intensity",
    "var": "spread of intensities",
    "busy": "busyness of the texture",
    "coarse": "coarseness of the texture",
}
"""Words for parts of a feature's name; the first that fits is taken."""

TEXTURE = ("cm_", "rlm_", "szm_", "dzm_", "ngt_", "ngl_")
"""Prefixes of families of texture in the standard."""


def place_of(region: str) -> str:
    """Return a region in words; unknown names as they are.

    Examples
    --------
    >>> place_of("ET"), place_of("ring_5-10mm")
    ('the enhancing tumour', 'the rim around the tumour (5-10mm)')
    """
    name, _, numbers = region.partition("_")
    words = PLACES.get(name, name)
    return f"{words} ({numbers})" if numbers else words


def column_words(column: str) -> str:
    """Return a column in words: change, place, sequence, with the name behind where words lose something.

    Examples
    --------
    >>> column_words("T1C.ET.original.cm_contrast_3D_comb")
    'contrast of the texture in the enhancing tumour on T1C'
    >>> column_words("sex=F"), column_words("age"), column_words("shape.WT.original.morph_volume")
    ('sex: F', 'age', 'size of the whole tumour')
    """
    parts = column.split(".")
    if len(parts) < 3:
        return re.sub(r"^(\w+)=(.+)$", r"\1: \2", column).replace("_", " ")
    first, region, feature = parts[0], parts[1], parts[-1]
    change = _change(feature)
    if first == "shape":
        return f"{change} of {place_of(region)}"
    filtered = "" if parts[2] in ("original", feature) else f" after {parts[2]}"
    on = f" on {first}" if first in {s.value for s in Sequence} else ""
    return f"{change} in {place_of(region)}{on}{filtered}"


def _change(feature: str) -> str:
    for part, words in CHANGES.items():
        if part in feature:
            kind = words.removesuffix(" of the texture")
            return words if kind != words or not feature.startswith(TEXTURE) else f"{words} of the texture"
    return feature.replace("_", " ")


def drivers_sentence(found: Drivers, count: int = 3) -> str:
    """Return the strongest drivers as a sentence.

    Parameters
    ----------
    found : Drivers
        Local ones tell a direction, global ones only importance.
    count : int
        How many are named.

    Raises
    ------
    InputError
        The count is not above 0.

    Examples
    --------
    >>> from tumorboard.explain.explanation import About
    >>> from tumorboard.metrics.estimate import Estimate
    >>> one = Driver(("age",), Estimate(0.8, 0.5, 1.1, 40), value=61.0, percentile=92.0)
    >>> drivers_sentence(Drivers(method="shap", cites="", about=About("IDH wild type", case="P1"),
    ...     scope=Scope.LOCAL, unit="log-odds", drivers=(one,)))
    'IDH wild type is made more likely by age (61, above 92 % of the comparison; +0.8 log-odds, 100 % of all drivers).'
    """
    if count < 1:
        raise InputError("at least one driver to name", got=str(count), where="sentence")
    known = [d for d in found.drivers if d.effect.known and d.effect.value != 0]
    end = f"{found.about.ending}."
    if not known:
        return f"No column says anything about {found.about.outcome}{end}"
    total = sum(abs(d.effect.value) for d in known)
    if found.scope is Scope.GLOBAL:
        known = [d for d in known if d.effect.value > 0]  # a score that rises without a column is chance
        if not known:
            return f"No column says anything about {found.about.outcome}{end}"
        named = [f"{column_words(d.names[0])}{_beside(d)} ({_shown(d.effect.value)})" for d in known[:count]]
        return f"Most important for {found.about.outcome}, in {found.unit}: {_listed(named)}{end}"
    ways = []
    more, less = ("higher", "lower") if found.about.quantity else ("more likely", "less likely")
    for sign, way in ((1.0, more), (-1.0, less)):
        those = [_local(d, total, found.unit) for d in known[:count] if d.effect.value * sign > 0]
        ways += [f"{way} by {_listed(those)}"] if those else []
    return f"{found.about.outcome} is made {'; '.join(ways)}{end}"


def _local(driver: Driver, total: float, unit: str) -> str:
    told = [] if math.isnan(driver.value) else [_shown(driver.value)]
    if not math.isnan(driver.percentile):
        told.append(f"above {driver.percentile:.0f} % of the comparison")
    share = 100 * abs(driver.effect.value) / total
    effect = f"{driver.effect.value:+.2g} {unit}, {share:.0f} % of all drivers"
    return f"{column_words(driver.names[0])}{_beside(driver)} ({'; '.join(t for t in (', '.join(told), effect) if t)})"


def _beside(driver: Driver) -> str:
    more = len(driver.names) - 1
    return f" with {more} that go{'es' if more == 1 else ''} with it" if more else ""


def _listed(words: Many[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _shown(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
