"""How the T2/FLAIR abnormality changed by its volume, where no reader says it.

Why it exists: RANO-HGG needs to know whether T2/FLAIR is stable and gives no number for it. A volume that stands in
for a reader must be seen to do so: it is a ``proxy`` wherever it goes. It cannot tell tumour from oedema, gliosis after
radiotherapy or ischaemia, which a reader must rule out before T2/FLAIR alone is progression.

Source: thresholds of RANO 2.0 for volumes of tumour that does not enhance (Wen 2023, read in secondary sources), here
for all of the abnormality (WT); that use is unverified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tumorboard.measurement import Measurement
from tumorboard.respond.case.session import Session
from tumorboard.respond.visits import REFERENCES, Compartment, Kind, Trend


@dataclass(frozen=True)
class FlairRules:
    """When a volume of T2/FLAIR abnormality is worse or better.

    Parameters
    ----------
    version, source : str
        Of these numbers.
    rise : float
        Part by which it grew at least over the smallest since the reference study, when worse.
    fall : float
        Part of the reference's by which it shrank at least, when better.
    unverified : tuple of str
        Settings that no source gives for this use.
    """

    version: str = "2025-1"
    source: str = "RANO 2.0 (Wen 2023), volumes of tumour that does not enhance"
    rise: float = 0.40
    fall: float = 0.65
    unverified: tuple[str, ...] = ("rise", "fall")


FLAIR_RULES = FlairRules()

_NAME = ("t2flair_change", "WT", "%")


@dataclass(frozen=True)
class FlairChange:
    """One study's change: a trend, and the number behind it or why there is none."""

    trend: Trend | None
    measured: Measurement


def flair_trend(volume_ml: float, smallest_ml: float, reference_ml: float, rules: FlairRules = FLAIR_RULES) -> Trend:
    """Return whether a volume is worse, better or stable; at a threshold it counts.

    Parameters
    ----------
    volume_ml, smallest_ml, reference_ml : float
        Now, the smallest since the reference study, and there; mL, the latter two above 0.
    rules : FlairRules
        Thresholds.

    Examples
    --------
    >>> [flair_trend(v, 40.0, 100.0).value for v in (56.0, 55.0, 35.0)]
    ['worse', 'stable', 'better']
    """
    close = 1e-9
    if volume_ml >= (1.0 + rules.rise) * smallest_ml * (1.0 - close):
        return Trend.WORSE
    return Trend.BETTER if volume_ml <= (1.0 - rules.fall) * reference_ml * (1.0 + close) else Trend.STABLE


def flair_changes(
    sessions: Sequence[Session], kinds: Sequence[Kind], rules: FlairRules = FLAIR_RULES
) -> tuple[FlairChange, ...]:
    """Compare the volume of every study with those since its reference study.

    Parameters
    ----------
    sessions : sequence of Session
        In order of date.
    kinds : sequence of Kind
        What each of them is.
    rules : FlairRules
        Thresholds.

    Returns
    -------
    tuple of FlairChange
        A reference study has none; nor has a study that was outlined in another way than its reference.
    """
    out = []
    for n, (session, kind) in enumerate(zip(sessions, kinds, strict=True)):
        start = next((m for m in reversed(range(n)) if kinds[m] in REFERENCES), None)
        if kind in REFERENCES or start is None:
            out.append(_none("a reference study, which is compared with none"))
        else:
            out.append(_change(session, sessions[start:n], rules))
    return tuple(out)


def _change(session: Session, before: Sequence[Session], rules: FlairRules) -> FlairChange:
    seen = [s for s in before if s.evaluated(Compartment.NCE) and s.listed.segmenter == before[0].listed.segmenter]
    if before[0] not in seen or not session.evaluated(Compartment.NCE):
        return _none("T2/FLAIR abnormality could not be looked for in this study or its reference")
    if session.listed.segmenter != before[0].listed.segmenter:
        return _none("outlined in another way than the reference study")
    volumes = [s.volume("WT") or 0.0 for s in seen]
    if min(volumes) <= 0:
        return _none("there was no T2/FLAIR abnormality to compare with")
    now = session.listed.get("volume", "WT")
    volume = session.volume("WT") or 0.0
    return FlairChange(
        flair_trend(volume, min(volumes), volumes[0], rules),
        Measurement(
            name=_NAME[0],
            region=_NAME[1],
            unit=_NAME[2],
            value=100.0 * (volume / min(volumes) - 1.0),
            method=(
                "Volume of the T2/FLAIR abnormality against the smallest since the reference study; stands in for a "
                f"reader's word. Worse from +{100 * rules.rise:g} %, better from -{100 * rules.fall:g} % of the "
                f"reference ({rules.source}; unverified for this use)."
            ),
            source=now.source,
            quality="proxy",
        ),
    )


def _none(reason: str) -> FlairChange:
    return FlairChange(None, Measurement.missing(*_NAME, reason))
