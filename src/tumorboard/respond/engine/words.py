"""A verdict as a sentence: what was compared with what, which rule fired, what would change it.

Why it exists: nobody believes three letters. Every number in a sentence is one that the engine used.
"""

from __future__ import annotations

from collections.abc import Mapping

from tumorboard.respond.criterion import NAMES, UNITS, Criterion, Measure
from tumorboard.respond.engine.findings import Finding
from tumorboard.respond.engine.raw import Raw
from tumorboard.respond.engine.settle import Settled
from tumorboard.verdict import Category, Confirmed

RULES: dict[str, str] = {
    "bl": "reference study",
    "ne.before": "before any reference study",
    "ne.images": "the images cannot be read",
    "ne.unknown": "a target has no size at this visit or at the reference study",
    "ne.not_measured": "nothing of what the criterion sums was measured",
    "ne.zero_nadir": "something is there again that is not measurable, and a nadir of zero has no ratio",
    "ne.dose": "steroids are above the dose of the reference study and nothing has progressed",
    "ne.t2flair": "T2/FLAIR is worse on a lower dose of steroids",
    "sd.dose_reduced": "worse, but steroids were reduced",
    "cr.gone": "nothing is left",
    "cru.eye": "nothing is left; a minor finding of the eye",
    "cru.steroids": "nothing is left, on steroids",
    "cru.minimal": "no more than a minimal residue is left",
    "pr.sum": "the sum has fallen enough",
    "pr.steroids": "nothing is left, but on steroids",
    "pr.eye_csf": "nothing is left in the brain; eye or fluid are not yet clear",
    "mr.sum": "the sum has fallen by a minor part",
    "sd.sum": "neither fallen nor risen enough",
    "sd.unmeasured": "nothing was measurable at the reference study and nothing is now",
    "sd.eye_csf": "eye or fluid stand against a response",
    "pd.sum": "the sum has risen enough above the nadir",
    "pd.again": "measurable tumour where there was none",
    "pd.new_lesion": "a new lesion",
    "pd.nontarget": "unequivocal growth of what is not a target",
    "pd.watched": "new or growing enhancement",
    "pd.t2flair": "T2/FLAIR is worse on steroids that were not reduced",
    "pd.clinical": "the patient is clinically worse",
    "pd.eye": "new or recurrent disease of the eye",
    "pd.csf": "recurrent or positive cytology",
}
"""What each rule says, in words."""

PSEUDORESPONSE = (
    "On an anti-angiogenic drug less enhancement need not be less tumour (pseudoresponse): look at FLAIR, which is {}."
)

_NOTED_FLAGS: dict[str, tuple[str, ...]] = {
    "pd.": ("product.pd_rise", "longest.pd_rise", "longest.pd_least_lesion", "product", "volume", "windows"),
    "mr.": ("product.mr_fall", "volume.mr_fall"),
    "pr.": ("product", "volume", "confirm_response_days"),
    "cr.": ("confirm_response_days",),
}


_OTHERS = {m: tuple(other.value for other in Measure if other is not m) for m in Measure}
"""Thresholds that have no say: those of other measures."""


def sentence(
    raw: Raw, settled: Settled, criterion: Criterion, chances: Mapping[Category, float], needs_facts: bool = True
) -> str:
    """Return the reason of a verdict.

    Parameters
    ----------
    raw : Raw
        The visit.
    settled : Settled
        After windows and confirmation.
    criterion : Criterion
        Its thresholds.
    chances : mapping of Category to float
        Of the raw categories.
    needs_facts : bool
        Whether missing facts make the visit not evaluable.
    """
    fired = "; ".join(RULES[t] for t in raw.triggers) if raw.category is Category.PD else RULES[raw.rule]
    said = [f"{raw.category.value}: {fired}."]
    said += [_compared(f, criterion) for f in raw.findings]
    if raw.category is Category.BL and raw.finding is not None and raw.finding.total is not None:
        name, unit = NAMES[criterion.measure].capitalize(), UNITS[criterion.measure]
        said.append(f"{name} {number(raw.finding.total, criterion.measure)} {unit}.")
    said += raw.noted
    if raw.missing and needs_facts:
        said.append(f"Not told: {', '.join(raw.missing)}; from the images alone {raw.images.value}, overall NE.")
    elif settled.note:
        said.append(settled.note)
    if raw.antiangiogenic and raw.images in (Category.CR, Category.PR, Category.MR):
        trend = raw.visit.t2flair
        said.append(PSEUDORESPONSE.format(trend.value if trend is not None else "not told"))
    if chances and max(chances.values()) < 0.995:
        told = ", ".join(f"{c.value} {p:.2f}" for c, p in chances.items() if p >= 0.005)
        said.append(f"Under the errors of measurement: {told}.")
    flagged = _unverified(raw, settled, criterion)
    if flagged:
        said.append(f"Unverified in {criterion.title}: {', '.join(flagged)}.")
    return " ".join(part for part in said if part)


def _compared(finding: Finding, criterion: Criterion) -> str:
    """Return the numbers of one compartment, and the sums at which the category would change."""
    measure, limits = criterion.measure, criterion.thresholds
    unit = UNITS[measure]
    name = NAMES[measure].capitalize()
    if finding.total is None:
        return f"{name} unknown."
    total = number(finding.total, measure)
    if not finding.baseline:
        return f"{name} {total} {unit}; none at the reference study."
    parts = [
        f"{name} {total} {unit}, {_change(finding.total, finding.baseline)} against {number(finding.baseline, measure)}"
    ]
    parts.append(f" at the baseline and {_change(finding.total, finding.nadir)} against the nadir")
    parts.append(f" {number(finding.nadir, measure)} of {finding.nadir_date}.")
    rise = max((1 + limits.pd_rise) * finding.nadir, finding.nadir + limits.pd_least)
    fall = number((1 - limits.pr_fall) * finding.baseline, measure)
    if finding.nadir:
        guard = f" with {limits.pd_least_lesion:g} {unit} more of one lesion" if limits.pd_least_lesion else ""
        parts.append(f" PD from {number(rise, measure)} on{guard}, PR up to {fall} {unit}.")
    return "".join(parts)


def number(value: float, measure: Measure) -> str:
    """Return a sum for reading.

    Examples
    --------
    >>> number(412.0, Measure.PRODUCT), number(3.456, Measure.VOLUME)
    ('412', '3.46')
    """
    if measure is Measure.VOLUME:
        return f"{value:.2f}"
    return f"{value:.0f}" if measure is Measure.PRODUCT else f"{value:.1f}"


def _change(value: float, reference: float) -> str:
    return f"{100 * (value / reference - 1):+.0f} %" if reference else "no ratio"


def _unverified(raw: Raw, settled: Settled, criterion: Criterion) -> list[str]:
    """Return the unverified settings that had a say in this verdict."""
    keys = next((k for start, k in _NOTED_FLAGS.items() if raw.rule.startswith(start)), ())
    keys = tuple(k for k in keys if k.split(".")[0] not in _OTHERS[criterion.measure])
    waited = settled.confirmed is not Confirmed.NOT_REQUIRED
    out = [k for k in keys if k in criterion.unverified and (waited or k not in ("windows", "confirm_response_days"))]
    if raw.rule.startswith("pd.") and raw.rule[3:] in criterion.unverified:
        out.append(raw.rule[3:])
    return out
