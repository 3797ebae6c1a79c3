"""The same lesion bears the same name, on any grid and however it is numbered; what becomes of it is told."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage as ndi
from scipy.spatial.transform import Rotation

from tumorboard.errors import GeometryError, LabelError
from tumorboard.respond.align.follow import Fate, FollowSettings, LesionsAt, follow
from tumorboard.respond.align.meeting import Meeting, clouds
from tumorboard.simulate.native import draw_motion
from tumorboard.simulate.subject import Kind, draw_member, studies
from tumorboard.volume import Grid


def grid_of(spacing_mm, turn_deg=(0, 0, 0), signs=(1, 1, 1), reach_mm=64.0):
    """A grid over a cube around 0."""
    shape = tuple(int(np.ceil(reach_mm / s)) for s in spacing_mm)
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix() @ np.diag(
        np.multiply(spacing_mm, signs)
    )
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


PLAIN = grid_of((1.0, 1.0, 1.0))
GRIDS = {
    "isotropic": PLAIN,
    "thick": grid_of((0.9, 0.9, 5.0)),
    "oblique": grid_of((1.2, 1.0, 2.5), (20, -15, 10)),
    "flipped": grid_of((1.0, 1.1, 3.0), (0, 0, 90), (-1, 1, -1)),
}


def visit(balls, grid=PLAIN, numbers=None, to_template=None):
    """Balls of (x, y, z, radius), mm; smaller ones on top. A ball between voxels is its nearest voxel."""
    data = np.zeros(grid.shape, dtype=int)
    world = grid.to_world(np.argwhere(np.ones(grid.shape, bool))).reshape(*grid.shape, 3)
    for n in sorted(range(len(balls)), key=lambda n: -balls[n][3]):
        away = np.linalg.norm(world - balls[n][:3], axis=-1)
        data[(away <= balls[n][3]) | (away == away.min())] = n + 1 if numbers is None else numbers[n]
    return LesionsAt(data, grid) if to_template is None else LesionsAt(data, grid, to_template)


def told(tracks, n):
    """What is told of a visit: name, fate, and into what."""
    return [" ".join([e.name, e.fate, e.into]).strip() for e in tracks.events if e.visit == n]


# --- one lesion -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "later"), list(itertools.product(GRIDS, GRIDS)))
def test_a_lesion_that_moved_a_little_is_the_same_on_any_grid(first, later):
    tracks = follow([visit([(0, 0, 0, 6)], GRIDS[first]), visit([(2, 1, -1, 8)], GRIDS[later])])
    assert tracks.names == ({1: "L1"}, {1: "L1"})
    assert told(tracks, 1) == ["L1 match"]


@pytest.mark.parametrize("grid", list(GRIDS.values()), ids=list(GRIDS))
@pytest.mark.parametrize("away_mm", [0.0, 2.0, 4.0])
def test_a_single_voxel_is_followed(grid, away_mm):
    tracks = follow([visit([(1, 2, 3, 0)], grid), visit([(1 + away_mm, 2, 3, 0)], grid)])
    assert tracks.names[1] == {1: "L1"}


def test_a_lesion_far_away_is_another_one():
    tracks = follow([visit([(0, 0, 0, 3)]), visit([(12, 0, 0, 3)])])
    assert tracks.names == ({1: "L1"}, {1: "L2"})
    assert told(tracks, 1) == ["L1 vanish", "L2 appear"]


@pytest.mark.parametrize(("gap_mm", "name"), [(5.5, "L1"), (6.5, "L2")])
def test_centroids_count_where_nothing_overlaps(gap_mm, name):
    """Balls of 1 mm: half of their volume is never within 3 mm at these distances."""
    fine = grid_of((0.5, 0.5, 0.5), reach_mm=24.0)
    tracks = follow([visit([(-3, 0, 0, 1)], fine), visit([(-3 + gap_mm, 0, 0, 1)], fine)])
    assert tracks.names[1] == {1: name}


def test_what_is_left_of_a_large_lesion_is_that_lesion():
    tracks = follow([visit([(0, 0, 0, 20)]), visit([(12, 9, 0, 1)]), visit([(0, 0, 0, 20)])])
    assert [tuple(names.values()) for names in tracks.names] == [("L1",)] * 3
    assert tracks.events[1].fate is tracks.events[2].fate is Fate.MATCH


def test_visits_may_lie_in_worlds_of_their_own():
    first, later = [(0, 0, 0, 4), (15, 0, 0, 3)], [(15, 0, 0, 4.5), (0, 0, 0, 3)]
    poses = [draw_motion(np.random.default_rng(n), 80, 40, np.zeros(3)) for n in range(2)]
    moved = [
        visit(
            [(*(pose @ [*ball[:3], 1])[:3], ball[3]) for ball in balls],
            Grid(g.shape, pose @ g.affine),
            None,
            np.linalg.inv(pose),
        )
        for balls, pose, g in zip((first, later), poses, (GRIDS["isotropic"], GRIDS["oblique"]), strict=True)
    ]
    assert follow(moved).names == ({1: "L1", 2: "L2"}, {1: "L2", 2: "L1"})
    loose = follow([LesionsAt(v.numbers, v.grid) for v in moved])  # where they lie in the scanner means nothing
    assert set(loose.names[1].values()) == {"L3", "L4"}


# --- none, gone, back -------------------------------------------------------------------------------------------


def test_visits_without_lesions():
    assert follow([]).names == ()
    nothing = follow([visit([]), visit([], GRIDS["thick"])])
    assert nothing.names == ({}, {})
    assert nothing.events == ()


def test_what_reappears_in_its_place_is_the_same_lesion():
    ball = (5, 5, 5, 3)
    tracks = follow([visit([ball]), visit([]), visit([]), visit([(6, 5, 5, 2)], GRIDS["oblique"])])
    assert tracks.names == ({1: "L1"}, {}, {}, {1: "L1"})
    assert [told(tracks, n) for n in range(4)] == [["L1 appear"], ["L1 vanish"], [], ["L1 reappear"]]


def test_what_appears_near_the_place_of_a_vanished_lesion_is_new():
    tracks = follow([visit([(0, 0, 0, 2)]), visit([]), visit([(7, 0, 0, 2)])])
    assert tracks.names[2] == {1: "L2"}


def test_centroids_bring_back_no_vanished_lesion():
    """What lies near but overlaps nothing is only ever a lesion that was there at the last visit."""
    fine = grid_of((0.5, 0.5, 0.5), reach_mm=24.0)
    one, two = visit([(-3, 0, 0, 1)], fine), visit([(2.5, 0, 0, 1)], fine)
    assert follow([one, two]).names[1] == {1: "L1"}
    assert follow([one, visit([], fine), two]).names[2] == {1: "L2"}


def test_of_two_vanished_lesions_the_one_of_like_size_comes_back():
    small, large = (14, 0, 0, 1.5), (0, 0, 0, 8)
    tracks = follow([visit([small]), visit([large]), visit([]), visit([(5, 0, 0, 11)])])
    assert tracks.names[3] == {1: "L2"}


def test_a_vanished_lesion_takes_nothing_from_one_that_is_there():
    tracks = follow([visit([(0, 0, 0, 5), (14, 0, 0, 3)]), visit([(0, 0, 0, 5)]), visit([(5, 0, 0, 13)])])
    assert tracks.names[2] == {1: "L1"}
    assert told(tracks, 2) == ["L1 match"]  # it grew over the old place: nothing reappeared, nothing merged


def test_a_vanished_lesion_comes_back_beside_one_that_vanishes():
    """The nearer centroid is that of the wrong lesion; the place decides."""
    one, two = (0, 0, 0, 2), (6, 0, 0, 2)
    tracks = follow([visit([one, two]), visit([one]), visit([(5.5, 0, 0, 1.5)])])
    assert tracks.names[2] == {1: "L2"}
    assert told(tracks, 2) == ["L1 vanish", "L2 reappear"]


# --- new ones ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", list(GRIDS.values()), ids=list(GRIDS))
def test_a_new_lesion_8_mm_from_an_old_one_is_new(grid):
    old = (0, 0, 0, 2.5)
    tracks = follow([visit([old], grid), visit([old, (8, 0, 0, 2.5)], grid)])
    assert tracks.names[1] == {1: "L1", 2: "L2"}
    assert told(tracks, 1) == ["L1 match", "L2 appear"]
    alone = follow([visit([old], grid), visit([(8, 0, 0, 2.5)], grid)])
    assert alone.names[1] == {1: "L2"}


def test_names_follow_first_visit_then_size():
    tracks = follow(
        [visit([(0, 0, 0, 2), (20, 0, 0, 4)]), visit([(0, 20, 0, 3), (0, -20, 0, 5), (0, 0, 0, 2), (20, 0, 0, 4)])]
    )
    assert tracks.names == ({1: "L2", 2: "L1"}, {1: "L4", 2: "L3", 3: "L2", 4: "L1"})


# --- split and merge --------------------------------------------------------------------------------------------


def test_parts_of_a_split_bear_one_name_and_count_together():
    tracks = follow([visit([(0, 0, 0, 9)]), visit([(-6, 0, 0, 2), (5, 0, 0, 3)]), visit([(5, 0, 0, 3)])])
    assert tracks.names == ({1: "L1"}, {1: "L1", 2: "L1"}, {1: "L1"})
    assert tracks.numbers(1, "L1") == (1, 2)
    assert tracks.numbers(1, "L2") == ()
    assert [told(tracks, n) for n in (1, 2)] == [["L1 split"], ["L1 match"]]
    assert tracks.events[1].numbers == (1, 2)


def test_a_split_is_told_once():
    parts = [(-6, 0, 0, 2), (5, 0, 0, 3)]
    tracks = follow([visit([(0, 0, 0, 9)]), visit(parts), visit(parts), visit([*parts, (5, 5, 0, 1)])])
    assert [told(tracks, n) for n in (1, 2, 3)] == [["L1 split"], ["L1 match"], ["L1 split"]]


def test_a_split_and_a_new_lesion_are_told_apart():
    tracks = follow([visit([(0, 0, 0, 9)]), visit([(-6, 0, 0, 2), (5, 0, 0, 3), (0, 20, 0, 5)])])
    assert tracks.names[1] == {1: "L1", 2: "L1", 3: "L2"}


@pytest.mark.parametrize("larger", [0, 1])
def test_a_merge_takes_the_name_of_the_larger(larger):
    balls = [(-6, 0, 0, 4), (6, 0, 0, 4)]
    balls[larger] = (*balls[larger][:3], 5)
    tracks = follow([visit(balls), visit([(0, 0, 0, 13)]), visit([(0, 0, 0, 13)])])
    assert tracks.names[0][larger + 1] == "L1"
    assert tracks.names[1:] == ({1: "L1"}, {1: "L1"})
    assert [told(tracks, n) for n in (1, 2)] == [["L1 match", "L2 merge L1"], ["L1 match"]]


def test_the_larger_gives_its_name_though_the_smaller_lies_better():
    tracks = follow([visit([(-13, 0, 0, 6), (3, 0, 0, 5)]), visit([(-1, 0, 0, 11)])])
    assert told(tracks, 1) == ["L1 match", "L2 merge L1"]


def test_what_merged_does_not_vanish_and_does_not_come_back():
    two = [(-6, 0, 0, 5), (6, 0, 0, 4)]
    tracks = follow([visit(two), visit([(0, 0, 0, 12)]), visit([]), visit(two)])
    assert [told(tracks, n) for n in (2, 3)] == [["L1 vanish"], ["L1 reappear"]]
    assert tracks.names[3] == {1: "L1", 2: "L1"}


def test_three_merge_into_the_largest():
    three = [(-8, 0, 0, 3), (8, 0, 0, 4), (0, 8, 0, 3.5)]
    tracks = follow([visit(three), visit([(0, 2, 0, 14)])])
    assert told(tracks, 1) == ["L1 match", "L2 merge L1", "L3 merge L1"]


def test_a_lesion_beside_the_place_of_one_that_merged_is_new():
    tracks = follow([visit([(0, 0, 0, 4), (7, 0, 0, 1)]), visit([(0, 0, 0, 7.5), (12.5, 0, 0, 1)])])
    assert told(tracks, 1) == ["L1 match", "L2 merge L1", "L3 appear"]


def test_a_neighbour_that_vanishes_did_not_merge():
    tracks = follow([visit([(0, 0, 0, 4), (11, 0, 0, 2.5)]), visit([(0, 0, 0, 4)])])
    assert told(tracks, 1) == ["L1 match", "L2 vanish"]


# --- crowds -----------------------------------------------------------------------------------------------------


CLOSE = [
    ([(0, -6, -1, 4), (7, -1, 2, 2)], [(-3, -9, -2, 3.2), (4, -4, 1, 2)]),
    ([(0, 1, 0, 2), (-7, 1, 2, 1), (0, 6, 1, 1)], [(-1, -2, 0, 2), (-8, -2, 2, 1), (-1, 3, 1, 1)]),
    ([(-2, -1, -1, 3), (6, -2, 1, 4), (0, -7, -1, 1.5)], [(1, 1, 0, 3.9), (9, 0, 2, 3.2), (3, -5, 0, 1.5)]),
]
"""Lesions that all moved alike, so far that one of them lies nearer to where its neighbour was."""


@pytest.mark.parametrize(("first", "later"), CLOSE)
@pytest.mark.parametrize("absent", [0, 1])
def test_lesions_are_paired_all_at_once(first, later, absent):
    """Each for itself would take the nearest, and a neighbour would be left without; so also after an absence."""
    tracks = follow([visit(first), *[visit([])] * absent, visit(later)])
    assert tracks.names[-1] == tracks.names[0]


def test_a_thick_slice_reaches_to_its_faces():
    """The upper face of one slice of 5 mm lies 2.5 mm above its middle, and that near to a lesion of thin slices."""
    thick = grid_of((1.0, 1.0, 5.0), reach_mm=65.0)
    flat = np.zeros(thick.shape, int)
    flat[22:43, 22:43, 6] = 1
    assert thick.to_world([[32, 32, 6]])[0] == pytest.approx([0, 0, 0])
    tracks = follow([LesionsAt(flat, thick), visit([(8, 0, 5, 2)])])
    assert tracks.names[1] == {1: "L1"}


SHIFT_MM = np.array([1.2, -1.2, 1.0])


def test_many_close_lesions_keep_their_names_while_the_brain_gives_way():
    """A lattice of 60 lesions 8 mm apart, all shifted by 2 mm and each by up to 1 mm more, on another grid."""
    rng = np.random.default_rng(0)
    places = [8.0 * np.array(p) - (12, 16, 8) for p in itertools.product(range(4), range(5), range(3))]
    sizes = rng.uniform(1.5, 2.8, 60)
    first = visit([(*p, r) for p, r in zip(places, sizes, strict=True)])
    shuffled = rng.permutation(60) + 1
    later = visit(
        [
            (*(p + SHIFT_MM + rng.uniform(-0.6, 0.6, 3)), r * rng.uniform(0.8, 1.1))
            for p, r in zip(places, sizes, strict=True)
        ],
        GRIDS["oblique"],
        shuffled,
    )
    tracks = follow([first, later])
    assert [tracks.names[1][int(shuffled[n])] for n in range(60)] == [tracks.names[0][n + 1] for n in range(60)]


LABELS = hnp.arrays(np.int64, (6, 7, 5), elements=st.sampled_from([0, 0, 0, 0, 1, 2, 3, 40]))


@given(st.lists(LABELS, min_size=1, max_size=4), st.integers(0, 2**32 - 1), st.sampled_from([1.0, 4.0, 9.0]))
@settings(max_examples=50)
def test_the_order_of_numbers_means_nothing(maps, seed, spacing):
    """Whatever lesions are numbered, the same voxels bear the same name and the same is told of them."""
    rng, grid = np.random.default_rng(seed), Grid((6, 7, 5), np.diag([spacing, spacing, 5.0, 1.0]))
    others = [rng.permutation(90)[:41] + 1 for _ in maps]
    renumbered = [np.where(m > 0, other[m], 0) for m, other in zip(maps, others, strict=True)]
    plain, again = (follow([LesionsAt(m, grid) for m in given]) for given in (maps, renumbered))
    for names, same, other in zip(plain.names, again.names, others, strict=True):
        assert {int(other[number]): name for number, name in names.items()} == same
    assert [(e.visit, e.fate, e.name, e.into) for e in plain.events] == [
        (e.visit, e.fate, e.name, e.into) for e in again.events
    ]


@given(st.lists(LABELS, min_size=1, max_size=5), st.sampled_from([1.0, 4.0, 9.0]))
@settings(max_examples=60)
def test_the_books_balance(maps, spacing):
    """Every number has a name, and names appear, go and come back as the events say."""
    grid = Grid((6, 7, 5), np.diag([spacing, spacing, 5.0, 1.0]))
    tracks = follow([LesionsAt(m, grid) for m in maps])
    there, ever, ended = set(), [], set()
    for n, (data, names) in enumerate(zip(maps, tracks.names, strict=True)):
        assert set(names) == set(np.unique(data)) - {0}
        for event in (e for e in tracks.events if e.visit == n):
            assert event.name not in ended
            assert event.numbers == tracks.numbers(n, event.name)
            assert (event.fate in (Fate.VANISH, Fate.MERGE)) == (event.numbers == ())
            assert (event.fate in (Fate.APPEAR, Fate.REAPPEAR)) == (event.name not in there)
            assert (event.fate is Fate.APPEAR) == (event.name not in ever)
            assert (event.fate is Fate.MERGE) == (event.into in names.values())
            ever += [event.name] if event.fate is Fate.APPEAR else []
            ended |= {event.name} if event.fate is Fate.MERGE else set()
        now = set(names.values())
        assert {e.name for e in tracks.events if e.visit == n} == there | now
        there = now
    assert ever == [f"L{k + 1}" for k in range(len(ever))]


@given(LABELS, st.integers(2, 4))
@settings(max_examples=30)
def test_the_same_visit_again_changes_nothing(data, times):
    grid = Grid((6, 7, 5), np.diag([2.0, 3.0, 6.0, 1.0]))
    tracks = follow([LesionsAt(data, grid)] * times)
    assert len({tuple(names.items()) for names in tracks.names}) == 1
    assert {e.fate for e in tracks.events if e.visit > 0} <= {Fate.MATCH}


# --- how much of a lesion belongs to another --------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.floats(0.6, 4.0))
@settings(max_examples=40)
def test_one_lesion_each_meets_as_a_dilation_does(seed, tolerance):
    """Against the Euclidean distance transform of one grid; border of a voxel half a voxel from its centre."""
    one, two = (np.random.default_rng([seed, n]).random((9, 8, 7)) < 0.03 for n in range(2))
    one[4, 4, 4] = two[4, 4, 5] = True
    grid = Grid((9, 8, 7), np.diag([1.0, 1.0, 1.0, 1.0]))
    meeting = Meeting.of(*(clouds(m.astype(int), grid, np.eye(4)) for m in (one, two)), tolerance)
    reach = tolerance + 0.5 + 1e-6
    assert meeting.of_later[0, 0] == pytest.approx((ndi.distance_transform_edt(~one)[two] <= reach).mean())
    assert meeting.of_earlier[0, 0] == pytest.approx((ndi.distance_transform_edt(~two)[one] <= reach).mean())


def test_a_place_belongs_to_one_lesion_only():
    line = Grid((1, 1, 11), np.eye(4))
    earlier = clouds(np.array([[[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]]]), line, np.eye(4))
    later = clouds(np.array([[[0, 0, 0, 3, 3, 3, 3, 3, 0, 0, 0]]]), line, np.eye(4))
    meeting = Meeting.of(earlier, later, 20.0)
    assert meeting.of_later.sum() == pytest.approx(1.0)
    assert meeting.of_earlier.ravel().tolist() == [1.0, 1.0]


@given(st.from_type(Grid))
def test_clouds_have_the_volume_of_their_voxels(grid):
    data = np.ones(grid.shape, int)
    (cloud,) = clouds(data, grid, np.eye(4))
    assert cloud.volume_ml == pytest.approx(data.size * grid.voxel_volume_ml)
    assert cloud.centre_mm == pytest.approx(grid.to_world([(np.array(grid.shape) - 1) / 2])[0], abs=1e-6)


# --- what cannot be followed ------------------------------------------------------------------------------------


def test_lesions_off_their_grid_are_refused():
    with pytest.raises(GeometryError, match="numbers of shape"):
        LesionsAt(np.zeros((2, 2, 3), int), Grid((2, 2, 2), np.eye(4)))
    with pytest.raises(LabelError, match="whole numbers"):
        LesionsAt(np.full((2, 2, 2), 0.5), Grid((2, 2, 2), np.eye(4)))


def test_settings_decide_how_far_a_lesion_may_move():
    visits = [visit([(0, 0, 0, 3)]), visit([(8, 0, 0, 3)])]
    assert follow(visits).names[1] == {1: "L2"}
    assert follow(visits, FollowSettings(reach_mm=9.0)).names[1] == {1: "L1"}
    assert follow(visits, FollowSettings(tolerance_mm=6.0)).names[1] == {1: "L1"}


# --- digital metastases -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [5, 13, 14])
def test_digital_metastases_are_followed(number):
    """A dozen lesions each, renumbered at random, heads laid elsewhere and aligned to within 1 mm and 0.5 degrees."""
    rng, visits, truth = np.random.default_rng(number), [], []
    for made in studies(21, draw_member(21, number, Kind.METASTASES, 2, 3), 3.0, volumes=False):
        found = np.where(np.isin(made.truth.data, (1, 3)), made.lesions, 0)
        shuffled = rng.permutation(99)
        pose = draw_motion(rng, 40, 15, np.zeros(3))
        error = draw_motion(rng, 1.0 / np.sqrt(3), 0.5, np.array([0.0, -20.0, 10.0]))
        grid = Grid(found.shape, pose @ made.truth.affine)
        visits.append(LesionsAt(np.where(found > 0, shuffled[found] + 1, 0), grid, error @ np.linalg.inv(pose)))
        truth.append({int(shuffled[n]) + 1: int(n) for n in np.unique(found[found > 0])})
    tracks = follow(visits)
    assert min(len(there) for there in truth) > 8
    names = [{there[k]: name for k, name in own.items()} for own, there in zip(tracks.names, truth, strict=True)]
    known = {}
    for own in names:
        for lesion, name in own.items():
            assert known.setdefault(lesion, name) == name
    assert len(set(known.values())) == len(known)
