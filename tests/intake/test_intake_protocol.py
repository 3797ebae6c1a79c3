"""Protocols: a study that follows one, and every way in which one series can fall short of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.intake.evidence import recognise_study
from tumorboard.intake.protocol import BTIP_2015, BTIP_BM_2020, BTIP_BM_2020_IDEAL, PROTOCOLS, check_protocol
from tumorboard.intake.protocol_checks import State
from tumorboard.sequences import Sequence
from tumorboard.series import Person, Plane, Series, SeriesTags

AXIAL, SAGITTAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
INJECTED_S = 37000.0


def series(tags: SeriesTags, edges=(1.0, 1.0, 1.0), orientation=AXIAL) -> Series:
    normal = (0.0, 0.0, 1.0) if orientation == AXIAL else (1.0, 0.0, 0.0)
    planes = tuple(
        Plane(Path("x"), f"1.{k}", "1", tuple(k * edges[2] * n for n in normal), orientation, edges[:2], 8, 8)
        for k in range(4)
    )
    return Series("1.2", "1.2.3", 1, planes, tags, Person())


MPRAGE = SeriesTags(modality="MR", description="T1 MPRAGE", scanning_sequence=("GR", "IR"), acquisition_type="3D",
                    tr_ms=2000.0, te_ms=3.0, ti_ms=900.0, flip_deg=9.0, thickness_mm=1.0, field_t=3.0)  # fmt: skip
TSE = SeriesTags(modality="MR", description="T2 TSE", scanning_sequence=("SE",), acquisition_type="2D", tr_ms=4500.0,
                 te_ms=100.0, flip_deg=150.0, echo_train=16, thickness_mm=3.0, field_t=3.0)  # fmt: skip
GD = {"contrast_agent": "Gd", "contrast_start_s": INJECTED_S}


def study() -> dict[str, Series]:
    """A study that follows BTIP 2015, and the spin echo that BTIP-BM adds."""
    flair = replace(TSE, description="FLAIR", scanning_sequence=("SE", "IR"), tr_ms=9000.0, te_ms=120.0, ti_ms=2500.0)
    dwi = replace(TSE, description="DWI", scanning_sequence=("EP", "SE"), b_values=(0.0, 1000.0), directions=3)
    late = replace(TSE, description="T1 SE KM", tr_ms=600.0, te_ms=12.0, echo_train=1, acquired_s=38100.0, **GD)
    thick = (1.0, 1.0, 3.0)
    return {
        "T1": series(replace(MPRAGE, acquired_s=36000.0), orientation=SAGITTAL),
        "FLAIR": series(replace(flair, acquired_s=36300.0), thick),
        "DWI": series(replace(dwi, acquired_s=36600.0), thick),
        "T2": series(replace(TSE, acquired_s=37060.0, **GD), thick),
        "T1C": series(replace(MPRAGE, acquired_s=37500.0, **GD), orientation=SAGITTAL),
        "T1C 2-D": series(late, thick),
    }


def rows(given_study, protocol=BTIP_2015) -> dict[str, State]:
    """Recognise and check; the clock and the tags are all it has."""
    all_series = list(given_study.values())
    report = check_protocol(all_series, recognise_study([s.tags for s in all_series]), protocol)
    return {row.requirement: row.state for row in report.rows}


def changed(which: str, **values) -> dict[str, Series]:
    made = study()
    made[which] = replace(made[which], tags=replace(made[which].tags, **values))
    return made


DOSE = "0.1 mmol/kg gadolinium"


@pytest.mark.parametrize("protocol", [BTIP_2015, BTIP_BM_2020], ids=lambda p: p.name)
def test_a_study_that_follows_the_protocol_meets_all_but_the_dose(protocol):
    told = rows(study(), protocol)
    assert {text for text, state in told.items() if state is not State.MET} == {DOSE}
    assert told[DOSE] is State.CANNOT_TELL


@pytest.mark.parametrize("which", ["T1", "FLAIR", "DWI", "T2"])
def test_a_missing_series_is_not_met(which):
    told = rows({name: s for name, s in study().items() if name != which})
    name = "T1 before contrast agent" if which == "T1" else which
    assert told[name] is State.NOT_MET
    assert all(told[text] is not State.MET for text in told if text.startswith(f"{name}:"))


SHORT = [
    ("T1C", {"tr_ms": 2300.0}, "T1 before and after with the same TR, TE, TI and flip angle", State.NOT_MET),
    ("T1C", {"flip_deg": 12.0}, "T1 before and after with the same TR, TE, TI and flip angle", State.NOT_MET),
    ("T2", {"acquired_s": 36700.0}, "T2 after the injection", State.NOT_MET),
    ("T2", {"acquired_s": 38700.0}, "T2 before the T1 after contrast agent", State.NOT_MET),
    ("T2", {"acquired_s": None}, "T2 before the T1 after contrast agent", State.CANNOT_TELL),
    ("T2", {"acquisition_type": "3D"}, "T2: 2-D", State.NOT_MET),
    ("T2", {"acquisition_type": ""}, "T2: 2-D", State.CANNOT_TELL),
    ("T2", {"echo_train": 1}, "T2: turbo spin echo", State.NOT_MET),
    ("T2", {"echo_train": None}, "T2: turbo spin echo", State.CANNOT_TELL),
    ("FLAIR", {"acquired_s": 37200.0}, "FLAIR before the injection", State.NOT_MET),
    ("DWI", {"acquired_s": 37200.0}, "DWI before the injection", State.NOT_MET),
    ("DWI", {"directions": 1}, "DWI: three directions", State.NOT_MET),
    ("DWI", {"directions": 0}, "DWI: three directions", State.CANNOT_TELL),
    ("T1", {"acquisition_type": "2D"}, "T1 before contrast agent: 3-D", State.NOT_MET),
]


@pytest.mark.parametrize(
    ("which", "values", "row", "state"), SHORT, ids=[f"{w} {sorted(v)[0]} {s}" for w, v, _, s in SHORT]
)
def test_one_change_turns_its_row(which, values, row, state):
    assert rows(changed(which, **values))[row] is state


@pytest.mark.parametrize(
    ("edges", "state"),
    [((1.0, 1.0, 1.0), State.MET), ((1.5, 1.5, 1.5), State.MET), ((0.9375, 0.9375, 1.0), State.MET),
     ((1.0, 1.0, 1.5), State.NOT_MET), ((2.0, 2.0, 2.0), State.NOT_MET), ((0.5, 0.5, 5.0), State.NOT_MET)],
)  # fmt: skip
def test_isotropic_is_measured_on_the_planes(edges, state):
    made = study()
    made["T1"] = series(made["T1"].tags, edges, SAGITTAL)
    assert rows(made)["T1 before contrast agent: isotropic, at most 1.5 mm"] is state


@given(st.floats(0.3, 3.0), st.sampled_from([AXIAL, SAGITTAL]))
def test_isotropic_does_not_depend_on_the_plane(edge, orientation):
    made = study()
    made["T1"] = series(made["T1"].tags, (edge, edge, edge), orientation)
    wanted = State.MET if edge <= 1.55 else State.NOT_MET
    assert rows(made)["T1 before contrast agent: isotropic, at most 1.5 mm"] is wanted


def test_a_sagittal_t2_is_not_axial():
    made = study()
    made["T2"] = series(made["T2"].tags, (1.0, 1.0, 3.0), SAGITTAL)
    assert rows(made)["T2: axial"] is State.NOT_MET


def test_a_series_without_planes_cannot_be_told():
    made = {name: replace(s, planes=()) for name, s in study().items()}
    told = rows(made)
    assert told["T2: axial"] is told["T1 before contrast agent: isotropic, at most 1.5 mm"] is State.CANNOT_TELL


def test_without_a_start_time_the_siblings_tell_before_and_after():
    made = {n: replace(s, tags=replace(s.tags, contrast_agent=None, contrast_start_s=None)) for n, s in study().items()}
    made["T1C"] = replace(made["T1C"], tags=replace(made["T1C"].tags, description="T1 MPRAGE post"))
    made["DWI"] = replace(made["DWI"], tags=replace(made["DWI"].tags, acquired_s=35000.0))
    told = rows(made)
    assert told["DWI before the injection"] is State.MET
    assert told["FLAIR before the injection"] is State.CANNOT_TELL
    assert told["T2 after the injection"] is State.CANNOT_TELL


def test_an_unrecognised_series_is_no_proof_of_absence():
    made = {name: s for name, s in study().items() if name != "T2"}
    made["?"] = series(SeriesTags(modality="MR", description="s4"))
    assert rows(made)["T2"] is State.CANNOT_TELL


def test_the_ideal_protocol_asks_for_3d_spin_echo_3t_and_perfusion():
    told = rows(study(), BTIP_BM_2020_IDEAL)
    assert told["T1 after contrast agent: turbo spin echo"] is State.NOT_MET
    assert told["DSC perfusion"] is State.NOT_MET
    assert told["field strength 3 T"] is State.MET
    assert rows(changed("T1C 2-D", field_t=1.5), BTIP_BM_2020_IDEAL)["field strength 3 T"] is State.MET


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.name)
def test_every_row_says_that_its_source_was_not_read_in_full(protocol):
    report = check_protocol([], [], protocol)
    assert report.unverified
    assert not report.met
    assert all(row.unverified and row.requirement and row.seen for row in report.rows)
    assert len({row.requirement for row in report.rows}) == len(report.rows)
    assert {r.sequence for r in protocol.requirements} >= {Sequence.T1C, Sequence.T2, Sequence.FLAIR, Sequence.DWI}


def test_a_verdict_is_needed_for_every_series():
    with pytest.raises(ValueError, match="shorter"):
        check_protocol(list(study().values()), [], BTIP_2015)


def test_what_was_seen_repeats_no_free_text():
    made = changed("T1", description="T1 Zqdoe", protocol="Zqdoe", contrast_agent="Zqdoe")
    all_series = list(made.values())
    report = check_protocol(all_series, recognise_study([s.tags for s in all_series]), BTIP_2015)
    assert "zqdoe" not in repr(report).lower()
