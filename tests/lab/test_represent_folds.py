"""What learns, learns from the training rows: watched by material that notes who was looked at."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from tumorboard.errors import InputError
from tumorboard.lab.cohort import Cohort, parse_sheet
from tumorboard.lab.represent import REPRESENTATIONS, represent
from tumorboard.lab.represent.assembled import Assembled
from tumorboard.lab.represent.base import Represented
from tumorboard.lab.table import Table, Unit

LEARNED: dict[str, dict[str, Any]] = {
    "clusters": {"sequences": ["T1C", "FLAIR"], "regions": ["WT"], "settings": {"count": 2}},
    "dictionary": {"sequences": ["T1C"], "regions": ["WT"], "settings": {"atoms": 3, "most": 60}},
    "expression": {"settings": {"components": 2}},
}
"""How each representation that learns is asked for."""


class Watched:
    """Material that notes which rows were touched."""

    def __init__(self, rows: tuple[Any, ...]) -> None:
        self.rows, self.touched = rows, set[int]()

    def __getitem__(self, row: int) -> Any:
        self.touched.add(int(row))
        return self.rows[row]

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("all rows at once")

    def __deepcopy__(self, memo: object) -> Watched:
        return self


def test_every_representation_that_learns_is_tried_here() -> None:
    assert {n for n, r in REPRESENTATIONS.items() if r.learns} == set(LEARNED)


@pytest.fixture(scope="module", params=sorted(LEARNED))
def made(request: pytest.FixtureRequest, digital_cohort: Cohort) -> Represented:
    found = represent(request.param, digital_cohort, digital_cohort.units(), **LEARNED[request.param])
    assert found.learned is not None
    assert len(found.learned.material) == len(found.units) == 4
    return found


def test_fitting_never_touches_held_out_rows(made: Represented) -> None:
    watched = Watched(made.learned.material)
    parts = (Represented(made.name, made.table, type(made.learned)(watched, made.learned.make)),)
    step = clone(Assembled(parts, seed=3)).fit(np.array([[0], [2], [3]]))
    assert watched.touched == {0, 2, 3}
    step.transform([[1]])
    assert watched.touched == {0, 1, 2, 3}


def test_what_is_held_out_changes_nothing_that_was_learned(made: Represented) -> None:
    material = list(made.learned.material)
    changed = [m if n != 1 else 1e3 + 7.0 * np.asarray(m)[::-1] for n, m in enumerate(material)]
    results = []
    for rows in (material, changed):
        step = made.learned.make(5)
        step.fit([rows[n] for n in (0, 2, 3)])
        results.append(step.transform([material[n] for n in range(4)]))
    np.testing.assert_array_equal(*results)
    moved = made.learned.make(5).fit([changed[n] for n in (1, 2, 3)])
    assert not np.allclose(moved.transform(material), results[0], equal_nan=True)  # and it could have


def test_the_same_seed_gives_the_same_numbers_and_missing_stays_missing(made: Represented) -> None:
    one, two = (made.learned.make(1).fit(made.learned.material) for _ in range(2))
    np.testing.assert_array_equal(one.transform(made.learned.material), two.transform(made.learned.material))
    gone = one.transform([made.learned.material[0], None])
    assert np.isfinite(gone[0]).all()
    assert np.isnan(gone[1]).all()
    assert gone.shape[1] == len(one.names)


def test_nothing_to_learn_from_is_refused(made: Represented) -> None:
    with pytest.raises(InputError, match="in the training units"):
        made.learned.make(0).fit([None, None])


def test_what_was_learned_is_kept_without_pickle(made: Represented) -> None:
    io = pytest.importorskip("skops.io")
    step = made.learned.make(2).fit(made.learned.material)
    raw = io.dumps(step)
    back = io.loads(raw, trusted=io.get_untrusted_types(data=raw))
    np.testing.assert_array_equal(back.transform(made.learned.material), step.transform(made.learned.material))


def test_it_stands_at_the_head_of_a_pipeline(made: Represented) -> None:
    rows, y = np.arange(4)[:, None], np.array([0, 1, 0, 1])
    pipeline = make_pipeline(Assembled((made,), seed=1), LogisticRegression())
    predicted = cross_val_predict(pipeline, rows, y, cv=KFold(2), method="predict_proba")
    assert predicted.shape == (4, 2)
    assert np.isfinite(predicted).all()
    assert copy.deepcopy(made) is made


def test_columns_of_several_representations_keep_their_places() -> None:
    units = tuple(Unit(c) for c in "AB")
    parts = (
        Represented("clinical", Table.of(units, {"age": [1.0, 2.0]})),
        Represented("table", Table.of(units, {"age": [3.0, 4.0]})),
    )
    step = Assembled(parts).fit([[0], [1]])
    assert step.get_feature_names_out().tolist() == ["age", "age#2"]
    assert step.transform([[1], [0]]).tolist() == [[2.0, 4.0], [1.0, 3.0]]
    with pytest.raises(InputError, match="of the same units"):
        Assembled((parts[0], Represented("other", parts[1].table.take([0])))).fit([[0]])


def test_expression_that_is_not_whole_is_missing() -> None:
    table = parse_sheet("expression", "participant_id,G1,G2\nA,1.0,2.0\nB,1.5,n/a\nC,0.0,1.0\n")
    cohort = Cohort({}, {"people": parse_sheet("people", "id,age\nA,1\nB,2\nC,3\nD,4\n"), "expression": table})
    made = represent("expression", cohort, cohort.units(), settings={"components": 1})
    assert [m is None for m in made.learned.material] == [False, True, False, True]
    assert {g.unit.patient for g in made.gaps} == {"B", "D"}
    with pytest.raises(InputError, match="a table of expression"):
        represent("expression", cohort, cohort.units(), settings={"table": "genes"})
