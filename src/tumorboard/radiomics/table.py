"""Features of many regions as one table: a row a region, with code and unit of each column, as Parquet or CSV.

Why it exists: a column that says neither its definition nor its settings cannot be used by anybody else. Parquet keeps
both in the file; a missing value is null, never 0.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tumorboard import __version__
from tumorboard.errors import InputError
from tumorboard.radiomics.extract import Extracted
from tumorboard.radiomics.families import by_tag
from tumorboard.radiomics.feature import CODES, Feature
from tumorboard.radiomics.settings import RadiomicsSettings
from tumorboard.store import write_atomic

if TYPE_CHECKING:
    import pyarrow as pa

WHOSE = ("case", "region", "sequence")
"""First columns: whose features these are."""

FACTS = ("voxels", "volume_ml", "levels", "width")
"""Columns before the features: what was measured on."""


@dataclass(frozen=True)
class Row:
    """Features of one region, and whose they are.

    Parameters
    ----------
    case, region : str
        Pseudonym; and which region of it.
    found : Extracted
        Values, facts and warnings.
    sequence : str
        Of the image, where that is known.
    """

    case: str
    region: str
    found: Extracted
    sequence: str = ""


def described(column: str) -> tuple[Feature, str, str] | None:
    """Return what a column is: the feature, its way and the image it was computed on; None if it is no feature.

    Examples
    --------
    >>> feature, way, image = described("original.cm_joint_entr_3D_comb")
    >>> feature.code, way, image
    ('TU9B', '3D_comb', 'original')
    """
    image, dot, tag = column.rpartition(".")
    known = by_tag().get(tag)
    return (known[1], known[2], image) if dot and known is not None else None


def to_arrow(rows: Sequence[Row], settings: RadiomicsSettings | Path) -> pa.Table:
    """Return rows as an Arrow table; columns carry ``ibsi``, ``aggregation``, ``unit`` and ``description``."""
    import pyarrow as pa

    names = list(rows[0].found.values) if rows else []
    fields = [pa.field(n, pa.string()) for n in WHOSE]
    fields += [pa.field(n, pa.float64()) for n in FACTS] + [pa.field("warnings", pa.string())]
    fields += [pa.field(n, pa.float64(), metadata=_about(n)) for n in names]
    columns: list[list[object]] = [[getattr(r, n) for r in rows] for n in WHOSE]
    columns += [[_number(getattr(r.found.facts, n)) for r in rows] for n in FACTS]
    columns += [["; ".join(r.found.warnings) for r in rows]]
    columns += [[_number(r.found.values[n]) for r in rows] for n in names]
    told = {"settings": _told(settings), "software": f"tumorboard {__version__}", "use": "research only"}
    schema = pa.schema(fields, metadata=told)
    arrays = [pa.array(c, type=f.type) for c, f in zip(columns, fields, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def write_table(path: Path, rows: Sequence[Row], settings: RadiomicsSettings | Path) -> None:
    """Write rows as ``.parquet``, or as ``.csv`` with the settings beside it as JSON.

    Raises
    ------
    InputError
        Another ending.
    OutputError
        The place cannot be written.
    """
    from pyarrow import csv, parquet

    check_name(path)
    made, sink = to_arrow(rows, settings), io.BytesIO()
    if path.suffix == ".parquet":
        parquet.write_table(made, sink)
    else:
        csv.write_csv(made, sink)
        write_atomic(path.with_suffix(".json"), _told(settings) + "\n")
    write_atomic(path, sink.getvalue())


def check_name(path: Path) -> None:
    """Refuse a table that is neither Parquet nor CSV, before anything is computed."""
    if path.suffix not in (".parquet", ".csv"):
        got = repr(path.suffix) if path.suffix else "no ending"
        raise InputError("a table named .parquet or .csv", got=got, where="--out")


def _about(column: str) -> dict[str, str]:
    told = described(column)
    if told is None:
        return {}
    feature, way, _ = told
    return {"ibsi": feature.code, "aggregation": CODES.get(way, ""), "unit": feature.unit, "description": feature.says}


def _told(settings: RadiomicsSettings | Path) -> str:
    """Return settings as JSON; a parameter file as the text that it is, in JSON."""
    if isinstance(settings, Path):
        return json.dumps({"pyradiomics": settings.read_text(encoding="utf-8")}, indent=1)
    return settings.model_dump_json(indent=1)


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
