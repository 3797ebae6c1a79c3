"""CPU time and peak memory of the whole chain on one four-sequence study, against the house's limit.

Run with ``python benchmarks/chain_cost.py``; about a minute. The study is digital, 1 mm (240 x 240 x 155
voxels or near), so nobody's data are needed. The limit is 60 CPU-s and 4 GiB from images to report.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tumorboard.chain import run
from tumorboard.intake import IntakeRequest
from tumorboard.io.images import write_volume
from tumorboard.settings import RunSettings
from tumorboard.simulate.patient import digital_patient
from tumorboard.transform import resample
from tumorboard.volume import Grid

LIMIT_CPU_S, LIMIT_MIB = 60.0, 4096.0
SPACING_MM = 1.0


def write_study(folder: Path) -> tuple[int, int, int]:
    """Write the first study of a digital patient, made at 2 mm and resampled to 1 mm; return its shape."""
    study = digital_patient(seed=7).studies[0]
    for sequence, volume in study.volumes.items():
        factor = volume.spacing_mm[0] / SPACING_MM
        affine = volume.affine.copy()
        affine[:3, :3] /= factor
        i, j, k = (int(n * factor) for n in volume.grid.shape)
        fine = resample(volume, Grid((i, j, k), affine), "nearest")
        write_volume(fine, folder / f"{sequence.value}.nii.gz")
    return i, j, k


def main() -> None:
    """Print what each stage cost, and the ratio to the limit."""
    with tempfile.TemporaryDirectory() as place:
        given, out = Path(place) / "in", Path(place) / "out"
        given.mkdir()
        shape = write_study(given)
        done = run(IntakeRequest(inputs=(given,)), out, RunSettings(digital=True))
        stages = json.loads((done.folders[0].root / "provenance.json").read_text())["stages"]
    print(f"one digital four-sequence study, {' x '.join(map(str, shape))} voxels of {SPACING_MM:g} mm")
    for stage in stages:
        print(f"{stage['stage']:10}{stage['cost']['cpu_s']:8.1f} CPU-s{stage['cost']['peak_mib']:8.0f} MiB")
    total = sum(s["cost"]["cpu_s"] for s in stages)
    peak = max(s["cost"]["peak_mib"] for s in stages)
    print(f"sum {total:.1f} CPU-s = {total / LIMIT_CPU_S:.2f} of the limit; peak {peak / LIMIT_MIB:.2f} of the limit")


if __name__ == "__main__":
    main()
