"""`tumorboard detect` through the real command: what it writes, black-blood beside T1C, and what it refuses."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tumorboard.io.images import read_volume, write_volume
from tumorboard.learn.holdout import held_out
from tumorboard.networks.bundle import write_bundle
from tumorboard.sequences import Sequence
from tumorboard.simulate.subject import Kind


@pytest.fixture(scope="module")
def run(invoked):
    """Run ``tumorboard detect``."""
    return partial(invoked, "detect")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A digital patient with metastases at 4 mm, with black-blood."""
    folder = tmp_path_factory.mktemp("detect") / "in"
    case = next(held_out(5, 1, Kind.METASTASES, 4.0, extras=(Sequence.BB,)))
    for sequence, volume in case.study.volumes.items():
        shifted = np.where(case.study.brain, volume.data + 20.0, 0).astype(np.float32)
        write_volume(volume.with_data(shifted), folder / f"{sequence.value}.nii.gz")
    return folder


def named(folder: Path, *sequences: str) -> list[str]:
    return [w for s in sequences for w in ("--sequence", f"{s}={folder / s}.nii.gz")]


def test_what_is_found_lies_in_the_case_folder(run, study: Path, tmp_path: Path) -> None:
    words = [*named(study, "T1C", "FLAIR"), "--out", str(tmp_path), "--patient", "D1", "--method", "template"]
    code, told = run(*words)
    assert code == 0, told
    seg = tmp_path / "sub-D1" / "ses-01" / "seg"
    listed = json.loads((seg / "sub-D1_ses-01_detections.json").read_text())
    rows = list(csv.DictReader((seg / "sub-D1_ses-01_detections.csv").read_text().splitlines()))
    numbers = read_volume(seg / "sub-D1_ses-01_detections.nii.gz", "numbers").data
    reported = [lesion for lesion in listed["lesions"] if lesion["reported"]]
    assert listed["method"] == "template"
    assert [int(r["number"]) for r in rows] == [lesion["number"] for lesion in reported]
    assert sorted(np.unique(numbers[numbers > 0]).tolist()) == sorted(lesion["number"] for lesion in reported)
    assert (seg / "sub-D1_ses-01_detections.jpg").is_file() == bool(reported)
    before = {p: p.read_bytes() for p in seg.iterdir()}
    code, told = run(*words)
    assert code == 0
    assert {p: p.read_bytes() for p in seg.iterdir()} == before
    assert "kept" in told


def test_a_users_network_sees_black_blood(run, study: Path, tmp_path: Path, tiny_detector) -> None:
    own = tiny_detector(4.0, needs_any=(Sequence.BB,))
    write_bundle(tmp_path / "own", own.metadata, own.weights, "card")
    out = ("--out", str(tmp_path / "out"), "--method", str(tmp_path / "own"))
    assert run(*named(study, "T1C", "BB"), *out, "--patient", "A")[0] == 0
    assert run(*named(study, "T1C"), *out, "--patient", "B")[0] == 0
    told = [
        json.loads((tmp_path / "out" / f"sub-{p}/ses-01/seg/sub-{p}_ses-01_detections.json").read_text()) for p in "AB"
    ]
    assert not told[0]["not_assessable"]
    assert told[1]["not_assessable"]
    settings = (tmp_path / "out/sub-A/.stages/ses-01_detect.json").read_text()
    assert str(tmp_path) not in settings


@pytest.mark.parametrize(
    ("words", "told"),
    [(("BB",), "black-blood alone"), (("T1C", "--method", "magic"), "template"), ((), "a folder, files")],
)
def test_refusals_end_with_exit_code_2(run, study: Path, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    given = [*named(study, *words[:1]), *words[1:]]
    code, text = run("--method", "template", *given, "--out", str(tmp_path / "out"))
    assert (code, told in text) == (2, True), text


def test_a_glioma_bundle_is_refused(run, study: Path, tmp_path: Path) -> None:
    from tumorboard.networks.bundle import shipped

    code, text = run(*named(study, "T1C"), "--out", str(tmp_path), "--method", str(shipped("glioma")))
    assert code == 2
    assert "detects" in text
