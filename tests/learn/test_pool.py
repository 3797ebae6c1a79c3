"""Pools: what is read back is what was drawn, in bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.learn.pool import write
from tumorboard.learn.pool.plan import PoolPlan
from tumorboard.learn.pool.specimen import FULL, HEALTHY, Specimen
from tumorboard.learn.pool.write import specimens, write_pool
from tumorboard.simulate.subject import Kind, draw_member, studies


@pytest.fixture(scope="module")
def study():
    return next(iter(studies(5, draw_member(5, 0, Kind.GLIOMA, 1, 1), 6.0, volumes=False)))


def test_shares_are_those_of_the_study_to_half_a_byte(study) -> None:
    kept = Specimen.of(study)
    for n, name in enumerate(HEALTHY):
        wanted = np.clip(study.mixture.parts.get(name, np.zeros(kept.shape)), 0, 1)
        assert np.abs(kept.healthy[..., n] / FULL - wanted).max() <= 0.5 / FULL + 1e-6, name
    box = tuple(slice(c, c + n) for c, n in zip(kept.corner, kept.labels.shape, strict=True))
    assert (study.truth.data[box] == kept.labels).all()
    assert (study.truth.data > 0).sum() == (kept.labels > 0).sum()


def test_written_and_read_back(study, tmp_path: Path) -> None:
    kept = Specimen.of(study)
    kept.write(tmp_path / "one")
    again = Specimen.read(tmp_path / "one")
    assert again.matters == kept.matters
    assert again.corner == kept.corner
    for name in ("healthy", "sick", "labels", "lesions"):
        assert (getattr(again, name) == getattr(kept, name)).all()


def test_a_matter_that_no_specimen_knows_is_never_dropped(study) -> None:
    parts = study.mixture.parts
    parts["plaster"] = parts["wm"] * 0
    try:
        with pytest.raises(ValueError, match="plaster"):
            Specimen.of(study)
    finally:
        del parts["plaster"]


def test_pool_goes_on_where_it_was_stopped_and_is_the_same_for_any_order(tmp_path: Path) -> None:
    plan = PoolPlan(patients=2, visits=1, spacing_mm=8.0, seed=3)
    write_pool(plan.model_copy(update={"patients": 1}), tmp_path / "a")
    first = (tmp_path / "a" / "p00000-0" / "healthy.npy").stat().st_mtime_ns
    write_pool(plan, tmp_path / "a")
    assert (tmp_path / "a" / "p00000-0" / "healthy.npy").stat().st_mtime_ns == first
    write_pool(plan, tmp_path / "b")
    for one, two in zip(specimens(tmp_path / "a"), specimens(tmp_path / "b"), strict=True):
        assert (one / "healthy.npy").read_bytes() == (two / "healthy.npy").read_bytes()


def test_pool_of_another_plan_is_refused(tmp_path: Path) -> None:
    write_pool(PoolPlan(patients=1, visits=1, spacing_mm=8.0, seed=3), tmp_path)
    with pytest.raises(InputError, match="another"):
        write_pool(PoolPlan(patients=1, visits=1, spacing_mm=8.0, seed=4), tmp_path)


def test_a_pool_of_some_grades_asks_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(write, "draw_member", lambda *_, grades: asked.append(grades))
    monkeypatch.setattr(write, "studies", lambda *_, **__: iter(()))
    write_pool(PoolPlan(patients=2, visits=1, spacing_mm=8.0, seed=3, grades=(2, 3)), tmp_path)
    assert asked == [(2, 3), (2, 3)]


def test_no_pool_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pool"):
        specimens(tmp_path)


def test_kinds_come_in_their_shares() -> None:
    plan = PoolPlan(patients=1)
    kinds = [plan.kind_of(n).value for n in range(1000)]
    assert kinds.count("glioma") == pytest.approx(750, abs=5)
    assert kinds.count("metastases") == pytest.approx(200, abs=5)
