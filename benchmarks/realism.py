"""How like patients are digital ones? Volumes, shapes, contrasts and histograms beside public tables and cases.

Run with ``python benchmarks/realism.py [--pictures FOLDER]``; some fifteen minutes. Real figures come from tables of
UPENN-GBM (59 glioblastomas with features of their regions) and UCSF-PDGM (501 gliomas; both CC BY 4.0) and from single
cases, and are read where they are present (../shared/data). Tissue of digital tumours, its spread within and
between patients, and how long tumours are, were set while looking at these tables (see scanner/matter.py): the figures
say how far that got, not how an unseen hospital would compare.

A distance is the Frechet distance of two normal distributions, sqrt((m1 - m2)^2 + (s1 - s2)^2), in units of the real
spread. Real to real is the median over 200 splits of the real patients into halves; digital to real compares as many
digital patients with a half.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tumorboard.io.images import read_volume
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.person.people import Diagnosis
from tumorboard.simulate.scanner.maps import EXTRAS
from tumorboard.simulate.subject import Kind, Made, draw_member, studies
from tumorboard.volume import box_around

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SEED, GLIOBLASTOMAS, SPLITS, SPACING_MM = 4242, 60, 200, 1.0
SITES = 2  # the first two are at 3 T, as UPENN's
REGIONS = {"ED": 2, "ET": 3, "NC": 1}
NAMES = {Sequence.T1: "T1", Sequence.T1C: "T1GD", Sequence.T2: "T2", Sequence.FLAIR: "FLAIR"}
SERIES = {Sequence.FA: "DTI_FA", Sequence.ADC: "DTI_TR", Sequence.CBV: "DSC_ap-rCBV"}
MAY_BE_SHOWN = ("BraTS-GLI-00001-000",)  # CC BY 4.0
Table = dict[str, NDArray[np.float64]]


def quartile_variation(values: NDArray[np.float64]) -> float:
    low, high = np.percentile(values, [25, 75])
    return float((high - low) / max(high + low, 1e-9))


HISTOGRAM = {
    "Mean": lambda v: float(v.mean()),
    "CoefficientOfVariation": lambda v: float(v.std() / max(v.mean(), 1e-9)),
    "QuartileCoefficientOfVariation": quartile_variation,
    "Skewness": lambda v: float(stats.skew(v)),
}


def features(made: Made) -> dict[str, float]:
    """Return the features of a digital study by the names of the table."""
    found, labels = {}, made.truth.data
    whole = labels > 0
    images = {NAMES[s]: v.data for s, v in made.volumes.items()} | {SERIES[s]: e.data for s, e in made.extras.items()}
    for region, label in REGIONS.items():
        mask = labels == label
        found[f"{region} part"] = mask.sum() / max(whole.sum(), 1)
        for name, image in images.items():
            values = image[mask].astype(np.float64)
            for stat, of in HISTOGRAM.items():
                found[f"{name} {region} {stat}"] = of(values) if len(values) >= 8 else np.nan
    found |= unseen_features(made)
    found["whole volume"] = made.truth.volume_ml("WT")
    places = np.argwhere(whole) * made.truth.spacing_mm
    axes = np.sqrt(np.sort(np.linalg.eigvalsh(np.cov(places.T)))[::-1]) if len(places) > 8 else np.ones(3)
    found["elongation"], found["flatness"] = axes[1] / axes[0], axes[2] / axes[0]
    return found


UNSEEN = ("ADC", "T1c_bias")


def unseen_features(made: Made) -> dict[str, float]:
    """Return first-order features of the whole tumour over the brain's median, on ADC and T1C."""
    found = {}
    whole = made.truth.data > 0
    for name, image in (("ADC", made.extras[Sequence.ADC].data), ("T1c_bias", made.volumes[Sequence.T1C].data)):
        brain = float(np.median(image[(image > 0) & ~whole]))
        low, first, middle, third, high = np.percentile(image[whole], [10, 25, 50, 75, 90]) / brain
        found |= {f"{name} 10Percentile": low, f"{name} Median": middle, f"{name} 90Percentile": high}
        found |= {f"{name} InterquartileRange": third - first}
        found[f"{name} Skewness"] = float(stats.skew(image[whole].astype(np.float64)))
    return found


