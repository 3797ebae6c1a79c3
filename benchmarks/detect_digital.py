"""Detection of metastases on digital patients: sensitivity by size and false positives.

Run with ``python benchmarks/detect_digital.py [--patients 20] [--as-real] [--network FOLDER]``; some 30 CPU seconds a
patient. Template matching, the network and both joined read T1C alone, and T1C with black-blood, on the same cases, of
seeds that neither training nor calibration has; ``--network`` puts another bundle in the network's place. With
``--as-real`` noise is added until lesions stand out of it no more than the lesion of the real metastasis study does (in
``../shared/data``; its outline is by `fuzzy`, for it has none of its own). Published figures are printed as what they
are: another world's. In people lesions count that readers saw; digital ones count whether or not anything of them shows
in the images, so sensitivity is also printed by how far they stand out of their surroundings.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy import ndimage as ndi

from tumorboard.detect import detector_of
from tumorboard.detect.base import Detected
from tumorboard.detect.joined import joined
from tumorboard.io.images import read_volume
from tumorboard.learn.holdout import HeldOut, held_out
from tumorboard.metrics.maps.detection import Case, Found, Hits, match
from tumorboard.metrics.maps.froc import froc_of
from tumorboard.prepare.prepare import prepare
from tumorboard.segment.named import segmenter_of
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.subject import Kind
from tumorboard.study import Study

SEED = 600
RATE = 0.6
RATES = (0.25, RATE, 1.0, 2.0)
REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "tumour" / "brainlesion-MET-00110-000"
CONTRASTS = ((5.0, np.inf), (3.0, 5.0), (0.0, 3.0))
"""Classes of :func:`standing_out`; things below about 5 are not seen reliably: Rose A, J Opt Soc Am 1948;38:196-208."""

METHODS = ("template", "metastases", "joined")
GIVEN: dict[str, tuple[Sequence, ...]] = {
    "T1C": (Sequence.T1C,),
    "T1C + BB": (Sequence.T1C, Sequence.BB),  # the template takes BB where that is there
}
PUBLISHED = """Published, on patients, by their authors (not comparable: other lesions, other scanners):
  B1 Park 2021, 3-D U-Net, GRE + black-blood: 93.1 % (82.4 % < 3 mm, 93.2 % 3-10 mm, 100 % > 10 mm) at 0.59 FP;
     GRE alone 76.8 %
  B2 Xue 2019, cascaded networks, GRE: 96 % (lesions > 5 mm)
  B3 Zhou 2020, single-shot detector: 81 % at 6 FP (15 % < 3 mm)
  B4 Perez-Ramirez 2016, template matching as an aid to readers: 89.83 % to 100 %"""


def noise_of(image: NDArray[np.float32], brain: NDArray[np.bool_]) -> float:
    """Return the standard deviation of noise, from second differences of neighbours, robustly."""
    second = image[2:] - 2 * image[1:-1] + image[:-2]
    inside = brain[2:] & brain[1:-1] & brain[:-2]
    return float(1.4826 * np.median(np.abs(second[inside])) / np.sqrt(6.0))


def contrast_to_noise(study: Study, lesion: NDArray[np.bool_]) -> float:
    """Return how far a lesion stands out of the brain on T1C, in standard deviations of noise."""
    image = np.asarray(study.volumes[Sequence.T1C].data, dtype=np.float32)
    return float(np.median(image[lesion]) - np.median(image[study.brain])) / noise_of(image, study.brain)


def standing_out(study: Study, lesions: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Return how far each lesion's brightest tenth is above its surroundings, in their robust standard deviations.

    Surroundings are brain of 2 to 4 voxels away without lesion, so that vessels and cortex count as what they are. Of
    several images the best counts. Lesions are in the order of their numbers.
    """
    told = []
    for number, box in enumerate(ndi.find_objects(lesions), start=1):
        if box is None:
            continue
        wide = tuple(slice(max(0, b.start - 4), b.stop + 4) for b in box)
        own = lesions[wide] == number
        shell = ndi.binary_dilation(own, iterations=4) & ~ndi.binary_dilation(own) & study.brain[wide]
        shell &= lesions[wide] == 0
        told.append(max((_above(v.data[wide], own, shell) for v in study.volumes.values()), default=0.0))
    return np.array(told)


def _above(image: NDArray[np.float32], own: NDArray[np.bool_], shell: NDArray[np.bool_]) -> float:
    if not shell.any():
        return 0.0
    middle = np.median(image[shell])
    spread = 1.4826 * np.median(np.abs(image[shell] - middle))
    return float(max(np.percentile(image[own], 90) - middle, 0.0) / max(float(spread), 1e-6))


def real_ratio() -> float | None:
    """Return the contrast-to-noise ratio of the real study's enhancing tumour, or None where it is absent."""
    if not REAL.is_dir():
        return None
    words = {Sequence.T1: "t1n", Sequence.T1C: "t1c", Sequence.T2: "t2w", Sequence.FLAIR: "t2f"}
    paths = {s: next((p for p in sorted(REAL.glob("*.nii.gz")) if words[s] in p.name.lower()), None) for s in USED}
    volumes = {s: read_volume(p, s.value) for s, p in paths.items() if p is not None}
    study = prepare("real", volumes).study
    enhancing = segmenter_of("fuzzy").segment(study).labels.region("ET")
    return contrast_to_noise(study, enhancing)


