"""Forms of disease, their course, what genes do, and the null: what digital patients are promised to show."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.labels import Tissue
from tumorboard.sequences import Sequence
from tumorboard.simulate.body.anatomy import draw_anatomy
from tumorboard.simulate.body.background import draw_background
from tumorboard.simulate.disease.foci import Focus, ball
from tumorboard.simulate.disease.glioma import Form, draw_glioma, grown
from tumorboard.simulate.disease.glioma_course import lay_bed, state_at
from tumorboard.simulate.disease.mass import displaced, swelling
from tumorboard.simulate.disease.metastases import LARGEST_MM, PRIMARIES, SMALLEST_MM, draw_metastases, likely_places
from tumorboard.simulate.disease.multiple import Deposit, Fate, deposits, drawn
from tumorboard.simulate.disease.treatment import Plan, Truth, Visit, draw_plan, visit, visit_days
from tumorboard.simulate.inputs import SYSTEMS, missing
from tumorboard.simulate.look import Look
from tumorboard.simulate.person.effects import EFFECTS, Traits, altered, traits_of
from tumorboard.simulate.person.genes import draw_tissue
from tumorboard.simulate.person.people import Diagnosis, Person, Resection
from tumorboard.simulate.person.survival import Outcome
from tumorboard.simulate.scanner.maps import parameter
from tumorboard.simulate.scanner.mixture import mixed
from tumorboard.simulate.subject import SEEN_SHARE, Kind, draw_member, studies
from tumorboard.simulate.tables import BIOPSIES, LESIONS, PARTICIPANTS, biopsy_rows, lesion_rows, participant
from tumorboard.volume import Grid

GBM = Person(60.0, True, Diagnosis.GLIOBLASTOMA, 4, True, Resection.GROSS)


def drawn_gliomas(n, traits=None, person=GBM):
    return [draw_glioma(person, traits or Traits(), np.random.default_rng([1, k])) for k in range(n)]


def test_every_form_of_glioma_occurs_and_what_does_not_enhance_is_diffuse():
    gliomas = [*drawn_gliomas(300), *drawn_gliomas(300, Traits(enhances=0.0, mismatch=0.4))]
    assert {g.form for g in gliomas} == set(Form)
    assert all(g.enhances == (g.form in (Form.ENHANCING, Form.MULTIFOCAL)) for g in gliomas)
    assert all(not (g.mismatch and g.enhances) for g in gliomas)
    assert all(0 < g.core_ml < g.whole_ml for g in gliomas)


def test_metastases_have_the_numbers_and_sizes_of_their_tables(head):
    for name, primary in PRIMARIES.items():
        counts, diameters = [], []
        for seed in range(60):
            foci = draw_metastases(name, head, np.random.default_rng([seed, 7]))
            counts.append(len(foci))
            diameters += [f.diameter_mm for f in foci]
        expected = dict(primary.counts)[0.5]
        assert np.median(counts) == pytest.approx(expected, abs=max(2.0, 0.5 * expected)), name
        assert min(diameters) >= SMALLEST_MM
        assert max(diameters) <= LARGEST_MM
        assert np.mean(np.array(diameters) < 5.0) > 0.2, name


def test_metastases_lie_at_the_junction_of_grey_and_white(head):
    likely = likely_places(head)
    for focus in draw_metastases("breast", head, np.random.default_rng(2)):
        assert likely[focus.centre_ijk]


@settings(max_examples=25, deadline=None)
@given(st.floats(2.0, 20.0), st.sampled_from([(1.0, 1.0, 1.0), (0.9, 0.9, 5.0), (2.0, 1.0, 3.0)]), st.integers(0, 99))
def test_a_ball_has_the_volume_of_its_diameter_at_any_spacing(diameter, spacing, seed):
    grid = Grid((60, 60, 60), np.diag([*spacing, 1.0]))
    focus = Focus((30, 30, 30), diameter, diameter, ragged=0.0)
    _, whole, inner = ball(focus, grid, np.random.default_rng(seed))
    expected = np.pi / 6 * diameter**3
    assert whole.sum() * np.prod(spacing) == pytest.approx(expected, rel=0.2 if diameter < 5 else 0.05)
    assert not inner.any()


def test_a_lesion_of_2_mm_is_in_the_truth_at_2_mm(head):
    deposit = Deposit(Focus((24, 28, 30), 2.0, 2.0), 0, Fate.CONTROLLED, (0.0,), (1.0,), 5)
    found = drawn([deposit], 0, head, Look(), np.random.default_rng(0))
    assert (found.lesions == 1).sum() == 1
    assert (found.state.truth.data == 3).sum() == 1


def test_fates_of_lesions_are_told_apart_by_their_course():
    focus = Focus((0, 0, 0), 10.0, 10.0)
    by_fate = {}
    for seed in range(200):
        one = deposits([focus], np.random.default_rng(seed))[0]
        by_fate[one.fate] = [one.at(day) for day in (0, 84, 252, 420)]
    assert set(by_fate) == set(Fate)
    sizes = {fate: [f.diameter_mm for f in course if f] for fate, course in by_fate.items()}
    assert sizes[Fate.CONTROLLED][-1] < sizes[Fate.CONTROLLED][0]
    assert sizes[Fate.FAILED][-1] > sizes[Fate.FAILED][0]
    assert sizes[Fate.NECROSIS][2] > sizes[Fate.NECROSIS][1]
    assert by_fate[Fate.NECROSIS][2].wall == "radionecrosis"
    assert by_fate[Fate.FAILED][2].wall == "metastasis"


def test_mass_effect_shifts_the_midline_and_the_skull_holds():
    member = draw_member(3, 2, Kind.GLIOMA, 3, 1)
    made = next(studies(3, member, 4.0))
    x = made.head.mni_mm[0]
    bulge = swelling((x > 15) & (x < 45) & made.head.brain & (np.abs(made.head.mni_mm[1]) < 15), made.head, 0.3)
    after, _, state = displaced(made.head, _background(made.head), _state(made), bulge)
    moved = np.argwhere(after.ventricles).mean(axis=0) - np.argwhere(made.head.ventricles).mean(axis=0)
    assert moved[0] < -0.2  # voxels of 4 mm, away from the right side
    assert (after.brain != made.head.brain).mean() < 0.02
    np.testing.assert_allclose((after.gm + after.wm + after.csf)[after.brain], 1.0, atol=1e-4)
    assert set(np.unique(state.truth.data)) <= {0, 1, 2, 3, 4}


def _background(head):
    from tumorboard.simulate.body.background import draw_background

    return draw_background(head, np.random.default_rng(0))


def _state(made):
    from tumorboard.simulate.scanner.mixture import State

    return State.of_labels(made.truth)


@pytest.mark.parametrize(("pseudo", "bevacizumab"), [(True, None), (False, 330.0)])
def test_a_course_deceives_as_patients_do(pseudo, bevacizumab):
    plan = Plan(1.0, 300.0, pseudo, bevacizumab, None, 0.6, 40.0)
    course = {day: visit(plan, day) for day in (0, 5, 100, 240, 320, 400)}
    assert course[5].blood
    assert course[5].cavity == 1.0
    assert course[5].core == 0
    if pseudo:
        assert course[100].truth is Truth.PSEUDOPROGRESSION
        assert course[100].core > course[240].core
    else:
        assert course[400].truth is Truth.PSEUDORESPONSE
        free = visit(Plan(1.0, 300.0, False, None, None, 0.6, 40.0), 400)
        assert course[400].gd < 1
        assert course[400].core < 0.6 * free.core
        assert course[400].oedema > 0.7 * free.oedema
    assert course[320].truth is Truth.PROGRESSION
    assert course[320].core > course[240].core


@given(st.integers(0, 10_000), st.floats(30.0, 3000.0), st.booleans())
def test_true_progression_comes_before_death(seed, days, dead):
    plan = draw_plan(GBM, Outcome(days, dead), np.random.default_rng(seed))
    assert plan.progression >= 75
    assert plan.progression <= max(75.0, (1.0 if dead else 1.4) * days)
    assert 0.97 <= plan.removed <= 1.0


@given(st.integers(1, 12))
def test_visits_rise_and_begin_before_surgery(n):
    days = visit_days(n)
    assert len(days) == n
    assert days[0] == 0
    assert all(b > a for a, b in pairwise(days))


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda e: f"{e.marker} {e.quantity}".replace("/", ""))
def test_every_effect_of_a_gene_is_there_in_its_size(effect):
    """Traits with a marker over traits without, everything else drawn alike."""
    values = []
    for on in (False, True):
        person = Person(50.0, True, Diagnosis.GLIOBLASTOMA, 4, on and effect.marker == "MGMT", Resection.GROSS)
        if effect.marker in ("IDH", "1p/19q"):
            mutant = Diagnosis.OLIGODENDROGLIOMA if effect.marker == "1p/19q" else Diagnosis.ASTROCYTOMA_MUTANT
            base = Diagnosis.GLIOBLASTOMA if effect.marker == "IDH" else Diagnosis.ASTROCYTOMA_MUTANT
            person = Person(50.0, True, mutant if on else base, 4, False, Resection.GROSS)
        tissue = draw_tissue(person, np.random.default_rng(0))
        known = dict.fromkeys(tissue.markers, False)
        if effect.marker not in ("IDH", "1p/19q", "MGMT"):
            known[effect.marker] = on
        traits = traits_of(person, type(tissue)(known, "", 1, tissue.expression, {}), np.random.default_rng(4))
        values.append(getattr(traits, effect.quantity))
    assert values[1] == pytest.approx(values[0] * effect.factor, rel=1e-9)


def test_under_the_null_tables_stay_and_images_are_those_of_strangers():
    plain, null = (draw_member(9, 4, Kind.GLIOMA, 1, 1, flag) for flag in (False, True))
    assert plain.person == null.person
    assert dict(altered(plain.person, plain.tissue)) == dict(altered(null.person, null.tissue))
    assert plain.tumour_of == plain.person
    assert null.tumour_of != null.person
    assert null.traits != plain.traits


def test_the_genotype_shows_in_what_tumours_are_like_and_not_under_the_null():
    members = {flag: [draw_member(9, n, Kind.GLIOMA, 1, 1, flag) for n in range(500)] for flag in (False, True)}
    shift = {}
    for flag, of in members.items():
        adc = np.array([m.traits.adc for m in of])
        mutant = np.array([m.person.idh_mutant for m in of])
        shift[flag] = np.log(adc[mutant]).mean() - np.log(adc[~mutant]).mean()
    assert shift[False] == pytest.approx(np.log(1.25), abs=0.06)
    assert abs(shift[True]) < 0.05


@pytest.mark.parametrize("system", SYSTEMS)
def test_everything_that_a_published_system_reads_is_made(system):
    assert missing(system) == []


def test_all_published_systems_of_four_chapters_are_listed():
    numbers = {c: {int(s[1:].rstrip("abc")) for s in SYSTEMS if s[0] == c} for c in "CDEF"}
    assert numbers == {c: set(range(1, n + 1)) for c, n in {"C": 7, "D": 33, "E": 14, "F": 17}.items()}


@pytest.mark.parametrize("kind", [Kind.GLIOMA, Kind.METASTASES, Kind.PCNSL])
def test_tables_have_their_columns(kind):
    member = draw_member(3, 1, kind, 2, 2)
    assert len(participant("x1", member)) == len(PARTICIPANTS)
    first = next(studies(3, member, 4.0, volumes=False))
    assert all(len(row) == len(LESIONS) for row in lesion_rows("x1", first))
    biopsies = list(biopsy_rows("x1", first, np.random.default_rng(0)))
    assert biopsies
    assert all(len(row) == len(BIOPSIES) for row in biopsies)
    cells = [float(row[-1]) for row in biopsies]
    assert min(cells) > 0


def test_cells_are_denser_where_diffusion_is_slower():
    densities, slow = [], []
    for n in range(6):
        made = next(studies(3, draw_member(3, n, Kind.GLIOMA, 1, 1), 4.0, (Sequence.ADC,), volumes=False))
        for row in biopsy_rows("x", made, np.random.default_rng(n), points=12):
            place = made.truth.grid.to_voxel([[float(v) for v in row[3:6]]])[0].round().astype(int)
            slow.append(float(made.extras[Sequence.ADC].data[tuple(place)]))
            densities.append(float(row[-1]))
    assert np.corrcoef(np.log(slow), np.log(densities))[0, 1] < -0.3


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"whole_ml": 2000.0}, "0 to 400 mL"),
        ({"whole_ml": 0.0}, "0 to 400 mL"),
        ({"core_ml": 90.0}, "0 to 50 mL"),
        ({"core_ml": float("nan")}, "0 to 50 mL"),
    ],
)
def test_tumours_that_no_brain_has_room_for_are_refused(wrong, says):
    glioma = draw_glioma(GBM, Traits(), np.random.default_rng(0))
    with pytest.raises(InputError, match=says):
        replace(glioma, **{"whole_ml": 50.0, "core_ml": 20.0} | wrong)


@pytest.mark.parametrize(
    "wrong", [{"steroid_mg": -4.0}, {"day": -3}, {"core": -0.1}, {"kps": 120}, {"gd": float("nan")}, {"treated": 1.1}]
)
def test_negative_doses_and_visits_before_the_first_are_refused(wrong):
    with pytest.raises(InputError, match="expected"):
        Visit(**{"day": 5, "truth": Truth.STABLE, "core": 1.0, "oedema": 1.0} | wrong)
    if "day" in wrong:
        with pytest.raises(InputError, match="at least 0"):
            visit(Plan(1.0, 300.0, False, None, None, 0.6, 40.0), wrong["day"])


def test_pseudoprogression_looks_like_itself_and_a_tumour_that_grows_like_a_tumour():
    """Blood volume, diffusion and amino acids tell them apart, contrast hardly (Mangla 2010, Galldiks 2015)."""
    head = draw_anatomy(np.random.default_rng(0), 4.0)
    rng = np.random.default_rng(1)
    glioma = replace(draw_glioma(GBM, Traits(enhances=1.0), rng), core_ml=25.0, whole_ml=60.0)
    bed = lay_bed(glioma, head, grown(glioma, head, rng)[0], rng)
    found = {}
    for name, treated in (("tumour", 0.0), ("treatment", 0.9)):
        seen = Visit(100, Truth.PROGRESSION, 0.8, 0.8, treated=treated)
        state = state_at(bed, seen, 0.0, np.random.default_rng(2))
        mixture = mixed(head, draw_background(head, np.random.default_rng(3)), state)
        at = state.truth.data == Tissue.ET
        found[name] = {p: float(parameter(mixture, p)[at].mean()) for p in ("cbv", "adc", "fet", "gd_mmol_l")}
    ratio = {p: found["treatment"][p] / found["tumour"][p] for p in found["tumour"]}
    assert ratio["cbv"] < 0.7
    assert ratio["adc"] > 1.05
    assert ratio["fet"] < 0.85
    assert ratio["gd_mmol_l"] == pytest.approx(1.0, abs=0.1)


def test_readers_call_a_voxel_enhancing_when_a_quarter_of_it_is():
    made = next(studies(3, draw_member(3, 0, Kind.GLIOMA, 1, 1), 4.0, volumes=False))
    vital = made.mixture.parts["vital"]
    assert vital[made.truth.data == 2].max() < SEEN_SHARE
    assert (vital[made.truth.data == 3] >= SEEN_SHARE).mean() > 0.9
    assert not made.necrosis[made.truth.data != 1].any()


def test_no_operation_leaves_a_brain_full_of_oedema():
    """After a gross resection of a tumour with little oedema there was less room than none (found in training)."""
    member = draw_member(101, 474, Kind.GLIOMA, 7, 2)
    for study in studies(101, member, 4.0, volumes=False):
        assert study.truth.volume_ml("WT") < 200
