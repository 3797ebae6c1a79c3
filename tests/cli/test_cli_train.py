"""`tumorboard train` through the real command: a bundle comes out, refusals are exit code 2, killed runs go on."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.io.images import write_volume
from tumorboard.learn.holdout import held_out
from tumorboard.networks.bundle import read_bundle
from tumorboard.segment.learned import LearnedSegmenter, Options
from tumorboard.simulate.subject import Kind
from tumorboard.volume import Volume

SETTINGS = """
name = "coarse"
spacing_mm = 8.0
sequences = ["T1", "T1C", "T2", "FLAIR"]
shape = [16, 24, 16]
steps = 6
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


@pytest.fixture(scope="module")
def run(invoked):
    """Run ``tumorboard train``."""
    return partial(invoked, "train")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, write_brats) -> Path:
    """Two cases and settings, made once; not to be changed."""
    folder = tmp_path_factory.mktemp("train")
    for n, case in enumerate(held_out(1, 2, Kind.GLIOMA, 6.0)):
        write_brats(folder / "cases", case, f"BraTS-GLI-0000{n}-000")
    (folder / "s.toml").write_text(SETTINGS)
    return folder


@pytest.fixture(scope="module")
def own(run, first: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that was trained on the two cases, to go on from; not to be changed."""
    folder = tmp_path_factory.mktemp("own") / "a"
    code, told = run("segment", "--settings", str(first / "s.toml"), "--out", str(folder))
    assert code == 0, told
    return folder


@pytest.fixture
def home(tmp_path: Path, first: Path) -> Path:
    return Path(shutil.copytree(first, tmp_path, dirs_exist_ok=True))


def test_a_folder_of_cases_becomes_a_bundle_that_segments(run, home: Path) -> None:
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


def test_the_same_command_goes_on_and_a_longer_run_gives_the_same_curve(run, home: Path) -> None:
    words = ("segment", "--settings", str(home / "s.toml"), "--out")
    run(*words, str(home / "a"))
    log = (home / "a.training" / "coarse" / "log.csv").read_text()
    run(*words, str(home / "a"))  # finished already: nothing is learned twice
    assert (home / "a.training" / "coarse" / "log.csv").read_text() == log
    run(*words, str(home / "b"))
    again = (home / "b.training" / "coarse" / "log.csv").read_text()
    strip = [[line.split(",")[:3] for line in text.splitlines()] for text in (log, again)]
    assert strip[0] == strip[1]


def test_fine_tuning_keeps_the_card_and_changes_the_weights(run, home: Path, own: Path) -> None:
    words = ("segment", "--settings", str(home / "s.toml"), "--out")
    code, told = run(*words, str(home / "b"), "--from", str(own))
    assert code == 0, told
    one, two = read_bundle(own), read_bundle(home / "b")
    assert one.metadata.id == two.metadata.id
    assert one.metadata.weights_sha256 != two.metadata.weights_sha256


def finer(home: Path, begins_with: str) -> Path:
    """Settings of a second pass that hardly learns."""
    text = (
        (home / "s.toml").read_text().replace('"coarse"\nspacing_mm = 8.0', f'"fine"\n{begins_with}\nspacing_mm = 6.0')
    )
    (home / "fine.toml").write_text(text.replace("steps = 6", "learning_rate = 1e-9\nsteps = 2"))
    return home / "fine.toml"


def test_a_new_pass_begins_with_the_weights_of_another(run, home: Path, own: Path) -> None:
    settings = finer(home, 'begins_with = "coarse"')
    code, told = run("segment", "-s", str(settings), "-o", str(home / "b"), "--from", str(own))
    assert code == 0, told
    both = read_bundle(home / "b")
    assert [(p.name, p.spacing_mm) for p in both.metadata.passes] == [("coarse", 8.0), ("fine", 6.0)]
    coarse, fine = both.weights_of("coarse"), both.weights_of("fine")
    assert all(np.allclose(coarse[name], fine[name], atol=1e-3) for name in coarse)
    code, told = run("segment", "-s", str(finer(home, "")), "-o", str(home / "c"), "--from", str(own))
    assert code == 0, told
    alone = read_bundle(home / "c").weights_of("fine")
    assert not all(np.allclose(coarse[name], alone[name], atol=1e-3) for name in coarse)


def test_a_pass_that_the_bundle_does_not_have_gives_no_weights(run, home: Path, own: Path) -> None:
    settings = finer(home, 'begins_with = "middle"')
    code, text = run("segment", "-s", str(settings), "-o", str(home / "b"), "--from", str(own))
    assert code == 2
    assert "one of the bundle's passes (coarse)" in text
    assert not (home / "b").exists()


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
def test_bad_folders_are_refused_before_anything_is_written(run, home: Path, breaking, told: str) -> None:
    breaking(home)
    code, text = run("segment", "--settings", str(home / "s.toml"), "--out", str(home / "own"))
    assert code == 2
    assert told in text
    assert not (home / "own").exists()


def test_an_unknown_bundle_to_go_on_from_is_refused(run, home: Path) -> None:
    code, text = run("segment", "-s", str(home / "s.toml"), "-o", str(home / "own"), "--from", "nobody")
    assert code == 2
    assert "shipped bundles" in text


def test_a_bundle_of_another_architecture_is_refused(run, home: Path, own: Path) -> None:
    (home / "t.toml").write_text((home / "s.toml").read_text().replace("[8, 8, 8]", "[8, 8, 16]"))
    code, text = run("segment", "-s", str(home / "t.toml"), "-o", str(home / "b"), "--from", str(own))
    assert code == 2
    assert "architecture" in text


def test_input_errors_are_input_errors() -> None:
    assert InputError("x").exit_code == 2
