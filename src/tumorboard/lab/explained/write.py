"""Explanations as files: one JSON of all, a table for each kind of number, and pictures.

Why it exists: what stands on the page can be computed with. Names of files hold no pseudonym.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from tumorboard.csv_text import table_text
from tumorboard.lab.explained.explained import Explained
from tumorboard.lab.explained.shown import TABLES, Shown
from tumorboard.store import write_atomic, write_json

CAUSES = "An explanation says what the model uses, not what causes the outcome, and is only as right as the model."


def write_explained(explained: Explained, out: Path) -> None:
    """Write explanations into a folder.

    Parameters
    ----------
    explained : Explained
        Of a run.
    out : Path
        Folder; it is made: ``explanations.json``, a CSV for each of :data:`~.shown.TABLES` that has rows, pictures.

    Raises
    ------
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_explained(Explained((), (), "patients"), Path(folder))
    ...     sorted(p.name for p in Path(folder).iterdir())
    ['explanations.json']
    """
    for part in explained.parts:
        for name, picture in zip(files_of(part), part.pictures, strict=True):
            write_atomic(out / name, base64.b64decode(picture.data))
    for name, header in TABLES.items():
        rows = [row for part in explained.parts if part.table == name for row in part.rows]
        if rows:
            write_atomic(out / f"{name}.csv", table_text(header, rows))
    content = {
        "world": explained.world,
        "use": f"research only; not for diagnosis. {CAUSES}",
        "explanations": [_told(part) for part in explained.parts],
        "missing": [one.model_dump(mode="json") for one in explained.missing],
    }
    write_json(out / "explanations.json", content)


def files_of(part: Shown) -> list[str]:
    """Return the names of a part's pictures."""
    endings = {"image/png": "png", "image/jpeg": "jpg"}
    names = [part.slug] + [f"{part.slug}-{n}" for n in range(2, len(part.pictures) + 1)]
    return [f"{name}.{endings[picture.media_type]}" for name, picture in zip(names, part.pictures, strict=False)]


def _told(part: Shown) -> dict[str, Any]:
    told = part.model_dump(mode="json", exclude={"pictures", "rows"})
    return told | {"pictures": files_of(part)}
