"""Categories of the extent of resection, as tables with their sources, and which of their numbers nobody could verify.

Why it exists: "gross total" and "subtotal" mean other things in every paper. Here they mean what one recommendation
says, and what was not read in it is told with every result.

Source: Karschnia P et al., Eur J Cancer 2021;149:23-33. Its abstract was read: the six names, by percentage and by what
is left. The numbers come from two secondary sources that agree: notes that quote the methods of Karschnia 2023, and an
early version of Raidionics, whose later version allows ten times as much to be left. What is supramaximal follows from
RANO resect, see :mod:`tumorboard.respond.indices.resect`; the notes ask in addition that 60 % of the tumour that does
not enhance were removed, which the abstract does not, nor does this software.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

SUPRAMAXIMAL, COMPLETE, BIOPSY = "supramaximal", "complete", "biopsy"
"""Categories that rules name: beyond what enhances, gross total, and a sample only."""

TOLERANCE = 1e-9
"""A value that misses a threshold by so little meets it: sums of voxels are not exact."""


@dataclass(frozen=True)
class Step:
    """One category of the extent of resection.

    Parameters
    ----------
    word : str
        Its name.
    least_percent : float
        Least reduction.
    most_ml : float
        Most residual tumour.
    over : bool
        The reduction must be more than the least.
    """

    word: str
    least_percent: float
    most_ml: float = math.inf
    over: bool = False

    def holds(self, percent: float, residual_ml: float) -> bool:
        """Whether a reduction and a residue belong here or to a better category."""
        enough = percent > self.least_percent + TOLERANCE if self.over else percent >= self.least_percent - TOLERANCE
        return enough and residual_ml <= self.most_ml + TOLERANCE


@dataclass(frozen=True)
class ResectionTable:
    """Categories from best to worst; what meets none of the steps is the last one.

    Parameters
    ----------
    name, version, source : str
        What it is, and where it was published.
    steps : tuple of Step
        Best first.
    rest : str
        What meets no step.
    unverified : mapping of str to str
        Settings that were not read in the primary source, and what is known of them.
    """

    name: str
    version: str
    source: str
    steps: tuple[Step, ...]
    rest: str = "partial"
    unverified: Mapping[str, str] = field(default_factory=dict)

    def category(self, percent: float, residual_ml: float) -> str:
        """Return the category of a reduction (%) and a residue (mL).

        Examples
        --------
        >>> [KARSCHNIA_2021.category(p, ml) for p, ml in ((100, 0), (97, 0.8), (97, 1.2), (97, 6), (40, 3))]
        ['complete', 'near total', 'subtotal', 'partial', 'partial']
        """
        return next((s.word for s in self.steps if s.holds(percent, residual_ml)), self.rest)


KARSCHNIA_2021 = ResectionTable(
    name="Categories for extent of resection in diffuse glioma",
    version="2021",
    source="Karschnia P et al., Eur J Cancer 2021;149:23-33",
    steps=(Step(COMPLETE, 99.9, over=True), Step("near total", 95.0, 1.0), Step("subtotal", 80.0, 5.0)),
    unverified={"steps": "percentages and residues as two secondary sources give them"},
)
"""Of enhancing tumour."""

T2FLAIR_2021 = replace(
    KARSCHNIA_2021,
    unverified={
        "steps": "taken to be the same numbers as for enhancing tumour",
        "region": "T2/FLAIR tumour of WHO grade 2 or 3",
    },
)
"""Of T2/FLAIR tumour; that it is judged by the same names was read in the abstract, its numbers nowhere."""


def told(table: ResectionTable) -> str:
    """Return name, source and what is unverified, for the method of a measurement."""
    doubts = "; ".join(f"{key} ({what})" for key, what in table.unverified.items())
    return f"{table.name} {table.version} ({table.source}); unverified: {doubts}."
