"""VASARI on phantoms: every value that can be told is told somewhere, and nothing is told that cannot be known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.errors import GeometryError, InputError
from tumorboard.labels import LabelMap, Tissue
from tumorboard.measure.diameters import measure_diameters
from tumorboard.measure.lesions import find_lesions
from tumorboard.measure.signs.case import Known
from tumorboard.measure.signs.features import FEATURES, SHARES, share_word
from tumorboard.measure.signs.rim import surface_mm2, thickness_mm
from tumorboard.measure.signs.vasari import READERS, vasari
from tumorboard.measure.sources import Files
from tumorboard.measure.study import Segmented, measure_study
from tumorboard.measurement import Measurement, Source
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.transform import Frame, Plane
from tumorboard.volume import Volume

SHAPE = (88, 104, 84)
MM = 2.0
CENTRE = np.array([87.0, 103.0, 75.0])
TO_MNI = np.eye(4)
TO_MNI[:3, 3] = -CENTRE
FRAME = Frame(Plane((1.0, 0.0, 0.0), float(CENTRE[0])), TO_MNI)
AFFINE = np.diag([MM, MM, MM, 1.0])
NETC, SNFH, ET, RC = (np.uint8(int(t)) for t in Tissue)
FAR = Measurement(
    name="depth_to_ventricles", region="TC", value=10.4, unit="mm", method="given", source=Source(file="dseg")
)


def away(centre, shape=SHAPE, spacing=(MM, MM, MM), middle=CENTRE):
    """Distance of every voxel to a place in MNI mm."""
    axes = [np.arange(n) * s - m - c for n, s, m, c in zip(shape, spacing, middle, centre, strict=True)]
    return np.sqrt(sum(a**2 for a in np.meshgrid(*axes, indexing="ij")))


BRAIN = away((0, 0, 0)) <= 70


def painted(*parts):
    """Labels from (label, centre in MNI mm, radius), painted one over the other."""
    data = np.zeros(SHAPE, np.uint8)
    for label, centre, radius in parts:
        data[away(centre) <= radius] = label
    return data


def read(data, positions=(), affine=AFFINE, frame=FRAME, missing=None, native=None, **given):
    labels = LabelMap.of(data, affine)
    study = Study("ses-01", {Sequence.T1C: Volume(data * 1.0, labels.grid)}, BRAIN, frame=frame)
    known = Known(find_lesions(labels, "TC"), find_lesions(labels, "WT"), tuple(positions))
    segmented = Segmented(labels, not_assessable=missing or {}, native=native)
    found = vasari(study, segmented, Files(), known=known, **given)
    return {f.number: m for f, m in zip(FEATURES, found, strict=True)}


def block(*counts):
    """A block of so many voxels of NETC, SNFH and ET in a row, right of the mid-plane."""
    data = np.zeros(SHAPE, np.uint8)
    values = np.repeat([NETC, SNFH, ET], counts)
    side = int(np.ceil(len(values) ** (1 / 3)))
    box = np.zeros(side**3, np.uint8)
    box[: len(values)] = values
    data[60 : 60 + side, 50 : 50 + side, 40 : 40 + side] = box.reshape(side, side, side)
    return data


def shift(mm):
    return Measurement(
        name="midline_shift", region="brain", value=mm, unit="mm", method="given", source=Source(file="brain")
    )


RIGHT = (35, 0, 10)
SHARE_COUNTS = {
    "none": (0, 200),
    "up to 5 %": (10, 190),
    "6-33 %": (66, 134),
    "34-67 %": (134, 66),
    "68-95 %": (190, 10),
    "above 95 %": (199, 1),
    "all": (200, 0),
}
ALL_NECROSIS = np.ones(SHAPE, bool)
NO_NECROSIS = np.zeros(SHAPE, bool)


def crossing(label, reach):
    """A ball right of the mid-plane whose left edge lies ``reach`` mm beyond it."""
    return painted((label, (15 - reach, 0, 10), 15))


def resected(region):
    values = {"none": -3.0, "up to 5 %": 5.0, "6-33 %": 5.01, "34-67 %": 50.0, "68-95 %": 95.0, "above 95 %": 99.9}
    return [
        (word, lambda p=p: (block(0, 0, 200), {"resected": {region: p}}))
        for word, p in {**values, "all": 100.0}.items()
    ]


def shares(counts):
    return [(word, lambda c=c: counts(*c)) for word, c in SHARE_COUNTS.items()]


def shell(inner, outer, centre=RIGHT):
    return painted((SNFH, centre, outer + 6), (ET, centre, outer), (NETC, centre, inner))


PLACES_MM = {
    "frontal": (30, 45, 20),
    "temporal": (50, -30, -12),
    "insula": (36, 10, 2),
    "parietal": (40, -50, 42),
    "occipital": (25, -80, 5),
    "cerebellum": (25, -60, -32),
}
CASES = {
    1: [(word, lambda c=c: (painted((ET, c, 4)), {})) for word, c in PLACES_MM.items()],
    2: [
        ("right", lambda: (painted((ET, RIGHT, 8)), {})),
        ("centre", lambda: (painted((ET, (1, 0, 10), 8)), {})),
        ("left", lambda: (painted((ET, (-35, 0, 10), 8)), {})),
    ],
    4: [("none", lambda: (block(10, 20, 0), {}))],
    5: shares(lambda a, b: (block(0, b, a), {})),
    6: shares(lambda a, b: (block(a, 0, b), {"necrosis": NO_NECROSIS})),
    7: shares(lambda a, b: (block(a, 0, b), {"necrosis": ALL_NECROSIS})),
    9: [
        ("focal", lambda: (painted((SNFH, RIGHT, 20), (ET, RIGHT, 8), (ET, (49, 0, 10), 4)), {})),
        ("multifocal", lambda: (painted((ET, (30, 40, 20), 6), (ET, (30, 57, 20), 5)), {})),
        ("multicentric", lambda: (painted((ET, RIGHT, 8), (ET, (-35, 0, 10), 6)), {})),
    ],
    11: [
        ("none", lambda: (block(10, 20, 0), {})),
        ("thin", lambda: (shell(14, 16), {})),
        ("thick", lambda: (shell(12, 16), {})),
        ("solid", lambda: (painted((ET, RIGHT, 12)), {})),
    ],
    14: shares(lambda a, b: (block(0, a, b), {})),
    15: [
        ("not applicable", lambda: (crossing(ET, 10), {})),
        ("no", lambda: (crossing(SNFH, 1), {})),
        ("yes", lambda: (crossing(SNFH, 10), {})),
    ],
    19: [("no", lambda: (painted((ET, RIGHT, 8)), {"positions": [FAR]}))],
    20: [("yes", lambda: (painted((ET, (62, 0, 10), 10)), {}))],
    22: [
        ("not applicable", lambda: (crossing(ET, 10), {})),
        ("no", lambda: (crossing(NETC, 1), {})),
        ("yes", lambda: (crossing(NETC, 10), {})),
    ],
    23: [
        ("not applicable", lambda: (crossing(SNFH, 10), {})),
        ("no", lambda: (crossing(ET, 1), {})),
        ("yes", lambda: (crossing(ET, 10), {})),
    ],
    24: [
        ("no", lambda: (painted((SNFH, RIGHT, 20), (ET, RIGHT, 8)), {})),
        ("yes", lambda: (painted((SNFH, RIGHT, 20), (ET, RIGHT, 8), (ET, (49, 0, 10), 3)), {})),
    ],
    26: resected("ET"),
    27: resected("nCET"),
    28: resected("SNFH"),
}
TOLD = [(n, word, made) for n, cases in CASES.items() for word, made in cases]


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_is_complete():
    assert [f.number for f in FEATURES] == list(range(1, 31))
    assert len({f.name for f in FEATURES}) == 30
    assert {f.route for f in FEATURES} == {"auto", "img", "man"}
    for feature in FEATURES:
        words = [word for word, _ in feature.values]
        assert len(words) == len(set(words))
        assert set(feature.answers) <= set(words)
        assert bool(feature.values) == (feature.unit == "1")
        if set(feature.answers) < set(words):
            assert feature.reader, feature.code
        assert (feature.route == "man") == (not feature.answers and feature.unit == "1")
    assert set(READERS) == {f.number for f in FEATURES if f.answers and not f.treated}


def test_codes_are_those_of_the_lexicon():
    code = {f.number: f.code_of for f in FEATURES}
    assert [code[1](w) for w in ("frontal", "temporal", "insula", "parietal", "occipital")] == [1, 2, 3, 4, 5]
    assert [code[1](w) for w in ("brainstem", "corpus callosum", "thalamus")] == [6, 7, 8]
    assert [code[2](w) for w in ("right", "centre", "left")] == [1, 2, 3]
    assert [code[6](w) for w, _ in SHARES] == [2, 3, 4, 5, 6, 7, 8]
    assert [code[9](w) for w in ("focal", "multifocal", "multicentric", "gliomatosis")] == [1, 2, 3, 4]
    assert [code[11](w) for w in ("none", "thin", "thick", "solid")] == [2, 3, 4, 5]
    assert [code[22](w) for w in ("no", "yes")] == [2, 3]
    assert [code[24](w) for w in ("no", "yes")] == [1, 2]
    assert {f.number for f in FEATURES if f.unverified} == {15, 26, 27, 28, 29, 30}


def test_every_value_that_can_be_told_has_a_case():
    assert {n: {word for word, _ in cases} for n, cases in CASES.items()} == {
        f.number: set(f.answers) for f in FEATURES if f.answers
    }


@pytest.mark.parametrize(("number", "word", "made"), TOLD, ids=[f"F{n}-{w}" for n, w, _ in TOLD])
def test_a_value_is_told(number, word, made):
    data, given = made()
    found = read(data, **given)[number]
    assert found.value == word, found.reason
    assert found.unit == "1"


@given(st.floats(-5, 100))
def test_classes_of_a_share_are_in_order(percent):
    order = [word for word, _ in SHARES]
    assert order.index(share_word(percent)) <= order.index(share_word(min(100.0, percent + 1.0)))
    assert (share_word(percent) == "none") == (percent <= 0)
    assert (share_word(percent) == "all") == (percent == 100)


# --- what cannot be known ---------------------------------------------------------------------------------------------


def test_what_is_for_a_reader_is_never_a_value():
    found = read(shell(10, 16))
    for feature in FEATURES:
        if feature.route == "man":
            assert found[feature.number].value is None
            assert found[feature.number].reason == feature.reader
    assert found[4].reason == FEATURES[3].reader


def test_no_tumour_and_one_voxel():
    empty = read(np.zeros(SHAPE, np.uint8))
    assert all(m.value is None for m in empty.values())
    assert empty[5].reason == empty[29].reason == "no tumour was found"
    one = np.zeros(SHAPE, np.uint8)
    one[60, 50, 40] = ET
    found = read(one)
    assert (found[5].value, found[7].value, found[2].value) == ("all", "none", "right")
    assert (found[9].value, found[11].value, found[24].value) == ("focal", "solid", "no")
    assert found[29].value == pytest.approx(0.75 * MM)
    assert found[20].value is None


def test_a_cavity_ends_what_describes_an_untreated_tumour():
    data = painted((ET, RIGHT, 12), (RC, RIGHT, 6))
    found = read(data, resected={"ET": 80.0})
    assert [n for n, m in found.items() if m.value is not None] == [26]
    assert found[5].reason == "it describes an untreated tumour, and a resection cavity is there"
    speck = painted((ET, RIGHT, 12))
    speck[60, 50, 40] = RC
    assert read(speck)[5].value == "all"


def test_regions_that_were_not_looked_for_are_no_zeros():
    without = dict.fromkeys(("ET", "NETC", "TC"), "T1C was not given")
    found = read(painted((SNFH, RIGHT, 12)), missing=without)
    for number in (4, 5, 6, 7, 11, 14, 15, 19, 20, 22, 23, 24):
        assert found[number].reason == "T1C was not given", number
    assert (found[2].value, found[9].value) == ("right", "focal")
    assert found[29].value == pytest.approx(24, abs=2)


def test_necrosis_and_core_in_one_label_give_a_range():
    found = read(block(60, 100, 40))
    for number in (6, 7):
        assert found[number].value is None
        assert found[number].reason.endswith("each is between 0 and 30.0 % of the tumour")
    assert read(block(0, 100, 40))[6].value == read(block(0, 100, 40))[7].value == "none"
    nothing_enhances = read(block(60, 100, 0))
    assert (nothing_enhances[6].value, nothing_enhances[7].value) == ("34-67 %", "none")


def test_an_outline_of_necrosis_splits_the_core():
    data = block(60, 100, 40)
    necrosis = np.zeros(SHAPE, bool)
    necrosis[tuple(np.argwhere(data == NETC)[:10].T)] = True
    necrosis[data == ET] = True  # outside NETC it counts for nothing
    found = read(data, necrosis=necrosis)
    assert (found[6].value, found[7].value) == ("6-33 %", "up to 5 %")
    assert "here 25.0 %, code 4" in found[6].method
    assert "here 5.0 %, code 3" in found[7].method
    assert found[6].quality == found[14].quality == "proxy"
    with pytest.raises(GeometryError, match="necrosis"):
        read(data, necrosis=necrosis[1:])


def test_the_crossing_of_a_core_in_one_label_is_not_guessed():
    data = painted((ET, (5, 0, 10), 18), (NETC, (5, 0, 10), 14))
    assert "one label" in read(data)[22].reason
    assert read(data, necrosis=NO_NECROSIS)[22].value == "yes"
    assert read(data, necrosis=ALL_NECROSIS)[22].value == "not applicable"
    aside = painted((ET, (30, 0, 10), 18), (NETC, (30, 0, 10), 14))
    assert read(aside)[22].value == "no"


def test_without_the_midplane_places_are_not_told():
    found = read(painted((SNFH, RIGHT, 20), (ET, RIGHT, 8)), frame=None)
    assert all(found[n].reason == "the mid-plane of the brain is not known" for n in (1, 2, 15, 19, 23))
    assert found[9].value == "focal"
    two = read(painted((ET, RIGHT, 8), (ET, (-35, 0, 10), 6)), frame=None)[9]
    assert "of 2 foci" in two.reason


@pytest.mark.parametrize("given", [{"ET": 100.1}, {"ET": np.nan}, {"TC": 50.0}])
def test_an_extent_of_resection_that_is_none_is_refused(given):
    with pytest.raises(InputError, match="extent of resection"):
        read(block(0, 0, 10), resected=given)


# --- places -----------------------------------------------------------------------------------------------------------


def test_location_keeps_away_from_the_midline_and_from_nowhere():
    assert "corpus callosum" in read(painted((ET, (6, 10, 20), 5)))[1].reason
    assert "no labelled coordinate" in read(painted((ET, (80, 20, -60), 5)))[1].reason
    assert "cingulate" in read(painted((ET, (12, 20, 30), 4)))[1].reason
    assert "deep grey matter" in read(painted((ET, (20, 4, 4), 4)))[1].reason
    assert read(painted((ET, PLACES_MM["frontal"], 4)))[1].quality == "coarse"


def test_place_and_side_are_of_the_largest_core_not_of_its_oedema():
    data = painted((SNFH, (-20, 45, 20), 24), (ET, (30, 45, 20), 6), (ET, (-20, 45, 20), 5))
    assert read(data)[2].value == "right"
    data = painted((SNFH, (-20, 45, 20), 24), (SNFH, (30, 45, 20), 6))
    assert read(data)[2].value == "left"


def test_two_lesions_on_two_sides_cross_nothing():
    for label, number in ((SNFH, 15), (NETC, 22), (ET, 23)):
        assert read(painted((label, RIGHT, 12), (label, (-35, 0, 10), 12)))[number].value == "no"


@pytest.mark.parametrize("towards", [1, -1])
def test_what_the_shift_may_have_carried_over_is_not_told(towards):
    data = crossing(ET, 7)  # right, and 7 mm over to the left
    carried = read(data, positions=[shift(-8.0 * towards)])[23]
    if towards > 0:  # the midline is pushed to the left, away from the tumour
        assert "herniated" in carried.reason
        assert "8 mm" in carried.reason
    else:
        assert carried.value == "yes"
    assert read(data, positions=[shift(-1.0)])[23].value == "yes"
    assert read(crossing(ET, 14), positions=[shift(-8.0 * towards)])[23].value == "yes"


def test_oedema_beyond_the_midline_crosses_though_the_core_does_not():
    found = read(painted((SNFH, (8, 0, 10), 22), (ET, (25, 0, 10), 10)))
    assert (found[15].value, found[23].value) == ("yes", "no")


def test_the_ventricles_are_only_ruled_out():
    data = painted((ET, RIGHT, 8))
    near = FAR.model_copy(update={"value": 10.0})
    assert "too coarse" in read(data, positions=[near])[19].reason
    gone = Measurement.missing("depth_to_ventricles", "TC", "mm", "no TC was found")
    assert read(data, positions=[gone])[19].reason == "no TC was found"


def test_cortex_is_only_found():
    assert read(painted((ET, (35, 0, 10), 10)))[20].reason == FEATURES[19].reader
    assert read(painted((SNFH, (62, 0, 10), 10)))[20].reason == "no core was found"
    assert read(painted((SNFH, (62, 0, 10), 10), (ET, (45, 0, 10), 6)))[20].value is None


# --- foci -------------------------------------------------------------------------------------------------------------


def test_ragged_outlines_are_neither_foci_nor_satellites():
    rng = np.random.default_rng(3)
    data = painted((SNFH, RIGHT, 22), (ET, RIGHT, 8))
    dust = (data == SNFH) & (rng.random(SHAPE) < 0.02) & (away(RIGHT) > 14)
    data[dust] = ET
    single = LabelMap.of(np.where(dust, ET, np.uint8(0)), AFFINE)
    assert dust.sum() > 40
    assert find_lesions(single, "ET").fragments_ml > 0.3
    found = read(data)
    assert found[9].value == "focal"
    assert found[24].value == "no"


def test_a_satellite_lies_in_the_oedema_of_the_largest():
    outside = painted((SNFH, RIGHT, 14), (ET, RIGHT, 8), (ET, (35, 40, 10), 4))
    assert read(outside)[24].value == "no"
    assert read(outside)[9].value in ("multifocal", "multicentric")
    dark = painted((SNFH, RIGHT, 20), (ET, RIGHT, 8), (NETC, (49, 0, 10), 3))
    assert read(dark)[24].value == "no"


def test_oedema_alone_is_no_focus_where_there_is_core():
    data = painted((SNFH, (-35, 0, 10), 15), (ET, RIGHT, 6))
    assert read(data)[9].value == "focal"
    assert read(painted((SNFH, (-35, 0, 10), 15), (SNFH, RIGHT, 6)))[9].value == "multicentric"


def test_widely_separated_means_both_elsewhere_and_far():
    near = painted((ET, (9, 45, 20), 6), (ET, (-9, 45, 20), 6))  # on two sides, 6 mm apart
    assert read(near)[9].value == "multifocal"
    sides = painted((ET, (30, 45, 20), 6), (ET, (-30, 45, 20), 6))  # one lobe, two sides
    assert read(sides)[9].value == "multicentric"
    lobes = painted((ET, (30, 45, 20), 6), (ET, (25, -80, 5), 5))  # one side, two lobes
    assert read(lobes)[9].value == "multicentric"


def test_foci_are_compared_with_the_largest():
    three = painted(
        (ET, (12, 45, 20), 8), (ET, (-12, 45, 20), 5), (ET, (34, 45, 20), 4)
    )  # the small ones are far apart
    assert read(three)[9].value == "multifocal"


def test_oedema_that_joins_them_makes_one():
    data = painted((SNFH, (0, 0, 10), 34), (ET, (22, 0, 10), 6), (ET, (-22, 0, 10), 5))
    found = read(data)
    assert (found[9].value, found[24].value) == ("focal", "yes")


# --- rims -------------------------------------------------------------------------------------------------------------


def radius(h, half, scale=(1.0, 1.0, 1.0)):
    axes = [np.arange(-half, half + h * s / 2, h * s) for s in scale]
    return np.sqrt(sum(a**2 for a in np.meshgrid(*axes, indexing="ij")))


def exact_mm(a, b):
    """Twice volume over surface of a shell of radii a and b."""
    return 2 / 3 * (b**3 - a**3) / (a**2 + b**2)


@pytest.mark.parametrize("thick", [2.0, 3.0, 4.5])
def test_thickness_of_a_shell_converges(thick):
    a, b = 12.0, 12.0 + thick
    errors = []
    for h in (1.0, 0.5, 0.25):
        r = radius(h, 18.0)
        errors.append(abs(thickness_mm((r >= a) & (r < b), (h, h, h)) - exact_mm(a, b)))
    assert errors[0] < 0.12 * thick
    assert errors[2] < 0.01 * thick
    assert exact_mm(a, b) == pytest.approx(thick, rel=0.03)


@pytest.mark.parametrize("scale", [(1, 1, 2), (1, 1, 4), (3, 1, 1)])
def test_surface_and_thickness_in_voxels_that_are_no_cubes(scale):
    h = 0.5
    spacing = tuple(h * s for s in scale)
    r = radius(h, 18.0, scale)
    assert surface_mm2(r < 15, spacing) == pytest.approx(4 * np.pi * 15**2, rel=0.03)
    assert thickness_mm((r >= 12) & (r < 15), spacing) == pytest.approx(exact_mm(12, 15), rel=0.05)


def test_a_flat_sheet_and_nothing():
    plate = np.zeros((60, 60, 9), bool)
    plate[5:55, 5:55, 3:6] = True
    assert thickness_mm(plate, (1.0, 1.0, 1.0)) == pytest.approx(3.0, rel=0.1)
    assert thickness_mm(plate & False, (1.0, 1.0, 1.0)) == 0.0


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_surface_is_the_same_from_every_side(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((6, 7, 5)) < 0.4
    spacing = (1.0, 1.5, 3.0)
    area = surface_mm2(mask, spacing)
    assert surface_mm2(mask[::-1, :, ::-1], spacing) == pytest.approx(area)
    assert surface_mm2(mask.transpose(2, 0, 1), (3.0, 1.0, 1.5)) == pytest.approx(area)
    twice = tuple(2 * s for s in spacing)
    assert surface_mm2(mask, twice) == pytest.approx(4 * area)


def test_a_rim_is_that_of_the_largest_core():
    thin = np.maximum(shell(14, 15, (-35, 0, 10)), shell(14, 15, (0, 50, 10)))
    thick = shell(12.5, 16)
    assert thickness_mm((thin == ET) | (thick == ET), (MM, MM, MM)) < 3.0 < thickness_mm(thick == ET, (MM, MM, MM))
    assert read(np.where(thick > 0, thick, thin))[11].value == "thick"


def test_a_nodule_does_not_make_a_thin_rim_thick():
    data = shell(16, 18)
    data[away((51, 0, 10)) <= 5] = ET
    assert read(data)[11].value == "thin"


def test_thick_slices_cannot_show_a_thin_rim():
    data = np.zeros((44, 52, 28), np.uint8)
    data[20:30, 20:30, 10:16] = ET
    data[22:28, 22:28, 12:14] = NETC
    labels = LabelMap.of(data, np.diag([1.0, 4.0, 4.0, 1.0]))
    study = Study("ses-01", {Sequence.T1C: Volume(data * 1.0, labels.grid)}, data >= 0)
    found = vasari(study, Segmented(labels), Files())
    assert found[10].reason == "voxels of 4 mm cannot show a margin thinner than 3 mm"
    thick = LabelMap.of(data, np.diag([1.0, 1.0, 6.0, 1.0]))
    study = Study("ses-01", {Sequence.T1C: Volume(data * 1.0, thick.grid)}, data >= 0)
    assert vasari(study, Segmented(thick), Files())[10].value is not None


# --- lengths, sources, frames -----------------------------------------------------------------------------------------


def test_sizes_are_the_diameters_of_the_largest_whole_tumour():
    data = painted((SNFH, RIGHT, 12), (ET, RIGHT, 6), (SNFH, (-35, 0, 10), 8))
    found = read(data)
    expected = measure_diameters(data * (away(RIGHT) <= 12) > 0, (MM, MM, MM), 2)
    assert found[29].value == expected.rano.longest_mm == pytest.approx(24, abs=1.5)
    assert found[30].value == expected.rano.perpendicular_mm
    assert found[29].source.points_ijk == expected.rano.longest_ijk
    bar = np.zeros(SHAPE, np.uint8)
    bar[50:70, 50, 40] = SNFH
    assert read(bar)[29].value == pytest.approx((19 + 0.75) * MM)
    longer = np.where(painted((SNFH, (-35, 0, 10), 12)) > 0, SNFH, bar)  # the ball is larger, the bar longer
    assert read(longer)[29].value < read(bar)[29].value


def test_sizes_are_read_on_native_slices():
    data = painted((SNFH, RIGHT, 12))
    thick = np.zeros((88, 104, 14), np.uint8)
    thick[50:60, 50:70, 7] = SNFH
    native = LabelMap.of(thick, np.diag([1.0, 1.0, 12.0, 1.0]))
    found = read(data, native=native)
    assert found[29].value == measure_diameters(thick > 0, (1.0, 1.0, 12.0), 2).rano.longest_mm
    assert found[29].source.file == Files().native_labels
    blank = LabelMap.of(np.zeros_like(thick), native.affine)
    assert "too small" in read(data, native=blank)[29].reason


def test_a_source_counts_the_voxels_in_the_grid_of_the_file():
    data = painted((SNFH, RIGHT, 12), (ET, RIGHT, 6))
    source = read(data)[5].source
    places = np.argwhere(data == ET)
    assert source.voxels == len(places)
    assert source.box_ijk == (tuple(places.min(0)), tuple(places.max(0)))
    assert source.labels == (3,)


WORDS = [f.number for f in FEATURES if f.answers and f.number != 1]
MIXED = painted(
    (SNFH, (12, 10, 10), 26),
    (ET, (18, 10, 10), 12),
    (NETC, (18, 10, 10), 8),
    (ET, (18, 30, 10), 3),
    (ET, (-40, -30, 20), 5),
)


def test_left_and_right_swap_sides_and_nothing_else():
    one, other = read(MIXED), read(MIXED[::-1].copy())  # the mid-plane lies in the middle of the grid
    assert (one[2].value, other[2].value) == ("right", "left")
    for number in set(WORDS) - {2, 9}:
        assert one[number].value == other[number].value, number
    assert one[29].value == pytest.approx(other[29].value)


def test_a_turned_header_changes_nothing():
    angle = 0.3
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = (-40.0, 12.0, 7.0)
    one, other = read(MIXED), read(MIXED, affine=turn @ AFFINE)
    assert [m.model_dump() for m in one.values()] == [m.model_dump() for m in other.values()]


def test_voxels_that_are_no_cubes_change_no_class():
    spacing = (1.0, 2.0, 4.0)
    shape = tuple(round(n * MM / s) for n, s in zip(SHAPE, spacing, strict=True))
    data = np.zeros(shape, np.uint8)
    for label, centre, r in ((SNFH, (25, 0, 10), 26), (ET, (30, 0, 10), 16), (NETC, (30, 0, 10), 11)):
        data[away(centre, shape, spacing) <= r] = label
    labels = LabelMap.of(data, np.diag([*spacing, 1.0]))
    brain = away((0, 0, 0), shape, spacing) <= 70
    study = Study("ses-01", {Sequence.T1C: Volume(data * 1.0, labels.grid)}, brain, frame=FRAME)
    fine = read(painted((SNFH, (25, 0, 10), 26), (ET, (30, 0, 10), 16), (NETC, (30, 0, 10), 11)))
    known = Known(find_lesions(labels, "TC"), find_lesions(labels, "WT"), ())
    found = vasari(study, Segmented(labels), Files(), known=known)
    for feature, m in zip(FEATURES, found, strict=True):
        if feature.answers:
            assert m.value == fine[feature.number].value, feature.code


# --- end to end -------------------------------------------------------------------------------------------------------


def test_a_study_is_measured_with_its_signs():
    labels = LabelMap.of(MIXED, AFFINE)
    study = Study("ses-01", {Sequence.T1C: Volume(MIXED * 1.0, labels.grid)}, BRAIN, frame=FRAME)
    segmented = Segmented(labels)
    listed = {m.name: m for m in measure_study(study, segmented, Files()).measurements if m.region == "WT"}
    alone = vasari(study, segmented, Files())
    assert [listed[f.name] for f in FEATURES] == list(alone)
    assert listed["t2flair_mismatch"].value is None
    for m in alone:
        assert not isinstance(m.value, str) or len(m.value) <= 64
        assert m.value is None or (m.method and m.source is not None)
        assert m.value is not None or m.reason


def test_necrosis_of_a_digital_glioma_is_told_from_its_core():
    from tumorboard.simulate.subject import Kind, draw_member, studies

    made = next(
        m for n in range(3, 9) if (m := next(studies(5, draw_member(5, n, Kind.GLIOMA, 1, 1), 4.0))).necrosis.any()
    )
    truth, image = made.truth, Volume(made.truth.data * 1.0, made.truth.grid)
    study = Study("ses-01", {Sequence.T1C: image}, made.head.brain)
    found = vasari(study, Segmented(truth), Files(), necrosis=made.necrosis)
    whole = truth.region("WT").sum()
    assert found[6].value == share_word(100 * made.necrosis.sum() / whole)
    assert found[5].value == share_word(100 * ((truth.data == NETC) & ~made.necrosis).sum() / whole)
    assert found[4].value == share_word(100 * (truth.data == ET).sum() / whole)
