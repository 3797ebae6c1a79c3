"""Rows that are kept on disk: resumed, made anew where damaged, and another for whatever they depend on."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tumorboard.lab.cohort import Cohort, read_cohort
from tumorboard.lab.represent import represent
from tumorboard.lab.represent.cache import Made, read_made, write_made
from tumorboard.lab.represent.radiomics import Radiomics
from tumorboard.sequences import Sequence

Make = Callable[[int, np.ndarray], dict[Sequence, np.ndarray]]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note every row that is computed."""
    seen: list[str] = []
    plain = Radiomics.one

    def one(self, scene, job):
        seen.append(scene.unit.patient)
        return plain(self, scene, job)

    monkeypatch.setattr(Radiomics, "one", one)
    return seen


HOW = {"sequences": ["T1C"], "regions": ["WT"], "settings": {"families": ["statistics"], "spacing_mm": 4.0}}


@pytest.fixture
def three(heads, four: Make) -> Cohort:
    for n, patient in enumerate("ABC"):
        heads.write(patient, four(n, heads.labels()), heads.labels())
    return read_cohort(heads.home)


def test_finished_rows_are_kept_and_killed_runs_go_on(three: Cohort, counted: list[str], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    represent("radiomics", three, three.units()[:2], cache=cache, **HOW)  # a run that was stopped after two
    done: list[int] = []
    made = represent("radiomics", three, three.units(), cache=cache, tell=done.append, **HOW)
    assert counted == ["A", "B", "C"]
    assert done == [1, 2, 3]
    again = represent("radiomics", three, three.units(), cache=cache, **HOW)
    assert counted == ["A", "B", "C"]
    assert again.table.digest == made.table.digest
    assert again.table.digest == represent("radiomics", three, three.units(), **HOW).table.digest
    names = [p.name for p in cache.rglob("*")]
    assert not any("sub-" in n or n in ("A", "B", "C") for n in names)


def test_damaged_rows_are_made_anew(three: Cohort, counted: list[str], tmp_path: Path) -> None:
    made = represent("radiomics", three, three.units(), cache=tmp_path, **HOW)
    files = sorted(p for p in tmp_path.rglob("radiomics/*/*") if p.is_file())
    assert len(files) == 3
    files[0].write_bytes(files[0].read_bytes()[:-9])
    files[1].write_bytes(files[1].read_bytes().replace(b"1", b"2", 1))
    again = represent("radiomics", three, three.units(), cache=tmp_path, **HOW)
    assert len(counted) == 5
    assert again.table.digest == made.table.digest


@pytest.mark.parametrize("change", ["image", "mask", "settings", "region"])
def test_whatever_a_row_depends_on_makes_another(
    change: str, three: Cohort, counted: list[str], tmp_path: Path, heads, four: Make
) -> None:
    represent("radiomics", three, three.units(), cache=tmp_path, **HOW)
    how, labels = dict(HOW), heads.labels()
    if change in ("image", "mask"):
        other = heads.labels(radius_mm=16.0) if change == "mask" else labels
        heads.write("B", four(7 if change == "image" else 1, labels), other)
    elif change == "settings":
        how["settings"] = {"families": ["statistics"], "spacing_mm": 5.0}
    else:
        how["regions"] = ["TC"]
    represent("radiomics", three, three.units(), cache=tmp_path, **how)
    assert counted[3:] == (["B"] if change in ("image", "mask") else ["A", "B", "C"])


def test_rows_are_read_back_as_they_were(tmp_path: Path) -> None:
    made = Made({"a": 0.1 + 0.2, "b": math.nan}, {"T2": "no T2"}, np.arange(6, dtype=np.float32).reshape(2, 3))
    write_made(tmp_path, "ab12", made)
    back = read_made(tmp_path, "ab12")
    assert back is not None
    assert back.values["a"] == 0.1 + 0.2
    assert math.isnan(back.values["b"])
    assert back.gaps == {"T2": "no T2"}
    assert back.material.dtype == np.float32
    np.testing.assert_array_equal(back.material, made.material)
    assert read_made(tmp_path, "absent") is None


@pytest.mark.slow
def test_two_processes_give_the_same_rows(three: Cohort) -> None:
    one, two = (represent("radiomics", three, three.units(), workers=n, **HOW) for n in (1, 2))
    assert one.table.digest == two.table.digest