def noisier(case: HeldOut, wanted: float, seed: int) -> HeldOut:
    """Return a case with noise added until its median lesion has the wanted contrast-to-noise ratio."""
    if case.lesions is None or not case.lesions.any():
        return case
    own = contrast_to_noise(case.study, case.lesions > 0)
    rng, volumes = np.random.default_rng(seed), {}
    for sequence, volume in case.study.volumes.items():
        image = np.asarray(volume.data, dtype=np.float32)
        extra = noise_of(image, case.study.brain) * np.sqrt(max((own / wanted) ** 2 - 1.0, 0.0))
        noise = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(extra)
        volumes[sequence] = volume.with_data(np.where(case.study.brain, image + noise, image))
    return replace(case, study=replace(case.study, volumes=volumes))


def judged(found: Detected, case: HeldOut) -> Hits:
    """Return what detections hit."""
    told = tuple(Found(d.score, number=d.number) for d in found.found)
    return match(Case(case.lesions, case.study.grid, told, found.numbers.data))


def cases(patients: int, wanted: float | None) -> Iterator[HeldOut]:
    """Yield hold-out patients with metastases, with noise where a ratio is wanted."""
    made = held_out(SEED, patients, Kind.METASTASES, extras=(Sequence.BB,))
    for n, case in enumerate(track(made, total=patients, description="digital patients")):
        yield case if wanted is None else noisier(case, wanted, n)


def part_of(hits: Hits, contrasts: NDArray[np.float64], band: tuple[float, float]) -> Hits:
    """Return a patient's hits with lesions of a class of contrast only; false alarms stay."""
    among = (contrasts >= band[0]) & (contrasts < band[1])
    return Hits(hits.diameters_mm[among], hits.scores[among], hits.false_scores)


def by_contrast(rows: list[Hits], contrasts: list[NDArray[np.float64]]) -> None:
    """Print sensitivity by how far lesions stand out of their surroundings."""
    for band in CONTRASTS:
        name = f"{band[0]:g} to {band[1]:g}" if np.isfinite(band[1]) else f"{band[0]:g} and above"
        among = [part_of(hits, own, band) for hits, own in zip(rows, contrasts, strict=True)]
        told = [(c, c.sensitivity_at(RATE)) for c in froc_of(among).curves]
        read = "; ".join(f"{c.size} {100 * value:.1f} % (n {c.lesions})" for c, value in told if value is not None)
        print(f"  contrast {name}, at {RATE:g} FP: {read or '-'}")


def table(
    name: str, rows: list[Hits], at_point: list[tuple[int, int, int]], contrasts: list[NDArray[np.float64]]
) -> None:
    """Print sensitivity by size at several rates, what the operating point gives, and sensitivity by contrast."""
    told = froc_of(rows)
    lesions = sum(curve.lesions for curve in told.curves[1:])
    print(f"\n{name}: {told.patients} patients, {lesions} metastases")
    for curve in told.curves:
        read = "  ".join(
            f"{rate:g} FP: {100 * value:5.1f} %" for rate in RATES if (value := curve.sensitivity_at(rate)) is not None
        )
        print(f"  {curve.size:9} n {curve.lesions:4d}   {read}")
    hit, all_of, wrong = (sum(column) for column in zip(*at_point, strict=True))
    print(f"  at the operating point: {100 * hit / max(all_of, 1):.1f} % at {wrong / len(rows):.2f} FP a patient")
    by_contrast(rows, contrasts)


def at_operating_point(found: Detected, case: HeldOut) -> tuple[int, int, int]:
    """Return lesions found, lesions, and false positives."""
    kept = [d.number for d in found.reported()]
    part = np.where(np.isin(found.numbers.data, kept), found.numbers.data, 0)
    every = set(np.unique(case.lesions).tolist()) - {0}
    hit = set(np.unique(case.lesions[part > 0]).tolist()) - {0}
    right = set(np.unique(part[case.lesions > 0]).tolist()) - {0}
    return len(hit), len(every), len(set(kept) - right)


def found_by(study: Study, network: str) -> dict[str, Detected]:
    """Return what each method finds; what both of a pair found is not looked for again."""
    found = {name: detector_of(network if network and name == "metastases" else name) for name in METHODS[:2]}
    told = {name: method.detect(study) for name, method in found.items()}
    card = detector_of("joined").card
    return told | {"joined": joined(told["metastases"], told["template"], study, card)}


def main(patients: int, as_real: bool, network: str) -> None:
    """Print everything."""
    wanted = real_ratio() if as_real else None
    if as_real:
        print("the real study is absent (../shared/data)" if wanted is None else f"ratio of the real one: {wanted:.1f}")
    rows: dict[str, list[Hits]] = {}
    points: dict[str, list[tuple[int, int, int]]] = {}
    contrasts: dict[str, list[NDArray[np.float64]]] = {given: [] for given in GIVEN}
    ratios = []
    for case in cases(patients, wanted):
        ratios.append(contrast_to_noise(case.study, case.lesions > 0) if case.lesions.any() else np.nan)
        for given, used in GIVEN.items():
            kept = {s: v for s, v in case.study.volumes.items() if s in used}
            study = replace(case.study, volumes=kept)
            contrasts[given].append(standing_out(study, case.lesions))
            for method, found in found_by(study, network).items():
                rows.setdefault(f"{method}, {given}", []).append(judged(found, case))
                points.setdefault(f"{method}, {given}", []).append(at_operating_point(found, case))
    print(f"contrast-to-noise ratio of digital lesions on T1C, median over patients: {np.nanmedian(ratios):.1f}")
    for name, told in rows.items():
        table(name, told, points[name], contrasts[name.partition(", ")[2]])
    print("\n" + PUBLISHED)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--patients", type=int, default=20)
    asked.add_argument("--as-real", action="store_true")
    asked.add_argument("--network", default="", help="folder of a bundle that detects")
    given = asked.parse_args()
    main(given.patients, given.as_real, given.network)
