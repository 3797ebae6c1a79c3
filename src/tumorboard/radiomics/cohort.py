"""Features of a cohort: one line of a table of cases after another, some at once, and what failed.

Why it exists: one broken mask among five hundred must not cost the other four hundred and ninety-nine.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from tumorboard.errors import InputError, TumorboardError
from tumorboard.radiomics.settings import RadiomicsSettings
from tumorboard.radiomics.table import Row

if TYPE_CHECKING:
    from tumorboard.radiomics.extract import Extracted
    from tumorboard.volume import Volume

How = RadiomicsSettings | Path
"""Settings, or a parameter file of PyRadiomics."""

COLUMNS = ("case", "image", "mask")
"""Columns that a table of cases must have; ``label``, ``region``, ``scheme`` and ``sequence`` may be there."""

REGIONS = ("WT", "TC", "ET", "RC")
"""Of results of a run, where they are there."""


@dataclass(frozen=True)
class Case:
    """One line of a table of cases; see :func:`read_cases`."""

    case: str
    image: Path
    mask: Path
    label: int | None = None
    region: str = ""
    scheme: str = "tumorboard"
    sequence: str = ""


@dataclass(frozen=True)
class Failed:
    """A case that gave no features, and why."""

    case: str
    why: str


def read_cases(path: Path) -> tuple[Case, ...]:
    """Read a table of cases: ``case,image,mask`` and, if wanted, ``label``, ``region``, ``scheme``, ``sequence``.

    Paths are taken from where the table lies.

    Raises
    ------
    InputError
        The table cannot be read, lacks a column, is empty, names a case twice, or a label is no whole number.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError("a table of cases as CSV", got="none that can be read", where="cases") from error
    missing = [c for c in COLUMNS if not lines or c not in lines[0]]
    if missing:
        got = "an empty table" if not lines else f"none of the name {', '.join(missing)}"
        raise InputError(f"columns {', '.join(COLUMNS)}", got=got, where="cases")
    cases = tuple(_case(n, line, path.parent) for n, line in enumerate(lines, start=2))
    keys = [(c.case, c.label, c.region, c.sequence) for c in cases]
    twice = next((n for n, key in enumerate(keys) if key in keys[:n]), None)
    if twice is not None:
        raise InputError("each case, region and sequence once", got=f"one again in line {twice + 2}", where="cases")
    return cases


def cases_of_results(folder: Path) -> tuple[Case, ...]:
    """Return every study, sequence and region of the results of a run, as far as they are there.

    Raises
    ------
    InputError
        The folder holds no outlined study.
    """
    from tumorboard.io.images import read_volume
    from tumorboard.labels import LabelMap
    from tumorboard.sequences import USED
    from tumorboard.store import CaseFolder

    cases = []
    for path in sorted(folder.glob("sub-*/ses-*/seg/*_dseg.nii.gz")):
        study, patient = path.parents[1].name, path.parents[2].name
        home = CaseFolder(folder, patient.removeprefix("sub-"))
        labels = LabelMap.from_scheme(read_volume(path, "labels"), "tumorboard", "labels")
        there = [name for name in REGIONS if labels.region(name).any()]
        for sequence in USED:
            image = home.anat(study, sequence.bids_suffix)
            if image.is_file():
                name = f"{patient}/{study}"
                cases += [Case(name, image, path, region=r, sequence=sequence.value) for r in there]
    if not cases:
        got = "no study with an outline that is not empty"
        raise InputError("the results of a run", got=got, where="radiomics", remedy="give the folder of --out")
    return tuple(cases)


def extract_cohort(
    cases: Sequence[Case],
    settings: How,
    workers: int = 1,
    tell: Callable[[int], None] | None = None,
) -> tuple[list[Row], list[Failed]]:
    """Extract features of every case; what fails is returned beside the rest.

    Parameters
    ----------
    cases : sequence of Case
        From :func:`read_cases`.
    settings : RadiomicsSettings or Path
        The same for all; a path is that of a parameter file of PyRadiomics.
    workers : int
        Processes.
    tell : callable, optional
        Called with the number of cases done.

    Returns
    -------
    (list of Row, list of Failed)
        In the order of the cases.
    """
    jobs = [(case, settings) for case in cases]
    done: list[Row | Failed] = []
    if workers < 2:
        for job in jobs:
            done.append(_one(job))
            if tell is not None:
                tell(len(done))
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for result in pool.map(_one, jobs):
                done.append(result)
                if tell is not None:
                    tell(len(done))
    return [d for d in done if isinstance(d, Row)], [d for d in done if isinstance(d, Failed)]


def extract_case(case: Case, settings: How) -> Row:
    """Read one case and extract its features; with a parameter file of PyRadiomics, those of PyRadiomics.

    Raises
    ------
    InputError
        Image, mask, label or grid cannot be used.
    """
    from tumorboard.io.images import read_volume
    from tumorboard.radiomics.extract import extract
    from tumorboard.radiomics.outline import outline

    image, mask = read_volume(case.image, "image"), read_volume(case.mask, "mask")
    if isinstance(settings, Path):
        found = _as_pyradiomics(image, mask, case, settings)
    else:
        found = extract(image, outline(mask, case.label, case.region, case.scheme), settings)
    region = case.region or (str(case.label) if case.label is not None else "")
    return Row(case.case, region, found, case.sequence)


def _as_pyradiomics(image: Volume, mask: Volume, case: Case, file: Path) -> Extracted:
    """Return what PyRadiomics would; a label or region of the case goes before the label of the file."""
    from tumorboard.radiomics.extract import Extracted, Facts
    from tumorboard.radiomics.outline import outline
    from tumorboard.radiomics.pyradiomics.extract import extract_pyradiomics
    from tumorboard.radiomics.pyradiomics.parameters import read_parameters

    told = read_parameters(file)
    if case.label is not None or case.region:
        mask = outline(mask, case.label, case.region, case.scheme)
        told = replace(told, setting=told.setting.model_copy(update={"label": 1}))
    values = extract_pyradiomics(image, mask, told)
    voxels = int((mask.data == told.setting.label).sum())
    facts = Facts(voxels, voxels * mask.grid.voxel_volume_ml, image.spacing_mm, None, math.nan)
    return Extracted(values, facts, ())


def _one(job: tuple[Case, How]) -> Row | Failed:
    case, settings = job
    try:
        return extract_case(case, settings)
    except TumorboardError as error:
        return Failed(case.case, str(error))


def _case(line: int, told: dict[str, str], home: Path) -> Case:
    text = {k: (v or "").strip() for k, v in told.items() if k}
    label = text.get("label", "")
    if label and not label.isdigit():
        raise InputError("a label that is a whole number", got=repr(label), where=f"cases, line {line}")
    if not all(text[c] for c in COLUMNS):
        raise InputError(f"a value for {', '.join(COLUMNS)}", got="an empty one", where=f"cases, line {line}")
    return Case(
        text["case"],
        home / text["image"],
        home / text["mask"],
        int(label) if label else None,
        text.get("region", ""),
        text.get("scheme", "") or "tumorboard",
        text.get("sequence", ""),
    )