def unseen() -> Table:
    """Return the same of 60 gliomas of UCSF-PDGM, which nothing was set by."""
    table, out = rows("UCSF-PDGM_radiomic_features_standakozak.csv"), {}
    for name in UNSEEN:
        brain = column(table, f"original_firstorder_Median_{name}_brain_segmentation")
        for stat in ("10Percentile", "Median", "90Percentile", "InterquartileRange", "Skewness"):
            values = column(table, f"original_firstorder_{stat}_{name}_tumor_segmentation")
            if stat != "Skewness":
                values = values / np.where(brain > 0, brain, np.nan)
            out[f"{name} {stat}"] = values
    return out


def one(number: int) -> tuple[str, dict[str, float]]:
    member = draw_member(SEED, number, Kind.GLIOMA, SITES, 1)
    made = next(studies(SEED, member, SPACING_MM, tuple(SERIES)))
    return member.person.diagnosis.value, features(made)


def digital() -> tuple[list[str], Table]:
    """Return features of enough digital gliomas to have the glioblastomas asked for."""
    numbers, wanted = [], 0
    while wanted < GLIOBLASTOMAS:
        numbers.append(len(numbers))
        wanted += draw_member(SEED, numbers[-1], Kind.GLIOMA, SITES, 1).person.diagnosis is Diagnosis.GLIOBLASTOMA
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        made = list(pool.map(one, numbers, chunksize=4))
    return [d for d, _ in made], {name: np.array([f[name] for _, f in made]) for name in made[0][1]}


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / "tabular" / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def column(table: list[dict[str, str]], name: str) -> NDArray[np.float64]:
    return np.array([float(r[name] or "nan") for r in table])


def upenn() -> Table:
    """Return the same features of 59 real glioblastomas."""
    table, out = rows("UPENN-GBM_XY_mgmt.csv"), {}
    for name in (*NAMES.values(), *SERIES.values()):
        for region in REGIONS:
            for stat in HISTOGRAM:
                full = f"Radiomic_Features_CaPTk_segm_{name}_{region}__{name}_{region}_Intensity_{stat}"
                out[f"{name} {region} {stat}"] = column(table, full)
    volume = {r: column(table, f"Radiomic_Features_CaPTk_segm_T1_{r}__T1_{r}_Volumetric_Volume") for r in REGIONS}
    whole = np.nansum(list(volume.values()), axis=0)
    return out | {f"{r} part": np.nan_to_num(v) / whole for r, v in volume.items()} | {"whole volume": whole / 1000}


def ratios(table: Table) -> Table:
    """Replace means, whose unit is a scanner's, by their ratio to that of oedema."""
    out = {n: v for n, v in table.items() if not n.endswith(" Mean")}
    for name in (*NAMES.values(), *SERIES.values()):
        base = table[f"{name} ED Mean"]
        out |= {f"{name} {r}/ED": table[f"{name} {r} Mean"] / np.where(base > 0, base, np.nan) for r in ("ET", "NC")}
    return out


def ucsf() -> Table:
    """Return volume and shape of 501 real gliomas."""
    table = rows("UCSF-PDGM_radiomic_features_T1gad_jmh.csv")
    shape = {n: column(table, f"original_shape_{n.capitalize()}") for n in ("elongation", "flatness")}
    return {"whole volume": column(table, "original_shape_VoxelVolume") / 1000, **shape}


def frechet(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.hypot(np.nanmean(a) - np.nanmean(b), np.nanstd(a) - np.nanstd(b)))


