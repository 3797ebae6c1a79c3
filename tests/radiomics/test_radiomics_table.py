"""Tables, cohorts, the transformer and the command."""

import csv
import json

import numpy as np
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from tumorboard.cli.main import app
from tumorboard.errors import InputError, PartialFailure
from tumorboard.io.images import read_volume, write_volume
from tumorboard.radiomics.cohort import cases_of_results, extract_cohort, read_cases
from tumorboard.radiomics.extract import extract
from tumorboard.radiomics.outline import outline
from tumorboard.radiomics.settings import RadiomicsSettings, read_radiomics_settings
from tumorboard.radiomics.table import described, write_table
from tumorboard.radiomics.transformer import RadiomicsTransformer

FEW = RadiomicsSettings(families=("statistics", "glcm"))
FEW_TOML = 'families = ["statistics", "glcm"]\n[texture]\nmethod = "fbn"\ncount = 16\n'


def run(*words):
    return CliRunner().invoke(app, ["radiomics", *map(str, words)])


@pytest.fixture
def cases(files, tmp_path):
    table = tmp_path / "cases.csv"
    lines = ["case,image,mask,label", "a,image.nii.gz,mask.nii.gz,2", "b,image.nii.gz,mask.nii.gz,5"]
    table.write_text("\n".join([*lines, "c,image.nii.gz,absent.nii.gz,1", ""]))
    return table


def test_a_cohort_gives_a_row_a_case_and_names_what_failed(cases):
    seen = []
    rows, failed = extract_cohort(read_cases(cases), FEW, tell=seen.append)
    assert [r.case for r in rows] == ["a", "b"]
    assert [f.case for f in failed] == ["c"]
    assert seen == [1, 2, 3]
    assert rows[0].found.values != rows[1].found.values


def test_two_processes_give_what_one_gives(cases):
    one, two = (extract_cohort(read_cases(cases), FEW, workers=n)[0] for n in (1, 2))
    assert [r.found.values for r in one] == [r.found.values for r in two]


def test_parquet_keeps_codes_units_settings_and_missing_values(cases, tmp_path):
    rows, _ = extract_cohort(read_cases(cases), FEW)
    rows[0].found.values["original.stat_skew"] = float("nan")
    write_table(tmp_path / "t.parquet", rows, FEW)
    read = parquet.read_table(tmp_path / "t.parquet")
    field = read.schema.field("original.cm_joint_entr_3D_comb")
    assert field.metadata == {
        **{b"ibsi": b"TU9B", b"aggregation": b"IAZD", b"unit": b"1"},
        b"description": field.metadata[b"description"],
    }
    assert read.column("original.stat_skew").null_count == 1
    assert json.loads(read.schema.metadata[b"settings"]) == json.loads(FEW.model_dump_json())
    assert read.column("original.stat_mean").to_pylist() == [r.found.values["original.stat_mean"] for r in rows]


def test_every_column_is_described(noisy):
    names = extract(*noisy, RadiomicsSettings()).values
    assert all(described(name) is not None for name in names)
    assert described("original.nothing") is None


def test_the_transformer_gives_what_the_function_gives(noisy):
    step = RadiomicsTransformer(FEW)
    made = step.fit_transform([noisy, noisy])
    names = list(step.get_feature_names_out())
    assert made.shape == (2, len(names))
    wanted = extract(*noisy, FEW).values
    np.testing.assert_array_equal(made[1], [wanted[n] for n in names])


def test_the_command_writes_the_values_of_the_function(files, tmp_path):
    (tmp_path / "few.toml").write_text(FEW_TOML)
    done = run(*files, "--label", 2, "-s", tmp_path / "few.toml", "-o", tmp_path / "out.csv")
    assert done.exit_code == 0, done.output
    assert "stat_mean" in done.output
    with (tmp_path / "out.csv").open() as stream:
        row = next(csv.DictReader(stream))
    image, mask = (read_volume(path) for path in files)
    wanted = extract(image, outline(mask, 2), read_radiomics_settings(tmp_path / "few.toml")).values
    assert float(row["original.stat_mean"]) == pytest.approx(wanted["original.stat_mean"], rel=1e-12)
    assert json.loads((tmp_path / "out.json").read_text())["texture"]["count"] == 16


