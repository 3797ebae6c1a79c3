"""Facts of a day from events: doses, states, radiotherapy, drugs, kinds of study; what nobody wrote stays unknown."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.respond.case.facts import RULES, drug_classes, facts_of
from tumorboard.respond.drugs import vocabulary
from tumorboard.respond.visits import Kind, SteroidReason, Trend
from tumorboard.study import Event, EventKind

START = dt.date(2000, 1, 1)


def day(n):
    return START + dt.timedelta(days=n)


def event(kind, n, value="", unit="", detail="", until=None):
    return Event(day(n), EventKind(kind), None if until is None else day(until), value, unit, detail)


def steroid(n, value, unit="mg/d", detail="dexamethasone", until=None):
    return event("steroid", n, value, unit, detail, until)


def facts(days, *events):
    return facts_of([day(n) for n in days], events)


def one(n, *events):
    """Facts of the last of two studies, so that the baseline does not matter."""
    return facts((-500, n), *events)[0][1]


# --- nothing is assumed ------------------------------------------------------------------------------------------


def test_without_events_everything_is_unknown():
    found, told = facts((0, 30))
    for fact in found:
        assert (fact.clinical, fact.t2flair, fact.dexamethasone_mg, fact.steroid_reason) == (None, None, None, None)
        assert (fact.rt_end, fact.drug, fact.drug_start) == (None, "", None)
    assert [f.kind for f in found] == [Kind.BASELINE, Kind.FOLLOWUP]
    assert told == ()


def test_no_study_has_no_facts():
    assert facts(()) == ((), ())


# --- steroids ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "detail", "mg"),
    [
        ("4", "mg/d", "dexamethasone", 4.0),
        ("4", "mg", "Dexamethasone", 4.0),
        ("1.5", "mg per day", "DEX", 1.5),
        ("4", "MG/D", "dexamethasone for oedema", 4.0),
        ("20", "mg/d", "prednisolone", 3.0),
        ("20", "mg/d", "prednisone", 3.0),
        ("16", "mg/d", "methylprednisolone", 3.0),
        ("1", "g/d", "Solu-Medrol", 187.5),
        ("20", "mg/d", "hydrocortisone replacement", 0.75),
        ("0", "", "", 0.0),
        ("stopped", "", "", 0.0),
        ("0", "mg/d", "prednisolone", 0.0),
        ("4", "mg/d", "", None),
        ("4", "", "dexamethasone", None),
        ("4", "mg/kg", "dexamethasone", None),
        ("", "mg/d", "dexamethasone", None),
        ("low", "mg/d", "dexamethasone", None),
        ("-4", "mg/d", "dexamethasone", None),
        ("1,5", "mg/d", "dexamethasone", None),
        ("nan", "mg/d", "dexamethasone", None),
        ("4", "mg/d", "dexamethasone or prednisolone", None),
        ("4", "mg/d", "cortisone", None),
    ],
)
def test_dose_of_one_row(value, unit, detail, mg):
    found, told = facts((-500, 5), steroid(0, value, unit, detail))
    assert found[1].dexamethasone_mg == (mg if mg is None else pytest.approx(mg))
    assert any("cannot be read" in t for t in told) == (mg is None)


@pytest.mark.parametrize(
    ("n", "mg"),
    [(-1, None), (0, 8.0), (9, 8.0), (10, 4.0), (20, 4.0), (21, 0.0), (29, 0.0), (30, 2.0), (400, 2.0)],
)
def test_a_dose_holds_until_the_next_row_or_its_last_day(n, mg):
    rows = steroid(0, "8"), steroid(10, "4", until=20), steroid(30, "2")
    assert one(n, *rows).dexamethasone_mg == mg


@given(st.permutations(range(3)), st.integers(-5, 60))
def test_order_of_rows_does_not_matter(order, n):
    rows = [steroid(0, "8"), steroid(10, "4", until=20), event("drug", 3, "", "", "bevacizumab")]
    assert one(n, *rows) == one(n, *(rows[i] for i in order))


def test_another_steroid_adds_to_a_row_whose_last_day_is_written_and_replaces_one_without():
    replacement = steroid(10, "20", detail="hydrocortisone, replacement")
    assert one(15, steroid(0, "4", until=20), replacement).dexamethasone_mg == pytest.approx(4.75)
    assert one(25, steroid(0, "4", until=20), replacement).dexamethasone_mg == pytest.approx(0.75)
    assert one(15, steroid(0, "4"), replacement).dexamethasone_mg == pytest.approx(0.75)
    assert one(15, steroid(0, "4", until=20), steroid(10, "stopped", "", "")).dexamethasone_mg == 0.0


def test_two_doses_of_one_day_are_unknown_and_twice_the_same_is_one():
    assert one(1, steroid(0, "4"), steroid(0, "8")).dexamethasone_mg is None
    assert one(1, steroid(0, "4"), steroid(0, "4")).dexamethasone_mg == 4.0


def test_before_the_first_row_the_dose_is_unknown_and_told():
    assert any("before the first row" in t for t in facts((-1, 5), steroid(0, "4"))[1])
    assert not facts((0, 5), steroid(0, "4"))[1]


def test_converted_doses_are_told_as_unverified():
    assert any("unverified" in t for t in facts((0,), steroid(0, "20", detail="prednisolone"))[1])


def test_equivalents_agree_with_their_source():
    factors = vocabulary()["steroids"]["factors"]
    equal = {"dexamethasone": 0.75, "prednisolone": 5.0, "methylprednisolone": 4.0, "hydrocortisone": 20.0}
    assert {name: factors[name] * mg for name, mg in equal.items()} == pytest.approx(dict.fromkeys(equal, 0.75))
    assert set(factors) == set(vocabulary()["steroids"]["names"])


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ("dexamethasone, oedema", SteroidReason.TUMOUR),
        ("dexamethasone for tumor edema", SteroidReason.TUMOUR),
        ("dexamethasone, immune-related colitis", SteroidReason.OTHER),
        ("hydrocortisone, physiologic replacement", SteroidReason.REPLACEMENT),
        ("dexamethasone", None),
        ("dexamethasone, nausea and oedema", None),
        ("dexamethasone, unrelated to tumour", None),
        ("dexamethasone, without oedema", None),
    ],
)
def test_reason_of_steroids(detail, reason):
    assert one(1, steroid(0, "4", detail=detail)).steroid_reason is reason


def test_no_dose_has_no_reason():
    assert one(1, steroid(0, "0", detail="oedema gone, progression")).steroid_reason is None


# --- clinical state ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "trend"),
    [
        ("stable", Trend.STABLE),
        ("Unchanged", Trend.STABLE),
        ("improved", Trend.BETTER),
        ("worse", Trend.WORSE),
        ("deteriorated.", Trend.WORSE),
        ("not worse", None),
        ("?", None),
    ],
)
def test_clinical_words(word, trend):
    found, told = facts((0, 100), event("clinical", 100, word))
    assert found[1].clinical is trend
    assert bool(told) == (trend is None)
    assert facts((0, 100), event("clinical", 100, "", "", word))[0][1].clinical is trend


@pytest.mark.parametrize(("away", "known"), [(-15, False), (-14, True), (0, True), (14, True), (15, False)])
def test_a_state_counts_for_images_within_two_weeks(away, known):
    assert (facts((0, 100), event("clinical", 100 + away, "worse"))[0][1].clinical is not None) == known


def test_the_nearest_state_counts_and_of_two_the_later():
    rows = event("clinical", 95, "worse"), event("clinical", 101, "stable")
    assert one(100, *rows).clinical is Trend.STABLE
    assert one(97, *rows).clinical is Trend.WORSE
    assert one(98, *rows).clinical is Trend.STABLE


def test_a_state_with_a_last_day_holds_until_then():
    assert one(300, event("clinical", 0, "worse", until=300)).clinical is Trend.WORSE


@pytest.mark.parametrize(
    ("reference", "now", "fell"),
    [
        (100, 80, False),
        (100, 70, True),
        (90, 80, False),
        (90, 70, True),
        (80, 70, False),
        (80, 60, True),
        (70, 60, False),
        (70, 50, True),
        (60, 50, True),
        (50, 50, False),
        (50, 40, True),
        (40, 60, False),
    ],
)
def test_performance_status_against_the_reference(reference, now, fell):
    rows = event("kps", 0, str(reference), "%"), event("kps", 100, f"{now} %")
    found, told = facts((0, 100), *rows)
    assert found[0].clinical is None
    assert found[1].clinical is (Trend.WORSE if fell else Trend.STABLE)
    assert any("unverified" in t for t in told)


def test_performance_status_is_compared_with_the_best_since_the_last_reference():
    surgery = event("surgery", 9, "resection")
    rows = [event("kps", n, v) for n, v in ((0, "90"), (10, "60"), (100, "80"), (200, "60"))]
    found, _ = facts((0, 10, 100, 200), surgery, *rows)
    assert [f.clinical for f in found[2:]] == [Trend.STABLE, Trend.WORSE]
    assert facts((0, 10, 100), surgery, rows[0], rows[3])[0][2].clinical is None
    unknown_after_surgery = facts((0, 10, 200), surgery, rows[0], rows[3])[0][2]
    assert unknown_after_surgery.clinical is Trend.WORSE


def test_performance_status_without_a_reference_says_nothing():
    assert facts((0, 100), event("kps", 100, "40"))[0][1].clinical is None


def test_a_word_counts_before_the_performance_status_and_disagreement_is_told():
    rows = event("kps", 0, "90"), event("kps", 100, "60"), event("clinical", 100, "stable")
    found, told = facts((0, 100), *rows)
    assert found[1].clinical is Trend.STABLE
    assert any("the word counts" in t for t in told)


@pytest.mark.parametrize("value", ["", "ninety", "120", "-10"])
def test_unreadable_performance_status_is_unknown_and_told(value):
    found, told = facts((0, 100), event("kps", 0, "90"), event("kps", 100, value))
    assert found[1].clinical is None
    assert any("Karnofsky" in t for t in told)


def test_a_reading_of_flair_is_no_clinical_state():
    found = one(100, event("clinical", 100, "worse", "", "T2/FLAIR, non-enhancing"))
    assert (found.t2flair, found.clinical) == (Trend.WORSE, None)


# --- radiotherapy ------------------------------------------------------------------------------------------------


def test_radiotherapy_is_the_last_one_that_began():
    rows = event("radiotherapy", 10, "60", "Gy", "", 52), event("radiotherapy", 400, "35", "Gy", "", 420)
    assert one(5, *rows).rt_end is None
    assert one(10, *rows).rt_end == day(52)
    assert one(399, *rows).rt_end == day(52)
    assert one(400, *rows).rt_end == day(420)


def test_radiotherapy_without_an_end_is_unknown_unless_it_was_one_session():
    found, told = facts((0, 50), event("radiotherapy", 10, "60", "Gy", "30 fractions"))
    assert found[1].rt_end is None
    assert any("end_date" in t for t in told)
    for detail in ("radiosurgery, all lesions", "SRS", "8 Gy, single fraction"):
        assert one(50, event("radiotherapy", 10, "20", "Gy", detail)).rt_end == day(10)


# --- drugs -------------------------------------------------------------------------------------------------------

BOTH = frozenset({"antiangiogenic", "immunotherapy"})


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("bevacizumab", {"antiangiogenic"}),
        ("  AVASTIN  10 mg/kg ", {"antiangiogenic"}),
        ("Anti-angiogenic", {"antiangiogenic"}),
        ("antiangiogenic", {"antiangiogenic"}),
        ("VEGF inhibitor", {"antiangiogenic"}),
        ("anti_VEGF", {"antiangiogenic"}),
        ("regorafenib", {"antiangiogenic"}),
        ("Cediranib; lomustine", {"antiangiogenic"}),
        ("nivolumab/ipilimumab", {"immunotherapy"}),
        ("Keytruda", {"immunotherapy"}),
        ("immune checkpoint inhibitor", {"immunotherapy"}),
        ("anti-PD-1/PD-L1", {"immunotherapy"}),
        ("bevacizumab + nivolumab", BOTH),
        ("atezolizumab and Avastin", BOTH),
        ("temozolomide, then bevacizumab", {"antiangiogenic"}),
        ("temozolomide", set()),
        ("", set()),
        ("no bevacizumab", set()),
        ("temozolomide after bevacizumab", set()),
        ("bevacizumab after surgery", {"antiangiogenic"}),
        ("bevacizumab-naive", set()),
        ("bevacizumabs", set()),
        ("CCNU, refused nivolumab", set()),
    ],
)
def test_classes_of_drugs(text, classes):
    assert drug_classes(text) == frozenset(classes)


def test_every_name_in_the_table_is_found_alone_and_belongs_to_one_class():
    for name, table in vocabulary()["classes"].items():
        for word in (*table["words"], *table["drugs"], *(b for brands in table["drugs"].values() for b in brands)):
            assert drug_classes(word.upper()) == {name}, word
        assert table["source"]
        assert table["unverified"] is True


def drug(n, detail, until=None, value="10"):
    return event("drug", n, value, "mg/kg", detail, until)


@pytest.mark.parametrize(
    ("n", "name", "start"),
    [
        (-1, "", None),
        (0, "temozolomide", 0),
        (41, "temozolomide", 0),
        (42, "none", None),
        (100, "bevacizumab", 100),
        (200, "bevacizumab + lomustine", 100),
        (300, "bevacizumab + lomustine + nivolumab", 300),
    ],
)
def test_drugs_of_a_day_and_the_start_that_criteria_ask_for(n, name, start):
    rows = (
        drug(0, "temozolomide, concomitant", until=41),
        drug(100, "bevacizumab, every 2 weeks"),
        drug(200, "lomustine"),
        drug(300, "nivolumab"),
    )
    found = one(n, *rows)
    assert (found.drug, found.drug_start) == (name, None if start is None else day(start))


def test_further_rows_of_a_running_drug_keep_its_start_and_a_pause_does_not():
    assert one(60, drug(0, "nivolumab", until=29), drug(30, "nivolumab, 480 mg")).drug_start == day(0)
    assert one(60, drug(0, "nivolumab"), drug(14, "nivolumab"), drug(28, "nivolumab")).drug_start == day(0)
    assert one(60, drug(0, "nivolumab", until=28), drug(30, "nivolumab")).drug_start == day(30)


def test_a_drug_that_was_stopped_is_not_given():
    rows = drug(0, "bevacizumab"), drug(50, "bevacizumab", value="stopped")
    assert one(49, *rows).drug == "bevacizumab"
    assert (one(50, *rows).drug, one(50, *rows).drug_start) == ("none", None)
    assert one(70, *rows, drug(60, "bevacizumab")).drug_start == day(60)


def test_the_name_may_stand_in_the_value():
    assert one(1, event("drug", 0, "bevacizumab", "", "every 2 weeks")).drug == "bevacizumab"
    assert one(1, event("drug", 0, "cycle 3", "", "pembrolizumab")).drug == "pembrolizumab"
    assert one(1, event("drug", 0, "lomustine", "", "")).drug == "lomustine"
    assert one(1, drug(0, "ipilimumab, bevacizumab")).drug == "ipilimumab, bevacizumab"


# --- kinds -------------------------------------------------------------------------------------------------------


def kinds(days, *events):
    return [f.kind.value for f in facts(days, *events)[0]]


RT = event("radiotherapy", 30, "60", "Gy", "", 72)
RESECTION = event("surgery", 4, "resection")


def test_the_course_of_a_glioblastoma():
    assert kinds((0, 5, 100, 170), RESECTION, RT) == ["baseline", "post_op", "post_rt", "followup"]


@pytest.mark.parametrize(("n", "kind"), [(4, "followup"), (5, "post_op"), (7, "post_op"), (8, "followup")])
def test_post_operative_within_72_hours_but_not_on_the_day(n, kind):
    assert kinds((0, n, 300), RESECTION)[1] == kind


@pytest.mark.parametrize(
    ("n", "kind"), [(71, "followup"), (72, "followup"), (73, "post_rt"), (156, "post_rt"), (157, "followup")]
)
def test_post_radiotherapy_within_12_weeks(n, kind):
    assert kinds((0, n), RT)[1] == kind


def test_only_the_first_study_after_an_event_is_its_reference():
    assert kinds((0, 5, 6, 80, 90), RESECTION, RT) == ["baseline", "post_op", "followup", "post_rt", "followup"]


def test_the_first_study_is_the_baseline_whatever_was_before():
    assert kinds((5, 6), RESECTION) == ["baseline", "followup"]
    assert kinds((73, 80), RT) == ["baseline", "followup"]
    assert not facts((5, 6), RESECTION)[1]


def test_a_late_study_after_surgery_is_told():
    told = facts((0, 25), RESECTION)[1]
    assert len(told) == 1
    assert "72 h" in told[0]
    assert not facts((0, 25), event("surgery", 4, "biopsy"))[1]


def test_a_further_resection_starts_anew_and_a_biopsy_after_radiotherapy_does_not():
    again = event("surgery", 400, "resection")
    biopsy = event("surgery", 400, "", "", "stereotactic biopsy")
    assert kinds((0, 401), RT, again) == ["baseline", "post_op"]
    assert kinds((0, 401), RT, biopsy) == ["baseline", "followup"]
    assert kinds((0, 5), event("surgery", 4, "biopsy")) == ["baseline", "post_op"]


def test_only_the_first_radiotherapy_and_no_radiosurgery_makes_a_reference():
    second = event("radiotherapy", 400, "35", "Gy", "", 420)
    assert kinds((0, 100, 430), RT, second) == ["baseline", "post_rt", "followup"]
    assert kinds((0, 60), event("radiotherapy", 14, "20", "Gy", "radiosurgery")) == ["baseline", "followup"]


def test_radiotherapy_without_an_end_makes_no_reference():
    assert kinds((0, 100), event("radiotherapy", 30, "60", "Gy")) == ["baseline", "followup"]


# --- the table of the digital patients ---------------------------------------------------------------------------


def test_events_of_digital_patients_are_read_whole():
    from tumorboard.simulate.subject import Kind as Disease
    from tumorboard.simulate.subject import draw_member
    from tumorboard.simulate.tables import events_of

    seen = set()
    for number in range(12):
        member = draw_member(1, number, Disease.GLIOMA, 1, 8)
        first = dt.date(2000, 1, 3)
        dates = [first + dt.timedelta(days=int(n)) for n in member.days]
        found, told = facts_of(dates, list(events_of(member)))
        assert told == ()
        assert [f.dexamethasone_mg for f in found] == [member.visit(n).steroid_mg for n in range(len(dates))]
        assert [f.clinical is Trend.WORSE for f in found] == [member.visit(n).kps <= 60 for n in range(len(dates))]
        seen |= {f.kind for f in found}
    assert seen == set(Kind)


@given(st.lists(st.tuples(st.sampled_from(list(EventKind)), st.integers(-50, 400), st.text(max_size=12)), max_size=6))
def test_any_text_is_read_or_told_and_never_repeated(rows):
    rows = [(kind, n, f"zq{text}") for kind, n, text in rows]
    events = [Event(day(n), kind, None, text, text, text) for kind, n, text in rows]
    found, told = facts_of([day(0), day(100)], events)
    assert found[0].kind is Kind.BASELINE
    for fact in found:
        assert fact.dexamethasone_mg is None or fact.dexamethasone_mg >= 0
    for text in (text for _, _, text in rows if len(text.strip()) > 6):
        assert not any(text in t for t in told)


def test_rules_say_what_is_unverified():
    assert set(RULES.unverified) >= {"kps", "post_rt_days"}
