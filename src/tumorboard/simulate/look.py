"""How the tissue of one patient's tumour differs from the table of tissues."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How a patient's tumour differs from the table; factors, 1 leaves it as it is.

    Parameters
    ----------
    gd, adc, cbv, ktrans : float
        Contrast agent, diffusivity, blood volume and permeability of tumour tissue.
    t1, t2 : float
        Relaxation times of tumour tissue.
    fa : float
        Anisotropy of tumour tissue.
    rough, bend : float
        Factor of its texture, and how much brighter than darker that reaches (0 is even).
    uneven : float
        Standard deviation of the natural logarithm of the concentration of contrast agent within it.
    """

    gd: float = 1.0
    adc: float = 1.0
    cbv: float = 1.0
    ktrans: float = 1.0
    t1: float = 1.0
    t2: float = 1.0
    fa: float = 1.0
    rough: float = 1.0
    bend: float = 0.0
    uneven: float = 0.35
