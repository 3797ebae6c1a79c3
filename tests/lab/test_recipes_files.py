"""Every recipe as a file: it reads, is short, uses what exists, and asks of a cohort only what a cohort can have."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import pytest

from tumorboard.lab.cohort.fitted import MAKERS
from tumorboard.lab.harmonise import HARMONISERS
from tumorboard.lab.impute import IMPUTERS
from tumorboard.lab.learners import LEARNERS
from tumorboard.lab.nets import NETS
from tumorboard.lab.recipe import Outcomes, Recipe, recipe_names
from tumorboard.lab.recipe import read_recipe as read_file
from tumorboard.lab.regions import REGIONS
from tumorboard.lab.represent import REPRESENTATIONS
from tumorboard.lab.scale import SCALES
from tumorboard.lab.selection import SELECTIONS
from tumorboard.lab.splits import SPLITS
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.disease.multiple import Fate
from tumorboard.simulate.disease.treatment import Truth
from tumorboard.simulate.scanner.maps import EXTRAS
from tumorboard.simulate.subject import Kind, draw_member
from tumorboard.simulate.tables import PARTICIPANTS, participant

read_recipe = cache(read_file)
HOME = files("tumorboard").joinpath("recipes")
NAMES = recipe_names()
SYSTEMS = (
    *(f"C{n}" for n in range(1, 8)),
    *(f"D{n}" for n in range(1, 34) if n not in (24, 27, 28)),
    *("D24a", "D24b", "D24c"),
    *(f"E{n}" for n in (*range(1, 11), 12, 13)),
    *(f"F{n}" for n in (*range(1, 11), 12, 13, 15, 16, 17)),
    *("F11a", "F11b"),
)
LONGEST, PATIENTS = 40, 200

OTHER_COLUMNS: dict[str, dict[Kind, tuple[str, ...]]] = {
    "truth": {Kind.GLIOMA: tuple(t.value for t in Truth)},
    "cells_mm2": {Kind.GLIOMA: ("900", "4600"), Kind.METASTASES: ("900", "4600")},
    "lesions.kind": {Kind.METASTASES: ("solid metastasis", "solid radionecrosis")},
    "event:bevacizumab": {Kind.GLIOMA: ("yes", "no")},
    **{c: {Kind.METASTASES: ("0", "1")} for c in ("local_failure", "responder", "responded", "pfs_event")},
    "pfs_days": {Kind.METASTASES: ("84", "168")},
}
"""Columns that are not of participants.tsv: of visits, lesions, biopsies and events, and of followed.csv."""


@cache
def columns(kind: Kind) -> dict[str, set[str]]:
    """Words of every column of digital patients of a kind; those who have none are left out."""
    if kind is Kind.MIXED:
        each = [columns(one) for one in (Kind.GLIOMA, Kind.METASTASES, Kind.PCNSL)]
        return {c: {w for one in each for w in one[c]} for c in each[0]}
    rows = [participant("digital1", draw_member(1, n, kind, 2, 1)) for n in range(PATIENTS)]
    found = {
        c: {str(w) for w in words} - {"n/a"} for c, words in zip(PARTICIPANTS, zip(*rows, strict=True), strict=True)
    }
    return found | {c: set(by.get(kind, ())) for c, by in OTHER_COLUMNS.items()}


def fits(recipe: Recipe, kind: Kind) -> list[str]:
    """What digital patients of a kind lack for a recipe."""
    has = columns(kind)
    lacks = [c for c in recipe.endpoint.sources if len(has.get(c, ())) < 2 and c not in recipe.where]
    lacks += [c for c, words in recipe.where.items() if not set(words) & has.get(c, set())]
    lacks += [c for p in recipe.representation for c in p.settings.get("columns", ()) if not has.get(c)]
    lacks += [c for c in recipe.compare if not has.get(c)]
    if recipe.unit == "lesion" and kind is Kind.GLIOMA:
        lacks.append("lesions")
    if recipe.endpoint.kind is Outcomes.BINARY and recipe.endpoint.above is None:
        words = has.get(recipe.endpoint.column, set())
        yes, no = set(recipe.endpoint.positive), set(recipe.endpoint.negative)
        lacks += [] if words & yes and (words & no if no else words - yes) else ["both classes"]
    return lacks


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_reads_and_is_short(name):
    text = HOME.joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    recipe = read_recipe(name)  # refuses unknown parts, settings and metrics
    assert recipe.id == name
    assert len(text.splitlines()) <= LONGEST
    assert max(map(len, text.splitlines())) <= 120
    assert recipe.title
    assert recipe.cites
    assert recipe.question.rstrip().endswith("?")


def test_every_system_of_the_list_has_a_recipe():
    assert sorted(set(SYSTEMS) - set(NAMES)) == []
    assert sorted(n for n in NAMES if n not in SYSTEMS and not n.startswith("example")) == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_was_published_is_told(name):
    published = read_recipe(name).published
    assert published
    for metric, value in published.items():
        if metric == "note":
            continue
        numbers = [float(v) for v in str(value).split("-")]
        assert all(0 <= v <= 1 for v in numbers), f"{metric} is a share"
        assert metric in (*read_recipe(name).metrics, *_usual(name)), f"{metric} is measured too"


def _usual(name: str) -> tuple[str, ...]:
    from tumorboard.lab.scores import metric_names

    recipe = read_recipe(name)
    return metric_names(recipe.endpoint.kind) if not recipe.metrics else ()


@pytest.mark.parametrize("name", NAMES)
def test_a_digital_cohort_of_some_kind_has_what_it_asks_for(name):
    recipe = read_recipe(name)
    lacks = {kind.value: fits(recipe, kind) for kind in Kind}
    assert min(map(len, lacks.values())) == 0, lacks


def test_what_a_kind_lacks_is_noticed():
    assert fits(read_recipe("D2"), Kind.METASTASES)
    assert fits(read_recipe("D25"), Kind.GLIOMA)
    assert fits(read_recipe("C4"), Kind.GLIOMA)
    assert fits(read_recipe("D2").with_settings(where={"grade": "7"}), Kind.GLIOMA) == ["grade"]


def _sequences(recipe: Recipe) -> set[Sequence]:
    asked = {*recipe.sequences, *(s for p in recipe.representation for s in p.settings.get("sequences", ()))}
    return {Sequence(s) for s in asked}


@pytest.mark.parametrize("name", NAMES)
def test_its_sequences_can_be_simulated(name):
    had = {*USED, *EXTRAS}
    had |= {made for made, sources in MAKERS.items() if set(sources) & had}
    assert _sequences(read_recipe(name)) <= had


def test_fates_are_not_told_in_tables_yet():
    """followed.csv stands for what lesions.tsv lacks; once a column tells fates, recipes can read that."""
    assert {f.value for f in Fate} & {w for words in columns(Kind.METASTASES).values() for w in words} == set()


def _steps(recipe: Recipe) -> Iterable[str]:
    for part in recipe.prepare:
        yield part.name
        if part.name == "stability":
            yield str(part.settings.get("by", ""))


def _regions(recipe: Recipe) -> set[str]:
    own = {r for p in recipe.representation for r in p.settings.get("region", ())}
    return {r.partition("_")[0] for r in own | set(recipe.region)}


def test_together_they_use_every_part():
    recipes = [read_recipe(n) for n in NAMES]
    steps = {s for r in recipes for s in _steps(r)}
    used = {
        "representation": {p.name for r in recipes for p in r.representation},
        "learner": {r.learner.name for r in recipes},
        "selection": steps,
        "harmonisation": steps,
        "scale": steps,
        "imputation": {str(p.settings.get("how", "mean")) for r in recipes for p in r.prepare if p.name == "impute"},
        "validation": {r.validation.name for r in recipes},
        "region": {g for r in recipes for g in _regions(r)},
        "network": {str(r.learner.settings.get("net")) for r in recipes if r.learner.name == "network"},
    }
    there = {
        "representation": REPRESENTATIONS,
        "learner": LEARNERS,
        "selection": SELECTIONS,
        "harmonisation": HARMONISERS,
        "scale": SCALES,
        "imputation": IMPUTERS,
        "validation": SPLITS,
        "region": REGIONS,
        "network": NETS,
    }
    unused = {sort: sorted(set(parts) - used[sort]) for sort, parts in there.items()}
    assert {sort: names for sort, names in unused.items() if names} == {"network": ["pretrained"]}  # D5 with transfer


@pytest.mark.parametrize("name", [n for n in NAMES if read_recipe(n).learner.name == "network"])
def test_a_network_can_look_at_its_crops(name):
    recipe = read_recipe(name)
    crops = next(p for p in recipe.representation if p.name == "network")
    net = NETS[recipe.learner.settings["net"]]
    view = crops.settings.get("view", "cube")
    assert view in net.views or view == "cube"
    assert recipe.endpoint.column or recipe.endpoint.columns
