"""Reading order: the simulation against Erlang's and Cobham's formulas, and laws that any order obeys."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.serve.triage.queueing import Department, Triage, erlang_c, mean_waits, simulate

ROOMS = [
    (Department(4.0, 1, 12.0, 0.15), 25),
    (Department(8.0, 2, 12.0, 0.15), 25),
    (Department(22.0, 5, 12.0, 0.30), 25),
]
WAYS = [None, Triage(1.0, 1.0), Triage(0.9, 0.9), Triage(0.6, 0.95)]


def many(room, way, runs, studies=4000):
    """Return means of independent runs: (run, urgent or others)."""
    found = [simulate(room, way, studies, seed) for seed in range(runs)]
    return np.array([(w.urgent.mean(), w.others.mean()) for w in found])


@pytest.mark.parametrize(("room", "runs"), ROOMS)
@pytest.mark.parametrize("way", WAYS)
def test_means_are_those_of_the_formulas(room, runs, way):
    means = many(room, way, runs)
    wanted = mean_waits(room, way)
    error = means.std(axis=0, ddof=1) / np.sqrt(runs)
    np.testing.assert_array_less(np.abs(means.mean(axis=0) - (wanted.urgent, wanted.others)), 4 * error)
    assert (error < 0.15 * means.mean(axis=0)).all()  # else the test could not fail


@pytest.mark.parametrize(
    ("servers", "offered", "published"),
    # chance to wait; M/M/1 is its load, the others follow by hand from Erlang's second formula
    [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (3, 2.0, 4 / 9), (2, 1.5, 9 / 14)],
)
def test_the_chance_to_wait(servers, offered, published):
    assert erlang_c(offered, servers) == pytest.approx(published)


rooms = st.builds(
    lambda readers, load, urgent: Department(load * readers * 5.0, readers, 12.0, urgent),
    st.integers(1, 8),
    st.floats(0.05, 0.97),
    st.floats(0.02, 0.9),
)
triages = st.builds(Triage, st.floats(0, 1), st.floats(0, 1))


@given(rooms, triages)
def test_what_one_gains_another_loses(room, way):
    """Kleinrock's conservation law: with equal reading times the mean over all studies is the same in any order."""
    first, sorted_ = mean_waits(room, None), mean_waits(room, way)
    total = room.urgent * sorted_.urgent + (1 - room.urgent) * sorted_.others
    assert total == pytest.approx(first.urgent, rel=1e-9)


@given(rooms, triages)
def test_urgent_studies_gain_exactly_when_triage_is_better_than_chance(room, way):
    gain = mean_waits(room, None).urgent - mean_waits(room, way).urgent
    better = way.sensitivity + way.specificity - 1
    assert gain * better >= -1e-9
    assert mean_waits(room, way).missed >= mean_waits(room, None).missed - 1e-9


def test_marking_nobody_or_everybody_is_first_come_first_served():
    room = ROOMS[0][0]
    plain = simulate(room, None, 2000, 5)
    for way in (Triage(0.0, 1.0), Triage(1.0, 0.0)):
        found = simulate(room, way, 2000, 5)
        np.testing.assert_array_equal(found.urgent, plain.urgent)
        np.testing.assert_array_equal(found.others, plain.others)


def test_a_limit_bounds_what_the_others_wait_and_costs_the_urgent():
    room = Department(4.6, 1, 12.0, 0.2)
    ways = [Triage(0.9, 0.9), Triage(0.9, 0.9, limit_minutes=60.0), Triage(0.9, 0.9, limit_minutes=0.0)]
    free, limited, none = (simulate(room, way, 20000, 2) for way in ways)
    assert limited.others.max() < free.others.max()
    assert free.urgent.mean() < limited.urgent.mean()
    plain = simulate(room, None, 20000, 2)
    np.testing.assert_array_equal(none.urgent, plain.urgent)


def test_the_sum_of_waits_is_kept_by_the_simulation_too():
    room = Department(9.0, 2, 12.0, 0.2)
    means = [np.concatenate([w.urgent, w.others]).mean() for w in (simulate(room, way, 60000, 3) for way in WAYS)]
    assert np.ptp(means) < 0.05 * means[0]


@pytest.mark.parametrize("wrong", [(0.0, 1, 12.0, 0.1), (4.0, 0, 12.0, 0.1), (4.0, 1, 12.0, 1.0), (5.0, 1, 12.0, 0.1)])
def test_rooms_that_cannot_be_are_refused(wrong):
    with pytest.raises(InputError):
        Department(*wrong)


def test_a_limit_has_no_formula():
    with pytest.raises(InputError, match="simulate"):
        mean_waits(ROOMS[0][0], Triage(0.9, 0.9, 30.0))
