"""Alignment finds known motions, favours no study, and says when it cannot be believed."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi
from scipy.spatial.transform import Rotation

from tumorboard.errors import GeometryError, InputError
from tumorboard.labels import LabelMap
from tumorboard.prepare.gate import FitQuality
from tumorboard.prepare.midplane import shrink_factors
from tumorboard.prepare.prepare import prepare
from tumorboard.respond.align import align, carried, shared_grid, template
from tumorboard.respond.align.motions import exp, generators, inverse, log, mean, rms_mm
from tumorboard.respond.align.pairwise import PairFit, lay
from tumorboard.respond.align.side import CLEAR_MM, WORKING_MM, Side, compared
from tumorboard.sequences import Sequence
from tumorboard.simulate.native import draw_motion
from tumorboard.simulate.patient import digital_patient
from tumorboard.study import Study
from tumorboard.transform import resample
from tumorboard.volume import Grid, Volume

ORIGIN = np.zeros(3)
BRAIN_MM = np.array([0.0, -20.0, 10.0])


def motion(seed, shift_mm=15.0, turn_deg=12.0):
    return draw_motion(np.random.default_rng(seed), shift_mm, turn_deg, BRAIN_MM)


def lying(study, labels, pose, spacing_mm, turn_deg, sequences=None):
    """Return a study and its labels on an oblique grid of other voxels, in a world that has moved."""
    turn = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(spacing_mm)
    places = study.grid.to_world(np.argwhere(study.brain)) @ np.linalg.inv(affine[:3, :3]).T
    low, high = np.floor(places.min(axis=0)) - 1.7, np.ceil(places.max(axis=0)) + 2
    affine[:3, 3] = affine[:3, :3] @ low
    shape = tuple(int(n) for n in np.ceil(high - low))
    here, there = Grid(shape, affine), Grid(shape, pose @ affine)

    def laid(data, order):
        step = np.linalg.inv(study.grid.affine) @ here.affine
        return ndi.affine_transform(data, step[:3, :3], step[:3, 3], output_shape=shape, order=order)

    brain = laid(study.brain.astype(np.float32), 1) > 0.5
    volumes = {
        s: Volume(np.where(brain, laid(v.data.astype(np.float64), 3), 0).astype(np.float32), there)
        for s, v in study.volumes.items()
        if sequences is None or s in sequences
    }
    return Study(study.id, volumes, brain), LabelMap(laid(labels.data, 0), there)


def off_mm(study, found, truth):
    """Mean distance of the brain's voxel centres from where they should be, mm."""
    points = study.grid.to_world(np.argwhere(study.brain))
    away = found - truth
    return float(np.linalg.norm(points @ away[:3, :3].T + away[:3, 3], axis=1).mean())


POSES = [motion(seed) for seed in (1, 2, 3)]
TURNS_DEG = [(5, -8, 3), (-9, 2, 6), (0, 7, -4)]
VOXELS = np.array([(0.9, 1.15, 1.0), (1.05, 0.95, 1.2), (1.0, 1.0, 0.9)])
"""Of each study, as multiples of the patient's own."""


def course_of(seed, spacing_mm):
    """Studies of a digital patient, lying differently each time on grids of their own, and their labels."""
    patient = digital_patient(seed, spacing_mm)
    prepared = [(prepare(s.id, s.volumes).study, s.truth) for s in patient.studies]
    ways = zip(POSES, VOXELS * spacing_mm, TURNS_DEG, strict=True)
    return [lying(*made, *how) for made, how in zip(prepared, ways, strict=True)]


@pytest.fixture(scope="module")
def course():
    return course_of(7, 5.0)


@pytest.fixture(scope="module")
def sides(course):
    return [Side.of(study, labels) for study, labels in course]


@pytest.fixture(scope="module")
def aligned(course):
    return align([study for study, _ in course], {study.id: labels for study, labels in course})


def truth(one, two):
    """The motion from the world of one study to that of another."""
    return POSES[two] @ inverse(POSES[one])


# --- motions as a group -----------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.sampled_from([6, 9, 12]))
def test_a_logarithm_is_the_generator_of_a_motion(seed, dof):
    x = np.random.default_rng(seed).uniform(-25, 25, dof)
    generator = np.tensordot(x, generators(dof, BRAIN_MM), axes=1)
    assert log(exp(generator)) == pytest.approx(generator, abs=1e-8)


