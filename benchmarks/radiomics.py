"""What radiomics costs, beside PyRadiomics, flash-radiomics and MIRP, and whether the values are PyRadiomics'.

Run with ``python benchmarks/radiomics.py --pyradiomics PYTHON --flash PYTHON --mirp PYTHON``; some minutes with all of
them, seconds without. Each PYTHON is one that has the package, in an environment of its own; tumorboard needs none of
them. A package whose Python is not given is left out, and told how to get.

All packages read the same files: a region made here in a head of 240 x 240 x 155 voxels of 1 mm, 64 grey levels, the
same 107 features of each image as far as they have them (MIRP computes more of shape), one process each, one thread.
CPU seconds are those of the process and its children: until it is ready (imports, reading), of the first extraction,
and of later ones in the same process (the least of them), which is what a case of a cohort costs. Our first extraction
loads compiled kernels. MIRP reads the files in its extraction. Memory is what the process holds at most, less what it
held before the first extraction.

``--scaling`` prints how costs grow with the region and the number of filters, and ``--plot FILE.png`` draws it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import ndimage

from tumorboard.io.images import write_volume
from tumorboard.radiomics.pyradiomics.names import CLASSES
from tumorboard.volume import Volume

DRIVER = Path(__file__).resolve().parent / "peers" / "radiomics_driver.py"
BRAINS = Path(__file__).resolve().parents[2] / "shared" / "data" / "radiomics"
SHAPE, BINS, SIGMA = (240, 240, 155), 64, [1.0, 2.0, 3.0]
NEAR, NOTHING = 1e-6, 1e-9
"""Relative difference up to which two values are equal, and absolute one: means of bands are 0 but for rounding."""

INSTALL = {
    "pyradiomics": "pip install numpy SimpleITK PyWavelets pykwalify six && pip install --no-build-isolation "
    "pyradiomics==3.0.1",
    "flash": "pip install numpy h5py SimpleITK pykwalify PyWavelets scipy scikit-image scikit-learn trimesh "
    "flash-radiomics==1.0.0",
    "mirp": "pip install mirp==2.7.0",
}
RUNS = {"tumorboard": 5, "pyradiomics": 3, "flash": 3, "mirp": 1}
ONE_THREAD = {
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")},
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1",
}
Values = Mapping[str, float]


@dataclass(frozen=True)
class Told:
    """What the driver said of one package."""

    version: str
    ready_s: float
    cpu_s: list[float]
    mb: float
    values: Values

    @property
    def later_s(self) -> float:
        """CPU seconds of a later extraction; of the first where there was no other."""
        return min(self.cpu_s[1:] or self.cpu_s)


@dataclass(frozen=True)
class Bench:
    """Packages, and a folder for cases."""

    pythons: Mapping[str, str]
    folder: Path
    made: dict[float, tuple[Path, Path]] = field(default_factory=dict)

    def case(self, ml: float) -> tuple[Path, Path]:
        """Return the files of image and mask of a region of some mL."""
        if ml not in self.made:
            paths = self.folder / f"image-{ml:g}.nii.gz", self.folder / f"mask-{ml:g}.nii.gz"
            for volume, path in zip(head(ml), paths, strict=True):
                write_volume(volume, path)
            self.made[ml] = paths
        return self.made[ml]

    def told(
        self,
        package: str,
        case: tuple[Path, Path],
        *,
        sigma: list[float] | None = None,
        wavelet: bool = False,
        bins: int | None = BINS,
        runs: int = 1,
        cache: Path | None = None,
    ) -> Told:
        """Let a package extract in its own process.

        Raises
        ------
        SystemExit
            It failed; its last lines are shown.
        """
        asked = self.folder / "asked.json"
        given = {"image": str(case[0]), "mask": str(case[1]), "sigma": sigma or [], "wavelet": wavelet}
        asked.write_text(json.dumps(given | {"bins": bins, "runs": runs}))
        environment = os.environ | ONE_THREAD | ({"NUMBA_CACHE_DIR": str(cache)} if cache else {})
        words = [self.pythons[package], str(DRIVER), package, str(asked)]
        ended = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
        if ended.returncode:
            raise SystemExit(f"{package} failed; its last lines:\n{ended.stderr[-3000:]}")
        found = json.loads(asked.with_suffix(f".{package}.json").read_text())
        return Told(
            found["version"], found["ready_s"], [run["cpu_s"] for run in found["runs"]], found["mb"], found["values"]
        )


def head(ml: float) -> tuple[Volume, Volume]:
    """Return a head of noise on two scales with a brighter, rough region of some mL in it, as whole numbers."""
    rng = np.random.default_rng(820)
    fine, coarse = (ndimage.gaussian_filter(rng.normal(size=SHAPE), width) for width in (1.0, 6.0))
    fine, coarse = fine / fine.std(), coarse / coarse.std()
    i, j, k = (n - size / 2 for n, size in zip(np.indices(SHAPE, dtype=np.float32), SHAPE, strict=True))
    inside = (i / 75) ** 2 + (j / 95) ** 2 + (k / 65) ** 2 < 1
    away = np.sqrt((i - 18) ** 2 + ((j + 12) / 1.25) ** 2 + ((k - 7) / 0.85) ** 2) + 4 * coarse + fine
    away[~inside] = np.inf
    mask = away < np.partition(away.ravel(), int(ml * 1000))[int(ml * 1000)]
    image = np.where(inside, np.clip(500 + 120 * coarse + 60 * fine + 200 * mask, 1, None), 0)
    return Volume.of(image.astype(np.int16), np.eye(4)), Volume.of(mask.astype(np.uint8), np.eye(4))


def equal(ours: Values, theirs: Values) -> list[str]:
    """Return the names of values of both that differ."""
    return [
        name
        for name in sorted(ours.keys() & theirs.keys())
        if not math.isclose(ours[name], theirs[name], rel_tol=NEAR, abs_tol=NOTHING)
        and not (math.isnan(ours[name]) and math.isnan(theirs[name]))
    ]


def by_our_names(package: str, values: Values) -> Values:
    """Return the values of MIRP's unfiltered image by PyRadiomics' names; those of others as they are."""
    if package != "mirp":
        return values
    plain = {}
    for name, value in values.items():
        for part in (f"_fbn_n{BINS}", "_d1", "_a0.0"):
            name = name.replace(part, "")  # noqa: PLW2901
        plain[name] = value
    tags = {f"original_{kind}_{n}": tag.lower() for kind, names in CLASSES.items() for n, tag in names.items()}
    return {name: plain[tag] for name, tag in tags.items() if tag in plain}


def cost(bench: Bench, ml: float) -> None:
    """Print what every package costs, and how many of its values are equal to PyRadiomics'."""
    case = bench.case(ml)
    print(f"\n{ml:g} mL, {BINS} grey levels; ratio: CPU of PyRadiomics by this; equal: to PyRadiomics, by name")
    columns = f"{'CPU-s ready':>12s}{'first':>9s}{'later':>9s}{'ratio first':>13s}{'later':>8s}{'MB':>8s}{'values':>8s}"
    print(f"{'':28s}{columns}  equal")
    for title, filters in (("original", {}), ("and LoG 1, 2, 3 mm, wavelet", {"sigma": SIGMA, "wavelet": True})):
        print(title)
        peer: Told | None = None
        for package in ("pyradiomics", *(p for p in bench.pythons if p != "pyradiomics")):
            if package not in bench.pythons:
                continue
            told = bench.told(package, case, **filters, runs=RUNS[package])
            peer = told if package == "pyradiomics" else peer
            print(cost_row(package, told, peer), flush=True)


