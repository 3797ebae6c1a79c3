"""Every recipe from digital images to its page, small: coarse heads, few patients, few trees, few epochs.

Patients are chosen by number so that each recipe finds its classes; that they run is tested here, how well they do on
cohorts of a size that can tell is for ``benchmarks/recipes.py``. Together some half an hour on two cores.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tumorboard.lab.cohort import Cohort, read_cohort
from tumorboard.lab.recipe import Recipe, read_recipe, recipe_names
from tumorboard.lab.run import run_recipe
from tumorboard.sequences import Sequence
from tumorboard.simulate.disease.treatment import Truth
from tumorboard.simulate.files.cohort_tree import write_cohort_tables, write_merged_tables, write_patient
from tumorboard.simulate.scanner.sites import SITES
from tumorboard.simulate.subject import Kind, Member, draw_member

S = Sequence
SEED, NAMES = 5, recipe_names()
SUBTYPES = (1, 2, 3)
"""Of expression: six would take sixty patients."""

FOLLOWED = ("F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F16", "F17")
TOLD_APART = ("C1", "C2", "C3", "C4")
OF_METASTASES = (
    *("C5", "C6", "D24a", "D24b", "D24c", "D25", "D32", "E9", "E10", "E12", "E13"),
    *("F9", "F10", "F11a", "F11b", "F12", "F13", "F15"),
)
Wanted = tuple[int, Callable[[Member], bool]]


def _benchmark() -> ModuleType:
    place = Path(__file__).parents[2] / "benchmarks" / "recipes.py"
    spec = importlib.util.spec_from_file_location("benchmark_of_recipes", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BENCHMARK = _benchmark()


# --- cohorts ------------------------------------------------------------------------------------------------------


def chosen(kind: Kind, visits: int, *wanted: Wanted) -> list[Member]:
    """Members by number, so many of each sort, who come to two sites in turn."""
    out: list[Member] = []
    for how_many, fits in wanted:
        every = (draw_member(SEED, n, kind, 1, visits) for n in count())
        fresh = (m for m in every if m.number not in {o.number for o in out} and fits(m))
        out += [replace(m, site=SITES[n % 2]) for n, m in enumerate(islice(fresh, how_many))]
    return out


def write(folder: Path, members: list[Member], spacing_mm: float, extras: tuple[Sequence, ...]) -> None:
    """A cohort of these members, as ``tumorboard simulate`` writes it."""
    labels = {f"digital{n + 1:03d}": m for n, m in enumerate(members)}
    write_cohort_tables(folder, "Digital cohort (chosen)", SEED, labels)
    for label, member in labels.items():
        write_patient(folder, label, SEED, member, spacing_mm, extras)
    write_merged_tables(folder, labels)


def _glioma(grade: int, idh: bool, codeleted: bool = False) -> Callable[[Member], bool]:
    return lambda m: (m.person.grade, m.person.idh_mutant, m.person.codeleted) == (grade, idh, codeleted)


def _class(name: str, mgmt: bool, subtype: int) -> Callable[[Member], bool]:
    def fits(m: Member) -> bool:
        told = (m.tissue.methylation, m.person.mgmt_methylated, m.tissue.subtype, m.outcome.dead)
        return _glioma(4, idh=False)(m) and told == (name, mgmt, subtype, True)

    return fits


def _with(marker: str, fits: Callable[[Member], bool]) -> Callable[[Member], bool]:
    return lambda m: fits(m) and m.tissue.markers[marker]


def gliomas() -> list[Member]:
    """Untreated: methylation classes by MGMT and subtype, rare drivers, lower grades with and without IDH mutation."""
    every = [(f"GBM, {c}", mgmt, s) for c in ("RTK I", "RTK II", "MES") for mgmt in (True, False) for s in SUBTYPES]
    rare = [(3, _with(r, _glioma(4, idh=False))) for r in ("RB1", "PDGFRA")]
    lower = [(6, _glioma(2, idh=False)), (5, _glioma(2, True, True)), (2, _glioma(3, True, True))]
    mutant = [(2, _glioma(2, idh=True)), (4, _with("TP53", _glioma(3, idh=True))), (4, _glioma(4, idh=True))]
    return chosen(Kind.GLIOMA, 1, *((1, _class(*one)) for one in every), *rare, *lower, *mutant)


def treated() -> list[Member]:
    """Gliomas with pseudoprogression, progression, and bevacizumab within five studies."""
    last = 240

    def shows(truth: Truth) -> Callable[[Member], bool]:
        return lambda m: truth in {m.visit(n).truth for n in range(len(m.days))}

    def bevacizumab(m: Member) -> bool:
        return m.plan.bevacizumab is not None and m.plan.bevacizumab < last and m.outcome.dead

    return chosen(Kind.GLIOMA, 5, (12, bevacizumab), (8, shows(Truth.PSEUDOPROGRESSION)), (6, shows(Truth.PROGRESSION)))


def metastases() -> list[Member]:
    """Five primaries with both values of their markers; most died."""

    def has(primary: str, **markers: bool) -> Callable[[Member], bool]:
        return lambda m: m.primary == primary and all(m.tissue.markers[k] is v for k, v in markers.items())

    lung = [(5, has("lung", EGFR=True)), (5, has("lung", ALK=True)), (5, has("lung", KRAS=True, ALK=False))]
    skin = [(7, has("melanoma", BRAF=True)), (7, has("melanoma", BRAF=False))]
    return chosen(Kind.METASTASES, 4, *lung, *skin, (12, has("breast")), (5, has("renal")), (5, has("gi")))


def apart() -> list[Member]:
    """Glioblastomas, metastases and lymphomas at two sites."""
    out = chosen(Kind.GLIOMA, 1, (14, _glioma(4, idh=False)))
    for kind in (Kind.METASTASES, Kind.PCNSL):
        out += [replace(m, number=m.number + 1000) for m in chosen(kind, 1, (12, lambda _: True))]
    return out


COHORTS: Mapping[str, tuple[Callable[[], list[Member]], float, tuple[Sequence, ...]]] = {
    "gliomas": (gliomas, 6.0, (S.ADC, S.FA, S.SWI, S.DSC, S.CBV, S.KTRANS, S.BOLD)),
    "treated": (treated, 6.0, (S.ADC, S.FA, S.CBV, S.KTRANS, S.PET_FET, S.CT)),
    "metastases": (metastases, 4.0, (S.ADC, S.FA, S.PET_FET, S.PET_MET, S.CT)),
    "apart": (apart, 6.0, (S.ADC,)),
}


def cohort_of(recipe: str) -> str:
    """Name of the cohort that a recipe runs on."""
    if recipe in FOLLOWED:
        return "treated"
    return "metastases" if recipe in OF_METASTASES else "apart" if recipe in TOLD_APART else "gliomas"


class Shelf:
    """Cohorts that are made when they are first wanted."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._read: dict[str, Cohort] = {}

    def cohort(self, name: str) -> Cohort:
        if name not in self._read:
            folder = self.home / name
            make, spacing_mm, extras = COHORTS[name]
            write(folder, make(), spacing_mm, extras)
            followed = BENCHMARK.followed_csv(folder, self.home / f"{name}-tables" / "followed.csv")
            self._read[name] = read_cohort(folder, tables=[followed])
        return self._read[name]


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"))


