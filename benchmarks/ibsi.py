"""All reference values of IBSI-1 and the feature values of IBSI-2 beside ours: value, reference, tolerance, status.

Run with ``python benchmarks/ibsi.py [--all] [--out FILE.csv]``; a minute. It needs the standard's phantoms and
reference values in ``../shared/data/ibsi`` (they are published at https://github.com/theibsi). Misses are listed, all
values with ``--all``; the last line counts them.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

from tumorboard.io.images import read_volume
from tumorboard.radiomics.extract import extract
from tumorboard.radiomics.reference import CHEST, CHEST_FILTERS, DIGITAL, Judged, judged, judged_filters
from tumorboard.volume import Volume

HOME = Path(__file__).resolve().parents[2] / "shared" / "data" / "ibsi"
CHEST_PHANTOM = "ibsi_1_ct_radiomics_phantom"


def phantom(name: str) -> tuple[Volume, Volume]:
    """Return image and mask of a phantom."""
    nifti = HOME / name / "nifti"
    return read_volume(nifti / "image" / "phantom.nii.gz"), read_volume(nifti / "mask" / "mask.nii.gz")


def configurations() -> Iterator[tuple[str, list[Judged]]]:
    """Yield every configuration with its values."""
    tables = HOME / "ibsi1-reference-values"
    found = extract(*phantom("ibsi_1_digital_phantom"), DIGITAL).values
    yield "IBSI-1 digital phantom", judged(found, tables / "ibsi_1_dig_phantom.csv")
    image, mask = phantom(CHEST_PHANTOM)
    for name, settings in CHEST.items():
        found = extract(image, mask, settings).values
        yield f"IBSI-1 chest phantom, {name.upper()}", judged(found, tables / f"ibsi_1_chest_config_{name}.csv")
    path = HOME / "ibsi2-reference-values" / "reference_feature_values" / "reference_values.csv"
    for name, settings in CHEST_FILTERS.items():
        yield f"IBSI-2 chest phantom, {name}", judged_filters(extract(image, mask, settings).values, path, name)


def main(everything: bool, out: Path | None) -> None:
    """Print what was found."""
    if not HOME.is_dir():
        print("the standard's phantoms are absent (../shared/data/ibsi)")
        return
    values = misses = 0
    table: list[tuple[str, Judged]] = []
    for name, rows in configurations():
        missed = [row for row in rows if not row.holds]
        print(f"{name}: {len(rows)} values, {len(missed)} misses", flush=True)
        for row in rows if everything else missed:
            status = "ok" if row.holds else "MISS"
            print(f"  {row.tag:32} {row.value:12.6g}  reference {row.reference:g} within {row.tolerance:g}  {status}")
        values, misses = values + len(rows), misses + len(missed)
        table += [(name, row) for row in rows]
    if out is not None:
        with out.open("w", newline="", encoding="utf-8") as stream:
            lines = [(n, r.tag, r.value, r.reference, r.tolerance, "ok" if r.holds else "miss") for n, r in table]
            header = ("configuration", "tag", "value", "reference", "tolerance", "status")
            csv.writer(stream).writerows([header, *lines])
    print(f"in all: {values} values, {misses} misses")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="list every value, not only misses")
    parser.add_argument("--out", type=Path, help="write the table as CSV")
    told = parser.parse_args()
    main(told.all, told.out)
