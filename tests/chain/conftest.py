"""A small digital study on disk, copies of it in any form, and runs of the chain that tell what they did."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tumorboard.chain import Done, run_intake
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.io.images import read_volume, write_volume
from tumorboard.sequences import Sequence
from tumorboard.settings import RunSettings
from tumorboard.simulate.files.tree import write_digital_patient
from tumorboard.simulate.patient import digital_patient

ALL = (Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR)


@dataclass(frozen=True)
class Ran:
    """What a run wrote, and what it did on the way: (study, stage, state)."""

    done: Done
    steps: list[tuple[str, str, str]]

    @property
    def root(self) -> Path:
        return self.done.folders[0].root

    def did(self, study: str = "") -> list[str]:
        """Stages that were not kept."""
        return [stage for s, stage, state in self.steps if state == "done" and study in ("", s)]

    def kept(self, study: str = "") -> list[str]:
        return [stage for s, stage, state in self.steps if state == "kept" and study in ("", s)]

    def measurements(self, study: str = "ses-01") -> dict:
        return json.loads((self.root / study / "measurements.json").read_text())

    def value(self, name: str, region: str, study: str = "ses-01") -> dict:
        found = [m for m in self.measurements(study)["measurements"] if (m["name"], m["region"]) == (name, region)]
        assert len(found) == 1
        return found[0]

    def labels(self, study: str = "ses-01"):
        return read_volume(next((self.root / study / "seg").glob("*_dseg.nii.gz")))


@pytest.fixture(scope="session")
def digital_tree(tmp_path_factory) -> Path:
    """A digital patient of 4 mm voxels: three studies with dates, events, and truth under derivatives."""
    folder = tmp_path_factory.mktemp("digital") / "tree"
    write_digital_patient(digital_patient(spacing_mm=4.0), folder)
    return folder


@pytest.fixture(scope="session")
def originals(digital_tree):
    """Volumes of one study by sequence, as they lie on disk."""

    def read(session: str = "ses-01"):
        anat = digital_tree / "sub-digital" / session / "anat"
        stem = f"sub-digital_{session}"
        return {s: read_volume(anat / f"{stem}_{s.bids_suffix}.nii.gz") for s in ALL}

    return read


@pytest.fixture(scope="session")
def truth(digital_tree):
    """Path of the truth of one study."""

    def path(session: str = "ses-01") -> Path:
        seg = digital_tree / "derivatives" / "truth" / "sub-digital" / session / "seg"
        return seg / f"sub-digital_{session}_dseg.nii.gz"

    return path


@pytest.fixture(scope="session")
def make_study(originals):
    """Write a copy of a digital study below a folder, in BIDS names; ``edit`` changes each volume."""

    def make(folder, sequences=ALL, *, edit=lambda v: v, subject="a", session="ses-01", source=None, ending=".nii.gz"):
        volumes = originals(source or session)
        stem = f"sub-{subject}_{session}"
        for s in sequences:
            name = f"{stem}_{s.bids_suffix}{ending}"
            write_volume(edit(volumes[s]), folder / f"sub-{subject}" / session / "anat" / name)
        return folder

    return make


@pytest.fixture(scope="session")
def travel(remembered):
    """Run the chain in this process and listen; ``fresh`` computes what another run computed anew."""

    def go(inputs, out, until="measure", fresh=False, **given) -> Ran:
        steps = []
        places = (inputs,) if isinstance(inputs, Path) else tuple(inputs)
        request = IntakeRequest(inputs=places, **given)

        def listen(step):
            steps.append((step.study, step.stage, step.state))

        with remembered(fresh):
            return Ran(run_intake(take_in(request), request, out, RunSettings(digital=True), listen, until), steps)

    return go


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory, make_study, digital_tree, travel):
    """The finished run, with report, of one dated study with four sequences: (input, out, Ran)."""
    place = tmp_path_factory.mktemp("whole")
    given = make_study(place / "in", subject="a")
    (given / "sub-a" / "sub-a_sessions.tsv").write_text("session_id\tacq_time\nses-01\t2000-01-03T00:00:00\n")
    events = place / "events.csv"
    events.write_text((digital_tree / "events.csv").read_text().replace("digital,", "a,"))
    return given, place / "out", travel(given, place / "out", "report", events=events)


@pytest.fixture(scope="session")
def listing():
    """All files below a folder, as sorted relative names."""

    def names(folder: Path) -> list[str]:
        return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())

    return names


@pytest.fixture(scope="session")
def contents():
    """Bytes of every file below a folder, images decompressed."""

    def read(folder: Path) -> dict[str, bytes]:
        out = {}
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            raw = path.read_bytes()
            out[path.relative_to(folder).as_posix()] = gzip.decompress(raw) if path.suffix == ".gz" else raw
        return out

    return read
