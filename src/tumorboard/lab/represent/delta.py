"""Delta radiomics: how features changed from one study to a later one.

Why it exists: what treatment does is a change. Which two studies are meant is said by the recipe, not guessed.

Source: Zhang Z et al., Magn Reson Imaging 2018 (F9: necrosis against progression from T2 and T1C); changes as in
:mod:`tumorboard.radiomics.delta`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tumorboard.lab.cohort import NotThere
from tumorboard.lab.represent.base import Job
from tumorboard.lab.represent.cache import Made
from tumorboard.lab.represent.radiomics import RadiomicsSet, radiomics_of
from tumorboard.lab.represent.rows import OfImages
from tumorboard.lab.scene import Scene
from tumorboard.lab.table import Unit
from tumorboard.radiomics.delta import delta


class DeltaSet(RadiomicsSet):
    """Settings of :class:`Delta`, beside those of radiomics.

    Parameters
    ----------
    study : str
        The later study of a patient: ``last``, or an id; a unit that is a study says it itself.
    since : str
        The earlier one: ``first``, ``previous``, or an id.
    what : tuple of str
        ``delta``, ``delta_relative``, ``delta_per_day`` (where days are known).
    """

    study: str = "last"
    since: str = "previous"
    what: tuple[Literal["delta", "delta_relative", "delta_per_day"], ...] = Field(default=("delta", "delta_relative"))


class Delta(OfImages[DeltaSet]):
    """Changes of radiomics: ``T1C.ET.original.stat_mean.delta``."""

    name = "delta"
    title = "change of radiomics between two studies"
    source = "Fave X et al., Sci Rep 2017;7:588; Zhang Z et al. 2018 (F9)"
    settings = DeltaSet

    def studies(self, unit: Unit, job: Job[DeltaSet]) -> tuple[str, ...]:
        """Return the later study and the earlier one.

        Raises
        ------
        NotThere
            There are not two.
        """
        ids = list(job.cohort.visits(unit.patient))
        later = job.cohort.study_of(unit, job.settings.study)
        at = ids.index(later)
        since = job.settings.since
        earlier = ids[at - 1] if since == "previous" and at else ids[0] if since in ("first", "previous") else since
        if earlier not in ids or ids.index(earlier) >= at:
            raise NotThere("no earlier study")
        return later, earlier

    def one(self, scene: Scene, job: Job[DeltaSet]) -> Made:
        """Return the changes of one unit; a feature that one study lacks has none."""
        later, earlier = self.studies(scene.unit, job)
        before = Scene.of(job.cohort, Unit(scene.unit.patient, earlier, scene.unit.lesion))
        first, second = (radiomics_of(s, job.sequences, job.regions, job.settings) for s in (before, scene))
        gaps = {f"earlier {what}": why for what, why in before.gaps.items()}
        both = [n for n in second if n in first]
        days = self._days(scene.unit.patient, earlier, later, job)
        found = delta({n: first[n] for n in both}, {n: second[n] for n in both}, days)
        return Made({n: v for n, v in found.items() if n.rpartition(".")[2] in job.settings.what}, gaps)

    def beside(self, unit: Unit, job: Job[DeltaSet]) -> str:
        """Return the days between the two studies."""
        later, earlier = self.studies(unit, job)
        return f"{self._days(unit.patient, earlier, later, job)}"

    def _days(self, patient: str, earlier: str, later: str, job: Job[DeltaSet]) -> float | None:
        days = job.cohort.days(patient)
        between = days[later] - days[earlier] if earlier in days and later in days else 0
        return float(between) if between > 0 else None
