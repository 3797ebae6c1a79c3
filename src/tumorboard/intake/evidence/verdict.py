"""Which sequence a DICOM series is, from what its header says, with every sign that led there.

Why it exists: the wrong sequence in the wrong place is a wrong tumour. Physics (TR, TE, TI, flip angle) and
words (descriptions in several languages) are weighed by one table (:mod:`.row`); where two
answers come close, the series is left unsure and both are named. Siblings in a study tell when the contrast
agent went in. No free text of a header is ever repeated.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass, replace

from tumorboard.intake.evidence.contrast import CONTRAST
from tumorboard.intake.evidence.facts import Around, Facts
from tumorboard.intake.evidence.objects import IMAGE_TYPES, OBJECTS
from tumorboard.intake.evidence.physics import PHYSICS, PULSES
from tumorboard.intake.evidence.row import CANDIDATES, Row
from tumorboard.intake.evidence.words import WORDS
from tumorboard.sequences import Sequence
from tumorboard.series import SeriesTags

TABLE = (*PHYSICS, *PULSES, *IMAGE_TYPES, *OBJECTS, *WORDS)
"""Every row on what a series is; their weights add up. T1 stands here for T1C too."""

MARGIN = 2.0
"""By how much the best candidate must exceed the second (natural log-odds); chosen."""

ENOUGH = 2.5
"""What the best candidate must reach; chosen. Less is hardly any evidence at all."""

CONTRARY = 2.5
"""Weight from which a sign against the verdict is told with it; chosen."""

UNSURE = "unsure"
"""Kind of a series that was not decided."""

TOLD = 3
"""Signs told with a verdict; chosen."""

LEAST_SERIES = 3
"""Series from which an agent that stands everywhere is seen as such; chosen."""

ALIKE = 0.03
"""Relative difference within which two parameters are the same; chosen (vendors round)."""

_MATCHED = ("tr_ms", "te_ms", "ti_ms", "flip_deg", "echo_train", "thickness_mm")
_SEQUENCES = frozenset(s.value for s in Sequence)
_T1S = (Sequence.T1.value, Sequence.T1C.value)
_BOLUS = frozenset({"DSC", "DCE"})
_AGENT_IS_IN = _BOLUS | {"T1C"}

Weighed = tuple[tuple[Row, tuple[tuple[str, float], ...]], ...]
_TABLE: Weighed = tuple((row, tuple(row.weights.items())) for row in TABLE)
_CONTRAST: Weighed = tuple((row, tuple(row.weights.items())) for row in CONTRAST)


@dataclass(frozen=True)
class Evidence:
    """One sign that was seen.

    Parameters
    ----------
    looked_at : str
        Which part of the header.
    weights : tuple of (str, float)
        What it speaks for (positive) and against (negative), in log-odds.
    reason : str
        In words, with numbers and units; never free text of the header.
    """

    looked_at: str
    weights: tuple[tuple[str, float], ...]
    reason: str

    def weight(self, candidate: str) -> float:
        """Return its weight for one candidate; 0 when it does not speak of it."""
        return dict(self.weights).get(candidate, 0.0)


@dataclass(frozen=True)
class SeriesVerdict:
    """What a series is, whether that is sure, and why.

    Parameters
    ----------
    sequence : Sequence or None
        None when it is not one, or not sure.
    kind : str
        The sequence's name, a kind that is none (:data:`.row.KINDS`), or ``unsure``.
    sure : bool
        Whether the best candidate exceeds the second by :data:`MARGIN`.
    reason : str
        One sentence for the printed table; it identifies nobody.
    evidence : tuple of Evidence
        Every sign that was seen.
    """

    sequence: Sequence | None
    kind: str
    sure: bool
    reason: str
    evidence: tuple[Evidence, ...] = ()


def recognise_series(tags: SeriesTags) -> SeriesVerdict:
    """Say what one series is, from its own header alone.

    Parameters
    ----------
    tags : SeriesTags
        What the header says.

    Returns
    -------
    SeriesVerdict
        See :func:`recognise_study`, which knows more about contrast agents.

    Examples
    --------
    >>> t1 = SeriesTags(modality="MR", description="AX T1 FLAIR", tr_ms=2000, te_ms=9, ti_ms=860)
    >>> recognise_series(t1).sequence
    <Sequence.T1: 'T1'>
    >>> recognise_series(t1).reason
    'TI 860 ms at TR 2000 ms and TE 9 ms: inversion-prepared T1, whatever it is called; ...; no sign of ...'
    """
    facts = Facts(tags)
    return _with_contrast(_weighting(facts), facts)


def recognise_study(study: Many[SeriesTags]) -> list[SeriesVerdict]:
    """Say what each series of one study is; siblings tell when the contrast agent went in.

    Parameters
    ----------
    study : sequence of SeriesTags
        All series of one study, in any order.

    Returns
    -------
    list of SeriesVerdict
        In the order given. A T1 without any sign of its own is taken for T1C when it was acquired after the
        injection, or after a series that shows the agent.

    Examples
    --------
    >>> native = SeriesTags(modality="MR", description="3D", tr_ms=2000, te_ms=3, ti_ms=900, acquired_s=36000)
    >>> later = SeriesTags(modality="MR", description="3D", tr_ms=2000, te_ms=3, ti_ms=900, acquired_s=37500)
    >>> dsc = SeriesTags(modality="MR", description="DSC perfusion", acquired_s=37000, temporal_positions=60)
    >>> [v.kind for v in recognise_study([native, dsc, later])]
    ['T1', 'DSC', 'T1C']
    """
    everywhere = Around(agent_everywhere=_agent_everywhere(study))
    found = [_weighting(Facts(tags, everywhere)) for tags in study]
    alone = [_with_contrast(v, Facts(tags, everywhere)) for tags, v in zip(study, found, strict=True)]
    shared = _around(study, alone, everywhere)
    t1s = [tags for tags, v in zip(study, found, strict=True) if v.kind == Sequence.T1]
    bolus = [tags for tags, v in zip(study, found, strict=True) if v.kind in _BOLUS]
    around = [_with_siblings(tags, t1s, bolus, shared) for tags in study]
    return [_with_contrast(v, Facts(tags, a)) for tags, v, a in zip(study, found, around, strict=True)]


def _agent_everywhere(study: Many[SeriesTags]) -> bool:
    """Whether the agent stands in the first of several series already, and no time says when it went in."""
    timed = sorted((t.acquired_s, n) for n, t in enumerate(study) if t.acquired_s is not None and t.modality == "MR")
    if len(timed) < LEAST_SERIES or any(t.contrast_start_s is not None for t in study):
        return False
    return Facts(study[timed[0][1]]).agent


def _around(study: Many[SeriesTags], alone: Many[SeriesVerdict], everywhere: Around) -> Around:
    """Add when the agent was in, by a start time or by the first series that shows it."""
    starts = [t.contrast_start_s for t in study if Facts(t).agent and t.contrast_start_s is not None]
    if starts:
        return replace(everywhere, injected_s=min(starts), by_start_time=True, contrast_seen=True)
    showing = [t for t, v in zip(study, alone, strict=True) if v.kind in _AGENT_IS_IN]
    first = min((t.acquired_s for t in showing if t.acquired_s is not None), default=None)
    return replace(everywhere, injected_s=first, contrast_seen=bool(showing))


def _with_siblings(tags: SeriesTags, t1s: Many[SeriesTags], bolus: Many[SeriesTags], shared: Around) -> Around:
    """Add which T1 and which perfusion series were acquired before and after this series."""
    before = [t for t in t1s if _earlier(t, tags)]
    return replace(
        shared,
        t1_before=bool(before),
        alike_before=any(_alike(t, tags) for t in before),
        alike_after=any(_earlier(tags, t) and _alike(t, tags) for t in t1s),
        before_bolus=bool(bolus) and all(_earlier(tags, t) for t in bolus),
    )


def _earlier(a: SeriesTags, b: SeriesTags) -> bool:
    return a.acquired_s is not None and b.acquired_s is not None and a.acquired_s < b.acquired_s


def _alike(a: SeriesTags, b: SeriesTags) -> bool:
    """Whether two were acquired with the same parameters, as far as either tells."""
    pairs = [(getattr(a, name), getattr(b, name)) for name in _MATCHED]
    both = [(x, y) for x, y in pairs if x is not None and y is not None]
    return len(both) > 1 and all(abs(x - y) <= ALIKE * max(x, y) for x, y in both)


def _seen(facts: Facts, table: Weighed) -> tuple[Evidence, ...]:
    """Return the rows that apply."""
    return tuple(Evidence(row.looked_at, weights, facts.shown(row.reason)) for row, weights in table if row.ask(facts))


def _weighting(facts: Facts) -> SeriesVerdict:
    """Say what it is, whatever the contrast agent."""
    return _decide(_seen(facts, _TABLE), CANDIDATES)


def _with_contrast(found: SeriesVerdict, facts: Facts) -> SeriesVerdict:
    """Say of a T1 whether it was acquired after contrast agent; anything else is returned as it is."""
    if found.kind != Sequence.T1:
        return found
    contrast = _seen(facts, _CONTRAST)
    which = _decide(contrast, _T1S)
    reason = f"{found.reason}; {which.reason}" if which.sure else f"a T1 ({found.reason}); {which.reason}"
    return replace(which, reason=reason, evidence=(*found.evidence, *contrast))


def _decide(seen: tuple[Evidence, ...], candidates: tuple[str, ...]) -> SeriesVerdict:
    """Add up, and decide only where the best is clear of the second."""
    scores = {c: sum(e.weight(c) for e in seen) for c in candidates}
    best, second, *_ = sorted(scores, key=lambda c: -scores[c])
    if scores[best] < ENOUGH:
        return SeriesVerdict(None, UNSURE, False, "too little in its header tells what it is", seen)
    if scores[best] - scores[second] < MARGIN:
        told = f"{best} or {second}? For {best}: {_reasons(seen, best)}. For {second}: {_reasons(seen, second)}"
        return SeriesVerdict(None, UNSURE, False, told, seen)
    reason = _reasons(seen, best)
    against = min(seen, key=lambda e: e.weight(best))
    if against.weight(best) <= -CONTRARY:
        reason += f"; although {against.reason}"
    return SeriesVerdict(Sequence(best) if best in _SEQUENCES else None, best, True, reason, seen)


def _reasons(seen: tuple[Evidence, ...], candidate: str) -> str:
    """Return the strongest signs for a candidate in words."""
    signs = sorted((e for e in seen if e.weight(candidate) > 0), key=lambda e: -e.weight(candidate))
    return "; ".join(dict.fromkeys(e.reason for e in signs[:TOLD])) or "nothing against it"
