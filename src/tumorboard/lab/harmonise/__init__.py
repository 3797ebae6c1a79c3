"""Ways to make sites alike; learned on training rows only."""

from __future__ import annotations

from tumorboard.lab.harmonise.combat import Combat
from tumorboard.lab.harmonise.zscore import SiteScale
from tumorboard.lab.parts import Parts
from tumorboard.lab.step import Step

HARMONISERS: Parts[Step] = Parts("harmonisation")
"""One line enrols another."""

HARMONISERS.add("combat", Combat, source="Johnson 2007; Fortin 2018")
HARMONISERS.add("zscore_site", SiteScale, source="chosen")

__all__ = ["HARMONISERS", "Combat", "SiteScale"]
