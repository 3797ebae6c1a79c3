"""Raw heads are refused in words, until they can be read."""

import sys

import pytest

from tumorboard.cli.main import main


def test_native_heads_are_refused_with_a_reason(tumour, tmp_path, monkeypatch, capsys):
    folder = tumour / "TCGA-FG-6692-native"
    monkeypatch.setattr(sys, "argv", ["tumorboard", "run", str(folder), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as stop:
        main()
    said = capsys.readouterr()
    assert stop.value.code == 2
    assert "expected" in said.err
    assert "What to do" in said.err
    assert "Traceback" not in said.err + said.out
    assert "6692" not in said.err
