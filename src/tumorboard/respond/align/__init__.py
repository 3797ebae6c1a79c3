"""A patient's studies in one space that favours none of them."""

from tumorboard.respond.align.carry import carried, shared_grid
from tumorboard.respond.align.pairwise import PairFit
from tumorboard.respond.align.side import Side
from tumorboard.respond.align.template import AlignedPair, Alignment, align, align_sides

__all__ = ["AlignedPair", "Alignment", "PairFit", "Side", "align", "align_sides", "carried", "shared_grid"]