def test_small_motions_about_a_point_move_the_surface_of_a_brain_by_a_millimetre():
    for n, part in enumerate(generators(12, BRAIN_MM)):
        step = exp(1e-3 * part) @ [*BRAIN_MM, 1.0] - [*BRAIN_MM, 1.0]
        assert np.linalg.norm(step) == pytest.approx(1e-3 if n < 3 else 0.0, abs=1e-9)
    away = np.add(BRAIN_MM, [0.0, 70.0, 0.0])
    turned = exp(1e-3 * generators(6, BRAIN_MM)[3]) @ [*away, 1.0]
    assert turned[:3] - away == pytest.approx([0.0, 0.0, 1e-3], abs=1e-7)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
@settings(max_examples=15)
def test_a_mean_follows_every_change_of_coordinates(seed, n):
    rng = np.random.default_rng(seed)
    motions = [draw_motion(rng, 30, 25, ORIGIN) for _ in range(n)]
    left, right = draw_motion(rng, 90, 40, ORIGIN), draw_motion(rng, 90, 40, ORIGIN)
    middle = mean(motions)
    assert mean([left @ m @ right for m in motions]) == pytest.approx(left @ middle @ right, abs=1e-6)
    assert mean([inverse(m) for m in motions]) == pytest.approx(inverse(middle), abs=1e-6)
    assert mean(motions[::-1]) == pytest.approx(middle, abs=1e-7)
    assert np.linalg.det(middle[:3, :3]) == pytest.approx(1.0)


def test_the_distance_of_a_motion_is_that_over_a_ball():
    moved = motion(5)
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200_000, 3))
    points *= 70.0 * rng.random((200_000, 1)) ** (1 / 3) / np.linalg.norm(points, axis=1)[:, None]
    points += BRAIN_MM
    away = points @ (moved - np.eye(4))[:3, :3].T + moved[:3, 3]
    assert rms_mm(moved, BRAIN_MM) == pytest.approx(np.sqrt((away**2).sum(axis=1).mean()), rel=0.005)


# --- what is compared -------------------------------------------------------------------------------------------


def box(shape=(20, 20, 20), affine=None, sequence=Sequence.T1, seed=0):
    rng = np.random.default_rng(seed)
    image = ndi.gaussian_filter(rng.normal(size=shape), 1.5)
    return Study("ses-01", {sequence: Volume.of(image, np.eye(4) if affine is None else affine)}, np.ones(shape, bool))


@given(st.from_type(Grid), st.integers(1, 4))
def test_block_means_lie_where_their_voxels_lie(grid, times):
    """A ramp along each world axis keeps its values at the places of the blocks."""
    shape = tuple(n * f * times for n, f in zip(grid.shape, shrink_factors(grid, WORKING_MM), strict=True))
    grid = Grid(shape, grid.affine)
    world = grid.to_world(np.argwhere(np.ones(shape, bool)))
    for axis in range(3):
        ramp = Volume(world[:, axis].reshape(shape), grid)
        side = Side.of(Study("ses-01", {Sequence.T1: ramp}, np.ones(shape, bool)))
        small = side.grid.to_world(np.argwhere(np.ones(side.grid.shape, bool)))
        assert side.volumes[Sequence.T1].data.ravel() == pytest.approx(small[:, axis], abs=1e-3)
        assert side.middle_mm == pytest.approx(world.mean(axis=0), abs=1e-6)


def test_tumours_are_left_out_with_what_lies_near():
    study = box((48, 48, 48))
    data = np.zeros((48, 48, 48), np.uint8)
    data[20, 20, 20] = 4
    side = Side.of(study, LabelMap(data, study.grid))
    far = np.linalg.norm(side.grid.to_world(np.argwhere(~side.region)) - 20.0, axis=1)
    assert far.max() < CLEAR_MM + np.sqrt(3)  # half the diagonal of a block of 2 mm
    assert (~side.region).sum() * 8.0 == pytest.approx(4 / 3 * np.pi * CLEAR_MM**3, rel=0.2)
    everywhere = LabelMap(np.full((48, 48, 48), 2, np.uint8), study.grid)
    assert Side.of(study, everywhere).region.all()  # nothing would be left to compare


