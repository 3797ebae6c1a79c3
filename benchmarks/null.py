"""Classifiers on digital cohorts: they find a genotype where there is one, and nothing where there is nothing.

Run with ``python benchmarks/null.py [--seeds 20] [--patients 120]``; some fifteen minutes. Digital gliomas at 4 mm,
one study each; features are volumes of regions, and medians of sequences and maps in them; random forest, five folds,
mean of the folds' AUC. With ``--null`` a cohort's images are those of strangers: over seeds the mean AUC must be 0.50
within 0.03. Figures on digital patients say nothing about people.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from tumorboard.sequences import Sequence
from tumorboard.simulate.subject import Kind, draw_member, studies

SPACING_MM = 4.0
MAPS = (Sequence.ADC, Sequence.CBV)


def patient(number: int, seed: int, null: bool) -> tuple[list[float], tuple[bool, bool]]:
    """Return the features of a patient, and whether IDH is mutated and MGMT methylated."""
    member = draw_member(seed, number, Kind.GLIOMA, 2, 1, null)
    made = next(studies(seed, member, SPACING_MM, MAPS))
    labels = made.truth.data
    images = [v.data for v in made.volumes.values()] + [e.data for e in made.extras.values()]
    normal = [np.median(i[(labels == 0) & (i > 0)]) for i in images]
    row = [made.truth.volume_ml(r) for r in ("ET", "NETC", "SNFH")]
    for label in (1, 2, 3):
        mask = labels == label
        pairs = zip(images, normal, strict=True)
        row += [float(np.median(i[mask]) / n) if mask.sum() >= 3 else np.nan for i, n in pairs]
    row += [float(c) for c in np.argwhere(labels > 0).mean(axis=0)] if (labels > 0).any() else [0.0, 0.0, 0.0]
    return row, (member.person.idh_mutant, member.person.mgmt_methylated)


def cohort(seed: int, patients: int, null: bool, pool: ProcessPoolExecutor) -> tuple[NDArray, NDArray]:
    made = list(pool.map(partial(patient, seed=seed, null=null), range(patients), chunksize=6))
    return np.array([row for row, _ in made]), np.array([truth for _, truth in made])


def auc(x: NDArray, y: NDArray) -> float:
    """Return the mean AUC over folds; the pooled one is biased downwards where there is nothing to find."""
    model = make_pipeline(SimpleImputer(keep_empty_features=True), RandomForestClassifier(150, random_state=0))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return float(cross_val_score(model, x, y, cv=folds, scoring="roc_auc").mean())


def main() -> None:
    parser = argparse.ArgumentParser(description="Classifiers on digital cohorts with and without effects.")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--patients", type=int, default=120)
    wanted = parser.parse_args()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for null, seeds in ((True, wanted.seeds), (False, max(1, wanted.seeds // 7))):
            found = []
            for seed in range(seeds):
                x, y = cohort(9000 + seed, wanted.patients, null, pool)
                found.append([auc(x, y[:, 0]), auc(x, y[:, 1])])
            means, spread = np.mean(found, axis=0), np.std(found, axis=0)
            told = "null" if null else "with effects"
            for n, marker in enumerate(("IDH", "MGMT")):
                each = f"sd of seeds {spread[n]:.3f}"
                print(f"{told:13s} {marker:5s} mean AUC {means[n]:.3f} over {seeds} seeds of {wanted.patients}, {each}")


if __name__ == "__main__":
    main()
