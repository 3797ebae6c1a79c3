"""`tumorboard train` through the real command: a bundle comes out, refusals are exit code 2, killed runs go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tumorboard.cli.main import app
from tumorboard.errors import InputError, TumorboardError
from tumorboard.io.images import write_volume
from tumorboard.learn.holdout import held_out
from tumorboard.networks.bundle import read_bundle
from tumorboard.segment.learned import LearnedSegmenter, Options
from tumorboard.sequences import Sequence
from tumorboard.simulate.subject import Kind
from tumorboard.volume import Volume

NAMES = {Sequence.T1: "t1n", Sequence.T1C: "t1c", Sequence.T2: "t2w", Sequence.FLAIR: "t2f"}

SETTINGS = """
name = "coarse"
spacing_mm = 8.0
sequences = ["T1", "T1C", "T2", "FLAIR"]
shape = [16, 24, 16]
steps = {steps}
workers = 0
warm_up = 2
validate_every = 4
validation_samples = 2
precision = "float32"
[architecture]
name = "dynunet-blocks"
channels = 4
classes = 5
filters = [8, 8, 8]
[[sources]]
kind = "brats"
path = "cases"
[[validation]]
kind = "brats"
path = "cases"
"""


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["train", *words])
    if isinstance(result.exception, TumorboardError):
        return result.exception.exit_code, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def write_case(folder: Path, case, name: str) -> None:
    for sequence, volume in case.study.volumes.items():
        write_volume(volume, folder / name / f"{name}-{NAMES[sequence]}.nii.gz")
    labels = np.where(case.truth.data == 4, 0, case.truth.data).astype(np.uint8)  # BraTS 2023 knows no cavity
    write_volume(Volume(labels, case.truth.grid), folder / name / f"{name}-seg.nii.gz")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for n, case in enumerate(held_out(1, 2, Kind.GLIOMA, 6.0)):
        write_case(tmp_path / "cases", case, f"BraTS-GLI-0000{n}-000")
    (tmp_path / "s.toml").write_text(SETTINGS.format(steps=6))
    return tmp_path


def test_a_folder_of_cases_becomes_a_bundle_that_segments(home: Path) -> None:
    code, told = run("segment", "--settings", str(home / "s.toml"), "--out", str(home / "own"))
    assert code == 0, told
    assert "waiting for data" in told
    assert sorted(p.name for p in (home / "own").iterdir()) == ["card.md", "metadata.json", "model.safetensors"]
    beside = {p.name for p in (home / "own.training" / "coarse").iterdir()}
    assert {"curve.png", "log.csv"} <= beside
    assert any(name.startswith("events.out") for name in beside)
    study = next(held_out(2, 1, Kind.GLIOMA, 6.0)).study
    found = LearnedSegmenter(read_bundle(home / "own"), Options(backend="torch-float32")).segment(study)
    assert set(found.probabilities) == {"WT", "TC", "ET", "RC"}


def test_the_same_command_goes_on_and_a_longer_run_gives_the_same_curve(home: Path) -> None:
    words = ("segment", "--settings", str(home / "s.toml"), "--out")
    run(*words, str(home / "a"))
    log = (home / "a.training" / "coarse" / "log.csv").read_text()
    run(*words, str(home / "a"))  # finished already: nothing is learned twice
    assert (home / "a.training" / "coarse" / "log.csv").read_text() == log
    run(*words, str(home / "b"))
    again = (home / "b.training" / "coarse" / "log.csv").read_text()
    strip = [[line.split(",")[:3] for line in text.splitlines()] for text in (log, again)]
    assert strip[0] == strip[1]


def test_fine_tuning_keeps_the_card_and_changes_the_weights(home: Path) -> None:
    words = ("segment", "--settings", str(home / "s.toml"), "--out")
    run(*words, str(home / "a"))
    code, told = run(*words, str(home / "b"), "--from", str(home / "a"))
    assert code == 0, told
    one, two = read_bundle(home / "a"), read_bundle(home / "b")
    assert one.metadata.id == two.metadata.id
    assert one.metadata.weights_sha256 != two.metadata.weights_sha256


def broken_labels(home: Path) -> None:
    path = next((home / "cases").rglob("*-seg.nii.gz"))
    grid = next(held_out(1, 1, Kind.GLIOMA, 6.0)).truth.grid
    write_volume(Volume(np.full(grid.shape, 9, np.uint8), grid), path)


def other_grid(home: Path) -> None:
    path = sorted((home / "cases").rglob("*-t2f.nii.gz"))[0]
    write_volume(Volume.of(np.ones((9, 9, 9), np.float32), np.diag([6.0, 6, 6, 1])), path)


def one_case(home: Path) -> None:
    for path in sorted((home / "cases").rglob("*-seg.nii.gz"))[1:]:
        path.unlink()


def empty_masks(home: Path) -> None:
    for case, path in zip(
        held_out(1, 2, Kind.GLIOMA, 6.0), sorted((home / "cases").rglob("*-seg.nii.gz")), strict=True
    ):
        write_volume(Volume(np.zeros(case.truth.data.shape, np.uint8), case.truth.grid), path)


def other_task(home: Path) -> None:
    text = (home / "s.toml").read_text()
    (home / "s.toml").write_text(text.replace('name = "coarse"', 'task = "detect"\nname = "coarse"', 1))


@pytest.mark.parametrize(
    ("breaking", "told"),
    [
        (broken_labels, "values of scheme"),
        (other_grid, "one grid"),
        (one_case, "at least 2 labelled cases"),
        (empty_masks, "tumour in some label map"),
        (other_task, "settings for segment"),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_bad_folders_are_refused_before_anything_is_written(home: Path, breaking, told: str) -> None:
    breaking(home)
    code, text = run("segment", "--settings", str(home / "s.toml"), "--out", str(home / "own"))
    assert code == 2
    assert told in text
    assert not (home / "own").exists()


def test_an_unknown_bundle_to_go_on_from_is_refused(home: Path) -> None:
    code, text = run("segment", "-s", str(home / "s.toml"), "-o", str(home / "own"), "--from", "nobody")
    assert code == 2
    assert "shipped bundles" in text


def test_a_bundle_of_another_architecture_is_refused(home: Path) -> None:
    run("segment", "-s", str(home / "s.toml"), "-o", str(home / "a"))
    (home / "t.toml").write_text((home / "s.toml").read_text().replace("[8, 8, 8]", "[8, 8, 16]"))
    code, text = run("segment", "-s", str(home / "t.toml"), "-o", str(home / "b"), "--from", str(home / "a"))
    assert code == 2
    assert "architecture" in text


def test_input_errors_are_input_errors() -> None:
    assert InputError("x").exit_code == 2