def test_labels_of_another_grid_and_an_empty_brain_are_refused():
    study = box()
    with pytest.raises(GeometryError, match="ses-01: expected labels on the study's grid"):
        Side.of(study, LabelMap.of(np.zeros((20, 20, 19), np.uint8), np.eye(4)))
    with pytest.raises(InputError, match="brain mask that is not empty"):
        Side.of(replace(study, brain=np.zeros((20, 20, 20), bool)))


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ("T1 T1C T2 FLAIR", "T1 T1C T2 FLAIR", "T1C-T1C T1-T1"),
        ("T1C FLAIR", "T1 T1C T2 FLAIR", "T1C-T1C FLAIR-FLAIR"),
        ("T2 FLAIR", "T1C FLAIR", "FLAIR-FLAIR"),
        ("T1C", "T2 FLAIR", "T1C-FLAIR"),
        ("ADC T1", "ADC T2", "T1-T2"),
    ],
)
def test_the_same_sequence_is_compared_where_there_is_one(one, two, expected):
    image = Volume.of(np.ones((3, 3, 3)), np.eye(4))
    pair = [
        Side.of(Study("ses-01", {Sequence(s): image for s in names.split()}, np.ones((3, 3, 3), bool)))
        for names in (one, two)
    ]
    assert " ".join(f"{a}-{b}" for a, b in compared(*pair)) == expected


@given(st.from_type(Volume), st.from_type(Grid))
def test_carrying_without_motion_is_resampling(volume, grid):
    near = Grid(grid.shape, volume.affine @ np.linalg.inv(np.diag([*volume.spacing_mm, 1])) @ np.diag([1, 1.5, 0.7, 1]))
    assert carried(volume.data, volume.grid, np.eye(4), near) == pytest.approx(resample(volume, near).data, abs=1e-3)


def test_carrying_goes_through_the_motion():
    pose = motion(4)
    grid = Grid((9, 8, 7), np.diag([2.0, 3.0, 4.0, 1.0]))
    data = np.random.default_rng(0).integers(0, 9, grid.shape)
    moved = Grid(grid.shape, pose @ grid.affine)
    assert (carried(data, moved, pose, grid, order=0) == data).all()
    assert (carried(data, moved, inverse(pose) @ motion(5), grid, order=0, outside=-1) == -1).any()


@given(st.lists(st.from_type(Grid), min_size=1, max_size=3), st.integers(0, 2**32 - 1))
def test_the_shared_grid_holds_every_brain(grids, seed):
    ways = [motion([seed, n]) for n in range(len(grids))]
    shared = shared_grid([(np.ones(g.shape, bool), g, way) for g, way in zip(grids, ways, strict=True)], 2.0)
    assert shared.axcodes == "RAS"
    for grid, way in zip(grids, ways, strict=True):
        index = shared.to_voxel(Grid(grid.shape, way @ grid.affine).corners_mm())
        assert (index > 0).all()
        assert (index < np.array(shared.shape) - 1).all()


def test_no_brain_gives_no_grid():
    with pytest.raises(InputError, match="shared grid"):
        shared_grid([(np.zeros((2, 2, 2), bool), Grid((2, 2, 2), np.eye(4)), np.eye(4))])


# --- two studies ------------------------------------------------------------------------------------------------


def test_known_motions_are_found(course, aligned):
    """Heads of 5 mm voxels, moved by up to 15 mm and 12 degrees about each axis, on oblique grids."""
    for one, two in itertools.combinations(range(3), 2):
        study = course[one][0]
        assert off_mm(study, np.eye(4), truth(one, two)) > 10.0
        assert off_mm(study, aligned.between(study.id, course[two][0].id), truth(one, two)) < 0.7
    assert aligned.warnings == ()
    assert aligned.error_mm < 1.0


def test_neither_the_order_of_two_studies_nor_scanner_coordinates_matter(sides):
    """The inverse motion comes back, and a world that lies elsewhere changes it by just that."""
    one, two = sides[:2]
    pose = motion(9, 200.0, 20.0)
    volumes = {s: Volume(v.data, Grid(v.grid.shape, pose @ v.affine)) for s, v in one.volumes.items()}
    away = replace(one, volumes=volumes, middle_mm=pose[:3, :3] @ one.middle_mm + pose[:3, 3])
    there, back = lay(one, two).matrix, lay(two, away).matrix
    assert rms_mm(inverse(pose) @ back @ there, one.middle_mm) < 0.06  # compared one way only: 0.13
    assert there[:3, :3] @ there[:3, :3].T == pytest.approx(np.eye(3), abs=1e-9)


