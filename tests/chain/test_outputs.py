"""What a case folder holds after a run, and what a second run does to it."""

import json
import re
import shutil
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from tumorboard.chain import PatientsFailed
from tumorboard.errors import GeometryError, InputError, OutputError
from tumorboard.io.images import read_volume, write_volume
from tumorboard.labels import LabelMap
from tumorboard.measurement import schema
from tumorboard.sequences import Sequence
from tumorboard.store import TEMPORARY_PREFIX, digest_file
from tumorboard.volume import Volume

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "measurements.schema.json"
STUDY_STAGES = ["prepare", "segment", "measure"]
STUDY_FILES = {
    "anat/sub-a_ses-01_FLAIR.nii.gz",
    "anat/sub-a_ses-01_T1w.nii.gz",
    "anat/sub-a_ses-01_desc-brain_mask.nii.gz",
    "diameters.json",
    "measurements.csv",
    "measurements.json",
    "quality.json",
    "seg/native/sub-a_ses-01_dseg.nii.gz",
    "seg/sub-a_ses-01_dseg.json",
    "seg/sub-a_ses-01_dseg.nii.gz",
    "seg/sub-a_ses-01_label-RC_probseg.nii.gz",
    "seg/sub-a_ses-01_label-TC_probseg.nii.gz",
    "seg/sub-a_ses-01_label-WT_probseg.nii.gz",
    "seg/sub-a_ses-01_lesions.nii.gz",
    "source.json",
    "xfm/sub-a_ses-01_frame.json",
}
T1C_FILES = {
    "anat/sub-a_ses-01_desc-subtraction_T1w.nii.gz",
    "anat/sub-a_ses-01_T2w.nii.gz",
    "anat/sub-a_ses-01_ce-gadolinium_T1w.nii.gz",
    "seg/sub-a_ses-01_label-ET_probseg.nii.gz",
}
PATIENT_FILES = {"methods.md", "patient.json", "provenance.json", "report.html"}


def _study_part(names):
    return {n.removeprefix("sub-a/ses-01/") for n in names if n.startswith("sub-a/ses-01/")}


# --- one run -----------------------------------------------------------------------------------------------------


def test_four_sequences_write_exactly_these_files(whole_run, listing):
    _, out, _ = whole_run
    names = listing(out)
    assert _study_part(names) == STUDY_FILES | T1C_FILES
    records = {f"sub-a/.stages/ses-01_{s}.json" for s in STUDY_STAGES}
    records |= {f"sub-a/.stages/{name}.json" for name in ("patient_report", "report_model")}
    rest = {n for n in names if not n.startswith("sub-a/ses-01/")} - {"sub-a/report.pdf"}
    assert rest == records | {f"sub-a/{n}" for n in PATIENT_FILES} | {"dataset_description.json"}


def test_no_temporary_file_is_left(whole_run, listing):
    assert not [n for n in listing(whole_run[1]) if TEMPORARY_PREFIX in n]


def test_measurements_follow_the_published_schema(whole_run):
    published = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.validate(whole_run[2].measurements(), published)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(whole_run[2].measurements() | {"more": 1}, published)


def test_the_published_schema_is_up_to_date():
    told = "write docs/reference/measurements.schema.json again: store.write_json(path, measurement.schema())"
    assert json.loads(SCHEMA.read_text()) == json.loads(json.dumps(schema())), told


def test_sources_of_measurements_are_files_that_are_there(whole_run):
    ran = whole_run[2]
    for m in ran.measurements()["measurements"]:
        if m["source"] is not None:
            assert (ran.root / m["source"]["file"]).is_file(), m["name"]


def test_volumes_are_those_of_the_label_map(whole_run):
    ran = whole_run[2]
    labels = LabelMap.from_scheme(ran.labels(), "tumorboard")
    for region in ("WT", "TC", "ET", "NETC", "SNFH"):
        assert ran.value("volume", region)["value"] == pytest.approx(labels.volume_ml(region), abs=1e-9)
        assert ran.value("volume", region)["unit"] == "mL"
    assert ran.value("volume", "WT")["value"] > 20.0


