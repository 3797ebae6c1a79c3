"""Every representation on a digital cohort, and refusals before any image is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.lab.cohort import Cohort, read_cohort
from tumorboard.lab.represent import REPRESENTATIONS, check_settings, represent
from tumorboard.lab.table import Unit
from tumorboard.sequences import Sequence

Make = Callable[[int, np.ndarray], dict[Sequence, np.ndarray]]

FEW = {"families": ["statistics", "glcm", "morphology"], "spacing_mm": 4.0}

ASKED: dict[str, dict[str, Any]] = {
    "radiomics": {"sequences": ["T1C", "ADC"], "regions": ["TC", "ring"], "settings": FEW | {"spacing_mm": 6.0}},
    "delta": {"sequences": ["T1C"], "regions": ["WT"], "settings": {"families": ["statistics"], "spacing_mm": 6.0}},
    "shape": {"regions": ["ET", "WT"]},
    "histogram": {"sequences": ["ADC", "CBV"], "regions": ["WT"], "settings": {"relative_to": "healthy", "bins": 4}},
    "clusters": {"sequences": ["T1C", "ADC"], "regions": ["WT"]},
    "curves": {"sequences": ["DSC"], "regions": ["WT"]},
    "stransform": {"sequences": ["T2"], "regions": ["WT"], "settings": {"size": 16, "pixel_mm": 4.0}},
    "dictionary": {"sequences": ["FA"], "regions": ["WT"], "settings": {"over_time": True, "most": 40}},
    "location": {"regions": ["WT"]},
    "signs": {},
    "clinical": {},
    "molecular": {},
    "table": {"settings": {"columns": ["*_l", "nlr"]}},
    "expression": {},
    "deep": {"sequences": ["T1C", "FLAIR"], "regions": ["WT"]},
    "network": {"sequences": ["T1C", "FLAIR"], "regions": ["WT"], "settings": {"side": 8}},
}
"""A way to ask for each."""

SLOW = {"deep"}


def test_every_representation_is_tried_and_says_where_it_comes_from() -> None:
    assert set(ASKED) == set(REPRESENTATIONS)
    for name, one in REPRESENTATIONS.items():
        assert one.name == name
        assert one.title
        assert one.source
        assert one.version
        assert (type(one).__doc__ or "").strip()


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in ASKED])
def test_everyone_has_a_row_and_who_lacks_images_has_a_reason(name: str, digital_cohort: Cohort) -> None:
    units = (*digital_cohort.units()[:2], Unit("nobody"))
    made = represent(name, digital_cohort, units, **ASKED[name])
    assert made.units == units
    assert len(set(made.table.names)) == len(made.table.names)
    assert np.isnan(made.table.values[2]).all()
    assert {g.unit.patient for g in made.gaps} >= {"nobody"}
    if made.learned is not None:
        assert [m is None for m in made.learned.material] == [False, False, True]
    else:
        assert np.isfinite(made.table.values[:2]).mean() > 0.5
    why = {g.why for g in made.gaps if g.unit.patient == "nobody"}
    assert all(w and "nobody" not in w for w in why)


@pytest.mark.parametrize(
    ("name", "ask", "message"),
    [
        ("radiomic", {}, "did you mean 'radiomics'"),
        ("histogram", {"sequences": ["FLARE"], "regions": ["WT"]}, "did you mean 'FLAIR'"),
        ("histogram", {"sequences": ["T1"], "regions": ["WTT"]}, "did you mean 'WT'"),
        ("histogram", {"sequences": ["T1"]}, "regions for histogram"),
        ("histogram", {"regions": ["WT"]}, "sequences for histogram"),
        ("clusters", {"sequences": ["T1"], "regions": ["WT"], "settings": {"counts": 3}}, "did you mean 'count'"),
        ("clusters", {"sequences": ["T1"], "regions": ["WT"], "settings": {"count": 1}}, "a value that fits 'count'"),
        ("radiomics", {"sequences": ["T1"], "regions": ["WT"], "settings": {"families": ["glmc"]}}, "families among"),
        ("radiomics", {"sequences": ["T1"], "regions": ["WT"], "settings": {"preset": "mr"}}, "settings among"),
        ("clinical", {"settings": {"columns": ["agee"]}}, "did you mean 'age'"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(
    name: str, ask: dict[str, Any], message: str, digital_cohort: Cohort
) -> None:
    with pytest.raises(InputError, match=message):
        represent(name, digital_cohort, digital_cohort.units(), **ask)


def test_a_table_has_no_images(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("patient_id,age\nA,60\n")
    cohort = read_cohort(tmp_path / "people.csv")
    with pytest.raises(InputError, match="a cohort with images for radiomics"):
        represent("radiomics", cohort, cohort.units(), sequences=["T1"], regions=["WT"])
    assert check_settings("deep", {"bundle": "metastases"}).bundle == "metastases"


@pytest.mark.parametrize("name", ["clinical", "clusters"])
def test_a_prefix_stands_before_every_column(name: str, digital_cohort: Cohort) -> None:
    how = dict(ASKED[name])
    how["settings"] = {**how.get("settings", {}), "prefix": "first:"}
    plain, made = (represent(name, digital_cohort, digital_cohort.units(), **h) for h in (ASKED[name], how))
    if made.learned is None:
        assert made.table.names == tuple(f"first:{n}" for n in plain.table.names)
        return
    steps = [m.learned.make(1).fit(m.learned.material) for m in (plain, made)]
    assert steps[1].names == tuple(f"first:{n}" for n in steps[0].names)
    np.testing.assert_array_equal(*(s.transform(m.learned.material) for s, m in zip(steps, (plain, made), strict=True)))


def test_a_prefix_does_not_hide_images(digital_cohort: Cohort) -> None:
    how = {"sequences": ["T1C"], "regions": ["WT"], "settings": {"side": 8, "prefix": "late."}}
    made = represent("network", digital_cohort, digital_cohort.units(), **how)
    step = made.learned.make(1).fit(made.learned.material)
    images = step.images(made.learned.material, [u.patient for u in made.units])
    assert images.channels == ("T1C",)
    regions = step.regions(made.learned.material)
    assert [r.shape for r in regions] == [(8, 8, 8)] * len(made.units)
    assert all(0 < r.sum() < r.size for r in regions)
    assert not hasattr(step, "weights")
