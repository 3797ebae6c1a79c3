"""The names of MR sequences and maps, and what the chain may do with each.

Why it exists: a sequence is named, never numbered. A position in a list is how other tools come to
segment the wrong tumour without a word.
"""

from __future__ import annotations

from enum import StrEnum


class Sequence(StrEnum):
    """A sequence or map by its field name.

    Examples
    --------
    >>> Sequence.of("t1ce"), Sequence("FLAIR").bids_suffix
    (<Sequence.T1C: 'T1C'>, 'FLAIR')
    """

    T1 = "T1"
    T1C = "T1C"
    T2 = "T2"
    FLAIR = "FLAIR"
    BB = "BB"
    T2STAR = "T2STAR"
    SWI = "SWI"
    DWI = "DWI"
    ADC = "ADC"
    DTI = "DTI"
    FA = "FA"
    DSC = "DSC"
    CBV = "CBV"
    DCE = "DCE"
    KTRANS = "KTRANS"
    BOLD = "BOLD"
    MRS = "MRS"
    SUB = "SUB"
    PET_FET = "PET_FET"
    PET_MET = "PET_MET"
    CT = "CT"

    @classmethod
    def of(cls, name: str) -> Sequence:
        """Return the sequence that ``name`` is an accepted spelling of (case does not matter).

        Raises
        ------
        ValueError
            The name is not one; the message lists the names there are.
        """
        spelled = name.strip().lower().replace("-", "").replace("_", "")
        for sequence, spellings in {**SPELLINGS, **BY_HAND}.items():
            if spelled in spellings:
                return sequence
        known = ", ".join(s.value for s in TAKEN)
        raise ValueError(f"expected a sequence name ({known}); got {name!r}")

    @property
    def bids_suffix(self) -> str:
        """File name ending in BIDS, with the contrast entity where there is one."""
        return BIDS_SUFFIX[self]


SPELLINGS: dict[Sequence, frozenset[str]] = {
    Sequence.T1: frozenset({"t1", "t1w", "t1n", "t1native", "t1pre"}),
    Sequence.T1C: frozenset({"t1c", "t1ce", "t1gd", "t1post", "t1gad", "t1km", "cet1", "t1wce"}),
    Sequence.T2: frozenset({"t2", "t2w"}),
    Sequence.FLAIR: frozenset({"flair", "t2f", "t2flair", "fla"}),
}
"""Accepted spellings of each sequence, without case, dashes or underscores."""

BY_HAND: dict[Sequence, frozenset[str]] = {Sequence.BB: frozenset({"bb", "blackblood"})}
"""Further ones where a user says what a series is; file names are not read so."""

BIDS_SUFFIX: dict[Sequence, str] = {
    Sequence.T1: "T1w",
    Sequence.T1C: "ce-gadolinium_T1w",
    Sequence.T2: "T2w",
    Sequence.FLAIR: "FLAIR",
    Sequence.BB: "acq-blackblood_T1w",
    Sequence.SUB: "desc-subtraction_T1w",
}

USED = (Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR)
"""The sequences that tumours are outlined on."""

TAKEN = (*USED, Sequence.BB)
"""The sequences that a study may bring; the others are recognised, named and left aside. Black-blood shows metastases
beside one of the others, and is nothing alone."""

REFERENCE_ORDER = (Sequence.T1C, Sequence.FLAIR, Sequence.T2, Sequence.T1)
"""Which sequence gives the study its grid: the first of these that is there."""
