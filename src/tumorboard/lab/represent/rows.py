"""Representations that look at one unit after another: the loop, the cache, and what is missing.

Why it exists: eleven representations differ in what they compute of one study. How studies are walked through, kept,
shared among processes and joined into a table is the same for all, and stands here.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np

from tumorboard import __version__
from tumorboard.errors import InputError, TumorboardError
from tumorboard.lab.cohort import NotThere
from tumorboard.lab.cohort.fitted import MAKERS
from tumorboard.lab.regions import UPTAKE
from tumorboard.lab.represent.base import Gap, Job, Learned, Representation, Represented, Settings
from tumorboard.lab.represent.cache import Made, key_of, read_made, write_made
from tumorboard.lab.scene import Scene
from tumorboard.lab.table import Table, Unit


class ImageSettings(Settings):
    """What every representation of images takes.

    Parameters
    ----------
    study : str
        Of a patient: ``first``, ``last``, or an id.
    """

    study: str = "first"


S = TypeVar("S", bound=ImageSettings)


class OfImages(Representation[S]):
    """A representation that is computed of one unit's images at a time."""

    @abstractmethod
    def one(self, scene: Scene, job: Job[S]) -> Made:
        """Return columns, gaps and material of one unit; what is missing is noted in the scene."""

    def studies(self, unit: Unit, job: Job[S]) -> tuple[str, ...]:
        """Return the studies that a unit's row depends on, the leading one first.

        Raises
        ------
        NotThere
            There is none.
        """
        return (job.cohort.study_of(unit, job.settings.study),)

    def learner(self, job: Job[S]) -> Learned | None:
        """Return what makes transformers, without material; None for what learns nothing."""
        return None

    def represent(self, job: Job[S]) -> Represented:
        """Return the table of a job; finished rows are taken from the cache."""
        made = list(_walked(self, job))
        gaps = tuple(Gap(u, what, why) for u, m in zip(job.units, made, strict=True) for what, why in m.gaps.items())
        names = tuple(dict.fromkeys(n for m in made for n in m.values))
        learner = self.learner(job)
        material = tuple(m.material for m in made)
        if not names and all(m is None for m in material):
            raise _nothing(self.name, gaps)
        values = np.array([[_finite(m.values.get(n, math.nan)) for n in names] for m in made], dtype=np.float64)
        table = Table(job.units, names, values.reshape(len(job.units), len(names)))
        return Represented(self.name, table, None if learner is None else replace(learner, material=material), gaps)

    def key(self, unit: Unit, job: Job[S]) -> str:
        """Return the hash of all that a unit's row depends on; it identifies nobody."""
        visits = job.cohort.visits(unit.patient)
        wanted = [*job.sequences, *(s for q in job.sequences for s in MAKERS.get(q, {}))]
        wanted += UPTAKE if "uptake" in job.regions else ()
        taken = [visits[i] for i in self.studies(unit, job)]
        files = [p for v in taken for p in _with_frames(v.files(wanted), v.prepared)]
        settings = job.settings.model_dump_json(exclude={"prefix"})
        told = (__version__, self.name, self.version, settings, "|".join(job.sequences), "|".join(job.regions))
        return key_of(files, *told, *(v.scheme for v in taken), unit.lesion, self.beside(unit, job))

    def beside(self, unit: Unit, job: Job[S]) -> str:
        """Return what else a row depends on: the place of a biopsy, or days between studies."""
        sheet = job.cohort.sheets.get("biopsies")
        row = sheet.rows.get(unit) if sheet is not None else None
        return "" if row is None else "|".join(row.get(c, "") for c in ("x_mm", "y_mm", "z_mm"))


def _walked(what: OfImages[S], job: Job[S]) -> Iterator[Made]:
    """Yield every unit's row in order; units of one patient are computed by one process, next to each other."""
    done = 0
    for group in _computed(what, job):
        for made in group:
            done += 1
            if job.tell is not None:
                job.tell(done)
            yield made


def _computed(what: OfImages[S], job: Job[S]) -> Iterable[list[Made]]:
    quiet = replace(job, tell=None)
    groups = [tuple(units) for _, units in groupby(job.units, key=lambda u: u.patient)]
    if job.workers < 2 or len(groups) < 2:
        yield from (_group((what, replace(quiet, units=units))) for units in groups)
        return
    parts = [(what, replace(quiet, units=units, cohort=job.cohort.of([units[0].patient]))) for units in groups]
    # spawned, not forked: libraries hold threads that a fork would lose
    with ProcessPoolExecutor(min(job.workers, len(parts)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_group, parts)


def _group(part: tuple[OfImages[S], Job[S]]) -> list[Made]:
    what, job = part
    return [_one(what, unit, job) for unit in job.units]


def _one(what: OfImages[S], unit: Unit, job: Job[S]) -> Made:
    try:
        study = what.studies(unit, job)[0]
        key = what.key(unit, job) if job.cache is not None else ""
    except NotThere as error:
        return Made(gaps={"images": error.why})
    except OSError:
        return Made(gaps={"images": "a file that cannot be read"})
    place = None if job.cache is None else job.cache / what.name
    kept = read_made(place, key) if place is not None else None
    if kept is not None:
        return kept
    made = _fresh(what, Scene.of(job.cohort, unit, study), job)
    if place is not None:
        write_made(place, key, made)
    return made


def _fresh(what: OfImages[S], scene: Scene, job: Job[S]) -> Made:
    try:
        made = what.one(scene, job)
    except NotThere as error:
        return Made(gaps={**scene.gaps, "images": error.why})
    except TumorboardError as error:  # one broken study must not cost the others
        return Made(gaps={**scene.gaps, "images": str(error)})
    return replace(made, gaps={**scene.gaps, **made.gaps})


def _with_frames(files: Sequence[Path], prepared: Path | None) -> list[Path]:
    frames = sorted(prepared.glob("xfm/*_frame.json")) if prepared is not None else []
    beside = [p.with_name(f"{p.name.removesuffix('.gz').removesuffix('.nii')}.{e}") for p in files for e in _BESIDE]
    return [*files, *frames, *(p for p in beside if p.is_file())]


_BESIDE = ("json", "bval", "bvec")


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _nothing(name: str, gaps: Sequence[Gap]) -> InputError:
    why = Counter(f"{g.what}: {g.why}" for g in gaps).most_common(2)
    got = "; ".join(f"{told} ({count} times)" for told, count in why) or "nothing in any"
    return InputError("at least one unit with what is asked for", got=got, where=name)