@pytest.mark.slow
def test_contrasts_need_not_be_the_same(course):
    (one, labels), (two, other) = course[1:]
    first = Side.of(replace(one, volumes={Sequence.T1C: one.volumes[Sequence.T1C]}), labels)
    later = Side.of(replace(two, volumes={Sequence.FLAIR: two.volumes[Sequence.FLAIR]}), other)
    fit = lay(first, later)
    assert fit.sequences == ((Sequence.T1C, Sequence.FLAIR),)
    assert fit.apart_mm is None
    assert off_mm(one, fit.matrix, truth(1, 2)) < 1.5


@pytest.mark.slow
def test_a_sequence_full_of_ghosts_does_not_mislead(course):
    (one, labels), (two, other) = course[1:]
    ghost = one.volumes[Sequence.T1C]
    spoilt = ghost.data + 1.5 * np.roll(ghost.data, 5, axis=1) + 1.5 * np.roll(ghost.data, -5, axis=1)
    volumes = {**one.volumes, Sequence.T1C: ghost.with_data(np.where(one.brain, spoilt, 0))}
    fit = lay(Side.of(replace(one, volumes=volumes), labels), Side.of(two, other))
    assert fit.sequences == ((Sequence.T1C, Sequence.T1C), (Sequence.T1, Sequence.T1))
    assert off_mm(one, fit.matrix, truth(1, 2)) < 1.5
    assert fit.quality.refusal() == ""


@pytest.mark.slow
def test_a_stretch_is_found_only_when_it_is_asked_for(coarse_prepared):
    study = coarse_prepared.study
    stretch = np.diag([1.03, 1.0, 0.97, 1.0])
    image = Volume(study.volumes[Sequence.T1C].data, Grid(study.grid.shape, stretch @ study.grid.affine))
    one, two = Side.of(study), Side.of(Study("ses-02", {Sequence.T1C: image}, study.brain))
    rigid, nine, twelve = (lay(one, two, dof).matrix for dof in (6, 9, 12))
    assert np.linalg.svd(rigid[:3, :3])[1] == pytest.approx([1, 1, 1], abs=1e-9)
    assert off_mm(study, rigid, stretch) > 0.5
    assert off_mm(study, nine, stretch) < 0.2
    assert off_mm(study, twelve, stretch) < 0.2
    assert nine[:3, :3] == pytest.approx(stretch[:3, :3], abs=0.005)


# --- all studies of a patient -----------------------------------------------------------------------------------


def test_the_template_lies_in_the_middle(aligned):
    total = np.sum([log(matrix) for matrix in aligned.to_template.values()], axis=0)
    assert total == pytest.approx(np.zeros((4, 4)), abs=1e-7)


def test_two_studies_meet_halfway():
    one = box((12, 12, 12), np.diag([4.0, 4.0, 4.0, 1.0]))
    image = Volume(one.volumes[Sequence.T1].data, Grid((12, 12, 12), motion(6) @ one.grid.affine))
    found = align([one, Study("ses-02", {Sequence.T1: image}, one.brain)])
    here, there = found.to_template["ses-01"], found.to_template["ses-02"]
    assert here == pytest.approx(inverse(there), abs=1e-7)
    assert rms_mm(inverse(found.between("ses-01", "ses-02")) @ motion(6), Side.of(one).middle_mm) < 0.3
    assert found.error_mm is None  # one sequence, one way: nothing that could contradict it
    assert [pair.compared for pair in found.pairs] == [("T1",)]


def test_one_study_stays_where_it_is():
    found = align([box()])
    assert np.array_equal(found.to_template["ses-01"], np.eye(4))
    assert found.pairs == found.warnings == ()
    assert found.error_mm is None
    with pytest.raises(InputError, match="two aligned studies"):
        found.between("ses-01", "ses-02")


def test_another_thing_than_the_head_is_left_out(course):
    study, labels = course[1]
    noise = np.random.default_rng(0).normal(size=study.grid.shape).astype(np.float32)
    image = study.volumes[Sequence.T1C].with_data(np.where(study.brain, noise, 0))
    found = align([replace(study, id="ses-09", volumes={Sequence.T1C: image}), study], {study.id: labels})
    assert list(found.to_template) == ["ses-02"]
    assert found.warnings[0].startswith("ses-09 was not aligned: ")