def cost_row(package: str, told: Told, peer: Told | None) -> str:
    """Return a line of the table of costs."""
    name, later = f"  {package} {told.version}", f"{told.later_s:.3f}" if len(told.cpu_s) > 1 else ""
    row = f"{name:28s}{told.ready_s:12.2f}{told.cpu_s[0]:9.3f}{later:>9s}"
    if peer is None:
        return f"{row}{'':21s}{told.mb:8.0f}{len(told.values):8d}"
    row += f"{peer.cpu_s[0] / told.cpu_s[0]:13.1f}{peer.later_s / told.later_s:8.1f}{told.mb:8.0f}{len(told.values):8d}"
    theirs = by_our_names(package, told.values)
    common = theirs.keys() & peer.values.keys()
    wrong = equal(theirs, peer.values)
    shown = [name.removeprefix("original_") for name in wrong[:3]]
    told_wrong = f"; not {', '.join(shown)}{' …' if len(wrong) > 3 else ''}" if wrong else ""
    return f"{row}  {len(common) - len(wrong)} of {len(common)}{told_wrong}"


def cases(bench: Bench) -> Iterator[tuple[str, tuple[Path, Path], int | None]]:
    """Yield what values are compared on."""
    for ml in (5.0, 100.0):
        yield f"made here, {ml:g} mL, {BINS} levels", bench.case(ml), BINS
        yield f"made here, {ml:g} mL, width 25", bench.case(ml), None
    for name in ("brain1", "brain2"):
        if BRAINS.is_dir():
            files = BRAINS / f"{name}_image.nrrd", BRAINS / f"{name}_label.nrrd"
            yield f"PyRadiomics' {name}, width 25", files, None