# --- running ------------------------------------------------------------------------------------------------------

SMALL: Mapping[str, Any] = {"trees": 30, "epochs": 2, "rounds": 20}
"""Settings of learners that only cost time."""


def small(recipe: Recipe) -> Recipe:
    """The recipe with few trees, epochs and folds; its parts and their order stay."""
    learner = recipe.learner.model_dump()
    learner |= {k: v for k, v in SMALL.items() if k in learner or (k == "epochs" and recipe.learner.name == "network")}
    if "tune" in learner and not learner["tune"]:
        del learner["tune"]
    how = recipe.validation.model_dump()
    how |= {"folds": min(how["folds"], 3), "repeats": 1, "inner": 2}
    slow = {"dictionary", "network"} & {p.name for p in recipe.representation}
    if how["name"] == "leave_one_out" and slow:
        how["name"] = "kfold"
    made = recipe.with_settings(learner=learner, validation=how)
    if recipe.endpoint.column == "expression_subtype":
        made = made.with_settings(endpoint=recipe.endpoint.model_dump() | {"classes": SUBTYPES})
    return made


def test_small_recipes_keep_their_parts():
    for name in NAMES:
        recipe = read_recipe(name)
        made = small(recipe)
        assert made.representation == recipe.representation
        assert made.prepare == recipe.prepare
        assert made.endpoint.sources == recipe.endpoint.sources
        assert made.learner.name == recipe.learner.name


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_runs_from_images_to_its_page(name, shelf, tmp_path):
    recipe = small(read_recipe(name))
    if recipe.learner.name == "survival_forest":
        pytest.importorskip("sksurv")
    run = run_recipe(recipe, shelf.cohort(cohort_of(name)), tmp_path)
    with (tmp_path / "oof.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    told = json.loads((tmp_path / "metrics.json").read_text())
    page = (tmp_path / "page.html").read_text()
    assert len(rows) == len(run.rows) == told["rows"] >= 3
    assert told["world"] == "digital patients"
    assert "digital patients" in page
    leading = told["metrics"][told["leading"]]
    assert leading["value"] is not None, leading
    assert {fold.fold.repeat for fold in run.folds} == set(range(1, 2))
    for result in run.folds:  # nobody is on both sides
        who = run.data.table.patients
        assert not {who[i] for i in result.fold.train} & {who[i] for i in result.fold.test}


# --- the benchmark's own parts ------------------------------------------------------------------------------------


def _course(*mm: float, kind: str = "solid metastasis") -> list[tuple[int, dict[str, str]]]:
    return [(84 * n, {"diameter_mm": str(v), "kind": kind}) for n, v in enumerate(mm)]


def test_a_lesion_fails_where_it_grows_again_as_tumour():
    assert BENCHMARK.failure_day(_course(10, 7, 9)) == 168
    assert BENCHMARK.failure_day(_course(10, 7, 8)) is None  # a seventh
    assert BENCHMARK.failure_day(_course(2.0, 1.6, 2.4)) is None  # less than a millimetre
    assert BENCHMARK.failure_day(_course(10, 7, 12, kind="solid radionecrosis")) is None
    assert BENCHMARK.failure_day(_course(10)) is None


def test_followed_tables_tell_lesions_and_patients(tmp_path):
    truth = tmp_path / "derivatives" / "truth"
    truth.mkdir(parents=True)
    (tmp_path / "participants.tsv").write_text(
        "participant_id\tkind\nsub-digital1\tmetastases\nsub-digital2\tglioma\nsub-digital3\tmetastases\n"
    )
    (truth / "visits.tsv").write_text(
        "participant_id\tsession_id\tday\n"
        + "".join(f"sub-digital{p}\tses-0{s + 1}\t{84 * s}\n" for p in (1, 2, 3) for s in range(3))
    )
    sizes = {(1, 1): (10, 7, 10), (1, 2): (10, 7, 6), (3, 1): (10, 7, 6), (3, 2): (10, 6, None)}
    (truth / "lesions.tsv").write_text(
        "participant_id\tsession_id\tlesion\tdiameter_mm\tkind\n"
        + "".join(
            f"sub-digital{p}\tses-0{s + 1}\t{n}\t{mm}\tsolid metastasis\n"
            for (p, n), course in sizes.items()
            for s, mm in enumerate(course)
            if mm is not None
        )
    )
    with BENCHMARK.followed_csv(tmp_path, tmp_path / "followed.csv").open(newline="") as file:
        rows = {(r["participant_id"][-1], r["lesion"]): r for r in csv.DictReader(file)}
    assert [rows["1", n]["local_failure"] for n in "12"] == ["1", "0"]
    assert [rows["1", n]["responder"] for n in "12"] == ["0", "1"]
    assert [rows["3", n]["responder"] for n in "12"] == ["1", "1"]  # what is gone has responded
    assert (rows["1", ""]["pfs_days"], rows["1", ""]["pfs_event"], rows["1", ""]["responded"]) == ("168", "1", "0")
    assert (rows["3", ""]["pfs_days"], rows["3", ""]["pfs_event"], rows["3", ""]["responded"]) == ("168", "0", "1")
    assert all(patient != "2" for patient, _ in rows)


def test_where_an_effect_is_planted_and_what_a_null_cohort_leaves():
    assert BENCHMARK.planted(read_recipe("D2"), "") == "large"
    assert BENCHMARK.planted(read_recipe("D3"), "") == "small"  # MGMT moves diffusion by 6 %
    assert BENCHMARK.planted(read_recipe("F12"), "") == "none"
    assert BENCHMARK.planted(read_recipe("D13"), "") == "none"
    assert BENCHMARK.planted(read_recipe("F15"), "") == "by number"  # of the patient's lesions all must respond
    assert not BENCHMARK.shuffles(read_recipe("D5"))
    assert BENCHMARK.shuffles(read_recipe("C3"))  # the kind of tumour stays visible
    assert BENCHMARK.shuffles(read_recipe("D2"))  # age and IDH stand in one table


def _line(recipe: str, value: float, low: float, high: float, world: str = "null") -> Any:
    return BENCHMARK.Line(recipe, "", "auc", world, 50, value, low, high, low, high, 0.5)


def test_the_table_names_its_worlds_and_its_verdicts(tmp_path):
    recipe = read_recipe("D5")
    pairs = [(recipe, _line("D5", 0.9, 0.8, 1.0, "digital"), _line("D5", 0.55, 0.4, 0.7))]
    text = BENCHMARK.summary(pairs) + BENCHMARK.table(pairs)
    assert "published | measured on digital patients (95 %)" in text
    assert "null cohort (95 %)" in text
    assert (
        "| D5 | auc | 0.857 | 0.90 (0.80 to 1.00) | 50 | large | yes | 0.55 (0.40 to 0.70) | 50 | images | yes |"
        in text
    )
    assert "1 of 1 lines cover chance, 0 lie above" in text
    BENCHMARK.write_results(pairs, tmp_path)
    assert BENCHMARK.table(BENCHMARK.read_results(tmp_path / "recipes.csv")) == BENCHMARK.table(pairs)
    leaking = [(recipe, pairs[0][1], _line("D5", 0.8, 0.7, 0.9))]
    assert "**no: above**" in BENCHMARK.table(leaking)
    assert "0 of 1 lines cover chance, 1 lie above" in BENCHMARK.summary(leaking)
    assert BENCHMARK.verdict(_line("D5", 0.2, 0.1, 0.3)) == "below"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cohort]:
    """Tables alone of 80 digital gliomas."""
    from tumorboard.simulate.tables import PARTICIPANTS, participant

    folder = tmp_path_factory.mktemp("tables")
    rows = [PARTICIPANTS, *(participant(f"digital{n}", draw_member(1, n, Kind.GLIOMA, 2, 1)) for n in range(80))]
    (folder / "participants.tsv").write_text("\n".join("\t".join(map(str, r)) for r in rows) + "\n")
    return read_cohort(folder / "participants.tsv")


def test_what_is_finished_is_kept_and_null_is_null(tables, tmp_path, monkeypatch):
    recipe = read_recipe("example")  # age and IDH: strongly tied in the tables, by nothing once shuffled
    digital = BENCHMARK.finished(recipe, [tables], "digital", tmp_path)
    null = BENCHMARK.finished(recipe, [tables], "null", tmp_path, shuffled=True)
    assert BENCHMARK.verdict(digital[0]) == "above"
    assert BENCHMARK.verdict(null[0]) == "covers chance"
    assert digital[0].wide_low < digital[0].low < digital[0].high < digital[0].wide_high
    monkeypatch.setattr(BENCHMARK, "run_recipe", None)  # nothing may run again
    assert BENCHMARK.finished(recipe, [tables], "digital", tmp_path) == digital


def test_a_recipe_that_cannot_run_says_why(tables, tmp_path):
    line = BENCHMARK.finished(read_recipe("D5"), [tables], "digital", tmp_path)[0]
    assert line.value is None
    assert "images" in line.why
    assert BENCHMARK.verdict(line) == "not assessable"
