"""Ways to fill what is missing; learned on training rows only."""

from __future__ import annotations

from tumorboard.lab.impute.forest import ForestImpute
from tumorboard.lab.impute.low_rank import LowRankImpute
from tumorboard.lab.impute.mean import MeanImpute
from tumorboard.lab.impute.nearest import NearestImpute
from tumorboard.lab.parts import Parts
from tumorboard.lab.step import Step

IMPUTERS: Parts[Step] = Parts("way to impute")
"""One line enrols another."""

IMPUTERS.add("mean", lambda: MeanImpute("mean"), source="Cruz 2019")
IMPUTERS.add("median", lambda: MeanImpute("median"), source="Cruz 2019")
IMPUTERS.add("knn", NearestImpute, source="Troyanskaya 2001")
IMPUTERS.add("low_rank", LowRankImpute, source="Mazumder 2010")
IMPUTERS.add("forest", ForestImpute, source="Stekhoven 2012")

__all__ = ["IMPUTERS", "ForestImpute", "LowRankImpute", "MeanImpute", "NearestImpute"]
