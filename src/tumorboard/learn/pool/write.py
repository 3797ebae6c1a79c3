"""Write a pool: patient by patient, on several workers, going on where it was stopped.

Why it exists: a pool is made once and read for hours. A patient's studies have a folder each; what is whole is kept.
"""

from __future__ import annotations

import multiprocessing as mp
from collections.abc import Callable
from pathlib import Path

from tumorboard.errors import InputError
from tumorboard.learn.pool.plan import PoolPlan
from tumorboard.learn.pool.specimen import Specimen
from tumorboard.simulate.subject import draw_member, studies
from tumorboard.store import write_json


def write_pool(plan: PoolPlan, folder: Path, workers: int = 1, tell: Callable[[int], None] | None = None) -> None:
    """Make all specimens of a plan that are not there yet.

    Parameters
    ----------
    plan : PoolPlan
        What the pool holds.
    folder : Path
        Of the pool; it holds ``plan.json`` and a folder for each study.
    workers : int
        Processes.
    tell : callable, optional
        Called with 1 after each patient.

    Raises
    ------
    InputError
        The folder holds a pool of another plan.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     write_pool(PoolPlan(patients=1, visits=1, spacing_mm=8.0), Path(d))
    ...     [s.shape for s in map(Specimen.read, specimens(Path(d)))] != []
    True
    """
    _claim(plan, folder)
    todo = [(plan, folder, n) for n in range(plan.patients) if not _whole(folder, plan, n)]
    for _ in range(plan.patients - len(todo)):
        if tell is not None:
            tell(1)
    if workers == 1:
        for job in todo:
            _patient(job)
            if tell is not None:
                tell(1)
        return
    with mp.get_context("spawn").Pool(workers, maxtasksperchild=20) as pool:
        for _ in pool.imap_unordered(_patient, todo):
            if tell is not None:
                tell(1)


def specimens(folder: Path) -> list[Path]:
    """Return the folders of a pool's whole specimens, sorted.

    Raises
    ------
    InputError
        There is none.
    """
    found = sorted(p.parent for p in folder.glob("p*/about.json"))
    if not found:
        raise InputError("a pool of digital anatomy", got="none", where="pool", remedy="make one first")
    return found


def _claim(plan: PoolPlan, folder: Path) -> None:
    note = folder / "plan.json"
    # more patients may be added to a pool; everything else must be the same
    own = plan.model_dump(exclude={"patients"})
    if note.is_file():
        there = PoolPlan.model_validate_json(note.read_text()).model_dump(exclude={"patients"})
        if there != own:
            raise InputError(
                "a pool of this plan", got="one of another plan", where="pool", remedy="take another folder"
            )
    write_json(note, plan.model_dump())


def _named(folder: Path, n: int, visit: int) -> Path:
    return folder / f"p{n:05d}-{visit}"


def _whole(folder: Path, plan: PoolPlan, n: int) -> bool:
    return all((_named(folder, n, v) / "about.json").is_file() for v in range(plan.visits))


def _patient(job: tuple[PoolPlan, Path, int]) -> None:
    plan, folder, n = job
    member = draw_member(plan.seed, n, plan.kind_of(n), plan.sites, plan.visits, grades=plan.grades)
    for visit, study in enumerate(studies(plan.seed, member, plan.spacing_mm, volumes=False)):
        Specimen.of(study, plan.heads).write(_named(folder, n, visit), kind=member.kind.value, site=member.site.name)
