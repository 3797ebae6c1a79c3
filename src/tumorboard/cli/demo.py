"""``demo``: a digital patient through the whole chain, and the result beside the known truth.

Why it exists: the first thing a stranger runs. What it prints about accuracy is about this one digital
patient and says nothing about people.
"""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from tumorboard.cli.show import console, run_and_show
from tumorboard.errors import OutputError
from tumorboard.intake import IntakeRequest
from tumorboard.io.images import read_volume
from tumorboard.labels import LabelMap
from tumorboard.metrics.maps.evaluate import evaluate
from tumorboard.settings import RunSettings
from tumorboard.store import CaseFolder, remove_temporaries

_REGIONS = ("WT", "TC", "ET")
_TREE = {"sub-digital", "derivatives", "events.csv", "dataset_description.json"}


def demo(out: Path, seed: int) -> None:
    """Make the patient in ``out/input`` and its results in ``out/results``."""
    from tumorboard.simulate.files.tree import write_digital_patient
    from tumorboard.simulate.patient import digital_patient

    given = out / "input"
    _check_own(given)
    with console.status("making a digital patient with three studies"):
        write_digital_patient(digital_patient(seed=seed), given)
    request = IntakeRequest(inputs=(given,), events=given / "events.csv")
    done = run_and_show(request, out / "results", RunSettings(digital=True), "report")
    for folder in done.folders:
        _show_truth(given, folder)


def _check_own(given: Path) -> None:
    """Refuse a folder that holds anything but an earlier digital patient; remove what a killed run left there."""
    if given.is_dir():
        remove_temporaries(given)
        if {place.name for place in given.iterdir()} - _TREE:
            raise OutputError(
                "an empty folder, or that of an earlier demo",
                got="other files in its input folder",
                where="output",
                remedy="choose another --out",
            )


def _show_truth(given: Path, folder: CaseFolder) -> None:
    title = "Against the known truth of this digital patient (says nothing about people)"
    table = Table("study", *(f"Dice {r}" for r in _REGIONS), *(f"{r} mL (truth)" for r in _REGIONS), title=title)
    for session in sorted(p.name for p in folder.root.glob("ses-*")):
        name = f"{folder.stem(session)}_dseg.nii.gz"
        truth = read_volume(given / "derivatives" / "truth" / folder.root.name / session / "seg" / name, "truth")
        found = read_volume(folder.seg(session, "dseg.nii.gz"), "labels")
        result = evaluate(LabelMap(truth.data, truth.grid), LabelMap(found.data, found.grid))
        rows = {row.region: row for row in result.rows}
        dice = [f"{rows[r].dice:.2f}" for r in _REGIONS]
        volumes = [f"{rows[r].prediction_ml:.1f} ({rows[r].reference_ml:.1f})" for r in _REGIONS]
        table.add_row(session, *dice, *volumes)
    console.print(table)
