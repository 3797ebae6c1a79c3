"""The real command in this process, and small digital studies named as careless people name them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tumorboard.cli.main import main

PERSON = "DOE_JANE"
BIRTHDAY = "1961-03-04"
FORBIDDEN = ("DOE", "JANE", "1961", "03-04", "Traceback")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def flat(self) -> str:
        """Everything printed, without line breaks and table lines."""
        return " ".join(self.text.replace("│", " ").replace("┃", " ").split())


@pytest.fixture
def command(monkeypatch, capsys, remembered):
    """Run ``tumorboard`` with these words; returns how it ended."""

    def run(*words: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["tumorboard", *map(str, words)])
        capsys.readouterr()
        code = 0
        try:
            with remembered():
                main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return run


@pytest.fixture(scope="session")
def invoked(remembered):
    """Run one command of ``tumorboard`` without its door: exit code, and what it printed or what was refused."""
    from typer.testing import CliRunner

    from tumorboard.cli.main import app
    from tumorboard.errors import TumorboardError

    def run(*words: str) -> tuple[int, str]:
        with remembered():
            result = CliRunner().invoke(app, list(words))
        if isinstance(result.exception, TumorboardError):
            return result.exception.exit_code, str(result.exception)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return run


@pytest.fixture
def refused(command, tmp_path):
    """Run a command that must be refused: exit code 2, one clear sentence, nobody's name, no path."""

    def run(*words: object, says: tuple[str, ...] = ()) -> Ended:
        ended = command(*words)
        assert ended.code == 2, ended.text
        for word in FORBIDDEN:
            assert word not in ended.text, word
        assert str(tmp_path) not in ended.text
        assert tmp_path.name not in ended.text
        assert "tumorboard: " in ended.err
        assert "expected " in ended.err
        assert "What to do: " in ended.flat
        for said in says:
            assert said in ended.flat, f"{said!r} is not in {ended.flat!r}"
        return ended

    return run


@pytest.fixture(scope="session")
def volumes():
    """Volumes of one digital study (4 mm) by sequence, and its truth."""
    from tumorboard.simulate.patient import digital_patient

    study = digital_patient(spacing_mm=4.0).studies[0]
    return dict(study.volumes), study.truth


@pytest.fixture
def home(tmp_path) -> Path:
    """A folder whose name is a person's."""
    folder = tmp_path / "DOE^JANE" / f"{PERSON}_{BIRTHDAY}"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def write(home, volumes):
    """Write sequences of the digital study under a person's name and birthday; returns the folder."""
    from tumorboard.io.images import write_volume

    def go(*names: str, edit=lambda v: v, ending: str = ".nii.gz", folder: Path = home) -> Path:
        for sequence, volume in volumes[0].items():
            if sequence.value in names:
                write_volume(edit(volume), folder / f"{PERSON}_{BIRTHDAY}_{sequence.value}{ending}")
        return folder

    return go


@pytest.fixture(scope="session")
def contents():
    """Bytes of every file below a folder."""

    def read(folder: Path) -> dict[str, bytes]:
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}

    return read