def test_provenance_tells_software_settings_inputs_and_costs(whole_run):
    given, _, ran = whole_run
    told = json.loads((ran.root / "provenance.json").read_text())
    assert set(told) == {"software", "settings", "inputs", "stages"}
    assert {"tumorboard", "python", "numpy", "nibabel"} <= set(told["software"])
    assert told["settings"] == {
        "segmenter": "joined:glioma+fuzzy",
        "detector": "",
        "models": [],
        "clinical": 0,
        "digital": True,
    }
    flair = given / "sub-a" / "ses-01" / "anat" / "sub-a_ses-01_FLAIR.nii.gz"
    assert set(told["inputs"]["ses-01"]) == {"T1", "T1C", "T2", "FLAIR"}
    assert told["inputs"]["ses-01"]["FLAIR"] == digest_file(flair)
    assert [(s["stage"], s["study"]) for s in told["stages"]] == [
        *((s, "ses-01") for s in STUDY_STAGES),
        ("report", "patient"),
    ]
    for stage in told["stages"]:
        assert len(stage["key"]) == 32
        assert stage["cost"]["peak_mib"] > 10.0
        for name, found in stage.get("outputs", {}).items():
            assert digest_file(ran.root / name) == found


def test_dates_stand_only_in_the_patient_card_and_the_report(whole_run, contents):
    _, out, _ = whole_run
    dated = re.compile(rb"2000[-_./]?0[1-9][-_./]?[0-3][0-9]")
    holding = {name for name, raw in contents(out).items() if dated.search(raw) and not name.endswith(".pdf")}
    assert holding == {"sub-a/patient.json", "sub-a/report.html", "sub-a/.stages/report_model.json"}
    assert not [n for n in contents(out) if dated.search(n.encode())]


def test_a_name_and_a_date_in_the_input_reach_no_output(tmp_path, originals, travel, contents):
    folder = tmp_path / "DOE^JANE" / "1961-03-04"
    for sequence, volume in originals().items():
        write_volume(volume, folder / f"DOE_JANE_1961-03-04_{sequence.value}.nii.gz")
    ran = travel(tmp_path / "DOE^JANE", tmp_path / "out")
    for name, raw in contents(tmp_path / "out").items():
        assert not re.search(rb"DOE|JANE|1961", name.encode()), name
        if name != f"{ran.root.name}/patient.json":  # where a study's date may stand
            assert not re.search(rb"DOE|JANE|1961", raw), name
    assert b"DOE" not in (ran.root / "patient.json").read_bytes()


# --- input that lacks sequences ----------------------------------------------------------------------------------


def test_two_sequences_write_exactly_these_files(tmp_path, make_study, travel, listing):
    given = make_study(tmp_path / "in", (Sequence.FLAIR, Sequence.T1))
    ran = travel(given, tmp_path / "out")
    assert _study_part(listing(tmp_path / "out")) == STUDY_FILES
    assert ran.measurements()["sequences"] == ["T1", "FLAIR"] or set(ran.measurements()["sequences"]) == {"T1", "FLAIR"}


def test_without_t1c_enhancing_quantities_are_not_assessable(tmp_path, make_study, travel):
    given = make_study(tmp_path / "in", (Sequence.T1, Sequence.T2, Sequence.FLAIR))
    ran = travel(given, tmp_path / "out")
    values = set(np.unique(ran.labels().data).tolist())
    assert 3 not in values
    assert 2 in values
    for region in ("ET",):
        m = ran.value("volume", region)
        assert (m["value"], m["status"]) == (None, "not_assessable")
        assert "T1C" in m["reason"]
    assert ran.value("volume", "WT")["value"] > 20.0
    for m in ran.measurements()["measurements"]:
        if m["region"] == "ET" or "ce_only" in m["name"]:
            assert m["value"] is None, m["name"]


