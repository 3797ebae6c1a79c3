"""How a stage is run: kept when whole, recorded last, and never touching a file outside its folder."""

import json

import pytest

from tumorboard.errors import OutputError
from tumorboard.stages import STAGES, run_stage
from tumorboard.store import locked, write_atomic, write_shared_json


@pytest.fixture
def stage_run(tmp_path):
    root = tmp_path / "sub-a"

    def go(files, key=("k",)):
        heard = []

        def work():
            for name in files:
                write_atomic(root / name, name)
            return [root / name for name in files]

        run_stage(STAGES["measure"], "ses-01", root, key, work, lambda step: heard.append(step.state))
        return heard

    go.root = root
    return go


def test_a_whole_stage_is_kept_and_another_key_runs_it(stage_run):
    assert stage_run(["x"]) == ["start", "done"]
    assert stage_run(["x"]) == ["kept"]
    assert stage_run(["x"], key=("other",)) == ["start", "done"]


def test_borders_between_key_parts_count(stage_run):
    stage_run(["x"], key=("ab", "c"))
    assert stage_run(["x"], key=("a", "bc")) == ["start", "done"]


def test_what_a_stage_no_longer_writes_is_removed(stage_run):
    stage_run(["x", "y"])
    stage_run(["y"], key=("other",))
    assert not (stage_run.root / "x").exists()
    assert (stage_run.root / "y").exists()


def test_a_record_that_names_files_elsewhere_removes_none_of_them(stage_run):
    stage_run(["x"])
    stranger = stage_run.root.parent / "stranger.txt"
    stranger.write_text("mine")
    path = stage_run.root / ".stages" / "ses-01_measure.json"
    record = json.loads(path.read_text())
    record["outputs"] |= {"../stranger.txt": "0", str(stranger): "0", "..": "0"}
    path.write_text(json.dumps(record))
    assert stage_run(["x"]) == ["start", "done"]
    assert stranger.read_text() == "mine"


def test_memory_grows_with_the_grid():
    for stage in STAGES.values():
        assert stage.memory_mib(240 * 240 * 155) > stage.memory_mib(10**6) > 0


def test_a_folder_in_use_is_refused_and_free_again_afterwards(tmp_path):
    with (
        locked(tmp_path / "sub-a"),
        pytest.raises(OutputError, match="another run at work"),
        locked(tmp_path / "sub-a"),
    ):
        pass
    with locked(tmp_path / "sub-a"):
        pass


def test_a_shared_file_is_written_beside_a_killed_run_s_rest(tmp_path):
    (tmp_path / ".tumorboard-tmp-1-abc").write_text("half")
    (tmp_path / "sub-b").mkdir()
    other = tmp_path / "sub-b" / ".tumorboard-tmp-2-abc"
    other.write_text("another run is writing this")
    write_shared_json(tmp_path / "shared.json", {"a": 1})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["shared.json", "sub-b"]
    assert other.exists()