@pytest.mark.parametrize(
    ("studies", "dof", "told"),
    [([], 6, "at least one study"), ([box(), box()], 6, "2 studies of 1 names"), ([box()], 7, "6, 9 or 12")],
)
def test_what_cannot_be_aligned_is_refused(studies, dof, told):
    with pytest.raises(InputError, match=told):
        align(studies, dof=dof)


# --- how ways are reconciled, on motions that are known ---------------------------------------------------------

GOOD = FitQuality(0.3, 0.4, 1.0, 0.0, 0.0)
BAD = FitQuality(0.01, 0.4, 1.0, 0.0, 0.0)


@pytest.fixture
def told_by(monkeypatch):
    """Let pairs of studies have motions that a function of their numbers tells, without looking at images."""

    def arrange(tell, n, order=None):
        asked = []

        def lay_told(one, two, dof):
            pair = int(one.middle_mm[0]), int(two.middle_mm[0])
            asked.append(pair)
            matrix, quality, apart = tell(*pair)
            return PairFit(matrix, ((Sequence.T1C, Sequence.T1C),), quality, apart, one.middle_mm)

        monkeypatch.setattr(template, "lay", lay_told)
        affine = np.eye(4)
        studies = []
        for number in range(n):
            affine[0, 3] = number
            volume = Volume.of(np.ones((1, 1, 1)), affine)
            studies.append(Study(f"ses-{number:02d}", {Sequence.T1C: volume}, np.ones((1, 1, 1), bool)))
        return align([studies[n] for n in order or range(n)]), asked

    return arrange


@given(st.integers(0, 2**32 - 1), st.integers(2, 7))
@settings(max_examples=8)
def test_ways_that_agree_are_kept(seed, n):
    poses = [motion([seed, k]) for k in range(n)]
    with pytest.MonkeyPatch.context() as patch:
        found, asked = told_by.__wrapped__(patch)(lambda a, b: (poses[b] @ inverse(poses[a]), GOOD, None), n)
    assert len(asked) == 2 * n - 3  # costs grow with the number of studies, not with its square
    for one, two in itertools.combinations(range(n), 2):
        between = found.between(f"ses-{one:02d}", f"ses-{two:02d}")
        assert between == pytest.approx(poses[two] @ inverse(poses[one]), abs=1e-6)
    assert max(pair.off_mm for pair in found.pairs) < 1e-6


@given(st.permutations(range(4)))
@settings(max_examples=8)
def test_neither_order_nor_names_matter(places):
    """Pairs that contradict each other by millimetres, given in any order: bit for bit the same."""

    def tell(one, two):
        error = draw_motion(np.random.default_rng([one, two]), 2.0, 2.0, ORIGIN)
        return motion(two) @ inverse(motion(one)) @ error, GOOD, None

    with pytest.MonkeyPatch.context() as patch:
        arrange = told_by.__wrapped__(patch)
        plain, _ = arrange(tell, 4)
        shuffled, _ = arrange(tell, 4, places)
    for name, matrix in plain.to_template.items():
        assert np.array_equal(shuffled.to_template[name], matrix)


