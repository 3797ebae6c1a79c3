"""``evaluate``: one label map against another, as a table and as JSON."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from tumorboard.cli.show import console
from tumorboard.io.images import read_volume
from tumorboard.labels import LabelMap
from tumorboard.metrics.maps.evaluate import RegionScore, evaluate
from tumorboard.store import write_json


def judge(reference: Path, predicted: Path, schemes: tuple[str, str], json: Path | None) -> None:
    """Compare two label maps and print the regions that either holds.

    Raises
    ------
    InputError
        A file cannot be read, holds values outside its scheme, or the grids differ.
    """
    ref = LabelMap.from_scheme(read_volume(reference, "reference"), schemes[0], "reference")
    pred = LabelMap.from_scheme(read_volume(predicted, "prediction"), schemes[1], "prediction")
    result = evaluate(ref, pred)
    table = Table("region", "Dice", "sens.", "prec.", "HD95 mm", "NSD 1 mm", "mL", "mL ref")
    for row in result.rows:
        table.add_row(*_cells(row))
    console.print(table)
    if json is not None:
        write_json(json, result.model_dump(mode="json"))


def _cells(row: RegionScore) -> list[str]:
    if row.present_in == "neither":
        return [row.region, "in neither", "", "", "", "", "", ""]
    shares = ["-" if v is None else f"{v:.3f}" for v in (row.sensitivity, row.precision)]
    numbers = [f"{row.hd95_mm:.2f}", f"{row.nsd:.3f}", f"{row.prediction_ml:.2f}", f"{row.reference_ml:.2f}"]
    return [row.region, f"{row.dice:.3f}", *shares, *numbers]
