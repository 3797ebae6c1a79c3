"""Recognition of generated DICOM headers: right, unsure, wrong, beside a recogniser of keywords in the same run.

Run with ``python benchmarks/recognise.py [SEED]``; half a minute. Headers are drawn by
``tumorboard.simulate.files.headers`` for four vendors and seven languages, every kind once for each. The seed
that is reported was not looked at while the table of evidence was written (seeds 1 to 3 were). The peer
is ``intake.names.recognise`` applied to the Series Description; it knows T1, T1C, T2 and FLAIR, so it is
compared on those against everything else. Generated headers say nothing about how often a department
leaves its tags out: these are figures about a program, not about hospitals.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np

from tumorboard.intake.evidence import SeriesVerdict, recognise_series, recognise_study
from tumorboard.intake.names import recognise
from tumorboard.io.dicom.tags import tags_of
from tumorboard.sequences import USED
from tumorboard.simulate.files.headers import KINDS, LANGUAGES, VENDORS, draw_header, draw_study

SEED = 2026
STUDIES = 140
Tally = Counter[str]


def outcome(truth: str, verdict: SeriesVerdict) -> str:
    """Return whether a verdict is right, unsure or wrong."""
    return "unsure" if not verdict.sure else "right" if verdict.kind == truth else "wrong"


def of_four(truth: str, named: str | None, sure: bool) -> str:
    """Return the same where only the four sequences the chain works on are told from everything else."""
    four = {s.value for s in USED}
    named = named if named in four else None
    if truth not in four:
        return "wrong" if named else "right"
    return "right" if named == truth else "wrong" if named or sure else "unsure"


def shares(tally: Tally) -> str:
    return "  ".join(f"{name} {tally[name] / tally.total():6.2%}" for name in ("right", "unsure", "wrong"))


def single(seed: int) -> None:
    """Print the confusion table of single headers."""
    rng = np.random.default_rng(seed)
    all_, ours, peer = Counter[str](), Counter[str](), Counter[str]()
    table = {kind: (Counter[str](), Counter[str]()) for kind in KINDS}
    for vendor in VENDORS:
        for language in LANGUAGES:
            for truth in KINDS:
                tags = tags_of(draw_header(rng, truth, vendor, language))
                verdict, keyword = recognise_series(tags), recognise(tags.description).sequence
                result = outcome(truth, verdict)
                all_[result] += 1
                table[truth][0][result] += 1
                table[truth][1][verdict.kind] += result == "wrong"
                ours[of_four(truth, verdict.kind, verdict.sure)] += 1
                peer[of_four(truth, keyword, False)] += 1
    print(f"{'truth':20}{'right':>7}{'unsure':>8}{'wrong':>7}  taken for")
    for truth, (results, taken) in table.items():
        said = ", ".join(f"{kind} ({n})" for kind, n in (+taken).items())
        print(f"{truth:20}{results['right']:7}{results['unsure']:8}{results['wrong']:7}  {said}".rstrip())
    print(f"\n{all_.total()} headers, seed {seed}, {len(KINDS)} kinds: {shares(all_)}")
    print(f"T1, T1C, T2, FLAIR or other, evidence:  {shares(ours)}")
    print(f"T1, T1C, T2, FLAIR or other, keywords:  {shares(peer)}")
    print(f"ratio of wrong, keywords to evidence: {peer['wrong'] / max(1, ours['wrong']):.0f}")


def studies(seed: int) -> None:
    """Print how T1 and T1C of whole studies are told apart, with and without their siblings."""
    rng = np.random.default_rng(seed)
    together, alone = Counter[str](), Counter[str]()
    for n in range(STUDIES):
        study = draw_study(rng, VENDORS[n % 4], LANGUAGES[n % 7])
        tags = [tags_of(series.header) for series in study]
        for series, own, verdict in zip(study, tags, recognise_study(tags), strict=True):
            if series.what in ("T1", "T1C"):
                together[outcome(series.what, verdict)] += 1
                alone[outcome(series.what, recognise_series(own))] += 1
    print(f"\n{together.total()} T1 and T1C of {STUDIES} studies, with siblings: {shares(together)}")
    print(f"the same, each header alone: {shares(alone)}")


if __name__ == "__main__":
    chosen = int(sys.argv[1]) if len(sys.argv) > 1 else SEED
    single(chosen)
    studies(chosen)
