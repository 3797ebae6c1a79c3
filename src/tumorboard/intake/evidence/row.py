"""One row of evidence: what is looked at, what it speaks for and against, how strongly, and in plain words why.

Why it exists: recognition is to be read, argued about and corrected row by row. Weights are natural
log-odds in spirit: 1 leans, 2 to 3 is good evidence, 5 is physics that little else looks like, 12
overrules (it says that the image is not an acquisition at all). They were chosen by hand from the physics
of the sequences [Bernstein, King, Zhou: Handbook of MRI Pulse Sequences, 2004], the defined terms of
DICOM PS3.3 C.7.6.1.1.2, C.8.3.1 and C.8.13, and vendors' names of pulse sequences; none was fitted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tumorboard.intake.evidence.facts import Question
from tumorboard.sequences import Sequence

KINDS = (
    *("localizer", "derived", "secondary capture", "angiography", "phase", "not brain", "PD", "STIR", "ASL"),
    *("steady state", "not an image"),
)
"""What a series can be that is not one of :class:`~tumorboard.sequences.Sequence`."""

CANDIDATES = (*(s.value for s in Sequence), *KINDS)
"""Everything a series can be taken for."""

GROUPS = {
    "long": ("T2", "FLAIR", "PD", "STIR"),
    "structural": ("T1", "BB", "T2", "FLAIR", "PD", "STIR", "T2STAR", "SWI", "steady state"),
    "diffusion": ("DWI", "DTI", "ADC", "FA"),
    "acquired": ("T1", "BB", "T2", "FLAIR", "PD", "STIR", "T2STAR", "SWI", "DWI", "DTI", "DSC", "DCE", "BOLD"),
    "MR": tuple(s.value for s in Sequence if s not in (Sequence.CT, Sequence.PET_FET, Sequence.PET_MET)),
}
"""Short names for candidates that much evidence speaks of together."""


@dataclass(frozen=True)
class Row:
    """One sign, and what it speaks for.

    Parameters
    ----------
    looked_at : str
        Which part of the header.
    ask : callable
        Whether the sign is there.
    odds : str
        ``"T1, T1C +4; FLAIR -3"``: candidates or groups of :data:`GROUPS`, and their weights.
    reason : str
        Plain words; ``{tr}``, ``{te}``, ``{ti}`` … become name, value and unit.
    """

    looked_at: str
    ask: Question = field(repr=False)
    odds: str
    reason: str

    @property
    def weights(self) -> dict[str, float]:
        """Weight by candidate; later entries add to earlier ones."""
        found: dict[str, float] = {}
        for entry in self.odds.split(";"):
            names, _, weight = entry.strip().rpartition(" ")
            for name in (n.strip() for n in names.split(",")):
                for candidate in GROUPS.get(name, (name,)):
                    found[candidate] = found.get(candidate, 0.0) + float(weight)
        return found
