"""Real tables in the laboratory: nested cross-validation with intervals, and one centre tested on another.

Run with ``python benchmarks/real_tables.py``; quarter of an hour. ``--data`` names the folder of the public tables of
UCSF-PDGM, UPENN-GBM and UCSF-BMSR (../shared/data/tabular); nothing of them is kept. Nothing is tuned on them but
what the nested folds tune: settings of the learners, chosen inside the training rows. Features are those of the
tables (PyRadiomics of T1C over the whole tumour; CaPTk of FLAIR over the core), not ours. A clinical model stands
beside every radiomic one, and the plain model on age beside every model of survival.

Columns of both radiomics tables differ, so that only models of clinical columns can be tested from one centre on the
other.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tumorboard.lab import Dataset, Outcome, Recipe, Table, Unit, parse_recipe, run_recipe
from tumorboard.lab.outcome import Outcomes

LINEAR = {
    "binary": "{name: logistic, l1: 1.0, tune: {strength: [1.0, 5.0, 20.0]}}",
    "multiclass": "{name: forest, tune: {depth: [3, 6]}}",
    "survival": "{name: cox, l1: 0.5, tune: {penalty: [0.03, 0.1, 0.3]}}",
}
PREPARE = "[{name: impute, how: mean}, {name: variance}, {name: zscore}, {name: correlation, above: 0.95}]"
AGE = "age"
TABLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "tabular"

Frame = pd.DataFrame
Ends = Callable[[Frame], tuple[pd.Series, Outcome]]


def recipe(name: str, kind: str, compare: Sequence[str] = (), external: bool = False) -> Recipe:
    """Return the recipe of a task; the table is given, so that its representation is not computed."""
    columns = {"survival": "days: days, event: dead"}.get(kind, "column: outcome")
    how = "{name: external}" if external else "{name: nested, folds: 5, inner: 3}"
    return parse_recipe(
        f"{{id: {name}, title: {name}, endpoint: {{kind: {kind}, {columns}}}, representation: [clinical], "
        f"prepare: {PREPARE}, learner: {LINEAR[kind]}, validation: {how}, compare: [{', '.join(compare)}]}}"
    )


def yes_no(column: str, yes: Sequence[str], no: Sequence[str]) -> Ends:
    """Return the binary outcome of a column; rows with another word have none."""

    def read(frame: Frame) -> tuple[pd.Series, Outcome]:
        known = frame[column].isin([*yes, *no])
        return known, Outcome.binary(frame.loc[known, column].isin(yes).astype(int).to_numpy())

    return read


def survival(frame: Frame) -> tuple[pd.Series, Outcome]:
    """Return days and deaths; rows without them have none."""
    known = frame["days"].gt(0) & frame["dead"].notna()
    return known, Outcome.survival(frame.loc[known, "days"], frame.loc[known, "dead"])


def ucsf(data: Path) -> tuple[Frame, dict[str, list[str]]]:
    """Return UCSF-PDGM by patient, and which columns are clinical and radiomic."""
    people = pd.read_csv(data / "UCSF-PDGM-metadata_v2.csv").set_index("ID")
    features = pd.read_csv(data / "UCSF-PDGM_radiomic_features_T1gad_jmh.csv").set_index("ID")
    features = features.filter(like="original_").select_dtypes("number")
    people = people.assign(
        age=people["Age at MRI"],
        male=people["Sex"].eq("M").astype(float),
        total=people["EOR"].eq("GTR").astype(float).where(people["EOR"].isin(["GTR", "STR", "biopsy"])),
        days=pd.to_numeric(people["OS"], errors="coerce"),
        dead=people["1-dead 0-alive"],
        mutated=people["IDH"].ne("wildtype").map({True: "yes", False: "no"}).where(people["IDH"].notna()),
        grade=people["WHO CNS Grade"].astype(str),
        codeleted=people["1p/19q"].str.lower(),
    )
    joined = people.join(features, how="inner")
    return joined, {"clinical": [AGE, "male"], "radiomics": list(features.columns)}


def upenn(data: Path) -> tuple[Frame, dict[str, list[str]]]:
    """Return UPENN-GBM before surgery by patient, likewise."""
    people = pd.read_csv(data / "UPENN-GBM_clinical_info_v2.1.csv").set_index("ID")
    people = people[people.index.str.endswith("_11")]
    features = pd.read_csv(data / "UPENN-GBM_Radiomic_Features_CaPTk_segm_FLAIR_NC.csv").set_index("SubjectID")
    people = people.assign(
        age=people["Age_at_scan_years"],
        male=people["Gender"].eq("M").astype(float),
        total=people["GTR_over90percent"].map({"Y": 1.0, "N": 0.0}),
        days=pd.to_numeric(people["Survival_from_surgery_days_UPDATED"], errors="coerce").fillna(
            pd.to_numeric(people["Survival_Censor"], errors="coerce")
        ),
        dead=people["Survival_Status"].eq("Deceased").astype(float),
    )
    joined = people.join(features.select_dtypes("number"), how="left")
    return joined, {"clinical": [AGE, "male"], "radiomics": list(features.select_dtypes("number").columns)}


def dataset(frame: Frame, columns: Sequence[str], ends: Ends) -> Dataset:
    """Return rows with an outcome and with at least one feature."""
    known, outcome = ends(frame)
    rows = frame.loc[known, list(columns)].replace([np.inf, -np.inf], np.nan)
    units = [Unit(*str(name).partition("_")[::2]) for name in rows.index]  # a study after treatment is of a patient too
    table = Table.of(units, {c: rows[c].to_numpy(dtype=float) for c in columns})
    some = ~np.isnan(table.values).all(axis=1)
    return Dataset.of(table, outcome).take(some)


def show(task: str, frame: Frame, groups: dict[str, list[str]], kind: str, ends: Ends) -> None:
    """Print a task by clinical columns, by radiomics and by both, on the same patients."""
    frame = frame.dropna(subset=groups["radiomics"][:1])
    print(f"\n{task}")
    for name, columns in {**groups, "both": [*groups["clinical"], *groups["radiomics"]]}.items():
        compare = [AGE] if kind == "survival" and AGE in columns else []
        data = dataset(frame, columns, ends)
        line(name, run_recipe(recipe("task", kind, compare), data))


def line(name: str, made: object) -> None:
    """Print the leading metrics of a run, and those of the plain model on age."""
    run = made
    leading = list(run.metrics.items())[:2]
    told = "; ".join(f"{m} {e.value:.3f} ({e.low:.3f} to {e.high:.3f})" for m, e in leading)
    plain = next(iter(run.reference.items()), None)
    if plain is not None:
        told += f"; age alone {plain[1].value:.3f} ({plain[1].low:.3f} to {plain[1].high:.3f})"
        told += ": " + ("beyond age" if leading[0][1].low > plain[1].value else "NOT shown to be beyond age alone")
    print(f"   {name:<10} {len(run.rows):4d} patients, {len(run.data.table.names):3d} features: {told}", flush=True)


def across(first: tuple[str, Frame], second: tuple[str, Frame]) -> None:
    """Print a clinical model of survival of one centre, tested on the other."""
    columns = [AGE, "male", "total"]
    one, two = (dataset(frame, columns, survival) for _, frame in (first, second))
    print(f"\nSurvival in glioblastoma by age, sex and total resection: {first[0]}, tested on {second[0]}")
    line("clinical", run_recipe(recipe("across", "survival", [AGE], external=True), one, external=two))


def metastases(data: Path) -> None:
    """Print the primary tumour of brain metastases from what a table holds: age, sex, number and volume."""
    table = pd.read_csv(data / "brainmets_UCSF-BMSR_dataset.csv").set_index("SubjectID")
    common = table["CancerType"].value_counts().head(3).index
    table = table[table["CancerType"].isin(common)]
    table = table.assign(
        age=table["Age"],
        male=table["Sex"].str.lower().str.startswith("m").astype(float),
        number=np.log1p(table["NumberMetastases"]),
        volume=np.log1p(table["VolumeMetastases_mm3"]),
    )
    names = sorted(common)

    def primary(frame: Frame) -> tuple[pd.Series, Outcome]:
        known = frame["CancerType"].notna()
        codes = frame.loc[known, "CancerType"].map({n: i for i, n in enumerate(names)})
        return known, Outcome(Outcomes.MULTICLASS, codes.to_numpy(dtype=float)[:, None], tuple(names))

    print(f"\nPrimary tumour of brain metastases ({', '.join(names)}), UCSF-BMSR")
    for name, columns in {"people": [AGE, "male"], "both": [AGE, "male", "number", "volume"]}.items():
        line(name, run_recipe(recipe("primary", "multiclass"), dataset(table, columns, primary)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=TABLES)
    data = parser.parse_args().data
    if not (data / "UCSF-PDGM-metadata_v2.csv").is_file():
        print("the tables are not here: nothing is printed")
        return
    west, groups = ucsf(data)
    east, others = upenn(data)
    print("Patients of public tables; nested five-fold cross-validation, 95 % intervals over patients")
    show("IDH mutation, UCSF-PDGM", west, groups, "binary", yes_no("mutated", ["yes"], ["no"]))
    show("Grade 4 against 2 and 3, UCSF-PDGM", west, groups, "binary", yes_no("grade", ["4"], ["2", "3"]))
    wild = west[west["mutated"] == "no"]
    show("MGMT, IDH-wildtype of UCSF-PDGM", wild, groups, "binary", yes_no("MGMT status", ["positive"], ["negative"]))
    mutant = west[west["mutated"] == "yes"]
    show("1p/19q, IDH-mutant of UCSF-PDGM", mutant, groups, "binary", codeleted(mutant))
    show("Survival, glioblastoma of UCSF-PDGM", wild, groups, "survival", survival)
    show("MGMT, UPENN-GBM", east, others, "binary", yes_no("MGMT", ["Methylated"], ["Unmethylated"]))
    show("Survival, UPENN-GBM", east, others, "survival", survival)
    across(("UPENN-GBM", east), ("UCSF-PDGM", wild))
    across(("UCSF-PDGM", wild), ("UPENN-GBM", east))
    metastases(data)


def codeleted(frame: Frame) -> Ends:
    """Return the outcome of 1p/19q by the words of the table."""
    words = [str(w) for w in frame["codeleted"].dropna().unique()]
    yes = [w for w in words if "co-del" in w or "codel" in w]
    return yes_no("codeleted", yes, [w for w in words if w not in yes and w != "unknown"])


if __name__ == "__main__":
    main()