def test_t1_alone_runs_and_measures_only_the_brain(tmp_path, make_study, travel):
    ran = travel(make_study(tmp_path / "in", (Sequence.T1,)), tmp_path / "out")
    assert not ran.labels().data.any()
    assert 1000.0 < ran.value("volume", "brain")["value"] < 2200.0
    told = {(m["name"], m["region"]) for m in ran.measurements()["measurements"] if m["status"] == "ok"}
    always = {("volume", "brain"), ("midline_shift", "brain")}
    assert always <= told <= always | {("ventricle_volume", "brain"), ("evans_index", "brain")}


def test_a_sequence_that_is_left_out_leaves_no_result_behind(tmp_path, make_study, travel, listing):
    given = make_study(tmp_path / "in")
    travel(given, tmp_path / "out")
    for suffix in ("ce-gadolinium_T1w", "T2w"):
        (given / "sub-a" / "ses-01" / "anat" / f"sub-a_ses-01_{suffix}.nii.gz").unlink()
    travel(given, tmp_path / "out")
    assert _study_part(listing(tmp_path / "out")) == STUDY_FILES


# --- the input's own space ---------------------------------------------------------------------------------------


def test_native_label_map_lies_in_the_input_s_own_orientation(tmp_path, make_study, travel):
    given = make_study(tmp_path / "in", edit=lambda v: v.reoriented("LPS"))
    ran = travel(given, tmp_path / "out")
    t1c = read_volume(given / "sub-a" / "ses-01" / "anat" / "sub-a_ses-01_ce-gadolinium_T1w.nii.gz")
    native = read_volume(ran.root / "ses-01" / "seg" / "native" / "sub-a_ses-01_dseg.nii.gz")
    assert native.grid.axcodes == "LPS"
    assert native.grid.shape == t1c.grid.shape
    np.testing.assert_array_equal(native.affine, t1c.affine)
    np.testing.assert_array_equal(native.canonical().data, ran.labels().data)


# --- own masks ---------------------------------------------------------------------------------------------------


def test_own_masks_take_the_place_of_segmentation(tmp_path, make_study, truth, travel):
    given = make_study(tmp_path / "in", (Sequence.T1C, Sequence.FLAIR))
    ran = travel(given, tmp_path / "out", labels=truth(), scheme="tumorboard")
    own = LabelMap.from_scheme(read_volume(truth()), "tumorboard")
    np.testing.assert_array_equal(ran.labels().data, own.canonical().data)
    assert ran.value("volume", "ET")["value"] == pytest.approx(own.volume_ml("ET"), abs=1e-9)
    assert ran.measurements()["segmenter"].startswith("own masks")


def test_own_masks_stored_in_another_orientation_and_scheme(tmp_path, make_study, truth, travel):
    given = make_study(tmp_path / "in", (Sequence.T1C, Sequence.FLAIR))
    own = read_volume(truth())
    lut = np.array([0, 1, 2, 4, 0], dtype=np.uint8)  # brats2017 writes ET as 4
    write_volume(Volume(lut[own.data], own.grid).reoriented("LPS"), tmp_path / "masks.nii.gz")
    ran = travel(given, tmp_path / "out", labels=tmp_path / "masks.nii.gz", scheme="brats2017")
    np.testing.assert_array_equal(ran.labels().data, own.data)


def test_own_masks_on_another_grid_are_refused_in_millimetres(tmp_path, make_study, truth, travel):
    given = make_study(tmp_path / "in", (Sequence.T1C, Sequence.FLAIR))
    own = read_volume(truth())
    affine = own.affine.copy()
    affine[2, 3] += 2.5
    write_volume(Volume.of(own.data, affine), tmp_path / "masks.nii.gz")
    with pytest.raises(GeometryError, match=r"2\.500 mm from T1C .* 2\.500 mm S-I"):
        travel(given, tmp_path / "out", labels=tmp_path / "masks.nii.gz", scheme="tumorboard")


