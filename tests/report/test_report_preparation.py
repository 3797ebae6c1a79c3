"""How sequences lie on each other: the table, the boards, and the protocol's answers."""

import numpy as np
import pytest

from tumorboard.report.overlay import board, overlay_strip
from tumorboard.report.preparation import HEADER, preparation_matrix, protocol_matrices
from tumorboard.report.views import choose
from tumorboard.sequences import Sequence
from tumorboard.volume import Grid

FIT = {"moved_mm": 3.26, "turned_deg": 1.44, "shared": 0.214, "drop": 0.331, "cover": 0.987}
QUALITY = {
    "reference": "T1C",
    "registration": {"T1": FIT},
    "dropped": {"T2": FIT | {"why": "the images share 0.020 of their information (least 0.08)"}},
    "images": {"T1C": {"snr": 31.4, "ghost": 0.012}, "T1": {"snr": 20.0, "ghost": 0.0}},
}


def test_every_sequence_has_a_line_and_what_was_refused_says_why():
    table = preparation_matrix(QUALITY)
    assert table is not None
    assert table.header == HEADER
    assert {len(row) for row in table.rows} == {len(HEADER)}
    reference, accepted, refused = table.rows
    assert reference == ("T1C", "", "", "", "", "31", "1 %", "reference")
    assert accepted == ("T1", "3.3 mm, 1.4°", "0.21", "33 %", "99 %", "20", "0 %", "accepted")
    assert refused[-1].startswith("refused: the images share 0.020")


def test_prepared_images_have_no_such_table():
    assert preparation_matrix({"reference": "T1C", "registration": {}, "dropped": {}, "images": {}}) is None


def test_each_protocol_has_its_table_and_says_that_it_is_unverified():
    lines = (("A", "T1", "met", "1 series"), ("A", "T2", "not met", "none"), ("B", "T1", "cannot tell", ""))
    first, second = protocol_matrices(lines)
    assert [row[1] for row in (*first.rows, *second.rows)] == ["not met", "cannot tell"]
    assert [first.title, second.title] == ["Against A: 1 of 2 met", "Against B: 0 of 1 met"]
    assert all("Unverified" in table.notes[0] for table in (first, second))
    assert protocol_matrices(()) == ()


# --- boards -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pixel", [(1.0, 1.0), (0.5, 2.0), (2.0, 0.5)])
def test_fields_alternate_and_are_of_equal_size(pixel):
    fields = board((88, 132), pixel)
    down, across = (int(22 / mm) for mm in pixel)
    assert (fields[:-down] != fields[down:]).all()
    assert (fields[:, :-across] != fields[:, across:]).all()


def native(bundle, **more):
    """The same bundle, as of a study of native heads."""
    from dataclasses import replace

    grid = bundle.study.grid
    study = replace(bundle.study, native=Grid(grid.shape, grid.affine))
    return replace(bundle, study=study, **more)


def test_prepared_images_have_no_boards(make_bundle):
    bundle = make_bundle()
    assert overlay_strip(bundle, choose(bundle)) is None


def test_boards_show_every_other_sequence_and_what_was_refused(make_bundle):
    bundle = make_bundle()
    wrong = bundle.study.volumes[Sequence.FLAIR]
    wrong = wrong.with_data(np.roll(wrong.data, 20, axis=0))
    plain = overlay_strip(native(bundle), choose(bundle))
    shown = overlay_strip(native(bundle, refused={Sequence.T2: wrong}), choose(bundle))
    assert plain is not None
    assert shown is not None
    assert "Refused" not in plain.caption
    assert "Refused and left out: T2" in shown.caption
    assert shown.width_px > plain.width_px
