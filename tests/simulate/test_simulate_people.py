"""Digital people: shares within sampling error of their tables, effects that are there or, under the null, are not."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tumorboard.simulate.person.people import AGES, POPULATIONS, Diagnosis, Person, Resection, draw_person
from tumorboard.simulate.person.survival import HAZARDS, NULL, draw_outcome, survival

N = 3000
UPENN_MEDIAN_DAYS = 385.0
"""Kaplan-Meier median of the 575 dated deaths without an IDH mutation; ``benchmarks/outcome.py`` prints it."""


@pytest.fixture(scope="module", params=sorted(POPULATIONS))
def drawn(request):
    """A population's name and many of its people."""
    rng = np.random.default_rng(11)
    return request.param, [draw_person(rng, request.param) for _ in range(N)]


def test_diagnoses_are_as_frequent_as_in_the_table(drawn):
    name, people = drawn
    table = {d: s.patients for d, s in POPULATIONS[name].items()}
    found = Counter(p.diagnosis for p in people)
    expected = [N * n / sum(table.values()) for n in table.values()]
    assert set(found) == set(table)
    if len(table) > 1:
        assert stats.chisquare([found[d] for d in table], expected).pvalue > 0.001


def test_within_each_diagnosis_so_are_sex_mgmt_grade_resection_and_age(drawn):
    name, people = drawn
    for diagnosis, shares in POPULATIONS[name].items():
        rng = np.random.default_rng(5)
        of = [draw_person(rng, name, diagnosis) for _ in range(N)]
        assert stats.binomtest(sum(p.male for p in of), N, shares.male).pvalue > 0.001
        assert stats.binomtest(sum(p.mgmt_methylated for p in of), N, shares.methylated).pvalue > 0.001
        for table, found in ((shares.grades, Counter(p.grade for p in of)),
                             (shares.resections, Counter(p.resection for p in of))):  # fmt: skip
            assert set(found) == set(table)
            if len(table) > 1:
                wanted = [N * n / sum(table.values()) for n in table.values()]
                assert stats.chisquare([found[k] for k in table], wanted).pvalue > 0.001
        ages = np.array([p.age_years for p in of])
        low, high = ((a - shares.age_mean) / shares.age_sd for a in AGES)
        cut = stats.truncnorm(low, high, shares.age_mean, shares.age_sd)
        assert stats.kstest(ages, cut.cdf).pvalue > 0.001
    assert len(people) == N


def test_molecular_facts_follow_from_the_diagnosis(drawn):
    for person in drawn[1]:
        assert person.codeleted <= person.idh_mutant
        assert ("IDH-mutant" in person.diagnosis) == person.idh_mutant
        assert person.grade == 4 or person.diagnosis is not Diagnosis.GLIOBLASTOMA


def test_the_same_seed_gives_the_same_people():
    one, two = ([draw_person(np.random.default_rng(3)) for _ in range(2)] for _ in range(2))
    assert one == two


def test_grades_that_are_asked_for_keep_their_shares_among_themselves():
    rng = np.random.default_rng(5)
    people = [draw_person(rng, grades=(2, 3)) for _ in range(N)]
    of = POPULATIONS["ucsf-pdgm"]
    lower = {d: s.grades.get(2, 0) + s.grades.get(3, 0) for d, s in of.items()}
    for diagnosis, count in lower.items():
        share = np.mean([p.diagnosis is diagnosis for p in people])
        assert share == pytest.approx(count / sum(lower.values()), abs=4 * (0.25 / N) ** 0.5)
    assert {p.grade for p in people} == {2, 3}


def test_all_grades_are_all_people():
    one, two = (draw_person(np.random.default_rng(3), grades=g) for g in ((), (2, 3, 4)))
    assert one == two


@pytest.mark.parametrize(
    "words",
    [("nowhere", None), ("upenn-gbm", Diagnosis.OLIGODENDROGLIOMA), ("upenn-gbm", None, (2,))],
)
def test_nobody_is_invented(words):
    with pytest.raises(KeyError):
        draw_person(np.random.default_rng(0), *words)


# --- outcome ----------------------------------------------------------------------------------------------------

PERSON = Person(60.0, True, Diagnosis.GLIOBLASTOMA, 4, False, Resection.PARTIAL)


def days_of(people, null=False, seed=2):
    rng = np.random.default_rng(seed)
    return np.array([draw_outcome(p, rng, (1e6, 1e6), null).days for p in people])


@given(st.floats(20, 90), st.booleans(), st.sampled_from(Resection), st.floats(1, 4000), st.floats(1, 1000))
def test_the_chance_of_being_alive_only_falls(age, methylated, resection, day, later):
    person = replace(PERSON, age_years=age, mgmt_methylated=methylated, resection=resection)
    now, then = survival(person, np.array([day, day + later]))
    assert 0 <= then <= now <= 1


@given(st.floats(20, 85), st.floats(1, 10), st.floats(10, 3000))
def test_being_older_unmethylated_or_less_resected_never_helps(age, more, day):
    def alive(**changed):
        return float(survival(replace(PERSON, age_years=age, **changed), np.array([day]))[0])

    assert float(survival(replace(PERSON, age_years=age + more), np.array([day]))[0]) <= alive()
    assert alive() <= alive(mgmt_methylated=True)
    assert alive() <= alive(resection=Resection.GROSS)


@pytest.mark.parametrize("diagnosis", HAZARDS)
def test_deaths_follow_the_curve(diagnosis):
    person = replace(PERSON, diagnosis=diagnosis)
    days = days_of([person] * N)
    assert stats.kstest(days, lambda d: 1 - survival(person, d)).pvalue > 0.001


def test_median_survival_of_a_digital_glioblastoma_cohort_is_that_of_the_table():
    rng = np.random.default_rng(4)
    people = [draw_person(rng, "upenn-gbm") for _ in range(N)]
    assert np.median(days_of(people)) == pytest.approx(UPENN_MEDIAN_DAYS, rel=0.15)
    assert np.median(days_of(people, null=True)) == pytest.approx(UPENN_MEDIAN_DAYS, rel=0.15)


def test_under_the_null_nothing_tells_anything():
    rng = np.random.default_rng(6)
    people = [draw_person(rng, "upenn-gbm") for _ in range(N)]
    methylated = np.array([p.mgmt_methylated for p in people])
    for null, found in ((False, True), (True, False)):
        days = days_of(people, null)
        p = stats.mannwhitneyu(days[methylated], days[~methylated]).pvalue
        assert (p < 1e-6) == found
        assert (p > 0.001) != found
    assert NULL.ratio(PERSON) == 1.0


def test_follow_up_ends_where_it_is_said_to():
    rng = np.random.default_rng(0)
    drawn = [draw_outcome(PERSON, rng, (100.0, 200.0)) for _ in range(500)]
    assert max(o.days for o in drawn) <= 200.0
    assert {o.dead for o in drawn} == {True, False}
    assert all(o.days >= 100.0 for o in drawn if not o.dead)
    with pytest.raises(ValueError, match="positive, rising"):
        draw_outcome(PERSON, rng, (300.0, 200.0))
