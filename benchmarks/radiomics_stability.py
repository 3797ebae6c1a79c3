"""Which radiomics features stay what they are when a digital glioma is scanned, laid or outlined again.

Run with ``python benchmarks/radiomics_stability.py [--patients 20] [--spacing 2] [--repeats 5] [--table FILE.csv]``;
``--patients 6`` takes less than a minute. Tumour core on T1C, settings ``mri`` on the patients' own voxel size. Scanned
again: noise, receive field and gain of the site are drawn anew, then the head lies otherwise too; outlines are the
truth. Perturbed: one scan, turned, shifted, noisier and outlined again (see tumorboard.radiomics.stability), singly and
chained. ICC(1,1); 0.75 is called stable. The last lines say how far perturbing one scan foretells scanning twice.

Digital tumours differ less in texture than real ones, and digital scanners less than real ones: the figures tell
features apart, and how the tools agree. They are none of people.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from tumorboard.radiomics.extract import extract
from tumorboard.radiomics.families import FAMILIES
from tumorboard.radiomics.presets import preset
from tumorboard.radiomics.settings import Interpolation, RadiomicsSettings
from tumorboard.radiomics.stability import Icc, Ranges, icc_table, repeated, stable
from tumorboard.sequences import Sequence
from tumorboard.simulate.scanner.render import acquired, clean_signals
from tumorboard.simulate.scanner.sites import sliced
from tumorboard.simulate.scanner.weighting import PROTOCOLS
from tumorboard.simulate.subject import Kind, Made, Member, draw_member, studies
from tumorboard.volume import Volume

SEED, SITES, FEWEST_ML, LEAST = 930_000, 2, 1.0, 0.75
OFF = {"rotation_deg": 0.0, "shift": 0.0, "noise": 0.0, "growth": 0.0, "contour_mm": 0.0}
KINDS = {
    "turned, shifted": Ranges(**{**OFF, "rotation_deg": 10.0, "shift": 1.0}),
    "noise": Ranges(**{**OFF, "noise": 1.0}),
    "volume": Ranges(**{**OFF, "growth": 0.15}),
    "outline": Ranges(**{**OFF, "contour_mm": 1.0}),
    "all chained": Ranges(),
}
MOVED = Ranges(**{**OFF, "rotation_deg": 5.0, "shift": 1.0})
Values = Mapping[str, float]


def patients(count: int, spacing_mm: float) -> Iterator[tuple[Member, Made]]:
    """Yield digital gliomas with a core of some size."""
    number, found = 0, 0
    while found < count:
        member = draw_member(SEED, number, Kind.GLIOMA, SITES, 1)
        made = next(studies(SEED, member, spacing_mm))
        number += 1
        if made.truth.volume_ml("TC") >= FEWEST_ML and Sequence.T1C in made.volumes:
            found += 1
            yield member, made


def rescans(member: Member, made: Made, repeats: int, rng: np.random.Generator) -> list[Volume]:
    """Scan a patient again and again: nothing but the scanner's chance differs."""
    site = member.site
    clean = clean_signals(made.mixture, PROTOCOLS[site.protocol], [Sequence.T1C])[Sequence.T1C]
    clean = sliced(clean, made.mixture.grid, site.slice_mm.get(Sequence.T1C, 0.0))
    grid, brain = made.mixture.grid, made.head.brain
    return [acquired(clean, grid, brain, float(rng.uniform(0.8, 1.25)), rng, site.scan) for _ in range(repeats)]


def measured(
    member: Member, made: Made, how: RadiomicsSettings, repeats: int, rng: np.random.Generator
) -> dict[str, list[Values]]:
    """Return the features of every repeat of a patient, by what was repeated."""
    scans = rescans(member, made, repeats, rng)
    mask = scans[0].with_data(made.truth.region("TC").astype(np.uint8))
    found = {
        "scanned again": [extract(scan, mask, how).values for scan in scans],
        "and laid again": [repeated(scan, mask, how, rng, MOVED, 1)[0] for scan in scans],
    }
    return found | {kind: repeated(scans[0], mask, how, rng, ranges, repeats) for kind, ranges in KINDS.items()}


def family_of(name: str) -> str:
    prefix = name.partition(".")[2].partition("_")[0]
    return next(f.name for f in FAMILIES.values() if f.prefix == prefix)


def show(tables: Mapping[str, Mapping[str, Icc]]) -> None:
    """Print the median correlation of each family, and the share of its features that are stable."""
    print(f"\nmedian ICC(1,1), and share of features from {LEAST}\n{'':18s}" + "".join(f"{k:>17s}" for k in tables))
    names = list(next(iter(tables.values())))
    for family in (*dict.fromkeys(map(family_of, names)), "all"):
        of = [n for n in names if family in (family_of(n), "all")]
        cells = []
        for table in tables.values():
            values = np.array([table[n].value for n in of])
            values = values[np.isfinite(values)]
            cells.append(f"{np.median(values):8.2f} {(values >= LEAST).mean():6.0%}" if len(values) else "-")
        print(f"{family:14s}{len(of):4d}" + "".join(f"{c:>17s}" for c in cells))


def foretold(tables: Mapping[str, Mapping[str, Icc]]) -> None:
    """Print how far features that perturbations call stable are so when the patient is scanned again."""
    truth = set(stable(tables["and laid again"], LEAST))
    known = {n for n, one in tables["and laid again"].items() if np.isfinite(one.value)}
    print(f"\n{len(truth)} of {len(known)} features are stable when scanned and laid again; perturbations call stable:")
    for kind in KINDS:
        called = set(stable(tables[kind], LEAST)) & known
        wrong, missed = len(called - truth), len(truth - called)
        print(
            f"  {kind:16s}{len(called):5d}, of which {wrong:3d} are not; {missed:3d} that are stable are not called so"
        )


def write(path: Path, tables: Mapping[str, Mapping[str, Icc]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["feature", "repeated", "icc", "low", "high", "subjects", "repeats"])
        for kind, table in tables.items():
            for name, one in table.items():
                out.writerow([name, kind, one.value, one.low, one.high, one.subjects, one.repeats])


def main() -> None:
    parser = argparse.ArgumentParser(description="Stability of radiomics features on digital gliomas.")
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--spacing", type=float, default=2.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--table", type=Path)
    wanted = parser.parse_args()
    own = Interpolation(spacing_mm=(wanted.spacing,) * 3)
    how = preset("mri").model_copy(update={"interpolation": own})
    subjects, began, drawn = [], time.process_time(), 0.0
    start = time.process_time()
    for n, (member, made) in enumerate(patients(wanted.patients, wanted.spacing)):
        drawn += time.process_time() - start
        subjects.append(measured(member, made, how, wanted.repeats, np.random.default_rng([SEED, n])))
        start = time.process_time()
    tables = {kind: icc_table([s[kind] for s in subjects]) for kind in subjects[0]}
    print(
        f"{len(subjects)} digital gliomas at {wanted.spacing:g} mm, {wanted.repeats} repeats of each kind, seed {SEED}"
    )
    spent = time.process_time() - began
    print(f"CPU {spent:.0f} s, of which {drawn:.0f} s to make the patients")
    show(tables)
    foretold(tables)
    if wanted.table:
        write(wanted.table, tables)


if __name__ == "__main__":
    main()