def test_changing_from_fuzzy_to_own_masks_leaves_no_memberships(tmp_path, make_study, truth, travel, listing):
    given = make_study(tmp_path / "in", (Sequence.T1C, Sequence.FLAIR))
    first = travel(given, tmp_path / "out")
    assert [n for n in listing(first.root) if "probseg" in n]
    ran = travel(given, tmp_path / "out", labels=truth(), scheme="tumorboard")
    assert (ran.kept(), ran.did()) == (["prepare"], ["segment", "measure"])
    assert not [n for n in listing(ran.root) if "probseg" in n]


# --- a second run ------------------------------------------------------------------------------------------------


def test_a_second_run_does_nothing_twice(whole_run, travel, listing):
    given, out, first = whole_run
    stages = [n for n in listing(out) if n not in ("sub-a/patient.json", "sub-a/provenance.json")]
    stages.remove("dataset_description.json")
    before = {n: (out / n).stat().st_mtime_ns for n in stages}
    again = travel(given, out, "report", events=given.parent / "events.csv")
    assert {state for _, _, state in again.steps} == {"kept"}
    assert again.kept() == [*STUDY_STAGES, "report"]
    assert {n: (out / n).stat().st_mtime_ns for n in stages} == before
    assert first.did() == again.kept()


def test_a_changed_input_is_run_again(tmp_path, make_study, travel):
    given = make_study(tmp_path / "in", (Sequence.T1C, Sequence.FLAIR))
    first = travel(given, tmp_path / "out").value("volume", "WT")["value"]
    make_study(given, (Sequence.FLAIR,), source="ses-02")
    (given / "sub-a" / "ses-01" / "anat" / "sub-a_ses-01_ce-gadolinium_T1w.nii.gz").unlink()
    make_study(given, (Sequence.T1C,), source="ses-02")
    again = travel(given, tmp_path / "out")
    assert again.did() == STUDY_STAGES
    assert again.value("volume", "WT")["value"] < first


def test_a_later_study_leaves_the_first_as_it_is(tmp_path, make_study, travel):
    given = make_study(tmp_path / "in", (Sequence.T1C, Sequence.FLAIR))
    travel(given, tmp_path / "out")
    make_study(given, (Sequence.T1C, Sequence.FLAIR), session="ses-02")
    again = travel(given, tmp_path / "out")
    assert (again.kept("ses-01"), again.did("ses-02")) == (STUDY_STAGES, STUDY_STAGES)
    card = json.loads((again.root / "patient.json").read_text())
    assert [s["id"] for s in card["studies"]] == ["ses-01", "ses-02"]


DAMAGE = (
    ("anat/sub-a_ses-01_FLAIR.nii.gz", "prepare", "cut short"),
    ("seg/sub-a_ses-01_dseg.nii.gz", "segment", "deleted"),
    ("seg/native/sub-a_ses-01_dseg.nii.gz", "segment", "cut short"),
    ("measurements.csv", "measure", "deleted"),
)


@pytest.fixture(scope="module")
def small_run(tmp_path_factory, make_study, travel):
    place = tmp_path_factory.mktemp("small")
    given = make_study(place / "in", (Sequence.T1C, Sequence.FLAIR))
    return given, travel(given, place / "out")


@pytest.mark.parametrize(("name", "stage", "way"), DAMAGE)
def test_a_damaged_output_is_made_again(small_run, tmp_path, travel, contents, name, stage, way):
    given, ran = small_run
    out = tmp_path / "out"
    shutil.copytree(ran.root.parent, out)
    before = contents(out)
    place = out / "sub-a" / "ses-01" / name
    if way == "deleted":
        place.unlink()
    else:
        place.write_bytes(place.read_bytes()[:-9])
    again = travel(given, out)
    assert again.did() == [stage]
    assert again.kept() == [s for s in STUDY_STAGES if s != stage]
    after = contents(out)
    assert {n: raw for n, raw in after.items() if ".stages" not in n} == {
        n: raw for n, raw in before.items() if ".stages" not in n
    }


@pytest.mark.parametrize("text", ["", "[]", '{"key": 1, "outputs": [], "cost": 3}', '{"key": "x"'])
def test_a_damaged_record_only_costs_its_stage(small_run, tmp_path, travel, text):
    given, ran = small_run
    shutil.copytree(ran.root.parent, tmp_path / "out")
    (tmp_path / "out" / "sub-a" / ".stages" / "ses-01_segment.json").write_text(text)
    assert travel(given, tmp_path / "out").did() == ["segment"]


