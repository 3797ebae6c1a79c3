"""The T2-FLAIR mismatch sign on digital gliomas that do not enhance: sensitivity and specificity.

Run with ``python benchmarks/mismatch_sign.py [--patients 25] [--spacing 2] [--segmenter fuzzy]``; some 3 CPU seconds a
patient at 2 mm. Patients are drawn until there are as many with a mismatch as without; those without are astrocytomas
and oligodendrogliomas. Their seed is not the one that margins were set on (77). Outlines are those drawn; with
``--segmenter`` they are a method's. The peer is the strict rule in the same run: what is bright on T2 must be darker on
FLAIR than normal tissue.

Digital patients show the sign because the simulator paints microcystic tissue of one T1 and T2 where it is to be seen,
and all sites scan by the same equations: these figures say that the program does what it means, not how often the sign
is right in people. What is known of people is printed below.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rich.progress import track

from tumorboard.labels import LabelMap
from tumorboard.measure.signs.mismatch import CONTEXT, RULES, t2_flair_mismatch
from tumorboard.measure.sources import Files
from tumorboard.measure.study import Segmented
from tumorboard.prepare.prepare import prepare
from tumorboard.segment.named import segmenter_of
from tumorboard.sequences import Sequence
from tumorboard.simulate.scanner.sites import SITES
from tumorboard.simulate.subject import Kind, Made, draw_member, studies
from tumorboard.study import Study

SEED = 2027
CALLS = ("present", "partial", "absent", "not assessable")
THRESHOLDS = (15.0, 25.0, 42.0, 60.0)
RULE_NAMES = {"share": "T2 minus FLAIR", "strict": "FLAIR below normal"}


@dataclass(frozen=True)
class Case:
    """A digital patient's truth, scanner, what was said, and the shares behind it in percent."""

    mismatch: bool
    site: str
    call: str
    share: float = 0.0
    strict: float = 0.0


def drawn(patients: int, spacing_mm: float) -> Iterator[tuple[bool, str, Made]]:
    """Yield digital gliomas that do not enhance, as many with a mismatch as without."""
    left = {True: patients, False: patients}
    for n in range(100_000):
        member = draw_member(SEED, n, Kind.GLIOMA, len(SITES), 1)
        may_show = member.traits.mismatch > 0
        if member.traits.enhances > 0.6 or not (left[False] or (left[True] and may_show)):
            continue
        made = next(studies(SEED, member, spacing_mm))
        truth = "microcystic" in made.mixture.parts
        unusable = made.mishaps.swapped or made.mishaps.missing in (Sequence.T2, Sequence.FLAIR)
        if made.truth.region("ET").any() or unusable or not left[truth]:
            continue
        left[truth] -= 1
        yield truth, member.site.name, made
        if not any(left.values()):
            return


def judged(truth: bool, site: str, made: Made, segmenter: str) -> Case:
    """Look for the sign in one patient."""
    study = prepare("ses-01", made.volumes).study
    segmented = Segmented(LabelMap(made.truth.data, study.grid))
    if segmenter:
        found = segmenter_of(segmenter).segment(study)
        segmented = Segmented(found.labels, not_assessable=found.not_assessable)
    category, share, _ = t2_flair_mismatch(study, segmented, Files())
    if category.value is None or share.value is None:
        return Case(truth, site, CALLS[-1])
    strict = strict_share(study, segmented.labels)
    return Case(truth, site, str(category.value), float(share.value), strict)


def strict_share(study: Study, labels: LabelMap) -> float:
    """Return the share of the tumour that is bright on T2 and darker than normal tissue on FLAIR, in percent."""
    t2, flair = (np.asarray(study.volumes[s].data, np.float32) for s in (Sequence.T2, Sequence.FLAIR))
    whole = labels.region("WT")
    normal = study.brain & ~whole
    middle = np.median(t2[normal])
    bright = t2 > middle + RULES.bright_sd * 1.4826 * np.median(np.abs(t2[normal] - middle))
    return 100.0 * float((bright & (flair < np.median(flair[normal])))[whole].mean())


def wilson(hits: int, n: int) -> str:
    """Return a proportion with its 95 % interval (Wilson)."""
    if n == 0:
        return "no patient"
    p, z = hits / n, 1.96
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return f"{100 * p:5.1f} % ({hits}/{n}; {100 * low:.0f} to {100 * high:.0f})"


def shown(cases: list[Case]) -> None:
    """Print everything."""
    with_it, without = ([c for c in cases if c.mismatch is truth] for truth in (True, False))
    read = [c for c in without if c.call != CALLS[-1]]
    print("\nDigital patients, not people. What was drawn, and what was said:")
    for name, group in (("mismatch", with_it), ("none", without)):
        calls = Counter(c.call for c in group)
        print(f"  {name:9}" + "  ".join(f"{call} {calls[call]:3d}" for call in CALLS))
    for called in (CALLS[:1], CALLS[:2]):
        print(f"\n{' or '.join(called)} taken as positive")
        print(f"  sensitivity {wilson(sum(c.call in called for c in with_it), len(with_it))}")
        print(f"  specificity {wilson(sum(c.call not in called for c in read), len(read))} where it was read")
    print("\nthe share of the tumour alone, from which threshold: sensitivity, specificity")
    print("          " + "     ".join(f"{name:18}" for name in RULE_NAMES.values()))
    for least in THRESHOLDS:
        rates = "     ".join(rate(with_it, read, least, rule) for rule in RULE_NAMES)
        print(f"  {least:3.0f} %   {rates}")
    print("\nby site, present among those with a mismatch")
    for site in sorted({c.site for c in with_it}):
        found = [c for c in with_it if c.site == site]
        print(f"  {site}  {sum(c.call == 'present' for c in found)}/{len(found)}")
    print(f"\n{CONTEXT}.")


def rate(with_it: list[Case], without: list[Case], least: float, rule: str) -> str:
    """Return sensitivity and specificity of a share from a threshold."""
    right, wrong = ([getattr(c, rule) >= least for c in group] for group in (with_it, without))
    return f"{100 * np.mean(right):5.1f} %, {100 - 100 * np.mean(wrong):5.1f} %"


def main(patients: int, spacing_mm: float, segmenter: str) -> None:
    """Draw, look, print."""
    print(f"digital gliomas without enhancement, {spacing_mm:g} mm, seed {SEED}; outlines: {segmenter or 'as drawn'}")
    made = track(drawn(patients, spacing_mm), total=2 * patients, description="digital patients")
    shown([judged(*one, segmenter) for one in made])


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--patients", type=int, default=25, help="with the sign, and as many without")
    asked.add_argument("--spacing", type=float, default=2.0, help="voxel size, mm")
    asked.add_argument("--segmenter", default="", help="a method whose outlines are used")
    given = asked.parse_args()
    main(given.patients, given.spacing, given.segmenter)
