"""What ``detect`` shows at its end: the lesions of every study, or why none could be looked for."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rich.table import Table

from tumorboard.cli.show import MAX_ROWS, console, show_warnings
from tumorboard.store import CaseFolder


def show_found(folders: Iterable[CaseFolder]) -> None:
    """Print the reported lesions of all studies of some patients.

    Parameters
    ----------
    folders : iterable of CaseFolder
        Of a run that ended with detection.
    """
    columns = ("study", "lesion", "score", "diameter mm", "volume mL", "centre RAS mm")
    table = Table(*columns, title="Lesions that were found", title_justify="left")
    for folder in folders:
        for path in sorted(folder.root.glob("ses-*/seg/*_detections.json")):
            study = path.parent.parent.name
            told = json.loads(path.read_text())
            show_warnings(f"{study}: {warning}" for warning in told["warnings"])
            reported = [lesion for lesion in told["lesions"] if lesion["reported"]]
            if not reported and not told["not_assessable"]:
                console.print(f"{study}: nothing reaches the operating point", highlight=False)
            for lesion in reported[:MAX_ROWS]:
                table.add_row(study, *_cells(lesion))
    if table.row_count:
        console.print(table)


def _cells(lesion: dict[str, float]) -> list[str]:
    place = ", ".join(f"{lesion[axis]:.0f}" for axis in ("x_mm", "y_mm", "z_mm"))
    numbers = (f"{lesion['score']:.2f}", f"{lesion['diameter_mm']:.1f}", f"{lesion['volume_ml']:.3f}")
    return [f"{lesion['number']:.0f}", *numbers, place]