def test_no_study_is_favoured(told_by):
    """Three studies, each once in each place, of which all pairs contradict each other: the same template."""
    names = [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
    said = {(0, 1): motion(1), (1, 2): motion(2), (0, 2): motion(3, 16.0, 14.0)}
    said |= {(b, a): inverse(m) for (a, b), m in said.items()}
    found = []
    for order in names:
        alignment, _ = told_by(lambda a, b, order=order: (said[order[a], order[b]], GOOD, None), 3)
        found.append({order[n]: alignment.to_template[f"ses-{n:02d}"] for n in range(3)})
    for other in found[1:]:
        for study, matrix in found[0].items():
            assert other[study] == pytest.approx(matrix, abs=1e-5)


def test_ways_that_disagree_are_reconciled(told_by):
    """One of three says 3 mm too much: each gives way by a third of it, as least squares asks."""

    def tell(one, two):
        matrix = np.eye(4)
        matrix[0, 3] = 3.0 if (one, two) == (0, 2) else 0.0
        return matrix, GOOD, 0.1

    found, _ = told_by(tell, 3)
    assert found.between("ses-00", "ses-02")[0, 3] == pytest.approx(2.0)
    assert found.between("ses-00", "ses-01")[0, 3] == pytest.approx(1.0)
    assert [pair.off_mm for pair in found.pairs] == pytest.approx([1.0] * 3)
    assert found.error_mm == pytest.approx(1.0)


def test_contradictions_are_told(told_by):
    def tell(one, two):
        matrix = np.eye(4)
        matrix[0, 3] = 6.0 if (one, two) == (0, 2) else 0.0
        return matrix, GOOD, 1.4 if (one, two) == (0, 1) else 0.2

    found, _ = told_by(tell, 3)
    assert len(found.warnings) == 4
    assert found.warnings[0] == "ses-00 and ses-01: T1C are aligned 1.4 mm apart by themselves"
    assert all("contradict their alignment by 2.0 mm" in told for told in found.warnings[1:])


def test_errors_do_not_add_up_along_the_way(told_by):
    """Seven studies with errors of 0.5 mm: nearer to the truth than a chain of neighbours."""
    through, chained = [], []
    for seed in range(8):
        errors = {}

        def tell(one, two, seed=seed, errors=errors):
            errors[one, two] = draw_motion(np.random.default_rng([seed, one, two]), 0.5, 0.3, ORIGIN)
            return errors[one, two], GOOD, None

        found, _ = told_by(tell, 7)
        through.append(rms_mm(found.between("ses-00", "ses-06"), ORIGIN))
        chain = np.linalg.multi_dot([errors[n, n + 1] for n in range(6)][::-1])
        chained.append(rms_mm(chain, ORIGIN))
    assert np.mean(through) < 0.8 * np.mean(chained)


def test_a_study_that_its_neighbours_refuse_is_laid_onto_others(told_by):
    poses = [motion(k) for k in range(5)]

    def tell(one, two):
        refused = 0 in (one, two) and (one, two) != (0, 4)
        return poses[two] @ inverse(poses[one]), BAD if refused else GOOD, None

    found, asked = told_by(tell, 5)
    assert asked[-2:] == [(0, 3), (0, 4)]
    assert found.warnings == ()
    assert found.between("ses-00", "ses-02") == pytest.approx(poses[2] @ inverse(poses[0]), abs=1e-6)


def test_the_larger_group_is_kept(told_by):
    found, _ = told_by(lambda a, b: (np.eye(4), GOOD if (a < 2) == (b < 2) else BAD, None), 5)
    assert sorted(found.to_template) == ["ses-02", "ses-03", "ses-04"]
    assert [told.split(" was")[0] for told in found.warnings] == ["ses-00", "ses-01"]
    assert "share 0.010 of their information" in found.warnings[0]


def test_of_equal_groups_that_of_the_first_study_is_kept(told_by):
    found, _ = told_by(lambda a, b: (np.eye(4), BAD, None), 2)
    assert list(found.to_template) == ["ses-00"]
    assert found.warnings[0].startswith("ses-01 was not aligned")


def test_an_alignment_can_be_written(told_by):
    import json

    found, _ = told_by(lambda a, b: (motion(7), GOOD, 0.3), 2)
    written = json.loads(json.dumps(found.as_json()))
    assert written["error_mm"] == 0.3
    assert written["pairs"][0]["compared"] == ["T1C"]
    assert np.array(written["to_template"]["ses-01"]) == pytest.approx(found.to_template["ses-01"])


# --- at the size of clinical studies ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", [7, 8])
def test_the_error_is_well_below_a_voxel(seed):
    course = course_of(seed, 2.0)
    found = align([study for study, _ in course], {study.id: labels for study, labels in course})
    for one, two in itertools.combinations(range(3), 2):
        between = found.between(course[one][0].id, course[two][0].id)
        assert off_mm(course[one][0], between, truth(one, two)) < 0.5
    assert found.error_mm < 0.5
    assert found.warnings == ()


@pytest.mark.slow
def test_names_of_real_images_do_not_matter(course, aligned):
    """Names decide who is laid onto whom; the result must not depend on it."""
    names = {"ses-01": "ses-03", "ses-02": "ses-01", "ses-03": "ses-02"}
    renamed = [replace(study, id=names[study.id]) for study, _ in course]
    again = align(renamed, {names[study.id]: labels for study, labels in course})
    for old, new in names.items():
        assert rms_mm(inverse(again.to_template[new]) @ aligned.to_template[old], BRAIN_MM) < 0.1
