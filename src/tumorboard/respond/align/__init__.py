"""A patient's studies in one space that favours none of them."""

from tumorboard.respond.align.carry import carried, shared_grid
from tumorboard.respond.align.template import AlignedPair, Alignment, align

__all__ = ["AlignedPair", "Alignment", "align", "carried", "shared_grid"]