def equality(bench: Bench) -> None:
    """Print how many values are PyRadiomics', by class."""
    print(f"\nvalues equal to PyRadiomics' within {NEAR:g}, original with LoG and wavelet")
    print(f"{'':34s}" + "".join(f"{kind:>12s}" for kind in (*CLASSES, "all")))
    for name, case, bins in cases(bench):
        ours, theirs = (
            bench.told(package, case, sigma=SIGMA, wavelet=True, bins=bins).values
            for package in ("tumorboard", "pyradiomics")
        )
        assert list(ours) == list(theirs)
        wrong = equal(ours, theirs)
        cells = []
        for kind in (*CLASSES, ""):
            every, off = ([n for n in names if f"_{kind}" in n] for names in (ours, wrong))
            cells.append(f"{len(every) - len(off)}/{len(every)}")
        print(f"{name:34s}" + "".join(f"{cell:>12s}" for cell in cells), flush=True)
        for each in wrong:
            print(f"  {each}: {ours[each]!r}, PyRadiomics {theirs[each]!r}")


def after_installation(bench: Bench) -> None:
    """Print what the first extraction after an installation costs, when kernels are compiled."""
    case = bench.case(100.0)
    with TemporaryDirectory() as cache:
        for title in ("first extraction after installation", "first extraction of a later process"):
            told = bench.told("tumorboard", case, sigma=SIGMA, wavelet=True, cache=Path(cache))
            print(f"{title:40s}{told.cpu_s[0]:8.2f} CPU-s")


def scaling(bench: Bench, plot: Path | None) -> None:
    """Print, and draw, how costs grow."""
    shown = [package for package in ("tumorboard", "pyradiomics") if package in bench.pythons]
    by_ml = {ml: [bench.told(p, bench.case(ml), runs=3).later_s for p in shown] for ml in (1, 5, 20, 100, 200, 400)}
    by_count = {}
    for count in (1, 2, 5, 10, 20):
        sigma = [round(float(s), 2) for s in np.linspace(1, 3, count)]
        told = [bench.told(p, bench.case(100.0), sigma=sigma, runs=2 if p == "tumorboard" else 1) for p in shown]
        by_count[count] = [t.later_s for t in told]
    for title, found in (("mL, original", by_ml), ("LoG filters, 100 mL", by_count)):
        print(f"\n{title:20s}" + "".join(f"{package:>14s}" for package in shown) + "   CPU-s")
        for n, seconds in found.items():
            print(f"{n:<20}" + "".join(f"{s:14.3f}" for s in seconds))
    if plot is not None:
        draw(plot, shown, {"region (mL), original image": by_ml, "LoG filters, 100 mL": by_count})


def draw(path: Path, shown: list[str], panels: Mapping[str, Mapping[int, list[float]]]) -> None:
    """Draw costs on logarithmic axes."""
    figure = Figure(figsize=(7.2, 2.9), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True)
    for axis, (title, found) in zip(axes, panels.items(), strict=True):
        for n, package in enumerate(shown):
            axis.loglog(list(found), [s[n] for s in found.values()], marker="o", markersize=4, label=package)
        axis.set_xticks(list(found), [str(n) for n in found])
        axis.set_xlabel(title)
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("CPU seconds")
    axes[0].legend(frameon=False)
    figure.savefig(path, dpi=100)


def packages(given: argparse.Namespace) -> dict[str, str]:
    """Return the Pythons that were given, ours first; say how to get the others."""
    pythons = {"tumorboard": sys.executable}
    for name, install in INSTALL.items():
        python: Any = getattr(given, name)
        if python is None:
            print(f"{name} is left out: make an environment for it (python -m venv X && X/bin/{install})")
            print(f"  and give --{name} X/bin/python")
        else:
            pythons[name] = str(Path(python).absolute())
    return pythons


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Cost and equality of radiomics.")
    for name in INSTALL:
        parser.add_argument(f"--{name}", metavar="PYTHON", help=f"a Python that has {name}")
    parser.add_argument("--scaling", action="store_true", help="how costs grow, instead")
    parser.add_argument("--plot", type=Path, help="draw that as a PNG")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        bench = Bench(packages(given), Path(folder))
        if given.scaling:
            scaling(bench, given.plot)
            return
        cost(bench, 100.0)
        if "pyradiomics" in bench.pythons:
            equality(bench)
        print()
        after_installation(bench)


if __name__ == "__main__":
    main()