def distances(real: NDArray[np.float64], made: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median distance of real to real halves, and of digital to real, in units of the real spread."""
    rng = np.random.default_rng(1)
    real, made = real[np.isfinite(real)], made[np.isfinite(made)]
    half, unit = min(len(real) // 2, len(made)), max(float(real.std()), 1e-12)
    same, other = [], []
    for _ in range(SPLITS):
        order = rng.permutation(len(real))
        first, second = real[order[:half]], real[order[half : 2 * half]]
        same.append(frechet(first, second) / unit)
        other.append(frechet(first, rng.permutation(made)[:half]) / unit)
    return float(np.median(same)), float(np.median(other))


def compare(title: str, real: Table, made: Table) -> tuple[int, int]:
    """Print distances; return how many features lie within 1.5 times real to real, and how many there are."""
    heads = ("real median", "digital", "real sd", "digital", "real-real", "dig-real")
    print(f"\n{title}\n{'feature':44s}" + "".join(f" {h:>11s}" for h in heads))
    names = [n for n in real if n in made]
    good = []
    for name in names:
        same, other = distances(real[name], made[name])
        if other <= 1.5 * same:
            good.append(name)
        mark = "" if name in good else "  beyond 1.5x"
        values = (np.nanmedian(real[name]), np.nanmedian(made[name]), np.nanstd(real[name]), np.nanstd(made[name]))
        print(f"{name:44s}" + "".join(f" {v:11.3f}" for v in (*values, same, other)) + mark)
    print(f"within 1.5x real-to-real: {len(good)} of {len(names)}")
    return len(good), len(names)


def classifier(real: Table, made: Table) -> None:
    """Print how well real and digital are told apart from these features."""
    names = [n for n in real if n in made]
    x = np.vstack([np.stack([t[n] for n in names], axis=1) for t in (real, made)])
    y = np.r_[np.zeros(len(real[names[0]])), np.ones(len(made[names[0]]))]
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for title, model in (
        ("logistic regression", LogisticRegression(C=0.1, max_iter=2000)),
        ("random forest", RandomForestClassifier(400, random_state=0)),
    ):
        whole = make_pipeline(SimpleImputer(), StandardScaler(), model)
        chances = cross_val_predict(whole, x, y, cv=folds, method="predict_proba")[:, 1]
        print(f"real or digital, {title}: AUC {roc_auc_score(y, chances):.3f} (0.5: cannot be told apart)")


def cases() -> Iterator[tuple[str, dict[Sequence, NDArray[np.float64]], NDArray[np.int64]]]:
    """Yield real cases with four sequences: name, images and labels."""
    for folder in ("brats18-2013_21_1", "BraTS-GLI-00001-000"):
        files = sorted((DATA / "tumour" / folder).glob("*.nii.gz"))
        ends = {Sequence.T1: ("t1", "t1n"), Sequence.T1C: ("t1ce", "t1c"), Sequence.T2: ("t2", "t2w")}
        ends[Sequence.FLAIR] = ("flair", "t2f")
        found = {
            s: next((f for f in files if f.name.lower()[:-7].replace("-", "_").split("_")[-1] in e), None)
            for s, e in ends.items()
        }
        seg = next((f for f in files if "seg" in f.name.lower()), None)
        if seg is not None and all(found.values()):
            labels = np.rint(read_volume(seg).data).astype(int)
            labels[labels == 4] = 3
            yield folder, {s: read_volume(f).data.astype(float) for s, f in found.items() if f}, labels


def contrasts(images: dict[Sequence, NDArray[np.float64]], labels: NDArray[np.int64]) -> str:
    """Return the median of each region over that of the brain that looks normal."""
    told = []
    for s in USED:
        image = images[s]
        normal = np.median(image[(labels == 0) & (image > 0)])
        values = (np.median(image[labels == n]) / normal if (labels == n).any() else np.nan for n in (2, 3, 1))
        told.append(f"{s.value} " + " ".join(f"{v:4.2f}" for v in values))
    return " | ".join(told)


def picture(folder: Path) -> None:
    """Draw digital studies, and real cases where they are present."""
    mpl.use("Agg")
    shown = [(f"real: {name}", images, labels) for name, images, labels in cases() if name in MAY_BE_SHOWN]
    for number in (0, 2, 5):
        member = draw_member(SEED, number, Kind.GLIOMA, SITES, 1)
        made = next(studies(SEED, member, 1.0))
        images = {s: v.data.astype(float) for s, v in made.volumes.items()}
        shown.append((f"digital: {member.person.diagnosis.value.split(',')[0]}", images, made.truth.data))
    figure, axes = plt.subplots(len(shown), 4, figsize=(8.8, 2.6 * len(shown)), facecolor="black")
    for line, (title, images, labels) in zip(axes, shown, strict=True):
        k = int((labels > 0).sum(axis=(0, 1)).argmax())
        for axis, s in zip(line, USED, strict=True):
            box = box_around(images[s] > 0)
            assert box is not None
            top = np.percentile(images[s][images[s] > 0], 99.5)
            axis.imshow(np.rot90(images[s][box[0], box[1], k]), cmap="gray", vmin=0, vmax=top)
            axis.set_title(f"{title}, {s.value}", color="white", fontsize=6)
            axis.axis("off")
    figure.tight_layout(pad=0.3)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "realism.png", dpi=90, facecolor="black")
    print(f"pictures: {folder / 'realism.png'}")


BOARD = (Sequence.ADC, Sequence.CBV, Sequence.BB, Sequence.SWI, Sequence.PET_FET, Sequence.CT)


def board(folder: Path) -> None:
    """Draw one study of each kind in many sequences and maps."""
    lines = []
    wanted = (
        (Kind.GLIOMA, 2, 0),
        (Kind.GLIOMA, 2, 1),
        (Kind.GLIOMA, 7, 0),
        (Kind.METASTASES, 1, 0),
        (Kind.PCNSL, 1, 0),
    )
    for kind, number, visit in wanted:
        member = draw_member(SEED, number, kind, SITES, visit + 1)
        made = list(studies(SEED, member, SPACING_MM, BOARD))[visit]
        images = {s.value: v.data for s, v in made.volumes.items()} | {s.value: e.data for s, e in made.extras.items()}
        name = member.primary or member.person.diagnosis.value.split(",")[0]
        title = f"{name}, day {made.day}"
        lines.append((title, images, (made.truth.data == 3) * 3 + (made.truth.data > 0) * 1))
    figure, axes = plt.subplots(len(lines), 10, figsize=(14, 1.75 * len(lines)), facecolor="black")
    for line, (title, images, weight) in zip(axes, lines, strict=True):
        k = int(weight.sum(axis=(0, 1)).argmax())
        for n, (axis, (name, image)) in enumerate(zip(line, images.items(), strict=True)):
            top = {"CT": 80.0, "CBV": 8.0}.get(name) or np.percentile(image[image > 0], 99.7)
            axis.imshow(np.rot90(image[:, :, k]), cmap="gray", vmin=0, vmax=top)
            axis.set_title(f"{title}, {name}" if n == 0 else name, color="white", fontsize=6)
            axis.axis("off")
    figure.tight_layout(pad=0.2)
    figure.savefig(folder / "digital-patients.png", dpi=80, facecolor="black")
    print(f"pictures: {folder / 'digital-patients.png'}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Realism of digital gliomas.")
    parser.add_argument("--pictures", type=Path)
    wanted = parser.parse_args()
    if not (DATA / "tabular").is_dir():
        print("the public tables are not here (../shared/data/tabular): nothing to compare with")
        return
    unknown = [s for s in SERIES if s not in EXTRAS]
    assert not unknown
    types, made = digital()
    chosen = np.array([t == Diagnosis.GLIOBLASTOMA.value for t in types])
    print(f"{len(types)} digital gliomas at {SPACING_MM:g} mm, seed {SEED}; {chosen.sum()} glioblastomas")
    real = ratios(upenn())
    of = ratios({n: v[chosen] for n, v in made.items()})
    first = compare("59 glioblastomas of UPENN-GBM", real, of)
    second = compare("501 gliomas of UCSF-PDGM", ucsf(), made)
    compare("60 gliomas of UCSF-PDGM, a table that nothing was set by", unseen(), made)
    print(f"\nall features but the last ten: {first[0] + second[0]} of {first[1] + second[1]} within 1.5x real-to-real")
    classifier(real, of)
    print("\nmedian over normal-looking brain: oedema, enhancing, other core")
    for name, images, labels in cases():
        print(f"  real {name:22s} {contrasts(images, labels)}")
    for number in range(3):
        study = next(studies(SEED, draw_member(SEED, number, Kind.GLIOMA, SITES, 1), SPACING_MM))
        images = {s: v.data.astype(float) for s, v in study.volumes.items()}
        print(f"  digital {number:<19d} {contrasts(images, study.truth.data)}")
    if wanted.pictures:
        picture(wanted.pictures)
        board(wanted.pictures)


if __name__ == "__main__":
    main()
