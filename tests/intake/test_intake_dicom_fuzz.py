"""Thousands of damaged studies through intake and reading: an answer or a clear error, and nothing written."""

from __future__ import annotations

import random
import shutil
import time

import pytest

from tumorboard.errors import TumorboardError
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.prepare.prepare import read_study_with_notes

MOST_SECONDS = 10.0
"""CPU time that one damaged study may take."""

SECRET = ("DIGITAL-3", "Traceback", "2.25.")


def hurt(data: bytearray, rng: random.Random) -> bytearray:
    """Flip, overwrite, cut, double or truncate, more often where the header is."""
    at = rng.randrange(len(data)) if rng.random() < 0.3 else rng.randrange(min(len(data), 2500))
    kind = rng.randrange(6)
    if kind == 0:
        data[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        data[at : at + 4] = rng.randbytes(4)
    elif kind == 2:
        del data[at : at + rng.choice([1, 2, 8, 100])]
    elif kind == 3:
        data[at:at] = data[max(0, at - rng.choice([8, 64, 500])) : at]
    elif kind == 4:
        data = data[:at]
    else:
        data[at : at + 2] = rng.choice([b"\xff\xff", b"\0\0", b"SQ", b"UN", b"\xfe\xff"])
    return data


@pytest.fixture(scope="module")
def small(coarse_dicom):
    """Eight slices of every sequence of one study, as bytes by name."""
    (patient,) = (coarse_dicom / "dicom").iterdir()
    out = {}
    for series in ("SE0002", "SE0003", "SE0004", "SE0006"):
        files = sorted((patient / "ST0001" / series).iterdir())[:8]
        out |= {f"{series}/{path.name}": path.read_bytes() for path in files}
    return out


def attack(small, folder, seeds):
    """Damage one to three files of the study each time; return how often it was refused."""
    refused = 0
    for seed in seeds:
        rng = random.Random(seed)
        place = folder / "study"
        shutil.rmtree(place, ignore_errors=True)
        victims = rng.sample(sorted(small), rng.choice([1, 1, 2, 3]))
        for name, content in small.items():
            data = bytearray(content)
            for _ in range(rng.choice([1, 1, 3]) if name in victims else 0):
                data = hurt(data, rng) if len(data) > 200 else data
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(bytes(data))
        before = sorted(folder.rglob("*"))
        start, said = time.process_time(), []
        try:
            intake = take_in(IntakeRequest(inputs=(place,)))
            said += [*intake.warnings, *(f"{d.name} {d.reason}" for d in intake.decisions)]
            for patient in intake.patients:
                said.append(patient.pseudonym)
                for study in patient.studies:
                    said += read_study_with_notes(study)[1]
        except TumorboardError as error:
            refused += 1
            said.append(str(error))
        assert time.process_time() - start < MOST_SECONDS, seed
        assert sorted(folder.rglob("*")) == before, seed
        for word in (*SECRET, str(folder)):
            assert word not in " ".join(said), (seed, word)
    return refused


def test_damaged_studies_give_an_answer_or_a_clear_error(small, tmp_path, capfd):
    refused = attack(small, tmp_path, range(40))
    assert refused < 40  # one bad series does not stop the others
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_two_thousand_damaged_studies_give_an_answer_or_a_clear_error(small, tmp_path, capfd):
    attack(small, tmp_path, range(1000, 3000))
    assert capfd.readouterr() == ("", "")
