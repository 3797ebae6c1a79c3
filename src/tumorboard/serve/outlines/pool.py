"""Accepted corrections as training data: a BIDS tree that ``tumorboard train segment`` reads.

Why it exists: a correction is worth most to the next network, but a patient's images are not ours to teach with. A
study goes into the pool only where an administrator said that it may, and leaves it when that is taken back. Names are
digests; no date, no identifier and no reader goes along.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tumorboard.sequences import Sequence
from tumorboard.serve.outlines.places import Place
from tumorboard.serve.outlines.versions import files_of_edit
from tumorboard.store import digest, write_atomic, write_json, write_shared_json

if TYPE_CHECKING:
    from tumorboard.serve.data.people import Edit
    from tumorboard.serve.data.tables import Study
    from tumorboard.serve.settings import DepartmentSettings

TERMS = "Corrections by readers, of studies whose use for training was allowed; to be passed on only with new consent."


def pool_of(settings: DepartmentSettings) -> Path:
    """Return the folder of the pool."""
    return settings.home / "pool"


def study_folder(settings: DepartmentSettings, study: Study) -> Path:
    """Return where a study lies in the pool or would lie."""
    return pool_of(settings) / f"sub-{digest('pool', study.patient.key)[:12]}" / f"ses-{study.key}"


def put_into_pool(settings: DepartmentSettings, study: Study, edit: Edit, place: Place) -> bool:
    """Copy a study's prepared images and its accepted mask into the pool, where that is allowed.

    Parameters
    ----------
    settings : DepartmentSettings
        They say where it is.
    study : Study
        With its patient.
    edit : Edit
        Accepted.
    place : Place
        Where the prepared images are.

    Returns
    -------
    bool
        Whether it was allowed.
    """
    if not study.teaching:
        return False
    folder = study_folder(settings, study)
    stem = f"{folder.parent.name}_{folder.name}"
    for sequence in place.sequences:
        source = place.folder.anat(place.session, sequence.bids_suffix)
        write_atomic(folder / "anat" / f"{stem}_{sequence.bids_suffix}.nii.gz", source.read_bytes())
    mask, told = files_of_edit(settings, edit)
    write_atomic(folder / "anat" / f"{stem}_dseg.json", told.read_bytes())
    write_json(folder / "anat" / f"{stem}_changes.json", dict(edit.changes))
    write_atomic(folder / "anat" / f"{stem}_dseg.nii.gz", mask.read_bytes())  # last: with it, the case counts
    _describe(settings)
    return True


def take_out_of_pool(settings: DepartmentSettings, study: Study) -> bool:
    """Remove a study from the pool; return whether it was there."""
    folder = study_folder(settings, study)
    there = folder.is_dir()
    shutil.rmtree(folder, ignore_errors=True)
    if folder.parent.is_dir() and not any(folder.parent.iterdir()):
        folder.parent.rmdir()
    return there


def _describe(settings: DepartmentSettings) -> None:
    told = {"Name": "corrections", "BIDSVersion": "1.10.0", "DatasetType": "derivative", "License": TERMS}
    write_shared_json(pool_of(settings) / "dataset_description.json", told | {"Sequences": [s.value for s in Sequence]})
