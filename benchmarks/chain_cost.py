"""CPU time and peak memory of the whole chain on one study, against the house's limits.

Run with ``python benchmarks/chain_cost.py``; about five minutes. The studies are digital, so nobody's data are
needed: one prepared, of 1 mm (240 x 240 x 155 voxels or near), limit 60 CPU-s; and two of native heads from DICOM,
as departments acquire them, limit 180 CPU-s. All: at most 4 GiB. From images to report and objects.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorboard.chain import run
from tumorboard.intake import IntakeRequest
from tumorboard.io.images import write_volume
from tumorboard.settings import RunSettings
from tumorboard.simulate.files.dicom_tree import write_digital_dicom
from tumorboard.simulate.native import native_patient
from tumorboard.simulate.patient import digital_patient
from tumorboard.transform import resample
from tumorboard.volume import Grid

LIMIT_MIB = 4096.0
SPACING_MM = 1.0


@dataclass(frozen=True)
class Kind:
    """A kind of study, and how much CPU time it may take."""

    name: str
    limit_cpu_s: float
    protocol: str = ""


KINDS = (
    Kind("prepared, 1 mm", 60.0),
    Kind("native heads, mixed 2-D", 180.0, "mixed"),
    Kind("native heads, 3-D 1 mm", 180.0, "3d"),
)


def write_prepared(folder: Path) -> None:
    """Write the first study of a digital patient, made at 2 mm and resampled to 1 mm."""
    study = digital_patient(seed=7).studies[0]
    for sequence, volume in study.volumes.items():
        factor = volume.spacing_mm[0] / SPACING_MM
        affine = volume.affine.copy()
        affine[:3, :3] /= factor
        i, j, k = (int(n * factor) for n in volume.grid.shape)
        fine = resample(volume, Grid((i, j, k), affine), "nearest")
        write_volume(fine, folder / f"{sequence.value}.nii.gz")


def stages_of(kind: Kind) -> list[dict[str, Any]]:
    """Write a study, run the chain on it, and return what each stage cost."""
    with tempfile.TemporaryDirectory() as place:
        given, out = Path(place) / "in", Path(place) / "out"
        given.mkdir()
        if kind.protocol:
            write_digital_dicom(native_patient(seed=7, protocol=kind.protocol, studies=1), given)
            given /= "dicom"
        else:
            write_prepared(given)
        done = run(IntakeRequest(inputs=(given,)), out, RunSettings(digital=True))
        stages: list[dict[str, Any]] = json.loads((done.folders[0].root / "provenance.json").read_text())["stages"]
    return stages


def main() -> None:
    """Print what each stage cost, and the ratio to the limits; the peak is that of this process so far."""
    for kind in KINDS:
        print(f"one digital study: {kind.name}")
        costs = [(str(s["stage"]), dict(s["cost"])) for s in stages_of(kind)]
        for stage, cost in costs:
            print(f"  {stage:10}{cost['cpu_s']:8.1f} CPU-s{cost['peak_mib']:8.0f} MiB")
        total, peak = sum(c["cpu_s"] for _, c in costs), max(c["peak_mib"] for _, c in costs)
        print(
            f"  sum {total:.1f} CPU-s = {total / kind.limit_cpu_s:.2f} of the limit of {kind.limit_cpu_s:g}; "
            f"peak {peak / LIMIT_MIB:.2f} of the limit",
            flush=True,
        )


if __name__ == "__main__":
    main()
