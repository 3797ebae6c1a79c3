"""Their names of sequences and labels, in ours.

Why it exists: a model of the field says "t1gd" and "edema", in any order. A channel is found by its name and a label by
its meaning; a name that is not known is refused with the list of those that are, and never guessed from its position.
"""

from __future__ import annotations

from collections.abc import Iterable

from tumorboard.errors import LabelError, SequenceError
from tumorboard.sequences import SPELLINGS, USED, Sequence

BACKGROUND = "background"
"""The output that stands for no label."""

MORE_SEQUENCES: dict[Sequence, frozenset[str]] = {
    Sequence.T1: frozenset({"t1weighted", "t1wpre", "mrit1", "mrt1", "t1mri"}),
    Sequence.T1C: frozenset(
        {"t1wgd", "t1wc", "t1wpost", "t1contrast", "t1postcontrast", "t1wpostcontrast", "cet1w", "gdt1", "mrit1c"}
        | {"mrit1ce", "t1weightedgd", "t1weightedpostcontrast", "t1contrastenhanced", "t1gadolinium"}
    ),
    Sequence.T2: frozenset({"t2weighted", "mrit2", "mrt2", "t2mri"}),
    Sequence.FLAIR: frozenset(
        {"t2wflair", "flairt2", "mriflair", "mrflair", "flairmri", "t2flairmri", "t2weightedflair"}
    ),
}
"""Spellings that model folders use beside those of :mod:`tumorboard.sequences`."""

REGION_SPELLINGS: dict[str, frozenset[str]] = {
    BACKGROUND: frozenset({"background", "bg", "backgroundlabel"}),
    "WT": frozenset({"wt", "wholetumor", "whole", "tumor", "glioma", "lesion"}),
    "SNFH": frozenset(
        {"ed", "edema", "snfh", "peritumoraledema", "edematumor", "surroundingnonenhancingflairhyperintensity"}
        | {"peritumoraledematous", "peritumoraledematousinvadedtissue", "flairhyperintensity", "invadedtissue"}
    ),
    "TC": frozenset({"tc", "tumorcore", "core"}),
    "NETC": frozenset(
        {"ncr", "netc", "net", "ncrnet", "necrotic", "necrosis", "necroticcore", "necrotictumorcore", "nonenhancing"}
        | {"nonenhancingtumor", "nonenhancingtumorcore", "necroticandnonenhancing", "ncrandnet", "nonenhancingcore"}
        | {"necroticandnonenhancingtumor", "necroticandnonenhancingtumorcore", "necroticnonenhancingtumorcore"}
        | {"necroticnonenhancing", "necroticnonenhancingtumor"}
    ),
    "ET": frozenset(
        {"et", "enhancing", "enhancingtumor", "gdenhancingtumor", "enhancingcore", "enhancingtumorcore", "enhanced"}
        | {"gadoliniumenhancingtumor", "enhancinglesion", "activetumor"}
    ),
    "RC": frozenset({"rc", "resectioncavity", "cavity", "surgicalcavity"}),
}
"""What labels of the field mean, without case, spaces and signs; American spelling."""


def _bare(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def sequences_of(names: Iterable[str], where: str) -> tuple[Sequence, ...]:
    """Return the sequences that a model's channels are, in the model's order.

    Parameters
    ----------
    names : iterable of str
        As the model's files spell them.
    where : str
        Role of the file, for the message.

    Raises
    ------
    SequenceError
        A name is unknown, or two channels are one sequence.

    Examples
    --------
    >>> [s.value for s in sequences_of(["FLAIR", "T1w", "t1gd", "T2w"], "dataset.json")]
    ['FLAIR', 'T1', 'T1C', 'T2']
    """
    found: list[Sequence] = []
    for name in names:
        spelled = _bare(name)
        fits = [s for s in USED if spelled in SPELLINGS[s] | MORE_SEQUENCES[s]]
        if not fits:
            known = ", ".join(f"{s.value} ({', '.join(sorted(SPELLINGS[s]))})" for s in USED)
            raise SequenceError(
                f"channels named after a sequence: {known}",
                got=repr(name),
                where=where,
                remedy="write into the model's file which sequence the channel is",
            )
        found += fits
    if len(set(found)) != len(found) or not found:
        raise SequenceError("one channel of each sequence", got=", ".join(found) or "none", where=where)
    return tuple(found)


def region_of(name: str, where: str) -> str:
    """Return the region (or ``"background"``) that a model's label name means.

    Raises
    ------
    LabelError
        The name is unknown.

    Examples
    --------
    >>> region_of("peritumoral oedema", "labels"), region_of("Tumor core", "labels"), region_of("NCR/NET", "labels")
    ('SNFH', 'TC', 'NETC')
    """
    spelled = _bare(name.replace("&", "and")).replace("tumour", "tumor").replace("oedema", "edema")
    for region, spellings in REGION_SPELLINGS.items():
        if spelled in spellings:
            return region
    raise LabelError(
        "a label whose name says what it is: " + ", ".join(r for r in REGION_SPELLINGS),
        got=repr(name),
        where=where,
        remedy="write into the model's file one of: " + ", ".join(sorted(set().union(*REGION_SPELLINGS.values()))),
    )