def test_the_command_takes_a_parameter_file_of_pyradiomics(files, cases, tmp_path):
    (tmp_path / "p.yaml").write_text(
        "setting: {binWidth: 10, label: 5}\nfeatureClass: {firstorder: [Mean], glcm: []}\n"
    )
    done = run(*files, "-s", tmp_path / "p.yaml", "-o", tmp_path / "five.csv")
    assert done.exit_code == 0, done.output
    run(cases, "-s", tmp_path / "p.yaml", "-o", tmp_path / "all.parquet")
    with (tmp_path / "five.csv").open() as stream:
        five = next(csv.DictReader(stream))
    table = parquet.read_table(tmp_path / "all.parquet")
    wanted = table.column("original_firstorder_Mean").to_pylist()
    assert wanted[0] != wanted[1] == pytest.approx(float(five["original_firstorder_Mean"]))
    assert "binWidth" in json.loads(table.schema.metadata[b"settings"])["pyradiomics"]
    (tmp_path / "p.yaml").write_text("setting: {distances: [1, 2]}\n")
    refused = run(*files, "-s", tmp_path / "p.yaml")
    assert isinstance(refused.exception, InputError)


def test_the_command_writes_a_map(files, tmp_path):
    done = run(*files, "--label", 2, "-s", "plain", "--map", "cm_contrast_3D_comb", "-o", tmp_path / "map.nii.gz")
    assert done.exit_code == 0, done.output
    made, mask = read_volume(tmp_path / "map.nii.gz"), read_volume(files[1])
    inside = np.isfinite(made.data)
    assert made.data[inside].min() > 0
    assert 0 < inside.sum() <= (mask.data == 2).sum()
    refused = run(*files, "--label", 2, "--map", "cm_contrast_3D_comb", "-o", tmp_path / "map.csv")
    assert isinstance(refused.exception, InputError)


def test_the_command_takes_a_cohort_and_ends_with_3_where_some_failed(cases, tmp_path):
    (tmp_path / "few.toml").write_text(FEW_TOML)
    done = run(cases, "-s", tmp_path / "few.toml", "-o", tmp_path / "out.parquet")
    assert isinstance(done.exception, PartialFailure)
    assert parquet.read_table(tmp_path / "out.parquet").column("case").to_pylist() == ["a", "b"]


def test_the_results_of_a_run_give_a_row_a_study_region_and_sequence(files, tmp_path):
    results = tmp_path / "results"
    for kind, name, source in (("anat", "FLAIR", 0), ("anat", "T2w", 0), ("seg", "dseg", 1)):
        path = results / "sub-a" / "ses-01" / kind / f"sub-a_ses-01_{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        volume = read_volume(files[source])
        write_volume(volume.with_data(np.minimum(volume.data, 2).astype(np.uint8)) if source else volume, path)
    (tmp_path / "few.toml").write_text(FEW_TOML)
    done = run(results, "-s", tmp_path / "few.toml", "-o", tmp_path / "out.parquet")
    assert done.exit_code == 0, done.output
    table = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    whose = [(r["case"], r["region"], r["sequence"]) for r in table]
    assert whose == [("sub-a/ses-01", "WT", "T2"), ("sub-a/ses-01", "WT", "FLAIR")]
    with pytest.raises(InputError, match="results of a run"):
        cases_of_results(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--out", "t.xlsx"), "parquet or .csv"),
        (("-s", "nothing"), "settings among"),
        (("--label", "1"), "labels 2"),
        (("--label", "2", "--region", "ET"), "a label or a region"),
        ((), "one label"),
        (("--region", "RC"), "unknown"),
    ],
)
def test_the_command_refuses_and_says_what_to_do(files, words, told):
    done = run(*files, *words)
    assert isinstance(done.exception, InputError)
    assert told in str(done.exception)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("case,image\na,b\n", "mask"),
        ("case,image,mask,label\na,b,c,x\n", "whole number"),
        ("case,image,mask\na,,c\n", "an empty one"),
        ("case,image,mask\na,b,c\na,b,c\n", "line 3"),
    ],
)
def test_tables_of_cases_that_cannot_be_used_are_refused(tmp_path, text, told):
    (tmp_path / "cases.csv").write_text(text)
    with pytest.raises(InputError, match=told):
        read_cases(tmp_path / "cases.csv")


def test_settings_that_are_none_are_refused_by_name(tmp_path):
    (tmp_path / "s.toml").write_text("[texture]\nbins = 3\n")
    with pytest.raises(InputError, match=r"texture\.bins"):
        read_radiomics_settings(tmp_path / "s.toml")
    (tmp_path / "s.toml").write_text('ways = ["4D"]\n')
    with pytest.raises(InputError, match="4D"):
        read_radiomics_settings(tmp_path / "s.toml")