# --- several patients, and folders that must not be written -----------------------------------------------------


def test_each_patient_has_a_folder_of_its_own(tmp_path, make_study, travel):
    for subject in ("a", "b"):
        make_study(tmp_path / "in", (Sequence.T1C, Sequence.FLAIR), subject=subject)
    done = travel(tmp_path / "in", tmp_path / "out", "segment").done
    assert [f.root.name for f in done.folders] == ["sub-a", "sub-b"]
    assert all((f.root / "ses-01" / "seg").is_dir() for f in done.folders)


def test_one_broken_patient_does_not_stop_the_other(tmp_path, make_study, travel):
    make_study(tmp_path / "in", (Sequence.FLAIR,), subject="a", edit=lambda v: v.with_data(np.full(v.data.shape, 7.0)))
    make_study(tmp_path / "in", (Sequence.FLAIR,), subject="b")
    with pytest.raises(PatientsFailed, match="1 of 2") as caught:
        travel(tmp_path / "in", tmp_path / "out")
    assert caught.value.exit_code == 3
    done = caught.value.done
    assert [f.root.name for f in done.folders] == ["sub-b"]
    assert done.failures[0][0] == "a"
    assert "same value in every voxel" in done.failures[0][1]
    assert (tmp_path / "out" / "sub-b" / "ses-01" / "measurements.json").is_file()


def test_no_usable_patient_at_all_is_a_refusal(tmp_path, make_study, travel):
    for subject in ("a", "b"):
        make_study(
            tmp_path / "in", (Sequence.FLAIR,), subject=subject, edit=lambda v: v.with_data(np.ones(v.data.shape))
        )
    with pytest.raises(PatientsFailed) as caught:
        travel(tmp_path / "in", tmp_path / "out")
    assert caught.value.exit_code == 2


def test_a_refused_study_changes_nothing_that_is_written(small_run, tmp_path, make_study, travel, contents):
    given, ran = small_run
    shutil.copytree(given, tmp_path / "in")
    shutil.copytree(ran.root.parent, tmp_path / "out")
    before = contents(tmp_path / "out")
    make_study(tmp_path / "in", (Sequence.FLAIR,), edit=lambda v: v.with_data(np.full(v.data.shape, np.nan)))
    with pytest.raises(InputError, match="NaN"):
        travel(tmp_path / "in", tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_input_in_the_patient_s_own_case_folder_is_never_replaced(tmp_path, make_study, travel, contents):
    make_study(tmp_path, (Sequence.T1C, Sequence.FLAIR), subject="a")
    before = contents(tmp_path)
    with pytest.raises(OutputError, match="apart from the input"):
        travel(tmp_path / "sub-a", tmp_path)
    assert contents(tmp_path) == before


def test_masks_in_the_case_folder_are_never_replaced(small_run, tmp_path, travel, contents):
    given, ran = small_run
    shutil.copytree(ran.root.parent, tmp_path / "out")
    before = contents(tmp_path / "out")
    mine = tmp_path / "out" / "sub-a" / "ses-01" / "seg" / "native" / "sub-a_ses-01_dseg.nii.gz"
    with pytest.raises(OutputError, match="apart from the input"):
        travel(given, tmp_path / "out", labels=mine, scheme="tumorboard")
    assert contents(tmp_path / "out") == before


def test_another_patient_of_the_same_name_is_refused(small_run, tmp_path, originals, travel, contents):
    _, ran = small_run
    shutil.copytree(ran.root.parent, tmp_path / "out")
    before = contents(tmp_path / "out")
    write_volume(originals("ses-03")[Sequence.FLAIR], tmp_path / "in" / "FLAIR.nii.gz")
    with pytest.raises(OutputError, match="holds other images"):
        travel(tmp_path / "in", tmp_path / "out", patient="a")
    assert contents(tmp_path / "out") == before
