"""Facts of constructed runs: one in which everything was done on real patients, and one in which nothing was."""

from __future__ import annotations

from tumorboard.appraise import MetricFact, RunFacts

AUC = MetricFact(name="AUC", value=0.85, low=0.80, high=0.90, n=240)
OUTSIDE = MetricFact(name="AUC", value=0.78, low=0.70, high=0.86, n=90, on="external")

EVERYTHING: dict[str, dict] = {
    "question": {
        "endpoint": "IDH mutation, by sequencing",
        "kind": "binary",
        "horizon_days": 365.0,
        "develops": True,
        "cites": "Chang 2018",
        "rationale": "it decides on treatment",
        "hypothesis": "images tell IDH mutation before surgery",
    },
    "data": {
        "digital": False,
        "shuffled": False,
        "patients": 300,
        "rows": 300,
        "events": 120,
        "sites": 5,
        "scanners": 7,
        "sources": ("registry A", "registry B"),
        "public": True,
        "prospective": True,
        "consecutive": True,
        "eligibility": "adults with a first glioma",
        "excluded": 12,
        "dates": True,
        "follow_up_days": 400.0,
        "treatments": True,
        "characteristics": True,
        "by_part": True,
        "acquisition": True,
        "public_protocol": True,
        "time_points": 2,
        "interval_days": 9.0,
        "reference": "tissue, sequenced",
        "reference_gold": True,
        "deidentified": True,
        "missing_share": 0.02,
        "missing_method": "mean of the training patients",
        "sharing_checked": True,
        "sample_size": "Riley 2020, binary outcome",
        "needed": 260,
        "enough": True,
    },
    "images": {
        "sequences": ("T1", "T1C", "T2", "FLAIR"),
        "regions": ("TC", "ring"),
        "segmentation": "automated",
        "segmenter": "network 1.0",
        "operators": "two neuroradiologists, 5 and 12 years",
        "dice": 0.88,
        "segmentations": 2,
        "single_test_mask": True,
        "reliability": "ICC(2,1) of each feature",
        "steps": ("registration", "bias field", "z-score"),
        "software": "tumorboard 0.4",
        "resampling": "1 mm, B-spline",
        "discretisation": "32 bins",
        "filters": ("original", "LoG 2 mm"),
        "phantom": True,
    },
    "features": {
        "hand_crafted": True,
        "deep": True,
        "end_to_end": True,
        "tabular": True,
        "software": "tumorboard 0.4",
        "standard": True,
        "families": ("intensity", "GLCM"),
        "candidates": 12,
        "selected": 6,
        "non_radiomic": ("age",),
        "settings_saved": True,
        "defaults_stated": True,
        "robust": "ICC below 0.75",
        "reduction": ("correlation above 0.95", "mRMR"),
        "adjusted": "Holm",
        "scaling": "z-score of the training patients",
        "harmonised": "ComBat by site",
        "statistics": True,
        "univariable": True,
    },
    "model": {
        "learner": "penalised logistic regression",
        "rationale": "few patients",
        "settings_saved": True,
        "tuning": "nested, penalty from 5 values",
        "selection": "best mean AUC of the inner folds",
        "training": "until converged",
        "initialisation": "at zero",
        "seed": 7,
        "software": ("scikit-learn 1.9",),
        "ensemble": "mean of 5 folds",
        "ensembled": True,
        "imbalance": "class weights, recalibrated after",
        "balanced": True,
        "output": "probability",
        "threshold": "Youden's in the training patients",
        "risk_groups": 3,
        "groups": True,
        "specification": True,
        "card": True,
        "missing_input": "refused",
        "updated": True,
    },
    "validation": {
        "design": "split",
        "folds": 5,
        "repeats": 10,
        "grouped": True,
        "inside_folds": True,
        "test_patients": 60,
        "external": True,
        "external_patients": 90,
        "external_events": 30,
        "external_sites": 3,
        "compared": True,
        "earlier_model": True,
    },
    "performance": {
        "metrics": (AUC, OUTSIDE),
        "rationale": "classes are unequal",
        "chance_p": 0.001,
        "resampled": True,
        "confusion": True,
        "curves": ("ROC", "calibration"),
        "calibration": ("slope 0.95", "intercept 0.02"),
        "calibration_interval": True,
        "calibration_resampled": True,
        "decision_curve": True,
        "comparison": "DeLong against age alone, p = 0.01",
        "clinical": True,
        "simple": True,
        "one_sequence": True,
        "multivariable": True,
        "subgroups": ("women", "men"),
        "by_site": True,
        "fairness": "performance by sex and age",
        "confounders": "site and scanner",
        "robustness": "masks moved by 1 voxel",
        "failures": True,
        "explanation": ("SHAP",),
        "explanation_checked": "randomisation",
        "biology": "expression of hypoxia genes",
        "gold_standard": "compared with tissue",
        "cost": "per patient treated rightly",
    },
    "open": {
        "images": True,
        "segmentations": True,
        "features": True,
        "settings": True,
        "code": True,
        "model": True,
        "tool": True,
        "protocol": "in the supplement",
        "registration": "trial registry",
    },
}


def made(table: dict[str, dict]) -> RunFacts:
    """Facts from plain values; the sections are made by pydantic."""
    return RunFacts.model_validate(
        {name: RunFacts.model_fields[name].annotation(**values) for name, values in table.items()}
    )


def everything(**changes: dict) -> RunFacts:
    """All facts, with some sections changed: ``everything(data={"sites": 1})``."""
    return made({name: values | changes.get(name, {}) for name, values in EVERYTHING.items()})


def nothing() -> RunFacts:
    """A run on real patients that did none of it: every yes or no is no, every list empty."""
    data = {"digital": False, "patients": 20, "events": 9, "sites": 1, "time_points": 1, "prospective": False}
    more = {
        "question": {"kind": "binary", "develops": True},
        "images": {"segmentation": "automated", "segmentations": 1, "single_test_mask": False},
        "features": {"reduction": (), "candidates": 400, "non_radiomic": ("age",)},
        "validation": {"design": "apparent", "external": False, "earlier_model": False},
        "performance": {"metrics": (), "calibration": ()},
    }
    table = {name: dict(more.get(name, {})) for name in EVERYTHING}
    table["data"] = data
    for name, values in EVERYTHING.items():
        for fact, value in values.items():
            if value is True and fact not in ("digital", "develops", "hand_crafted", "tabular", "end_to_end"):
                table[name].setdefault(fact, False)
    for fact in ("hand_crafted", "tabular", "end_to_end"):
        table["features"][fact] = True
    for fact in ("ensembled", "groups", "updated", "balanced"):
        table["model"][fact] = True
    return made(table)
